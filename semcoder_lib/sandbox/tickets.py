"""What the parent keeps about jobs that are on their way."""

from __future__ import annotations

import json
import marshal
import time
from collections import deque
from dataclasses import replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import host, judge
from semcoder_lib.sandbox.model import Job, Limits, Outcome

_GIVE_UP_LOSSES = 2
# Of a run that was stopped by the clock on the wall, this share of its processor limit says that
# it was working, perhaps held up by others, and not sleeping.
_WAS_WORKING = 0.2
_PLAIN_KINDS = frozenset({int, float, str, bytes, bool, type(None)})
_PLAIN_LEVELS = 12
_PLAIN_BYTES = 1_000_000


class Ticket:
    """A job on its way. `calls` are its packed arguments, `todo` the places of those whose outcome
    is not known yet.

    `alone` tickets run while nothing else does: those that may have cost a zygote its life, and
    those whose timeout was close (`repeating`).
    """

    def __init__(self, job: Job, limits: Limits) -> None:
        self.job = job
        self.limits = limits
        self.calls = [packed(arguments) for arguments in job.calls]
        self.outcomes: list[Outcome] = [Outcome(Status.INFRASTRUCTURE)] * len(self.calls)
        self.todo = list(range(len(self.calls)))
        self.room = judge.Room.of(limits)
        self.losses = 0  # zygotes lost while they ran it alone
        self.deaths = 0  # processes of a shared job that died
        self.alone = self.repeating = False
        self.size = len(job.source) + sum(map(len, self.calls))
        options = json.dumps(job.options, sort_keys=True)
        self.key = (  # equal for equal jobs
            job.source, job.entry_point, tuple(self.calls), limits, job.plugin, options,
            job.share, job.reload, job.stdin, job.paths,
        )  # fmt: skip

    @property
    def weight(self) -> int:
        """Characters of the results."""
        return sum(len(o.text or o.payload or "") + len(o.stdout) for o in self.outcomes)

    @property
    def done(self) -> bool:
        """Whether every call has its outcome."""
        return not self.todo

    @property
    def shared(self) -> bool:
        """Whether one process makes all calls that are left."""
        return self.job.share and not self.repeating

    @property
    def patience(self) -> float:
        """Seconds without a message after which the zygote itself must be at fault."""
        return (len(self.todo) if self.shared else 1) * (self.limits.wall_seconds + 1.0) + 10.0

    def request(self, number: int) -> bytes:
        """The message to a zygote for what is left to do."""
        job = self.job
        calls = [self.calls[place] for place in self.todo]
        return marshal.dumps(
            (number, job.source, job.entry_point, calls, self.limits.as_dict(), self.shared,
             job.reload, job.plugin, job.options, job.stdin, job.paths)
        )  # fmt: skip

    def take(self, run: judge.Run) -> None:
        """Add what one process did. Raises ValueError for a process that nobody asked for."""
        if not self.todo:
            raise ValueError("a message too many")
        expected = len(self.todo) if self.shared else 1
        found = judge.judge(run, self.limits, expected, self.room)
        for place, outcome in zip(self.todo, found, strict=False):
            if self.repeating:
                outcome = replace(outcome, flags=(*outcome.flags, "repeated"))
            self.outcomes[place] = outcome
        self.todo = self.todo[len(found) :]
        # one that ended well had only its result file full
        if self.shared and self.todo and found[-1].status not in (Status.OK, Status.EXCEPTION):
            self.deaths += 1
            if self.deaths >= self.job.give_up:
                note = f"not run: {self.deaths} processes of this job had ended before"
                self._fill(Outcome(found[-1].status, note=note))
        if not run.more:
            self.alone = False
        if not self.todo and not self.repeating:
            self.todo = [i for i, o in enumerate(self.outcomes) if _is_close(o, self.limits)]
            self.alone = self.repeating = bool(self.todo)

    def lost(self) -> None:
        """The zygote that held this is gone."""
        if self.alone:
            self.losses += 1
        self.alone = True
        if self.losses >= _GIVE_UP_LOSSES:
            self._fill(Outcome(Status.SANDBOX_LOST, note="zygotes that ran it were lost"))

    def _fill(self, outcome: Outcome) -> None:
        for place in self.todo:
            self.outcomes[place] = outcome
        self.todo = []


def _is_close(outcome: Outcome, limits: Limits) -> bool:
    if outcome.status is not Status.TIMEOUT or not limits.grace:
        return False
    if outcome.note == "borderline":
        return True
    return outcome.note == "wall" and outcome.cpu_seconds > _WAS_WORKING * limits.cpu_seconds


class Worker:
    """One zygote and the tickets it holds, oldest first, with the numbers they were sent under."""

    def __init__(self) -> None:
        self.host: host.Host | None = None
        self.held: deque[tuple[int, Ticket]] = deque()
        self.heard = 0.0  # when it last gave a sign of life

    @property
    def bytes_held(self) -> int:
        """How much it was sent and has not answered."""
        return sum(ticket.size for _, ticket in self.held)

    @property
    def overdue(self) -> bool:
        """Whether the zygote itself must be at fault."""
        return bool(self.held) and time.monotonic() - self.heard > self.held[0][1].patience


def packed(arguments: tuple[Any, ...]) -> bytes | str:
    """Arguments for the child: `marshal` data where it keeps the exact types, else text.

    Raises `values.Unserializable` for arguments that are not exact built-in values.
    """
    arguments = tuple(arguments)
    if _is_plain(arguments, 0):
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


def _is_plain(value: Any, level: int) -> bool:
    """Whether `marshal` keeps a value of few levels exactly, found out without writing it: most
    arguments, and three times faster than their text. False also means "look closer"."""
    kind = type(value)
    if kind is dict:
        return level < _PLAIN_LEVELS and _is_plain([*value, *value.values()], level + 1)
    if (kind is not list and kind is not tuple) or level >= _PLAIN_LEVELS:
        return False
    odd = set(map(type, value)) - _PLAIN_KINDS
    return not odd or (
        odd <= {list, tuple, dict}
        and all(_is_plain(v, level + 1) for v in value if type(v) not in _PLAIN_KINDS)
    )
