"""Finds argument types that a real function accepts, by running it on inputs of the types that its
text suggests."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcoder_lib.core.records import Program
from semcoder_lib.corpus import inputs
from semcoder_lib.corpus.execute import Failed, Ran, Request, constants
from semcoder_lib.corpus.seeds.packages import Candidate, in_list
from semcoder_lib.corpus.seeds.packages.hints import ORDER, Signature

MAX_COMBINATIONS = 24
TRIES = 5


@dataclass(frozen=True, slots=True)
class Combination:
    """Types for the arguments of a call, and the weakest source among their hints."""

    types: tuple[str, ...]
    source: str


def combinations(signature: Signature) -> list[Combination]:
    """Type combinations to try, likeliest first: the best guesses together before any second
    guess, required parameters alone before optional ones are filled too."""
    required, optional = signature.required, _fillable(signature)
    made: dict[tuple[str, ...], str] = {}
    arities = [required + optional] if optional else [required]
    if optional and required:
        arities.append(required)
    for size in arities:
        if size == 0:
            continue
        hints = signature.hints[:size]
        choices = [list(enumerate(h.types[:10])) for h in hints]
        ranked = sorted(
            itertools.islice(itertools.product(*choices), 4_000),
            key=lambda combination: sum(rank for rank, _ in combination),
        )
        source = max((h.source for h in hints), key=ORDER.index)
        for combination in ranked[:MAX_COMBINATIONS]:
            made.setdefault(tuple(name for _, name in combination), source)
    return [Combination(t, s) for t, s in made.items()][: MAX_COMBINATIONS + 4]


def _fillable(signature: Signature) -> int:
    """How many optional parameters a call fills: those that the text says something about."""
    filled = 0
    for hint in signature.hints[signature.required :]:
        if hint.source == "trial" or filled == 2:
            break
        filled += 1
    return filled


def request(candidate: Candidate, seed: int) -> tuple[Request, list[Combination]]:
    """The calls that decide between the combinations; `TRIES` inputs for each."""
    tried = combinations(candidate.signature)
    own = constants(candidate.program.source)
    calls = []
    for combination in tried:
        rng = random.Random(f"{seed}:trial:{combination.types}")
        calls += [inputs.generate(combination.types, rng, constants=own) for _ in range(TRIES)]
    return Request(candidate.program, calls, coverage=True, budget=2_000), tried


_LAZY = (
    "generator", "chain", "map", "filter", "zip", "islice", "enumerate", "reversed", "product",
    "permutations", "combinations", "repeat", "takewhile", "dropwhile", "zip_longest", "starmap",
    "accumulate", "dict_keys", "dict_values", "dict_items", "list_iterator", "compress",
    "list_reverseiterator", "str_iterator", "pairwise", "filterfalse", "groupby",
)  # fmt: skip


def materialised(candidate: Candidate, ran: list[Ran] | Failed) -> Candidate | None:
    """The candidate with its result made a list, where calls gave lazy iterators; else None."""
    if isinstance(ran, Failed) or candidate.generator:
        return None
    lazy = sum(r.status == "unserializable" and r.text.rpartition(" ")[2] in _LAZY for r in ran)
    if lazy < 2 or lazy < sum(r.ok for r in ran):
        return None
    program = candidate.program
    signature = candidate.signature
    source, entry = in_list(program.source, program.entry_point, signature)
    provenance = replace(program.provenance, method="iterator as list")
    program = replace(program, source=source, entry_point=entry, provenance=provenance)
    return replace(candidate, program=program, signature=signature.only_required(), generator=True)


def decide(
    candidate: Candidate, tried: Sequence[Combination], ran: list[Ran] | Failed
) -> Program | str:
    """The program with its argument types, or why no types were found.

    A combination counts by how many lines it reaches, how many calls succeed, and how many distinct
    outputs come out; among equals the likelier one wins.
    """
    if isinstance(ran, Failed):
        return f"trial: {ran.status.value}"
    best: tuple[float, int] | None = None
    for place in range(len(tried)):
        group = ran[place * TRIES : (place + 1) * TRIES]
        good = [r for r in group if r.ok and r.text != "None"]
        if len(good) < 2:
            continue
        arcs = {arc for r in good for arc in r.arcs}
        score = len(arcs) * 0.4 + len({r.text for r in good}) + 0.6 * len(good) - 0.15 * place
        if best is None or score > best[0]:
            best = (score, place)
    if best is None:
        return "no types found on which it runs"
    chosen = tried[best[1]]
    return replace(candidate.program, argument_types=chosen.types, types_from=chosen.source)
