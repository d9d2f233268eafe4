"""How far a model's own steps go right: the chain from a call to its answer, in any format.

A right answer can rest on wrong steps, and a wrong one on right steps up to some point. Steps are
compared with the recorded execution: claims of a monologue by the verifier, lines of a trace format
one by one with those that the execution gives in that format.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.evaluation.answers import Evaluated
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import formats

TRACES = ("scratchpad", "next", "concise")
_LONGEST = 15  # steps that the survival of a chain is told for


@dataclass(frozen=True)
class Chain:
    """`right` of the `steps` that the chain should have (a trace) or has (a monologue: its decided
    claims) come before the first wrong one. `whole`: none is wrong and none is missing."""

    steps: int
    right: int
    whole: bool


def chain(
    format: str, text: str, program: Program, case: Case, trace: Trace, box: Sandbox
) -> Chain | None:
    """The chain of one completion; None for the formats without steps."""
    if format in TRACES:
        begun = text.partition("[TRACE]")[2] if "[TRACE]" in text else text
        due = formats.items(formats.render(trace, program, case, format), format)
        told = formats.items(begun.partition("[/TRACE]")[0].strip("\n"), format)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(due, told, strict=False))
        right = len(list(same))
        return Chain(len(due), right, right == len(due) == len(told))
    if format in ("monologue", "shuffled"):
        return _of_monologue(text, program, case, box)
    return None


def chains_of(
    answered: Evaluated, format: str, tasks: Mapping[str, Any], traces: Mapping[str, Trace],
    box: Sandbox,
) -> list[tuple[Chain, bool]]:  # fmt: skip
    """The chain of every completion of a model, and whether its answer is right. `tasks` has the
    program and case of each task, `traces` its recorded execution."""
    found = []
    for completion, passed in zip(answered.completions, answered.passed.values(), strict=True):
        data, trace = tasks[completion.task_id], traces[completion.task_id]
        own = chain(format, completion.text, data["program"], data["case"], trace, box)
        if own is not None:
            found.append((own, bool(passed)))
    return found


def _of_monologue(text: str, program: Program, case: Case, box: Sandbox) -> Chain:
    report = monologues.verify(text + "\n[/ANSWER]", program, case, box, direction="forward")
    decided = [
        claim.status == "supported"
        for claim in report.claims
        if claim.status in ("supported", "contradicted") and claim.kind != "answer"
    ]
    right = decided.index(False) if False in decided else len(decided)
    whole = bool(decided) and right == len(decided) and "[/MONOLOGUE]" in text
    return Chain(len(decided), right, whole)


def summary(chains: Sequence[Chain], passed: Sequence[bool]) -> dict[str, Any]:
    """Counts over the completions of one format, and `survival`: for each number of steps, of the
    chains with so many (or broken before), the share that is right that far."""
    answers = [c for c, right in zip(chains, passed, strict=True) if right]
    survival = []
    for length in range(1, _LONGEST + 1):
        reach = [c for c in chains if c.steps >= length or not c.whole]
        if not reach:
            break
        alive = sum(c.right >= length for c in reach)
        survival.append([length, alive / len(reach), len(reach)])
    return {
        "n": len(chains),
        "whole": sum(c.whole for c in chains),
        "steps": sum(c.steps for c in chains),
        "right_steps": sum(c.right for c in chains),
        "right": len(answers),
        "right_by_right_steps": sum(c.whole for c in answers),
        "survival": survival,
    }
