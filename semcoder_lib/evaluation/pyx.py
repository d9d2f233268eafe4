"""Held-out PyX in both directions: programs of our own corpus that training never saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import records, values
from semcoder_lib.evaluation.base import Task, get
from semcoder_lib.evaluation.execution import ExecutionReasoning, Item


@dataclass
class HeldOutPyx(ExecutionReasoning):
    """Reads rows of `records.Entry`; the programs of split `held_out` (with an empty `split` all),
    each with one case, so that tasks are independent: the `hardest_to_guess`."""

    home: str = "a run of this project: runs/NAME/01_pyx/pyx.jsonl, given with --data"
    files: tuple[str, ...] = ("pyx.jsonl",)
    fields: tuple[str, ...] = ("program", "cases")
    split: str = "held_out"
    item: Callable[[dict[str, Any]], Item] = lambda data: Item(
        data["code"], data["entry_point"], data["call"], data["output"]
    )

    def task(self, row: dict[str, Any], number: int) -> Task | None:
        """See `Benchmark.task`."""
        entry = records.from_row(records.Entry, row)
        return _task(entry, number) if self.split in ("", entry.program.split) else None

    def from_entries(self, entries: Iterable[records.Entry]) -> list[Task]:
        """Tasks of entries at hand, whatever their split; entries without a case that has an
        exact text are left out."""
        tasks = [_task(entry, number) for number, entry in enumerate(entries, 1)]
        return [task for task in tasks if task is not None]


def questions(entry: records.Entry, kind: str, *, style: str) -> list[str]:
    """The prompts that the evaluation gives about the cases of an entry: of `kind` "direct" in both
    directions, without reasoning; of "forward" or "backward" in that one, with a monologue."""
    names = {"forward": ["pyx-o"], "backward": ["pyx-i"]}.get(kind, ["pyx-o", "pyx-i"])
    reasoning = "direct" if kind == "direct" else "monologue"
    alone = [replace(entry, cases=(case,)) for case in entry.cases]
    tasks = [task for task in map(_task, alone, range(len(alone))) if task is not None]
    return [
        get(name).prompt(task, style=style, reasoning=reasoning).text
        for name in names
        for task in tasks
    ]


def _task(entry: records.Entry, number: int) -> Task | None:
    program, case = entry.program, hardest_to_guess(entry.cases)
    if case is None:
        return None
    data = {
        "code": program.source,
        "entry_point": program.entry_point,
        "call": values.show_call(program.entry_point, case.arguments),
        "output": values.encode(case.output),
        "program_id": program.id,
        "program": program,
        "case": case,
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
    return min(written, key=lambda row: (row[2] in row[1]) + (row[2] == usual))[0]
