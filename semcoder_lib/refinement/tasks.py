"""What is refined: a problem, its visible examples, its hidden tests, and who judges."""

from __future__ import annotations

import doctest
import functools
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from semcoder_lib import evaluation
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Entry, Fault, Status
from semcoder_lib.evaluation import Answer, Benchmark, Sample, Task
from semcoder_lib.evaluation.codegen import mbpp_text
from semcoder_lib.faults import from_assertions, literal_test
from semcoder_lib.faults.evidence import sound
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox

PLUS_CHECKS = 100  # of a task's plus inputs may be fed back by `oracle`; the verdict uses all
LARGEST_INPUT = 2_000  # characters of a hidden call that may be fed back
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=8.0, memory_mb=1024, output_bytes=50_000)

Judge = Callable[[Sequence[tuple[str, str]], Sandbox], list[bool]]
"""For each `(task id, program)` whether it passes the hidden tests."""


@dataclass(frozen=True)
class RefinementTask:
    """One task of a refinement run.

    `problem` is what the refining prompt shows, `start` the prompt of the first solution (None
    where `initial` gives it), `extract` takes a program out of a first completion. `public` is
    what the problem shows; `hidden` is what only `oracle` may look at. A solution is right when the
    `judge` says so, or, without one, when it passes all hidden cases.
    """

    id: str
    problem: str
    entry_point: str
    public: tuple[Case, ...] = ()
    hidden: tuple[Case, ...] = ()
    judge: Judge | None = None
    start: Prompt | None = None
    initial: str | None = None
    extract: Callable[[str], str | None] = str
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What a program did on a list of cases: the outcomes in order, and which passed."""

    outcomes: tuple[Outcome, ...]
    passed: tuple[bool, ...]

    @property
    def first_failure(self) -> int | None:
        return self.passed.index(False) if False in self.passed else None


def run_checks(
    programs: Sequence[tuple[str, str, Sequence[Case], float]], box: Sandbox
) -> list[Checked]:
    """Runs each `(source, entry_point, cases, absolute tolerance)`. The programs never see an
    expected value: values come back and are compared here, as Python's `==` would, floats with the
    benchmark's tolerance. Raises InfrastructureError when the sandbox could not run one: that is no
    verdict."""
    results = box.map(
        Job(source, name, calls=[c.arguments for c in cases], limits=LIMITS, share=True, give_up=2)
        for source, name, cases, _ in programs
        if cases
    )
    checked = []
    for _, _, cases, tolerance in programs:
        outcomes = tuple(sound(next(results))) if cases else ()
        near = {"rel_tol": 1e-7 if tolerance else 0.0, "abs_tol": tolerance}
        passed = tuple(
            o.status is Status.OK and values.equal(o.value, c.output, **near)
            for o, c in zip(outcomes, cases, strict=True)
        )
        checked.append(Checked(outcomes, passed))
    return checked


# --- benchmarks -----------------------------------------------------------------------------------


def from_benchmark(
    name: str,
    box: Sandbox,
    *,
    limit: int = 0,
    seed: int = 0,
    style: str = "clean",
    reasoning: str = "direct",
) -> list[RefinementTask]:
    """The tasks of `humaneval`, `humaneval+`, `mbpp` or `mbpp+`, at most `limit` of them, drawn by
    `seed`. Expected values of hidden inputs come from running the reference solution;
    `reasoning="completion"` asks for the first solution with the bare problem, as models need that
    were never tuned. Raises `evaluation.Missing` where the data are not there."""
    benchmark = evaluation.get(name)
    tasks = benchmark.load()

    def judge(solutions: Sequence[tuple[str, str]], box: Sandbox) -> list[bool]:
        samples = [Sample(i, n, Answer(text)) for n, (i, text) in enumerate(solutions)]
        return [verdict.passed for verdict in benchmark.judge(tasks, samples, box=box)]

    if limit and limit < len(tasks):
        places = random.Random(f"{seed}:refinement").sample(range(len(tasks)), limit)
        tasks = [tasks[i] for i in sorted(places)]
    refined = []
    for task, hidden in zip(tasks, _hidden(tasks, box), strict=True):
        entry_point = str(task.data["entry_point"])
        if name.startswith("mbpp"):
            words, shown = mbpp_text(task)
            problem = f"{words}\n{shown}"
            public = [case for called, case in from_assertions(shown) if called == entry_point]
        else:
            problem = str(task.data["prompt"]).strip()
            public = from_docstring(problem, entry_point)
        refined.append(
            RefinementTask(
                task.task_id, problem, entry_point, tuple(public), hidden, judge,
                benchmark.prompt(task, style=style, reasoning=reasoning),
                extract=functools.partial(_extracted, benchmark, task, style),
                tolerance=float(task.data.get("atol") or 0.0),
            )
        )  # fmt: skip
    return refined


def _extracted(benchmark: Benchmark, task: Task, style: str, text: str) -> str | None:
    return benchmark.extract(task, text, style=style).text


def from_docstring(text: str, entry_point: str) -> list[Case]:
    """The examples in a problem's words: doctests (`>>> f(1)`, then the value) and lines such as
    `f(1) == 2` or `f(1) => 2`. What is no literal is left out."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        examples = []
    pairs = [(e.source.strip(), e.want.strip()) for e in examples]
    arrow = re.compile(
        rf"\s*(?:>>>\s*)?({re.escape(entry_point)}\(.*\))\s*(?:==|=>|->|➞|→|=|returns)\s*(.+?)\s*$"
    )
    pairs += [(m[1], m[2].rstrip(".")) for m in map(arrow.match, text.splitlines()) if m]
    tests = [test for test in (literal_test(*pair) for pair in pairs) if test is not None]
    cases = [case for name, case in tests if name == entry_point]
    return [case for n, case in enumerate(cases) if case not in cases[:n]]


