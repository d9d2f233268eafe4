"""The corpus's files: tables beside the code, results that are believed only when they are whole,
and the corpus itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Entry


def table(file: Path, kind: str) -> list[list[str]]:
    """The cells of those rows of a table that begin with `kind`, without it: `kind | cell | cell`.
    Lines that begin otherwise say nothing here."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.split(" | ")[1:] for line in lines if line.startswith(f"{kind} | ")]


def write_checked(path: Path, rows: list[Any]) -> None:
    """Writes JSON rows with their checksum."""
    workspace.write_json(path, {"sha256": workspace.content_key(rows), "rows": rows})


def checked(path: Path) -> list[Any] | None:
    """What `write_checked` wrote; None where there is nothing, or not what was written."""
    try:
        data = workspace.read_json(path)
        whole = data["sha256"] == workspace.content_key(data["rows"])
    except (UserError, LookupError, TypeError, ValueError, RecursionError):
        return None
    return list(data["rows"]) if whole else None


def load(path: Path | str) -> list[Entry]:
    """The entries of a `pyx.jsonl` (or of the folder that holds one). Raises UserError with file
    and line for a row that is not an entry."""
    path = Path(path)
    if path.is_dir():
        path = path / "pyx.jsonl"
    entries = []
    for number, row in enumerate(workspace.read_jsonl(path), 1):
        try:
            entries.append(records.from_row(Entry, row))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UserError(f"{path}:{number}: not a row of PyX ({error})") from None
    return entries
