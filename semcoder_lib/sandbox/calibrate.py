"""Limits from what reference solutions need on this machine, and how steady verdicts are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox.box import Sandbox
from semcoder_lib.sandbox.model import Job, Limits


def calibrate(
    box: Sandbox,
    references: Sequence[Job],
    *,
    factor: float = 10.0,
    floor: float = 0.5,
    ceiling: float = 60.0,
    repeats: int = 2,
) -> list[Limits]:
    """For each job of a known-good program: its limits with `cpu_seconds` set to `factor` times
    the slowest call of `repeats` runs, between `floor` and `ceiling`, rounded up to 0.1 s; wall
    time is three times that, at least the job's own.

    Raises UserError naming the job when a reference does not end well, since a limit drawn from
    it would mean nothing.
    """
    generous = [
        Job(
            job.source, job.entry_point, job.calls, _wide(job.limits or box.limits, ceiling),
            job.plugin, job.options, job.share, job.reload, job.give_up, job.stdin, job.paths,
        )
        for job in references
    ]  # fmt: skip
    slowest = [0.0] * len(generous)
    for _ in range(repeats):
        for place, outcomes in enumerate(box.map(generous)):
            for outcome in outcomes:
                if outcome.status not in (Status.OK, Status.EXCEPTION):
                    raise UserError(
                        f"calibration: reference {place} ({generous[place].entry_point}) ended "
                        f"as {outcome.status} {outcome.note}; fix it or leave it out"
                    )
                slowest[place] = max(slowest[place], outcome.cpu_seconds)
    limits = []
    for job, seconds in zip(references, slowest, strict=True):
        cpu = math.ceil(min(ceiling, max(floor, factor * seconds)) * 10) / 10
        own = job.limits or box.limits
        limits.append(own.but(cpu_seconds=cpu, wall_seconds=max(own.wall_seconds, 3 * cpu)))
    return limits


def _wide(limits: Limits, ceiling: float) -> Limits:
    return limits.but(cpu_seconds=ceiling, wall_seconds=max(limits.wall_seconds, 3 * ceiling))


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How many of `calls` changed their status over `runs` runs, and which (job, call)."""

    calls: int
    runs: int
    flipped: tuple[tuple[int, int], ...]

    @property
    def rate(self) -> float:
        return len(self.flipped) / self.calls if self.calls else 0.0


def flips(box: Sandbox, jobs: Iterable[Job], *, runs: int = 3) -> Steadiness:
    """Run `jobs` several times and compare the statuses of each call."""
    listed = list(jobs)
    seen: dict[tuple[int, int], set[Status]] = {}
    for _ in range(runs):
        for place, outcomes in enumerate(box.map(listed)):
            for number, outcome in enumerate(outcomes):
                seen.setdefault((place, number), set()).add(outcome.status)
    changed = tuple(key for key, statuses in seen.items() if len(statuses) > 1)
    return Steadiness(len(seen), runs, changed)
