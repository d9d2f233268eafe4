"""The report of a run: what its notebooks left behind, every table and figure, a check list, what
was run and on what. HTML and Markdown."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import jinja2
from pydantic import ValidationError

from semcoder_lib.core import profile, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.report import figures, paper, tables
from semcoder_lib.report.figures import Drawn
from semcoder_lib.report.tables import FOLDERS, TABLES, Absent, Card, Inputs, Table

INTRODUCTION = (
    "The report of one run: the paper's tables and figures beside this run's own numbers. "
    "Intervals are 95 %; “–” is a cell that does not exist."
)
WARNED = "Not used as it is, because it is damaged or does not belong together:"
NOTHING = "Nothing yet: notebooks 05 and 06 did not run."
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of results whose shape is another than this version writes."""
T = TypeVar("T")


# --- what a run left behind -----------------------------------------------------------------------


def read(run: Path) -> Inputs:
    """All finished notebooks of a run whose card and results are whole. Numbers of different
    configurations, and notebooks whose inputs have changed since, are named in `warnings`."""
    results, cards, damaged = {}, {}, []
    for number, name in FOLDERS.items():
        if (run / name / "card.json").exists():
            try:
                cards[number], results[number] = _notebook(run / name)
            except UserError as why:
                damaged.append(f"{name} is not used: {why}")
    return Inputs(results, cards, [*damaged, *_conflicts(cards), *_stale(cards)])


