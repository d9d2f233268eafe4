"""Stage 03: PyX-R from two sources kept apart: mutation, and the base model's own failures."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from semcoder_lib import generation, prompts, pyx_r, records, workspace
from semcoder_lib.stages import models, s01_pyx
from semcoder_lib.stages.session import Session, rows_of


def run(session: Session) -> dict[str, Any]:
    """Writes `mutation.jsonl` and `model.jsonl` (rows of `records.Fault`) and returns the funnels
    and the count of each operator."""
    p = session.profile
    entries = s01_pyx.split(s01_pyx.load(session.upstream(1)), "train")
    mutated, funnel = pyx_r.build(
        entries, session.box, limit=p.faults, seed=p.seed,
        max_characters=int(2.5 * p.max_length), store=session.path("cache_mutation.jsonl"),
    )  # fmt: skip
    workspace.write_jsonl(session.path("mutation.jsonl"), rows_of(mutated))
    operators: dict[str, int] = {}
    for fault in mutated:
        operators[fault.operator] = operators.get(fault.operator, 0) + 1
    results: dict[str, Any] = {
        "mutation": {"accepted": len(mutated), "funnel": funnel, "operators": operators}
    }
    results["model"] = _of_the_model(session, entries)
    return results


def _of_the_model(session: Session, entries: list[records.Entry]) -> dict[str, Any]:
    p = session.profile
    described = [e for e in entries if e.program.description]
    random.Random(f"{p.seed}:fault tasks").shuffle(described)
    asked = described[: p.fault_tasks]
    found: list[records.Fault] = []
    funnel: dict[str, int] = {"tasks": len(asked)}
    if asked:
        requests = [
            generation.Request(
                e.program.id, *_prompt(e), max_new_tokens=p.codegen_tokens,
                temperature=0.8, top_p=0.95, n=2, seed=p.seed,
            )
            for e in asked
        ]  # fmt: skip
        with models.engine(session, models.Model("base")) as engine:
            completions = [c for group in engine.generate(requests) for c in group]
        found, funnel = pyx_r.from_completions(asked, completions, session.box)
    workspace.write_jsonl(session.path("model.jsonl"), rows_of(found))
    return {"accepted": len(found), "funnel": funnel}


def _prompt(entry: records.Entry) -> tuple[str, tuple[str, ...]]:
    prompt = prompts.nl_to_code(pyx_r.task_description(entry.program))
    return prompt.text, prompt.stop


def load(folder: Path) -> list[records.Fault]:
    """All accepted faults, mutation first."""
    return [
        records.from_row(records.Fault, row)
        for name in ("mutation", "model")
        for row in workspace.read_jsonl(folder / f"{name}.jsonl")
    ]
