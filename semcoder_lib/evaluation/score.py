"""Scores with their intervals: `evaluate` asks any function, the command `score` reads a file of
samples. Known solutions are judged first."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UsageError, UserError
from semcoder_lib.core.progress import say
from semcoder_lib.core.records import Completion, Status, Verdict
from semcoder_lib.core.workspace import write_jsonl
from semcoder_lib.evaluation import base
from semcoder_lib.evaluation.base import Benchmark
from semcoder_lib.evaluation.samples import as_judged, read_samples
from semcoder_lib.evaluation.scoring import Interval, mean_interval, statuses, task_rates
from semcoder_lib.models.tokens import cut
from semcoder_lib.sandbox import Sandbox

_TWO_WAY = ("cruxeval", "pyx")
_INFRASTRUCTURE_SHARE = 0.01  # above this a score says more about the machine than about answers
_SHOWN = 50


def score_command(
    benchmark: str,
    samples_path: Path | str,
    *,
    scorer: str = "strict",
    mode: str | None = None,
    data: Path | str | None = None,
    out: Path | str | None = None,
    box: Sandbox | None = None,
) -> dict[str, Any]:
    """Score a file of samples; returns the command's last line.

    `n` counts samples; `pass@1` is the mean over tasks of the unbiased estimate over their counted
    samples, `interval` its 95 % bootstrap interval over tasks; `statuses` counts all samples.
    `other_scorer` gives the second scorer's number and where the two differ. Progress and reasons
    go to standard error; `out` is written whole or not at all. Raises UserError for wrong input,
    UsageError for a missing mode, PreflightFailed when the scorer fails its known solutions.
    """
    base.check_scorer(scorer)
    suite = resolve(benchmark, mode)
    tasks = suite.load(data)
    rows = read_samples(samples_path, [task.task_id for task in tasks], suite)
    if out is not None and Path(out).is_dir():
        raise UserError(f"{out}: is a folder; give a file name")
    other = "official" if scorer == "strict" else "strict"
    samples = {s: as_judged(suite, tasks, rows, base.style_of(s)) for s in (scorer, other)}
    ledger = base.Ledger()
    with contextlib.nullcontext(box) if box else Sandbox() as sandbox:
        report = suite.preflight(tasks, scorer=scorer, box=sandbox, ledger=ledger)
        worst = max(report["cheats"].values(), default=0.0)
        say(
            f"preflight: references {report['reference']:.2%}, empty {report['empty']:.2%}, worst "
            f"cheat {worst:.2%}, best constant {report['constant_rate']:.2%} "
            f"({report['constant'] or 'none'}), {len(report['errata'])} errata"
        )
        verdicts, second = (
            suite.judge(tasks, samples[s], scorer=s, box=sandbox, ledger=ledger)
            for s in (scorer, other)
        )
        layers = list(sandbox.layers)
    failed = [v for v in verdicts if v.status is Status.INFRASTRUCTURE]
    if len(failed) > _INFRASTRUCTURE_SHARE * len(verdicts):
        raise InfrastructureError(
            f"{len(failed)} of {len(verdicts)} samples could not be run, first "
            f"{failed[0].task_id} ({failed[0].detail}); nothing was scored"
        )
    if out is not None:
        write_jsonl(out, (_row(v, scorer) for v in verdicts))
    answered = len({v.task_id for v in verdicts})
    if answered < len(tasks):
        say(f"samples for {answered} of {len(tasks)} tasks; the score is over those")
    return {
        "benchmark": benchmark,
        "scorer": scorer,
        "mode": getattr(suite, "direction", None),
        **_summary(verdicts),
        "tasks_without_samples": len(tasks) - answered,
        **suite.extra(tasks, verdicts),
        "other_scorer": _difference(other, verdicts, second),
        "layers": layers,
        "preflight": report,
    }


@dataclass(frozen=True)
class Evaluation:
    """A score over tasks with its 95 % interval, as fractions, and where it came from."""

    benchmark: str
    scorer: str
    score: Interval
    completions: list[Completion]
    verdicts: list[Verdict]

    @property
    def statuses(self) -> dict[str, int]:
        """How many verdicts have which status."""
        return statuses(self.verdicts)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.statuses.items())
        s = self.score
        interval = f"{s.value:.1%} [{s.low:.1%}, {s.high:.1%}] of {s.n} tasks"
        return f"{self.benchmark}, {self.scorer} scorer: {interval} ({counts})"


def evaluate(
    benchmark: str,
    function: Callable[[str], str],
    *,
    limit: int = 0,
    style: str = "clean",
    reasoning: str = "direct",
    shots: int = 0,
    scorer: str = "strict",
    data: Path | str | None = None,
    box: Sandbox | None = None,
) -> Evaluation:
    """Ask `function` about every task (or the first `limit`) of a benchmark and score its answers:

        print(evaluate("cruxeval-o", my_function, shots=2))

    `function` gets the prompt and returns what follows it, with or without a stop string at its
    end; what it raises ends the evaluation. `style`, `reasoning` and `shots` are those of
    `Benchmark.prompt`; a model that was never tuned on this project's prompts does better with
    `shots=2`. Known solutions are judged first, as before every score. Raises UserError for an
    unknown benchmark, `Missing` where its data are not there, PreflightFailed.
    """
    suite = base.get(benchmark)
    tasks = suite.load(data)[: limit or None]
    completions = []
    for task in tasks:
        prompt = suite.prompt(task, style=style, reasoning=reasoning, shots=shots)
        text = function(prompt.text)
        if not isinstance(text, str):
            returned = type(text).__name__
            raise UserError(f"{task.task_id}: the function returned {returned}, not text")
        # an answer that the prompt began is read with its beginning; a program is put together
        # with the code of its prompt by the extraction
        begun = "" if suite.code else prompt.prefill
        whole = begun + cut(text, prompt.stop)[0]
        completions.append(Completion(task.task_id, whole, prompt=prompt.text))
    with contextlib.nullcontext(box) if box else Sandbox() as sandbox:
        suite.preflight(tasks, scorer=scorer, box=sandbox)
        verdicts = suite.score(tasks, completions, scorer=scorer, box=sandbox)
    score = mean_interval(list(task_rates(verdicts).values()))
    return Evaluation(benchmark, scorer, score, completions, verdicts)


def resolve(name: str, mode: str | None) -> Benchmark:
    """The benchmark of a command line. Raises UsageError for a missing or contradicting mode."""
    if name in _TWO_WAY:
        if mode is None:
            raise UsageError(f"score {name} needs --mode input or --mode output")
        return base.get(f"{name}-{mode[0]}")
    suite = base.get(name)
    direction = getattr(suite, "direction", None)
    if mode is not None and direction is not None and mode != direction:
        raise UsageError(f"{name} is about the {direction}; --mode {mode} contradicts it")
    return suite


def _summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The numbers of a score."""
    rates = task_rates(verdicts)
    interval = mean_interval(list(rates.values()))
    least = min(Counter(v.task_id for v in verdicts if v.counted).values())
    return {
        "n": len(verdicts),
        "tasks": len(rates),
        "counted": sum(v.counted for v in verdicts),
        "pass@1": interval.value,
        "interval": [interval.low, interval.high],
        **{f"pass@{k}": _mean(task_rates(verdicts, k)) for k in (5, 10, 100) if least >= k},
        "statuses": statuses(verdicts),
    }


def _difference(other: str, first: Sequence[Verdict], second: Sequence[Verdict]) -> dict[str, Any]:
    value = _mean(task_rates(second))
    differing = [(a, b) for a, b in zip(first, second, strict=True) if a.passed != b.passed]
    say(f"the {other} scorer gives {value:.2%}; {len(differing)} verdicts differ")
    for a, b in differing:
        why = f" ({a.detail or b.detail})" if a.detail or b.detail else ""
        say(f"  {a.task_id} [{a.index}]: {a.status.value} here, {b.status.value} there{why}")
    items = [[a.task_id, a.index, a.status.value, b.status.value] for a, b in differing[:_SHOWN]]
    return {"scorer": other, "pass@1": value, "differing": len(differing), "items": items}


def _row(verdict: Verdict, scorer: str) -> dict[str, Any]:
    return {
        "task_id": verdict.task_id,
        "index": verdict.index,
        "passed": verdict.passed,
        "status": verdict.status.value,
        "trust": verdict.trust.value,
        **({"detail": verdict.detail} if verdict.detail else {}),
        **({"counted": verdict.counted} if scorer == "official" else {}),
    }


def _mean(rates: dict[str, float]) -> float:
    return sum(rates.values()) / len(rates)
