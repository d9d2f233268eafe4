"""How often a verdict changes when the same samples are judged again."""

from __future__ import annotations

from collections.abc import Sequence

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Verdict


def flip_rate(repeats: Sequence[Sequence[Verdict]]) -> float:
    """The share of samples whose `passed` is not the same in all repeats. `infrastructure`
    verdicts are left out of the comparison: they say nothing about the sample. Raises UserError
    for fewer than two repeats, or repeats of different samples."""
    if len(repeats) < 2:
        raise UserError("a flip rate needs at least two repeats")
    keys = [[(v.task_id, v.index) for v in verdicts] for verdicts in repeats]
    if any(other != keys[0] for other in keys[1:]):
        raise UserError("the repeats judge different samples")
    flips = 0
    for row in zip(*repeats, strict=True):
        told = {v.passed for v in row if v.status is not Status.INFRASTRUCTURE}
        flips += len(told) > 1
    return flips / len(keys[0]) if keys[0] else 0.0
