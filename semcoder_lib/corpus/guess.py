"""Guesses the argument types of a real function, by running it on inputs of the types that its text
suggests."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from semcoder_lib.core import values
from semcoder_lib.corpus import execute, inputs
from semcoder_lib.corpus.execute import Failed, Ran
from semcoder_lib.corpus.prospect import Prospect, alive
from semcoder_lib.corpus.seeds.packages import Signature, in_list
from semcoder_lib.corpus.seeds.packages.hints import ORDER
from semcoder_lib.sandbox import Sandbox

MAX_GUESSES = 24
TRIES = 5
STEP_BUDGET = 2_000
NO_TYPES = "no types found on which it runs"
Guess = tuple[tuple[str, ...], str]  # types for the arguments, and the weakest source of a hint

# what a call returns that makes no list yet
_LAZY = (
    "generator chain map filter zip islice enumerate reversed product permutations combinations "
    "repeat takewhile dropwhile zip_longest starmap accumulate dict_keys dict_values dict_items "
    "list_iterator compress list_reverseiterator str_iterator pairwise filterfalse groupby"
)


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
    while waiting:
        guesses = [_guesses(p.signature) if p.signature else [] for p in waiting]
        texts = (_texts(p, guessed, seed) for p, guessed in zip(waiting, guesses, strict=True))
        requests = zip((p.program for p in waiting), texts, strict=True)
        lazy = []
        results = execute.run(box, requests, budget=STEP_BUDGET)
        for prospect, guessed, ran in zip(waiting, guesses, results, strict=True):
            if isinstance(ran, Failed):
                prospect.drop(f"trial: {ran.status.value}", execute.commonest_error(ran))
            elif _is_lazy(prospect, ran):
                _make_list(prospect)
                lazy.append(prospect)
            elif (best := _best(guessed, ran)) is not None:
                types, source = best
                prospect.revise(argument_types=types, types_from=source)
            else:
                prospect.drop(NO_TYPES, execute.commonest_error(ran))
        waiting = lazy
    return alive(prospects)


def _guesses(signature: Signature) -> list[Guess]:
    """Type combinations to try, likeliest first: the best guesses together before any second
    guess, required parameters alone before optional ones are filled too."""
    required, optional = signature.required, _fillable(signature)
    guesses: dict[tuple[str, ...], str] = {}
    for size in filter(None, (required + optional, required)):
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


def _fillable(signature: Signature) -> int:
    """How many optional parameters a call fills: the first two that the text says something of."""
    optional = signature.hints[signature.required :][:2]
    return len(list(itertools.takewhile(lambda hint: hint.source != "trial", optional)))


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


def _is_lazy(prospect: Prospect, ran: Sequence[Ran]) -> bool:
    lazy_types = _LAZY.split()
    lazy = sum(
        r.status == "unserializable" and r.text.rpartition(" ")[2] in lazy_types for r in ran
    )
    return not prospect.generator and lazy >= 2 and lazy >= sum(r.ok for r in ran)


def _make_list(prospect: Prospect) -> None:
    assert prospect.signature is not None
    program = prospect.program
    source, entry = in_list(program.source, program.entry_point, prospect.signature)
    prospect.revise(
        source=source,
        entry_point=entry,
        provenance=replace(program.provenance, method="iterator as list"),
    )
    prospect.signature = prospect.signature.only_required()
    prospect.generator = True
