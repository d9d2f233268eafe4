"""Held-out PyX in both directions: programs of our own corpus that training never saw."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semcoder_lib.core import records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.base import Task, with_data
from semcoder_lib.evaluation.execution import Item
from semcoder_lib.evaluation.files import locate, read_rows
from semcoder_lib.evaluation.reasoning import ExecutionReasoning


@dataclass(slots=True)
class HeldOutPyx(ExecutionReasoning):
    """Reads rows of `records.Entry`; the programs of split `held_out`, each with one case
    (so that tasks are independent), the `hardest_to_guess`. `load(path, split="")` takes all."""

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
    chosen = hardest_to_guess(entry.cases)
    if chosen is None:
        return None
    data = {
        "code": program.source,
        "entry_point": program.entry_point,
        "call": values.show_call(program.entry_point, chosen.arguments),
        "output": values.encode(chosen.output),
        "program_id": program.id,
        "program": program,
        "case": chosen,
    }
    return Task(program.id or f"pyx/{number}", data)


def hardest_to_guess(cases: Iterable[records.Case]) -> records.Case | None:
    """The first case whose output is neither one of its arguments nor the output that most cases of
    the program have, so that copying and constants are not rewarded; where every case is one of
    these, the first that is the fewest. None without a case that has an exact text."""
    written = []
    for case in cases:
        try:
            arguments = [values.encode(a) for a in case.arguments]
            written.append((case, arguments, values.encode(case.output)))
        except values.Unserializable:
            continue
    if not written:
        return None
    usual = Counter(output for _, _, output in written).most_common(1)[0][0]
    return min(written, key=lambda one: (one[2] in one[1]) + (one[2] == usual))[0]


def benchmarks() -> Sequence[HeldOutPyx]:
    """pyx-i and pyx-o."""
    return (HeldOutPyx("pyx-i", direction="input"), HeldOutPyx("pyx-o", direction="output"))
