"""Reads bullets about every run of a program, and decides them by runs of the verifier's own.

`DECIDERS` has a function for every row of `forms.PROPERTIES`. A property that no run contradicts
and some run exercises is supported: evidence, not proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.forms import PROPERTIES
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Match, mask, plain, split
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.text import encoded
from semcoder_lib.monologues.verify.trials import Arguments, Run, Trials, neighbours

Verdict = tuple[bool | None, str]
Test = Callable[[Any, Any], bool | None]  # of arguments (or one) and result; None: says nothing
Pair = tuple[Arguments, Arguments]
_BULLET = re.compile(r"\s*[-*•]\s+")
_PAIRS = 24


class Bullets:
    """A reader of the bullets of one text. `own` is the run that the text is about."""

    def __init__(
        self,
        ledger: Ledger,
        syntax: Syntax,
        trials: Trials,
        entry_point: str,
        arguments: Arguments | None,
        output: Any,
    ) -> None:
        self.ledger, self.trials, self.f = ledger, trials, entry_point
        function = syntax.functions.get(entry_point)
        self.parameters = parameters(function) if function else []
        self.own: list[Run] = [] if arguments is None else [(arguments, "ok", output)]

    def read(self, text: str, start: int) -> bool:
        """Read one bullet; False where it has no form."""
        bullet = _BULLET.match(text)
        begin = bullet.end() if bullet else 0
        body = text[begin:].rstrip()
        masked = mask(body)
        for name, form in PROPERTIES.items() if masked is not None else ():
            slots = form.match(body, masked or "", start + begin)
            if slots is None:
                continue
            verdict: Verdict = (False, "no such parameter")
            if all(slots[s].text in (*self.parameters, self.f) for s in ("x", "f") if s in slots):
                verdict = DECIDERS[name](self, slots)
            self.ledger.forms.append((name, plain(slots)))
            place = (start, start + len(text.rstrip()))
            self.ledger.add("property", name, body, *verdict, place=place)
            return True
        return False

    def at(self, m: Match) -> int:
        """Which argument {x} is."""
        return self.parameters.index(m["x"].text)

    def returned(self, *own: Run) -> list[tuple[Arguments, Any]]:
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
        outcomes = iter(self.trials.run([arguments for pair in pairs for arguments in pair]))
        ends = [(pair, next(outcomes), next(outcomes)) for pair in pairs]
        return self.holds(
            (None if "unknown" in (a[0], b[0]) else a[0] == b[0] and equal(a[1], b[1]), pair)
            for pair, a, b in ends
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


def _counts(items: Any) -> Counter[str]:
    return Counter(map(encoded, items))


Decider = Callable[[Bullets, Match], Verdict]

# --- the deciders: one for every row of forms.PROPERTIES ------------------------------------------


def _permuted(x: Any, v: Any) -> bool | None:
    if isinstance(x, str) and isinstance(v, str):
        return sorted(x) == sorted(v)
    same = isinstance(x, list | tuple) and isinstance(v, list | tuple) and _counts(x) == _counts(v)
    return same and (True if len(x) > 1 else None)


def _drawn(x: Any, v: Any) -> bool | None:
    both = isinstance(x, list | tuple) and isinstance(v, list | tuple)
    return both and not _counts(v).keys() - _counts(x).keys() and (bool(v) or None)


def _of_argument(test: Test) -> Decider:
    """A property of the argument {x} and the result."""
    return lambda b, m: b.always(lambda given, v: test(given[b.at(m)], v))


def _sorted(b: Bullets, m: Match) -> Verdict:
    down = m["o"].text == "descending"

    def test(_: Any, v: Any) -> bool | None:
        pairs = list(zip(v, list(v)[1:], strict=False))
        return all(a >= c if down else a <= c for a, c in pairs) and (bool(pairs) or None)

    return b.always(test)


def _one_of(b: Bullets, m: Match) -> Verdict:
    known = [literal(p.text) for p in split(m["vs"].text, ", ")]
    return b.always(lambda _, v: any(k is not None and equal(v, k[0]) for k in known))


def _least(b: Bullets, m: Match) -> Verdict:
    low = literal(m["v"].text)
    return b.always(lambda _, v: low is not None and v >= low[0])


def _names(text: str) -> set[str]:
    """`a list or None` as names of types."""
    words = [part.removeprefix("an ").removeprefix("a ") for part in text.split(" or ")]
    return {"NoneType" if word == "None" else word for word in words}


def _type(b: Bullets, m: Match) -> Verdict:
    names = _names(m["t"].text)
    verdict = b.always(lambda _, v: type(v).__name__ in names)
    unseen = names - {type(v).__name__ for _, v in b.returned(*b.own)}
    return (None, f"not seen: {unseen}") if verdict[0] and unseen else verdict


def _item_types(b: Bullets, m: Match) -> Verdict:
    names = _names(m["t"].text)
    return b.always(lambda _, v: all(type(x).__name__ in names for x in v) and (bool(v) or None))


_EDGES: dict[str, Callable[[Any], bool]] = {
    "empty": lambda v: hasattr(v, "__len__") and not len(v),
    "0": lambda v: type(v) is int and v == 0,
    "negative": lambda v: type(v) is int and v < 0,
}


def _raises(b: Bullets, m: Match) -> Verdict:
    at, applies = b.at(m), _EDGES[m["c"].text]
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


def _irrelevant(b: Bullets, m: Match) -> Verdict:
    at = b.at(m)
    donors = [(a[at],) for a, _ in b.returned() if at < len(a)][:1]
    return b.same(b.varied(at, lambda v: [n[0] for n in neighbours([(v,), *donors], 3)[1:]]))


def _idempotent(b: Bullets, m: Match) -> Verdict:
    known = [(a, v) for a, v in b.returned() if a]
    outcomes = b.trials.run([(v, *a[1:]) for a, v in known])
    return b.holds(
        (None if status == "unknown" else status == "ok" and equal(value, again), a)
        for (a, value), (status, again) in zip(known, outcomes, strict=True)
    )


DECIDERS: dict[str, Decider] = {
    "identity": _of_argument(equal),
    "permutation": _of_argument(_permuted),
    "sorted": _sorted,
    "distinct": lambda b, m: b.always(lambda _, v: max(_counts(v).values(), default=1) == 1),
    "raises.when": _raises,
    "order": lambda b, m: b.same(b.varied(b.at(m), _turned)),
    "idempotent": _idempotent,
    "irrelevant": _irrelevant,
    "length.same": _of_argument(lambda x, v: len(v) == len(x)),
    "length.most": _of_argument(lambda x, v: len(v) <= len(x)),
    "length.least": _of_argument(lambda x, v: len(v) >= len(x)),
    "subset": _of_argument(_drawn),
    "range.of": _one_of,
    "range.least": _least,
    "type": _type,
    "items": _item_types,
}
