"""The paper's six figures drawn from a run's own data, and four of ours; how they look, and how
they are saved: PNG and SVG beside their data as CSV.

Every drawing function takes plain data and returns a matplotlib figure and the data that it drew.
The same data give the same SVG bytes on the same library versions: ids are salted with a fixed word
and no date is written.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from semcoder_lib.core import workspace
from semcoder_lib.core.profile import FORMATS

matplotlib.style.use(Path(__file__).with_suffix(".mplstyle"))

Drawn = tuple[Figure, pd.DataFrame]
LONGEST = 46  # lines of a text in figures 1 and 2
SMOOTH = 25  # steps
INK, GREY = "#1f2328", "#8a9199"
PALETTE = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#6cc5b0", "#9c6b4e")
MODELS = {"base": GREY, "tuned": PALETTE[0], "refined": PALETTE[2]}


def readable(text: str) -> str:
    """Foreign text as any font, file and page can hold it: half characters, controls and tabs as
    escapes and blanks."""
    whole = text.rstrip().expandtabs().encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in whole)


def sample_size(n: int) -> str:
    """The n of a score, as every table shows it."""
    return f"{n}: says nothing" if n < 10 else f"{n}"


def png(fig: Figure) -> bytes:
    out = io.BytesIO()
    fig.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


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
    return data.to_csv(index=False, lineterminator="\n").encode()


def _panels(width: float, height: float, rows: int = 1, columns: int = 1, **shared: Any) -> Any:
    """A figure, in inches, and its axes as an array."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, squeeze=False, **shared)


def _sheet(fig: Figure) -> Any:
    """Axes for words and boxes, without scales."""
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    return axes


# --- the paper's figures --------------------------------------------------------------------------


def _texts(*columns: Sequence[tuple[str, str]]) -> Figure:
    """Titled texts in columns; of a long one the beginning."""
    sheets = [[line for text in column for line in (*_lines(*text), "")] for column in columns]
    fig = Figure(figsize=(11, 0.15 * (2 + max(map(len, sheets)))))
    axes = _sheet(fig)
    for place, (lines, column) in enumerate(zip(sheets, columns, strict=True)):
        titles = {title for title, _ in column}
        for weight in ("bold", "normal"):  # both over each other, each with its own lines
            shown = [line if (line in titles) == (weight == "bold") else "" for line in lines]
            axes.text(
                0.02 + 0.5 * place, 0.99, "\n".join(shown), weight=weight, fontsize=7.6,
                linespacing=1.35, family="DejaVu Sans Mono", va="top",
            )  # fmt: skip
    return fig


def _lines(title: str, text: str) -> list[str]:
    wrapped = [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, 66, subsequent_indent="    ") or [""]
    ]
    return [title, *wrapped[:LONGEST], *["…"] * (len(wrapped) > LONGEST)]


def semantics(source: str, kinds: Mapping[str, str] | Sequence[tuple[str, str]]) -> Drawn:
    """Figure 1: one program and the four kinds of semantics (section 2 of the paper): approximate,
    symbolic (the code), operational, abstract. `kinds` maps the kind to its text."""
    source, kinds = readable(source), {k: readable(t) for k, t in dict(kinds).items()}
    fig = _texts([("Symbolic semantics: the program", source)], [*kinds.items()])
    return fig, pd.DataFrame([("symbolic", source), *kinds.items()], columns=["kind", "text"])


def monologue_pair(forward: str, backward: str) -> Drawn:
    """Figure 2: a forward and a backward monologue of the same function, side by side."""
    texts = [
        ("Forward: simulate the execution", readable(forward)),
        ("Backward: deduce an input", readable(backward)),
    ]
    return _texts(texts[:1], texts[1:]), pd.DataFrame(texts, columns=["direction", "text"])


def refinement_curves(curves: Sequence[Mapping[str, Any]]) -> Drawn:
    """Figure 3: pass@1 after each round, one row of panels per benchmark, one column per model and
    one line per label; the oracle (hidden tests fed back, as the paper does) is dashed. Lines stand
    a little beside each other, so that equal ones can be told apart. A curve is `{benchmark, model,
    source, label, points: [{round, value, low, high, n}]}` in fractions."""
    models, benchmarks = (
        list(dict.fromkeys(str(c[key]) for c in curves)) for key in ("model", "benchmark")
    )
    width, height = 3.2 * max(2, len(models)), 0.8 + 2.3 * len(benchmarks)
    fig, panels = _panels(width, height, len(benchmarks), len(models), sharex=True, sharey="row")
    for curve in curves:
        ax = panels[benchmarks.index(curve["benchmark"])][models.index(str(curve["model"]))]
        points = pd.DataFrame(curve["points"])
        value, low, high = (100 * points[k] for k in ("value", "low", "high"))
        place = len(ax.containers)  # of those drawn before
        ax.errorbar(
            points["round"] + 0.05 * place, value, yerr=[value - low, high - value], marker="o",
            ms=4, lw=1.8, elinewidth=1.0, color=PALETTE[place % len(PALETTE)],
            label=curve["label"], ls="--" if curve["source"] == "oracle" else "-",
        )  # fmt: skip
        count = f" (n = {points['n'][0]})" if "n" in points else ""
        ax.set_title(f"{curve['benchmark']}, {curve['model']}{count}")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("round of refinement")
        ax.legend(fontsize=7, handlelength=3)
    for line in panels:
        line[0].set_ylabel("pass@1 (%)")
        line[0].set_ylim(bottom=-3)
    rows = [
        {"model": c["model"], "curve": c["label"], **{k: p[k] for k in p if k != "n"}}
        for c in curves
        for p in c["points"]
    ]
    return fig, pd.DataFrame(rows)


