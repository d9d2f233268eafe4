"""What a notebook cell shows: tables, monologues with marked claims, figures. Plain HTML with a
plain-text fallback, no widgets."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from semcoder_lib.report import style

_MARK = {"supported": "#3ca95133", "contradicted": "#ff725c66", "unverifiable": "#8a919933", "": ""}


class Shown:
    """Something a notebook renders as HTML and a terminal as text."""

    def __init__(self, page: str, text: str) -> None:
        self._page, self._text = page, text

    def _repr_html_(self) -> str:
        return self._page

    def __repr__(self) -> str:
        return self._text


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Shown:
    """Rows of dicts as a table; floats are shown with three digits."""
    if not rows:
        return Shown("<p>no rows</p>", "no rows")
    names = list(columns) or list(dict.fromkeys(k for row in rows for k in row))
    cells = [[_cell(row.get(name, "")) for name in names] for row in rows]
    head = "".join(f"<th style='text-align:left'>{html.escape(n)}</th>" for n in names)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in line)
        + "</tr>"
        for line in cells
    )
    widths = [max(len(n), *(len(line[i]) for line in cells)) for i, n in enumerate(names)]
    text = "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
        for line in [names, *cells]
    )
    return Shown(f"<table><tr>{head}</tr>{body}</table>", text)


def counts(data: Mapping[str, Any], name: str = "what", value: str = "count") -> Shown:
    """A (possibly nested) dict of counts as a two-column table."""
    rows: list[dict[str, Any]] = []
    for key, item in data.items():
        if isinstance(item, Mapping):
            rows += [{name: f"{key}: {k}", value: v} for k, v in item.items()]
        else:
            rows.append({name: key, value: item})
    return table(rows, (name, value))


def code(source: str) -> Shown:
    """A program."""
    return Shown(
        f"<pre style='background:#8a919922;padding:.7em'>{html.escape(source)}</pre>", source
    )


def marked(text: str, claims: Sequence[Any]) -> Shown:
    """A monologue with each claim coloured by what the verifier says of it: green supported, red
    contradicted, grey unverifiable. Hovering shows the evidence."""
    spans = sorted(
        ((c.place[0], c.place[1], c.status, c.evidence) for c in claims if c.place[1] > c.place[0]),
        key=lambda s: (s[0], -s[1]),
    )
    parts, at = [], 0
    for start, end, status, evidence in spans:
        if start < at:
            continue
        parts.append(html.escape(text[at:start]))
        parts.append(
            f"<span style='background:{_MARK.get(status, '')};border-radius:3px' "
            f"title='{html.escape(f'{status}: {evidence}', quote=True)}'>"
            f"{html.escape(text[start:end])}</span>"
        )
        at = end
    parts.append(html.escape(text[at:]))
    body = "".join(parts)
    return Shown(
        f"<pre style='white-space:pre-wrap;background:#8a919911;padding:.7em'>{body}</pre>", text
    )


def side_by_side(*shown: Shown) -> Shown:
    """Several things in columns."""
    cells = "".join(
        f"<div style='flex:1;min-width:20em'>{item._repr_html_()}</div>" for item in shown
    )
    page = f"<div style='display:flex;gap:1em;flex-wrap:wrap'>{cells}</div>"
    return Shown(page, "\n\n".join(repr(item) for item in shown))


def figure(drawn: tuple[Figure, Any] | Figure) -> Shown:
    """A figure inline, as the report draws it."""
    fig = drawn[0] if isinstance(drawn, tuple) else drawn
    out = io.BytesIO()
    with matplotlib.rc_context(style.RC):
        fig.savefig(out, format="png", facecolor="white")
    data = base64.b64encode(out.getvalue()).decode()
    return Shown(f"<img style='max-width:100%' src='data:image/png;base64,{data}'>", "(a figure)")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)
