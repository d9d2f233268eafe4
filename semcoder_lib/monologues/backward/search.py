"""The search for an input that gives an output, in rounds of candidates that somebody else runs.

The first round holds what the deductions propose, the output itself and its pieces, and inputs of
other cases; later rounds are mutations of the candidates whose outputs came closest. The search
never sees the input that made the output.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.monologues.backward.domains import Domains
from semcoder_lib.monologues.backward.walk import Goals, deduce
from semcoder_lib.monologues.mutation import mutated
from semcoder_lib.monologues.syntax import Syntax
from semcoder_lib.sandbox import Outcome

FIRST_ROUND = 56
ROUND = 56
ROUNDS = 5
MAX_TEXT = 2_000


@dataclass(slots=True)
class Candidate:
    """Arguments to try. `goals` says which deduction they came from, if any."""

    arguments: tuple[Any, ...]
    text: str
    goals: Goals | None = None
    output: str | None = None
    distance: float = math.inf


class Search:
    """State of one search: `ask` for candidates, run them, `tell` the outcomes, until `over`."""

    def __init__(
        self,
        program: Program,
        syntax: Syntax,
        output: Any,
        seeds: Sequence[tuple[Any, ...]],
        seed: int,
    ) -> None:
        self.output = output
        self.syntax = syntax
        self.wanted = values.encode(output)
        self.rng = Random(f"{seed}:backward:{program.id}:{self.wanted[:200]}")
        self.domains = Domains(program, syntax, output, tuple(seeds))
        self.deductions = deduce(syntax, program.entry_point, output)
        self.tried: dict[str, Candidate] = {}
        self.asked: list[Candidate] = []
        self.round = 0

    @property
    def found(self) -> list[Candidate]:
        """Candidates that gave the output, the best explained and the shortest first."""
        hits = [c for c in self.tried.values() if c.distance == 0]
        return sorted(hits, key=self._rank)

    def _rank(self, c: Candidate) -> tuple[bool, int, int, str]:
        explained = 2 if c.goals is None else int(c.goals.guessed)
        return not self.domains.usual(c.arguments), explained, len(c.text), c.text.swapcase()

    @property
    def over(self) -> bool:
        hits = [c for c in self.tried.values() if c.distance == 0]
        if hits and (self.round >= 3 or any(self.domains.usual(c.arguments) for c in hits)):
            return True
        return self.round >= ROUNDS

    def ask(self) -> list[tuple[Any, ...]]:
        """The next candidates' arguments; empty when there are none."""
        self.asked = []
        self.round += 1
        if self.round == 1:
            self._first()
        else:
            self._mutations()
        return [c.arguments for c in self.asked]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """What became of the candidates last asked about, in order."""
        for candidate, outcome in zip(self.asked, outcomes, strict=False):
            if outcome.status is Status.OK:
                candidate.output = outcome.text
                if outcome.text == self.wanted:
                    candidate.distance = 0.0
                else:
                    candidate.distance = 0.01 + distance(outcome.value, self.output)

    def _add(self, arguments: list[Any], goals: Goals | None, limit: int) -> None:
        if len(self.asked) >= limit:
            return
        try:
            text = ", ".join(values.encode(a, max_bytes=MAX_TEXT) for a in arguments)
        except values.Unserializable:
            return
        if text in self.tried or len(text) > MAX_TEXT:
            return
        made = Candidate(tuple(arguments), text, goals)
        self.tried[text] = made
        self.asked.append(made)

    def _first(self) -> None:
        d = self.domains
        backing: list[tuple[Any, ...] | None] = [*d.seeds[:2]] or [None]
        for goals in self.deductions:
            for seed in backing:
                for arguments in d.complete(goals.values, seed):
                    self._add(arguments, goals, FIRST_ROUND - 16)
        for at in range(d.count):
            for piece in [self.output, *d.pool[:6], [self.output]]:
                for fitted in d.fitted(at, piece)[:1]:
                    for seed in backing[:1]:
                        arguments = d.complete({}, seed)[0]
                        arguments[at] = fitted
                        self._add(arguments, None, FIRST_ROUND)
        for seed in d.seeds[:8]:
            self._add(list(seed), None, FIRST_ROUND + 8)

    def _mutations(self) -> None:
        ran = [c for c in self.tried.values() if c.distance < math.inf]
        ran.sort(key=lambda c: (c.distance, len(c.text)))
        for near in ran[:4]:  # the same values as the usual types
            for at, value in enumerate(near.arguments):
                for fitted in self.domains.fitted(at, value)[:1]:
                    changed = [*near.arguments[:at], fitted, *near.arguments[at + 1 :]]
                    self._add(changed, near.goals, ROUND)
        parents = ran[:8] or [c for c in self.tried.values() if c.output is None][:8]
        if not parents:
            return
        for attempt in range(ROUND * 3):
            if len(self.asked) >= ROUND:
                break
            parent = parents[min(int(self.rng.expovariate(0.6)), len(parents) - 1)]
            arguments = list(parent.arguments)
            if not arguments:
                return
            for _ in range(1 + (attempt % 3 == 2)):
                at = self.rng.randrange(len(arguments))
                arguments[at] = mutated(arguments[at], self.domains.pool, self.rng)
            self._add(arguments, None, ROUND)


def distance(a: Any, b: Any, depth: int = 0) -> float:
    """How far apart two outputs are: 0 for equal ones; types count more than values."""
    if type(a) is not type(b):
        both = isinstance(a, int | float) and isinstance(b, int | float)
        return (5.0 if both else 40.0) + (0.0 if not both else distance(float(a), float(b), depth))
    if isinstance(a, bool) or a is None:
        return 0.0 if a == b else 8.0
    if isinstance(a, int | float):
        return _apart(a, b)
    if isinstance(a, str):
        same = sum(x == y for x, y in zip(a, b, strict=False))
        ends = sum(x == y for x, y in zip(a[::-1], b[::-1], strict=False))
        return 2.0 * abs(len(a) - len(b)) + (min(len(a), len(b)) - max(same, ends))
    if isinstance(a, list | tuple):
        items = (
            sum(distance(x, y, depth + 1) for x, y in zip(a, b, strict=False)) if depth < 4 else 0
        )
        return 4.0 * abs(len(a) - len(b)) + min(items, 200.0) / 2
    if isinstance(a, dict):
        shared = a.keys() & b.keys()
        items = sum(distance(a[k], b[k], depth + 1) for k in shared) if depth < 4 else 0
        return 4.0 * len(a.keys() ^ b.keys()) + items / 2
    if isinstance(a, set | frozenset):
        return 4.0 * len(a ^ b)
    return 0.0 if a == b else 8.0


def _apart(a: float, b: float) -> float:
    if a == b:
        return 0.0
    if any(isinstance(x, float) and not math.isfinite(x) for x in (a, b)):
        return 8.0
    try:
        return min(30.0, 3 * math.log1p(abs(a - b)))
    except OverflowError:
        return 30.0
