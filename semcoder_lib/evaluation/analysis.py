"""What scores do not say: how far a model's own steps are true, and how near the corpus comes to
the benchmarks.

A right answer can rest on wrong steps, and a wrong one on right steps up to some point. Steps are
compared with the recorded execution: claims of a monologue by the verifier, lines of a trace format
one by one with those that the execution gives in that format.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.core.records import Case, Claim, Entry, Program, Trace
from semcoder_lib.evaluation import base, data
from semcoder_lib.evaluation.answers import sample_tasks
from semcoder_lib.evaluation.score import Evaluation
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import formats

# --- chains of steps ---

TRACES = ("scratchpad", "next", "concise")
STATUSES = ("supported", "contradicted", "unverifiable")
_METHOD = re.compile(r"\.(" + "|".join(m for m in dir(str) if m.isalpha()) + r")\(")
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
        written = formats.items(begun.partition("[/TRACE]")[0].strip("\n"), format)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(due, written, strict=False))
        right = len(list(same))
        return Chain(len(due), right, right == len(due) == len(written))
    if format not in ("monologue", "shuffled"):
        return None
    report = monologues.verify(text + "\n[/ANSWER]", program, case, box, direction="forward")
    decided = [
        claim.status == "supported"
        for claim in report.claims
        if claim.status in ("supported", "contradicted") and claim.kind != "answer"
    ]
    right = decided.index(False) if False in decided else len(decided)
    whole = bool(decided) and right == len(decided) and "[/MONOLOGUE]" in text
    return Chain(len(decided), right, whole)


def chains_of(
    answered: Evaluation, format: str, tasks: Mapping[str, Any], traces: Mapping[str, Trace],
    box: Sandbox,
) -> list[tuple[Chain, bool]]:  # fmt: skip
    """The chain of every completion of a model, and whether its answer is right. `tasks` has the
    program and case of each task, `traces` its recorded execution."""
    chains = []
    for completion, passed in zip(answered.completions, answered.passed.values(), strict=True):
        task, trace = tasks[completion.task_id], traces[completion.task_id]
        own = chain(format, completion.text, task["program"], task["case"], trace, box)
        if own is not None:
            if completion.finish == "forced":  # not all of its steps are there
                own = replace(own, whole=False)
            chains.append((own, bool(passed)))
    return chains


def summary(chains: Sequence[Chain], passed: Sequence[bool]) -> dict[str, Any]:
    """Counts over the completions of one format, and `survival`: for each number of steps, of the
    chains with so many (or broken before), the share that is right that far."""
    answers = [c for c, right in zip(chains, passed, strict=True) if right]
    survival = []
    for length in range(1, _LONGEST + 1):
        reach = [c for c in chains if c.steps >= length or not c.whole]
        if not reach:
            break
        survival.append([length, sum(c.right >= length for c in reach) / len(reach), len(reach)])
    return {
        "n": len(chains),
        "whole": sum(c.whole for c in chains),
        "steps": sum(c.steps for c in chains),
        "right_steps": sum(c.right for c in chains),
        "right": len(answers),
        "right_by_right_steps": sum(c.whole for c in answers),
        "survival": survival,
    }


def faithfulness(
    answered: Evaluation, tasks: Sequence[base.Task], *, box: Sandbox
) -> dict[str, Any]:
    """What the verifier says of a model's own forward monologues about `tasks` of held-out PyX:
    how many of their claims have which status, in all and by kind of step (`steps`), and how many
    right answers stand in a text with a contradicted step."""
    by_id = {task.task_id: task.data for task in tasks}
    kinds: dict[str, Counter[str]] = {}
    lucky = 0
    for text, verdict in zip(answered.completions, answered.verdicts, strict=True):
        program, case = by_id[verdict.task_id]["program"], by_id[verdict.task_id]["case"]
        whole = text.text + "\n[/ANSWER]"  # generation ends before it
        report = monologues.verify(whole, program, case, box, direction="forward")
        for claim in report.claims:
            kinds.setdefault(_step(claim, whole), Counter())[claim.status] += 1
        lucky += verdict.passed and report.contradicted > 0
    common = {"benchmark": answered.benchmark, "model": answered.model}
    steps = []
    for kind, counts in sorted(kinds.items()):
        decided = counts["supported"] + counts["contradicted"]
        share = counts["supported"] / decided if decided else None
        steps.append({**common, "step": kind, **{s: counts[s] for s in STATUSES}, "true": share})
    return {
        **common,
        "n": len(answered.verdicts),
        "right": sum(v.passed for v in answered.verdicts),
        "right_on_a_contradicted_step": lucky,
        **{status: sum(counts[status] for counts in kinds.values()) for status in STATUSES},
        "steps": steps,
    }


def _step(claim: Claim, text: str) -> str:
    """The kind of step that a claim belongs to: the claim's own, or `string method` for the value
    of an expression that calls one."""
    start = text.rfind("\n", 0, claim.place[0]) + 1
    line = text[start : claim.place[1]].partition("\n")[0]
    return "string method" if claim.kind == "value" and _METHOD.search(line) else claim.kind


# --- how near the corpus comes to the benchmarks ---


def similarity(parts: Mapping[str, Sequence[Entry]]) -> dict[str, dict[str, list[float]]]:
    """The paper's figure 5. For each benchmark at hand, and each part of the corpus, the edit
    similarity of up to 32 programs to the reference solution that is nearest to each:
    `partial_token_sort_ratio`, from 0 to 1."""
    from rapidfuzz import fuzz, process, utils

    panels = {}
    for name, title in {"humaneval": "HumanEval", "mbpp": "MBPP"}.items():
        try:
            tasks = base.get(name).load()
        except data.Missing:
            continue
        solutions = [
            utils.default_process(f"{t.data.get('prompt', '')}{t.data['canonical_solution']}")
            for t in tasks
        ]
        panels[title] = {
            part: [
                process.extractOne(
                    utils.default_process(entry.program.source),
                    solutions,
                    scorer=fuzz.partial_token_sort_ratio,
                )[1]
                / 100
                for entry in sample_tasks(entries, 32, 0)
            ]
            for part, entries in parts.items()
        }
    return panels
