"""Fetching data files, against a server on this machine. Nothing here leaves the machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pooch
import pytest

from semcoder_lib import __main__
from semcoder_lib.core import workspace
from semcoder_lib.evaluation import Missing, fetch, get
from semcoder_lib.evaluation import data as homes

BODY = b'{"id": "sample_0"}\n' * 20_000
SHA256 = hashlib.sha256(BODY).hexdigest()
NAME = "cruxeval.jsonl"


class Handler(BaseHTTPRequestHandler):
    """/good, /bad (other bytes), /short (breaks off), /slow (never ends), /moved; else 404."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        what = self.path.rpartition("/")[2]
        if what == "moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        if what not in ("good", "bad", "short", "slow"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        half = len(BODY) // 2
        if what in ("good", "bad"):
            self.wfile.write(BODY if what == "good" else BODY[::-1])
        else:
            self.wfile.write(BODY[:half])
            self.wfile.flush()
            if what == "slow":
                time.sleep(60)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Fresh", (Handler,), {"asked": []})
    found = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    found.daemon_threads = True
    found.block_on_close = False
    threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SEMCODER_DATA", "HTTP_PROXY", "http_proxy", *fetch.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    return tmp_path / "data"


def at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    home = homes.Home(NAME, SHA256, 20_000, "MIT", "a test", url)
    monkeypatch.setitem(homes.HOMES, NAME, home)


def address(server: ThreadingHTTPServer, what: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{what}"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], list[str]]:
    status = __main__.main(["data", *words])
    told = capsys.readouterr()
    lines = told.out.splitlines()
    return status, json.loads(lines[-1]) if lines else {}, told.err.splitlines()


def kept(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock") if folder.exists() else []


@pytest.mark.parametrize("what", ["good", "moved"])
def test_a_file_is_fetched_once(
    what: str, server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, address(server, what))
    assert workspace.find_data(NAME) is None
    status, summary, _ = run(capsys, "fetch", NAME)
    assert (status, summary["fetched"], summary["failed"]) == (0, [NAME], {})
    assert (folder / NAME).read_bytes() == BODY
    assert kept(folder) == [NAME]
    assert homes.locate("cruxeval-o", (NAME,), "its home", None) == folder / NAME
    asked = len(server.RequestHandlerClass.asked)
    status, summary, _ = run(capsys, "fetch", NAME)
    assert (status, summary["fetched"], summary["there"]) == (0, [], [NAME])
    assert len(server.RequestHandlerClass.asked) == asked


@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        ("bad", 6, "SHA-256"),
        ("short", 5, "broke off"),
        ("gone", 5, "404"),
    ],
)
def test_what_is_not_the_file_is_not_kept(
    what: str, status: int, reason: str, server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, address(server, what))
    found, summary, err = run(capsys, "fetch", NAME)
    assert found == status
    assert reason in summary["failed"][NAME]
    assert len([line for line in err if line.startswith("error: ")]) == 1
    assert kept(folder) == []
    at(monkeypatch, address(server, "good"))
    assert run(capsys, "fetch", NAME)[0] == 0


