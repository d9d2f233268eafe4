"""Reads what is said of a function as a whole: its summary, bullets about every run of it, and the
conclusion.

`DECIDERS` has a function for every row of `forms.SUMMARY`, `PROPERTIES` and `CONCLUSION`. Bullets
are decided by runs of the verifier's own: a property that no run contradicts and some run exercises
is supported, which is evidence, not proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, PROPERTIES, SUMMARY
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Form, Match, Slot, split
from semcoder_lib.monologues.verify.history import Arguments, Ran, Trials, neighbours
from semcoder_lib.monologues.verify.report import Deciders, Ledger, Verdict
from semcoder_lib.monologues.verify.text import encoded, same_text

Test = Callable[[Any, Any], bool | None]  # of arguments (or one) and result; None: says nothing
Pair = tuple[Arguments, Arguments]
_BULLET = re.compile(r"\s*[-*•]\s+")
_PAIRS = 24
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

    # --- many runs ----------------------------------------------------------------------------

    def returned(self, *own: Ran) -> list[tuple[Arguments, Any]]:
        """(arguments, value) of runs that returned: its `own` and fresh ones."""
        return [(a, value) for a, status, value in (*own, *self.trials.fresh) if status == "ok"]

    def holds(self, outcomes: Iterable[tuple[bool | None, Any]]) -> Verdict:
        """The verdict of what each run says (None: nothing), with what it was run on."""
        held = 0
        for outcome, given in outcomes:
            if outcome is False:
                return False, f"not for {brief(given)}"
            held += outcome is True
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")

    def always(self, test: Test) -> Verdict:
        """Whether the test holds of every run that returned and that it says something about."""

        def tested(arguments: Arguments, value: Any) -> bool | None:
            try:
                return test(arguments, value)
            except (TypeError, ValueError, LookupError):
                return False

        return self.holds((tested(a, value), a) for a, value in self.returned(*self.own))

    def same(self, pairs: Sequence[Pair]) -> Verdict:
        """Whether both calls of each pair end the same way."""
        ends = iter(self.trials.run([arguments for pair in pairs for arguments in pair]))
        return self.holds(
            (None if "unknown" in (a[0], b[0]) else a[0] == b[0] and equal(a[1], b[1]), pair)
            for pair, a, b in zip(pairs, ends, ends, strict=True)
        )

    def varied(self, at: int, vary: Callable[[Any], Sequence[Any]]) -> list[Pair]:
        """Pairs of calls that differ in one argument."""
        pairs = [
            (arguments, (*arguments[:at], other, *arguments[at + 1 :]))
            for arguments, _ in self.returned()
            if at < len(arguments)
            for other in vary(arguments[at])
        ]
        return pairs[:_PAIRS]


# --- bullets --------------------------------------------------------------------------------------

Judge = Callable[[Whole, Match, int], Verdict]  # of the slots, and which argument {x} is


def _property(row: str, judge: Judge) -> None:
    """Enters the judge of a row as its decider."""

    def decide(b: Whole, m: Match) -> None:
        verdict: Verdict = (False, "no such parameter")
        if all(m[name].text in (*b.parameters, b.f) for name in {"x", "f"} & m.keys()):
            verdict = judge(b, m, b.parameters.index(m["x"].text) if "x" in m else -1)
        b.ledger.add("property", row, b.line, *verdict)

    decides(row)(decide)


def _counts(items: Any) -> Counter[str]:
    return Counter(map(encoded, items))


def _permuted(x: Any, v: Any) -> bool | None:
    if isinstance(x, str) and isinstance(v, str):
        return sorted(x) == sorted(v)
    same = isinstance(x, list | tuple) and isinstance(v, list | tuple) and _counts(x) == _counts(v)
    return same and (True if len(x) > 1 else None)


def _drawn(x: Any, v: Any) -> bool | None:
    both = isinstance(x, list | tuple) and isinstance(v, list | tuple)
    return both and not _counts(v).keys() - _counts(x).keys() and (bool(v) or None)


def _sorted(b: Whole, m: Match, at: int) -> Verdict:
    down = m["o"].text == "descending"

    def test(_: Any, v: Any) -> bool | None:
        pairs = list(zip(v, list(v)[1:], strict=False))
        return all(a >= c if down else a <= c for a, c in pairs) and (bool(pairs) or None)

    return b.always(test)


def _one_of(b: Whole, m: Match, at: int) -> Verdict:
    known = [literal(p.text) for p in split(m["vs"].text, ", ")]
    return b.always(lambda _, v: any(k is not None and equal(v, k[0]) for k in known))


def _least(b: Whole, m: Match, at: int) -> Verdict:
    low = literal(m["v"].text)
    return b.always(lambda _, v: low is not None and v >= low[0])


def _names(text: str) -> set[str]:
    """`a list or None` as names of types."""
    words = [part.removeprefix("an ").removeprefix("a ") for part in text.split(" or ")]
    return {"NoneType" if word == "None" else word for word in words}


def _type(b: Whole, m: Match, at: int) -> Verdict:
    names = _names(m["t"].text)
    verdict = b.always(lambda _, v: type(v).__name__ in names)
    unseen = names - {type(v).__name__ for _, v in b.returned(*b.own)}
    return (None, f"not seen: {unseen}") if verdict[0] and unseen else verdict


def _item_types(b: Whole, m: Match, at: int) -> Verdict:
    names = _names(m["t"].text)
    return b.always(lambda _, v: all(type(x).__name__ in names for x in v) and (bool(v) or None))


def _raises(b: Whole, m: Match, at: int) -> Verdict:
    edge = m["c"].text

    def applies(v: Any) -> bool:
        if edge == "empty":
            return hasattr(v, "__len__") and not len(v)
        return type(v) is int and (v == 0 if edge == "0" else v < 0)

    return b.holds(
        (status == "exception" and value == m["k"].text, given)
        for given, status, value in (*b.trials.fresh, *b.trials.edges)
        if at < len(given) and applies(given[at])
    )


def _turned(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | str) or len(value) < 2:
        return []
    rest: Any = value[1:]
    return [value[::-1], rest + value[:1]]


def _irrelevant(b: Whole, m: Match, at: int) -> Verdict:
    donors = [(a[at],) for a, _ in b.returned() if at < len(a)][:1]
    return b.same(b.varied(at, lambda v: [n[0] for n in neighbours([(v,), *donors], 3)[1:]]))


def _idempotent(b: Whole, m: Match, at: int) -> Verdict:
    known = [(a, v) for a, v in b.returned() if a]
    outcomes = b.trials.run([(v, *a[1:]) for a, v in known])
    return b.holds(
        (None if status == "unknown" else status == "ok" and equal(value, again), a)
        for (a, value), (status, again) in zip(known, outcomes, strict=True)
    )


_OF_ARGUMENT: dict[str, Test] = {  # of the argument {x} and the result
    "identity": equal,
    "permutation": _permuted,
    "length.same": lambda x, v: len(v) == len(x),
    "length.most": lambda x, v: len(v) <= len(x),
    "length.least": lambda x, v: len(v) >= len(x),
    "subset": _drawn,
}
_JUDGES: dict[str, Judge] = {
    "sorted": _sorted,
    "distinct": lambda b, m, at: b.always(lambda _, v: max(_counts(v).values(), default=1) == 1),
    "raises.when": _raises,
    "order": lambda b, m, at: b.same(b.varied(at, _turned)),
    "idempotent": _idempotent,
    "irrelevant": _irrelevant,
    "range.of": _one_of,
    "range.least": _least,
    "type": _type,
    "items": _item_types,
}


def _about(test: Test) -> Judge:
    return lambda b, m, at: b.always(lambda given, v: test(given[at], v))


for _row, _judge in (_JUDGES | {row: _about(test) for row, test in _OF_ARGUMENT.items()}).items():
    _property(_row, _judge)


# --- summary and conclusion -----------------------------------------------------------------------


@decides(*SUMMARY)
def _takes(a: Whole, m: Match) -> None:
    """A summary, slot by slot: what a function takes and does is known from its syntax."""
    known = a.summary
    stated = m.get("p", m["f"])
    a.claim("takes", stated, ("p" in m) is ("p" in known), known.get("p", "nothing"))
    for name, slot in m.items():
        told = name != "c" or any(form.pattern.match(slot.text) for form in CLAUSES.values())
        same = slot.text == known.get(name)
        a.claim("function", slot, same or (False if told else None), known.get(name, ""))


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