def _hidden(tasks: Sequence[Task], box: Sandbox) -> list[tuple[Case, ...]]:
    """Hidden calls with the values that the reference solution gives; inputs on which it fails, or
    whose values have no text, are left out."""
    programs = []
    for task in tasks:
        name, reference = str(task.data["entry_point"]), str(task.data["canonical_solution"])
        if f"def {name}" not in reference:
            reference = str(task.data["prompt"]) + reference
        calls = [*_calls(task, "base"), *_calls(task, "plus")[:PLUS_CHECKS]]
        programs.append((reference, name, calls, 0.0))
    hidden = []
    for task, program, checked in zip(tasks, programs, run_checks(programs, box), strict=True):
        cases = [
            replace(case, output=outcome.value)
            for case, outcome in zip(program[2], checked.outcomes, strict=True)
            if outcome.status is Status.OK
        ]
        if not cases and "test" in task.data:
            tests = from_assertions(str(task.data["test"]))
            cases = [case for called, case in tests if called == "candidate"]
        hidden.append(tuple(cases))
    return hidden


def _calls(task: Task, group: str) -> list[Case]:
    """A task's `base` or `plus` inputs that are small enough, their values still to be found."""
    rows = task.data.get(f"{group}_input")
    calls = []
    for row in rows if isinstance(rows, list) else []:
        try:
            if len(values.encode(tuple(row))) <= LARGEST_INPUT:
                calls.append(Case(tuple(row)))
        except (values.Unserializable, TypeError):
            continue
    return calls


def from_faults(faults: Iterable[Fault], entries: Iterable[Entry]) -> list[RefinementTask]:
    """Repair of given faults: the first solution is the buggy program, the visible example its
    failing test, the hidden tests this one and all cases of its entry."""
    cases_of = {e.program.id: e.cases for e in entries}
    return [
        RefinementTask(
            f.id, f.description, f.entry_point, (f.case,), (f.case, *cases_of[f.program_id]),
            initial=f.buggy, tolerance=1e-9,
        )
        for f in faults
        if f.program_id in cases_of
    ]  # fmt: skip
