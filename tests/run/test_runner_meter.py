"""The meter of seconds and memory: it outlives a bad moment and ends with its session."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from semcoder_lib.run import meter, notebook


def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([OSError(24, "Too many open files"), 5, 9, 7])

    def look(root: int) -> int:
        found = next(looks, 7)
        if isinstance(found, OSError):
            raise found
        return found

    monkeypatch.setattr(meter, "tree_pss_bytes", look)
    measured = meter.Meter(interval=0.01)
    deadline = time.monotonic() + 10
    while measured.peak_bytes < 9 and time.monotonic() < deadline:
        time.sleep(0.01)
    measured.stop()
    assert measured.peak_bytes == 9
    assert measured.seconds > 0


def test_no_notebook_leaves_its_meter_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    before = set(threading.enumerate())
    run = notebook.begin("01_pyx", "smoke", "left")
    assert set(threading.enumerate()) - before
    run.close()
    assert not set(threading.enumerate()) - before
