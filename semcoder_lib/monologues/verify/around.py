"""Reads the sentences around the steps: what a function does, and the conclusion."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, SUMMARY
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Form, Match, Slot, mask, split
from semcoder_lib.monologues.verify.report import Deciders, Ledger
from semcoder_lib.monologues.verify.text import encoded, same_text

DECIDERS = decides = Deciders()


class Around:
    """A reader of the summary and of the conclusion of one text."""

    def __init__(
        self, ledger: Ledger, syntax: Syntax, entry_point: str, case: Any, output: Any
    ) -> None:
        self.ledger, self.f = ledger, entry_point
        self.function = syntax.functions.get(entry_point)
        self.arguments, self.output = case, output

    def read(self, text: str, start: int, rows: Mapping[str, Form]) -> bool:
        """Read a line of the rows' forms; False where it is none."""
        self.ledger.place = (start, start + len(text))
        return bool(DECIDERS.read(rows, text, start, self))

    def claim(self, subject: str, slot: Slot, verdict: bool | None, why: str = "") -> None:
        self.ledger.add("property", subject, slot, verdict, why)


@decides(*SUMMARY)
def _takes(a: Around, m: Match) -> None:
    a.claim("function", m["f"], m["f"].text == a.f, a.f)
    names = parameters(a.function) if a.function else []
    listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    stated = m["p"].text if "p" in m else ""
    a.claim("takes", m.get("p", m["f"]), stated == listed, listed or "nothing")
    if "c" in m:
        _clauses(a, m["c"])


def _clauses(a: Around, slot: Slot) -> None:
    """`goes over nums and returns total`: each clause is of a statement, in their order."""
    waiting = list(a.function.body) if a.function else []
    parts = [
        p
        for comma in split(slot.text, ", ", slot.start)
        for p in split(comma.text, " and ", comma.start)
    ]
    while parts:
        for size in range(len(parts), 0, -1):  # an "and" may stand inside an expression
            start, end = parts[0].start, parts[size - 1].end
            text = slot.text[start - slot.start : end - slot.start]
            at = next((i for i, s in enumerate(waiting) if text in _said_of(s)), None)
            if at is not None:
                a.claim("does", Slot(text, start, end), True)
                waiting, parts = waiting[at + 1 :], parts[size:]
                break
        else:
            text = parts[0].text
            known = any(form.match(text, mask(text) or "") for form in CLAUSES.values())
            a.claim("does", parts[0], False if known else None, "no such statement")
            parts = parts[1:]


def _said_of(stmt: ast.stmt) -> Iterator[str]:
    """What the rows of `forms.CLAUSES` can say of a statement of a function's body."""
    if isinstance(stmt, ast.For):
        yield from (CLAUSES["over"].say(e=ast.unparse(stmt.iter)), CLAUSES["loop"].say())
    elif isinstance(stmt, ast.While):
        yield from (CLAUSES["while"].say(e=ast.unparse(stmt.test)), CLAUSES["repeat"].say())
    elif isinstance(stmt, ast.If) and any(isinstance(s, ast.Return | ast.Raise) for s in stmt.body):
        yield CLAUSES["early"].say(e=ast.unparse(stmt.test))
    elif isinstance(stmt, ast.Return) and stmt.value is not None:
        yield from (CLAUSES["gives"].say(e=ast.unparse(stmt.value)), CLAUSES["result"].say())


@decides(*CONCLUSION)
def _concludes(a: Around, m: Match) -> bool | None:
    """`f(4) returns 10.`: the call that is told (or arrived at) and its output."""
    if "c" in m:
        try:
            name, arguments, _ = values.parse_call(m["c"].text)
        except values.NotALiteral:
            return False
        ok = name == a.f and a.arguments is not None and equal(tuple(arguments), tuple(a.arguments))
        a.claim("call", m["c"], ok, "another call")
    else:
        a.claim("function", m["f"], m["f"].text == a.f, a.f)
    shown = encoded(a.output)
    a.ledger.add("return", a.f, m["v"], same_text(m["v"].text, shown), shown)
    return None
