"""Stage 02: derive monologues for a part of the training programs, both ways, and verify each."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from semcoder_lib import monologues, records, workspace
from semcoder_lib.stages import s01_pyx
from semcoder_lib.stages.session import Session, rows_of


def run(session: Session) -> dict[str, Any]:
    """Writes `forward.jsonl` and `backward.jsonl` (rows of `records.Monologue`), accepted ones
    only, and returns the funnel of each direction and the lengths."""
    p = session.profile
    entries = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "train"), p)
    entries = entries[: p.monologue_programs]
    style = style_of(p)
    results: dict[str, Any] = {"programs": len(entries), "directions": {}}
    made, funnel = monologues.derive_many(
        entries, session.box, seed=p.seed, per_program=p.monologue_cases,
        style=style, bullets=p.monologue_bullets, workers=session.workers,
    )  # fmt: skip
    for direction in monologues.DIRECTIONS:
        mine = [m for m in made if m.direction == direction]
        workspace.write_jsonl(session.path(f"{direction}.jsonl"), rows_of(mine))
        lengths = sorted(len(m.text) for m in mine)
        results["directions"][direction] = {
            "funnel": funnel[direction],
            "accepted": len(mine),
            "characters": {
                "mean": round(statistics.fmean(lengths), 1) if lengths else None,
                "median": statistics.median(lengths) if lengths else None,
                "longest": lengths[-1] if lengths else None,
            },
        }
    return results


def style_of(profile: Any) -> monologues.Style:
    """The writers' dials that a profile sets."""
    style = monologues.Style(detail=profile.monologue_detail, max_chars=profile.monologue_chars)
    if profile.monologue_form == "full":
        return style
    quotes = profile.monologue_form == "brief"
    return style.but(brief=True, quotes=quotes, check=250, alternatives=False)


def load(folder: Path, direction: str) -> list[records.Monologue]:
    """The accepted monologues of one direction."""
    return [
        records.from_row(records.Monologue, row)
        for row in workspace.read_jsonl(folder / f"{direction}.jsonl")
    ]
