"""Two runs on the same tasks: the difference with its interval, and McNemar's test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.scoring.estimates import Interval, mean_interval


@dataclass(frozen=True, slots=True)
class McNemar:
    """`only_a` tasks that only the first run solved, `only_b` only the second; `p_value` is
    two-sided and exact."""

    only_a: int
    only_b: int
    p_value: float


Results = Mapping[str, float] | Sequence[float]


def paired_difference(a: Results, b: Results, seed: int = 0) -> Interval:
    """Mean of `b - a` over the tasks that both have, with its bootstrap interval over tasks.

    Two mappings are joined by task id, two sequences place by place (same length). Where all
    differences are equal the bootstrap has no width; then each side gets the exact bound for an
    unseen kind of task, 1 - 0.025 ** (1 / n). Raises UserError when nothing is shared.
    """
    left, right = _shared(a, b)
    differences = np.array(right) - np.array(left)
    if np.all(differences == differences[0]):
        value, n = float(differences[0]), len(differences)
        slack = 1 - 0.025 ** (1 / n)
        return Interval(value, max(-1.0, value - slack), min(1.0, value + slack), n)
    return mean_interval([float(x) for x in differences], seed=seed)


def mcnemar(a: Results, b: Results) -> McNemar:
    """The exact test over tasks that both runs have; a task counts as solved above one half, so
    with one sample a task these are the plain verdicts. Raises as `paired_difference`."""
    left, right = _shared(a, b)
    only_a = sum(x > 0.5 >= y for x, y in zip(left, right, strict=True))
    only_b = sum(y > 0.5 >= x for x, y in zip(left, right, strict=True))
    return McNemar(only_a, only_b, _binomial(only_a, only_b))


def _shared(a: Results, b: Results) -> tuple[list[float], list[float]]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        tasks = [task for task in a if task in b]
        left, right = [float(a[t]) for t in tasks], [float(b[t]) for t in tasks]
    elif isinstance(a, Mapping) or isinstance(b, Mapping):
        raise UserError("compare two mappings or two sequences, not one of each")
    elif len(a) != len(b):
        raise UserError(f"{len(a)} results against {len(b)}: not the same tasks")
    else:
        left, right = [float(x) for x in a], [float(x) for x in b]
    if not left:
        raise UserError("the two runs have no task in common")
    return left, right


def _binomial(x: int, y: int) -> float:
    """Two-sided exact probability of a split at least this uneven of x + y fair coins."""
    n = x + y
    tail = sum(math.comb(n, i) for i in range(min(x, y) + 1))
    return min(1.0, float(Fraction(2 * tail, 2**n)))
