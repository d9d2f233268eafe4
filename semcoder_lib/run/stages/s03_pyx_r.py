"""Stage 03: PyX-R from two sources kept apart: mutation, and the base model's own failures."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcoder_lib import faults as pyx_r
from semcoder_lib import models as generation
from semcoder_lib.core import records, workspace
from semcoder_lib.models import prompts
from semcoder_lib.run.stages import models, s01_pyx
from semcoder_lib.run.stages.session import Session, rows_of

TRIES = 4  # of a teacher at one rationale
TEMPERATURES = (0.4, 0.8)  # each asks the model for one answer to every task


def run(session: Session) -> dict[str, Any]:
    """Writes `mutation.jsonl` and `model.jsonl` (rows of `records.Fault`) and returns the funnels
    and the count of each operator."""
    p = session.profile
    entries = s01_pyx.split(s01_pyx.load(session.upstream(1)), "train")
    mutated, funnel = pyx_r.build(
        entries, session.box, limit=p.faults, seed=p.seed,
        max_characters=int(2.5 * p.max_length), store=session.path("cache_mutation.jsonl"),
    )  # fmt: skip
    taught: dict[str, Any] = {}
    if p.teacher:
        mutated, taught = _taught(session, entries, mutated)
    workspace.write_jsonl(session.path("mutation.jsonl"), rows_of(mutated))
    operators: dict[str, int] = {}
    for fault in mutated:
        operators[fault.operator] = operators.get(fault.operator, 0) + 1
    results: dict[str, Any] = {
        "mutation": {"accepted": len(mutated), "funnel": funnel, "operators": operators}
    }
    if taught:
        results["teacher"] = taught
    results["model"] = _of_the_model(session, entries)
    return results


def _taught(
    session: Session, entries: list[records.Entry], faults: list[records.Fault]
) -> tuple[list[records.Fault], dict[str, Any]]:
    """The faults, the first ones with the teacher's rationale and fix where those are accepted."""
    from semcoder_lib.run.stages.teaching import Writer, teaching

    p = session.profile
    with teaching(session) as asked:
        written, funnel = pyx_r.rewritten(
            faults[: p.teacher_items], entries, Writer(asked), session.box, attempts=TRIES,
            seed=p.seed,
        )  # fmt: skip
        told = {**asked.row(), "funnel": funnel}
    by_id = {f.id: f for f in written}
    return [by_id.get(f.id, f) for f in faults], told


def _of_the_model(session: Session, entries: list[records.Entry]) -> dict[str, Any]:
    """Each description is answered once per temperature. The answer's first line, the signature,
    is given: left alone, a small model often ends there, and half of the answers are no program."""
    p = session.profile
    described = [e for e in s01_pyx.short(entries, p) if e.program.description]
    random.Random(f"{p.seed}:fault tasks").shuffle(described)
    asked = described[: p.fault_tasks]
    begun = {e.program.id: _begun(e.program) for e in asked}
    found: list[records.Fault] = []
    funnel: dict[str, int] = {"tasks": len(asked)}
    if asked:
        requests = [
            generation.Request(
                e.program.id, *_prompt(e.program, begun[e.program.id]),
                max_new_tokens=p.codegen_tokens, temperature=temperature,
                top_p=0.95, seed=p.seed,
            )
            for temperature in TEMPERATURES
            for e in asked
        ]  # fmt: skip
        with models.engine(session, models.Model("base")) as engine:
            completions = [
                replace(c, text=begun[c.task_id] + c.text)
                for group in engine.generate(requests)
                for c in group
            ]
        found, funnel = pyx_r.from_completions(asked, completions, session.box)
    workspace.write_jsonl(session.path("model.jsonl"), rows_of(found))
    return {"accepted": len(found), "funnel": funnel}


def _prompt(program: records.Program, begun: str) -> tuple[str, tuple[str, ...]]:
    prompt = prompts.nl_to_code(pyx_r.task_description(program))
    return prompt.text + begun, prompt.stop


def _begun(program: records.Program) -> str:
    signature = pyx_r.signature(program)
    # The indentation, less the blank that belongs to the next token: without it the model takes the
    # signature for the whole answer and closes the block.
    return "" if "(...)" in signature else f"{signature}\n   "


def load(folder: Path) -> list[records.Fault]:
    """All accepted faults, mutation first."""
    return [
        records.from_row(records.Fault, row)
        for name in ("mutation", "model")
        for row in workspace.read_jsonl(folder / f"{name}.jsonl")
    ]