def test_nobody_listens(folder: Path, monkeypatch: Any, capsys: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    at(monkeypatch, f"http://127.0.0.1:{port}/good")
    status, summary, err = run(capsys, "fetch", NAME)
    assert status == 5
    assert "no connection" in summary["failed"][NAME]
    assert str(folder) in err[-1]


def test_the_proxy_of_the_environment_is_asked(
    server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, "http://home.invalid/good")
    monkeypatch.setenv("http_proxy", address(server, ""))
    assert run(capsys, "fetch", NAME)[0] == 0
    assert server.RequestHandlerClass.asked == ["http://home.invalid/good"]


def test_a_killed_fetch_leaves_no_file_and_the_next_one_is_whole(
    server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, address(server, "good"))
    script = (
        "import sys; from semcoder_lib import __main__; from semcoder_lib.evaluation import data\n"
        f"data.HOMES[{NAME!r}] = data.Home({NAME!r}, {SHA256!r}, 1, '', '', sys.argv[1])\n"
        f"__main__.main(['data', 'fetch', {NAME!r}])\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, address(server, "slow")])
    deadline = time.monotonic() + 60
    try:
        while not kept(folder) and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
    (part,) = kept(folder)
    assert part != NAME
    assert workspace.find_data(NAME) is None
    (folder / part).write_bytes(BODY * 2)  # longer than the file: nothing of it may stay
    assert run(capsys, "fetch", NAME)[0] == 0
    assert (folder / NAME).read_bytes() == BODY
    assert kept(folder) == [NAME]


def test_two_at_once_download_once(server: Any, folder: Path, monkeypatch: Any) -> None:
    at(monkeypatch, address(server, "good"))
    with ThreadPoolExecutor() as pool:
        fetched = list(pool.map(fetch.fetch, [homes.HOMES[NAME]] * 4))
    assert sorted(fetched) == [False, False, False, True]
    assert server.RequestHandlerClass.asked == ["/good"]
    assert (folder / NAME).read_bytes() == BODY


def test_a_full_disk(server: Any, folder: Path, monkeypatch: Any, capsys: Any) -> None:
    at(monkeypatch, address(server, "good"))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(pooch.HTTPDownloader, "__call__", full)
        status, summary, _ = run(capsys, "fetch", NAME)
    assert status == 3
    assert "no space left" in summary["failed"][NAME]
    assert kept(folder) == []


@pytest.mark.parametrize("switch", fetch.OFFLINE)
def test_offline_is_refused(
    switch: str, server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, address(server, "good"))
    monkeypatch.setenv(switch, "1")
    status, _, err = run(capsys, "fetch", NAME)
    assert status == 5
    assert err == [f"error: nothing is fetched, because {switch}=1 forbids it; unset it"]
    assert server.RequestHandlerClass.asked == []
    monkeypatch.setenv(switch, "0")
    assert run(capsys, "fetch", NAME)[0] == 0
    monkeypatch.setenv(switch, "1")
    assert run(capsys, "fetch", NAME)[0] == 0  # there already: no network is needed


def test_a_damaged_file_is_replaced_only_by_the_right_one(
    server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(b"damaged")
    at(monkeypatch, address(server, "bad"))
    assert run(capsys, "fetch", NAME)[0] == 6
    assert (folder / NAME).read_bytes() == b"damaged"
    at(monkeypatch, address(server, "good"))
    assert run(capsys, "fetch", NAME)[0] == 0
    assert (folder / NAME).read_bytes() == BODY


def test_a_users_own_file_is_used_and_left_alone(
    server: Any, folder: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    at(monkeypatch, address(server, "good"))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / NAME).write_text("{}\n")
    monkeypatch.setenv("SEMCODER_DATA", str(mine))
    status, summary, _ = run(capsys, "fetch", NAME)
    assert (status, summary["there"]) == (0, [NAME])
    assert server.RequestHandlerClass.asked == []
    status, summary, err = run(capsys, "list", NAME)
    row = summary["files"][0]
    assert (status, row["state"], row["path"]) == (0, "other", str(mine / NAME))
    assert row["sha256"] == workspace.file_hash(mine / NAME)
    assert any("not the pinned bytes" in line for line in err)


def test_one_failure_does_not_stop_the_others(
    server: Any, folder: Path, monkeypatch: Any, capsys: Any
) -> None:
    for name in list(homes.HOMES):
        monkeypatch.delitem(homes.HOMES, name)
    for name, what in (("a", "bad"), ("b", "good"), ("c", "gone"), ("d", "")):
        url = address(server, what) if what else ""
        monkeypatch.setitem(homes.HOMES, name, homes.Home(name, SHA256, 1, "", "x", url, "make it"))
    status, summary, _ = run(capsys, "fetch")
    assert status == 6
    assert (summary["fetched"], sorted(summary["failed"])) == (["b"], ["a", "c"])
    status, summary, err = run(capsys)
    assert (status, summary["good"], summary["missing"]) == (0, 1, 3)
    assert any("make it" in line for line in err)


def test_names_that_cannot_be_fetched(folder: Path, capsys: Any) -> None:
    status, _, err = run(capsys, "fetch", "no-such-file")
    assert (status, len(err)) == (2, 1)
    assert NAME in err[0]
    status, _, err = run(capsys, "fetch", "authors_prompts.json")
    assert (status, len(err)) == (1, 1)
    assert "src/prompts.py" in err[0]
    assert run(capsys, "frobnicate")[0] == 2
    assert kept(folder) == []


def test_a_missing_benchmark_names_the_command(folder: Path) -> None:
    for name, file in (
        ("cruxeval-o", NAME),
        ("humaneval+", "HumanEvalPlus-v0.1.10.jsonl.gz"),
        ("mbpp+", "MbppPlus-v0.2.0.jsonl.gz"),
    ):
        with pytest.raises(Missing, match=f"python -m semcoder_lib data fetch {file}"):
            get(name).load()
    assert not folder.exists()


def test_the_table() -> None:
    for name, home in homes.HOMES.items():
        assert name == home.name
        assert len(home.sha256) == 64
        assert bool(home.url) != bool(home.obtain)
        assert home.url.startswith("https://" if home.url else "")
        assert home.rows
        assert home.licence
        assert "/main/" not in home.url


@pytest.mark.data
def test_the_checksums_are_those_of_the_files_at_hand() -> None:
    folder = Path(os.environ["SEMCODER_DATA"])
    there = [home for home in homes.HOMES.values() if (folder / home.name).is_file()]
    for home in there:
        assert workspace.file_hash(folder / home.name) == home.sha256, home.name
