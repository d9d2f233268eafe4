"""Reading a corpus that `build` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Entry


def stream(path: Path | str) -> Iterator[Entry]:
    """The entries of a `pyx.jsonl` (or of the folder that holds one), one at a time. Raises
    UserError for a row that is not an entry."""
    path = Path(path)
    if path.is_dir():
        path = path / "pyx.jsonl"
    for number, row in enumerate(workspace.read_jsonl(path), 1):
        try:
            yield records.from_row(Entry, row)
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}:{number}: not a row of PyX ({error})") from None


def load(path: Path | str) -> list[Entry]:
    """All entries of a corpus."""
    return list(stream(path))
