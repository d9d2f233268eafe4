"""Stage 01: build PyX, or read it from a file in the hub's format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process, utils

from semcoder_lib import corpus as pyx
from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.run.stages import evaluation
from semcoder_lib.run.stages.session import Session


def run(session: Session) -> dict[str, Any]:
    """Writes `pyx.jsonl` (rows of `records.Entry`), `dropped.jsonl`, with a teacher `teacher.jsonl`
    (the fate of every snippet), and returns the funnel and the corpus's description."""
    p = session.profile
    if p.pyx_source != "build":
        return _from_file(session, Path(p.pyx_source))
    told: dict[str, Any] = {}
    taught = _taught(session, told) if p.teacher else pyx.Taught()
    built = pyx.build(
        session.folder,
        taught=taught.candidates,
        real=p.pyx_real,
        synthesised=p.pyx_synthesised,
        method_seeded=p.pyx_methods,
        cases=6,
        seed=p.seed,
        box=session.box,
        workers=session.workers,
        backend="ray" if os.environ.get("RAY_ADDRESS") else "process",
        held_out=p.pyx_held_out,
    )
    description = _described(load(session.folder), built.funnel)
    if taught.fates:  # the paper's table 7 counts how a teacher's solutions fail at first
        description["errors"] = dict(taught.errors.most_common())
        description["candidates_run"] = sum(taught.errors.values()) + taught.by_round[0]
        description["errors_of"] = "solutions of the teacher, when first run"
    return {"funnel": built.funnel, "description": description, **told}


def _taught(session: Session, told: dict[str, Any]) -> pyx.Taught:
    """What the teacher proposes; the counts go to `told`."""
    from semcoder_lib.run.stages.teaching import teaching

    p = session.profile
    with teaching(session) as asked:
        made = pyx.taught(
            p.teacher_items, asked.teacher, session.box, seed=p.seed,
            cache=asked.cache, usage=asked.usage,
        )  # fmt: skip
        told["teacher"] = {**asked.row(), **made.row()}
    workspace.write_jsonl(session.path("teacher.jsonl"), made.fates)
    return made


PARTS = {
    "package": "real functions",
    "synthesised": "synthesised",
    "method": "method-seeded",
    "teacher": "teacher",
}


def parts(entries: list[records.Entry]) -> dict[str, list[records.Entry]]:
    """The entries by where their programs come from, under the names that figures use."""
    found: dict[str, list[records.Entry]] = {}
    for entry in entries:
        found.setdefault(PARTS.get(entry.program.origin, "real functions"), []).append(entry)
    return {name: found[name] for name in dict.fromkeys(PARTS.values()) if name in found}


def load(folder: Path) -> list[records.Entry]:
    """The corpus that stage 01 wrote."""
    return pyx.load(folder / "pyx.jsonl")


def split(entries: list[records.Entry], name: str) -> list[records.Entry]:
    """The entries of one split, "train" or "held_out"."""
    return [e for e in entries if e.program.split == name]


def short(entries: list[records.Entry], profile: Any) -> list[records.Entry]:
    """The entries whose program is at most `program_chars` long, the profile's limit on what is
    told in monologues and evaluated."""
    return [e for e in entries if len(e.program.source) <= profile.program_chars]


def _from_file(session: Session, path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UserError(f"pyx_source: {path} is not a file; give a PyX file in the hub's format")
    p, rows = session.profile, workspace.read_jsonl(path)
    read = pyx.from_hub(rows, box=session.box, seed=p.seed, held_out=p.pyx_held_out)
    workspace.write_jsonl(session.path("pyx.jsonl"), map(records.to_row, read.entries))
    workspace.write_jsonl(session.path("dropped.jsonl"), read.dropped)
    return {"funnel": read.funnel, "description": _described(read.entries, read.funnel)}


def _described(entries: list[records.Entry], funnel: dict[str, Any]) -> dict[str, Any]:
    """The corpus's description with what the report draws: category shares, table 8's row."""
    told = pyx.describe(entries)
    tried = [
        p
        for name, p in funnel.items()
        if name in ("real", "synthesised", "method-seeded", "teacher")
    ]
    candidates = sum(p.get("candidates", 0) for p in tried)
    failing = sum(n for p in tried for reason, n in p.items() if "on which it runs" in reason)
    shares: dict[str, dict[str, float]] = {}
    for label, part in parts(entries).items():
        counts = pyx.describe(part)["category"]
        shares[label] = {name: n / len(part) for name, n in counts.items()}
    told["categories"] = shares
    told["similarity"] = _similarity(entries)
    told["candidates"] = candidates or len(entries)
    if candidates:
        told["errors"], told["candidates_run"] = funnel.get("errors", {}), candidates
        told["table_8"] = {
            "seed_parse_pct": 100.0,  # a seed is a function cut out of a parsed module
            "solution_parse_pct": 100.0,
            "solution_execute_pct": 100.0 * (candidates - failing) / candidates,
        }
    return told


def _similarity(entries: list[records.Entry], sample: int = 32) -> dict[str, Any]:
    """Figure 5's data: for a sample of each part of the corpus the paper's edit similarity
    (`partial_token_sort_ratio`, 0 to 1) to the nearest reference solution of each benchmark at
    hand."""
    panels: dict[str, Any] = {}
    for name, title in (("humaneval", "HumanEval"), ("mbpp", "MBPP")):
        try:
            tasks = benchmarks.get(name).load()
        except benchmarks.Missing:
            continue
        solutions = [
            utils.default_process(f"{t.data.get('prompt', '')}{t.data['canonical_solution']}")
            for t in tasks
        ]
        panels[title] = {
            part: [
                process.extractOne(source, solutions, scorer=fuzz.partial_token_sort_ratio)[1] / 100
                for source in (
                    utils.default_process(e.program.source)
                    for e in evaluation.sample_tasks(rows, sample, 0)
                )
            ]
            for part, rows in parts(entries).items()
        }
    return panels
