"""Held-out PyX in both directions: programs of our own corpus that training never saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semcoder_lib import records, values
from semcoder_lib.benchmarks.base import Task, with_data
from semcoder_lib.benchmarks.execution import Item
from semcoder_lib.benchmarks.files import locate, read_rows
from semcoder_lib.benchmarks.reasoning import ExecutionReasoning
from semcoder_lib.errors import UserError


@dataclass(slots=True)
class HeldOutPyx(ExecutionReasoning):
    """Reads rows of `records.Entry`; the programs of split `held_out`, each with its first case
    that has an exact text (so that tasks are independent). `load(path, split="")` takes all."""

    home: str = "a run of this project: runs/NAME/01_pyx/pyx.jsonl, given with --data"
    files: tuple[str, ...] = ("pyx.jsonl",)
    split: str = "held_out"

    def load(self, path: Path | str | None = None) -> list[Task]:
        """See `Benchmark.load`."""
        found = locate(self.name, self.files, self.home, path)
        tasks = []
        seen: set[str] = set()
        for number, row in enumerate(read_rows(found, ("program", "cases")), 1):
            try:
                entry = records.from_row(records.Entry, row)
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{found}:{number}: not a row of PyX ({error})") from None
            task = _task(entry, number)
            if task is None or (self.split and entry.program.split != self.split):
                continue
            if task.task_id in seen:
                raise UserError(f"{found}:{number}: the id {task.task_id!r} occurs twice")
            seen.add(task.task_id)
            tasks.append(task)
        return tasks

    def from_entries(self, entries: Iterable[records.Entry]) -> list[Task]:
        """Tasks of entries at hand, whatever their split; entries without a case that has an
        exact text are left out."""
        tasks = [_task(entry, number) for number, entry in enumerate(entries, 1)]
        return [task for task in tasks if task is not None]

    def item(self, task: Task) -> Item:
        """See `ExecutionReasoning.item`."""
        data = task.data
        return Item(data["code"], data["entry_point"], data["call"], data["output"])

    def with_program(self, task: Task, source: str, entry_point: str) -> Task:
        """See `ExecutionReasoning.with_program`."""
        data = task.data
        call = entry_point + data["call"].removeprefix(data["entry_point"])
        program = dataclasses.replace(data["program"], source=source, entry_point=entry_point)
        return with_data(task, code=source, entry_point=entry_point, call=call, program=program)


def _task(entry: records.Entry, number: int) -> Task | None:
    program = entry.program
    for case in entry.cases:
        try:
            call = values.show_call(program.entry_point, case.arguments)
            output = values.encode(case.output)
        except values.Unserializable:
            continue
        data = {
            "code": program.source,
            "entry_point": program.entry_point,
            "call": call,
            "output": output,
            "program_id": program.id,
            "program": program,
            "case": case,
        }
        return Task(program.id or f"pyx/{number}", data)
    return None


def benchmarks() -> Sequence[HeldOutPyx]:
    """pyx-i and pyx-o."""
    return (HeldOutPyx("pyx-i", direction="input"), HeldOutPyx("pyx-o", direction="output"))
