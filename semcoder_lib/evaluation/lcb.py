"""LiveCodeBench (Jain et al. 2024): code generation (lite) and output prediction, in their hub
formats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation import codegen
from semcoder_lib.evaluation.base import (
    Answer,
    Benchmark,
    Probe,
    Sample,
    Task,
    check_scorer,
    with_data,
)
from semcoder_lib.evaluation.calls import Ledger, cpu_limits
from semcoder_lib.evaluation.execution import Item
from semcoder_lib.evaluation.files import locate, read_rows
from semcoder_lib.evaluation.lcb_tests import decoded, same_output
from semcoder_lib.evaluation.reasoning import ExecutionReasoning
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code, first_block
from semcoder_lib.models.prompts import Prompt

SECONDS = 6.0
_NAMES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools "
    "operator io sys json builtins typing"
)
_MODULES = _NAMES.split()
# LeetCode-style programs expect these names, as they do on the site they were written for. The
# built-in names come after those that hide them: `operator` and `math` have a `pow` of two
# arguments.
PRELUDE = (
    "".join(f"from {name} import *\n" for name in _MODULES)
    + "".join(f"import {name}\n" for name in _MODULES)
    + "sys.setrecursionlimit(50000)\nsys.set_int_max_str_digits(50000)\n"
)
_SCRIPT = """def run(text):
    try:
        exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})
    except SystemExit:  # a script may end this way
        pass
"""
_AT_ONCE = 8  # scripts' tests that are run before one is asked whether it failed


@dataclass(slots=True)
class LcbExecution(ExecutionReasoning):
    """`livecodebench/execution-v2`: predict the output of `input`, a full call of `code`."""

    home: str = "hub livecodebench/execution-v2"
    files: tuple[str, ...] = (
        "lcb_execution-v2.jsonl",
        "execution-v2.jsonl",
        "lcb_execution-v2.parquet",
    )

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`."""
        found = locate(self.name, self.files, self.home, path)
        fields = ("id", "function_name", "code", "input", "output")
        return [Task(str(row["id"]), row) for row in read_rows(found, fields)]

    def item(self, task: Task) -> Item:
        """See `ExecutionReasoning.item`. The prompt shows the program without our imports."""
        data = task.data
        return Item(
            data["code"], data["function_name"], data["input"], data["output"], before=PRELUDE
        )

    def with_program(self, task: Task, source: str, entry_point: str) -> Task:
        """See `ExecutionReasoning.with_program`."""
        data = task.data
        call = entry_point + data["input"].removeprefix(data["function_name"])
        return with_data(task, code=source, function_name=entry_point, input=call)


