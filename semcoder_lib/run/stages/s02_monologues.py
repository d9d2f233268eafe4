"""Stage 02: derive monologues for a part of the training programs, both ways, and verify each."""

from __future__ import annotations

import collections
import statistics
from pathlib import Path
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.core import records, values, workspace
from semcoder_lib.models import teachers
from semcoder_lib.run.stages import s01_pyx
from semcoder_lib.run.stages.session import Session, rows_of

SHOTS = 2  # examples in a teacher's chat
TRIES = 4  # of a teacher at one monologue
CASES = 2  # of a program that get monologues


def run(session: Session) -> dict[str, Any]:
    """Writes `forward.jsonl` and `backward.jsonl` (rows of `records.Monologue`), accepted ones
    only, and returns the funnel of each direction and the lengths. With a teacher its texts take
    the place of the derived ones of the same calls, where the verifier accepts them."""
    p = session.profile
    entries = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "train"), p)
    entries = entries[: p.monologue_programs]
    style = style_of(p)
    results: dict[str, Any] = {"programs": len(entries), "directions": {}}
    made, funnel = monologues.derive_many(
        entries, session.box, seed=p.seed, per_program=CASES,
        style=style, bullets=bullets_of(p), workers=session.workers,
    )  # fmt: skip
    if p.teacher:
        made, results["teacher"] = _taught(session, entries, made)
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


def _taught(
    session: Session, entries: list[records.Entry], derived: list[records.Monologue]
) -> tuple[list[records.Monologue], dict[str, Any]]:
    """The monologues with those of the teacher put in, and the counts (paper section 4.2.3).
    Examples in the chats are derived monologues of programs that are not asked about."""
    from semcoder_lib.run.stages.teaching import teaching

    p = session.profile
    chosen = entries[: p.teacher_items]
    others = {e.program.id: e.program for e in entries[p.teacher_items :]}
    pairs = [(e.program, c) for e in chosen for c in monologues.chosen_cases(e, CASES, p.seed)]
    texts = {_place(m): m for m in derived}
    told: dict[str, Any] = {"programs": len(chosen), "directions": {}}
    with teaching(session) as asked:
        for direction in monologues.DIRECTIONS:
            shown = [m for m in derived if m.direction == direction and m.program_id in others]
            shots = tuple(teachers.shot(others[m.program_id], m) for m in shown[:SHOTS])
            fates: collections.Counter[str] = collections.Counter()
            for found, monologue in monologues.taught(
                pairs, asked.teacher, session.box, direction=direction, shots=shots,
                tries=TRIES, seed=p.seed, strict=p.style == "clean",
                cache=asked.cache, usage=asked.usage,
            ):  # fmt: skip
                fate = found.status
                if monologue is not None and len(monologue.text) > p.monologue_chars:
                    fate = "longer than max_chars"
                elif monologue is not None:
                    texts[_place(monologue)] = monologue
                fates[fate] += 1
            told["directions"][direction] = dict(sorted(fates.items()))
        told |= asked.row()
    return list(texts.values()), told


def _place(monologue: records.Monologue) -> tuple[str, str, str]:
    """What a monologue tells."""
    case = monologue.case
    about = case.arguments if monologue.direction == "forward" else case.output
    return monologue.direction, monologue.program_id, values.encode(about)


def style_of(profile: Any) -> monologues.Style:
    """The writers' dials that a profile sets."""
    return monologues.STYLES[profile.monologue_form].but(max_chars=profile.monologue_chars)


def bullets_of(profile: Any) -> int:
    """Properties that each monologue states."""
    return 0 if style_of(profile).brief else 2


def load(folder: Path, direction: str) -> list[records.Monologue]:
    """The accepted monologues of one direction."""
    return [
        records.from_row(records.Monologue, row)
        for row in workspace.read_jsonl(folder / f"{direction}.jsonl")
    ]
