"""The command `score`: a samples file in; verdicts, a score with its interval, and the preflight
out (the contract is in section 5.1 of the design)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UsageError, UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.core.workspace import write_jsonl
from semcoder_lib.evaluation import base, scoring
from semcoder_lib.evaluation.base import Answer, Benchmark, Sample, Task
from semcoder_lib.evaluation.calls import Ledger
from semcoder_lib.evaluation.kept import checked
from semcoder_lib.evaluation.samples import ANSWER_COLUMNS, CODE_COLUMNS, Row, read_samples

_TWO_WAY = {"cruxeval": "cruxeval", "pyx": "pyx"}
_INFRASTRUCTURE_SHARE = 0.01  # above this a score says more about the machine than about answers


def score_command(
    benchmark: str,
    samples_path: Path | str,
    *,
    scorer: str = "strict",
    mode: str | None = None,
    data: Path | str | None = None,
    out: Path | str | None = None,
    repeats: int = 1,
    box: Any = None,
) -> dict[str, Any]:
    """Score a file of samples; returns the command's last line.

    `n` counts samples; `pass@1` is the mean over tasks of the unbiased estimate over their counted
    samples, `interval` its 95 % bootstrap interval over tasks; `statuses` counts all samples.
    `other_scorer` gives the second scorer's number and where the two differ. With `repeats` above
    one every sample is run that often, and `stability` says how many verdicts were not the same
    each time; the first one counts. Progress and reasons
    go to standard error; `out` is written whole or not at all. Raises UserError for wrong input,
    UsageError for a missing mode, PreflightFailed when the scorer fails its known solutions.
    """
    base.check_scorer(scorer)
    if repeats < 1:
        raise UsageError(f"--repeats {repeats}: must be 1 or more")
    found = resolve(benchmark, mode)
    tasks = found.load(data)
    columns = CODE_COLUMNS if found.code else ANSWER_COLUMNS
    rows = read_samples(samples_path, {task.task_id for task in tasks}, columns, found.name)
    if out is not None and Path(out).is_dir():
        raise UserError(f"{out}: is a folder; give a file name")
    with _opened(box) as sandbox:
        ledger = Ledger()
        report = checked(found, tasks, scorer, sandbox, ledger)
        _say(report.lines())
        scoring.require(report)
        verdicts = _judged(found, tasks, rows, scorer, sandbox, ledger)
        other = "official" if scorer == "strict" else "strict"
        second = _judged(found, tasks, rows, other, sandbox, ledger)
        again = [
            _judged(found, tasks, rows, scorer, sandbox, Ledger(ledger.seconds))
            for _ in range(repeats - 1)
        ]
        layers = list(sandbox.layers)
    result = _summary(benchmark, found, tasks, scorer, verdicts)
    result["mode"] = getattr(found, "direction", None)
    result["other_scorer"] = _difference(other, verdicts, second)
    if again:
        result["stability"] = _stability([verdicts, *again])
    result["layers"] = layers
    result["preflight"] = report.row()
    if out is not None:
        write_jsonl(out, (row_of(v, scorer) for v in verdicts))
    return result


def resolve(name: str, mode: str | None) -> Benchmark:
    """The benchmark of a command line. Raises UsageError for a missing or contradicting mode."""
    stem = _TWO_WAY.get(name)
    if stem is not None:
        if mode is None:
            raise UsageError(f"score {name} needs --mode input or --mode output")
        return base.get(f"{stem}-{mode[0]}")
    found = base.get(name)
    direction = getattr(found, "direction", None)
    if mode is not None and direction is not None and mode != direction:
        raise UsageError(f"{name} is about the {direction}; --mode {mode} contradicts it")
    return found


@contextlib.contextmanager
def _opened(box: Any) -> Iterator[Any]:
    if box is not None:
        yield box
        return
    from semcoder_lib.sandbox import Sandbox

    with Sandbox() as made:
        yield made


def _judged(
    found: Benchmark,
    tasks: Sequence[Task],
    rows: Sequence[Row],
    scorer: str,
    box: Any,
    ledger: Ledger,
) -> list[Verdict]:
    by_id = {task.task_id: task for task in tasks}
    style = "faithful" if scorer == "official" else "clean"
    samples = []
    for row in rows:
        task = by_id[row.task_id]
        samples.append(Sample(row.task_id, row.index, answer_of(found, task, row, style)))
    return found.judge(tasks, samples, scorer=scorer, box=box, ledger=ledger)


def answer_of(found: Benchmark, task: Task, row: Row, style: str) -> Answer:
    """A sample as it is judged: raw text is extracted, a completion put after its prompt."""
    if row.kind == "text":
        return found.extract(task, row.text, style=style)
    text = row.text
    if row.kind == "completion":
        text = task.data["prompt"] + text
    return Answer(text) if row.text.strip() else Answer(None, Status.NO_ANSWER)


def _summary(
    name: str, found: Benchmark, tasks: Sequence[Task], scorer: str, verdicts: Sequence[Verdict]
) -> dict[str, Any]:
    failed = [v for v in verdicts if v.status is Status.INFRASTRUCTURE]
    if len(failed) > _INFRASTRUCTURE_SHARE * len(verdicts):
        raise InfrastructureError(
            f"{len(failed)} of {len(verdicts)} samples could not be run, first "
            f"{failed[0].task_id} ({failed[0].detail}); nothing was scored"
        )
    rates = scoring.task_rates(verdicts)
    interval = scoring.mean_interval(list(rates.values()))
    statuses: dict[str, int] = {}
    for verdict in verdicts:
        statuses[verdict.status.value] = statuses.get(verdict.status.value, 0) + 1
    given = {v.task_id for v in verdicts}
    if len(given) < len(tasks):
        _say([f"samples for {len(given)} of {len(tasks)} tasks; the score is over those"])
    return {
        "benchmark": name,
        "scorer": scorer,
        "n": len(verdicts),
        "tasks": len(rates),
        "tasks_without_samples": len(tasks) - len(given),
        "counted": sum(v.counted for v in verdicts),
        "pass@1": interval.value,
        "interval": [interval.low, interval.high],
        "statuses": dict(sorted(statuses.items())),
        **_more_k(verdicts),
        **found.extra(tasks, verdicts),
    }


def _more_k(verdicts: Sequence[Verdict]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.task_id] = counts.get(verdict.task_id, 0) + verdict.counted
    least = min(counts.values())
    means = {}
    for k in (5, 10, 100):
        if least >= k:
            rates = scoring.task_rates(verdicts, k)
            means[f"pass@{k}"] = sum(rates.values()) / len(rates)
    return means


def _difference(
    other: str, verdicts: Sequence[Verdict], second: Sequence[Verdict]
) -> dict[str, Any]:
    rates = scoring.task_rates(second)
    differing = [(a, b) for a, b in zip(verdicts, second, strict=True) if a.passed != b.passed]
    value = sum(rates.values()) / len(rates)
    lines = [f"the {other} scorer gives {value:.2%}; {len(differing)} verdicts differ"]
    lines += [
        f"  {a.task_id} [{a.index}]: {a.status.value} here, {b.status.value} there"
        + (f" ({a.detail or b.detail})" if a.detail or b.detail else "")
        for a, b in differing
    ]
    _say(lines)
    return {
        "scorer": other,
        "pass@1": value,
        "differing": len(differing),
        "items": [[a.task_id, a.index, a.status.value, b.status.value] for a, b in differing[:50]],
    }


def _stability(repeated: Sequence[Sequence[Verdict]]) -> dict[str, Any]:
    rate = scoring.flip_rate(repeated)
    flipped = [
        [row[0].task_id, row[0].index, *(v.status.value for v in row)]
        for row in zip(*repeated, strict=True)
        if len({v.passed for v in row if v.status is not Status.INFRASTRUCTURE}) > 1
    ]
    _say([f"flip rate over {len(repeated)} repeats: {rate:.3%}"])
    _say([f"  {name} [{index}]: {', then '.join(told)}" for name, index, *told in flipped])
    return {"repeats": len(repeated), "flip_rate": rate, "flipped": flipped[:50]}


def row_of(verdict: Verdict, scorer: str) -> dict[str, Any]:
    """A verdict as `--out` has it."""
    row: dict[str, Any] = {
        "task_id": verdict.task_id,
        "index": verdict.index,
        "passed": verdict.passed,
        "status": verdict.status.value,
        "trust": verdict.trust.value,
    }
    if verdict.detail:
        row["detail"] = verdict.detail
    if scorer == "official":
        row["counted"] = verdict.counted
    return row


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
