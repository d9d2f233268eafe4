"""What is refined: a problem, its visible examples, its hidden tests, and who judges."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semcoder_lib import evaluation
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Entry, Fault, Status
from semcoder_lib.evaluation import Answer, Benchmark, Sample, Task
from semcoder_lib.evaluation.codegen import mbpp_text
from semcoder_lib.faults import task_description
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.checks import (
    Check,
    assertion,
    from_assertions,
    from_docstring,
    run_checks,
)
from semcoder_lib.sandbox import Sandbox

PLUS_CHECKS = (
    100  # of a task's plus inputs, these may be fed back by `oracle`; the verdict uses all
)
LARGEST_INPUT = 2_000  # characters of a hidden call that may be fed back

Judge = Callable[[Sequence[tuple[str, str]], Sandbox], list[dict[str, bool]]]
"""For each `(task id, program)` whether it passes the hidden tests, by measure (`base`, `plus`)."""


@dataclass(frozen=True)
class RefinementTask:
    """One task of a refinement run.

    `problem` is what the refining prompt shows, `start` the prompt of the first solution (None
    where `initial` gives it), `extract` takes a program out of a first completion. `public` is
    what the problem shows; `hidden` is what only `oracle` may look at. A solution is right when the
    `judge` says so, or, without one, when it passes all hidden checks.
    """

    id: str
    problem: str
    entry_point: str
    public: tuple[Check, ...] = ()
    hidden: tuple[Check, ...] = ()
    judge: Judge | None = None
    start: Prompt | None = None
    initial: str | None = None
    extract: Callable[[str], str | None] = str
    tolerance: float = 0.0


def from_benchmark(
    name: str,
    box: Sandbox,
    *,
    path: Path | None = None,
    limit: int = 0,
    seed: int = 0,
    style: str = "clean",
    reasoning: str = "direct",
    scorer: str = "strict",
) -> list[RefinementTask]:
    """The tasks of `humaneval`, `humaneval+`, `mbpp` or `mbpp+` (a `+` is judged by both its base
    and its plus tests), at most `limit` of them, drawn by `seed`. Expected values of hidden inputs
    come from running the reference solution; `reasoning="completion"` asks for the first solution
    with the bare problem, as models need that were never tuned. Raises `evaluation.Missing` where
    the data are not there."""
    main = evaluation.get(name)
    tasks = main.load(path)
    parts = {"base": (main, tasks)}
    if name.endswith("+"):
        base, known = evaluation.get(name.rstrip("+")), {t.task_id for t in tasks}
        parts = {
            "base": (base, [t for t in base.load(None) if t.task_id in known]),
            "plus": (main, tasks),
        }

    def judge(solutions: Sequence[tuple[str, str]], box: Sandbox) -> list[dict[str, bool]]:
        samples = [
            Sample(i, n, Answer(text) if text.strip() else Answer(None, Status.NO_ANSWER))
            for n, (i, text) in enumerate(solutions)
        ]
        verdicts = {
            measure: part.judge(some, samples, scorer=scorer, box=box)
            for measure, (part, some) in parts.items()
        }
        return [{m: v[n].passed for m, v in verdicts.items()} for n in range(len(samples))]

    if limit and limit < len(tasks):
        places = random.Random(f"{seed}:refinement").sample(range(len(tasks)), limit)
        tasks = [tasks[i] for i in sorted(places)]
    made = []
    for task, hidden in zip(tasks, _hidden(tasks, box), strict=True):
        problem, public = _problem(task, mbpp=name.startswith("mbpp"))
        made.append(
            RefinementTask(
                task.task_id, problem, str(task.data["entry_point"]), tuple(public), hidden, judge,
                main.prompt(task, style=style, reasoning=reasoning),
                extract=functools.partial(_extracted, main, task, style),
                tolerance=float(task.data.get("atol") or 0.0),
            )
        )  # fmt: skip
    return made


def _extracted(benchmark: Benchmark, task: Task, style: str, text: str) -> str | None:
    return benchmark.extract(task, text, style=style).text


def _problem(task: Task, *, mbpp: bool) -> tuple[str, list[Check]]:
    """A benchmark's problem in words, and the examples that it shows."""
    name = str(task.data["entry_point"])
    if mbpp:
        words, shown = mbpp_text(task)
        return f"{words}\n{shown}", from_assertions(shown, [name], "public")
    problem = str(task.data["prompt"]).strip()
    return problem, from_docstring(problem, name)


def _hidden(tasks: Sequence[Task], box: Sandbox) -> list[tuple[Check, ...]]:
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
        checks = [
            replace(check, expected=outcome.value)
            for check, outcome in zip(program[2], checked.outcomes, strict=True)
            if outcome.status is Status.OK
        ]
        if not checks and "test" in task.data:
            checks = from_assertions(str(task.data["test"]), ["candidate"], "base")
        hidden.append(tuple(checks))
    return hidden


def _calls(task: Task, group: str) -> list[Check]:
    """A task's `base` or `plus` inputs that are small enough, their values still to be found."""
    rows = task.data.get(f"{group}_input")
    kept = []
    for row in rows if isinstance(rows, list) else []:
        try:
            if len(values.encode(tuple(row))) <= LARGEST_INPUT:
                kept.append(Check(tuple(row), None, group))
        except (values.Unserializable, TypeError):
            continue
    return kept


def from_entries(entries: Iterable[Entry], *, public: int = 1) -> list[RefinementTask]:
    """Held-out PyX: the first `public` cases are the visible examples, all of them the hidden
    tests. Entries without a description, or with too few cases, are left out."""
    tasks = []
    for entry in entries:
        program, name = entry.program, entry.program.entry_point
        if not program.description or len(entry.cases) <= public:
            continue
        shown = _checks(entry.cases[:public], "public")
        examples = "\n".join(assertion(name, check) for check in shown)
        problem = f"{task_description(program)}\n{examples}"
        tasks.append(
            RefinementTask(
                program.id, problem, name, shown, _checks(entry.cases, "base"),
                start=prompts.nl_to_code(problem), extract=functools.partial(_code, name),
                tolerance=1e-9,
            )
        )  # fmt: skip
    return tasks


def from_faults(faults: Iterable[Fault], entries: Iterable[Entry]) -> list[RefinementTask]:
    """Repair of given faults: the first solution is the buggy program, the visible example its
    failing test, the hidden tests this one and all cases of its entry."""
    known = {e.program.id: e for e in entries}
    tasks = []
    for fault in faults:
        if fault.program_id not in known:
            continue
        shown = Check(fault.case.arguments, fault.case.output, "public")
        hidden = (shown, *_checks(known[fault.program_id].cases, "base"))
        tasks.append(
            RefinementTask(
                fault.id, fault.description, fault.entry_point, (shown,), hidden,
                initial=fault.buggy, tolerance=1e-9,
            )
        )  # fmt: skip
    return tasks


def _code(name: str, text: str) -> str | None:
    return clean_code(text, name).text


def _checks(cases: Iterable[Case], group: str) -> tuple[Check, ...]:
    return tuple(Check(c.arguments, c.output, group) for c in cases)
