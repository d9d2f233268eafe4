"""Draws the six figures that a run's data allow, and says of each whether it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder_lib.report import figures, paper, style
from semcoder_lib.report.inputs import Inputs
from semcoder_lib.report.tables import scores


@dataclass
class Drawn:
    """A figure of the check list; `reason` says why it is missing when `present` is False."""

    name: str
    title: str
    present: bool
    reason: str = ""
    files: list[Path] = field(default_factory=list)


class Absent(Exception):
    """The run lacks what a figure needs; the message says what."""


def draw(inputs: Inputs, folder: Path) -> list[Drawn]:
    """All figures into `folder`, each as PNG, SVG and CSV."""
    return [_draw(inputs, folder, name, title, make) for name, title, make in FIGURES]


def _draw(
    inputs: Inputs, folder: Path, name: str, title: str, make: Callable[[Inputs], Any]
) -> Drawn:
    try:
        (fig, rows), header = make(inputs)
    except Absent as why:
        return Drawn(name, title, False, str(why))
    return Drawn(name, title, True, "", style.save(fig, folder, name, header, rows))


def _need(inputs: Inputs, stage: int, key: str) -> Any:
    value = inputs.get(stage, key)
    if not value:
        raise Absent(inputs.why_missing(stage))
    return value


def _semantics(inputs: Inputs) -> Any:
    tour = _need(inputs, 0, "semantics")
    return figures.semantics(tour["source"], dict(tour["kinds"])), ["kind", "text"]


def _monologues(inputs: Inputs) -> Any:
    pair = _need(inputs, 0, "monologues")
    drawn = figures.monologue_pair(pair["forward"], pair["backward"], pair["claims"])
    return drawn, ["direction", "text"]


def _refinement(inputs: Inputs) -> Any:
    curves = _need(inputs, 8, "curves")
    header = ["model", "curve", "round", "value", "low", "high"]
    return figures.refinement_curves(curves), header


def _pipeline(inputs: Inputs) -> Any:
    description = _need(inputs, 1, "description")
    steps: list[tuple[str, list[tuple[str, int]]]] = [
        (
            "executable code",
            [
                ("candidates", int(description.get("candidates", 0))),
                ("kept programs", int(description.get("programs", 0))),
                ("cases", int(description.get("cases", 0))),
            ],
        )
    ]
    directions = inputs.get(2, "directions") or {}
    if directions:
        steps.append(
            (
                "operational semantics",
                [
                    ("programs told", int(inputs.get(2, "programs", 0))),
                    ("forward, verified", directions["forward"]["accepted"]),
                    ("and backward, verified", directions["backward"]["accepted"]),
                ],
            )
        )
    faults = inputs.get(3, "mutation")
    if faults:
        steps.append(
            (
                "PyX-R",
                [
                    ("mutants tried", int(faults["funnel"].get("mutants", faults["accepted"]))),
                    ("faults with a fix", faults["accepted"]),
                    ("and from the model", inputs.get(3, "model", {}).get("accepted", 0)),
                ],
            )
        )
    used = inputs.get(4, "examples", {}).get("used")
    if used:
        tasks = ("forward", "backward", "nl_to_code", "direct")
        rows = [(task.replace("_", " "), used[task]) for task in tasks if task in used]
        steps.append(("fine-tuning rows", [*rows[:1], *((f"and {n}", v) for n, v in rows[1:])]))
    return figures.pipeline(steps), ["step", "box", "count"]


def _similarity(inputs: Inputs) -> Any:
    panels = (inputs.get(1, "description") or {}).get("similarity")
    if not panels:
        raise Absent("no benchmark was at hand to compare the corpus with")
    return figures.similarity(panels), ["benchmark", "corpus", "from", "share"]


def _categories(inputs: Inputs) -> Any:
    shares = (inputs.get(1, "description") or {}).get("categories")
    if not shares:
        raise Absent(inputs.why_missing(1))
    return figures.categories(shares), ["corpus", "category", "share"]


def _loss(inputs: Inputs) -> Any:
    curves = {}
    for phase in ("main", "refine"):
        summary = inputs.get(4, phase)
        if summary and summary.get("losses"):
            curves[phase] = [tuple(p) for p in summary["losses"]]
    if not curves:
        raise Absent(inputs.why_missing(4))
    return figures.loss_curve(curves), ["phase", "step", "loss"]


def _scores(inputs: Inputs) -> Any:
    rows = scores(inputs)
    if not rows:
        raise Absent(inputs.why_missing(5))
    header = ["benchmark", "model", "setting", "n", "value", "low", "high"]
    return figures.scores(rows, paper.TITLES), header


def _formats(inputs: Inputs) -> Any:
    pooled = _need(inputs, 7, "pooled")
    header = ["benchmark", "view", "format", "seeds", "n", "value", "low", "high"]
    return figures.format_bars(pooled, inputs.get(7, "scores", []), paper.TITLES), header


def _chains(inputs: Inputs) -> Any:
    return figures.chain_survival(_need(inputs, 7, "chains")), [
        "view", "format", "step", "share", "n",
    ]  # fmt: skip


FIGURES: tuple[tuple[str, str, Callable[[Inputs], Any]], ...] = (
    ("figure_1", "One program, four kinds of semantics", _semantics),
    ("figure_2", "A forward and a backward monologue of one function", _monologues),
    ("figure_3", "Self-refinement, round by round", _refinement),
    ("figure_4", "The data pipeline, with this run's counts", _pipeline),
    ("figure_5", "Edit similarity of the corpus to the benchmarks", _similarity),
    ("figure_6", "Categories of programs", _categories),
    ("scores", "Scores of base and tuned model (ours)", _scores),
    ("formats", "The format ablation (ours)", _formats),
    ("chains", "Where chains of steps break, by format (ours)", _chains),
    ("loss", "Training loss (ours)", _loss),
)
