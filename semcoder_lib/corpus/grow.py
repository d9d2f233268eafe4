"""Steps 1 to 4: finds the types of a program's arguments and inputs that reach all of it, chooses
cases, and runs them again."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.hints import MAX_EXAMPLES, ORDER, Signature
from semcoder_lib.corpus.prospect import (
    Input,
    Prospect,
    Ran,
    alive,
    commonest_error,
    death,
    run,
    run_inputs,
)
from semcoder_lib.sandbox import Sandbox

MAX_GUESSES = 24
TRIES = 5  # inputs a guess
TRIAL_BUDGET = 2_000  # lines a call
PROBES = 10  # inputs that all programs of one signature share, so that outputs can be compared
FIRST_ROUND = 26  # inputs
NEXT_ROUND = 24
ROUNDS = 3
MIN_CASES = 5
MIN_LINE_COVERAGE = 0.75
MIN_BRANCH_COVERAGE = 0.6
MIN_WORKING = 0.25  # share of the tried inputs that must run

# Reasons that mean that a program does not run, as opposed to running and being dull.
NO_TYPES = "no types found on which it runs"
NO_INPUT, MOST_FAIL = "no input runs", "most inputs fail"
FAILING = (NO_TYPES, NO_INPUT, MOST_FAIL)

Guess = tuple[tuple[str, ...], str]  # types for the arguments, and the weakest source of a hint


def guess_types(prospects: Iterable[Prospect], box: Sandbox, *, seed: int = 0) -> list[Prospect]:
    """Step 1. Gives every prospect without argument types those on which it runs best; the
    prospects that are left.

    Each likely combination of the types that a function's text suggests gets `TRIES` inputs. It
    counts by how many lines it reaches, how many calls succeed, and how many distinct outputs come
    out; among equals the likelier one wins. A function that returns lazy iterators gets a second
    function that makes a list of them, and is tried again.
    """
    prospects = list(prospects)
    waiting = [p for p in prospects if not p.program.argument_types]
    for first_time in (True, False):
        guesses = [_guesses(p.signature) if p.signature else [] for p in waiting]
        texts = (_texts(p, guessed, seed) for p, guessed in zip(waiting, guesses, strict=True))
        requests = zip((p.program for p in waiting), texts, strict=True)
        results = run(box, requests, budget=TRIAL_BUDGET)
        lazy = []
        for prospect, guessed, ran in zip(waiting, guesses, results, strict=True):
            if how := death(ran):
                prospect.drop(f"trial: {how}", commonest_error(ran))
            elif first_time and _is_lazy(ran):
                _make_list(prospect)
                lazy.append(prospect)
            elif (best := _best(guessed, ran)) is not None:
                prospect.revise(argument_types=best[0], types_from=best[1])
            else:
                prospect.drop(NO_TYPES, commonest_error(ran))
        waiting = lazy
    return alive(prospects)


def _guesses(signature: Signature) -> list[Guess]:
    """Type combinations to try, likeliest first: the best guesses together before any second
    guess, required parameters alone before optional ones are filled too (the first two, if the text
    says something of them)."""
    required = signature.required
    optional = signature.hints[required : required + 2]
    filled = len(list(itertools.takewhile(lambda hint: hint.source != "trial", optional)))
    guesses: dict[tuple[str, ...], str] = {}
    for size in filter(None, (required + filled, required)):
        hints = signature.hints[:size]
        choices = [list(enumerate(h.types[:10])) for h in hints]
        ranked = sorted(
            itertools.islice(itertools.product(*choices), 4_000),
            key=lambda combination: sum(rank for rank, _ in combination),
        )
        source = max((h.source for h in hints), key=ORDER.index)
        for combination in ranked[:MAX_GUESSES]:
            guesses.setdefault(tuple(name for _, name in combination), source)
    return list(guesses.items())[: MAX_GUESSES + 4]


def _texts(prospect: Prospect, guesses: Sequence[Guess], seed: int) -> list[str]:
    """The inputs that decide between the guesses."""
    texts = []
    for types, _ in guesses:
        rng = random.Random(f"{seed}:trial:{types}")
        calls = (inputs.generate(types, rng, constants=prospect.constants) for _ in range(TRIES))
        texts += [values.encode(call) for call in calls]
    return texts


def _best(guesses: Sequence[Guess], ran: Sequence[Ran]) -> Guess | None:
    scores: dict[int, float] = {}
    for place in range(len(guesses)):
        group = ran[place * TRIES : (place + 1) * TRIES]
        good = [r for r in group if r.ok and r.text != "None"]
        if len(good) >= 2:
            arcs = {arc for r in good for arc in r.arcs}
            distinct = len({r.text for r in good})
            scores[place] = 0.4 * len(arcs) + distinct + 0.6 * len(good) - 0.15 * place
    return guesses[max(scores, key=lambda place: scores[place])] if scores else None


def _is_lazy(ran: Sequence[Ran]) -> bool:
    """Whether calls return what has no text, such as an iterator: a list of it may have."""
    lazy = sum(r.status == "unserializable" for r in ran)
    return lazy >= 2 and lazy >= sum(r.ok for r in ran)


def _make_list(prospect: Prospect) -> None:
    """Adds a function that makes a list of what the entry point yields, and enters there. Optional
    parameters are left at their defaults."""
    assert prospect.signature is not None
    program, prospect.signature = prospect.program, prospect.signature.only_required()
    name, names = program.entry_point, ", ".join(prospect.signature.names)
    prospect.revise(
        source=f"{program.source}\n\ndef {name}_list({names}):\n    return list({name}({names}))\n",
        entry_point=f"{name}_list",
        id=f"{program.id}_list",
        provenance=replace(program.provenance, method="iterator as list"),
    )


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
        waiting = [
            prospect
            for prospect in run_inputs(waiting, box)
            if _wants_more(prospect, cases) and _next_inputs(prospect, seed)
        ]
    return alive(prospects)


def _first_inputs(prospect: Prospect, seed: int) -> None:
    program = prospect.program
    probing = random.Random(f"probe:{program.argument_types}")
    probes = [inputs.generate(program.argument_types, probing) for _ in range(PROBES)]
    prospect.add(probes, "generator", PROBES)
    examples = prospect.signature.examples if prospect.signature else ()
    fitting = (e for e in examples if len(e) == len(program.argument_types))
    prospect.add(fitting, "teacher" if program.origin == "teacher" else "doctest", MAX_EXAMPLES)
    rng = random.Random(f"{seed}:grow:{program.id}")
    _add_fresh(prospect, rng, FIRST_ROUND - PROBES, tries=4 * FIRST_ROUND)


def _next_inputs(prospect: Prospect, seed: int) -> list[Input]:
    """Mutations of the inputs that reached the most, beside fresh ones."""
    prospect.rounds += 1
    rng = random.Random(f"{seed}:grow:{prospect.program.id}:{prospect.rounds}")
    types, constants = prospect.program.argument_types, prospect.constants
    parents = best_inputs(prospect, 6)
    calls = (
        inputs.mutate(rng.choice(parents).arguments, types, rng, constants=constants)
        for _ in range(3 * NEXT_ROUND if parents else 0)
    )
    mutated = prospect.add(calls, "mutation", 2 * NEXT_ROUND // 3)
    return mutated + _add_fresh(prospect, rng, NEXT_ROUND // 3, tries=2 * NEXT_ROUND)


def _add_fresh(prospect: Prospect, rng: random.Random, limit: int, tries: int) -> list[Input]:
    types = prospect.program.argument_types
    calls = (inputs.generate(types, rng, constants=prospect.constants) for _ in range(tries))
    return prospect.add(calls, "generator", limit)


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
    awkward = {i: _awkward(i) for i in left}
    if prospect.program.origin == "method":  # thousands share a few signatures, and these inputs
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


def _awkward(tried: Input) -> float:
    """Long inputs come later, empty ones, and those that seem to come back unchanged: they say
    little in a worked example."""
    output = tried.ran.text
    back = len(output) > 3 and output in tried.text
    empty = any(not a and isinstance(a, str | list | dict | set | tuple) for a in tried.arguments)
    return len(tried.text) / 40 + tried.ran.steps / 30 + 2 * empty + 2 * back


def choose_cases(prospects: Iterable[Prospect], *, cases: int = 8) -> list[Prospect]:
    """Step 3. Chooses up to `cases` inputs of every prospect (new branch outcomes and lines first,
    then new outputs) and drops those that are not worth keeping by them: too few (fewer than five,
    or than `cases`), a constant or nearly constant output, an argument given back, low coverage;
    the prospects that are left."""
    prospects = list(prospects)
    for prospect in prospects:
        prospect.chosen = best_inputs(prospect, cases)
        prospect.behaviour = _behaviour(prospect)
        if reason := _reason_against(prospect, least(cases)):
            ran = [i.ran for i in prospect.inputs] if reason in FAILING else []
            prospect.drop(reason, commonest_error(ran))
    return alive(prospects)


def least(cases: int) -> int:
    """How many of `cases` cases a program must have."""
    return min(cases, MIN_CASES)


def _behaviour(prospect: Prospect) -> str:
    """A key for what a program computes on its signature's shared inputs; empty where the outputs
    say too little (fewer than four distinct ones)."""
    ran = [i.ran for i in prospect.inputs[:PROBES]]
    if len({r.text for r in ran if r.ok}) < 4:
        return ""
    digest = hashlib.blake2b(repr(prospect.program.argument_types).encode(), digest_size=12)
    for r in ran:
        digest.update(f"\0{r.status}\0{r.text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _reason_against(prospect: Prospect, wanted: int) -> str:
    """Why a program with its chosen inputs stays out, or an empty string."""
    working = sum(i.ran.ok for i in prospect.inputs)
    if not working:
        return NO_INPUT
    if working < MIN_WORKING * len(prospect.inputs):
        return MOST_FAIL
    if len(prospect.chosen) < wanted:
        return "too few inputs that run"
    good, outputs = prospect.good(), {i.ran.text for i in prospect.chosen}
    try:
        for text in outputs:
            values.decode(text)
    except values.NotALiteral:  # the program wrote it in the place of what we record
        return "forged output"
    if len(outputs) == 1:
        return "constant output"
    if not outputs <= {"True", "False"} and len({i.ran.text for i in good}) < 3:
        return "nearly constant output"
    if all(i.ran.text in map(values.encode, i.arguments) for i in good):
        return "returns an argument unchanged"
    line, branch = prospect.coverage(prospect.chosen)
    if line < MIN_LINE_COVERAGE or branch < MIN_BRANCH_COVERAGE:
        return "low coverage"
    return ""


def run_again(prospects: Iterable[Prospect], box: Sandbox) -> list[Prospect]:
    """Step 4. Runs the chosen inputs again in a fresh process, in reverse order; the prospects that
    give the same as before. `box` should be a sandbox with another seed of string hashes: a program
    that keeps state, is random or depends on the order of hashes gives something else."""
    prospects = list(prospects)
    requests = ((p.program, [i.text for i in reversed(p.chosen)]) for p in prospects)
    for prospect, ran in zip(prospects, run(box, requests, coverage=False), strict=True):
        before = [(i.ran.status, i.ran.text) for i in reversed(prospect.chosen)]
        if how := death(ran):
            prospect.drop(f"second run: {how}")
        elif [(r.status, r.text) for r in ran] != before:
            prospect.drop("second run differs")
    return alive(prospects)