def _notebook(folder: Path) -> tuple[Card, dict[str, Any]]:
    try:
        card = Card.model_validate(workspace.read_json(folder / "card.json"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(f"card.json: {place}: {first['msg'].lower()}") from None
    path = folder / "results.json"
    results = workspace.read_json(path)
    if card.outputs.get("results.json") != workspace.file_hash(path):
        raise UserError("results.json is not the file that its card names; run its notebook again")
    if not isinstance(results, dict):
        raise UserError("results.json: expected an object")
    return card, results


def _conflicts(cards: dict[int, Card]) -> list[str]:
    """Every setting and version in which two cards differ."""
    places: dict[str, dict[str, list[str]]] = {}
    for number, card in cards.items():
        for key, value in (*card.configuration.items(), *card.versions.items()):
            places.setdefault(key, {}).setdefault(str(value), []).append(FOLDERS[number][:2])
    return [
        f"{key}: " + "; ".join(f"{v!r} in {', '.join(s)}" for v, s in sorted(values.items()))
        for key, values in sorted(places.items())
        if len(values) > 1
    ]


def _stale(cards: dict[int, Card]) -> list[str]:
    """Notebooks whose inputs have changed since they ran."""
    outputs = {FOLDERS[number]: card.outputs for number, card in cards.items()}
    changed = {}
    for number, card in cards.items():
        for name, digest in card.inputs.items():
            folder, _, file = name.partition("/")
            if folder in outputs and outputs[folder].get(file) != digest:
                changed[FOLDERS[number]] = name
    return [f"{notebook} was made from another {name} than the present one"
            for notebook, name in changed.items()]  # fmt: skip


# --- the figures of a run: which of its results each one draws ------------------------------------


def _pipeline(inputs: Inputs) -> Drawn:
    corpus = inputs.need(1, "description")
    counts = {"candidates": "candidates", "kept programs": "programs", "cases": "cases"}
    steps: list[tuple[str, list[tuple[str, int]]]] = [
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
    if panels := inputs.need(1, "description").get("similarity"):
        return figures.similarity(panels)
    raise Absent("no benchmark was at hand to compare the corpus with")


def _categories(inputs: Inputs) -> Drawn:
    if shares := inputs.need(1, "description").get("categories"):
        return figures.categories(shares)
    raise Absent(inputs.why_missing(1))


def _scores(inputs: Inputs) -> Drawn:
    if rows := tables.scores(inputs):
        return figures.scores(rows, paper.TITLES)
    raise Absent(inputs.why_missing(5))


def _loss(inputs: Inputs) -> Drawn:
    phases = ("main", "refine", "refine_traced")
    curves = {phase: inputs.get(4, phase, {}).get("losses") for phase in phases}
    if any(curves.values()):
        return figures.loss_curve({phase: points for phase, points in curves.items() if points})
    raise Absent(inputs.why_missing(4))


FIGURES: dict[str, tuple[str, Callable[[Inputs], Drawn]]] = {
    "figure_1": (
        "One program, four kinds of semantics",
        lambda i: figures.semantics(**i.need(0, "semantics")),
    ),
    "figure_2": (
        "A forward and a backward monologue of one function",
        lambda i: figures.monologue_pair(**i.need(0, "monologues")),
    ),
    "figure_3": (
        "Self-refinement, round by round",
        lambda i: figures.refinement_curves(i.need(8, "curves")),
    ),
    "figure_4": ("The data pipeline, with this run's counts", _pipeline),
    "figure_5": ("Edit similarity of the corpus to the benchmarks", _similarity),
    "figure_6": ("Categories of programs", _categories),
    "scores": ("Scores of base and tuned model (ours)", _scores),
    "formats": (
        "The format ablation (ours)",
        lambda i: figures.format_bars(i.need(7, "pooled"), i.get(7, "scores", []), paper.TITLES),
    ),
    "chains": (
        "Where chains of steps break, by format (ours)",
        lambda i: figures.chain_survival(i.need(7, "chains")),
    ),
    "loss": ("Training loss (ours)", _loss),
}
"""Name: title, and what draws it."""


# --- the page -------------------------------------------------------------------------------------


def write_report(run: Path, folder: Path) -> dict[str, Any]:
    """Write `report.html`, `report.md`, `figures/*` and `tables/*.csv` into `folder` from what the
    run in `run` left behind; returns the check list as JSON data. A notebook that did not run, or
    whose files are damaged, makes its cells say so; cards of different configurations are named,
    never silently mixed."""
    data = read(run)
    filled, listed, checks, pictures = [], [], [], []
    for name, make in TABLES.items():
        table, reason = _attempted(make, data)
        table = table or Table(name, ["–"], [], reason)
        workspace.write_bytes(folder / "tables" / f"{name}.csv", figures.csv(table.frame))
        filled.append(table)
        checks.append((table.heading, "paper only" if table.reason else "yes", table.reason))
    for name, (title, draw) in FIGURES.items():
        drawn, reason = _attempted(draw, data)
        png = figures.save(folder / "figures", name, *drawn) if drawn else None
        heading = f"{name.replace('_', ' ').capitalize()}: {title}"
        listed.append({"name": name, "present": png is not None, "reason": reason})
        checks.append((heading, "yes" if png else "no", reason))
        if png:
            pictures.append((name, heading, base64.b64encode(png).decode()))
    lines, reason = _attempted(headline, data)
    content = {
        "introduction": INTRODUCTION,
        "facts": facts(data),
        "warned": WARNED,
        "warnings": data.warnings,
        "headline": lines or [reason or NOTHING],
        "claimed": tables.CLAIMED,
        "claims": (_attempted(tables.compared, data)[0] or []),
        "again": again(data),
        "checks": checks,
        "pictures": pictures,
        "tables": filled,
    }
    for template in ("report.html", "report.md"):
        workspace.write_text(folder / template, _render(template, content))
    return {
        "tables": [{"name": t.name, "present": True, "filled": not t.reason, "reason": t.reason}
                   for t in filled],
        "figures": listed,
        "warnings": data.warnings,
        "headline": lines or [],
    }  # fmt: skip


def _cell(text: str) -> str:
    """Text as Markdown takes it: without HTML, on one line, and without a table's bars."""
    return " ".join(escape(text, quote=False).split()).replace("|", "\\|")


def _render(template: str, content: dict[str, Any]) -> str:
    """A page of this room. What a run, a program or a model wrote stays text in it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(content)


def _attempted(make: Callable[[Inputs], T], data: Inputs) -> tuple[T | None, str]:
    """What was made, or why it was not."""
    try:
        return make(data), ""
    except Absent as why:
        return None, str(why)
    except MALFORMED as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        return None, f"the run's results are not of this version ({reason})"


def headline(data: Inputs) -> list[str]:
    """What a reader should take away, in sentences made of this run's numbers only: first what an
    interval says, then what lies within noise, then what the verifier found."""
    sides: dict[str, list[str]] = {"above": [], "below": [], "noise": []}
    for row in [*data.get(6, "differences", []), *data.get(5, "differences", [])]:
        if row["to"].startswith("tuned"):
            side = "above" if row["low"] > 0 else "below" if row["high"] < 0 else "noise"
            form = row["to"].partition(", ")[2]
            form = "" if form in ("", "instruction") else f", {form}"
            start = row["from"].partition(",")[0].replace("tuned", "its direct answers")
            sides[side].append(
                f"{paper.title(row['benchmark'])}{form}: {tables.signed(row)} points over {start}, "
                f"n = {row['n']}"
            )
    noise = sides.pop("noise")
    lines = [f"{line}: an interval {side} zero." for side in sides for line in sides[side]]
    lines += [f"Within noise: {'; '.join(noise)}."] if noise else []
    for row in data.get(6, "faithfulness", []):
        if decided := row["supported"] + row["contradicted"]:
            lines.append(
                f"The {row['model']} model's own monologues on {paper.title(row['benchmark'])}: "
                f"{row['supported']} of {decided} decided claims are true; "
                f"{row['right_on_a_contradicted_step']} of {row['right']} right answers rest on a "
                "contradicted step."
            )
    return lines


def again(data: Inputs) -> list[str]:
    """The commands that repeat this run's results from its trained adapter, with their time."""
    card = data.cards.get(6)
    if card is None or card.configuration.get("adapter") == "none":
        return []
    settings, name = dict(card.configuration), card.configuration["profile"]
    adapter = settings.pop("adapter", "") or f"runs/{card.run}/04_sft/main"
    try:
        default = profile.load(name).model_dump()
    except UserError:  # the profile has gone since
        return []
    changed = {k: v for k, v in settings.items() if v != default.get(k)}
    if Path(str(changed.get("model", ""))).is_absolute():
        changed["model"] = Path(changed["model"]).name
    dials = "".join(f" --set {k}={v}" for k, v in {**changed, "adapter": adapter}.items())
    minutes = sum(c.seconds for n, c in data.cards.items() if n not in (0, 2, 3, 4)) / 60
    return [
        "./run_all.sh setup",
        f"./run_all.sh {name} --run again --from 05{dials}  # {minutes:.0f} minutes here",
        f"python -m semcoder_lib compare runs/{card.run} runs/again",
    ]


def facts(data: Inputs) -> list[tuple[str, str]]:
    """Provenance: what ran, where, for how long."""
    if not data.cards:
        return [("run", "no notebook of it has finished")]
    cards = list(data.cards.values())
    card = cards[-1]
    ran = next((c for c in cards if c.isolation.get("layers")), card).isolation
    minutes, peak = sum(c.seconds for c in cards) / 60, max(c.peak_memory_bytes for c in cards)
    absent: dict[str, str] = {}
    for number in (5, 6):
        missing = data.get(number, "missing", {})
        absent |= missing if isinstance(missing, dict) else {}
    return [
        ("run", f"{card.run}, profile {card.configuration.get('profile')}"),
        ("model", tables.model_name(data)),
        ("seed", str(card.seed)),
        ("machine", ", ".join(f"{k} {v}" for k, v in card.machine.items())),
        ("time", f"{minutes:.1f} min in the notebooks, {peak / 1e9:.1f} GB at the peak of one"),
        ("versions", ", ".join(f"{k} {v}" for k, v in card.versions.items())),
        ("isolation", f"{ran.get('level', '')}: {', '.join(ran.get('layers', ()))}"),
        *((f"no data, {n}", str(why).removeprefix(f"{n}: ")) for n, why in absent.items()),
    ]  # fmt: skip
