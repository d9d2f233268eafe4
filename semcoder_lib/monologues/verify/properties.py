"""Reads what is said of a function as a whole: its summary, bullets about every run of it, and the
conclusion.

`DECIDERS` has a function for every row of `forms.SUMMARY`, `PROPERTIES` and `CONCLUSION`. Bullets
are decided by runs of the verifier's own: a property that no run contradicts and some run exercises
is supported, which is evidence, not proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, PROPERTIES, SUMMARY
from semcoder_lib.monologues.show import brief, encoded
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Form, Match, Slot, split
from semcoder_lib.monologues.verify.history import Arguments, Ran, Trials
from semcoder_lib.monologues.verify.report import Deciders, Ledger, Verdict
from semcoder_lib.monologues.verify.text import same_text

_BULLET = re.compile(r"\s*[-*•]\s+")
DECIDERS = decides = Deciders()


class Whole:
    """A reader of the sections around the steps of one text, whose run is that of `arguments`."""

    def __init__(
        self, ledger: Ledger, syntax: Syntax, trials: Trials, entry_point: str,
        arguments: Arguments | None, output: Any,
    ) -> None:  # fmt: skip
        self.ledger, self.trials, self.f = ledger, trials, entry_point
        self.arguments, self.output = arguments, output
        function = syntax.functions.get(entry_point)
        self.parameters = parameters(function) if function else []
        self.summary = syntax.summary(entry_point)
        self.own: list[Ran] = [] if arguments is None else [(arguments, "ok", output)]
        self.line = ""

    def read(self, text: str, start: int, rows: Mapping[str, Form]) -> bool:
        """Read a line of the rows' forms, without its bullet; False where it is none."""
        bullet = _BULLET.match(text) if rows is PROPERTIES else None
        begin = bullet.end() if bullet else 0
        self.line = text[begin:].rstrip()
        self.ledger.place = (start, start + len(text.rstrip()))
        return bool(DECIDERS.read(rows, self.line, start + begin, self))

    def claim(self, subject: str, slot: Slot, verdict: bool | None, why: str = "") -> None:
        self.ledger.add("property", subject, slot, verdict, why)

    def always(self, test: Callable[[Arguments, Any], bool | None]) -> Verdict:
        """Whether a test of arguments and result (None: it says nothing) holds of the text's own
        run and of fresh ones."""
        held = 0
        for arguments, status, value in (*self.own, *self.trials.fresh):
            try:
                outcome = test(arguments, value) if status == "ok" else None
            except (TypeError, ValueError, LookupError):
                outcome = False
            if outcome is False:
                return False, f"not for {brief(arguments)}"
            held += outcome is True
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")


# --- bullets --------------------------------------------------------------------------------------

Test = Callable[[Match, Any, Any], bool | None]  # of the slots, the argument {x} and the result


def _property(row: str, test: Test) -> None:
    """Enters as a row's decider that its test always holds."""

    def decide(b: Whole, m: Match) -> None:
        verdict: Verdict = (False, "no such parameter")
        if "x" not in m:
            verdict = b.always(lambda given, v: test(m, None, v))
        elif m["x"].text in b.parameters:
            at = b.parameters.index(m["x"].text)
            verdict = b.always(lambda given, v: test(m, given[at], v))
        b.ledger.add("property", row, b.line, *verdict)

    decides(row)(decide)


def _counts(items: Any) -> Counter[str]:
    return Counter(map(encoded, items))


def _permuted(m: Match, x: Any, v: Any) -> bool | None:
    if isinstance(x, str) and isinstance(v, str):
        return sorted(x) == sorted(v)
    same = isinstance(x, list | tuple) and isinstance(v, list | tuple) and _counts(x) == _counts(v)
    return same and (True if len(x) > 1 else None)


def _drawn(m: Match, x: Any, v: Any) -> bool | None:
    both = isinstance(x, list | tuple) and isinstance(v, list | tuple)
    return both and not _counts(v).keys() - _counts(x).keys() and (bool(v) or None)


def _sorted(m: Match, x: Any, v: Any) -> bool | None:
    down = m["o"].text == "descending"
    pairs = list(zip(v, list(v)[1:], strict=False))
    return all(a >= c if down else a <= c for a, c in pairs) and (bool(pairs) or None)


def _one_of(m: Match, x: Any, v: Any) -> bool:
    known = [literal(p.text) for p in split(m["vs"].text, ", ")]
    return any(k is not None and equal(v, k[0]) for k in known)


def _least(m: Match, x: Any, v: Any) -> bool:
    low = literal(m["v"].text)
    return low is not None and v >= low[0]


def _is_of(types: str, value: Any) -> bool:
    """Whether a value is of one of the types named, as in `a list or None`."""
    words = [part.removeprefix("an ").removeprefix("a ") for part in types.split(" or ")]
    return type(value).__name__.replace("NoneType", "None") in words


def _items(m: Match, x: Any, v: Any) -> bool | None:
    return all(_is_of(m["t"].text, item) for item in v) and (bool(v) or None)


_TESTS: dict[str, Test] = {
    "identity": lambda m, x, v: equal(x, v),
    "permutation": _permuted,
    "sorted": _sorted,
    "distinct": lambda m, x, v: max(_counts(v).values(), default=1) == 1,
    "length.same": lambda m, x, v: len(v) == len(x),
    "length.most": lambda m, x, v: len(v) <= len(x),
    "length.least": lambda m, x, v: len(v) >= len(x),
    "subset": _drawn,
    "range.of": _one_of,
    "range.least": _least,
    "type": lambda m, x, v: _is_of(m["t"].text, v),
    "items": _items,
}
for _row, _test in _TESTS.items():
    _property(_row, _test)


# --- summary and conclusion -----------------------------------------------------------------------


@decides(*SUMMARY)
def _takes(a: Whole, m: Match) -> None:
    """A summary, slot by slot: what a function takes and does is known from its syntax."""
    known = a.summary
    stated = m.get("p", m["f"])
    a.claim("takes", stated, ("p" in m) is ("p" in known), known.get("p", "nothing"))
    for name, slot in m.items():
        closed = name != "c" or any(form.pattern.match(slot.text) for form in CLAUSES.values())
        same = slot.text == known.get(name)
        a.claim("function", slot, same or (False if closed else None), known.get(name, ""))


@decides(*CONCLUSION)
def _concludes(a: Whole, m: Match) -> bool | None:
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