@dataclass(slots=True)
class LcbLite(Benchmark):
    """`livecodebench/code_generation_lite`: programs that read standard input, or a method
    `Solution.name`. Task data: the release's fields, with both kinds of tests in one list."""

    home: str = "hub livecodebench/code_generation_lite"
    files: tuple[str, ...] = ("lcb_code_generation_lite.jsonl", "test.jsonl")

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`."""
        found = locate(self.name, self.files, self.home, path)
        fields = (
            "question_id",
            "question_content",
            "starter_code",
            "public_test_cases",
            "private_test_cases",
        )
        tasks = []
        for number, row in enumerate(read_rows(found, fields), 1):
            try:
                metadata = _json(row.get("metadata") or "{}")
                tests = [*decoded(row["public_test_cases"]), *decoded(row["private_test_cases"])]
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{found}:{number}: test cases cannot be read ({error})") from None
            if not tests:
                raise UserError(f"{found}:{number}: the task has no tests")
            name = metadata.get("func_name") or ""
            kept = {k: v for k, v in row.items() if not k.endswith("_test_cases")}
            tasks.append(Task(str(row["question_id"]), {**kept, "tests": tests, "function": name}))
        return tasks

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """The question, and the starter code or a note that the program reads standard input."""
        if style in self.prompts:
            return self.prompts[style](task)
        starter = str(task.data["starter_code"] or "").strip()
        note = (
            f"Complete this code:\n```python\n{starter}\n```"
            if starter
            else "Read the input from standard input and print the answer."
        )
        return prompts.nl_to_code(f"{task.data['question_content']}\n{note}", style=style)

    def perturb(self, task: Task, name: str, *, seed: int = 0) -> Task:
        """Only the starter code is a program here, and its names are part of the question."""
        raise UserError(f"{self.name}: its tasks hold no program to perturb ({name})")

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The first fenced block (faithful: and nothing else), else the program in the text."""
        block = first_block(text)
        if block is not None or style == "faithful":
            return Answer(block) if block else Answer(None, Status.NO_ANSWER)
        if task.data["function"]:
            return clean_code(text, "Solution")
        return Answer(text) if text.strip() else Answer(None, Status.NO_ANSWER)

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str,
        box: Any,
        ledger: Ledger | None = None,
    ) -> list[Verdict]:
        """Inputs in, printed text or values out, compared here. Both scorers compare alike: equal
        lines, or lines of equal decimal numbers; equal values, a tuple counting as a list."""
        check_scorer(scorer)
        by_id = {task.task_id: task for task in tasks}
        known = (ledger or Ledger()).outcomes.setdefault(self.name, {})
        verdicts = []
        for sample in samples:
            text = sample.answer.text or ""
            key = (sample.task_id, text)
            if text.strip() and key not in known:
                known[key] = _run(by_id[sample.task_id], text, box)
            status, detail, seconds = known.get(key, (Status.NO_ANSWER, "", 0.0))
            verdicts.append(
                Verdict(
                    sample.task_id,
                    status is Status.PASSED,
                    status,
                    index=sample.index,
                    detail=detail,
                    cpu_seconds=seconds,
                )
            )
        return verdicts

    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """Empty answers and cheats; the release has no reference solutions."""
        found = []
        for task in tasks:
            empty = Sample(task.task_id, 0, Answer(None, Status.NO_ANSWER))
            found.append(Probe("empty", "empty", empty))
            for kind, code in codegen.CHEATS:
                name = task.data["function"] or "main"
                body = code.replace("NAME(*args)", f"{name}(self, *args)").replace("\n", "\n    ")
                whole = f"class Solution:\n    {body}\n" if task.data["function"] else code
                sample = Sample(task.task_id, 0, Answer(whole.replace("NAME", name)))
                found.append(Probe("cheat", kind, sample))
        return found

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Every task: there is no reference to judge."""
        return {task.task_id: "the release holds no reference solution" for task in tasks}


def _run(task: Task, source: str, box: Any) -> tuple[Status, str, float]:
    """The tests of a task in order, up to the first that is not right; the verdict of that one."""
    tests = task.data["tests"]
    program = f"{PRELUDE}\n{source}"
    outcomes: Iterable[Any]
    try:
        if task.data["function"]:
            outcomes = _called(task, program, source, box)
        else:
            outcomes = _scripts(tests, program, box)
    except (ValueError, RecursionError) as error:
        return Status.INFRASTRUCTURE, f"the task's tests are not JSON ({error})", 0.0
    seconds = 0.0
    for number, (test, outcome) in enumerate(zip(tests, outcomes, strict=True)):
        seconds += outcome.cpu_seconds
        status, why = _one(task, test, outcome)
        if status is not Status.PASSED:
            return status, f"test {number}{': ' + why if why else ''}", seconds
    return Status.PASSED, "", seconds


def _called(task: Task, program: str, source: str, box: Any) -> list[Any]:
    from semcoder_lib.sandbox import Job

    tests, name = task.data["tests"], task.data["function"]
    calls = [tuple(_json(line) for line in test["input"].split("\n")) for test in tests]
    for test in tests:
        _json(test["output"])  # before anything is run: is it JSON?
    sizes = [len(test["output"]) for test in tests]
    limits = cpu_limits(SECONDS, memory_mb=4096)
    limits = limits.but(  # room for the right values, however long they are
        value_nodes=max(limits.value_nodes, *sizes),
        value_bytes=max(limits.value_bytes, *(4 * size for size in sizes)),
        result_bytes=max(limits.result_bytes, 4 * sum(sizes)),
    )
    entry_point = f"Solution.{name}" if "class Solution" in source else name
    job = Job(program, entry_point, calls, limits, share=True, reload=False, give_up=1)
    return list(next(box.map([job])))


def _scripts(tests: Sequence[dict[str, str]], program: str, box: Any) -> Iterable[Any]:
    from semcoder_lib.sandbox import Job

    limits = cpu_limits(SECONDS, memory_mb=4096)
    for start in range(0, len(tests), _AT_ONCE):
        jobs = []
        for test in tests[start : start + _AT_ONCE]:
            room = max(limits.output_bytes, 2 * len(test["output"].encode()))
            jobs.append(
                Job(
                    _SCRIPT,
                    "run",
                    [(program,)],
                    limits=limits.but(output_bytes=room),
                    stdin=test["input"],
                )
            )
        yield from [told[0] for told in box.map(jobs)]


def _one(task: Task, test: dict[str, str], outcome: Any) -> tuple[Status, str]:
    raised = outcome.exception
    if outcome.status is not Status.OK:
        return outcome.status, f"{raised.type}: {raised.message}"[:200] if raised else outcome.note
    if task.data["function"]:
        got = list(outcome.value) if isinstance(outcome.value, tuple) else outcome.value
        right = got == _json(test["output"])
    else:
        right = same_output(outcome.stdout, test["output"])
    return (Status.PASSED if right else Status.WRONG), ""


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def benchmarks() -> Sequence[Benchmark]:
    """lcb-lite and lcb-execution."""
    return (LcbLite("lcb-lite"), LcbExecution("lcb-execution", direction="output"))
