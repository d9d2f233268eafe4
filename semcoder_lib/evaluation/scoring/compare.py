"""Did a model's understanding fall between two runs? A regression gate."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Verdict, from_row
from semcoder_lib.core.workspace import read_jsonl
from semcoder_lib.evaluation.scoring.estimates import Interval, task_rates
from semcoder_lib.evaluation.scoring.paired import McNemar, mcnemar, paired_difference

PATTERN = "verdicts*.jsonl"


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
        changed = self.test.only_a + self.test.only_b
        return self.difference.high < 0 and (changed == 0 or self.test.p_value < 0.05)

    @property
    def better(self) -> bool:
        """The same, upwards."""
        changed = self.test.only_a + self.test.only_b
        return self.difference.low > 0 and (changed == 0 or self.test.p_value < 0.05)

    def line(self) -> str:
        """The comparison in words."""
        verdict = "WORSE" if self.worse else "better" if self.better else "within noise"
        d = self.difference
        return (
            f"{self.metric}: {self.a:.1%} -> {self.b:.1%} on {self.tasks} tasks, difference "
            f"{d.value:+.1%} [{d.low:+.1%}, {d.high:+.1%}], solved only by A {self.test.only_a}, "
            f"only by B {self.test.only_b}, p = {self.test.p_value:.3g}: {verdict}"
        )

    def row(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self), "worse": self.worse, "better": self.better}


def compare(run_a: Path | str, run_b: Path | str, *, seed: int = 0) -> list[Comparison]:
    """Every metric that both runs have, second against first.

    A run is a folder (its files `verdicts*.jsonl` at any depth are matched by relative path) or
    one file of verdicts as `score --out` writes it. Raises UserError when nothing matches.
    """
    left, right = _metrics(Path(run_a)), _metrics(Path(run_b))
    single = len(left) == len(right) == 1 and Path(run_a).is_file() and Path(run_b).is_file()
    if single:
        name = Path(run_b).name
        left, right = {name: next(iter(left.values()))}, {name: next(iter(right.values()))}
    shared = [name for name in left if name in right]
    if not shared:
        raise UserError(
            f"{run_a} and {run_b} have no metric in common (files {PATTERN}: "
            f"{', '.join(left) or 'none'} and {', '.join(right) or 'none'})"
        )
    return [_compared(name, left[name], right[name], seed) for name in shared]


def compare_command(run_a: Path | str, run_b: Path | str, *, seed: int = 0) -> dict[str, Any]:
    """The command `compare`: a line a metric on standard error, the summary back. `exit_status`
    is 4 when a metric fell significantly, else 0."""
    found = compare(run_a, run_b, seed=seed)
    for comparison in found:
        print(comparison.line(), file=sys.stderr)
    worse = [c.metric for c in found if c.worse]
    return {
        "metrics": len(found),
        "worse": worse,
        "better": [c.metric for c in found if c.better],
        "comparisons": [c.row() for c in found],
        "exit_status": 4 if worse else 0,
    }


def _compared(name: str, a: Mapping[str, float], b: Mapping[str, float], seed: int) -> Comparison:
    tasks = [task for task in a if task in b]
    if not tasks:
        raise UserError(f"{name}: the two runs have no task in common")
    return Comparison(
        name,
        len(tasks),
        sum(a[t] for t in tasks) / len(tasks),
        sum(b[t] for t in tasks) / len(tasks),
        paired_difference(a, b, seed),
        mcnemar(a, b),
    )


def _metrics(run: Path) -> dict[str, dict[str, float]]:
    if run.is_file():
        return {run.name: task_rates(read_verdicts(run))}
    if not run.is_dir():
        raise UserError(f"{run}: no such run or file")
    found = {}
    for path in sorted(run.rglob(PATTERN)):
        name = str(path.relative_to(run).with_suffix(""))
        found[name] = task_rates(read_verdicts(path))
    return found


def read_verdicts(path: Path | str) -> list[Verdict]:
    """Verdicts from a file that `score --out` or a notebook wrote. Raises UserError with file and
    line."""
    verdicts, known = [], {f.name for f in fields(Verdict)}
    for number, row in enumerate(read_jsonl(path), 1):
        try:
            verdicts.append(from_row(Verdict, {k: v for k, v in row.items() if k in known}))
        except ValueError as error:
            raise UserError(f"{path}:{number}: not a verdict ({error})") from None
    if not verdicts:
        raise UserError(f"{path}: no verdicts in the file")
    return verdicts
