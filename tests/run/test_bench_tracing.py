from __future__ import annotations

import pytest

from semcoder_lib.core.records import Case, Program
from semcoder_lib.run.bench import tracing as bench
from semcoder_lib.sandbox import Sandbox


def test_the_figures_of_one_loop(capsys: pytest.CaptureFixture[str]) -> None:
    source, given = bench.LOOPS["words"]
    calls = [(Program(source, "f"), Case((given[0][:40],)))]
    with Sandbox(workers=1) as box:
        found = bench._compare("one", calls, ["plain", "settrace", "ours"], (), box)
    assert found["calls"] == 1
    assert found["lines"] == 2 * 40 + 3  # header and body of each turn, first line, end, return
    assert found["plain"]["slowdown"] == 1.0
    assert found["ours"]["slowdown"] > found["settrace"]["slowdown"] > 1.0
    assert 10 < found["ours"]["bytes_per_event"] < 200
    table = capsys.readouterr().err
    assert "events/s" in table
    assert "ours" in table


def test_missing_peers_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "_PEERS", ("surely_not_installed",))
    assert bench._peers() == ((), ())
    assert "surely_not_installed is not installed" in capsys.readouterr().err
