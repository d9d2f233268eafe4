"""Grows a program's inputs round by round and chooses the cases to keep: those that reach new
branches first, then those that give new outputs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.branches import Arc, Map, survey
from semcoder_lib.corpus.execute import Ran, constants

PROBES = 10  # inputs that all programs of one signature share, so that outputs can be compared
FIRST_ROUND = 26
NEXT_ROUND = 24
MAX_INPUT = 160  # characters of a call's arguments


@dataclass(slots=True)
class Growing:
    """A program with the inputs tried so far, what they did, and where each came from."""

    program: Program
    map: Map
    constants: tuple[Any, ...]
    tried: list[tuple[Any, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    rounds: int = 0

    @classmethod
    def of(cls, program: Program) -> Growing:
        """A program before its first input."""
        return cls(program, survey(program.source), constants(program.source))

    def good(self) -> list[int]:
        """Places of the inputs that ran and may become cases."""
        return [i for i, r in enumerate(self.ran) if r.ok and len(self.texts[i]) <= MAX_INPUT]

    def arcs(self, places: Iterable[int]) -> set[Arc]:
        """All jumps that the inputs at these places made."""
        return {arc for place in places for arc in self.ran[place].arcs}

    def coverage(self, places: Iterable[int]) -> tuple[float, float]:
        """(line, branch) coverage by the inputs at these places."""
        arcs = self.arcs(places)
        return self.map.line_coverage(arcs), self.map.branch_coverage(arcs)

    def add(self, calls: Iterable[tuple[Any, ...]], source: str, limit: int) -> list[int]:
        """Adds inputs that were not tried yet, at most `limit`; returns their places."""
        added: list[int] = []
        for call in calls:
            if len(added) >= limit:
                break
            text = values.encode(tuple(call))
            if text not in self.known:
                self.known.add(text)
                added.append(len(self.tried))
                self.tried.append(tuple(call))
                self.texts.append(text)
                self.sources.append(source)
        return added


def probes(argument_types: Sequence[str]) -> list[tuple[Any, ...]]:
    """The shared inputs of a signature; they depend on the types alone."""
    rng = random.Random(f"probe:{tuple(argument_types)}")
    return [inputs.generate(argument_types, rng) for _ in range(PROBES)]


def first_round(
    growing: Growing, examples: Iterable[tuple[Any, ...]], seed: int, extra: int = 0
) -> list[tuple[Any, ...]]:
    """Probes, the function's own examples, and fresh inputs with the program's constants in."""
    program = growing.program
    rng = random.Random(f"{seed}:grow:{program.id}")
    start = len(growing.tried)
    growing.add(probes(program.argument_types), "generator", PROBES)
    growing.add(examples, "teacher" if program.origin == "teacher" else "doctest", 12)
    fresh = (
        inputs.generate(program.argument_types, rng, constants=growing.constants)
        for _ in range(4 * FIRST_ROUND)
    )
    growing.add(fresh, "generator", FIRST_ROUND - PROBES + extra)
    return growing.tried[start:]


def next_round(growing: Growing, seed: int) -> list[tuple[Any, ...]]:
    """Mutations of the inputs that reached the most, beside fresh ones."""
    program = growing.program
    growing.rounds += 1
    rng = random.Random(f"{seed}:grow:{program.id}:{growing.rounds}")
    start = len(growing.tried)
    mutate_best(growing, rng, 2 * NEXT_ROUND // 3)
    types, own = program.argument_types, growing.constants
    fresh = (inputs.generate(types, rng, constants=own) for _ in range(2 * NEXT_ROUND))
    growing.add(fresh, "generator", NEXT_ROUND // 3)
    return growing.tried[start:]


def mutate_best(growing: Growing, rng: random.Random, limit: int) -> None:
    """Adds up to `limit` mutations of the inputs that reached the most."""
    parents = chosen(growing, 6) or growing.good()[:6]
    if parents:
        types, own = growing.program.argument_types, growing.constants
        changed = (
            inputs.mutate(growing.tried[rng.choice(parents)], types, rng, constants=own)
            for _ in range(3 * NEXT_ROUND)
        )
        growing.add(changed, "mutation", limit)


def wants_more(growing: Growing, cases: int) -> bool:
    """Whether another round may help: branches left, or too few inputs that run."""
    good = growing.good()
    if growing.rounds >= 3:
        return False
    line, branch = growing.coverage(good)
    return len(good) < cases + 2 or line < 1.0 or branch < 1.0


def chosen(growing: Growing, count: int) -> list[int]:
    """Places of up to `count` inputs: greedily by new branch outcomes and lines, then new outputs;
    short inputs before long ones."""
    left = sorted(growing.good(), key=lambda i: (len(growing.texts[i]), i))
    picked: list[int] = []
    covered: set[Any] = set()
    outputs: set[str] = set()
    gains = {i: _covers(growing, i) for i in left}
    while left and len(picked) < count:
        best = max(
            left,
            key=lambda i: (
                len(gains[i] - covered),
                growing.ran[i].text not in outputs,
                -_awkward(growing, i),
            ),
        )
        picked.append(best)
        left.remove(best)
        covered |= gains[best]
        outputs.add(growing.ran[best].text)
    return picked


def _covers(growing: Growing, place: int) -> set[Any]:
    arcs = growing.ran[place].arcs
    return set(growing.map.outcomes(arcs)) | {end for _, end in arcs}


def _awkward(growing: Growing, place: int) -> float:
    """Empty and very long inputs come later, and those that seem to come back unchanged: they say
    little in a worked example."""
    length = len(growing.texts[place])
    output = growing.ran[place].text
    back = len(output) > 3 and output in growing.texts[place]
    empty = any(
        not a and isinstance(a, str | list | dict | set | tuple) for a in growing.tried[place]
    )
    return length / 40 + growing.ran[place].steps / 30 + 2 * empty + 2 * back
