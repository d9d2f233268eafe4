"""Reads bullets about every run of a program, and decides them by runs of the verifier's own.

`DECIDERS` has a function for every row of `forms.PROPERTIES`. A property that no run contradicts
and some run exercises is supported: evidence, not proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.forms import PROPERTIES
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.template import Match, mask, plain, split
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.trials import Trials, neighbours

Run = tuple[dict[str, Any], str, Any]  # arguments by name, status, value (or exception's name)
Test = Callable[[dict[str, Any], Any], bool | None]  # None: says nothing about this run
Verdict = tuple[bool | None, str]
_BULLET = re.compile(r"\s*[-*•]\s+")
_PAIRS = 24


class Bullets:
    """A reader of the bullets of one text. `own` is the call that the text is about."""

    def __init__(
        self,
        ledger: Ledger,
        syntax: Syntax | None,
        trials: Trials,
        entry_point: str,
        arguments: tuple[Any, ...] | None,
        output: Any,
    ) -> None:
        self.ledger, self.trials, self.f = ledger, trials, entry_point
        function = syntax.functions.get(entry_point) if syntax else None
        self.parameters = parameters(function) if function else []
        self.own = [] if arguments is None else [self._named(arguments, "ok", output)]

    def read(self, text: str, start: int) -> bool:
        """Read one bullet; False where it has no form."""
        bullet = _BULLET.match(text)
        begin = bullet.end() if bullet else 0
        body = text[begin:].rstrip()
        masked = mask(body)
        for name, form in PROPERTIES.items():
            slots = form.match(body, masked, start + begin) if masked is not None else None
            if slots is None:
                continue
            named = [slots[s].text for s in ("x", "f") if s in slots]
            known = [*self.parameters, self.f]
            verdict: Verdict = (False, "no such parameter")
            if all(n in known for n in named):
                verdict = DECIDERS[name](self, slots)
            self.ledger.forms.append((name, plain(slots)))
            place = (start, start + len(text.rstrip()))
            self.ledger.add("property", name, body, verdict[0], verdict[1], place=place)
            return True
        return False

    # --- runs ---------------------------------------------------------------------------------

    def _named(self, arguments: Sequence[Any], status: str, value: Any) -> Run:
        return dict(zip(self.parameters, arguments, strict=False)), status, value

    def always(self, test: Test) -> Verdict:
        """Whether the test holds of every run that returned and that it says something about."""
        held = 0
        for given, status, value in (*self.own, *self._fresh()):
            if status != "ok":
                continue
            try:
                outcome = test(given, value)
            except (TypeError, ValueError, KeyError):
                outcome = False
            if outcome is False:
                return False, f"not for {_shown(given)}"
            held += outcome is True
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")

    def _fresh(self) -> list[Run]:
        return [self._named(*run) for run in self.trials.fresh()]

    def same(self, pairs: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Verdict:
        """Whether both calls of each pair end the same way."""
        outcomes = self.trials.run([arguments for pair in pairs for arguments in pair])
        held = 0
        for number, (first, second) in enumerate(pairs):
            a, b = outcomes[2 * number], outcomes[2 * number + 1]
            if "unknown" in (a[0], b[0]):
                continue
            if a[0] != b[0] or not equal(a[1], b[1]):
                return False, f"differs for {brief(first)} and {brief(second)}"
            held += 1
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")

    def varied(
        self, name: str, vary: Callable[[Any], Sequence[Any]]
    ) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """Pairs of calls that differ in one argument."""
        at = self.parameters.index(name)
        pairs = []
        for arguments, status, _ in self.trials.fresh():
            if status == "ok" and at < len(arguments):
                for other in vary(arguments[at]):
                    pairs.append((arguments, (*arguments[:at], other, *arguments[at + 1 :])))
        return pairs[:_PAIRS]


def _shown(given: dict[str, Any]) -> str:
    return ", ".join(f"{k} = {_text(v)[:60]}" for k, v in given.items())


def _text(value: Any) -> str:
    try:
        return values.encode(value)
    except values.Unserializable:
        return f"a {type(value).__name__}"


def _counts(items: Any) -> Counter[str]:
    return Counter(map(_text, items))


# --- the deciders: one for every row of forms.PROPERTIES ------------------------------------------

Decider = Callable[[Bullets, Match], Verdict]
DECIDERS: dict[str, Decider] = {}


def _of_argument(name: str, test: Callable[[Any, Any], bool | None]) -> None:
    """A property of the result and the argument `{x}`."""
    DECIDERS[name] = lambda b, m: b.always(lambda given, v: test(given[m["x"].text], v))


def _sequences(*items: Any) -> bool:
    return all(isinstance(x, list | tuple) for x in items)


_of_argument("identity", lambda x, v: equal(x, v))
_of_argument(
    "permutation",
    lambda x, v: (
        sorted(x) == sorted(v)
        if isinstance(x, str) and isinstance(v, str)
        else _sequences(x, v) and _counts(x) == _counts(v) and (True if len(x) > 1 else None)
    ),
)
_of_argument("length.same", lambda x, v: len(v) == len(x))
_of_argument("length.most", lambda x, v: len(v) <= len(x))
_of_argument("length.least", lambda x, v: len(v) >= len(x))
_of_argument(
    "subset",
    lambda x, v: (
        _sequences(x, v) and not _counts(v).keys() - _counts(x).keys() and (bool(v) or None)
    ),
)


def _sorted(b: Bullets, m: Match) -> Verdict:
    down = m["o"].text == "descending"

    def test(_: Any, v: Any) -> bool | None:
        pairs = list(zip(v, list(v)[1:], strict=False))
        return all(a >= c if down else a <= c for a, c in pairs) and (bool(pairs) or None)

    return b.always(test)


def _one_of(b: Bullets, m: Match) -> Verdict:
    known = [literal(p.text) for p in split(m["vs"].text, ", ")]
    if any(k is None for k in known):
        return None, "no values"
    return b.always(lambda _, v: any(equal(v, k[0]) for k in known if k is not None))


def _least(b: Bullets, m: Match) -> Verdict:
    low = literal(m["v"].text)
    return b.always(lambda _, v: low is not None and v >= low[0])


_TYPES = {"None": "NoneType"}


def _names(text: str) -> set[str]:
    """`a list or None` as names of types."""
    words = [part.removeprefix("an ").removeprefix("a ") for part in text.split(" or ")]
    return {_TYPES.get(word, word) for word in words}


def _type(b: Bullets, m: Match) -> Verdict:
    names = _names(m["t"].text)
    verdict = b.always(lambda _, v: type(v).__name__ in names)
    seen = {type(v).__name__ for _, status, v in (*b.own, *b._fresh()) if status == "ok"}
    return (None, f"not seen: {names - seen}") if verdict[0] and names - seen else verdict


def _item_types(b: Bullets, m: Match) -> Verdict:
    names = _names(m["t"].text)
    return b.always(lambda _, v: all(type(x).__name__ in names for x in v) and (bool(v) or None))


_EDGES: dict[str, Callable[[Any], bool]] = {
    "empty": lambda v: hasattr(v, "__len__") and not len(v),
    "0": lambda v: type(v) is int and v == 0,
    "negative": lambda v: type(v) is int and v < 0,
}


def _raises(b: Bullets, m: Match) -> Verdict:
    applies, met = _EDGES[m["c"].text], 0
    for arguments, status, value in (*b.trials.fresh(), *b.trials.edges()):
        given = b._named(arguments, status, value)[0]
        if m["x"].text not in given or not applies(given[m["x"].text]):
            continue
        met += 1
        if status != "exception" or value != m["k"].text:
            return False, f"not for {_shown(given)}"
    return (True, f"held on {met} inputs") if met else (None, "no run met the condition")


def _turned(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple | str) or len(value) < 2:
        return []
    rest: Any = value[1:]
    return [value[::-1], rest + value[:1]]


def _irrelevant(b: Bullets, m: Match) -> Verdict:
    name = m["x"].text
    at = b.parameters.index(name)
    donors = [(a[at],) for a, status, _ in b.trials.fresh() if status == "ok" and at < len(a)]
    return b.same(b.varied(name, lambda v: [n[0] for n in neighbours([(v,), *donors[:1]], 3)[1:]]))


def _idempotent(b: Bullets, m: Match) -> Verdict:
    known = [(a, v) for a, status, v in b.trials.fresh() if status == "ok" and a]
    outcomes = b.trials.run([(v, *a[1:]) for a, v in known])
    held = 0
    for (arguments, value), (status, again) in zip(known, outcomes, strict=True):
        if status == "unknown":
            continue
        if status != "ok" or not equal(value, again):
            return False, f"not for {brief(arguments)}"
        held += 1
    return (True, f"held on {held} inputs") if held else (None, "no run to test it on")


DECIDERS |= {
    "sorted": _sorted,
    "distinct": lambda b, m: b.always(lambda _, v: max(_counts(v).values(), default=1) == 1),
    "raises.when": _raises,
    "order": lambda b, m: b.same(b.varied(m["x"].text, _turned)),
    "idempotent": _idempotent,
    "irrelevant": _irrelevant,
    "range.of": _one_of,
    "range.least": _least,
    "type": _type,
    "items": _item_types,
}
