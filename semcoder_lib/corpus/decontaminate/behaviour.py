"""Decontamination by behaviour: a corpus program that computes what a benchmark's function computes
is removed, however it is written."""

from __future__ import annotations

import collections
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import execute, inputs
from semcoder_lib.corpus.decontaminate.items import Item
from semcoder_lib.corpus.execute import Failed, Ran, Request
from semcoder_lib.corpus.seeds.packages.hints import join_types, type_of

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

MUTATED = 24
MOST = 30  # inputs kept of one function
WORKING = 0.6  # share of them on which a program must give a value to be the same
AGREE = 10  # on at least so many inputs
DISTINCT = 5  # that give at least so many outputs
FEW_AGREE = 20  # for yes-or-no functions
FEW_MINORITY = 6
BUDGET = 6_000
CPU_SECONDS = 0.25  # for all inputs of a program; some take long in one built-in call


@dataclass(frozen=True, slots=True)
class Reference:
    """A benchmark function by what it does: argument texts and the output texts they give."""

    id: str
    shape: tuple[str, ...]
    calls: tuple[str, ...]
    outputs: tuple[str, ...]
    kinds: frozenset[str] = frozenset()


@dataclass(slots=True)
class References:
    """All benchmark functions that can be told by their outputs, by their arguments' shape."""

    by_shape: dict[tuple[str, ...], list[Reference]] = field(default_factory=dict)
    undecidable: list[str] = field(default_factory=list)

    def to_row(self) -> dict[str, Any]:
        """JSON data, to hand the references to other processes."""
        return {
            "references": [
                [r.id, list(r.shape), list(r.calls), list(r.outputs)]
                for group in self.by_shape.values()
                for r in group
            ],
            "undecidable": self.undecidable,
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> References:
        """What `to_row` wrote."""
        made = cls(undecidable=list(row["undecidable"]))
        for name, shape, calls, outputs in row["references"]:
            reference = Reference(
                name,
                tuple(shape),
                tuple(calls),
                tuple(outputs),
                kinds_of(map(values.decode, outputs)),
            )
            made.by_shape.setdefault(reference.shape, []).append(reference)
        return made


def shape_of(arguments: Sequence[Any]) -> tuple[str, ...]:
    """The outer types of a call's arguments; numbers are one type."""
    return tuple(_outer(type(a).__name__) for a in arguments)


def _outer(name: str) -> str:
    return "number" if name in ("int", "float", "bool") else name


def references(items: Iterable[Item], box: Sandbox, *, seed: int = 0) -> References:
    """Runs every benchmark function on its known and on mutated inputs. Inputs that come back
    unchanged tell nothing and are left out; a function that `_tells` too little by what remains is
    listed as undecidable."""
    made = References()
    kept: list[tuple[Item, list[tuple[Any, ...]]]] = []
    for item in items:
        calls = _varied(item, seed)
        if calls:
            kept.append((item, calls))
        else:
            made.undecidable.append(item.id)
    requests = (
        Request(Program(item.source, item.entry_point), calls, coverage=False, budget=BUDGET)
        for item, calls in kept
    )
    for (item, calls), ran in zip(kept, execute.run(box, requests), strict=True):
        if isinstance(ran, Failed):
            made.undecidable.append(item.id)
            continue
        groups: dict[tuple[str, ...], list[tuple[str, str]]] = collections.defaultdict(list)
        for call, one in zip(calls, ran, strict=True):
            if one.ok and one.text not in {values.encode(a) for a in call}:
                groups[shape_of(call)].append((values.encode(call), one.text))
        told = 0
        for shape, pairs in groups.items():
            if _tells([o for _, o in pairs]):
                ordered = _telling(pairs)
                outputs = tuple(o for _, o in ordered)
                kinds = kinds_of(map(values.decode, outputs))
                reference = Reference(item.id, shape, tuple(c for c, _ in ordered), outputs, kinds)
                made.by_shape.setdefault(shape, []).append(reference)
                told += 1
        if not told:
            made.undecidable.append(item.id)
    return made


def _tells(outputs: Sequence[str]) -> bool:
    """Whether these outputs are enough to know a function by: at least `AGREE` with `DISTINCT`
    different ones, or, for yes-or-no functions, at least `FEW_AGREE` with `FEW_MINORITY` of either
    answer."""
    if len(outputs) < AGREE:
        return False
    counts = collections.Counter(outputs)
    if len(counts) >= DISTINCT:
        return True
    if counts.keys() != {"True", "False"}:
        return False
    return len(outputs) >= FEW_AGREE and min(counts.values()) >= FEW_MINORITY


def _telling(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Inputs whose outputs are rare and not part of the arguments first: these
    tell functions apart soonest."""
    counts = collections.Counter(o for _, o in pairs)
    return sorted(pairs, key=lambda p: (p[1] in p[0], counts[p[1]], -len(p[1]), p[0]))[:MOST]


def _varied(item: Item, seed: int) -> list[tuple[Any, ...]]:
    rng = random.Random(f"{seed}:behaviour:{item.id}")
    known = [c for c in item.calls if c]
    if not known:
        return []
    size = len(known[0])
    same = [c for c in known if len(c) == size]
    types = tuple(join_types([type_of(c[i]) for c in same]) for i in range(size))
    own: tuple[Any, ...] = ()
    calls = {values.encode(c): c for c in same[:12]}
    for _ in range(20 * MUTATED):
        if len(calls) >= 12 + MUTATED:
            break
        changed = inputs.mutate(rng.choice(same), types, rng, constants=own)
        try:
            text = values.encode(changed)
        except values.Unserializable:
            continue
        if len(text) < 600:
            calls.setdefault(text, changed)
    return list(calls.values())


def suspects(program: Program, kinds: frozenset[str], known: References) -> list[Reference]:
    """The benchmark functions that a program may compute, by its arguments' shape and the types of
    its outputs."""
    return [r for s in _shapes(program) for r in known.by_shape.get(s, ()) if r.kinds & kinds]


def request(program: Program, calls: Sequence[str]) -> Request:
    """A program's run on inputs of benchmark functions."""
    return Request(program, calls, coverage=False, budget=BUDGET, cpu_seconds=CPU_SECONDS)


def openings(some: Iterable[Reference]) -> list[str]:
    """The first input of each of them, once: on these most suspicions end."""
    return list(dict.fromkeys(r.calls[0] for r in some))


def matches(
    programs: Sequence[tuple[Program, frozenset[str]]],
    known: References,
    box: Sandbox,
    opened: Sequence[Mapping[str, Ran]] = (),
) -> Iterator[str]:
    """For each program, given with the types of its outputs, the id of a benchmark function that it
    computes, or "".

    A program is run on one input of every benchmark function that it may compute; on a second one
    where it agrees; and on all of them where it agrees again. It is the same when it agrees with
    everything the function gives wherever it gives a value, on enough inputs to tell (`_tells`).
    `opened` holds, for each program, what it gave on `openings` where it ran on them already.
    """
    asked = [suspects(program, kinds, known) for program, kinds in programs]
    before = _opened(programs, asked, opened or [{}] * len(programs), box)
    asked = [
        [r for r in some if _agree_all([ran[r.calls[0]]], r)]
        for some, ran in zip(asked, before, strict=True)
    ]
    asked = [
        [r for r, part in zip(some, parts, strict=True) if _agree_all(part, r)]
        for some, parts in zip(asked, _tried(programs, asked, 2, box), strict=True)
    ]
    for some, parts in zip(asked, _tried(programs, asked, MOST, box), strict=True):
        yield next((r.id for r, part in zip(some, parts, strict=True) if _same(r, part)), "")


def _opened(
    programs: Sequence[tuple[Program, frozenset[str]]],
    asked: Sequence[Sequence[Reference]],
    known: Sequence[Mapping[str, Ran]],
    box: Sandbox,
) -> list[Mapping[str, Ran]]:
    """What each program gives on its `openings`: as known already, else run here."""
    calls = [[] if ran else openings(some) for some, ran in zip(asked, known, strict=True)]
    requests = [request(p, some) for (p, _), some in zip(programs, calls, strict=True) if some]
    answers = iter(execute.run_apart(box, requests))
    return [
        dict(zip(some, next(answers), strict=True)) if some else ran
        for some, ran in zip(calls, known, strict=True)
    ]


def _tried(
    programs: Sequence[tuple[Program, frozenset[str]]],
    asked: Sequence[Sequence[Reference]],
    count: int,
    box: Sandbox,
) -> list[list[list[Ran]]]:
    """What each program gives on the first `count` inputs of each of its suspects."""
    requests = [
        request(p, [c for r in some for c in r.calls[:count]])
        for (p, _), some in zip(programs, asked, strict=True)
        if some
    ]
    answers = iter(execute.run_apart(box, requests))
    made: list[list[list[Ran]]] = []
    for some in asked:
        ran = iter(next(answers) if some else ())
        made.append([list(itertools.islice(ran, min(count, len(r.calls)))) for r in some])
    return made


def kinds_of(outputs: Iterable[Any]) -> frozenset[str]:
    """The outer types of some outputs; lists and tuples count as one."""
    return frozenset(
        {"tuple": "list", "float": "int"}.get(n := type(o).__name__, n) for o in outputs
    )


def _same(reference: Reference, ran: Sequence[Ran]) -> bool:
    agreed = _agreed(ran, reference.outputs) or []
    return _tells(agreed) and len(agreed) >= WORKING * len(reference.calls)


def _agree_all(ran: Sequence[Ran], reference: Reference) -> bool:
    return len(_agreed(ran, reference.outputs) or ()) == len(ran)


def _agreed(ran: Sequence[Ran], wanted: Sequence[str]) -> list[str] | None:
    """The outputs on which both agree, or None where they disagree on one."""
    equal = []
    for one, other in zip(ran, wanted, strict=False):
        if one.ok:
            if not _equal(one.text, other):
                return None
            equal.append(other)
    return equal


def _equal(one: str, other: str) -> bool:
    if one == other:
        return True
    if not ("." in one or "." in other or one[:1] in "({F"):  # only these may differ in text alone
        return False
    try:
        return values.equal(values.decode(one), values.decode(other), rel_tol=1e-9)
    except OverflowError:  # a number beyond the floats, and not the same text
        return False


_OUTER = {"int": "number", "float": "number", "bool": "number"}


def _shapes(program: Program) -> list[tuple[str, ...]]:
    """The shapes that a program's arguments may have: strings and lists stand in for each other
    where the program takes a sequence of anything."""
    outer = tuple(t.partition("[")[0] for t in program.argument_types)
    base = tuple(_OUTER.get(o, o) for o in outer)
    shapes = [base]
    for place, name in enumerate(base):
        swaps = {"list": ("tuple",), "tuple": ("list",), "any": ("number", "str", "list")}.get(
            name, ()
        )
        shapes += [(*base[:place], s, *base[place + 1 :]) for s in swaps]
    return shapes
