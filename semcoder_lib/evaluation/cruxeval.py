"""CRUXEval (Gu et al. 2024): 800 short functions, outputs or inputs to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.base import Task, with_data
from semcoder_lib.evaluation.execution import Item
from semcoder_lib.evaluation.files import locate, read_rows
from semcoder_lib.evaluation.reasoning import ExecutionReasoning

HOME = "facebookresearch/cruxeval (data/cruxeval.jsonl), hub cruxeval-org/cruxeval"


@dataclass(slots=True)
class CruxEval(ExecutionReasoning):
    """Task data: `code`, `input`, `output` and `entry_point` (always `f`, unless perturbed)."""

    home: str = HOME
    files: tuple[str, ...] = ("cruxeval.jsonl",)

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`."""
        found = locate(self.name, self.files, self.home, path)
        rows = read_rows(found, ("code", "input", "output", "id"))
        tasks = [Task(str(row["id"]), {"entry_point": "f", **row}) for row in rows]
        if len({task.task_id for task in tasks}) != len(tasks):
            raise UserError(f"{found}: an id occurs twice")
        return tasks

    def item(self, task: Task) -> Item:
        """See `ExecutionReasoning.item`."""
        data = task.data
        call = f"{data['entry_point']}({data['input']})"
        return Item(data["code"], data["entry_point"], call, data["output"])

    def with_program(self, task: Task, source: str, entry_point: str) -> Task:
        """See `ExecutionReasoning.with_program`."""
        return with_data(task, code=source, entry_point=entry_point)


def benchmarks() -> Sequence[CruxEval]:
    """CRUXEval-I and CRUXEval-O."""
    return (CruxEval("cruxeval-i", direction="input"), CruxEval("cruxeval-o", direction="output"))
