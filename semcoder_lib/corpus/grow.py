"""Grows a program's inputs round by round, from those that reach the most."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.prospect import Input, Prospect, alive, run_inputs
from semcoder_lib.corpus.seeds import methods
from semcoder_lib.sandbox import Sandbox

PROBES = 10  # inputs that all programs of one signature share, so that outputs can be compared
FIRST_ROUND = 26
NEXT_ROUND = 24
MOST_EXAMPLES = 12
ROUNDS = 3
# The usual length of an input in characters, and by how many more or less it is as bad as by thirty
# more steps. What a method does to one character says little.
SHORT, SEEDED_LENGTH = (0, 40), (28, 10)


def grow_inputs(
    prospects: Iterable[Prospect], box: Sandbox, *, cases: int = 8, seed: int = 0
) -> list[Prospect]:
    """Step 2. Runs every prospect on the probes of its signature, its own examples and fresh inputs
    with its constants in, then on up to `ROUNDS` rounds of mutations while branches are missing or
    inputs for `cases` cases; the prospects that are left."""
    prospects = list(prospects)
    for prospect in prospects:
        _first_inputs(prospect, seed)
    waiting = prospects
    while waiting:
        growing = []
        for prospect, failed in run_inputs(waiting, box):
            if failed:
                prospect.drop(f"run: {failed.status.value}")
            elif _wants_more(prospect, cases) and _next_inputs(prospect, seed):
                growing.append(prospect)
        waiting = growing
    return alive(prospects)


def _first_inputs(prospect: Prospect, seed: int) -> None:
    program = prospect.program
    probing = random.Random(f"probe:{program.argument_types}")
    probes = [inputs.generate(program.argument_types, probing) for _ in range(PROBES)]
    prospect.add(probes, "generator", PROBES)
    examples = prospect.signature.examples if prospect.signature else ()
    fitting = (e for e in examples if len(e) == len(program.argument_types))
    prospect.add(fitting, "teacher" if program.origin == "teacher" else "doctest", MOST_EXAMPLES)
    if program.origin == "method":
        prospect.add(methods.arguments(program, MOST_EXAMPLES, seed), "generator", MOST_EXAMPLES)
    rng = random.Random(f"{seed}:grow:{program.id}")
    _add_fresh(prospect, rng, FIRST_ROUND - PROBES, tries=4 * FIRST_ROUND)


def _next_inputs(prospect: Prospect, seed: int) -> list[Input]:
    """Mutations of the inputs that reached the most, beside fresh ones."""
    prospect.rounds += 1
    rng = random.Random(f"{seed}:grow:{prospect.program.id}:{prospect.rounds}")
    mutated = add_mutations(prospect, rng, 2 * NEXT_ROUND // 3)
    return mutated + _add_fresh(prospect, rng, NEXT_ROUND // 3, tries=2 * NEXT_ROUND)


def _add_fresh(prospect: Prospect, rng: random.Random, limit: int, tries: int) -> list[Input]:
    types = prospect.program.argument_types
    calls = (inputs.generate(types, rng, constants=prospect.constants) for _ in range(tries))
    return prospect.add(calls, "generator", limit)


def add_mutations(prospect: Prospect, rng: random.Random, limit: int) -> list[Input]:
    """Adds up to `limit` mutations of the inputs that reached the most; returns them."""
    parents = best_inputs(prospect, 6) or prospect.good()[:6]
    if not parents:
        return []
    types, constants = prospect.program.argument_types, prospect.constants
    calls = (
        inputs.mutate(rng.choice(parents).arguments, types, rng, constants=constants)
        for _ in range(3 * NEXT_ROUND)
    )
    return prospect.add(calls, "mutation", limit)


def _wants_more(prospect: Prospect, cases: int) -> bool:
    """Whether another round may help: branches left, or too few inputs that run."""
    if prospect.rounds >= ROUNDS or not any(i.ran.ok for i in prospect.inputs):
        return False
    good = prospect.good()
    return len(good) < cases + 2 or min(prospect.coverage(good)) < 1.0


def best_inputs(prospect: Prospect, count: int) -> list[Input]:
    """Up to `count` inputs that ran: greedily by new branch outcomes and lines, then new outputs;
    short inputs before long ones."""
    reached = {i: prospect.map.reached(i.ran.arcs) for i in prospect.good()}
    left = sorted(reached, key=lambda i: len(i.text))
    seeded = prospect.program.origin == "method"
    awkward = {i: _awkward(i, *(SEEDED_LENGTH if seeded else SHORT)) for i in left}
    if seeded:  # thousands of programs share a few signatures, and would share these inputs, too
        awkward |= dict.fromkeys(prospect.inputs[:PROBES], 9.0)
    best: list[Input] = []
    covered: set[Any] = set()
    outputs: set[str] = set()
    while left and len(best) < count:
        gain = {i: len(reached[i] - covered) for i in left}
        chosen = max(left, key=lambda i: (gain[i], i.ran.text not in outputs, -awkward[i]))
        best.append(chosen)
        left.remove(chosen)
        covered |= reached[chosen]
        outputs.add(chosen.ran.text)
    return best


def _awkward(tried: Input, usual: int, spread: int) -> float:
    """Empty inputs come later, those of an unusual length, and those that seem to come back
    unchanged: they say little in a worked example."""
    output = tried.ran.text
    back = len(output) > 3 and output in tried.text
    empty = any(not a and isinstance(a, str | list | dict | set | tuple) for a in tried.arguments)
    return abs(len(tried.text) - usual) / spread + tried.ran.steps / 30 + 2 * empty + 2 * back
