"""The figures of a run: which of its results each one draws. Raises Absent where these are not
there."""

from __future__ import annotations

from collections.abc import Callable

from semcoder_lib.report import figures, paper
from semcoder_lib.report.figures import Drawn
from semcoder_lib.report.inputs import Absent, Inputs
from semcoder_lib.report.tables import scores

Boxes = list[tuple[str, int]]


def _semantics(inputs: Inputs) -> Drawn:
    tour = inputs.need(0, "semantics")
    return figures.semantics(tour["source"], dict(tour["kinds"]))


def _monologues(inputs: Inputs) -> Drawn:
    pair = inputs.need(0, "monologues")
    return figures.monologue_pair(pair["forward"], pair["backward"], pair["claims"])


def _pipeline(inputs: Inputs) -> Drawn:
    corpus = inputs.need(1, "description")
    counts = {"candidates": "candidates", "kept programs": "programs", "cases": "cases"}
    steps: list[tuple[str, Boxes]] = [
        ("executable code", [(label, corpus.get(key, 0)) for label, key in counts.items()])
    ]
    if directions := inputs.get(2, "directions"):
        boxes = [("programs told", inputs.get(2, "programs", 0))]
        for label, direction in (("forward", "forward"), ("and backward", "backward")):
            boxes.append((f"{label}, verified", directions[direction]["accepted"]))
        steps.append(("operational semantics", boxes))
    if faults := inputs.get(3, "mutation"):
        tried = faults["funnel"].get("mutants", faults["accepted"])
        own = inputs.get(3, "model", {}).get("accepted", 0)
        boxes = [("mutants tried", tried), ("faults with a fix", faults["accepted"])]
        steps.append(("PyX-R", [*boxes, ("and from the model", own)]))
    if used := inputs.get(4, "examples", {}).get("used"):
        tasks = [t for t in ("forward", "backward", "nl_to_code", "direct") if t in used]
        labels = [("and " if n else "") + t.replace("_", " ") for n, t in enumerate(tasks)]
        rows = [(label, used[t]) for label, t in zip(labels, tasks, strict=True)]
        steps.append(("fine-tuning rows", rows))
    return figures.pipeline(steps)


def _similarity(inputs: Inputs) -> Drawn:
    panels = inputs.need(1, "description").get("similarity")
    if not panels:
        raise Absent("no benchmark was at hand to compare the corpus with")
    return figures.similarity(panels)


def _categories(inputs: Inputs) -> Drawn:
    shares = inputs.need(1, "description").get("categories")
    if not shares:
        raise Absent(inputs.why_missing(1))
    return figures.categories(shares)


def _scores(inputs: Inputs) -> Drawn:
    if not (rows := scores(inputs)):
        raise Absent(inputs.why_missing(5))
    return figures.scores(rows, paper.TITLES)


def _formats(inputs: Inputs) -> Drawn:
    pooled = inputs.need(7, "pooled")
    return figures.format_bars(pooled, inputs.get(7, "scores", []), paper.TITLES)


def _loss(inputs: Inputs) -> Drawn:
    phases = ("main", "refine", "refine_traced")
    curves = {phase: inputs.get(4, phase, {}).get("losses") for phase in phases}
    if not any(curves.values()):
        raise Absent(inputs.why_missing(4))
    return figures.loss_curve({phase: points for phase, points in curves.items() if points})


FIGURES: dict[str, tuple[str, Callable[[Inputs], Drawn]]] = {
    "figure_1": ("One program, four kinds of semantics", _semantics),
    "figure_2": ("A forward and a backward monologue of one function", _monologues),
    "figure_3": (
        "Self-refinement, round by round",
        lambda inputs: figures.refinement_curves(inputs.need(8, "curves")),
    ),
    "figure_4": ("The data pipeline, with this run's counts", _pipeline),
    "figure_5": ("Edit similarity of the corpus to the benchmarks", _similarity),
    "figure_6": ("Categories of programs", _categories),
    "scores": ("Scores of base and tuned model (ours)", _scores),
    "formats": ("The format ablation (ours)", _formats),
    "chains": (
        "Where chains of steps break, by format (ours)",
        lambda inputs: figures.chain_survival(inputs.need(7, "chains")),
    ),
    "loss": ("Training loss (ours)", _loss),
}
"""Name: title, and what draws it."""
