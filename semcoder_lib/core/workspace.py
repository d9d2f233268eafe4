"""A run's files: atomic writes, JSON lines, locks, the cache of finished items, data files.

Nothing here leaves a half-written file behind under its final name: whatever `kill -9` interrupts
is either complete or absent, and the item cache loses at most the line being written. Only regular
files are written, never a device, a pipe, or what a link points to.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from semcoder_lib.core.errors import InfrastructureError, UserError


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a whole file or nothing. Raises UserError where `path` is there and no regular file,
    InfrastructureError where it cannot be written, a full disk included."""
    path = Path(path)
    check_regular(path)
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        if name:
            with contextlib.suppress(OSError):
                os.unlink(name)  # gone where all went well


def check_regular(path: Path) -> None:
    """Raises UserError for what is there and no regular file: a folder, a link, a device."""
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "device"
            raise UserError(f"{path}: a {kind}; only regular files are written, give another name")


def disk_error(error: OSError, path: Path) -> InfrastructureError:
    """What to raise where writing `path` failed: one line with the remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InfrastructureError(
            f"{path}: no space left on the disk; free some and run again, finished work is kept"
        )
    return InfrastructureError(f"{path}: cannot be written ({error.strerror})")


def open_append(path: Path) -> BinaryIO:
    """A file of the run's own, to be read and appended to. Raises UserError for a link or device,
    InfrastructureError where it cannot be opened."""
    check_regular(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(path, flags, 0o644), "r+b")
    except OSError as error:
        raise disk_error(error, path) from error


@contextlib.contextmanager
def locked(path: Path, patience: float = math.inf, busy: str = "") -> Iterator[None]:
    """Hold an exclusive lock on `path` against other processes of this machine. Waits `patience`
    seconds for another holder, then raises InfrastructureError with the message `busy`."""
    with open_append(path) as handle:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise InfrastructureError(busy or f"{path}: in use by another run") from None
                time.sleep(0.1)
        yield


def write_text(path: Path | str, text: str) -> None:
    """Write a whole UTF-8 file or nothing."""
    write_bytes(path, text.encode("utf-8", "surrogatepass"))


def dumps(data: Any) -> str:
    """JSON on one line with sorted keys: the same data give the same bytes."""
    return _json(data, ensure_ascii=True, sort_keys=True, separators=(", ", ": "))


def write_json(path: Path | str, data: Any) -> None:
    """Write one indented JSON document, keys sorted."""
    text = _json(data, ensure_ascii=False, sort_keys=True, indent=1)
    try:
        text.encode()
    except UnicodeEncodeError:  # UTF-8 has no bytes for half a character
        text = _json(data, ensure_ascii=True, sort_keys=True, indent=1)
    write_text(path, text + "\n")


def _json(data: Any, **options: Any) -> str:
    try:
        return json.dumps(data, allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(data), **options)


def _finite(data: Any) -> Any:
    """NaN and the infinities, which JSON has no word for, as null."""
    if isinstance(data, dict):
        return {key: _finite(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(item) for item in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def read_json(path: Path | str) -> Any:
    """Read one JSON document. Raises UserError that names the file and what is wrong with it."""
    try:
        with _open(path) as source:
            return json.load(source)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: not valid JSON ({error}); delete it and run its notebook again"
        ) from None


def _open(path: Path | str) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def write_jsonl(path: Path | str, rows: Iterable[dict[str, Any]]) -> int:
    """Write all rows or nothing, one JSON object a line; returns how many."""
    lines = [dumps(row) for row in rows]
    write_text(path, "".join(line + "\n" for line in lines))
    return len(lines)


def read_jsonl(path: Path | str, *, foreign: bool = False) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file, streamed. Raises UserError with file and line for a line that is
    not a JSON object, and for a last line that was cut off. In a file of others (`foreign`) JSON
    that is no object, or more than Python reads, is a row without columns."""
    with _open(path) as source:
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:  # of long numbers and of deep rows
                if not foreign or type(error) not in (ValueError, RecursionError):
                    fault = "is cut off" if not line.endswith(b"\n") else "is not valid JSON"
                    raise UserError(f"{path}:{number}: the line {fault}") from None
                row = {}
            if not isinstance(row, dict) and not foreign:
                raise UserError(f"{path}:{number}: expected a JSON object")
            yield row if isinstance(row, dict) else {}


def content_key(*parts: Any) -> str:
    """A SHA-256 over JSON data (and strings, bytes): equal content, equal key, on any machine."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def file_hash(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


class ItemCache(dict[str, Any]):
    """Finished items of a step, keyed by content, kept in one JSONL file to which `put` appends.

    Every line carries a digest of what it says; a line that is broken or was changed is left out
    and said so on standard error, and its item is made again. One process writes at a time.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.path = Path(path)
        self._out = open_append(self.path)
        whole = damaged = 0
        for line in self._out:
            if not line.endswith(b"\n"):  # a kill while it was written
                self._out.truncate(whole)
                break
            whole += len(line)
            try:
                row = json.loads(line)
                if row["sum"] != _sum(row["key"], row["row"]):
                    raise ValueError
                self[row["key"]] = row["row"]
            except (ValueError, KeyError, TypeError, RecursionError):
                damaged += 1
        if damaged:
            print(f"{self.path}: {damaged} damaged lines are made again", file=sys.stderr)

    def put(self, key: str, row: Any) -> None:
        """Store a JSON row in the file. Raises InfrastructureError when the disk is full; what was
        stored before stays."""
        self[key] = row
        line = dumps({"key": key, "row": row, "sum": _sum(key, row)})
        try:
            self._out.write(line.encode() + b"\n")
            self._out.flush()
        except OSError as error:
            raise disk_error(error, self.path) from error

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):  # `put` has said that the disk is full
            self._out.close()

    def __enter__(self) -> ItemCache:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _sum(key: str, row: Any) -> str:
    return content_key(key, row)[:16]


class Run:
    """The folder of one run: `runs/NAME`, with a folder for every notebook; made on first use."""

    def __init__(self, name: str, root: Path | str | None = None) -> None:
        if not name or name in (".", "..") or any(c in name for c in "/\\\0"):
            raise UserError(f"run name {name!r}: use letters, digits, '-', '_' and '.'")
        base = Path(root) if root is not None else Path(os.environ.get("SEMCODER_RUNS", "runs"))
        self.name = name
        self.path = base / name

    def folder(self, name: str) -> Path:
        """A notebook's folder, `NN_name`, made on first use."""
        return _folder(self.path / name)


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    return path


def home() -> Path:
    """Where models and fetched data are kept between runs: `SEMCODER_HOME`, else
    `~/.cache/semcoder`. Raises InfrastructureError where it cannot be made."""
    try:
        return _folder(Path(os.environ.get("SEMCODER_HOME") or Path.home() / ".cache" / "semcoder"))
    except (RuntimeError, InfrastructureError) as error:  # RuntimeError: the user has no home
        raise InfrastructureError(f"{error}; set SEMCODER_HOME to a folder of your own") from None


def find_data(filename: str) -> Path | None:
    """A data file by name: in `SEMCODER_DATA`, whatever its bytes, then in `home()/data`, where
    `data fetch` puts a file only when its checksum is right; None where absent."""
    folders = [os.environ.get("SEMCODER_DATA"), home() / "data"]
    paths = [Path(folder) / filename for folder in folders if folder]
    return next((path for path in paths if path.is_file()), None)
