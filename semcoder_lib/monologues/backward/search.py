"""The search for an input that gives an output, in rounds of candidates that somebody else runs.

The first round holds what the deductions propose, the output itself and its pieces, and inputs of
other cases; later rounds are mutations of the candidates whose outputs came closest. The search
never sees the input that made the output.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.monologues.backward.walk import Goals, deduce
from semcoder_lib.monologues.mutation import mutated
from semcoder_lib.monologues.style import Property
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.sandbox import Outcome

ROUND = 56  # candidates
ROUNDS = 5
_MAX_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Question:
    """A program and an output to reach; `seeds` are inputs of other cases, for the search;
    `properties` are stated in the text."""

    program: Program
    output: Any
    seeds: tuple[tuple[Any, ...], ...] = ()
    properties: tuple[Property, ...] = ()


@dataclass(slots=True)
class Candidate:
    """Arguments to try. `goals` says which deduction they came from, if any."""

    arguments: tuple[Any, ...]
    text: str
    goals: Goals | None = None
    output: str | None = None
    distance: float = math.inf


# Arguments, the deduction that they come from, and the size of a round that has room for them.
Proposal = tuple[list[Any], Goals | None, int]


class Search:
    """One search: whoever runs the candidates of `rounds` calls `tell` on each before the next."""

    def __init__(self, question: Question, syntax: Syntax, seed: int) -> None:
        program, self.output = question.program, question.output
        self.question, self.syntax = question, syntax
        self.wanted = values.encode(self.output)
        self.rng = Random(f"{seed}:backward:{program.id}:{self.wanted[:200]}")
        self.domains = Domains(question, syntax)
        self.deductions = deduce(syntax, program.entry_point, self.output)
        self.tried: dict[str, Candidate] = {}

    @property
    def found(self) -> list[Candidate]:
        """Candidates that gave the output, the best explained and the shortest first."""

        def rank(c: Candidate) -> tuple[bool, int, int, str]:
            explained = 2 if c.goals is None else int(c.goals.guessed)
            return not self.domains.usual(c.arguments), explained, len(c.text), c.text.swapcase()

        return sorted((c for c in self.tried.values() if c.distance == 0), key=rank)

    def rounds(self) -> Iterator[list[Candidate]]:
        """Candidates, round by round, until some fit, by preference of the usual types."""
        for number in range(ROUNDS):
            fitting = self.found
            if fitting and (number >= 3 or self.domains.usual(fitting[0].arguments)):
                return
            proposed = self._mutations() if number else self._first()
            candidates: list[Candidate] = []
            for arguments, goals, limit in proposed:
                if len(candidates) >= limit:
                    continue
                try:
                    text = ", ".join(values.encode(a, max_bytes=_MAX_TEXT) for a in arguments)
                except values.Unserializable:
                    continue
                if text not in self.tried and len(text) <= _MAX_TEXT:
                    self.tried[text] = Candidate(tuple(arguments), text, goals)
                    candidates.append(self.tried[text])
            if candidates:
                yield candidates

    def tell(self, candidate: Candidate, outcome: Outcome) -> None:
        """What became of a candidate."""
        if outcome.status is Status.OK:
            candidate.output = outcome.text
            same = outcome.text == self.wanted
            candidate.distance = 0.0 if same else 0.01 + distance(outcome.value, self.output)

    def _first(self) -> Iterator[Proposal]:
        d = self.domains
        for goals in self.deductions:
            for seed in d.seeds[:2] or [()]:
                for arguments in d.complete(goals.values, seed):
                    yield arguments, goals, ROUND - 16
        for at in range(d.count):
            for piece in [self.output, *d.pool[:6], [self.output]]:
                arguments = d.complete({}, d.seeds[0] if d.seeds else ())[0]
                arguments[at] = d.fitted(at, piece)[0]
                yield arguments, None, ROUND
        for seed in d.seeds[:8]:
            yield list(seed), None, ROUND + 8

    def _mutations(self) -> Iterator[Proposal]:
        ran = [c for c in self.tried.values() if c.distance < math.inf]
        ran.sort(key=lambda c: (c.distance, len(c.text)))
        parents = ran[:8] or [c for c in self.tried.values() if c.output is None][:8]
        before = len(self.tried)
        for near in ran[:4]:  # the same values as the usual types
            for at, value in enumerate(near.arguments):
                fitted = self.domains.fitted(at, value)[0]
                yield [*near.arguments[:at], fitted, *near.arguments[at + 1 :]], near.goals, ROUND
        if not parents or not parents[0].arguments:
            return
        for attempt in range(ROUND * 3):
            if len(self.tried) - before >= ROUND:
                break
            parent = parents[min(int(self.rng.expovariate(0.6)), len(parents) - 1)]
            arguments = list(parent.arguments)
            for _ in range(1 + (attempt % 3 == 2)):
                at = self.rng.randrange(len(arguments))
                arguments[at] = mutated(arguments[at], self.domains.pool, self.rng)
            yield arguments, None, ROUND


_EXAMPLES: dict[str, Any] = {
    "int": 1, "float": 1.0, "str": "a", "bool": True, "list": [1, 2], "dict": {"a": 1},
    "set": {1}, "tuple": (1, 2), "bytes": b"a", "none": None,
}  # fmt: skip


class Domains:
    """Example values for each parameter, from the inputs of other cases, declared types, and the
    program's own literals; and a pool of pieces to build new values from."""

    def __init__(self, question: Question, syntax: Syntax) -> None:
        program, output, seeds = question.program, question.output, tuple(question.seeds)
        entry = syntax.functions[program.entry_point].args
        declared = [a.annotation for a in entry.posonlyargs + entry.args]
        self.names = parameters(syntax.functions[program.entry_point])
        self.seeds = seeds
        self.count = max(len(self.names) - len(entry.defaults), min(1, len(self.names)))
        if seeds:
            self.count = Counter(map(len, seeds)).most_common(1)[0][0]
        self.examples = []
        for at in range(self.count):
            words = list(program.argument_types[at : at + 1])
            words += [ast.unparse(a) for a in declared[at : at + 1] if a]
            word = next(filter(None, words), "").lower()
            fitting = [v for kind, v in _EXAMPLES.items() if word.startswith(kind)]
            known = [s[at] for s in seeds if at < len(s)]
            self.examples.append(known or fitting[:1] or [output, "a", 1, [1, 2]])
        self.pool = _pieces(output, 24)
        literals = [n.value for n in ast.walk(syntax.tree) if isinstance(n, ast.Constant)]
        literals = [
            v for v in literals
            if isinstance(v, int | float) or (isinstance(v, str) and len(v) <= 20)
        ]  # fmt: skip
        self.pool += [v for v in literals if v not in self.pool][:16]
        self.pool += [v for seed in seeds[:2] for arg in seed for v in _pieces(arg, 6)]

    def kinds(self, at: int) -> set[type]:
        """The types that a parameter is known to take."""
        return {type(v) for v in self.examples[at]} if self.seeds and at < self.count else set()

    def usual(self, arguments: tuple[Any, ...]) -> bool:
        """Whether every argument has a type that its parameter is known to take."""
        return all(type(a) in (self.kinds(at) or {type(a)}) for at, a in enumerate(arguments))

    def fitted(self, at: int, value: Any) -> list[Any]:
        """`value` as the types that this parameter is known to take, then as it is."""
        kinds = sorted(self.kinds(at), key=lambda k: k.__name__)
        if type(value) in kinds:
            return [value]
        return [*(v for kind in kinds for v in _coerced(value, kind)), value]

    def complete(self, assignment: dict[str, Any], seed: tuple[Any, ...]) -> list[list[Any]]:
        """Argument lists: assigned where known, from a seed or an example elsewhere."""
        lists: list[list[Any]] = [[]]
        for at in range(self.count):
            options = [seed[at]] if at < len(seed) else self.examples[at][:1]
            if at < len(self.names) and self.names[at] in assignment:
                options = self.fitted(at, assignment[self.names[at]])[:2]
            lists = [[*before, option] for before in lists for option in options][:4]
        return lists


