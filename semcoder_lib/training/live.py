"""What is seen of a training while it runs: in Jupyter a loss curve that grows, elsewhere a line
every few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from semcoder_lib.core.progress import in_jupyter, say

EVERY = {"jupyter": 1.5, "terminal": 5.0}  # seconds between two looks
WIDTH, HEIGHT = 560, 150


class Live:
    """The steps that a trainer has logged, with their rate and the time that is left."""

    def __init__(self) -> None:
        self.shown = 0.0
        self.handle: Any = None  # of the curve below the cell

    def show(self, rows: Sequence[Mapping[str, Any]], steps: int) -> None:
        """Show the rows (`step`, `loss`, `seconds`) of so many steps, if it is time to."""
        now, ended = time.perf_counter(), rows[-1]["step"] == steps
        if now - self.shown < EVERY["jupyter" if in_jupyter() else "terminal"] and not ended:
            return
        self.shown = now
        line = _line(rows[-1], steps)
        if not in_jupyter():
            say(f"training: {line}")
            return
        from IPython.display import HTML, display

        page = HTML(_curve(line, [row["loss"] for row in rows], steps))
        if self.handle is None:
            self.handle = display(page, display_id=True)
        else:
            self.handle.update(page)


def _line(row: Mapping[str, Any], steps: int) -> str:
    rate = row["step"] / row["seconds"]
    left = (steps - row["step"]) / rate
    return (
        f"step {row['step']}/{steps}, loss {row['loss']:.3f}, {rate:.2f} steps/s, "
        f"{left // 60:.0f}:{left % 60:02.0f} left"
    )


def _curve(line: str, losses: Sequence[float], steps: int) -> str:
    """The losses so far on an axis that has room for all steps, as a picture in the page."""
    top = max(losses) or 1.0
    points = " ".join(
        f"{WIDTH * (n + 1) / steps:.1f},{HEIGHT * (1 - loss / top):.1f}"
        for n, loss in enumerate(losses)
    )
    return (
        f"<p style='margin:0'>{line}</p><svg viewBox='-4 -4 {WIDTH + 8} {HEIGHT + 8}' "
        f"width='{WIDTH}' style='max-width:100%'><path d='M0 0V{HEIGHT}H{WIDTH}' fill='none' "
        f"stroke='#8a9199'/><polyline points='{points}' fill='none' stroke='#4269d0' "
        f"stroke-width='2'/><text x='6' y='10' font-size='11' fill='#8a9199'>{top:.2f} nats a "
        f"trained token</text></svg>"
    )
