"""Finding and reading the benchmarks' own data files (JSONL, gzipped or not, and Parquet)."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.workspace import home
from semcoder_lib.evaluation.base import Missing
from semcoder_lib.evaluation.homes import find, remedy


def locate(
    benchmark: str, files: tuple[str, ...], public_home: str, path: Path | str | None
) -> Path:
    """The data file: `path` if given, else the first of `files` in the usual places. Raises
    `Missing` that says where was looked, where the data can be had and the
    command that gets them."""
    if path is not None:
        given = Path(path)
        if given.is_dir():
            for name in files:
                if (given / name).is_file():
                    return given / name
            raise Missing(f"{benchmark}: no {' or '.join(files)} in {given}")
        if not given.is_file():
            raise Missing(f"{benchmark}: {given}: no such file")
        return given
    for name in files:
        found = find(name)
        if found is not None:
            return found
    folder = os.environ.get("SEMCODER_DATA")
    looked = f"SEMCODER_DATA={folder}" if folder else "SEMCODER_DATA (not set)"
    todo = remedy(files)
    raise Missing(
        f"{benchmark}: looked for {' or '.join(files)} in {looked} and {home() / 'data'}; "
        f"its public home is {public_home}{'; ' if todo else ''}{todo}"
    )


def read_rows(path: Path, required: tuple[str, ...]) -> list[dict[str, Any]]:
    """All rows of a JSONL file (`.gz` too) or of a Parquet file, each with the `required` fields.
    Raises UserError with file and line."""
    rows = []
    for number, row in _parquet(path) if path.suffix == ".parquet" else _jsonl(path):
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: expected a JSON object")
        lacking = [name for name in required if name not in row]
        if lacking:
            raise UserError(f"{path}:{number}: the field {lacking[0]!r} is missing")
        rows.append(row)
    if not rows:
        raise UserError(f"{path}: the file is empty")
    return rows


def _jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source:
            for number, line in enumerate(source, 1):
                if not line.strip():
                    continue
                try:
                    yield number, json.loads(line)
                except (ValueError, RecursionError):
                    raise UserError(f"{path}:{number}: the line is not valid JSON") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UserError(f"{path}: Parquet needs the package pyarrow; ./run_all.sh setup") from None
    try:
        yield from enumerate(parquet.read_table(path).to_pylist(), 1)
    except (OSError, ArrowException) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
