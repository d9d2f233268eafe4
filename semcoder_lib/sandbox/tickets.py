"""What the parent keeps about jobs that are on their way."""

from __future__ import annotations

import marshal
import time
from collections import deque
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import host, judge
from semcoder_lib.sandbox.model import Job, Limits, Outcome

_GIVE_UP_LOSSES = 2
# Of a run that was stopped by the clock on the wall, this share of its processor limit says that
# it was working, perhaps held up by others, and not sleeping.
_WAS_WORKING = 0.2


class Ticket:
    """A job on its way: what was asked, what is known so far.

    `alone` tickets run while nothing else does: those that may have cost a zygote its life, and
    those whose timeout was close.
    """

    __slots__ = (
        "alone", "calls", "deaths", "job", "limits", "losses", "outcomes", "redo", "redone", "size",
    )  # fmt: skip

    def __init__(self, job: Job, limits: Limits) -> None:
        self.job = job
        self.limits = limits
        self.calls = [packed(arguments) for arguments in job.calls]
        self.outcomes: list[Outcome] = []
        self.losses = 0  # zygotes lost while they ran it alone
        self.deaths = 0  # processes of a shared job that died
        self.redo: list[int] = []  # calls to repeat alone
        self.redone = False
        self.alone = False
        self.size = len(job.source) + sum(map(len, self.calls))

    @property
    def done(self) -> bool:
        return len(self.outcomes) >= len(self.calls) and not self.redo

    def request(self, number: int) -> bytes:
        """The message to a zygote for what is left to do."""
        job, limits = self.job, self.limits
        share = job.share and not self.redo
        if self.redo:
            calls = [self.calls[i] for i in self.redo]
        else:
            calls = self.calls[len(self.outcomes) :]
        fields = {name: getattr(limits, name) for name in limits.__dataclass_fields__}
        return marshal.dumps(
            (number, job.source, job.entry_point, calls, fields, share, job.reload, job.plugin,
             job.options, job.stdin, job.paths)
        )  # fmt: skip

    @property
    def patience(self) -> float:
        """Seconds after which the zygote itself must be at fault."""
        return len(self.calls) * (self.limits.wall_seconds + 1.0) + 10.0

    def take(self, runs: list[judge.Run]) -> None:
        """Add what a zygote reported."""
        self.alone = False
        if self.redo:
            for place, run in zip(self.redo, runs, strict=True):
                (again,) = judge.judge(run, self.limits, 1)
                self.outcomes[place] = flagged(again, "repeated")
            self.redo, self.redone = [], True
            return
        if self.job.share:
            self._take_shared(runs[0])
        else:
            for run in runs:
                self.outcomes.extend(judge.judge(run, self.limits, 1))
        if len(self.outcomes) >= len(self.calls) and not self.redone:
            self.redo = [i for i, o in enumerate(self.outcomes) if _is_close(o, self.limits)]
            self.alone = bool(self.redo)

    def _take_shared(self, run: judge.Run) -> None:
        left = len(self.calls) - len(self.outcomes)
        found = judge.judge(run, self.limits, left)
        self.outcomes.extend(found)
        if len(found) >= left or found[-1].status in (Status.OK, Status.EXCEPTION):
            return  # finished, or only its result file was full
        self.deaths += 1
        if self.deaths >= self.job.give_up:
            note = f"not run: {self.deaths} processes of this job had ended before"
            self.fill(Outcome(self.outcomes[-1].status, note=note))

    def fill(self, outcome: Outcome) -> None:
        """Give all calls that have no outcome yet this one."""
        self.outcomes.extend([outcome] * (len(self.calls) - len(self.outcomes)))

    def lost(self) -> None:
        """The zygote that held this is gone."""
        if self.alone:
            self.losses += 1
        self.alone = True
        if self.losses >= _GIVE_UP_LOSSES:
            self.redo = []
            self.fill(Outcome(Status.INFRASTRUCTURE, note="zygotes that ran it were lost"))


def _is_close(outcome: Outcome, limits: Limits) -> bool:
    if outcome.status is not Status.TIMEOUT or not limits.grace:
        return False
    if outcome.note == "borderline":
        return True
    return outcome.note == "wall" and outcome.cpu_seconds > _WAS_WORKING * limits.cpu_seconds


def flagged(outcome: Outcome, flag: str) -> Outcome:
    from dataclasses import replace

    return replace(outcome, flags=(*outcome.flags, flag))


class Worker:
    """One zygote and the tickets it holds, oldest first."""

    def __init__(self) -> None:
        self.host: host.Host | None = None
        self.held: deque[tuple[int, Ticket]] = deque()
        self.heard = 0.0  # when it last gave a sign of life

    @property
    def bytes_held(self) -> int:
        return sum(ticket.size for _, ticket in self.held)

    @property
    def overdue(self) -> bool:
        return bool(self.held) and time.monotonic() - self.heard > self.held[0][1].patience


_PLAIN_KINDS = frozenset({int, float, str, bytes, bool, type(None)})
_PLAIN_LEVELS = 12
_PLAIN_BYTES = 1_000_000


def _plain(value: Any, level: int) -> bool:
    """Whether `marshal` keeps a value of few levels exactly, found out without writing it: most
    arguments, and three times faster than their text. False also means "look closer"."""
    kind = type(value)
    if kind is dict:
        return level < _PLAIN_LEVELS and _plain([*value, *value.values()], level + 1)
    if (kind is not list and kind is not tuple) or level >= _PLAIN_LEVELS:
        return False
    odd = set(map(type, value)) - _PLAIN_KINDS
    return not odd or (
        odd <= {list, tuple, dict}
        and all(_plain(v, level + 1) for v in value if type(v) not in _PLAIN_KINDS)
    )


def packed(arguments: tuple[Any, ...]) -> bytes | str:
    """Arguments for the child: `marshal` data where it keeps the exact types, else text.

    Raises `values.Unserializable` for arguments that are not exact built-in values.
    """
    arguments = tuple(arguments)
    if _plain(arguments, 0):
        data = marshal.dumps(arguments, 2)
        if len(data) <= _PLAIN_BYTES:
            return data
    # generous budgets: the parent's own data, up to what `values.decode` takes in the child
    text = values.encode(arguments, max_nodes=5_000_000, max_bytes=50_000_000)
    if "bytearray(" in text:  # marshal would make bytes of it
        return text
    try:
        return marshal.dumps(arguments, 2)  # version 2 keeps no identity: equal to the text
    except ValueError:
        return text
