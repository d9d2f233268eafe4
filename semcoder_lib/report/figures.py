"""The paper's six figures drawn from a run's own data, and four of ours.

Every function takes plain data and returns a matplotlib figure and the data that it drew; nothing
here reads files.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.ticker
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from semcoder_lib.core.profile import FORMATS
from semcoder_lib.report import style

Drawn = tuple[Figure, pd.DataFrame]
LONGEST = 46  # lines of a monologue in figure 2
SMOOTH = 25  # steps


@style.styled
def semantics(source: str, kinds: Mapping[str, str]) -> Drawn:
    """Figure 1: one program and the four kinds of semantics (section 2 of the paper): approximate,
    symbolic (the code), operational, abstract. `kinds` maps the kind to its text."""
    source, kinds = style.readable(source), {k: style.readable(t) for k, t in kinds.items()}
    fig, axes = style.page(9.2, 4.6)
    axes.text(0.02, 0.94, "Symbolic semantics: the program", weight="bold", va="top")
    box = {"boxstyle": "round,pad=0.7", "fc": "#f4f6f8", "ec": style.GREY}
    axes.text(0.02, 0.87, source, fontsize=9, linespacing=1.5, bbox=box, **style.MONO)
    top = 0.94
    for (kind, text), colour in zip(kinds.items(), style.PALETTE, strict=False):
        wrapped = _wrapped(text, 58)
        axes.text(0.50, top, kind, weight="bold", color=colour, va="top")
        axes.text(0.50, top - 0.055, "\n".join(wrapped), fontsize=8.5, va="top", linespacing=1.35)
        top -= 0.10 + 0.042 * len(wrapped)
    return fig, pd.DataFrame([("symbolic", source), *kinds.items()], columns=["kind", "text"])


@style.styled
def monologue_pair(forward: str, backward: str, claims: Sequence[Mapping[str, Any]] = ()) -> Drawn:
    """Figure 2: a forward and a backward monologue of the same function, side by side."""
    texts = {
        "Forward: simulate the execution": style.readable(forward),
        "Backward: deduce an input": style.readable(backward),
    }
    columns = [_wrapped(text, 66, "    ") for text in texts.values()]
    height = 0.9 + 0.148 * min(LONGEST, max(map(len, columns)))
    fig = style.figure(11, height, None)
    for place, (title, lines) in enumerate(zip(texts, columns, strict=True)):
        axes = style.sheet(fig, 0.01 + 0.5 * place, 0, 0.48, 1)
        heading = {"weight": "bold", "fontsize": 11, "color": style.PALETTE[place], "va": "top"}
        axes.text(0.01, 1 - 0.15 / height, title, **heading)
        shown = "\n".join(lines[:LONGEST] + ["…"] * (len(lines) > LONGEST))
        axes.text(0.01, 1 - 0.45 / height, shown, fontsize=7.6, linespacing=1.35, **style.MONO)
    checked = [c["status"] for c in claims if c.get("status")]
    if checked:
        good = f"{checked.count('supported')} of {len(checked)}"
        words = f"{good} claims of the forward text supported by the recorded execution"
        fig.text(0.01, 0.01, words, color=style.GREY, fontsize=9)
    return fig, pd.DataFrame(texts.items(), columns=["direction", "text"])


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    parts = text.split("\n")
    return [
        line
        for part in parts
        for line in textwrap.wrap(part, width, subsequent_indent=indent) or [""]
    ]


@style.styled
def refinement_curves(curves: Sequence[Mapping[str, Any]]) -> Drawn:
    """Figure 3: pass@1 after each round, one row of panels per benchmark, one column per model and
    one line per feedback source; the oracle (hidden tests fed back, as the paper does) is dashed,
    keep-the-better has squares. Lines stand a little beside each other, so that equal ones can be
    told apart. A curve is `{benchmark, model, source, label, points: [{round, value, low, high,
    n}]}` in fractions."""
    models, benchmarks, labels, sources = (
        list(dict.fromkeys(map(key, curves)))
        for key in (_model, lambda c: c["benchmark"], _line_label, lambda c: c["source"])
    )
    fig = style.figure(3.2 * max(2, len(models)), 0.8 + 2.3 * len(benchmarks))
    panels = fig.subplots(len(benchmarks), len(models), sharex=True, sharey="row", squeeze=False)
    for curve in curves:
        ax = panels[benchmarks.index(curve["benchmark"])][models.index(_model(curve))]
        label = _line_label(curve)
        points = pd.DataFrame(curve["points"])
        value, low, high = (100 * points[k] for k in ("value", "low", "high"))
        ax.errorbar(
            points["round"] + 0.06 * (labels.index(label) - (len(labels) - 1) / 2), value,
            yerr=[value - low, high - value], ms=4, lw=1.8, elinewidth=1.0, label=label,
            marker="s" if curve.get("accept") == "keep_better" else "o",
            color=style.PALETTE[sources.index(curve["source"]) % len(style.PALETTE)],
            alpha=0.6 if curve.get("temperature") else 1.0,
            ls="--" if curve["source"] == "oracle" else "-",
        )  # fmt: skip
        count = f" (n = {points['n'][0]})" if "n" in points else ""
        ax.set_title(f"{curve['benchmark']}, {curve['model']}{count}")
        ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    for line in panels:
        line[0].set_ylabel("pass@1 (%)")
        line[0].set_ylim(bottom=-3)
    for ax in panels[-1]:
        ax.set_xlabel("round of refinement")
    fig.legend(  # below: eight lines have no corner of a panel to themselves
        *panels[0][-1].get_legend_handles_labels(), loc="outside lower center",
        ncols=int(fig.get_figwidth() // 2.1), title="feedback", title_fontsize=8,
    )  # fmt: skip
    rows = [
        {"model": c["model"], "curve": c["label"], **{k: p[k] for k in p if k != "n"}}
        for c in curves
        for p in c["points"]
    ]
    return fig, pd.DataFrame(rows)


def _model(curve: Mapping[str, Any]) -> str:
    return str(curve["model"])


def _line_label(curve: Mapping[str, Any]) -> str:
    """The curve's name without its benchmark, which the panel names."""
    return str(curve["label"]).removeprefix(f"{curve['benchmark']}, ")


