"""Reads the sentences around the steps: what a function does, and the conclusion."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, SUMMARY
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Match, Slot, mask, plain, split
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.stated import same_text


class Around:
    """A reader of the summary and of the conclusion of one text."""

    def __init__(
        self, ledger: Ledger, syntax: Syntax | None, entry_point: str, case: Any, output: Any
    ) -> None:
        self.ledger, self.syntax, self.f = ledger, syntax, entry_point
        self.arguments, self.output = case, output

    def read(self, text: str, start: int, group: dict[str, Any]) -> bool:
        """Read a line of the group's forms; False where it is none."""
        masked = mask(text)
        for name, form in group.items():
            slots = form.match(text, masked, start) if masked is not None else None
            if slots is not None:
                self.ledger.place = (start, start + len(text))
                if DECIDERS[name](self, slots):
                    self.ledger.forms.append((name, plain(slots)))
                    return True
        return False

    def claim(self, subject: str, slot: Slot, verdict: bool | None, why: str = "") -> None:
        self.ledger.add("property", subject, slot.text, verdict, why, place=(slot.start, slot.end))

    def statements(self) -> list[ast.stmt]:
        function = self.syntax.functions.get(self.f) if self.syntax else None
        return list(function.body) if function else []


DECIDERS: dict[str, Callable[[Around, Match], bool]] = {}


def decides(*names: str) -> Any:
    def enter(decider: Callable[[Around, Match], bool]) -> Callable[[Around, Match], bool]:
        DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


@decides(*SUMMARY)
def _takes(a: Around, m: Match) -> bool:
    function = a.syntax.functions.get(a.f) if a.syntax else None
    a.claim("function", m["f"], m["f"].text == a.f, a.f)
    names = parameters(function) if function else []
    if "p" in m:
        listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        a.claim("takes", m["p"], m["p"].text == listed, listed)
    elif names:
        a.claim("takes", m["f"], False, ", ".join(names))
    if "c" in m:
        _clauses(a, m["c"])
    return True


def _clauses(a: Around, slot: Slot) -> None:
    """`goes over nums and returns total`: each clause is of a statement, in their order."""
    waiting = a.statements()
    parts = [
        p
        for comma in split(slot.text, ", ", slot.start)
        for p in split(comma.text, " and ", comma.start)
    ]
    at = 0
    while at < len(parts):  # an "and" may stand inside an expression
        for end in range(len(parts), at, -1):
            text = slot.text[parts[at].start - slot.start : parts[end - 1].end - slot.start]
            found = next((i for i, s in enumerate(waiting) if text in _said_of(s)), None)
            if found is not None:
                a.claim("does", Slot(text, parts[at].start, parts[end - 1].end), True)
                waiting, at = waiting[found + 1 :], end
                break
        else:
            known = any(
                form.match(parts[at].text, mask(parts[at].text) or "") for form in CLAUSES.values()
            )
            a.claim("does", parts[at], False if known else None, "no such statement")
            at += 1


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
def _concludes(a: Around, m: Match) -> bool:
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
    try:
        shown = values.encode(a.output)
    except values.Unserializable:
        shown = None
    a.ledger.add(
        "return", a.f, m["v"].text, same_text(m["v"].text, shown), shown or "no output",
        place=(m["v"].start, m["v"].end),
    )  # fmt: skip
    return True
