"""What every benchmark has in common: tasks, answers, the interface, and the registry."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Completion, Verdict
from semcoder_lib.evaluation.calls import Ledger, calibrated
from semcoder_lib.evaluation.scoring import Preflight, preflight, require
from semcoder_lib.models.extraction import Answer
from semcoder_lib.models.prompts import Prompt

_CHEATED = 40
SCORERS = ("strict", "official")
REASONINGS = ("direct", "monologue", "cot", "completion")


class Missing(UserError):
    """The benchmark's data are nowhere to be found; the message says where was looked."""


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


@dataclass(frozen=True, slots=True)
class Probe:
    """A known solution for the preflight: kind `reference`, `empty`, `cheat` or `constant`."""

    kind: str
    name: str
    sample: Sample


@dataclass(slots=True)
class Benchmark(ABC):
    """Load, prompt, extract, score. Subclasses say how; see `benchmarks.get`.

    `home` names where the data live publicly; `files` are the names looked for.
    """

    name: str
    home: str = ""
    files: tuple[str, ...] = ()
    prompts: dict[str, Callable[[Task], Prompt]] = field(default_factory=dict)

    @abstractmethod
    def load(self, path: Path | str | None = None) -> list[Task]:
        """The tasks, in the benchmark's order. Raises `Missing` where the data are not found and
        UserError (file and line) where they are not this benchmark's."""

    @abstractmethod
    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """What the model reads for `task`. `style` is `clean`, `faithful`, or the name of a variant
        registered with `add_prompt`."""

    @abstractmethod
    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The answer in a completion (with or without its prompt). Never raises on any text."""

    @abstractmethod
    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str,
        box: Any,
        ledger: Ledger | None = None,
    ) -> list[Verdict]:
        """One verdict for each sample, in order. `box` is a `sandbox.Sandbox`; runs that `ledger`
        knows are not made again."""

    @abstractmethod
    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """Known solutions for the preflight: references, empty answers, cheats, constants."""

    @property
    def code(self) -> bool:
        """Whether samples are programs (`solution`, `completion`) rather than answers."""
        return True

    @property
    def keeps_preflight(self) -> bool:
        """Whether the command may use a stored preflight of the same code, data and machine."""
        return False

    def extra(self, tasks: Sequence[Task], verdicts: Sequence[Verdict]) -> dict[str, Any]:
        """What the benchmark adds to the summary of a score."""
        return {}

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Tasks whose reference this scorer cannot pass, each with the reason."""
        return {}

    def preflight(
        self, tasks: Sequence[Task], *, scorer: str = "strict", box: Any
    ) -> dict[str, Any]:
        """Judge known solutions of `tasks` and return the report as JSON data. Raises
        PreflightFailed (exit status 3) when they do not get their known verdicts."""
        result = self.check(tasks, scorer=scorer, box=box)
        require(result)
        return result.row()

    def check(
        self,
        tasks: Sequence[Task],
        *,
        scorer: str = "strict",
        box: Any,
        ledger: Ledger | None = None,
    ) -> Preflight:
        """The same without raising. Sets the time limit of `ledger` by the reference solutions."""
        ledger = ledger or Ledger()
        probes = self.probes(tasks)
        if scorer == "official":  # cheats pass there by design; a few show it
            few = {task.task_id for task in tasks[:_CHEATED]}
            probes = [p for p in probes if p.kind != "cheat" or p.sample.task_id in few]
        samples = [p.sample for p in probes]
        verdicts = self.judge(tasks, samples, scorer=scorer, box=box, ledger=ledger)
        pairs = zip(probes, verdicts, strict=True)
        ledger.seconds = calibrated(v.cpu_seconds for p, v in pairs if p.kind == "reference")
        told = [(p.kind, p.name, v) for p, v in zip(probes, verdicts, strict=True)]
        return preflight(self.name, scorer, told, self.errata(tasks, scorer))

    @abstractmethod
    def perturb(self, task: Task, name: str, *, seed: int = 0) -> Task:
        """The task with its program perturbed (see `perturb`); its answers stay the same. Raises
        UserError for an unknown name."""

    def add_prompt(self, name: str, render: Callable[[Task], Prompt]) -> None:
        """Register a prompt variant, used with `prompt(task, style=name)`."""
        if name in ("clean", "faithful"):
            raise UserError(f"prompt variant {name!r}: the name is taken")
        self.prompts[name] = render

    def score(
        self,
        tasks: Sequence[Task],
        completions: Iterable[Completion],
        *,
        scorer: str = "strict",
        box: Any,
    ) -> list[Verdict]:
        """Extract and judge, one verdict a completion, in order. The official scorer uses the
        authors' extraction, the strict one ours. Raises UserError for an unknown task id."""
        known = {task.task_id: task for task in tasks}
        style = "faithful" if scorer == "official" else "clean"
        samples = []
        for completion in completions:
            task = known.get(completion.task_id)
            if task is None:
                raise UserError(f"{self.name} has no task {completion.task_id!r}")
            answer = self.extract(task, completion.text, style=style)
            samples.append(Sample(completion.task_id, completion.index, answer))
        return self.judge(tasks, samples, scorer=scorer, box=box)


def with_data(task: Task, **changes: Any) -> Task:
    """The task with some of its data replaced."""
    return dataclasses.replace(task, data={**task.data, **changes})


def check_scorer(scorer: str) -> None:
    """Raises UserError unless `scorer` is one of `SCORERS`."""
    if scorer not in SCORERS:
        raise UserError(f"scorer {scorer!r}: choose from {', '.join(SCORERS)}")


_registry: dict[str, Benchmark] = {}


def register(benchmark: Benchmark) -> Benchmark:
    """Make a benchmark (a new task of your own, too) known to `get` and to the `score` command."""
    _registry[benchmark.name] = benchmark
    return benchmark


def get(name: str) -> Benchmark:
    """The benchmark of that name. Raises UserError that lists the names."""
    try:
        return _registry[name]
    except KeyError:
        raise UserError(f"benchmark {name!r}: choose from {', '.join(_registry)}") from None


def names() -> tuple[str, ...]:
    """The registered benchmarks' names."""
    return tuple(_registry)
