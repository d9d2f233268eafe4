"""How figures look, and how they are saved: PNG and SVG beside their data as CSV.

The same data give the same SVG bytes on the same library versions: ids are salted with a fixed
word and no date is written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure  # the backend must be chosen before this import

from semcoder_lib.core import workspace

INK = "#1f2328"
GREY = "#8a9199"
PALETTE = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#6cc5b0", "#9c6b4e")
FORMATS = dict(
    zip(
        ("direct", "scratchpad", "next", "concise", "monologue", "shuffled", "answer_only"),
        PALETTE,
        strict=True,
    )
)
BASE, TUNED, REFINED = "#8a9199", "#4269d0", "#3ca951"

RC: Any = {
    "figure.dpi": 110,
    "savefig.dpi": 160,
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "semcoder",
    "svg.fonttype": "none",
}


class _Styled(Figure):
    """Axes read the style when they are made, which is after the figure was."""

    def add_subplot(self, *args: Any, **kwargs: Any) -> Any:
        with matplotlib.rc_context(RC):
            return super().add_subplot(*args, **kwargs)


def figure(width: float = 7.2, height: float = 3.6, *, arranged: bool = True) -> Figure:
    """An empty figure in the project's style (inches); `arranged` leaves the places of its axes to
    matplotlib."""
    with matplotlib.rc_context(RC):
        return _Styled(figsize=(width, height), layout="constrained" if arranged else None)


def save(fig: Figure, folder: Path, name: str, header: Sequence[str], rows: Any) -> list[Path]:
    """`name.png`, `name.svg` and `name.csv` (the data drawn) in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for kind in ("png", "svg", "csv")]
    with matplotlib.rc_context(RC):
        for path in paths[:2]:
            out = io.BytesIO()
            extra = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            fig.savefig(out, format=path.suffix[1:], metadata=extra, facecolor="white")
            workspace.write_bytes(path, out.getvalue())
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    workspace.write_text(paths[2], text.getvalue())
    return paths
