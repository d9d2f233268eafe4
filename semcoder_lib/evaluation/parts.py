"""Scores of several seeds together, and by what the programs are like."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from semcoder_lib.core.records import Program, Trace
from semcoder_lib.evaluation import scoring

Passed = Mapping[str, float]
"""Task id to 1.0 or 0.0; over several seeds, their mean."""

_LENGTHS = ((1, 3), (4, 7), (8, None))  # executed lines
_LOOPS = (ast.For, ast.While, ast.comprehension)
_BRANCHES = (ast.If, ast.IfExp, ast.Match)


def over_seeds(runs: Sequence[Passed]) -> dict[str, float]:
    """The mean of every task over the seeds, so that an interval over tasks counts each once."""
    return {task: sum(run[task] for run in runs) / len(runs) for task in runs[0]}


def pooled_row(passed: Passed, seed: int) -> dict[str, Any]:
    """Mean and interval over tasks."""
    found = scoring.mean_interval(list(passed.values()), seed=seed)
    return {"value": found.value, "low": found.low, "high": found.high, "n": len(passed)}


def paired_row(before: Passed, after: Passed, seed: int) -> dict[str, Any]:
    """Paired difference and its interval over tasks. With several seeds the tasks' means are
    compared, for which McNemar's test is not made."""
    found = scoring.paired_difference(before, after, seed=seed)
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def kinds_of(program: Program, trace: Trace) -> list[str]:
    """The groups that an item belongs to: by the lines that its execution visits, and by what the
    program's text has."""
    visits = sum(step.event == "line" for step in trace.steps)
    kinds = [
        f"{low} to {high} lines" if high else f"{low} lines and more"
        for low, high in _LENGTHS
        if low <= max(visits, 1) and (high is None or visits <= high)
    ]
    nodes = list(ast.walk(ast.parse(program.source)))
    loop = any(isinstance(n, _LOOPS) for n in nodes)
    branch = any(isinstance(n, _BRANCHES) for n in nodes)
    kinds.append("loop and branch" if loop and branch else "loop" if loop else
                 "branch" if branch else "straight")  # fmt: skip
    return kinds


def by_kind(passed: Passed, kinds: Mapping[str, Sequence[str]], seed: int) -> list[dict[str, Any]]:
    """Mean and interval of each group, in the order of their names; `kinds` has those of each
    task."""
    names = sorted({kind for of_task in kinds.values() for kind in of_task})
    groups = {name: {t: v for t, v in passed.items() if name in kinds[t]} for name in names}
    return [{"kind": name, **pooled_row(group, seed)} for name, group in groups.items()]
