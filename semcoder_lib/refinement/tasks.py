"""What is refined: a problem, its visible examples, its hidden tests, and who judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import values
from semcoder_lib.core.records import Entry, Fault, Status
from semcoder_lib.evaluation import Answer, Benchmark, Sample, Task
from semcoder_lib.evaluation.codegen import mbpp_text
from semcoder_lib.faults import task_description
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.checks import (
    Check,
    from_assertions,
    from_docstring,
    run_checks,
)
from semcoder_lib.sandbox import Sandbox


class Judge(Protocol):
    """Says which solutions are right, by the hidden tests."""

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of its verdicts."""

    def judge(self, solutions: Sequence[tuple[str, str]], box: Sandbox) -> list[dict[str, bool]]:
        """For each `(task id, program)` whether it passes, by measure (`base`, `plus`)."""


@dataclass(frozen=True)
class RefinementTask:
    """One task of a refinement run.

    `problem` is what the refining prompt shows, `start` the prompt of the first solution (None
    where `initial` gives it), `extract` takes a program out of a first completion. `public` is
    what the problem shows; `hidden` is what only `oracle` may look at, base before plus. `kind` is
    the task's kind of fault where it is known (an operator), for the atlas.
    """

    id: str
    benchmark: str
    problem: str
    entry_point: str
    judge: Judge
    public: tuple[Check, ...] = ()
    hidden: tuple[Check, ...] = ()
    start: Prompt | None = None
    initial: str | None = None
    extract: Callable[[str], str | None] = field(default=lambda text: text)
    tolerance: float = 0.0
    kind: str = ""


@dataclass
class BenchmarkJudge:
    """HumanEval(+) and MBPP(+), judged as everywhere else in this project (`strict`)."""

    parts: dict[str, tuple[Benchmark, list[Task]]]
    scorer: str = "strict"

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(self.parts)

    def judge(self, solutions: Sequence[tuple[str, str]], box: Sandbox) -> list[dict[str, bool]]:
        """See `Judge`. An empty program fails everything."""
        found: list[dict[str, bool]] = [{} for _ in solutions]
        for measure, (benchmark, tasks) in self.parts.items():
            samples = [
                Sample(i, n, Answer(text) if text.strip() else Answer(None, Status.NO_ANSWER))
                for n, (i, text) in enumerate(solutions)
            ]
            verdicts = benchmark.judge(tasks, samples, scorer=self.scorer, box=box)
            for row, verdict in zip(found, verdicts, strict=True):
                row[measure] = verdict.passed
        return found


@dataclass
class CaseJudge:
    """Held-out PyX: all cases of the entry."""

    cases: dict[str, tuple[str, tuple[Check, ...]]]
    measures: tuple[str, ...] = ("base",)

    def judge(self, solutions: Sequence[tuple[str, str]], box: Sandbox) -> list[dict[str, bool]]:
        """See `Judge`."""
        programs = [(source, *self.cases[task], 1e-9) for task, source in solutions]
        return [{"base": all(seen.passed)} for seen in run_checks(programs, box)]


def from_benchmark(
    name: str,
    box: Sandbox,
    *,
    path: Any = None,
    limit: int = 0,
    seed: int = 0,
    style: str = "clean",
    reasoning: str = "direct",
    scorer: str = "strict",
    plus_checks: int = 100,
) -> list[RefinementTask]:
    """The tasks of `humaneval`, `humaneval+`, `mbpp` or `mbpp+` (a `+` is judged by both its base
    and its plus tests), at most `limit` of them, drawn by `seed`. Expected values of hidden inputs
    come from running the reference solution; `reasoning="completion"` asks for the first solution
    with the bare problem, as models need that were never tuned. Of the plus inputs the first
    `plus_checks` of a task may be fed back by `oracle` (the verdict uses all). Raises
    `benchmarks.Missing` where the data are not there."""
    main = benchmarks.get(name)
    tasks = main.load(path)
    parts = {"plus": (main, tasks)} if name.endswith("+") else {"base": (main, tasks)}
    if name.endswith("+"):
        base = benchmarks.get(name.rstrip("+"))
        known = {t.task_id for t in tasks}
        parts = {"base": (base, [t for t in base.load(None) if t.task_id in known]), **parts}
    chosen = _slice(tasks, limit, seed)
    judge = BenchmarkJudge(parts, scorer)
    hidden = _hidden(chosen, box, plus_checks)
    return [
        _task(main, task, judge, checks, style, reasoning)
        for task, checks in zip(chosen, hidden, strict=True)
    ]


def _slice(tasks: list[Task], limit: int, seed: int) -> list[Task]:
    import random

    if not limit or limit >= len(tasks):
        return tasks
    places = random.Random(f"{seed}:refinement").sample(range(len(tasks)), limit)
    return [tasks[i] for i in sorted(places)]


