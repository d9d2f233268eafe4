"""Lists data files, and fetches them from their public homes when a user asks for it.

A file gets its name only when it is whole and has the expected checksum; what a killed transfer
leaves is removed by the next one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import pooch
import requests

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import (
    ChecksumError,
    DownloadError,
    SemcoderError,
    UsageError,
    UserError,
)
from semcoder_lib.evaluation.data import HOMES, Home, fetched, find

OFFLINE = ("SEMCODER_OFFLINE", "HF_HUB_OFFLINE")
_SECONDS = (10, 60)  # to connect; between two pieces


def list_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Every file (or those named) as JSON data, and as text on standard error: `state` is `good`,
    `other` (found, with other bytes than the pinned ones; it is used all the same) or `missing`.
    Raises UsageError for an unknown name."""
    files = []
    counts = {"good": 0, "other": 0, "missing": 0}
    for home in _named(names):
        path, where = find(home.name), home.url or home.source
        digest = workspace.file_hash(path) if path else ""
        state = "missing" if not path else "good" if digest == home.sha256 else "other"
        counts[state] += 1
        files.append(
            {"name": home.name, "state": state, "path": str(path or ""), "sha256": digest,
             "rows": home.rows, "licence": home.licence, "home": where, "fetch": bool(home.url)}
        )  # fmt: skip
        _say(f"{state:<8} {home.name}  {path or ''}".rstrip())
        if state == "other":
            _say(f"         not the pinned bytes: SHA-256 {digest}")
        elif state == "missing":
            _say(f"         {home.rows} rows, {home.licence}: {where}")
            _say(*[f"         to make it: {home.obtain}"] * bool(home.obtain))
    return {"files": files, **counts}


def fetch_command(names: Sequence[str] = ()) -> dict[str, Any]:
    """Fetch the files named, or every missing one that has a URL. A file found elsewhere than in
    `home()/data` is left alone, whatever its bytes. One that fails does not keep the others from
    being fetched; the exit status is that of the first that failed. Raises UsageError for an
    unknown name, UserError for a file that nobody publishes, DownloadError when offline."""
    wanted = [h for h in _named(names) if names or (h.url and find(h.name) is None)]
    for home in wanted:
        if not home.url:
            raise UserError(f"{home.name}: has no public home of these bytes; {home.obtain}")
    if any(find(home.name) is None for home in wanted):
        _check_online()  # once, and not once for each file
    summary: dict[str, Any] = {"fetched": [], "there": [], "failed": {}}
    status = 0
    for home in wanted:
        found = find(home.name)
        try:
            there = found is not None and found.parent != fetched()
            summary["there" if there or not fetch(home) else "fetched"].append(home.name)
            _say(f"{home.name}: {find(home.name)}")
        except SemcoderError as error:
            _say(f"error: {error}")
            summary["failed"][home.name] = str(error)
            status = status or error.exit_status
    return {**summary, "folder": str(fetched()), "exit_status": status}


def fetch(home: Home) -> bool:
    """Put `home`'s file into `home()/data`; False when it was already there with the expected
    bytes (others are replaced). Raises DownloadError (offline, no connection, the transfer broke
    off, not there), ChecksumError, and InfrastructureError when the disk is full; the folder is
    then as it was."""
    path = fetched() / home.name
    pooch.get_logger().setLevel("ERROR")
    with workspace.locked(fetched() / ".lock"):
        if path.is_file() and workspace.file_hash(path) == home.sha256:
            return False
        _check_online()
        for left in fetched().glob("tmp*"):  # what a killed transfer had got
            left.unlink()
        _say(f"{home.name}: fetching {home.url}")
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


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