def pipeline(steps: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Drawn:
    """Figure 4: the data pipeline in columns of boxes, each with the run's own count. A label that
    begins with "and" is not made of the box above, so no arrow leads to it."""
    fig = Figure(figsize=(9.6, 3.8))
    axes = _sheet(fig)
    axes.set_xlim(0, len(steps))
    axes.set_ylim(-max(len(boxes) for _, boxes in steps) - 0.2, 0.9)
    arrow = {"arrowstyle": "-|>", "color": GREY}
    for column, (title, boxes) in enumerate(steps):
        colour, x = PALETTE[column % len(PALETTE)], column + 0.5
        axes.text(x, 0.45, title, ha="center", weight="bold", color=colour)
        for place, (label, count) in enumerate(boxes):
            box = {"boxstyle": "round,pad=0.6", "fc": "white", "ec": colour}
            words = f"{label}\n{count:,}"
            axes.text(x, -place - 0.4, words, fontsize=8.6, ha="center", va="center", bbox=box)
            if place + 1 < len(boxes) and not boxes[place + 1][0].startswith("and "):
                axes.annotate("", (x, -place - 1.1), (x, -place - 0.7), arrowprops=arrow)
        if column + 1 < len(steps):
            axes.annotate("", (x + 0.6, -0.4), (x + 0.4, -0.4), arrowprops=arrow)
    rows = [(title, *box) for title, boxes in steps for box in boxes]
    return fig, pd.DataFrame(rows, columns=["step", "box", "count"])


def similarity(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Drawn:
    """Figure 5: how similar the corpus is to each benchmark (edit similarity, maximum over the
    benchmark's items, 0 to 1): one panel per benchmark, one density per corpus."""
    size = 3.7 * max(2, len(panels)), 3.2
    fig, (axes,) = _panels(*size, columns=max(1, len(panels)), sharey=True)
    rows = []
    for ax, (benchmark, corpora) in zip(axes, panels.items(), strict=False):
        for (corpus, values), colour in zip(corpora.items(), PALETTE, strict=False):
            if not values:
                continue
            counts, edges = np.histogram(values, bins=20, range=(0, 1))
            share = counts / len(values)
            ax.stairs(share, edges, fill=True, alpha=0.25, color=colour)
            ax.stairs(share, edges, color=colour, lw=1.6, label=f"{corpus} (n={len(values):,})")
            rows += [(benchmark, corpus, i / 20, s) for i, s in enumerate(share)]
        ax.set(title=benchmark, xlabel="edit similarity to the nearest item", xlim=(0, 1))
        if any(corpora.values()):
            ax.legend()
    axes[0].set_ylabel("share of programs")
    return fig, pd.DataFrame(rows, columns=["benchmark", "corpus", "from", "share"])


def categories(shares: Mapping[str, Mapping[str, float]]) -> Drawn:
    """Figure 6: share of programs per category, one bar colour per corpus."""
    frame = pd.DataFrame(shares).fillna(0.0)
    order = sorted(frame.index, key=lambda name: (-frame.loc[name].max(), name))
    frame = frame.loc[order]
    fig, ((ax,),) = _panels(7.2, 0.9 + 0.38 * max(3, len(frame)))
    height = 0.8 / max(1, len(frame.columns))
    for place, corpus in enumerate(frame):
        ys = np.arange(len(frame)) + (place - (len(frame.columns) - 1) / 2) * height
        colour = PALETTE[place % len(PALETTE)]
        ax.barh(ys, 100 * frame[corpus], height * 0.9, color=colour, label=corpus)
    ax.set_yticks(range(len(frame)), order)
    ax.invert_yaxis()
    ax.set_xlabel("share of programs (%)")
    ax.legend()
    rows = [(corpus, name, frame.loc[name, corpus]) for corpus in frame for name in order]
    return fig, pd.DataFrame(rows, columns=["corpus", "category", "share"])


# --- ours -----------------------------------------------------------------------------------------


def loss_curve(curves: Mapping[str, Sequence[Sequence[float]]]) -> Drawn:
    """Training loss per optimizer step, one line per phase or format. Steps of like rows differ
    much in loss, so a long curve is drawn as its mean over the last `SMOOTH` steps, the steps
    behind it faintly; the data hold every step."""
    fig, ((ax,),) = _panels(6.4, 3.2)
    for place, (name, points) in enumerate(curves.items()):
        line = ("-", "--", ":")[place // len(PALETTE) % 3]
        look: Any = {"color": PALETTE[place % len(PALETTE)], "ls": line}
        steps, losses = (pd.Series(part, dtype=float) for part in zip(*points, strict=True))
        if len(points) > 4 * SMOOTH:
            ax.plot(steps, losses, lw=0.6, alpha=0.25, **look)
            losses = losses.rolling(SMOOTH, min_periods=1).mean()
            name = f"{name} (mean of {SMOOTH} steps)"
        ax.plot(steps, losses, lw=1.6, label=name, marker="." if len(points) < 3 else "", **look)
    ax.set(xlabel="optimizer step", ylabel="loss (nats per trained token)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_ylim(bottom=0, top=1.05 * ax.get_ylim()[1])
    ax.legend()
    rows = [(name, *point) for name, points in curves.items() for point in points]
    return fig, pd.DataFrame(rows, columns=["phase", "step", "loss"])


def scores(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Drawn:
    """pass@1 with its 95 % interval, benchmark by benchmark, base beside tuned."""
    benchmarks = list(dict.fromkeys(r["benchmark"] for r in rows))
    fig, ((ax,),) = _panels(7.6, 0.8 + 0.24 * max(4, len(rows) + len(benchmarks)))
    y, ticks = 0.0, {}
    for benchmark in benchmarks:
        ax.text(0, y, titles.get(benchmark, benchmark), weight="bold", va="center", fontsize=9)
        y += 1
        for r in (r for r in rows if r["benchmark"] == benchmark):
            _bar(ax, y, r, MODELS.get(r["model"], PALETTE[1]))
            value = 100 * r["value"]
            ax.text(max(100 * r["high"], value) + 0.8, y, f"{value:.1f}", va="center", fontsize=8)
            ticks[y] = f"{r['model']}, {r['setting'].replace('_', ' ')} (n={r['n']})"
            y += 1
        y += 0.4
    ax.set_yticks(list(ticks), list(ticks.values()), fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("pass@1 (%), bar: 95 % interval")
    ax.set_xlim(0, max([100 * r["high"] for r in rows], default=10) * 1.15 + 3)
    columns = ["benchmark", "model", "setting", "n", "value", "low", "high"]
    return fig, pd.DataFrame(rows, columns=columns)


def _bar(ax: Any, y: float, row: Mapping[str, Any], colour: str) -> None:
    ax.barh(y, 100 * row["value"], height=0.72, color=colour, alpha=0.85)
    ax.plot([100 * row["low"], 100 * row["high"]], [y, y], color=INK, lw=1.1)


def format_bars(
    pooled: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
) -> Drawn:
    """The ablation: accuracy over the seeds with its interval for each format, a dot for each seed;
    one panel for each set of items, formats with equal examples above those with equal tokens."""
    panels = list(dict.fromkeys(r["benchmark"] for r in pooled))
    arms = list(dict.fromkeys(map(_arm, pooled)))
    size = 1.6 + 3.2 * len(panels), 0.9 + 0.34 * len(arms)
    fig, (axes,) = _panels(*size, columns=len(panels), sharey=True)
    for r in pooled:
        ax, y = axes[panels.index(r["benchmark"])], arms.index(_arm(r))
        _bar(ax, y, r, _colour(r))
        same = [s for s in scores if (s["benchmark"], _arm(s)) == (r["benchmark"], _arm(r))]
        seeds = [100 * s["value"] for s in same]
        ax.plot(seeds, [y] * len(seeds), "o", ms=3, mfc="white", mec=INK, mew=0.8)
    for ax, panel in zip(axes, panels, strict=True):
        ax.set_title(titles.get(panel, panel), fontsize=9)
        ax.set_xlabel("right (%)")
        ax.set_xlim(left=0)
    axes[0].set_yticks(range(len(arms)), arms, fontsize=8)
    axes[0].invert_yaxis()
    columns = ["benchmark", "view", "format", "seeds", "n", "value", "low", "high"]
    return fig, pd.DataFrame(pooled, columns=columns)


def _arm(row: Mapping[str, Any]) -> str:
    return row["format"].replace("_", " ") + (", equal tokens" if row["view"] == "tokens" else "")


def _colour(row: Mapping[str, Any]) -> str:
    return PALETTE[FORMATS.index(row["format"]) % len(PALETTE)]


def chain_survival(chains: Sequence[Mapping[str, Any]]) -> Drawn:
    """How far the steps of each format go right: of the chains with at least k steps, or broken
    before, the share that is right up to the k-th."""
    fig, ((ax,),) = _panels(6.4, 3.2)
    for row in chains:
        steps, shares, _ = zip(*row["survival"], strict=True) if row["survival"] else ((), (), ())
        ax.plot(
            steps, [100 * share for share in shares], marker=".", lw=1.4, label=_arm(row),
            color=_colour(row), ls="--" if row["view"] == "tokens" else "-",
        )  # fmt: skip
    ax.set(xlabel="steps (lines of a trace, claims of a monologue)", ylim=(0, 100))
    ax.set_ylabel("chains right so far (%)")
    ax.legend()
    rows = [(row["view"], row["format"], *point) for row in chains for point in row["survival"]]
    return fig, pd.DataFrame(rows, columns=["view", "format", "step", "share", "n"])
