"""Numbers from verdicts: pass@k without bias, intervals by bootstrap over tasks, paired tests of
two runs, and the regression gate `compare`."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.progress import say
from semcoder_lib.core.records import Verdict, from_row
from semcoder_lib.evaluation import data

PATTERN = "verdicts*.jsonl"
_BATCH = 2_000_000  # drawn indices held at a time
Results = Mapping[str, float] | Sequence[float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its 95 % interval. `n` counts what was resampled: tasks, not samples."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class McNemar:
    """`only_a` tasks that only the first run solved, `only_b` only the second; `p_value` is
    two-sided and exact."""

    only_a: int
    only_b: int
    p_value: float


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
        tally[0] += verdict.counted
        tally[1] += verdict.counted and verdict.passed
    return {task: pass_at_k(n, c, k) for task, (n, c) in counts.items() if n >= k}


def statuses(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many verdicts have which status, by its name."""
    return dict(sorted(Counter(v.status.value for v in verdicts).items()))


def mean_interval(values: Sequence[float], seed: int = 0, *, resamples: int = 10_000) -> Interval:
    """The mean and its 95 % percentile bootstrap interval, over tasks (a value is a task's rate, so
    that samples of one task are not taken for independent).

    With fewer than two values the interval is the whole range [0, 1] of a rate: one task says
    nothing about others. Where every value is 0, or every value 1, it would have no width; it is
    then the exact binomial (Clopper-Pearson) one. Same seed and data, same interval. Raises
    UserError for no values.
    """
    array = np.asarray(values, dtype=float)
    if not len(array):
        raise UserError("no values to average")
    mean, n = float(array.mean()), len(array)
    if n < 2:
        return Interval(mean, min(0.0, mean), max(1.0, mean), n)
    from scipy import stats  # half a second, so only where it is needed

    if mean in (0.0, 1.0) and np.all(array == mean):
        exact = stats.binomtest(int(mean) * n, n).proportion_ci()
        return Interval(mean, float(exact.low), float(exact.high), n)
    interval = stats.bootstrap(
        (array,),
        np.mean,
        n_resamples=resamples,
        batch=max(1, _BATCH // n),
        method="percentile",
        rng=np.random.default_rng([seed, zlib.crc32(b"scoring.bootstrap")]),
    ).confidence_interval
    return Interval(mean, float(interval.low), float(interval.high), n)


def paired_difference(a: Results, b: Results, seed: int = 0) -> Interval:
    """Mean of `b - a` over the tasks that both have, with its bootstrap interval over tasks.

    Two mappings are joined by task id, two sequences place by place (same length). Where all
    differences are equal the bootstrap has no width; then each side gets the exact bound for an
    unseen kind of task. Raises UserError when nothing is shared.
    """
    left, right = _shared(a, b)
    differences = right - left
    if np.any(differences != differences[0]):
        return mean_interval(differences.tolist(), seed=seed)
    value, n = float(differences[0]), len(differences)
    slack = 1 - 0.025 ** (1 / n)
    return Interval(value, max(-1.0, value - slack), min(1.0, value + slack), n)


def mcnemar(a: Results, b: Results) -> McNemar:
    """The exact test over tasks that both runs have; a task counts as solved above one half, so
    with one sample a task these are the plain verdicts. Raises as `paired_difference`."""
    from scipy import stats

    left, right = (side > 0.5 for side in _shared(a, b))
    only_a, only_b = int((left & ~right).sum()), int((right & ~left).sum())
    test = stats.binomtest(only_a, max(1, only_a + only_b))
    return McNemar(only_a, only_b, float(test.pvalue))


def _shared(a: Results, b: Results) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        tasks = [task for task in a if task in b]
        a, b = [a[task] for task in tasks], [b[task] for task in tasks]
    if isinstance(a, Mapping) or isinstance(b, Mapping) or len(a) != len(b):
        raise UserError(f"{len(a)} results against {len(b)}: not the same tasks")
    if not a:
        raise UserError("the two runs have no task in common")
    return np.asarray(a, dtype=float), np.asarray(b, dtype=float)


# --- the gate ---


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric in both runs, over the tasks they share."""

    metric: str
    tasks: int
    a: float
    b: float
    difference: Interval
    test: McNemar

    @property
    def worse(self) -> bool:
        """Significantly lower in the second run: the whole interval of the paired difference is
        below zero and McNemar's p is below 0.05 (the latter where tasks changed sides at all)."""
        return self.difference.high < 0 and self._changed

    @property
    def better(self) -> bool:
        """The same, upwards."""
        return self.difference.low > 0 and self._changed

    @property
    def _changed(self) -> bool:
        return self.test.only_a + self.test.only_b == 0 or self.test.p_value < 0.05

    def line(self) -> str:
        """The comparison in words."""
        verdict = "WORSE" if self.worse else "better" if self.better else "within noise"
        d = self.difference
        return (
            f"{self.metric}: {self.a:.1%} -> {self.b:.1%} on {self.tasks} tasks, difference "
            f"{d.value:+.1%} [{d.low:+.1%}, {d.high:+.1%}], solved only by A {self.test.only_a}, "
            f"only by B {self.test.only_b}, p = {self.test.p_value:.3g}: {verdict}"
        )


def compare(run_a: Path | str, run_b: Path | str) -> list[Comparison]:
    """Every metric that both runs have, second against first.

    A run is a folder (its files `verdicts*.jsonl` at any depth are matched by relative path) or
    one file of verdicts as `score --out` writes it. Raises UserError when nothing matches.
    """
    left, right = _metrics(Path(run_a)), _metrics(Path(run_b))
    if Path(run_a).is_file() and Path(run_b).is_file():
        left = dict(zip(right, left.values(), strict=True))
    comparisons = []
    for name in (name for name in left if name in right):
        a, b = left[name], right[name]
        difference, test = paired_difference(a, b), mcnemar(a, b)
        means = [float(side.mean()) for side in _shared(a, b)]
        comparisons.append(Comparison(name, difference.n, means[0], means[1], difference, test))
    if not comparisons:
        raise UserError(
            f"{run_a} and {run_b} have no metric in common (files {PATTERN}: "
            f"{', '.join(left) or 'none'} and {', '.join(right) or 'none'})"
        )
    return comparisons


def compare_command(run_a: Path | str, run_b: Path | str) -> dict[str, Any]:
    """The command `compare`: a line a metric on standard error, the summary back. `exit_status`
    is 4 when a metric fell significantly, else 0."""
    comparisons = compare(run_a, run_b)
    for comparison in comparisons:
        say(comparison.line())
    worse = [c.metric for c in comparisons if c.worse]
    return {
        "metrics": len(comparisons),
        "worse": worse,
        "better": [c.metric for c in comparisons if c.better],
        "comparisons": [{**asdict(c), "worse": c.worse, "better": c.better} for c in comparisons],
        "exit_status": 4 if worse else 0,
    }


def _metrics(run: Path) -> dict[str, dict[str, float]]:
    if run.is_dir():
        paths = {str(p.relative_to(run).with_suffix("")): p for p in sorted(run.rglob(PATTERN))}
    elif run.exists():
        paths = {run.name: run}
    else:
        raise UserError(f"{run}: no such run or file")
    return {name: task_rates(_verdicts(path)) for name, path in paths.items()}


def _verdicts(path: Path | str) -> list[Verdict]:
    """Verdicts from a file that `score --out` or a notebook wrote. Raises UserError with file and
    line, also for a `passed` or `counted` that is no JSON boolean."""
    verdicts = []
    for number, row in data.rows_of(data.text_of(Path(path)), path):
        needed = ("task_id", "passed", "status", "index", "counted")
        try:
            verdicts.append(from_row(Verdict, {name: row[name] for name in needed if name in row}))
        except ValueError as error:
            raise UserError(f"{path}:{number}: not a verdict: {error}") from None
    return verdicts
