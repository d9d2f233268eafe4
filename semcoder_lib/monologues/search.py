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
from semcoder_lib.monologues.style import Property
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.undo import Goals, deduce
from semcoder_lib.monologues.verify.fresh import mutated
from semcoder_lib.sandbox import Outcome

ROUND = 56  # candidates
ROUNDS = 5
_MAX_TEXT = 2_000  # characters of a candidate


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
    distance: float = math.inf


# Arguments, the deduction that they come from, and the size of a round that has room for them.
Proposal = tuple[list[Any], Goals | None, int]

_EXAMPLES: dict[str, Any] = {
    "int": 1, "float": 1.0, "str": "a", "bool": True, "list": [1, 2], "dict": {"a": 1},
    "set": {1}, "tuple": (1, 2), "none": None,
}  # fmt: skip


class Search:
    """One search: whoever runs the candidates of `rounds` calls `enter` on each before the next.

    `examples` are values for each parameter, from the inputs of other cases, declared types, or
    nowhere; `pool` has pieces to build new values from: the output's, literals of the program."""

    def __init__(self, question: Question, syntax: Syntax, seed: int) -> None:
        program, self.output = question.program, question.output
        self.question, self.syntax, self.seeds = question, syntax, question.seeds
        self.wanted = values.encode(self.output)
        self.rng = Random(f"{seed}:backward:{program.id}:{self.wanted[:200]}")
        self.deductions = deduce(syntax, program.entry_point, self.output)
        self.tried: dict[str, Candidate] = {}
        entry = syntax.functions[program.entry_point]
        self.names = parameters(entry)
        count = max(len(self.names) - len(entry.args.defaults), min(1, len(self.names)))
        if self.seeds:
            count = Counter(map(len, self.seeds)).most_common(1)[0][0]
        self.examples = [self._example(at, entry) for at in range(count)]
        literals = [n.value for n in ast.walk(syntax.tree) if isinstance(n, ast.Constant)]
        short = [v for v in literals if isinstance(v, int | float) or len(str(v)) <= 20]
        given = [piece for s in self.seeds[:2] for v in s for piece in _pieces(v, 6)]
        self.pool = [*_pieces(self.output, 24), *short[:16], *given]

    def _example(self, at: int, entry: ast.FunctionDef) -> list[Any]:
        known = [s[at] for s in self.seeds if at < len(s)]
        declared = [a.annotation for a in entry.args.posonlyargs + entry.args.args][at : at + 1]
        words = [*self.question.program.argument_types[at : at + 1]]
        words += [ast.unparse(a) for a in declared if a]
        word = next(filter(None, words), "").lower()
        fitting = [v for kind, v in _EXAMPLES.items() if word.startswith(kind)]
        return known or fitting[:1] or [self.output, "a", 1, [1, 2]]

    @property
    def witnesses(self) -> list[Candidate]:
        """Candidates that gave the output: those of the examples' types first, of them the best
        explained and the shortest."""

        def rank(c: Candidate) -> tuple[int, bool, int, str]:
            return self.oddity(c), c.goals is None, len(c.text), c.text.swapcase()

        return sorted((c for c in self.tried.values() if c.distance == 0), key=rank)

    def oddity(self, candidate: Candidate) -> int:
        """How many arguments have a type that no example of theirs has."""
        pairs = zip(candidate.arguments, self.examples, strict=False)
        return sum(type(a) not in set(map(type, known)) for a, known in pairs)

    def rounds(self) -> Iterator[list[Candidate]]:
        """Candidates, round by round, until some fit."""
        for number in range(ROUNDS):
            if any(not self.oddity(witness) for witness in self.witnesses):
                return
            candidates: list[Candidate] = []
            for arguments, goals, limit in self._mutations() if number else self._first():
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

    def enter(self, candidate: Candidate, outcome: Outcome) -> None:
        """What became of a candidate."""
        if outcome.status is Status.OK:
            same = outcome.text == self.wanted
            candidate.distance = 0.0 if same else 0.01 + distance(outcome.value, self.output)

    def _first(self) -> Iterator[Proposal]:
        seeds = self.seeds or ((),)
        for goals in self.deductions:
            for seed in seeds[:2]:
                yield self._complete(goals.values, seed), goals, ROUND - 16
        for at in range(len(self.examples)):
            for piece in [self.output, *self.pool[:6], [self.output]]:
                arguments = self._complete({}, seeds[0])
                arguments[at] = piece
                yield arguments, None, ROUND
        for seed in self.seeds[:8]:
            yield list(seed), None, ROUND + 8

    def _mutations(self) -> Iterator[Proposal]:
        ran = [c for c in self.tried.values() if c.distance < math.inf]
        ran.sort(key=lambda c: (c.distance, len(c.text)))
        parents = ran[:8] or list(self.tried.values())[:8]
        if not parents or not parents[0].arguments:
            return
        for attempt in range(ROUND * 2):
            parent = parents[min(int(self.rng.expovariate(0.6)), len(parents) - 1)]
            arguments = list(parent.arguments)
            for _ in range(1 + (attempt % 3 == 2)):
                at = self.rng.randrange(len(arguments))
                arguments[at] = mutated(arguments[at], self.pool, self.rng)
            yield arguments, None, ROUND

    def _complete(self, assignment: dict[str, Any], seed: tuple[Any, ...]) -> list[Any]:
        """Arguments: assigned where known, from a seed or an example elsewhere."""
        arguments = [seed[at] if at < len(seed) else e[0] for at, e in enumerate(self.examples)]
        for at, name in enumerate(self.names[: len(arguments)]):
            if name in assignment:
                arguments[at] = assignment[name]
        return arguments


def _pieces(value: Any, room: int) -> list[Any]:
    """The value, and what it is made of."""
    pieces: list[Any] = []
    waiting = [value]
    while waiting and len(pieces) < room:
        v = waiting.pop(0)
        if v in pieces:
            continue
        pieces.append(v)
        if isinstance(v, list | tuple | set | frozenset):
            waiting += list(v)[:room]
        elif isinstance(v, dict):
            waiting += [*v.keys(), *v.values()][:room]
        elif isinstance(v, str) and len(v) > 1:
            waiting += [*v.split()[:4], *list(v)[:6]]
    return pieces


def distance(a: Any, b: Any, depth: int = 0) -> float:
    """How far apart two outputs are: 0 for equal ones; types count more than values."""
    if isinstance(a, int | float) and isinstance(b, int | float):
        apart = min(abs(a - b), 1e9) if a - b == a - b else 1e9
        return 3 * math.log1p(apart) + 5 * (type(a) is not type(b))
    if type(a) is not type(b):
        return 40.0
    if isinstance(a, set | frozenset):
        return 4.0 * len(a ^ b)
    if isinstance(a, str):
        same = sum(x == y for x, y in zip(a, b, strict=False))
        ends = sum(x == y for x, y in zip(a[::-1], b[::-1], strict=False))
        return 2.0 * abs(len(a) - len(b)) + (min(len(a), len(b)) - max(same, ends))
    if isinstance(a, dict):
        pairs, other = [(a[k], b[k]) for k in a.keys() & b.keys()], len(a.keys() ^ b.keys())
    elif isinstance(a, list | tuple):
        pairs, other = list(zip(a, b, strict=False)), abs(len(a) - len(b))
    else:
        return 0.0 if values.equal(a, b) else 8.0
    inside = sum(distance(x, y, depth + 1) for x, y in pairs) if depth < 4 else 0.0
    return 4.0 * other + min(inside, 200.0) / 2
