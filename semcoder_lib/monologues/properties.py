"""Abstract semantics: what holds of every run, inferred from many (paper section 4.2, "properties
and constraints").

A property is proposed from the known cases and from fresh inputs (mutations of the known ones, made
without looking at the property). It is kept only if no run contradicts it and at least
`MIN_SUPPORT` runs support it. That is evidence, not proof, which is why the count is kept.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.monologues.forms import PROPERTIES
from semcoder_lib.monologues.mutation import mutated
from semcoder_lib.monologues.style import Property
from semcoder_lib.monologues.syntax import parameters, readable
from semcoder_lib.sandbox import Job, Limits, Sandbox

__all__ = ["MIN_SUPPORT", "Property", "infer", "infer_many"]

MIN_SUPPORT = 5
_MIN_RAISES = 3
_FRESH = 28
_MAX_TEXT = 2_000  # characters of the arguments of a run
_LIMITS = Limits(cpu_seconds=0.1, wall_seconds=2.0, memory_mb=512, grace=0.0)


def infer(
    program: Program, cases: Sequence[Case], box: Sandbox, *, seed: int = 0
) -> tuple[Property, ...]:
    """Properties of one program, the most telling first. `cases` must be cases that ran; fresh
    inputs come from mutating theirs. No case, no property."""
    return infer_many([Entry(program, tuple(cases))], box, seed=seed)[0]


def infer_many(
    entries: Iterable[Entry], box: Sandbox, *, seed: int = 0
) -> list[tuple[Property, ...]]:
    """`infer` for many entries, their runs batched."""
    plans = [_Runs(entry, seed) for entry in entries]
    jobs = [
        Job(p.program.source, p.program.entry_point, [*p.fresh.values()], _LIMITS,
            share=True, give_up=2)
        for p in plans if p.fresh
    ]  # fmt: skip
    for plan, outcomes in zip([p for p in plans if p.fresh], box.map(jobs), strict=True):
        for key, outcome in zip(plan.fresh, outcomes, strict=False):
            if outcome.status is Status.OK:
                plan.enter(key, outcome.value)
            elif outcome.status is Status.EXCEPTION and outcome.exception is not None:
                plan.raised[key] = outcome.exception.type
    return [tuple(_kept(plan)) for plan in plans]


def _kept(runs: _Runs) -> Iterator[Property]:
    if len(runs.returned) < MIN_SUPPORT:
        return
    stated: set[tuple[str, ...]] = set()
    for row, propose in PROPOSERS.items():
        for slots, support in propose(runs):
            # of a family of rows about one thing the first says it all: `length.same` the others
            family = (row.partition(".")[0], slots.get("x", ""), slots.get("c", ""))
            if row == "permutation" and any(row == "identity" for row, *_ in stated):
                continue
            if family not in stated and support >= (_MIN_RAISES if "k" in slots else MIN_SUPPORT):
                stated.add(family)
                yield Property(row, PROPERTIES[row].say(**slots), support)


class _Runs:
    """Runs of one program by the text of their arguments: what was returned, with its text, and
    what was raised; `fresh` are those still to be made. `compared` has pairs of runs that differ in
    one argument, by how (`reordered`, `exchanged`) and its place; `repeated` those on an output."""

    def __init__(self, entry: Entry, seed: int) -> None:
        self.program, self.f = entry.program, entry.program.entry_point
        self.arguments: dict[str, tuple[Any, ...]] = {}
        self.fresh: dict[str, tuple[Any, ...]] = {}
        self.returned: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.raised: dict[str, str] = {}
        self.compared: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self.repeated: list[tuple[str, str]] = []
        self.names: list[str] = []
        self.used: set[str] = set()
        try:
            function = readable(entry.program.source, self.f).functions[self.f]
        except UserError:
            return
        self.names = parameters(function)
        loaded = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        self.used = {n.id for n in loaded if isinstance(n.ctx, ast.Load)}
        known: list[tuple[Any, ...]] = []
        for case in entry.cases:
            key = _key(case.arguments)
            if key is not None:
                known.append(case.arguments)
                self.arguments.setdefault(key, case.arguments)
                self.enter(key, case.output)
        if known:
            rng = Random(f"{seed}:properties:{entry.program.id}")
            self._vary(known, rng)
            self._pair(known, rng)

    def enter(self, key: str, output: Any) -> None:
        """The result of a run."""
        self.returned[key], self.texts[key] = output, _text(output)

    def _add(self, arguments: tuple[Any, ...]) -> str | None:
        key = _key(arguments)
        if key is not None and key not in self.arguments:
            self.arguments[key] = self.fresh[key] = arguments
        return key

    def _vary(self, known: list[tuple[Any, ...]], rng: Random) -> None:
        """Mutations, variants on which a rash property fails, and values at the border."""
        pool = [v for arguments in known[:6] for v in arguments]
        for _ in range(_FRESH if known[0] else 0):
            arguments = list(rng.choice(known))
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(arguments))
                arguments[at] = mutated(arguments[at], pool, rng)
            self._add(tuple(arguments))
        for given in known[:4]:
            for at, value in enumerate(given):
                for other in _telling(value):
                    self._add(_with(given, at, other))
        for at in range(len(known[0])):
            for given in known[:3]:
                for edge in _edges(given[at] if at < len(given) else None):
                    self._add(_with(given, at, edge))

    def _pair(self, known: list[tuple[Any, ...]], rng: Random) -> None:
        """Pairs of runs: an argument reordered, an argument exchanged, the function run again."""
        for arguments in [*known[:6], *list(self.fresh.values())[:8]]:
            for at, value in enumerate(arguments):
                if isinstance(value, list | str) and 1 < len(value) <= 30:
                    items = list(value)
                    rng.shuffle(items)
                    other = "".join(items) if isinstance(value, str) else items
                    self._compare("reordered", arguments, at, other)
                donor = rng.choice(known)
                if len(arguments) > 1 and at < len(donor):
                    self._compare("exchanged", arguments, at, donor[at])
        for arguments in known:  # their outputs are known before anything runs
            key = _key(arguments) or ""
            if len(arguments) == 1 and type(self.returned[key]) is type(arguments[0]):
                again = self._add((self.returned[key],))
                self.repeated += [(key, again)] if again is not None else []

    def _compare(self, how: str, arguments: tuple[Any, ...], at: int, other: Any) -> None:
        key, new = _key(arguments), self._add(_with(arguments, at, other))
        if key is not None and new is not None and new != key:
            self.compared.setdefault((how, at), []).append((key, new))

    @property
    def outputs(self) -> list[Any]:
        return list(self.returned.values())

    def pairs(self) -> list[tuple[tuple[Any, ...], Any]]:
        """(arguments, output) of the runs that returned."""
        return [(self.arguments[k], out) for k, out in self.returned.items()]

    def agreeing(self, how: str, at: int) -> int:
        """How many pairs about an argument returned the same; 0 if any did not."""
        pairs = self.compared.get((how, at), [])
        same = all(self.texts.get(a) == self.texts.get(b) for a, b in pairs)
        return len(pairs) if same else 0


def _with(arguments: tuple[Any, ...], at: int, value: Any) -> tuple[Any, ...]:
    return (*arguments[:at], value, *arguments[at + 1 :])


def _key(arguments: tuple[Any, ...]) -> str | None:
    try:
        key = values.encode(arguments, max_bytes=4_000)
    except values.Unserializable:
        return None
    return key if len(key) < _MAX_TEXT else None


def _text(value: Any) -> str:
    try:
        return values.encode(value)
    except values.Unserializable:
        return repr(type(value))


def _edges(value: Any) -> list[Any]:
    """Values of the same type at its border."""
    kind = type(value)
    return [0, -1] if kind is int else [kind()] if kind in (str, list, dict, tuple) else []


def _telling(value: Any) -> list[Any]:
    """Variants on which a rash property fails: repeated, reversed and negated items."""
    if isinstance(value, list | tuple) and 0 < len(value) <= 10:
        numbers = all(type(x) in (int, float) for x in value)
        return [value * 2, value[::-1], *([type(value)(-x for x in value)] if numbers else [])]
    if isinstance(value, str) and 0 < len(value) <= 20:
        return [value + value, value.swapcase(), f" {value}-"]
    return [-value, value + 7] if type(value) is int and abs(value) < 1000 else []


# --- what values are like -------------------------------------------------------------------------


def _sized(*given: Any) -> bool:
    return all(isinstance(v, list | tuple | str | dict | set | frozenset) for v in given)


def _listy(*given: Any) -> bool:
    return all(isinstance(v, list | tuple) for v in given)


def _numeric(value: Any) -> bool:
    return type(value) in (int, float)


def _is_sorted(items: Any, *, descending: bool = False) -> bool:
    try:
        return all((a >= b) if descending else (a <= b) for a, b in itertools.pairwise(items))
    except TypeError:
        return False


def _in_order(value: Any) -> bool:
    return _listy(value) and len(value) > 1 and _is_sorted(value)


def _repeats(value: Any) -> bool:
    if _listy(value) or isinstance(value, str):
        return len(set(map(_text, value))) < len(value)
    return type(value) is int  # a number may make the repetitions


def _inside(arguments: tuple[Any, ...]) -> list[Any]:
    """The arguments and what is in them, up to 200 values."""
    seen: list[Any] = []
    waiting = list(arguments)
    while waiting and len(seen) < 200:
        value = waiting.pop()
        seen.append(value)
        inner = value if _listy(value) else value.values() if isinstance(value, dict) else ()
        waiting += list(inner)[:20]
    return seen


# --- the proposers: one for every row of forms.PROPERTIES, in its order ---------------------------

# slots of the row, and the number of runs that speak for it
Proposals = Iterator[tuple[dict[str, str], int]]
Proposer = Callable[[_Runs], Proposals]


def _of_argument(check: Callable[[Any, Any], bool | None]) -> Proposer:
    """A relation between an argument and the result; None says nothing of a run."""

    def propose(runs: _Runs) -> Proposals:
        for at, name in enumerate(runs.names):
            holds = [check(a[at], out) if at < len(a) else False for a, out in runs.pairs()]
            if False not in holds:
                yield {"x": name}, holds.count(True)

    return propose


def _permuted(a: Any, out: Any) -> bool | None:
    if isinstance(a, str) and isinstance(out, str):
        return sorted(a) == sorted(out)
    if not _listy(a, out) or len(a) != len(out):
        return False
    return Counter(map(_text, a)) == Counter(map(_text, out)) and (True if len(a) > 1 else None)


def _drawn(a: Any, out: Any) -> bool | None:
    return _listy(a, out) and {*map(_text, out)} <= {*map(_text, a)} and (True if out else None)


def _sorted(runs: _Runs) -> Proposals:
    if _listy(*runs.outputs):
        long = [o for a, o in runs.pairs() if len(o) > 1 and not any(map(_in_order, _inside(a)))]
        for word in ("ascending", "descending"):
            if all(_is_sorted(o, descending=word == "descending") for o in long):
                yield {"o": word}, len(long)


def _distinct(runs: _Runs) -> Proposals:
    if _listy(*runs.outputs) and not any(map(_repeats, runs.outputs)):
        yield {}, sum(len(o) > 1 and any(map(_repeats, _inside(a))) for a, o in runs.pairs())


_EDGES: dict[str, Callable[[Any], bool]] = {
    "empty": lambda v: _sized(v) and not len(v),
    "0": lambda v: type(v) is int and v == 0,
    "negative": lambda v: type(v) is int and v < 0,
}


def _raises(runs: _Runs) -> Proposals:
    for (at, name), (words, applies) in itertools.product(enumerate(runs.names), _EDGES.items()):
        met = [k for k, a in runs.arguments.items() if at < len(a) and applies(a[at])]
        kinds = [runs.raised.get(k, "") for k in met if k in runs.raised or k in runs.returned]
        if len(set(kinds)) == 1 and kinds[0]:
            yield {"f": runs.f, "k": kinds[0], "x": name, "c": words}, len(kinds)


def _order(runs: _Runs) -> Proposals:
    """Of an argument that never changed the result, "the order of its items does not matter" would
    be true and say nothing."""
    for at, name in enumerate(runs.names):
        if not runs.agreeing("exchanged", at):
            yield {"x": name}, runs.agreeing("reordered", at)


def _idempotent(runs: _Runs) -> Proposals:
    first = {runs.texts[key] for key, _ in runs.repeated}
    same = all(runs.texts[key] == runs.texts.get(again) for key, again in runs.repeated)
    if same and len(runs.repeated) >= 6 and len(first) >= 5:
        yield {"f": runs.f}, len(runs.repeated)


def _irrelevant(runs: _Runs) -> Proposals:
    """Runs may agree by chance, on a prefix that is never there: what is used counts."""
    for at, name in enumerate(runs.names):
        if name not in runs.used:
            yield {"x": name}, runs.agreeing("exchanged", at)


def _one_of(runs: _Runs) -> Proposals:
    texts = sorted({*runs.texts.values()})
    if (
        1 < len(texts) <= 3
        and len(runs.outputs) >= 8 * len(texts)
        and len(max(texts, key=len)) < 31
    ):
        yield {"vs": ", ".join(texts)}, len(runs.outputs)


def _least(runs: _Runs) -> Proposals:
    numbers = all(map(_numeric, runs.outputs))
    if numbers and min(runs.outputs) in (0, 1) and len({*runs.texts.values()}) > 3:
        given = [[v for v in _inside(a) if _numeric(v)] for a, _ in runs.pairs()]
        below = sum(any(v < 0 for v in numbers) for numbers in given)
        yield {"v": str(min(runs.outputs))}, below if any(given) else len(runs.outputs)


_ARTICLES = {"int": "an int", "NoneType": "None", "OrderedDict": "an OrderedDict"}


def _types(given: Iterable[Any]) -> list[str]:
    """The names of types with their articles, None last: `a list`."""
    kinds = sorted({type(v).__name__ for v in given}, key=lambda k: (k == "NoneType", k))
    return [_ARTICLES.get(kind, f"a {kind}") for kind in kinds]


def _type(runs: _Runs) -> Proposals:
    if len(kinds := _types(runs.outputs)) <= 2:
        yield {"t": " or ".join(kinds)}, len(runs.outputs)


def _items(runs: _Runs) -> Proposals:
    if _listy(*runs.outputs) and len(kinds := _types(x for o in runs.outputs for x in o)) == 1:
        yield {"t": kinds[0]}, sum(map(bool, runs.outputs))


PROPOSERS: dict[str, Proposer] = {
    "identity": _of_argument(lambda a, o: values.equal(a, o) and type(a) is type(o)),
    "permutation": _of_argument(_permuted),
    "sorted": _sorted,
    "distinct": _distinct,
    "raises.when": _raises,
    "order": _order,
    "idempotent": _idempotent,
    "irrelevant": _irrelevant,
    "length.same": _of_argument(lambda a, o: _sized(a, o) and len(a) == len(o)),
    "length.most": _of_argument(lambda a, o: _sized(a, o) and len(o) <= len(a)),
    "length.least": _of_argument(lambda a, o: _sized(a, o) and len(o) >= len(a)),
    "subset": _of_argument(_drawn),
    "range.of": _one_of,
    "range.least": _least,
    "type": _type,
    "items": _items,
}
