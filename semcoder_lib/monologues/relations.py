"""The closed list of properties that are looked for, each with the runs that speak for it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.forms import PROPERTIES
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.style import Property

MIN_RAISES = 3
_ARTICLES = {"int": "an int", "NoneType": "None", "OrderedDict": "an OrderedDict"}


def a_type(name: str) -> str:
    """`list` as "a list"."""
    return _ARTICLES.get(name, f"a {name}")


def _say(name: str, **slots: str) -> str:
    return PROPERTIES[name].say(**slots)


@dataclass(slots=True)
class Runs:
    """Runs of one program by the text of their arguments: what was returned, what was raised; and
    pairs of runs (argument's place, run, run) that differ in one thing."""

    arguments: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    returned: dict[str, Any] = field(default_factory=dict)
    raised: dict[str, str] = field(default_factory=dict)
    reordered: list[tuple[int, str, str]] = field(default_factory=list)
    exchanged: list[tuple[int, str, str]] = field(default_factory=list)
    repeated: list[tuple[str, str]] = field(default_factory=list)

    def know(self, key: str, arguments: tuple[Any, ...]) -> bool:
        """Whether these arguments are new."""
        new = key not in self.arguments
        self.arguments.setdefault(key, arguments)
        return new

    def pairs(self) -> list[tuple[tuple[Any, ...], Any]]:
        """(arguments, output) of the runs that returned."""
        return [(self.arguments[k], out) for k, out in self.returned.items()]


def edges(value: Any) -> list[Any]:
    """Values of the same type at its border."""
    kind = type(value)
    if kind is int:
        return [0, -1]
    if kind in (str, list, dict, tuple):
        return [kind()]
    return []


def telling(value: Any) -> list[Any]:
    """Variants on which a rash property fails: repeated, reversed and negated items."""
    if isinstance(value, list | tuple) and 0 < len(value) <= 10:
        made: list[Any] = [value * 2, value[::-1]]
        if all(type(x) in (int, float) for x in value):
            made.append(type(value)(-x for x in value))
        return made
    if isinstance(value, str) and 0 < len(value) <= 20:
        return [value + value, value.swapcase(), f" {value}-"]
    return [-value, value + 7] if type(value) is int and abs(value) < 1000 else []


def all_of(runs: Runs, names: list[str], f: str) -> Iterator[Property]:
    """Every property that no run contradicts, the most telling first."""
    yield from _identity(runs, names)
    yield from _ordering(runs)
    yield from _raising(runs, names, f)
    yield from _pairs(runs, names, f)
    yield from _lengths(runs, names)
    yield from _contents(runs, names)
    yield from _ranges(runs)
    yield from _types(runs)


Check = Callable[[Any, Any], "bool | None"]


def _support(runs: Runs, at: int, check: Check) -> int:
    """How many runs satisfy `check(argument, output)`; 0 if any does not. None counts for
    nothing."""
    count = 0
    for arguments, output in runs.pairs():
        if at >= len(arguments):
            return 0
        said = check(arguments[at], output)
        if said is False:
            return 0
        count += said is True
    return count


def _sized(value: Any) -> bool:
    return isinstance(value, list | tuple | str | dict | set | frozenset)


def _listy(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _identity(runs: Runs, names: list[str]) -> Iterator[Property]:
    for at, name in enumerate(names):
        support = _support(runs, at, lambda a, out: values.equal(a, out) and type(a) is type(out))
        if support:
            yield Property("identity", _say("identity", x=name), support)
            return
        support = _support(runs, at, _permuted)
        if support:
            yield Property("permutation", _say("permutation", x=name), support)


def _permuted(a: Any, out: Any) -> bool | None:
    if not (_listy(a) and _listy(out)):
        return (
            False
            if not isinstance(a, str) or not isinstance(out, str)
            else sorted(a) == sorted(out)
        )
    if len(a) != len(out):
        return False
    return Counter(map(_text, a)) == Counter(map(_text, out)) and (True if len(a) > 1 else None)


def _text(value: Any) -> str:
    try:
        return values.encode(value)
    except values.Unserializable:
        return repr(type(value))


def _ordering(runs: Runs) -> Iterator[Property]:
    outputs = [o for _, o in runs.pairs()]
    if not outputs or not all(_listy(o) for o in outputs):
        return
    long = [o for a, o in runs.pairs() if len(o) > 1 and not _has(a, _in_order)]
    for backwards, word in ((False, "ascending"), (True, "descending")):
        if len(long) >= 5 and all(_is_sorted(o, backwards) for o in long):
            text = _say("sorted", o=word)
            yield Property("sorted", text, len(long))
            break
    many = [o for o in outputs if len(o) > 1]
    if many and all(len(set(map(_text, o))) == len(o) for o in many):
        telling = sum(1 for a, o in runs.pairs() if len(o) > 1 and _has(a, _repeats))
        yield Property("distinct", _say("distinct"), telling)


def _has(arguments: tuple[Any, ...], check: Callable[[Any], bool]) -> bool:
    """Whether some argument, itself or inside, is as `check` says."""
    waiting = list(arguments)
    for _ in range(200):
        if not waiting:
            break
        value = waiting.pop()
        if check(value):
            return True
        if _listy(value):
            waiting += list(value)[:20]
        elif isinstance(value, dict):
            waiting += list(value.values())[:20]
    return False


def _in_order(value: Any) -> bool:
    return _listy(value) and len(value) > 1 and _is_sorted(value, False)


def _repeats(value: Any) -> bool:
    if _listy(value) or isinstance(value, str):
        return len(set(map(_text, value))) < len(value)
    return type(value) is int  # a number may make the repetitions


def _negative(value: Any) -> bool:
    return type(value) in (int, float) and value < 0


def _is_sorted(items: Any, backwards: bool) -> bool:
    try:
        return all((a >= b) if backwards else (a <= b) for a, b in itertools.pairwise(items))
    except TypeError:
        return False


_EDGES: list[tuple[str, Callable[[Any], bool]]] = [
    ("empty", lambda v: _sized(v) and not len(v)),
    ("0", lambda v: type(v) is int and v == 0),
    ("negative", lambda v: type(v) is int and v < 0),
]


def _raising(runs: Runs, names: list[str], f: str) -> Iterator[Property]:
    for at, name in enumerate(names):
        for words, applies in _EDGES:
            kinds = set()
            count = 0
            for key, arguments in runs.arguments.items():
                if at < len(arguments) and applies(arguments[at]):
                    if key in runs.returned:
                        kinds.add("")
                    elif key in runs.raised:
                        kinds.add(runs.raised[key])
                        count += 1
            if len(kinds) == 1 and count >= MIN_RAISES:
                kind = kinds.pop()
                yield Property("raises", _say("raises.when", f=f, k=kind, x=name, c=words), count)


def _pairs(runs: Runs, names: list[str], f: str) -> Iterator[Property]:
    for at, name in enumerate(names):
        agreeing = _agreeing(runs, [(a, b) for place, a, b in runs.reordered if place == at])
        if agreeing and _matters(runs, at):
            text = _say("order", x=name)
            yield Property("order", text, agreeing)
    if runs.repeated:
        count = 0
        for first, again in runs.repeated:
            a, b = runs.returned.get(first), runs.returned.get(again)
            if again not in runs.returned or _text(a) != _text(b):
                count = 0
                break
            count += 1
        distinct = {_text(runs.returned[first]) for first, _ in runs.repeated if count}
        if count >= 6 and len(distinct) >= 5:
            text = _say("idempotent", f=f)
            yield Property("idempotent", text, count)
    for at, name in enumerate(names):
        agreeing = _agreeing(runs, [(a, b) for place, a, b in runs.exchanged if place == at])
        if agreeing:
            yield Property("irrelevant", _say("irrelevant", x=name), agreeing)


def _matters(runs: Runs, at: int) -> bool:
    """Whether exchanging this argument ever changed the result: of one that never did, "the order
    of its items does not matter" would be true and say nothing."""
    pairs = [(a, b) for place, a, b in runs.exchanged if place == at]
    return not pairs or not _agreeing(runs, pairs)


def _agreeing(runs: Runs, pairs: list[tuple[str, str]]) -> int:
    """How many pairs of runs returned the same; 0 if any did not."""
    for a, b in pairs:
        if (a in runs.returned) != (b in runs.returned):
            return 0
        if a in runs.returned and _text(runs.returned[a]) != _text(runs.returned[b]):
            return 0
    return len(pairs)


def _lengths(runs: Runs, names: list[str]) -> Iterator[Property]:
    for at, name in enumerate(names):
        if _support(runs, at, lambda a, o: _both(a, o) and len(a) == len(o)):
            count = len(runs.returned)
            yield Property("length", _say("length.same", x=name), count)
        elif _support(runs, at, lambda a, o: _both(a, o) and len(o) <= len(a)):
            count = len(runs.returned)
            yield Property("length", _say("length.most", x=name), count)
        elif _support(runs, at, lambda a, o: _both(a, o) and len(o) >= len(a)):
            count = len(runs.returned)
            yield Property("length", _say("length.least", x=name), count)


def _both(a: Any, o: Any) -> bool:
    return _sized(a) and _sized(o)


def _contents(runs: Runs, names: list[str]) -> Iterator[Property]:
    for at, name in enumerate(names):
        support = _support(runs, at, _drawn)
        if support:
            yield Property("subset", _say("subset", x=name), support)


def _drawn(a: Any, out: Any) -> bool | None:
    if not (_listy(a) and _listy(out)):
        return False
    known = set(map(_text, a))
    return all(_text(x) in known for x in out) and (True if out else None)


def _ranges(runs: Runs) -> Iterator[Property]:
    outputs = [o for _, o in runs.pairs()]
    texts = {_text(o) for o in outputs}
    if len(texts) <= 3 and len(outputs) >= 8 * len(texts):
        try:
            shown = [show(o, 30) for o in {_text(o): o for o in outputs}.values()]
        except NotShown:
            shown = []
        if len(shown) > 1:
            text = _say("range.of", vs=", ".join(sorted(shown)))
            yield Property("range", text, len(outputs))
            return
    numbers = [o for o in outputs if type(o) in (int, float)]
    if numbers and len(numbers) == len(outputs) and len(texts) > 3:
        low = min(numbers)
        if low in (0, 1):
            numeric = any(_has(a, lambda v: type(v) in (int, float)) for a, _ in runs.pairs())
            telling = sum(1 for a, _ in runs.pairs() if _has(a, _negative))
            count = telling if numeric else len(numbers)
            yield Property("range", _say("range.least", v=str(low)), count)


def _types(runs: Runs) -> Iterator[Property]:
    outputs = [o for _, o in runs.pairs()]
    kinds = sorted({type(o).__name__ for o in outputs}, key=lambda k: (k == "NoneType", k))
    if 1 <= len(kinds) <= 2:
        words = " or ".join(a_type(k) for k in kinds)
        yield Property("type", _say("type", t=words), len(outputs))
    items = [x for o in outputs if _listy(o) for x in o]
    if items and all(_listy(o) for o in outputs) and len({type(x) for x in items}) == 1:
        support = sum(1 for o in outputs if o)
        text = _say("items", t=a_type(type(items[0]).__name__))
        yield Property("items", text, support)
