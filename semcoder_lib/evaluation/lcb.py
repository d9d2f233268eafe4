"""LiveCodeBench (Jain et al. 2024): code generation (lite) and output prediction, in their hub
formats.

Private tests are stored as a compressed pickle of one string; a pickle that asks for anything by
name is refused.
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from semcoder_lib.core.records import Status
from semcoder_lib.evaluation.base import (
    Answer,
    Benchmark,
    Finding,
    Task,
    cpu_limits,
    finding,
)
from semcoder_lib.evaluation.execution import ExecutionReasoning, Item
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code, fenced_blocks, plain
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.sandbox import Job, Outcome, Sandbox

_SECONDS = 6.0
_LONGEST = 200_000_000  # bytes of unpacked tests
_AT_ONCE = 8  # scripts' tests that are run before one is asked whether it failed
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
# the program is compiled by itself, so that it may begin with `from __future__`
_MODULE = "exec({prelude!r})\nexec(compile({source!r}, '<program>', 'exec', dont_inherit=True))\n"
_SCRIPT = f"""import sys, types

def run(text):
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    exec({PRELUDE!r}, module.__dict__)
    try:
        exec(compile(text, "<program>", "exec", dont_inherit=True), module.__dict__)
    except SystemExit:  # a script may end this way
        pass
