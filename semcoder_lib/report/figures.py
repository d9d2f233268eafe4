"""The paper's six figures drawn from a run's own data, and two of ours (loss, scores).

Every function takes plain data, returns a matplotlib figure and the rows it drew; nothing here
reads files.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.ticker
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from semcoder_lib.report import style

Rows = list[list[Any]]
MONO = "DejaVu Sans Mono"
_SMOOTH = 25  # steps


def semantics(source: str, kinds: dict[str, str]) -> tuple[Figure, Rows]:
    """Figure 1: one program and the four kinds of semantics (section 2 of the paper): approximate,
    symbolic (the code), operational, abstract. `kinds` maps the kind to its text."""
    fig = style.figure(9.2, 4.6, arranged=False)
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    code = source.rstrip().split("\n")
    axes.text(
        0.02, 0.94, "Symbolic semantics: the program", weight="bold", color=style.INK, va="top"
    )
    axes.text(
        0.02,
        0.87,
        "\n".join(code),
        family=MONO,
        fontsize=9,
        va="top",
        linespacing=1.5,
        bbox={"boxstyle": "round,pad=0.7", "fc": "#f4f6f8", "ec": style.GREY},
    )
    top = 0.94
    for (kind, text), colour in zip(kinds.items(), style.PALETTE, strict=False):
        wrapped = "\n".join(
            line for part in text.split("\n") for line in textwrap.wrap(part, 58) or [""]
        )
        axes.text(0.50, top, kind, weight="bold", color=colour, va="top")
        axes.text(0.50, top - 0.055, wrapped, fontsize=8.5, va="top", linespacing=1.35)
        top -= 0.10 + 0.042 * (wrapped.count("\n") + 1)
    rows = [["symbolic", source], *[[k, t] for k, t in kinds.items()]]
    return fig, rows


def monologue_pair(
    forward: str, backward: str, claims: Sequence[dict[str, Any]] = ()
) -> tuple[Figure, Rows]:
    """Figure 2: a forward and a backward monologue of the same function, side by side."""
    texts = (("Forward: simulate the execution", forward), ("Backward: deduce an input", backward))
    columns = [
        [
            line
            for part in text.split("\n")
            for line in textwrap.wrap(part, 66, subsequent_indent="    ") or [""]
        ]
        for _, text in texts
    ]
    tallest = min(46, max(len(lines) for lines in columns))
    height = 0.9 + 0.148 * tallest
    fig = style.figure(11, height, arranged=False)
    rows: Rows = []
    for place, ((title, text), lines) in enumerate(zip(texts, columns, strict=True)):
        axes = fig.add_axes((0.01 + 0.5 * place, 0, 0.48, 1))
        axes.axis("off")
        shown = lines[:46] + (["…"] if len(lines) > 46 else [])
        colour = style.PALETTE[place]
        axes.text(
            0.01, 1 - 0.15 / height, title, weight="bold", fontsize=11, va="top", color=colour
        )
        axes.text(
            0.01,
            1 - 0.45 / height,
            "\n".join(shown),
            family=MONO,
            fontsize=7.6,
            va="top",
            linespacing=1.35,
            parse_math=False,
        )
        rows.append([title, text])
    checked = [c for c in claims if c.get("status")]
    if checked:
        good = sum(c["status"] == "supported" for c in checked)
        fig.text(
            0.01,
            0.01,
            f"{good} of {len(checked)} claims supported by the recorded execution",
            color=style.GREY,
            fontsize=9,
        )
    return fig, rows


def refinement_curves(curves: Sequence[dict[str, Any]]) -> tuple[Figure, Rows]:
    """Figure 3: pass@1 after each round, one row of panels per benchmark, one column per model and
    one line per feedback source; the oracle (hidden tests fed back, as the paper does) is dashed,
    keep-the-better has squares. Lines stand a little beside each other, so that equal ones can be
    told apart. A curve is `{benchmark, model, source, label, points: [{round, value, low, high,
    n}]}` in fractions."""
    models = list(dict.fromkeys(c["model"] for c in curves)) or ["no model"]
    benchmarks = list(dict.fromkeys(c["benchmark"] for c in curves)) or [""]
    told = list(dict.fromkeys(_told(c) for c in curves))
    sources = list(dict.fromkeys(c["source"] for c in curves))
    fig = style.figure(3.2 * max(2, len(models)), 0.8 + 2.3 * len(benchmarks))
    panels = fig.subplots(len(benchmarks), len(models), sharex=True, sharey="row", squeeze=False)
    rows: Rows = []
    for line, benchmark in zip(panels, benchmarks, strict=True):
        for ax, model in zip(line, models, strict=True):
            mine = [c for c in curves if (c["benchmark"], c["model"]) == (benchmark, model)]
            for curve in mine:
                colour = style.PALETTE[sources.index(curve["source"]) % len(style.PALETTE)]
                aside = 0.06 * (told.index(_told(curve)) - (len(told) - 1) / 2)
                points = curve["points"]
                value, low, high = (
                    [100 * p[k] for p in points] for k in ("value", "low", "high")
                )  # fmt: skip
                ax.errorbar(
                    [p["round"] + aside for p in points],
                    value,
                    yerr=[
                        [v - x for v, x in zip(value, low, strict=True)],
                        [x - v for v, x in zip(value, high, strict=True)],
                    ],
                    marker="s" if curve.get("accept") == "keep_better" else "o",
                    ms=4,
                    lw=1.8,
                    elinewidth=1.0,
                    color=colour,
                    alpha=0.6 if curve.get("temperature") else 1.0,
                    label=_told(curve),
                    ls="--" if curve["source"] == "oracle" else "-",
                )
                for p in points:
                    rows.append(
                        [model, curve["label"], p["round"], p["value"], p["low"], p["high"]]
                    )
            count = next((c["points"][0].get("n") for c in mine if c["points"]), None)
            what = f"{benchmark}, {model}" if benchmark else model
            ax.set_title(what + (f" (n = {count})" if count else ""))
            ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
        line[0].set_ylabel("pass@1 (%)")
        line[0].set_ylim(bottom=-3)
    for ax in panels[-1]:
        ax.set_xlabel("round of refinement")
    if curves:  # below: eight lines have no corner of a panel to themselves
        fig.legend(
            *panels[0][-1].get_legend_handles_labels(),
            loc="outside lower center", ncols=int(fig.get_figwidth() // 2.1), fontsize=8,
            frameon=False, title="feedback", title_fontsize=8,
        )  # fmt: skip
    return fig, rows


def _told(curve: Mapping[str, Any]) -> str:
    """The curve's name without its benchmark, which the panel names."""
    return str(curve["label"]).removeprefix(f"{curve['benchmark']}, ")


