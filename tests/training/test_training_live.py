"""What is seen while a training runs."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from semcoder_lib.training import live

ROWS = [{"step": n, "loss": 4.0 / n, "seconds": 2.0 * n} for n in range(1, 5)]


def test_a_terminal_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    shown = live.Live()
    for count in range(1, 5):
        shown.show(ROWS[:count], 4)
    first, last = capsys.readouterr().err.splitlines()  # steps 2 and 3 came too soon
    assert first == "training: step 1/4, loss 4.000, 0.50 steps/s, 0:06 left"
    assert last == "training: step 4/4, loss 1.000, 0.50 steps/s, 0:00 left"


def test_jupyter_gets_one_curve_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    pages: list[str] = []

    def display(page: Any, display_id: bool) -> Any:
        pages.append(page.data)
        return types.SimpleNamespace(update=lambda new: pages.append(new.data))

    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setitem(live.EVERY, "jupyter", 0.0)
    shown = live.Live()
    for count in range(1, 5):
        shown.show(ROWS[:count], 4)
    assert len(pages) == 4
    points = [page.partition("points='")[2].partition("'")[0].split() for page in pages]
    assert [len(place) for place in points] == [1, 2, 3, 4]
    assert points[-1][0].startswith(f"{live.WIDTH / 4:.1f},")
    assert points[-1][-1] == f"{live.WIDTH:.1f},{0.75 * live.HEIGHT:.1f}"
