"""Benchmark functions told by what they do, so that a program that computes the same can be found
however it is written."""

from __future__ import annotations

import collections
import functools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import execute, inputs
from semcoder_lib.corpus.benchmark_items import Item
from semcoder_lib.corpus.execute import Ran
from semcoder_lib.corpus.prospect import Prospect, run_inputs
from semcoder_lib.corpus.seeds.packages.hints import join_types, type_of
from semcoder_lib.sandbox import Sandbox

KNOWN = 12  # of an item's own inputs
MUTATED = 24  # inputs beside them
MOST = 30  # inputs kept of one function
WORKING = 0.6  # share of them on which a program must give a value to be the same
AGREE = 10  # on at least so many inputs
DISTINCT = 5  # that give at least so many outputs
FEW_AGREE = 20  # for yes-or-no functions
FEW_MINORITY = 6
ALL = 2  # the first of a function's inputs; on these a program must give what it gives


@dataclass(frozen=True)
class Reference:
    """A benchmark function by what it does: the types of its arguments, argument texts, and the
    output texts they give; those that tell it from others soonest come first."""

    id: str
    shape: tuple[str, ...]
    calls: tuple[str, ...]
    outputs: tuple[str, ...]

    @functools.cached_property
    def kinds(self) -> frozenset[str]:
        """The types of its outputs."""
        return kinds_of(map(values.decode, self.outputs))

    def agrees(self, ran: Sequence[Ran]) -> bool:
        """Whether a program that gave this on the first calls gives what the function gives."""
        return all(r.ok and _equal(r.text, o) for r, o in zip(ran, self.outputs, strict=False))

    def is_computed(self, given: Mapping[str, Ran]) -> bool:
        """Whether a program that gave this on all calls computes the function: it agrees wherever
        it gives a value, on enough inputs to tell."""
        ran = [given[call] for call in self.calls]
        agreed = [o for r, o in zip(ran, self.outputs, strict=True) if r.ok and _equal(r.text, o)]
        if len(agreed) < max(WORKING * len(ran), sum(r.ok for r in ran)):
            return False
        return self.agrees(ran[:ALL]) and tells(agreed)


def tells(outputs: Sequence[str]) -> bool:
    """Whether these outputs are enough to know a function by: at least `AGREE` with `DISTINCT`
    different ones, or, for yes-or-no functions, at least `FEW_AGREE` with `FEW_MINORITY` of either
    answer."""
    counts = collections.Counter(outputs)
    if counts.keys() == {"True", "False"}:
        return len(outputs) >= FEW_AGREE and min(counts.values()) >= FEW_MINORITY
    return len(outputs) >= AGREE and len(counts) >= DISTINCT


def references(items: Iterable[Item], box: Sandbox, *, seed: int = 0) -> list[Reference]:
    """Runs every benchmark function on its known and on mutated inputs; one reference for every
    shape of its arguments by which its outputs tell it. Inputs that come back unchanged tell
    nothing and are left out."""
    items = list(items)
    prospects = [_varied(item, seed) for item in items]
    runs = run_inputs(prospects, box, coverage=False, budget=execute.QUICK["budget"])
    known = []
    for item, (prospect, _) in zip(items, runs, strict=True):
        groups: dict[tuple[str, ...], list[tuple[str, str]]] = collections.defaultdict(list)
        for tried in prospect.inputs:
            if tried.ran.ok and tried.ran.text not in map(values.encode, tried.arguments):
                shape = tuple(_outer(type(a).__name__) for a in tried.arguments)
                groups[shape].append((tried.text, tried.ran.text))
        for shape, pairs in groups.items():
            if tells([output for _, output in pairs]):
                texts, outputs = zip(*_telling(pairs), strict=True)
                known.append(Reference(item.id, shape, texts, outputs))
    return known


def _varied(item: Item, seed: int) -> Prospect:
    """A benchmark function with some of its own inputs and mutations of them."""
    size = len(next(filter(None, item.calls.values()), ()))
    known = [c for c in item.calls.values() if c and len(c) == size]
    types = tuple(join_types([type_of(c[i]) for c in known]) for i in range(size))
    rng = random.Random(f"{seed}:behaviour:{item.id}")
    changed = (inputs.mutate(rng.choice(known), types, rng) for _ in range(20 * MUTATED))
    prospect = Prospect(Program(item.source, item.entry_point))
    prospect.add(known, "benchmark", KNOWN)
    if known:
        prospect.add(changed, "mutation", KNOWN + MUTATED - len(prospect.inputs))
    return prospect


def _telling(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Inputs whose outputs are rare and not part of the arguments first: these tell functions apart
    soonest."""
    counts = collections.Counter(output for _, output in pairs)
    return sorted(pairs, key=lambda p: (p[1] in p[0], counts[p[1]], -len(p[1]), p[0]))[:MOST]


def kinds_of(outputs: Iterable[Any]) -> frozenset[str]:
    """The outer types of some outputs; lists and tuples count as one, ints and floats as well."""
    return frozenset(
        {"tuple": "list", "float": "int"}.get(n := type(o).__name__, n) for o in outputs
    )


def _outer(name: str) -> str:
    return "number" if name in ("int", "float", "bool") else name


def shapes_of(program: Program) -> list[tuple[str, ...]]:
    """The shapes that a program's arguments may have; lists and tuples stand in for each other, and
    anything for numbers, strings and lists."""
    swaps = {"list": ("tuple",), "tuple": ("list",), "any": ("number", "str", "list")}
    base = tuple(_outer(t.partition("[")[0]) for t in program.argument_types)
    swapped = [
        (*base[:place], other, *base[place + 1 :])
        for place, name in enumerate(base)
        for other in swaps.get(name, ())
    ]
    return [base, *swapped]


def _equal(given: str, output: str) -> bool:
    if given == output:
        return True
    texts = given + output
    if "." not in texts and given[:1] not in "({F":  # only these may differ in text alone
        return False
    try:
        return values.equal(values.decode(given), values.decode(output), rel_tol=1e-9)
    except values.NotALiteral:  # a program may write in the place of what we record
        return False
