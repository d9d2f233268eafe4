"""Fetches data files from their public homes, when a user asks for it and at no other time.

A file gets its name only when it is whole, on the disk, and has the expected checksum. What a
killed transfer leaves is overwritten by the next one.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import (
    ChecksumError,
    DownloadError,
    InfrastructureError,
    SemcoderError,
    UsageError,
    UserError,
)
from semcoder_lib.evaluation.homes import HOMES, Home, fetched, find, state

OFFLINE = ("SEMCODER_OFFLINE", "HF_HUB_OFFLINE")
_SECONDS = (10, 60)  # to connect; between two pieces
_PIECE = 1 << 16
_LONGEST = 50_000_000  # bytes; the largest file of the table has 925,932


def list_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Every file (or those named): where it is and whether its bytes are the expected ones, as text
    on standard error and as JSON data. Raises UsageError for an unknown name."""
    files = [state(home) for home in _named(names)]
    for row in files:
        home = HOMES[row["name"]]
        print(f"{row['state']:<8} {home.name}  {row['path']}".rstrip(), file=sys.stderr)
        if row["state"] == "other":
            print(f"         not the pinned bytes: SHA-256 {row['sha256']}", file=sys.stderr)
        elif row["state"] == "missing":
            print(f"         {home.rows} rows, {home.licence}: {row['home']}", file=sys.stderr)
            if home.obtain:
                print(f"         to make it: {home.obtain}", file=sys.stderr)
    counts = {kind: [r["state"] for r in files].count(kind) for kind in ("good", "other")}
    return {"files": files, **counts, "missing": len(files) - sum(counts.values())}


def fetch_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Fetch the files named, or every missing one that has a URL. A file found elsewhere than in
    `home()/data` is left alone, whatever its bytes. One that fails does not keep the others from
    being fetched; the exit status is that of the first that failed. Raises UsageError for an
    unknown name, UserError for a file that nobody publishes, DownloadError when offline."""
    wanted = [h for h in _named(names) if names or (h.url and find(h.name) is None)]
    for home in wanted:
        if not home.url:
            raise UserError(f"{home.name}: has no public home of these bytes; {home.obtain}")
    summary: dict[str, Any] = {"fetched": [], "there": [], "failed": {}}
    status = 0
    if any(find(home.name) is None for home in wanted):
        _check_online()  # once, and not once for each file
    for home in wanted:
        found = find(home.name)
        if found is not None and found.parent != fetched():
            print(f"{home.name}: already there, {found}", file=sys.stderr)
            summary["there"].append(home.name)
            continue
        try:
            summary["fetched" if fetch(home) else "there"].append(home.name)
        except SemcoderError as error:
            print(f"error: {error}", file=sys.stderr)
            summary["failed"][home.name] = str(error)
            status = status or error.exit_status
    return {**summary, "folder": str(fetched()), "exit_status": status}


def fetch(home: Home) -> bool:
    """Put `home`'s file into `home()/data`; False when it was already there with the expected
    bytes (others are replaced). Raises DownloadError (offline, no connection, the transfer broke
    off, not there), ChecksumError, and InfrastructureError when the disk is full; the folder is
    then as it was."""
    path = fetched() / home.name
    with workspace.locked(fetched() / ".lock"):
        if path.is_file() and workspace.file_hash(path) == home.sha256:
            print(f"{home.name}: already there, {path}", file=sys.stderr)
            return False
        _check_online()
        print(f"{home.name}: fetching {home.url}", file=sys.stderr)
        part = path.with_name(f".{home.name}.part")
        try:
            _write(home, part)
            os.replace(part, path)
        except OSError as error:
            raise workspace.disk_error(error, path) from error
        finally:
            part.unlink(missing_ok=True)
    return True


def _write(home: Home, part: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as out:
        for piece in _pieces(home):
            digest.update(piece)
            size += len(piece)
            if size > _LONGEST:
                raise ChecksumError(f"{home.name}: {home.url} sends more than {_LONGEST} bytes")
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != home.sha256:
        raise ChecksumError(
            f"{home.name}: {home.url} sent {size} bytes with SHA-256 {digest.hexdigest()[:12]}…, "
            f"expected {home.sha256[:12]}…; nothing was kept"
        )


def _pieces(home: Home) -> Iterator[bytes]:
    """The body, as it is sent. `requests` takes proxies and certificates from the environment."""
    try:
        import requests
    except ImportError:
        raise InfrastructureError(
            "the package requests is not installed; ./run_all.sh setup"
        ) from None
    try:
        # the bytes of the file, not a compressed form of them
        plain = {"Accept-Encoding": "identity"}
        with requests.get(home.url, stream=True, timeout=_SECONDS, headers=plain) as reply:
            if reply.status_code != 200:
                raise _failed(home, f"the server answers {reply.status_code} {reply.reason}")
            yield from reply.iter_content(_PIECE)
    except requests.RequestException as error:
        raise _failed(home, _reason(error)) from error


def _reason(error: Exception) -> str:
    from requests import exceptions

    reasons = (
        (exceptions.ProxyError, "the proxy cannot be used"),
        (exceptions.SSLError, "the server's certificate is not accepted"),
        (exceptions.Timeout, "no answer in time"),
        (exceptions.ChunkedEncodingError, "the transfer broke off"),
        (exceptions.ConnectionError, "no connection"),
    )
    return next((text for kind, text in reasons if isinstance(error, kind)), repr(error)[:200])


def _failed(home: Home, reason: str) -> DownloadError:
    return DownloadError(
        f"{home.name}: {reason} ({home.url}); try again, or fetch it on another machine and put it "
        f"into {fetched()}"
    )


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
