"""LiveCodeBench (Jain et al. 2024): code generation (lite) and output prediction, in their hub
formats.

Nothing of the release is unpickled: private tests that are stored as a compressed pickle of one
string are read opcode by opcode, and anything else in there is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from semcoder_lib import prompts
from semcoder_lib.benchmarks import codegen
from semcoder_lib.benchmarks.base import (
    Answer,
    Benchmark,
    Probe,
    Sample,
    Task,
    check_scorer,
    with_data,
)
from semcoder_lib.benchmarks.calls import Ledger, cpu_limits
from semcoder_lib.benchmarks.code import clean_code, first_block
from semcoder_lib.benchmarks.execution import Item
from semcoder_lib.benchmarks.files import locate, read_rows
from semcoder_lib.benchmarks.reasoning import ExecutionReasoning
from semcoder_lib.errors import UserError
from semcoder_lib.prompts import Prompt
from semcoder_lib.records import Status, Verdict

SECONDS = 6.0
_NAMES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools "
    "operator io sys json typing"
)
_MODULES = _NAMES.split()
# LeetCode-style programs expect these names, as they do on the site they were written for
PRELUDE = (
    "".join(f"from {name} import *\n" for name in _MODULES)
    + "".join(f"import {name}\n" for name in _MODULES)
    + "sys.setrecursionlimit(50000)\n"
)
_SCRIPT = """def run(text):
    try:
        exec(compile(text, "<program>", "exec"), {"__name__": "__main__"})
    except SystemExit:  # a script may end this way
        pass
"""
_LONGEST = 200_000_000


@dataclass(slots=True)
class LcbExecution(ExecutionReasoning):
    """`livecodebench/execution-v2`: predict the output of `input`, a full call of `code`."""

    home: str = "hub livecodebench/execution-v2"
    files: tuple[str, ...] = ("lcb_execution-v2.jsonl", "execution-v2.jsonl", "test.jsonl")

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
    `Solution.name`. Task data: the release's fields, and `tests` with both kinds decoded."""

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
                tests = [*_tests(row["public_test_cases"]), *_tests(row["private_test_cases"])]
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{found}:{number}: test cases cannot be read ({error})") from None
            if not tests:
                raise UserError(f"{found}:{number}: the task has no tests")
            name = metadata.get("func_name") or ""
            tasks.append(Task(str(row["question_id"]), {**row, "tests": tests, "function": name}))
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
    """All tests of a task; the verdict of the first that is not right."""
    from semcoder_lib.sandbox import Job

    limits = cpu_limits(SECONDS, memory_mb=4096)
    tests = task.data["tests"]
    program = f"{PRELUDE}\n{source}"
    if task.data["function"]:
        name = task.data["function"]
        entry_point = f"Solution.{name}" if "class Solution" in source else name
        calls = [tuple(_json(line) for line in t["input"].split("\n")) for t in tests]
        job = Job(program, entry_point, calls, limits, share=True, reload=False, give_up=1)
        outcomes = next(box.map([job]))
    else:
        jobs = [
            Job(_SCRIPT, "run", [(program,)], limits=limits, stdin=test["input"]) for test in tests
        ]
        outcomes = [told[0] for told in box.map(jobs)]
    seconds = 0.0
    for number, (test, outcome) in enumerate(zip(tests, outcomes, strict=True)):
        seconds += outcome.cpu_seconds
        status, why = _one(task, test, outcome)
        if status is not Status.PASSED:
            return status, f"test {number}{': ' + why if why else ''}", seconds
    return Status.PASSED, "", seconds


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


def same_output(got: str, expected: str) -> bool:
    """Equal numbers of lines, each equal without outer blanks or as decimal numbers."""
    left = [line.strip() for line in got.strip().split("\n")]
    right = [line.strip() for line in expected.strip().split("\n")]
    return len(left) == len(right) and all(map(_same_line, left, right))


def _same_line(got: str, expected: str) -> bool:
    if got == expected:
        return True
    try:
        return [Decimal(x) for x in got.split()] == [Decimal(x) for x in expected.split()]
    except InvalidOperation:
        return False


def _json(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def _tests(field: Any) -> list[dict[str, str]]:
    """Tests of a field: a list, JSON text, or base64 of a compressed pickle of JSON text."""
    if isinstance(field, str):
        try:
            field = json.loads(field)
        except ValueError:
            field = json.loads(_packed(field))
    return [{"input": str(test["input"]), "output": str(test["output"])} for test in field]


def _packed(text: str) -> str:
    try:
        engine = zlib.decompressobj()
        data = engine.decompress(base64.b64decode(text, validate=True), _LONGEST)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"neither JSON nor packed JSON: {error}") from None
    allowed = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "STOP"}
    found = None
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8") and found is None:
            found = argument
        elif opcode.name not in allowed:
            raise ValueError(f"packed tests hold more than one text ({opcode.name})")
    if found is None:
        raise ValueError("packed tests hold no text")
    return str(found)


def benchmarks() -> Sequence[Benchmark]:
    """lcb-lite and lcb-execution."""
    return (LcbLite("lcb-lite"), LcbExecution("lcb-execution", direction="output"))
