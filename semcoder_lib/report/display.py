"""What a notebook cell shows: tables, monologues with marked claims, figures. Plain HTML with a
plain-text fallback, no widgets. Everything that a program or a model wrote is escaped."""

from __future__ import annotations

import base64
import difflib
import itertools
import operator
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from semcoder_lib.core.records import Claim, Trace
from semcoder_lib.monologues import Report
from semcoder_lib.report.figures import png, readable, sample_size

_MARK = {"supported": "#3ca95133", "unverifiable": "#8a919955", "contradicted": "#ff725c88"}
"""From the best status to the worst."""


class Shown:
    """Something a notebook renders as HTML and a terminal as text."""

    def __init__(self, page: str, text: str) -> None:
        self._page, self._text = page, text

    def _repr_html_(self) -> str:
        return self._page

    def __repr__(self) -> str:
        return self._text


def number(value: float) -> str:
    """A number in three digits; a large one whole."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Shown:
    """Rows of dicts as a table. A column `n` holds the sizes of samples."""
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    if not rows or not names:
        return Shown("<p>no rows</p>", "no rows")
    cells = [[_cell(row.get(name, ""), name) for name in names] for row in rows]
    frame = pd.DataFrame(cells, columns=[readable(str(name)) for name in names])
    with pd.option_context("display.max_colwidth", None):
        page = frame.to_html(index=False, border=0, justify="left")
    text = frame.to_string(index=False, justify="left")
    for tag in ("<td>", "<th>"):  # Jupyter aligns them to the right
        page = page.replace(tag, f"{tag[:-1]} style='text-align:left'>")
    return Shown(page, text)


def _cell(value: Any, name: str) -> str:
    if name == "n" and isinstance(value, int):
        return sample_size(value)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return readable(", ".join(value))
    return number(value) if isinstance(value, float) else readable(str(value))


def counts(data: Mapping[str, Any], name: str = "what", value: str = "count") -> Shown:
    """A (possibly nested) dict of counts as a two-column table."""
    rows: list[dict[str, Any]] = []
    for key, item in data.items():
        inner = item.items() if isinstance(item, Mapping) else [("", item)]
        rows += [{name: f"{key}: {k}" if k else key, value: v} for k, v in inner]
    return table(rows, (name, value))


def fields(objects: Iterable[Any], **columns: str) -> Shown:
    """Objects as a table, one a row. A column is a name and the attribute that it shows, such as
    `licence="program.provenance.licence"`; underscores in the name become blanks."""
    names = {name.replace("_", " "): operator.attrgetter(path) for name, path in columns.items()}
    return table([{name: get(item) for name, get in names.items()} for item in objects], [*names])


_TEXT = (
    "white-space:pre-wrap;word-break:normal;font-family:monospace;padding:.7em;background:#8a9199"
)


def code(source: str) -> Shown:
    """A program, or another text as it is."""
    return Shown(f"<pre style='{_TEXT}22'>{escape(source)}</pre>", source)


def diff(before: str, after: str) -> Shown:
    """Two programs as one: lines that only the first has in red, those of the second in green."""
    old, new = before.splitlines(), after.splitlines()
    lines = [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
    colours = {"-": _MARK["contradicted"], "+": _MARK["supported"]}
    page = "".join(
        f"<span style='display:block;background:{colours.get(line[0], '')}'>{escape(line)}</span>"
        for line in lines
    )
    return Shown(f"<pre style='{_TEXT}22'>{page}</pre>", "\n".join(lines))


def tokens(pieces: Sequence[str], prompt: int) -> Shown:
    """A training row as its tokens: the first `prompt` of them grey, the trained ones green."""
    spans = (
        f"<span style='border-left:1px solid #8a919966;background:"
        f"{_MARK['unverifiable' if n < prompt else 'supported']}'>{escape(piece)}</span>"
        for n, piece in enumerate(pieces)
    )
    text = f"{''.join(pieces[:prompt])}⟦{''.join(pieces[prompt:])}⟧"
    return Shown(f"<pre style='{_TEXT}00'>{''.join(spans)}</pre>", text)


def steps(trace: Trace, limit: int = 12, at: int | None = None) -> Shown:
    """The first steps of a trace, or those around the one at `at`, which an arrow marks: event,
    line, and what it changed."""
    first = 0 if at is None else max(0, at - limit // 2)
    rows = [
        {
            "step": f"→ {number}" if number == at else number,
            "event": step.event,
            "line": step.line,
            "changes": ", ".join(f"{c.name} = {c.text}" for c in step.changes),
        }
        for number, step in enumerate(trace.steps[first : first + limit], first)
    ]
    return table([*rows, *([{"step": "…"}] if len(trace.steps) > first + limit else [])])


def report(verified: Report) -> Shown:
    """What the verifier says of a text, in numbers."""
    claims = verified.supported + verified.contradicted + verified.unverifiable
    facts = {
        "supported claims": f"{verified.supported} of {claims}",
        "contradicted claims": verified.contradicted,
        "claims that it cannot check": verified.unverifiable,
        "share of the steps' text": f"{verified.coverage_of_text:.0%}",
        "executed lines that are told": f"{verified.line_coverage:.0%}",
        "verdict": "accepted" if verified.accepted else verified.reason,
    }
    return counts(facts, "the verifier's", "")


def marked(text: str, claims: Sequence[Claim]) -> Shown:
    """A monologue with each claim coloured by what the verifier says of it: green supported, red
    contradicted, grey unverifiable. Hovering shows the evidence. Where claims lie within each other
    the worse one shows, and of equal ones the shorter."""
    top: list[Claim | None] = [None] * len(text)
    # what is painted later covers what was painted before
    rank = list(_MARK).index
    for claim in sorted(claims, key=lambda c: (rank(c.status), c.place[1] - c.place[0])):
        start, end = claim.place
        top[start:end] = [claim] * (min(end, len(text)) - start)
    page = ""
    for shown, places in itertools.groupby(range(len(text)), key=top.__getitem__):
        piece = escape("".join(text[at] for at in places))
        if shown is not None:
            title = escape(f"{shown.status}: {shown.evidence}")
            mark = f"border-radius:3px;background:{_MARK[shown.status]}"
            piece = f"<span style='{mark}' title='{title}'>{piece}</span>"
        page += piece
    return Shown(f"<pre style='{_TEXT}11'>{page}</pre>", text)


def side_by_side(*shown: Shown) -> Shown:
    """Several things in columns."""
    cells = (
        f"<div style='flex:1;min-width:20em;overflow-x:auto'>{item._repr_html_()}</div>"
        for item in shown
    )
    page = f"<div style='display:flex;gap:1em;flex-wrap:wrap'>{''.join(cells)}</div>"
    return Shown(page, "\n\n".join(repr(item) for item in shown))


def figure(drawn: tuple[Figure, Any]) -> Shown:
    """A figure inline, as the report draws it."""
    data = base64.b64encode(png(drawn[0])).decode()
    return Shown(f"<img style='max-width:100%' src='data:image/png;base64,{data}'>", "(a figure)")
