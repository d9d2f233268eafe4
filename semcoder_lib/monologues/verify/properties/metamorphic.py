"""Metamorphic relations: an order or an argument that does not matter, a second call that changes nothing."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.verify.evaluate import equals
from semcoder_lib.monologues.verify.runs import Runs, Verdict
from semcoder_lib.monologues.verify.trials import neighbours

_PERMUTE = re.compile(
    r"(?:the )?order of (?:the )?(?:items|elements|characters|entries)? ?(?:of|in) `?(\w+)`? (?:does not|doesn't|never) matters?",
    re.I,
)
_AGAIN = re.compile(
    r"(?:calling|applying|running) `?(\w+)`? (?:again|twice|a second time) (?:on|to) (?:its|the) (?:own )?(?:result|output) (?:changes nothing|gives the same|makes no difference|has no effect)",
    re.I,
)
_UNUSED = re.compile(
    r"`?(\w+)`? (?:does not change|never changes|has no effect on|does not affect|does not influence|never affects) the (?:result|output)|the (?:result|output) does not depend on `?(\w+)`?",
    re.I,
)


def decide_invariance(runs: Runs, text: str) -> Verdict | None:
    """None when the text states no such relation."""
    match = _PERMUTE.match(text)
    if match and match.group(1) in runs.parameters:
        return _permuted(runs, runs.parameters.index(match.group(1)))
    match = _AGAIN.match(text)
    if match:
        return _idempotent(runs)
    match = _UNUSED.search(text)
    name = (match.group(1) or match.group(2)) if match else None
    if name in runs.parameters:
        return _irrelevant(runs, runs.parameters.index(name))
    return None


def _permuted(runs: Runs, place: int) -> Verdict:
    pairs = []
    for arguments, status, _ in runs.trials.fresh():
        value = arguments[place] if place < len(arguments) else None
        if status == "ok" and isinstance(value, list | tuple | str) and len(value) > 1:
            for turned in (value[::-1], _rotated(value)):
                pairs.append((arguments, (*arguments[:place], turned, *arguments[place + 1 :])))
    return runs.pairs(pairs[:24])


def _irrelevant(runs: Runs, place: int) -> Verdict:
    known = [a for a, status, _ in runs.trials.fresh() if status == "ok" and place < len(a)]
    pairs = []
    for number, arguments in enumerate(known[:12]):
        other = known[(number + 1) % len(known)][place]
        for varied in neighbours([(arguments[place],), (other,)], 3)[1:]:
            pairs.append((arguments, (*arguments[:place], varied[0], *arguments[place + 1 :])))
    return runs.pairs(pairs[:24])


def _idempotent(runs: Runs) -> Verdict:
    known = [(a, v) for a, status, v in runs.trials.fresh() if status == "ok" and a]
    outcomes = runs.trials.run([(v, *a[1:]) for a, v in known])
    held = 0
    for (arguments, value), (status, again) in zip(known, outcomes, strict=True):
        if status == "unknown":
            continue
        if status != "ok" or not equals(value, again):
            return False, f"not for {values.encode(arguments)[:100]}"
        held += 1
    return (True, f"held on {held} inputs") if held else (None, "no run to test it on")


def _rotated(value: Any) -> Any:
    return value[1:] + value[:1]