_COERCIBLE: dict[type, tuple[type, ...]] = {
    str: (int, float), list: (tuple, set, str), tuple: (list, set, str), set: (list, tuple, str),
    int: (float, str), float: (int,), dict: (list,),
}  # fmt: skip


def _coerced(value: Any, kind: type) -> list[Any]:
    if kind is str and type(value) in (list, tuple) and all(isinstance(x, str) for x in value):
        return ["".join(value)]
    try:
        return [kind(value)] if isinstance(value, _COERCIBLE.get(kind, ())) else []
    except (TypeError, ValueError, OverflowError):
        return []


def _pieces(value: Any, room: int) -> list[Any]:
    """The value, and what it is made of."""
    out: list[Any] = []
    waiting = [value]
    while waiting and len(out) < room:
        v = waiting.pop(0)
        if v in out:
            continue
        out.append(v)
        if isinstance(v, list | tuple | set | frozenset):
            waiting += list(v)[:room]
        elif isinstance(v, dict):
            waiting += [*v.keys(), *v.values()][:room]
        elif isinstance(v, str) and len(v) > 1:
            waiting += [*v.split()[:4], *list(v)[:6]]
    return out


def distance(a: Any, b: Any, depth: int = 0) -> float:
    """How far apart two outputs are: 0 for equal ones; types count more than values."""
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    if type(a) is not type(b):
        return 5.0 + _apart(a, b) if numbers else 40.0
    if numbers and not isinstance(a, bool):
        return _apart(a, b)
    if isinstance(a, set | frozenset):
        return 4.0 * len(a ^ b)
    if isinstance(a, str):
        same = sum(x == y for x, y in zip(a, b, strict=False))
        ends = sum(x == y for x, y in zip(a[::-1], b[::-1], strict=False))
        return 2.0 * abs(len(a) - len(b)) + (min(len(a), len(b)) - max(same, ends))
    if isinstance(a, list | tuple):
        pairs, other = list(zip(a, b, strict=False)), abs(len(a) - len(b))
    elif isinstance(a, dict):
        pairs, other = [(a[k], b[k]) for k in a.keys() & b.keys()], len(a.keys() ^ b.keys())
    else:
        return 0.0 if values.equal(a, b) else 8.0
    inside = sum(distance(x, y, depth + 1) for x, y in pairs) if depth < 4 else 0.0
    return 4.0 * other + min(inside, 200.0) / 2


def _apart(a: float, b: float) -> float:
    try:
        return 0.0 if a == b else min(30.0, 3 * math.log1p(abs(float(a) - float(b))))
    except OverflowError:
        return 30.0
