"""A run's files: atomic writes, JSON lines, the item cache that makes stages resume, data files.

Nothing here leaves a half-written file behind under its final name: whatever `kill -9` interrupts
is either complete or absent, and the item cache loses at most the line being written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError, UserError


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a whole file or nothing. Raises InfrastructureError when the disk is full."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise disk_error(error, path) from error
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def write_text(path: Path | str, text: str) -> None:
    """Write a whole UTF-8 file or nothing."""
    write_bytes(path, text.encode("utf-8", "surrogatepass"))


def dumps(data: Any) -> str:
    """JSON on one line with sorted keys: the same data give the same bytes."""
    return json.dumps(data, ensure_ascii=True, sort_keys=True, separators=(", ", ": "))


def write_json(path: Path | str, data: Any) -> None:
    """Write one indented JSON document, keys sorted."""
    write_text(path, json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1) + "\n")


def read_json(path: Path | str) -> Any:
    """Read one JSON document. Raises UserError that names the file and what is wrong with it."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: not valid JSON ({error}); delete it and run the stage again"
        ) from None


def write_jsonl(path: Path | str, rows: Iterable[dict[str, Any]]) -> int:
    """Write all rows or nothing, one JSON object a line; returns how many."""
    lines = [dumps(row) for row in rows]
    write_text(path, "".join(line + "\n" for line in lines))
    return len(lines)


def read_jsonl(path: Path | str) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file, streamed. Raises UserError with file and line for a line that is
    not a JSON object, and for a last line that was cut off."""
    path = Path(path)
    try:
        source = path.open("rb")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    with source:
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, UnicodeDecodeError):
                what = "is cut off" if not line.endswith(b"\n") else "is not valid JSON"
                raise UserError(f"{path}:{number}: the line {what}") from None
            if not isinstance(row, dict):
                raise UserError(f"{path}:{number}: expected a JSON object") from None
            yield row


def content_key(*parts: Any) -> str:
    """A SHA-256 over JSON data (and strings, bytes): equal content, equal key, on any machine."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def file_hash(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def code_hash(*names: str) -> str:
    """A hash over the source files of the named rooms (`"pyx"`, `"sandbox"`, `"records"`), so that
    a stage is not reused after the code that made it changed."""
    base = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for name in sorted(names):
        single = base / f"{name}.py"
        files = [single] if single.exists() else sorted((base / name).rglob("*.py"))
        for file in files:
            digest.update(str(file.relative_to(base)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` against other processes of this machine."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class ItemCache:
    """Finished items of a stage, keyed by content, appended to one JSONL file.

    A cache that was killed while it wrote drops the broken last line and goes on. One process
    writes at a time. `put` is durable after `flush` (or every 64 items).
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._rows: dict[str, Any] = {}
        self._pending = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._load()
        self._out = self.path.open("ab")

    def _load(self) -> None:
        good = 0
        with self.path.open("rb") as source:
            for line in source:
                try:
                    row = json.loads(line)
                    self._rows[row["key"]] = row["row"]
                except (ValueError, KeyError, TypeError):
                    break
                if not line.endswith(b"\n"):
                    break
                good += len(line)
        if good != self.path.stat().st_size:  # what follows a broken line is not trusted
            os.truncate(self.path, good)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Any:
        """The row stored under `key`, or None."""
        return self._rows.get(key)

    def put(self, key: str, row: Any) -> None:
        """Store a JSON row. Raises InfrastructureError when the disk is full; what was stored
        before stays."""
        self._rows[key] = row
        try:
            self._out.write(dumps({"key": key, "row": row}).encode() + b"\n")
            self._pending += 1
            if self._pending >= 64:
                self.flush()
        except OSError as error:
            raise disk_error(error, self.path) from error

    def flush(self) -> None:
        """Put everything stored so far on the disk."""
        try:
            self._out.flush()
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._pending = 0

    def close(self) -> None:
        """Flush and let go of the file."""
        self.flush()
        self._out.close()

    def __enter__(self) -> ItemCache:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Run:
    """The folder of one run: `runs/NAME`, with a folder for every stage."""

    def __init__(self, name: str, root: Path | str | None = None) -> None:
        if not name or name in (".", "..") or any(c in name for c in "/\\\0"):
            raise UserError(f"run name {name!r}: use letters, digits, '-', '_' and '.'")
        base = Path(root) if root is not None else Path(os.environ.get("SEMCODER_RUNS", "runs"))
        self.name = name
        self.path = base / name
        self.path.mkdir(parents=True, exist_ok=True)

    def stage(self, number: int, name: str) -> Path:
        """The stage's folder, `NN_name`, made on first use."""
        path = self.path / f"{number:02d}_{name}"
        path.mkdir(parents=True, exist_ok=True)
        return path


def home() -> Path:
    """Where models and fetched data are kept between runs: `SEMCODER_HOME`, else
    `~/.cache/semcoder`."""
    path = Path(os.environ.get("SEMCODER_HOME") or Path.home() / ".cache" / "semcoder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(
            f"{path}: cannot be made ({error.strerror}); set SEMCODER_HOME to a folder you own"
        ) from None
    return path


def find_data(filename: str) -> Path | None:
    """A data file by name: in `SEMCODER_DATA`, whatever its bytes, then in `home()/data`, where
    `data fetch` puts a file only when its checksum is right; None where absent."""
    folders = [os.environ.get("SEMCODER_DATA"), str(home() / "data")]
    for folder in folders:
        if folder and (path := Path(folder) / filename).is_file():
            return path
    return None


def disk_error(error: OSError, path: Path) -> InfrastructureError:
    """What to raise where writing `path` failed: one line with the remedy."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InfrastructureError(
            f"{path}: no space left on the disk; free some and run again, finished work is kept"
        )
    return InfrastructureError(f"{path}: cannot be written ({error.strerror})")
