"""The report: a check list, every table and figure, what was run and on what. HTML and Markdown."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import jinja2

from semcoder_lib.core import workspace
from semcoder_lib.report import inputs, paper, style, tables
from semcoder_lib.report.figures import Drawn
from semcoder_lib.report.from_run import FIGURES
from semcoder_lib.report.inputs import Absent, Inputs
from semcoder_lib.report.tables import TABLES, Table

INTRODUCTION = (
    "The report of one run: the paper's tables and figures beside this run's own numbers. "
    "Intervals are 95 %; “–” is a cell that does not exist."
)
WARNED = "Not used as it is, because it is damaged or does not belong together:"
NOTHING = "Nothing yet: notebooks 05 and 06 did not run."
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of results whose shape is another than this version writes."""
T = TypeVar("T")


def write_report(run: Path, folder: Path) -> dict[str, Any]:
    """Write `report.html`, `report.md`, `figures/*` and `tables/*.csv` into `folder` from what the
    run in `run` left behind; returns the check list as JSON data. A notebook that did not run, or
    whose files are damaged, makes its cells say so; cards of different configurations are named,
    never silently mixed."""
    data = inputs.read(run)
    made = []
    for name, make in TABLES.items():
        table, reason = _made(make, data)
        made.append(table or Table(name, ["–"], [], reason))
        workspace.write_bytes(folder / "tables" / f"{name}.csv", style.csv(made[-1].frame))
    figures, pictures = [], []
    checks = [(t.heading, "paper only" if t.reason else "yes", t.reason) for t in made]
    for name, (title, draw) in FIGURES.items():
        png, reason = _made(functools.partial(_saved, draw, folder / "figures", name), data)
        figures.append({"name": name, "present": png is not None, "reason": reason})
        checks.append((_heading(name, title), "yes" if png else "no", reason))
        if png:
            pictures.append((name, _heading(name, title), base64.b64encode(png).decode()))
    lines, reason = _made(headline, data)
    content = {
        "introduction": INTRODUCTION,
        "facts": facts(data),
        "warned": WARNED,
        "warnings": data.warnings,
        "headline": lines or [reason or NOTHING],
        "checks": checks,
        "pictures": pictures,
        "tables": made,
        "widths": _made(_half_widths, data)[0] or ["no scores"],
    }
    for template in ("report.html", "report.md"):
        workspace.write_text(folder / template, _render(template, content))
    return {
        "tables": [{"name": t.name, "present": True, "filled": not t.reason, "reason": t.reason}
                   for t in made],
        "figures": figures,
        "warnings": data.warnings,
        "headline": lines or [],
    }  # fmt: skip


def _cell(text: str) -> str:
    """Text as Markdown takes it: without HTML, on one line, and without a table's bars."""
    return " ".join(escape(text, quote=False).split()).replace("|", "\\|")


def _render(template: str, content: dict[str, Any]) -> str:
    """A page of `templates/`. What a run, a program or a model wrote stays text in it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html"]), undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(content)


def _made(make: Callable[[Inputs], T], data: Inputs) -> tuple[T | None, str]:
    """What was made, or why it was not."""
    try:
        return make(data), ""
    except Absent as why:
        return None, str(why)
    except MALFORMED as error:
        what = " ".join(str(error).split())[:100]
        return None, f"the run's results are not of this version ({type(error).__name__}: {what})"


def _saved(draw: Callable[[Inputs], Drawn], folder: Path, name: str, data: Inputs) -> bytes:
    return style.save(folder, name, *draw(data))


def _heading(name: str, title: str) -> str:
    return f"{name.replace('_', ' ').capitalize()}: {title}"


def headline(data: Inputs) -> list[str]:
    """What a reader should take away, in sentences made of this run's numbers only: first what an
    interval says, then what lies within noise, then what the verifier found."""
    above: list[str] = []
    below: list[str] = []
    noise: list[str] = []
    for row in [*data.get(6, "differences", []), *data.get(5, "differences", [])]:
        if row["to"].startswith("tuned"):
            side = above if row["low"] > 0 else below if row["high"] < 0 else noise
            side.append(_difference(row))
    lines = [f"{line}: an interval above zero." for line in above]
    lines += [f"{line}: an interval below zero." for line in below]
    lines += [f"Within noise: {'; '.join(noise)}."] if noise else []
    for row in data.get(6, "faithfulness", []):
        decided = row["supported"] + row["contradicted"]
        if decided:
            lines.append(
                f"The {row['model']} model's own monologues on {paper.title(row['benchmark'])}: "
                f"{row['supported']} of {decided} decided claims are true; "
                f"{row['right_on_a_contradicted_step']} of {row['right']} right answers rest on a "
                "contradicted step."
            )
    return lines


def _difference(row: dict[str, Any]) -> str:
    """`held-out PyX, output, direct: +9.3 [+2.9, +15.7] points over base, n = 140`."""
    form = row["to"].partition(", ")[2]
    form = "" if form in ("", "instruction") else f", {form}"
    start = row["from"].partition(",")[0]
    return (
        f"{paper.title(row['benchmark'])}{form}: {tables.signed(row)} points over {start}, "
        f"n = {row['n']}"
    )


def facts(data: Inputs) -> list[tuple[str, str]]:
    """Provenance: what ran, where, for how long."""
    if not data.cards:
        return [("run", "no notebook of it has finished")]
    cards = list(data.cards.values())
    card = cards[-1]
    ran = next((c for c in cards if c.isolation.get("layers")), card).isolation
    minutes, peak = sum(c.seconds for c in cards) / 60, max(c.peak_memory_bytes for c in cards)
    return [
        ("run", f"{card.run}, profile {card.configuration.get('profile')}"),
        ("model", tables.model_name(data)),
        ("seed", str(card.seed)),
        ("machine", ", ".join(f"{k} {v}" for k, v in card.machine.items())),
        ("time", f"{minutes:.1f} min in the notebooks, {peak / 1e9:.1f} GB at the peak of one"),
        ("versions", ", ".join(f"{k} {v}" for k, v in card.versions.items())),
        ("isolation", f"{ran.get('level', '')}: {', '.join(ran.get('layers', ()))}"),
    ]  # fmt: skip


def _half_widths(data: Inputs) -> list[str]:
    return sorted(
        {
            f"{paper.title(row['benchmark'])}, n={row['n']}: "
            f"±{100 * (row['high'] - row['low']) / 2:.1f} points"
            for row in tables.scores(data)
        }
    )