def pipeline(steps: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> tuple[Figure, Rows]:
    """Figure 4: the data pipeline in columns of boxes, each with the run's own count. A label that
    begins with "and" is not made of the box above, so no arrow leads to it."""
    fig = style.figure(9.6, 3.8, arranged=False)
    axes = fig.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(0, len(steps))
    tallest = max(len(boxes) for _, boxes in steps)
    axes.set_ylim(-tallest - 0.2, 0.9)
    rows: Rows = []
    for column, (title, boxes) in enumerate(steps):
        colour = style.PALETTE[column % len(style.PALETTE)]
        axes.text(column + 0.5, 0.45, title, ha="center", weight="bold", color=colour)
        for place, (label, count) in enumerate(boxes):
            y = -place - 0.75
            axes.add_patch(
                FancyBboxPatch(
                    (column + 0.1, y),
                    0.8,
                    0.62,
                    boxstyle="round,pad=0.02,rounding_size=0.06",
                    fc="white",
                    ec=colour,
                    lw=1.4,
                    mutation_aspect=2.2,
                )
            )
            axes.text(column + 0.5, y + 0.40, label, ha="center", va="center", fontsize=8.6)
            axes.text(
                column + 0.5,
                y + 0.15,
                f"{count:,}",
                ha="center",
                va="center",
                weight="bold",
                color=style.INK,
            )
            if place + 1 < len(boxes) and not boxes[place + 1][0].startswith("and "):
                axes.add_patch(
                    FancyArrowPatch(
                        (column + 0.5, y - 0.03),
                        (column + 0.5, y - 0.36),
                        arrowstyle="-|>",
                        mutation_scale=9,
                        color=style.GREY,
                    )
                )
            rows.append([title, label, count])
        if column + 1 < len(steps):
            axes.add_patch(
                FancyArrowPatch(
                    (column + 0.93, -0.44),
                    (column + 1.07, -0.44),
                    arrowstyle="-|>",
                    mutation_scale=11,
                    color=style.INK,
                )
            )
    return fig, rows


def similarity(panels: dict[str, dict[str, Sequence[float]]]) -> tuple[Figure, Rows]:
    """Figure 5: how similar the corpus is to each benchmark (edit similarity, maximum over the
    benchmark's items, 0 to 1): one panel per benchmark, one density per corpus."""
    fig = style.figure(3.7 * max(2, len(panels)), 3.2)
    axes = fig.subplots(1, max(1, len(panels)), sharey=True, squeeze=False)[0]
    edges = [i / 20 for i in range(21)]
    rows: Rows = []
    for ax, (benchmark, corpora) in zip(axes, panels.items(), strict=False):
        for (corpus, values), colour in zip(corpora.items(), style.PALETTE, strict=False):
            if not values:
                continue
            counts = [0] * 20
            for v in values:
                counts[min(19, int(v * 20))] += 1
            share = [c / len(values) for c in counts]
            ax.stairs(share, edges, fill=True, alpha=0.25, color=colour)
            ax.stairs(share, edges, color=colour, lw=1.6, label=f"{corpus} (n={len(values):,})")
            rows += [[benchmark, corpus, edges[i], share[i]] for i in range(20)]
        ax.set_title(benchmark)
        ax.set_xlabel("edit similarity to the nearest item")
        ax.set_xlim(0, 1)
        ax.legend(fontsize=8)
    axes[0].set_ylabel("share of programs")
    return fig, rows


def categories(shares: dict[str, dict[str, float]]) -> tuple[Figure, Rows]:
    """Figure 6: share of programs per category, one bar colour per corpus."""
    names = sorted(
        {n for part in shares.values() for n in part},
        key=lambda n: -max(part.get(n, 0.0) for part in shares.values()),
    )
    fig = style.figure(7.2, 0.9 + 0.38 * max(3, len(names)))
    ax = fig.subplots()
    height = 0.8 / max(1, len(shares))
    rows: Rows = []
    for place, (corpus, part) in enumerate(shares.items()):
        ys = [i + (place - (len(shares) - 1) / 2) * height for i in range(len(names))]
        ax.barh(
            ys,
            [100 * part.get(n, 0.0) for n in names],
            height=height * 0.9,
            color=style.PALETTE[place],
            label=corpus,
        )
        rows += [[corpus, n, part.get(n, 0.0)] for n in names]
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel("share of programs (%)")
    ax.legend(fontsize=8)
    return fig, rows


def running_mean(numbers: Sequence[float], width: int) -> list[float]:
    """At every place the mean of the last `width` numbers, of fewer at the beginning."""
    return [
        sum(numbers[max(0, i + 1 - width) : i + 1]) / min(width, i + 1) for i in range(len(numbers))
    ]


def loss_curve(curves: Mapping[str, Sequence[Sequence[float]]]) -> tuple[Figure, Rows]:
    """Training loss per optimizer step, one line per phase or format. Steps of like rows differ
    much in loss, so a long curve is drawn as its mean over `_SMOOTH` steps, the steps behind it
    faintly; the rows hold every step."""
    fig = style.figure(6.4, 3.2)
    ax = fig.subplots()
    rows: Rows = []
    for number, (name, points) in enumerate(curves.items()):
        colour = style.PALETTE[number % len(style.PALETTE)]
        dash = ("-", "--", ":")[number // len(style.PALETTE) % 3]
        steps, losses = [p[0] for p in points], [p[1] for p in points]
        if len(points) > 4 * _SMOOTH:
            ax.plot(steps, losses, dash, color=colour, lw=0.6, alpha=0.25)
            losses = running_mean(losses, _SMOOTH)
            name_shown = f"{name} (mean of {_SMOOTH} steps)"
        else:
            name_shown = name
        ax.plot(steps, losses, dash, color=colour, lw=1.6, label=name_shown)
        rows += [[name, *point] for point in points]
    ax.set_xlabel("optimizer step")
    ax.set_ylabel("loss (nats per trained token)")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8)
    return fig, rows


def scores(rows_in: Sequence[dict[str, Any]], titles: dict[str, str]) -> tuple[Figure, Rows]:
    """pass@1 with its 95 % interval, benchmark by benchmark, base beside tuned."""
    benchmarks = list(dict.fromkeys(r["benchmark"] for r in rows_in))
    fig = style.figure(7.6, 0.8 + 0.24 * max(4, len(rows_in) + len(benchmarks)))
    ax = fig.subplots()
    y, ticks, labels, rows = 0.0, [], [], []
    colours = {"base": style.BASE, "tuned": style.TUNED, "refined": style.REFINED}
    for benchmark in benchmarks:
        ax.text(0, y, titles.get(benchmark, benchmark), weight="bold", va="center", fontsize=9)
        y += 1
        for r in (r for r in rows_in if r["benchmark"] == benchmark):
            value, low, high = (100 * r[k] for k in ("value", "low", "high"))
            colour = colours.get(r["model"], style.PALETTE[1])
            ax.barh(y, value, height=0.72, color=colour, alpha=0.85)
            ax.plot([low, high], [y, y], color=style.INK, lw=1.1)
            ax.text(max(high, value) + 0.8, y, f"{value:.1f}", va="center", fontsize=8)
            ticks.append(y)
            labels.append(f"{r['model']}, {r['setting'].replace('_', ' ')} (n={r['n']})")
            rows.append(
                [benchmark, r["model"], r["setting"], r["n"], r["value"], r["low"], r["high"]]
            )
            y += 1
        y += 0.4
    ax.set_yticks(ticks, labels, fontsize=8)
    ax.invert_yaxis()
    ax.set_xlabel("pass@1 (%), bar: 95 % interval")
    ax.set_xlim(0, max([100 * r["high"] for r in rows_in], default=10) * 1.15 + 3)
    return fig, rows


def format_bars(
    pooled: Sequence[dict[str, Any]], scores: Sequence[dict[str, Any]], titles: dict[str, str]
) -> tuple[Figure, Rows]:
    """The ablation: accuracy over the seeds with its interval for each format, a dot for each seed;
    one panel for each set of items, formats with equal examples above those with equal tokens."""
    panels = list(dict.fromkeys(r["benchmark"] for r in pooled))
    arms = list(dict.fromkeys((r["view"], r["format"]) for r in pooled))
    fig = style.figure(1.6 + 3.2 * len(panels), 0.9 + 0.34 * len(arms))
    axes = fig.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    rows: Rows = []
    for ax, panel in zip(axes, panels, strict=True):
        for r in (r for r in pooled if r["benchmark"] == panel):
            y = arms.index((r["view"], r["format"]))
            value, low, high = (100 * r[k] for k in ("value", "low", "high"))
            ax.barh(y, value, height=0.7, color=style.FORMATS[r["format"]], alpha=0.85)
            ax.plot([low, high], [y, y], color=style.INK, lw=1.1)
            seeds = [
                100 * s["value"] for s in scores
                if (s["benchmark"], s["view"], s["format"]) == (panel, r["view"], r["format"])
            ]  # fmt: skip
            ax.plot(seeds, [y] * len(seeds), "o", ms=3, mfc="white", mec=style.INK, mew=0.8)
            rows.append(
                [panel, r["view"], r["format"], r["seeds"], r["n"], r["value"], r["low"], r["high"]]
            )
        ax.set_title(titles.get(panel, panel), fontsize=9)
        ax.set_xlabel("right (%)")
        ax.set_xlim(left=0)
    names = [f.replace("_", " ") + (", equal tokens" if v == "tokens" else "") for v, f in arms]
    axes[0].set_yticks(range(len(arms)), names, fontsize=8)
    axes[0].invert_yaxis()
    return fig, rows


def chain_survival(chains: Sequence[dict[str, Any]]) -> tuple[Figure, Rows]:
    """How far the steps of each format go right: of the chains with at least k steps, or broken
    before, the share that is right up to the k-th."""
    fig = style.figure(6.4, 3.2)
    ax = fig.subplots()
    rows: Rows = []
    for row in chains:
        name = row["format"].replace("_", " ") + (
            ", equal tokens" if row["view"] == "tokens" else ""
        )
        points = row["survival"]
        ax.plot(
            [p[0] for p in points], [100 * p[1] for p in points], marker=".", lw=1.4, label=name,
            color=style.FORMATS[row["format"]], ls="--" if row["view"] == "tokens" else "-",
        )  # fmt: skip
        rows += [[row["view"], row["format"], *point] for point in points]
    ax.set_xlabel("steps (lines of a trace, claims of a monologue)")
    ax.set_ylabel("chains right so far (%)")
    ax.set_ylim(0, 100)
    ax.legend(fontsize=8)
    return fig, rows
