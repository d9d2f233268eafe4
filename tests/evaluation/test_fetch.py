"""Fetching data files, against a server on this machine. Nothing here leaves the machine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
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
from semcoder_lib.evaluation import Missing, data, get

BODY = b'{"id": "sample_0"}\n' * 20_000
SHA256 = hashlib.sha256(BODY).hexdigest()
NAME = "cruxeval.jsonl"


class Handler(BaseHTTPRequestHandler):
    """/good, /bad (other bytes), /slow (never ends); else 404."""

    bodies = {"/good": BODY, "/bad": BODY[::-1], "/slow": BODY[: len(BODY) // 2]}  # noqa: RUF012
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path not in self.bodies:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(self.bodies[self.path])
        self.wfile.flush()
        time.sleep(60 if self.path == "/slow" else 0)

    def log_message(self, *_: object) -> None:
        pass


class Place:
    """A server, the folder of fetched files, and the command."""

    def __init__(self, folder: Path, monkeypatch: Any, capsys: Any) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.asked: list[str] = []
        handler = type("Fresh", (Handler,), {"asked": self.asked})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads, self.server.block_on_close = True, False
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def kept(self) -> list[str]:
        found = self.folder.iterdir() if self.folder.exists() else ()
        return sorted(p.name for p in found if p.name != ".lock")

    def address(self, what: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{what}"

    def serves(self, what: str, name: str = NAME) -> None:
        """The file's home is the server's `what`, or that address."""
        url = what if ":" in what or not what else self.address(what)
        home = data.Home(name, SHA256, 20_000, "MIT", "a test", url, "" if url else "make it")
        self.monkeypatch.setitem(data.HOMES, name, home)

    def run(self, *words: str) -> tuple[int, dict[str, Any], list[str]]:
        status = __main__.main(["data", *words])
        out, err = self.capsys.readouterr()
        return status, json.loads((out.splitlines() or ["{}"])[-1]), err.splitlines()

    def gets(self) -> bool:
        """Whether a fetch succeeds, and leaves the right file alone."""
        good = self.run("fetch", NAME)[0] == 0
        return good and (self.folder / NAME).read_bytes() == BODY and self.kept == [NAME]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: Any, capsys: Any) -> Iterator[Place]:
    for name in ("SEMCODER_DATA", "HTTP_PROXY", "http_proxy", *data.OFFLINE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    place = Place(tmp_path / "data", monkeypatch, capsys)
    yield place
    place.server.shutdown()
    place.server.server_close()


def test_a_file_is_fetched_once(place: Place) -> None:
    place.serves("good")
    assert workspace.find_data(NAME) is None
    status, summary, _ = place.run("fetch", NAME)
    assert (status, summary["fetched"], summary["failed"]) == (0, [NAME], {})
    assert data.locate("cruxeval-o", (NAME,), "its home", None) == place.folder / NAME
    asked = len(place.asked)
    assert place.run("fetch", NAME)[1]["there"] == [NAME]
    assert place.gets()
    assert len(place.asked) == asked


@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        ("bad", 6, "SHA-256"),
        ("gone", 5, "404"),
        ("http://127.0.0.1:9/good", 5, "ConnectionError"),
        ("full", 3, "no space left"),
    ],
)
def test_what_is_not_the_file_is_not_kept(
    what: str, status: int, reason: str, place: Place
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    place.serves(what)
    if what == "full":
        place.monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    for before in ([], [NAME]):
        found, summary, err = place.run("fetch", NAME)
        assert found == status
        assert reason in summary["failed"][NAME]
        assert len([line for line in err if line.startswith("error: ")]) == 1
        assert place.kept == before
        if before:
            assert (place.folder / NAME).read_bytes() == b"damaged"
        place.folder.mkdir(exist_ok=True)
        (place.folder / NAME).write_bytes(b"damaged")  # is replaced only by the right one
    if what != "full":
        place.serves("good")
        assert place.gets()


def test_a_killed_fetch_leaves_no_file_and_the_next_one_is_whole(place: Place) -> None:
    place.serves("good")
    script = (
        "import sys; from semcoder_lib import __main__; from semcoder_lib.evaluation import data\n"
        f"data.HOMES[{NAME!r}] = data.Home({NAME!r}, {SHA256!r}, 1, '', '', sys.argv[1])\n"
        f"__main__.main(['data', 'fetch', {NAME!r}])\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, place.address("slow")])
    deadline = time.monotonic() + 60
    try:
        # not `place.kept`: pooch tries the folder with a file that is gone again at once
        while not place.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
    (part,) = place.kept
    assert part != NAME
    (place.folder / part).write_bytes(BODY * 2)  # longer than the file: nothing of it may stay
    assert place.gets()


def test_two_at_once_download_once(place: Place) -> None:
    place.serves("good")
    with ThreadPoolExecutor() as pool:
        fetched = list(pool.map(data.fetch, [data.HOMES[NAME]] * 4))
    assert sorted(fetched) == [False, False, False, True]
    assert place.asked == ["/good"]


@pytest.mark.parametrize("switch", data.OFFLINE)
def test_offline_is_refused(switch: str, place: Place) -> None:
    place.serves("good")
    place.monkeypatch.setenv(switch, "1")
    status, _, err = place.run("fetch", NAME)
    assert status == 5
    assert err == [f"error: nothing is fetched, because {switch}=1 forbids it; unset it"]
    assert place.asked == []
    place.monkeypatch.setenv(switch, "0")
    assert place.gets()
    place.monkeypatch.setenv(switch, "1")
    assert place.gets()  # there already: no network is needed


def test_a_users_own_file_is_used_and_left_alone(place: Place, tmp_path: Path) -> None:
    place.serves("good")
    own = tmp_path / "mine" / NAME
    own.parent.mkdir()
    own.write_text("{}\n")
    place.monkeypatch.setenv("SEMCODER_DATA", str(own.parent))
    assert place.run("fetch", NAME)[1]["there"] == [NAME]
    assert place.asked == []
    _, summary, err = place.run("list", NAME)
    row = summary["files"][0]
    assert (row["state"], row["path"]) == ("other", str(own))
    assert row["sha256"] == workspace.file_hash(own)
    assert any("not the pinned bytes" in line for line in err)


def test_one_failure_does_not_stop_the_others(place: Place) -> None:
    for name in list(data.HOMES):
        place.monkeypatch.delitem(data.HOMES, name)
    for name, what in (("a", "bad"), ("b", "good"), ("c", "gone"), ("d", "")):
        place.serves(what, name)
    status, summary, _ = place.run("fetch")
    assert (status, summary["fetched"], sorted(summary["failed"])) == (6, ["b"], ["a", "c"])
    status, summary, err = place.run()
    assert (status, summary["good"], summary["missing"]) == (0, 1, 3)
    assert any("make it" in line for line in err)


def test_names_that_cannot_be_fetched(place: Place) -> None:
    for name, status, why in (("no-file", 2, NAME), ("authors_prompts.json", 1, "src/prompts.py")):
        found, _, (line,) = place.run("fetch", name)
        assert (found, why in line, place.kept) == (status, True, [])


def test_missing_data_name_the_command_and_where_was_looked(place: Place) -> None:
    place.monkeypatch.setenv("SEMCODER_DATA", "/nowhere")
    for name, file in (("cruxeval-o", NAME), ("mbpp+", "MbppPlus-v0.2.0.jsonl.gz"), ("pyx-i", "")):
        with pytest.raises(Missing, match=r"/nowhere.*home is") as caught:
            get(name).load()
        assert (f"python -m semcoder_lib data fetch {file}" in str(caught.value)) == bool(file)
    assert not place.folder.exists()


def test_the_table() -> None:
    for name, home in data.HOMES.items():
        assert bool(home.url) != bool(home.obtain)
        assert home.url.startswith("https://" if home.url else "")
        assert home.rows
        assert home.licence
        file = Path(os.environ.get("SEMCODER_DATA", "")) / name
        assert not file.is_file() or workspace.file_hash(file) == home.sha256, name
