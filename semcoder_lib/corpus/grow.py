"""Grows a program's inputs round by round, from those that reach the most."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.draft import Draft, Input, alive, run_inputs

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

PROBES = 10  # inputs that all programs of one signature share, so that outputs can be compared
FIRST_ROUND = 26
NEXT_ROUND = 24
MOST_EXAMPLES = 12
ROUNDS = 3


def grow_inputs(
    drafts: Iterable[Draft], box: Sandbox, *, cases: int = 8, seed: int = 0
) -> list[Draft]:
    """Step 2. Runs every draft on the probes of its signature, its own examples and fresh inputs
    with its constants in, then on up to `ROUNDS` rounds of mutations while branches are missing or
    inputs for `cases` cases; the drafts that are left."""
    drafts = list(drafts)
    for draft in drafts:
        _first_inputs(draft, seed)
    waiting = drafts
    while waiting:
        growing = []
        for draft, failed in run_inputs(waiting, box):
            if failed:
                draft.drop(f"run: {failed.status.value}")
            elif _wants_more(draft, cases) and _next_inputs(draft, seed):
                growing.append(draft)
        waiting = growing
    return alive(drafts)


def probes(argument_types: Sequence[str]) -> list[tuple[Any, ...]]:
    """The shared inputs of a signature; they depend on the types alone."""
    rng = random.Random(f"probe:{tuple(argument_types)}")
    return [inputs.generate(argument_types, rng) for _ in range(PROBES)]


def _first_inputs(draft: Draft, seed: int) -> None:
    program = draft.program
    rng = random.Random(f"{seed}:grow:{program.id}")
    draft.add(probes(program.argument_types), "generator", PROBES)
    origin = "teacher" if program.origin == "teacher" else "doctest"
    draft.add(draft.examples, origin, MOST_EXAMPLES)
    _add_fresh(draft, rng, FIRST_ROUND - PROBES, tries=4 * FIRST_ROUND)


def _next_inputs(draft: Draft, seed: int) -> list[Input]:
    """Mutations of the inputs that reached the most, beside fresh ones."""
    draft.rounds += 1
    rng = random.Random(f"{seed}:grow:{draft.program.id}:{draft.rounds}")
    mutated = add_mutations(draft, rng, 2 * NEXT_ROUND // 3)
    return mutated + _add_fresh(draft, rng, NEXT_ROUND // 3, tries=2 * NEXT_ROUND)


def _add_fresh(draft: Draft, rng: random.Random, limit: int, tries: int) -> list[Input]:
    types = draft.program.argument_types
    calls = (inputs.generate(types, rng, constants=draft.constants) for _ in range(tries))
    return draft.add(calls, "generator", limit)


def add_mutations(draft: Draft, rng: random.Random, limit: int) -> list[Input]:
    """Adds up to `limit` mutations of the inputs that reached the most; returns them."""
    parents = best_inputs(draft, 6) or draft.good()[:6]
    if not parents:
        return []
    types, constants = draft.program.argument_types, draft.constants
    calls = (
        inputs.mutate(rng.choice(parents).arguments, types, rng, constants=constants)
        for _ in range(3 * NEXT_ROUND)
    )
    return draft.add(calls, "mutation", limit)


def _wants_more(draft: Draft, cases: int) -> bool:
    """Whether another round may help: branches left, or too few inputs that run."""
    if draft.rounds >= ROUNDS or not any(r.ok for r in draft.ran):
        return False
    good = draft.good()
    return len(good) < cases + 2 or min(draft.coverage(good)) < 1.0


def best_inputs(draft: Draft, count: int) -> list[Input]:
    """Up to `count` inputs that ran: greedily by new branch outcomes and lines, then new outputs;
    short inputs before long ones."""
    reached = {i: draft.map.reached(i.ran.arcs) for i in draft.good() if i.ran}
    left = sorted(reached, key=lambda i: len(i.text))
    best: list[Input] = []
    covered: set[Any] = set()
    outputs: set[str] = set()
    while left and len(best) < count:
        gain = {i: len(reached[i] - covered) for i in left}
        chosen = max(left, key=lambda i: (gain[i], _output(i) not in outputs, -_awkward(i)))
        best.append(chosen)
        left.remove(chosen)
        covered |= reached[chosen]
        outputs.add(_output(chosen))
    return best


def _output(tried: Input) -> str:
    return tried.ran.text if tried.ran else ""


def _awkward(tried: Input) -> float:
    """Empty and very long inputs come later, and those that seem to come back unchanged: they say
    little in a worked example."""
    output = _output(tried)
    back = len(output) > 3 and output in tried.text
    empty = any(not a and isinstance(a, str | list | dict | set | tuple) for a in tried.arguments)
    steps = tried.ran.steps if tried.ran else 0
    return len(tried.text) / 40 + steps / 30 + 2 * empty + 2 * back