def _task(
    benchmark: Benchmark,
    task: Task,
    judge: Judge,
    hidden: tuple[Check, ...],
    style: str,
    reasoning: str,
) -> RefinementTask:
    data = task.data
    name = str(data["entry_point"])
    if benchmark.name.startswith("mbpp"):
        words, shown = mbpp_text(task)
        problem, public = f"{words}\n{shown}", from_assertions(shown, [name], "public")
    else:
        problem = str(data["prompt"]).strip()
        public = from_docstring(problem, name)

    def extract(text: str) -> str | None:
        return benchmark.extract(task, text, style=style).text

    return RefinementTask(
        task.task_id,
        benchmark.name,
        problem,
        name,
        judge,
        tuple(public),
        hidden,
        benchmark.prompt(task, style=style, reasoning=reasoning),
        extract=extract,
        tolerance=float(data.get("atol") or 0.0),
    )


def _hidden(tasks: Sequence[Task], box: Sandbox, plus_checks: int) -> list[tuple[Check, ...]]:
    """Hidden calls with the values that the reference solution gives; inputs on which it fails, or
    whose values have no text, are left out."""
    inputs = [_inputs(task) for task in tasks]
    programs = []
    for task, (base, plus) in zip(tasks, inputs, strict=True):
        calls = [Check(a, None, "base") for a in base] + [
            Check(a, None, "plus") for a in plus[:plus_checks]
        ]
        data = task.data
        reference = str(data["canonical_solution"])
        if f"def {data['entry_point']}" not in reference:
            reference = str(data["prompt"]) + reference
        programs.append((reference, str(data["entry_point"]), calls, 0.0))
    found = []
    for task, program, seen in zip(tasks, programs, run_checks(programs, box), strict=True):
        checks = [
            replace(check, expected=outcome.value)
            for check, outcome in zip(program[2], seen.outcomes, strict=True)
            if outcome.status is Status.OK
        ]
        if not checks and "test" in task.data:
            checks = from_assertions(str(task.data["test"]), ["candidate"], "base")
        found.append(tuple(checks))
    return found


LARGEST_INPUT = 2_000


def _inputs(task: Task) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    groups = []
    for key in ("base_input", "plus_input"):
        rows = task.data.get(key)
        kept = []
        for row in rows if isinstance(rows, list) else []:
            try:
                if len(values.encode(tuple(row))) <= LARGEST_INPUT:
                    kept.append(tuple(row))
            except (values.Unserializable, TypeError):
                continue
        groups.append(kept)
    return groups[0], groups[1]


def from_entries(entries: Iterable[Entry], *, public: int = 1) -> list[RefinementTask]:
    """Held-out PyX: the first `public` cases are the visible examples, the rest are hidden. Entries
    without a description, or with too few cases, are left out."""
    kept = [e for e in entries if e.program.description and len(e.cases) > public]
    judge = CaseJudge({e.program.id: (e.program.entry_point, _checks(e, "base")) for e in kept})
    tasks = []
    for entry in kept:
        program, checks = entry.program, _checks(entry, "base")
        name = program.entry_point
        shown = tuple(replace(c, group="public") for c in checks[:public])
        described = task_description(program)
        examples = "\n".join(
            f"assert {values.show_call(name, c.arguments)} == {values.encode(c.expected)}"
            for c in shown
        )
        problem = f"{described}\n{examples}"
        tasks.append(
            RefinementTask(
                program.id,
                "pyx",
                problem,
                name,
                judge,
                shown,
                checks,
                prompts.nl_to_code(problem),
                extract=_extractor(name),
                tolerance=1e-9,
            )
        )
    return tasks


def from_faults(faults: Iterable[Fault], entries: Iterable[Entry]) -> list[RefinementTask]:
    """Repair of given faults: the first solution is the buggy program, the visible example its
    failing test, the hidden tests all cases of its entry."""
    known = {e.program.id: e for e in entries}
    kept = [f for f in faults if f.program_id in known]
    cases: dict[str, tuple[str, tuple[Check, ...]]] = {}
    tasks = []
    judge = CaseJudge(cases)
    for fault in kept:
        shown = Check(fault.case.arguments, fault.case.output, "public")
        hidden = (shown, *_checks(known[fault.program_id], "base"))
        cases[fault.id] = (fault.entry_point, hidden)
        tasks.append(
            RefinementTask(
                fault.id,
                "pyx-r",
                fault.description,
                fault.entry_point,
                judge,
                (shown,),
                hidden,
                initial=fault.buggy,
                extract=_extractor(fault.entry_point),
                tolerance=1e-9,
                kind=fault.operator,
            )
        )
    return tasks


def _extractor(name: str) -> Callable[[str], str | None]:
    def extract(text: str) -> str | None:
        return clean_code(text, name).text

    return extract


def _checks(entry: Entry, group: str) -> tuple[Check, ...]:
    return tuple(Check(c.arguments, c.output, group) for c in entry.cases)