"""


def execution_v2() -> ExecutionReasoning:
    """`livecodebench/execution-v2`: predict the output of `input`, a full call of `code`. The
    prompt shows the program without our imports."""
    names = ("lcb_execution-v2", "execution-v2", "execution-v2/data/test-00000-of-00001")
    return ExecutionReasoning(
        "lcb-execution",
        "hub livecodebench/execution-v2",
        tuple(name + end for end in (".jsonl", ".parquet") for name in names),
        ("id", "function_name", "code", "input", "output"),
        item=lambda row: Item(
            row["code"], row["function_name"], row["input"], row["output"], PRELUDE
        ),
    )


@dataclass
class LcbLite(Benchmark):
    """`livecodebench/code_generation_lite`: programs that read standard input, or a method
    `Solution.name`. Task data: the release's fields, with both kinds of tests in one list."""

    home: str = "hub livecodebench/code_generation_lite"
    files: tuple[str, ...] = ("lcb_code_generation_lite.jsonl", "test.jsonl")
    fields: tuple[str, ...] = (
        "question_id", "question_content", "starter_code", "public_test_cases", "private_test_cases"
    )  # fmt: skip

    def task(self, row: dict[str, Any], number: int) -> Task:
        metadata = json.loads(row.get("metadata") or "{}")
        tests = [*unpacked(row["public_test_cases"]), *unpacked(row["private_test_cases"])]
        if not tests:
            raise ValueError("the task has no tests")
        rest = {k: v for k, v in row.items() if not k.endswith("_test_cases")}
        name = metadata.get("func_name") or ""
        return Task(str(row["question_id"]), {**rest, "tests": tests, "function": name})

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """The question, and the starter code or a note that the program reads standard input."""
        starter = str(task.data["starter_code"] or "").strip()
        note = (
            f"Complete this code:\n```python\n{starter}\n```"
            if starter
            else "Read the input from standard input and print the answer."
        )
        return prompts.nl_to_code(f"{task.data['question_content']}\n{note}", style=style)

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """The first fenced block (faithful: and nothing else), else the program in the text."""
        text = text if style == "faithful" else plain(text)
        block = next(iter(fenced_blocks(text)), None)
        if block is not None or style == "faithful":
            return Answer(block) if block else Answer(None, Status.NO_ANSWER)
        if task.data["function"]:
            return clean_code(text, "Solution")
        return Answer(text) if text.strip() else Answer(None, Status.NO_ANSWER)

    def findings(
        self, asked: Sequence[tuple[Task, Answer]], scorer: str, box: Sandbox
    ) -> Iterator[Finding]:
        """Inputs in, printed text or values out, compared here. Both scorers compare alike: equal
        lines, or lines of equal decimal numbers; equal values, a tuple counting as a list."""
        return (_run(task, answer.text or "", box) for task, answer in asked)

    def probes(self, task: Task) -> tuple[str, dict[str, str]]:
        """See `Benchmark.probes`; the release has no reference solutions."""
        name = task.data["function"]
        return "method" if name else "script", {"NAME": name or "main"}

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Every task: there is no reference to judge."""
        return {task.task_id: "the release holds no reference solution" for task in tasks}


def _run(task: Task, source: str, box: Sandbox) -> Finding:
    """The tests of a task in order, up to the first that is not right; the verdict of that one."""
    tests, called = task.data["tests"], bool(task.data["function"])
    try:
        wanted = [json.loads(test["output"]) if called else test["output"] for test in tests]
        outcomes = (_called if called else _scripts)(task, source, box)
    except (ValueError, RecursionError) as error:
        return Finding(Status.INFRASTRUCTURE, f"the task's tests are not JSON ({error})")
    seconds = 0.0
    for number, (expected, outcome) in enumerate(zip(wanted, outcomes, strict=True)):
        seconds += outcome.cpu_seconds
        right = outcome.status is Status.OK and (
            same_value(outcome.value, expected) if called else same_output(outcome.stdout, expected)
        )
        verdict = finding(outcome, right)
        if verdict.status is not Status.PASSED:
            why = f"test {number}{': ' + verdict.detail if verdict.detail else ''}"
            return Finding(verdict.status, why, seconds)
    return Finding(Status.PASSED, "", seconds)


def _called(task: Task, source: str, box: Sandbox) -> Iterable[Outcome]:
    tests, name = task.data["tests"], task.data["function"]
    calls = [tuple(json.loads(line) for line in test["input"].split("\n")) for test in tests]
    sizes = [len(test["output"]) for test in tests]
    limits = cpu_limits(_SECONDS, memory_mb=4096)
    limits = limits.but(  # room for the right values, however long they are
        value_nodes=max(limits.value_nodes, *sizes),
        value_bytes=max(limits.value_bytes, 4 * max(sizes)),
        result_bytes=max(limits.result_bytes, 4 * sum(sizes)),
    )
    entry_point = f"Solution.{name}" if "class Solution" in source else name
    program = _MODULE.format(prelude=PRELUDE, source=source)
    job = Job(program, entry_point, calls, limits, share=True, reload=False, give_up=1)
    return next(box.map([job]))


def _scripts(task: Task, source: str, box: Sandbox) -> Iterator[Outcome]:
    tests = task.data["tests"]
    limits = cpu_limits(_SECONDS, memory_mb=4096)
    for start in range(0, len(tests), _AT_ONCE):
        jobs = []
        for test in tests[start : start + _AT_ONCE]:
            room = limits.but(output_bytes=max(limits.output_bytes, 8 * len(test["output"])))
            jobs.append(Job(_SCRIPT, "run", [(source,)], limits=room, stdin=test["input"]))
        for (outcome,) in box.map(jobs):
            yield outcome


def same_value(actual: Any, expected: Any) -> bool:
    """Equal by `==`, an outermost tuple counting as a list."""
    try:
        return bool((list(actual) if isinstance(actual, tuple) else actual) == expected)
    except (ArithmeticError, RecursionError):  # a signaling nan
        return False


def same_output(actual: str, expected: str) -> bool:
    """Equal numbers of lines, each equal without outer blanks or as decimal numbers."""
    left = [line.strip() for line in actual.strip().split("\n")]
    right = [line.strip() for line in expected.strip().split("\n")]
    return len(left) == len(right) and all(map(_same_line, left, right))


def _same_line(actual: str, expected: str) -> bool:
    if actual == expected:
        return True
    try:
        return [Decimal(x) for x in actual.split()] == [Decimal(x) for x in expected.split()]
    except InvalidOperation:
        return False


def unpacked(field: Any) -> list[dict[str, str]]:
    """Tests of a field: a list, JSON text, or base64 of a compressed pickle of JSON text. Raises
    ValueError, TypeError or KeyError for what is none of these."""
    if isinstance(field, str):
        try:
            field = json.loads(field)
        except ValueError:
            field = json.loads(_pickled_text(field))
    return [{"input": str(test["input"]), "output": str(test["output"])} for test in field]


class _Plain(pickle.Unpickler):
    """Builds plain values only."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _pickled_text(packed: str) -> str:
    try:
        blob = zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), _LONGEST)
        text = _Plain(io.BytesIO(blob)).load()
    except Exception as error:  # a damaged pickle surfaces as anything
        raise ValueError(f"test cases cannot be read: neither JSON nor packed: {error}") from None
    if not isinstance(text, str):
        raise ValueError(f"test cases cannot be read: {type(text).__name__} in place of text")
    return text
