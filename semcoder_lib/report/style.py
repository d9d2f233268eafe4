"""How figures look, and how they are saved: PNG and SVG beside their data as CSV.

The same data give the same SVG bytes on the same library versions: ids are salted with a fixed
word and no date is written.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
import pandas as pd

matplotlib.use("Agg")

from matplotlib.figure import Figure  # the backend must be chosen before this import

from semcoder_lib.core import workspace

INK, GREY = "#1f2328", "#8a9199"
PALETTE = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#6cc5b0", "#9c6b4e")
MODELS = {"base": GREY, "tuned": PALETTE[0], "refined": PALETTE[2]}
MONO = {"family": "DejaVu Sans Mono", "va": "top"}

RC: Any = {
    "figure.dpi": 110,
    "savefig.dpi": 160,
    "savefig.facecolor": "white",
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,  # programs and model texts hold dollars
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
    "legend.fontsize": 8,
    "svg.hashsalt": "semcoder",
    "svg.fonttype": "none",
}
F = TypeVar("F", bound=Callable[..., Any])


def styled(draw: F) -> F:
    """A function that draws, in the project's style."""

    @functools.wraps(draw)
    def drawn(*arguments: Any, **named: Any) -> Any:
        with matplotlib.rc_context(RC):
            return draw(*arguments, **named)

    return drawn  # type: ignore[return-value]


def readable(text: str) -> str:
    """Foreign text as any font, file and page can hold it: half characters, controls and tabs as
    escapes and blanks."""
    whole = text.rstrip().expandtabs().encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in whole)


def figure(width: float = 7.2, height: float = 3.6, layout: str | None = "constrained") -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]


def page(width: float, height: float, *place: float) -> tuple[Figure, Any]:
    """A figure for words and boxes, without scales, and its axes."""
    fig = figure(width, height, None)
    return fig, sheet(fig, *place)


def sheet(fig: Figure, *place: float) -> Any:
    """Axes without scales at a place (left, bottom, width, height; the whole figure by default)."""
    axes = fig.add_axes(place or (0, 0, 1, 1))  # type: ignore[arg-type]
    axes.axis("off")
    return axes


@styled
def png(fig: Figure) -> bytes:
    """The figure as a PNG file."""
    out = io.BytesIO()
    fig.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


@styled
def save(folder: Path, name: str, fig: Figure, data: pd.DataFrame) -> bytes:
    """Write `name.png`, `name.svg` and `name.csv` (the data drawn) into `folder`; returns it
    as PNG."""
    svg = io.BytesIO()
    fig.savefig(svg, format="svg", metadata={"Date": None})
    files = {"png": png(fig), "svg": svg.getvalue(), "csv": csv(data)}
    for kind, content in files.items():
        workspace.write_bytes(folder / f"{name}.{kind}", content)
    return files["png"]


def csv(data: pd.DataFrame) -> bytes:
    """A table as a CSV file."""
    return data.to_csv(index=False, lineterminator="\n").encode()
