"""pass@k without bias, and intervals by bootstrap over tasks."""

from __future__ import annotations

import math
import zlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Verdict

RESAMPLES = 10_000
_BLOCK = 2_000_000  # drawn indices held at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval. `n` counts what was resampled (clusters, not samples)."""

    value: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that one of `k` samples drawn from `n`, of which `c` are right, is right:
    1 - C(n-c, k) / C(n, k) (Chen et al. 2021, the estimator without bias).

    Raises UserError unless 0 <= c <= n and 1 <= k <= n. CRUXEval's published script returns 1.0
    for k > n; that quirk is not reproduced.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise UserError(f"pass@k needs 0 <= c <= n and 1 <= k <= n; got n={n}, c={c}, k={k}")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def task_rates(verdicts: Iterable[Verdict], k: int = 1) -> dict[str, float]:
    """pass@k of every task, over its counted verdicts, in order of first appearance. Tasks with
    fewer than `k` counted verdicts are left out."""
    counts: dict[str, list[int]] = {}
    for verdict in verdicts:
        tally = counts.setdefault(verdict.task_id, [0, 0])
        if verdict.counted:
            tally[0] += 1
            tally[1] += verdict.passed
    return {task: pass_at_k(n, c, k) for task, (n, c) in counts.items() if n >= k}


def mean_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """The mean and its percentile bootstrap interval.

    Whole clusters are resampled with replacement (a cluster is a task, where its samples share
    one), so samples of one task are not taken for independent. The mean is over values; clusters
    of different sizes weigh by size. With fewer than two clusters the interval is the whole range
    [0, 1] of a rate: one task says nothing about others. Where every value is the same the
    percentile interval would have no width; then the exact binomial (Clopper-Pearson) bound for
    0 or n of n is used. Same seed and data, same interval. Raises UserError for no values.
    """
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        raise UserError("no values to average")
    sums, sizes = _clustered(data, clusters)
    n = len(sums)
    mean = float(data.mean())
    if n < 2:
        return Interval(mean, min(0.0, mean), max(1.0, mean), n)
    if np.all(data == data[0]) and data[0] in (0.0, 1.0):
        slack = 1 - ((1 - level) / 2) ** (1 / n)
        low, high = (0.0, slack) if data[0] == 0.0 else (1 - slack, 1.0)
        return Interval(mean, low, high, n)
    means = bootstrap(sums, sizes, seed, resamples)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(mean, float(low), float(high), n)


def bootstrap(sums: np.ndarray, sizes: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Means of `resamples` draws of clusters, from a generator named after this function."""
    n = len(sums)
    draw = np.random.default_rng([seed, zlib.crc32(b"scoring.bootstrap")])
    means = np.empty(resamples)
    step = max(1, _BLOCK // n)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        chosen = draw.integers(0, n, size=(stop - start, n))
        means[start:stop] = sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    return means


def _clustered(
    data: np.ndarray, clusters: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    if clusters is None:
        return data, np.ones(len(data))
    if len(clusters) != len(data):
        raise UserError(f"{len(data)} values but {len(clusters)} cluster names")
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(name, len(places)) for name in clusters])
    sums = np.bincount(index, weights=data, minlength=len(places))
    sizes = np.bincount(index, minlength=len(places)).astype(float)
    return sums, sizes
