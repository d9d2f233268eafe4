"""Traces and checked texts as HTML. Everything that comes from a program or a model is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence

from semcoder_lib.demo.debug import Debugged
from semcoder_lib.demo.examine import Examined
from semcoder_lib.demo.paste import Told
from semcoder_lib.records import Claim, Trace

STYLE = """
.sem { font-family: ui-monospace, monospace; font-size: 13px; white-space: pre-wrap; }
.sem table { border-collapse: collapse; } .sem td { padding: 1px 10px 1px 0; }
.supported { background: #d8f3dc; color: #081c15; }
.contradicted { background: #ffccd5; color: #590d22; text-decoration: underline wavy #c9184a; }
.unverifiable { background: #e9ecef; color: #212529; }
.sem-note { color: #6c757d; } .sem-error { color: #c9184a; }
"""
ROWS = 200
LONGEST = 300


def escape(text: str) -> str:
    """Safe to put into the page."""
    return html.escape(text, quote=True)


def marked(text: str, claims: Sequence[Claim]) -> str:
    """The text with each claim's words in a span of its status; claims without a place are left
    out, and of two that overlap the worse one shows."""
    rank = {"contradicted": 0, "unverifiable": 1, "supported": 2}
    paint = [""] * len(text)
    why = [""] * len(text)
    for claim in sorted(claims, key=lambda c: -rank.get(c.status, 2)):
        start, end = claim.place
        for i in range(max(start, 0), min(end, len(text))):
            paint[i], why[i] = claim.status, claim.evidence
    out, i = [], 0
    while i < len(text):
        j = i
        while j < len(text) and (paint[j], why[j]) == (paint[i], why[i]):
            j += 1
        words = escape(text[i:j])
        if paint[i]:
            title = f' title="{escape(why[i])}"' if why[i] else ""
            words = f'<span class="{escape(paint[i])}"{title}>{words}</span>'
        out.append(words)
        i = j
    return "".join(out)


def by_line(text: str, claims: Sequence[Claim]) -> str:
    """For claims that quote the whole line they are in (rationales): each line in its status."""
    rank = {"contradicted": 0, "unverifiable": 1, "supported": 2}
    worst: dict[str, Claim] = {}
    for claim in claims:
        known = worst.get(claim.value)
        if known is None or rank[claim.status] < rank[known.status]:
            worst[claim.value] = claim
    lines = []
    for line in text.splitlines():
        found = worst.get(line)
        words = escape(line)
        lines.append(f'<span class="{found.status}">{words}</span>' if found else words)
    return "\n".join(lines)


def told(what: Told | None, *, lines: bool = False) -> str:
    """A checked text under its counts."""
    if what is None:
        return _note("no model is loaded")
    note = _note(what.note) if what.note else ""
    if not what.text:
        return note
    counts = ", ".join(f"{n} {status}" for status, n in what.counts.items())
    body = by_line(what.text, what.claims) if lines else marked(what.text, what.claims)
    return f'{_note(f"claims: {counts}")}{note}<div class="sem">{body}</div>'


def _note(text: str) -> str:
    return f'<div class="sem-note">{escape(text)}</div>'


def error(text: str) -> str:
    """One clear line."""
    return f'<div class="sem-error">{escape(text)}</div>'


def trace(run: Trace) -> str:
    """The steps as a table."""
    rows = []
    for step in run.steps[:ROWS]:
        indent = "&nbsp;" * 2 * step.depth
        said = ", ".join(
            f"{c.name} = {_short(c.text)}" if c.text is not None else f"{c.name} is gone"
            for c in step.changes
        )
        if step.value is not None:
            said = _short(step.value)
        rows.append(
            f"<tr><td>L{step.line}</td><td>{indent}{escape(step.event)}</td>"
            f"<td>{escape(said)}</td></tr>"
        )
    more = len(run.steps) - ROWS
    tail = _note(f"… {more} more steps") if more > 0 else ""
    if run.cut:
        tail += _note(f"the trace was cut: {run.cut}")
    return f'<div class="sem"><table>{"".join(rows)}</table></div>{tail}'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def examined(what: Examined) -> tuple[str, str, str, str]:
    """Outcome, trace, derived monologue, the model's."""
    outcome = f'<div class="sem">{escape(what.call)} {escape(_short(what.outcome))}</div>'
    return outcome, trace(what.trace), told(what.derived), told(what.model)


def debugged(what: Debugged) -> tuple[str, str, str, str]:
    """Tests, derived rationale, fixed program, the model's rationale."""
    rows = "".join(
        f'<div><span class="{"supported" if ok else "contradicted"}">'
        f"{escape(test)}</span> {escape(_short(got))}</div>"
        for test, ok, got in what.tests
    )
    tests = f'<div class="sem">{rows}</div>'
    if all(ok for _, ok, _ in what.tests):
        return tests, _note("all tests pass"), "", ""
    model = told(what.model, lines=True)
    if what.model_passes is not None:
        model = _note(f"its program passes {what.model_passes} of {len(what.tests)} tests") + model
    derived = told(what.derived, lines=True) if what.derived else ""
    return tests, derived, what.fixed, model