@style.styled
def pipeline(steps: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Drawn:
    """Figure 4: the data pipeline in columns of boxes, each with the run's own count. A label that
    begins with "and" is not made of the box above, so no arrow leads to it."""
    fig, axes = style.page(9.6, 3.8)
    axes.set_xlim(0, len(steps))
    axes.set_ylim(-max(len(boxes) for _, boxes in steps) - 0.2, 0.9)

    def arrow(start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        look: Any = {"arrowstyle": "-|>", "mutation_scale": 10, "color": colour}
        axes.add_patch(FancyArrowPatch(start, end, **look))

    round_box: Any = {"boxstyle": "round,pad=0.02,rounding_size=0.06", "fc": "white", "lw": 1.4}
    middle = {"ha": "center", "va": "center"}
    for column, (title, boxes) in enumerate(steps):
        colour, x = style.PALETTE[column % len(style.PALETTE)], column + 0.5
        axes.text(x, 0.45, title, ha="center", weight="bold", color=colour)
        for place, (label, count) in enumerate(boxes):
            y = -place - 0.75
            axes.add_patch(
                FancyBboxPatch((x - 0.4, y), 0.8, 0.62, ec=colour, mutation_aspect=2.2, **round_box)
            )
            axes.text(x, y + 0.40, label, fontsize=8.6, **middle)
            axes.text(x, y + 0.15, f"{count:,}", weight="bold", **middle)
            if place + 1 < len(boxes) and not boxes[place + 1][0].startswith("and "):
                arrow((x, y - 0.03), (x, y - 0.36), style.GREY)
        if column + 1 < len(steps):
            arrow((x + 0.43, -0.44), (x + 0.57, -0.44), style.INK)
    rows = [(title, *box) for title, boxes in steps for box in boxes]
    return fig, pd.DataFrame(rows, columns=["step", "box", "count"])


@style.styled
def similarity(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Drawn:
    """Figure 5: how similar the corpus is to each benchmark (edit similarity, maximum over the
    benchmark's items, 0 to 1): one panel per benchmark, one density per corpus."""
    fig = style.figure(3.7 * max(2, len(panels)), 3.2)
    axes = fig.subplots(1, max(1, len(panels)), sharey=True, squeeze=False)[0]
    rows = []
    for ax, (benchmark, corpora) in zip(axes, panels.items(), strict=False):
        for (corpus, values), colour in zip(corpora.items(), style.PALETTE, strict=False):
            if not values:
                continue
            counts, edges = np.histogram(values, bins=20, range=(0, 1))
            share = counts / len(values)
            ax.stairs(share, edges, fill=True, alpha=0.25, color=colour)
            ax.stairs(share, edges, color=colour, lw=1.6, label=f"{corpus} (n={len(values):,})")
            rows += [(benchmark, corpus, i / 20, s) for i, s in enumerate(share)]
        ax.set(title=benchmark, xlabel="edit similarity to the nearest item", xlim=(0, 1))
        ax.legend()
    axes[0].set_ylabel("share of programs")
    return fig, pd.DataFrame(rows, columns=["benchmark", "corpus", "from", "share"])


@style.styled
def categories(shares: Mapping[str, Mapping[str, float]]) -> Drawn:
    """Figure 6: share of programs per category, one bar colour per corpus."""
    frame = pd.DataFrame(shares).fillna(0.0)
    order = sorted(frame.index, key=lambda name: (-frame.loc[name].max(), name))
    frame = frame.loc[order]
    fig = style.figure(7.2, 0.9 + 0.38 * max(3, len(frame)))
    ax = fig.subplots()
    height = 0.8 / max(1, len(frame.columns))
    for place, corpus in enumerate(frame):
        ys = np.arange(len(frame)) + (place - (len(frame.columns) - 1) / 2) * height
        colour = style.PALETTE[place % len(style.PALETTE)]
        ax.barh(ys, 100 * frame[corpus], height * 0.9, color=colour, label=corpus)
    ax.set_yticks(range(len(frame)), order)
    ax.invert_yaxis()
    ax.set_xlabel("share of programs (%)")
    ax.legend()
    rows = [(corpus, name, frame.loc[name, corpus]) for corpus in frame for name in order]
    return fig, pd.DataFrame(rows, columns=["corpus", "category", "share"])


@style.styled
def loss_curve(curves: Mapping[str, Sequence[Sequence[float]]]) -> Drawn:
    """Training loss per optimizer step, one line per phase or format. Steps of like rows differ
    much in loss, so a long curve is drawn as its mean over the last `SMOOTH` steps, the steps
    behind it faintly; the data hold every step."""
    fig = style.figure(6.4, 3.2)
    ax = fig.subplots()
    colours = len(style.PALETTE)
    for place, (name, points) in enumerate(curves.items()):
        look: Any = {
            "color": style.PALETTE[place % colours],
            "ls": ("-", "--", ":")[place // colours % 3],
        }
        steps, losses = (pd.Series(part, dtype=float) for part in zip(*points, strict=True))
        if len(points) > 4 * SMOOTH:
            ax.plot(steps, losses, lw=0.6, alpha=0.25, **look)
            losses = losses.rolling(SMOOTH, min_periods=1).mean()
            name = f"{name} (mean of {SMOOTH} steps)"
        ax.plot(steps, losses, lw=1.6, label=name, **look)
    ax.set(xlabel="optimizer step", ylabel="loss (nats per trained token)")
    ax.set_ylim(bottom=0)
    ax.legend()
    rows = [(name, *point) for name, points in curves.items() for point in points]
    return fig, pd.DataFrame(rows, columns=["phase", "step", "loss"])


@style.styled
def scores(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Drawn:
    """pass@1 with its 95 % interval, benchmark by benchmark, base beside tuned."""
    benchmarks = list(dict.fromkeys(r["benchmark"] for r in rows))
    fig = style.figure(7.6, 0.8 + 0.24 * max(4, len(rows) + len(benchmarks)))
    ax = fig.subplots()
    y, ticks = 0.0, {}
    for benchmark in benchmarks:
        ax.text(0, y, titles.get(benchmark, benchmark), weight="bold", va="center", fontsize=9)
        y += 1
        for r in (r for r in rows if r["benchmark"] == benchmark):
            _bar(ax, y, r, style.MODELS.get(r["model"], style.PALETTE[1]))
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
    """A score with its interval."""
    ax.barh(y, 100 * row["value"], height=0.72, color=colour, alpha=0.85)
    ax.plot([100 * row["low"], 100 * row["high"]], [y, y], color=style.INK, lw=1.1)


@style.styled
def format_bars(
    pooled: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
) -> Drawn:
    """The ablation: accuracy over the seeds with its interval for each format, a dot for each seed;
    one panel for each set of items, formats with equal examples above those with equal tokens."""
    panels = list(dict.fromkeys(r["benchmark"] for r in pooled))
    arms = list(dict.fromkeys(map(_arm, pooled)))
    fig = style.figure(1.6 + 3.2 * len(panels), 0.9 + 0.34 * len(arms))
    axes = fig.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for r in pooled:
        ax, y = axes[panels.index(r["benchmark"])], arms.index(_arm(r))
        _bar(ax, y, r, _colour(r))
        same = [s for s in scores if (s["benchmark"], _arm(s)) == (r["benchmark"], _arm(r))]
        seeds = [100 * s["value"] for s in same]
        ax.plot(seeds, [y] * len(seeds), "o", ms=3, mfc="white", mec=style.INK, mew=0.8)
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
    return style.PALETTE[FORMATS.index(row["format"]) % len(style.PALETTE)]


@style.styled
def chain_survival(chains: Sequence[Mapping[str, Any]]) -> Drawn:
    """How far the steps of each format go right: of the chains with at least k steps, or broken
    before, the share that is right up to the k-th."""
    fig = style.figure(6.4, 3.2)
    ax = fig.subplots()
    for row in chains:
        steps, shares, _ = zip(*row["survival"], strict=True) if row["survival"] else ((), (), ())
        ax.plot(
            steps, [100 * share for share in shares], marker=".", lw=1.4, label=_arm(row),
            color=_colour(row), ls="--" if row["view"] == "tokens" else "-",
        )  # fmt: skip
    ax.set(
        xlabel="steps (lines of a trace, claims of a monologue)",
        ylabel="chains right so far (%)", ylim=(0, 100),
    )  # fmt: skip
    ax.legend()
    rows = [(row["view"], row["format"], *point) for row in chains for point in row["survival"]]
    return fig, pd.DataFrame(rows, columns=["view", "format", "step", "share", "n"])
