"""A job on its way: what is asked of a zygote, and from what a child wrote to outcomes.

A child's bytes are claims by an untrusted process: they are taken apart once, within bounds, and
nothing in them is evaluated. Lengths must fit, clocks and places lie within what the zygote
measured, the number of records, bytes and elements within what the job may return.
"""

from __future__ import annotations

import json
import marshal
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.model import Job, Limits, Outcome, Raised

_CALLS = frozenset({wire.VALUE, wire.TEXT, wire.RAISED, wire.UNSERIALIZABLE})
_MESSAGE_BYTES = 10_000  # of an exception or of a reason
_GIVE_UP_LOSSES = 2
# Of a run that was stopped by the clock on the wall, this share of its processor limit says that
# it was working, perhaps held up by others, and not sleeping.
_WAS_WORKING = 0.2


class Run(NamedTuple):
    """One process of a job, as its zygote reports it; `records` and `output` are the child's."""

    number: int
    more: bool
    ended: int
    value: int
    cpu: float
    wall: float
    peak_kb: int
    nonce: bytes
    records: bytes
    output: bytes


def run_of(message: bytes) -> Run:
    """A zygote's message. Raises ValueError when it is malformed."""
    if len(message) < wire.RUN.size:
        raise ValueError("a message without a header")
    number, more, ended, value, cpu, wall, peak, results, output = wire.RUN.unpack_from(message)
    start, middle = wire.RUN.size + wire.NONCE_BYTES, wire.RUN.size + results
    if results < wire.NONCE_BYTES or middle + output != len(message):
        raise ValueError("a message of the wrong length")
    nonce, records = message[wire.RUN.size : start], message[start:middle]
    return Run(number, bool(more), ended, value, cpu, wall, peak, nonce, records, message[middle:])


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
        # What its outcomes may still take of the parent: bytes, and elements of values, each of
        # which costs up to 250 bytes.
        self.most_bytes = self.bytes_left = max(64_000_000, 4 * limits.result_bytes)
        self.elements_left = 10 * limits.value_nodes
        self.losses = 0  # zygotes lost while they ran it alone
        self.deaths = 0  # processes of a shared job that died
        self.alone = self.repeating = False
        self.size = len(job.source) + sum(map(len, self.calls))

    def key(self) -> tuple[Any, ...]:
        """Equal for equal jobs."""
        job, options = self.job, json.dumps(self.job.options, sort_keys=True)
        return (
            job.source, job.entry_point, tuple(self.calls), self.limits, job.plugin, options,
            job.share, job.reload, job.stdin,
        )  # fmt: skip

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
        limits = {name: getattr(self.limits, name) for name in Limits.__slots__}
        return marshal.dumps(
            (number, job.source, job.entry_point, calls, limits, self.shared,
             job.reload, job.plugin, job.options, job.stdin)
        )  # fmt: skip

    def take(self, run: Run) -> None:
        """Add what one process did. Raises ValueError for a process that nobody asked for, or that
        could not be started: only in a zygote of its own is that more than the zygote's fault."""
        if not self.todo or (run.ended == wire.ENDED_BROKEN and not self.alone):
            raise ValueError("a message too many, or from a zygote that starts nothing")
        expected = len(self.todo) if self.shared else 1
        outcomes = self._judged(run, expected)
        for place, outcome in zip(self.todo, outcomes, strict=False):
            self.outcomes[place] = outcome
        self.todo = self.todo[len(outcomes) :]
        # one that ended well had only its result file full
        if self.shared and self.todo and outcomes[-1].status not in (Status.OK, Status.EXCEPTION):
            self.deaths += 1
            if self.deaths >= self.job.give_up:
                note = f"not run: {self.deaths} processes of this job had ended before"
                self._fill(Outcome(outcomes[-1].status, note=note))
        if not run.more:
            self.alone = False
        if not self.todo and not self.repeating:
            self.todo = [i for i, o in enumerate(self.outcomes) if _is_close(o, self.limits)]
            self.alone = self.repeating = bool(self.todo)

    def _judged(self, run: Run, expected: int) -> list[Outcome]:
        """The outcomes of the calls that `run` dealt with: at most `expected`, at least one. Fewer
        mean that the process ended before it came to the rest."""
        outcomes = _Claims(run, self, expected).judged()
        self.bytes_left -= len(run.output)
        self.bytes_left -= sum(2 * len(o.text or "") + len(o.payload or "") for o in outcomes)
        if self.bytes_left >= 0:
            return outcomes
        note = f"the results of one job may have {self.most_bytes:,} bytes"
        return [Outcome(Status.OUTPUT_LIMIT, cpu_seconds=run.cpu, note=note)] * len(outcomes)

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


def packed(arguments: tuple[Any, ...]) -> bytes | str:
    """Arguments for the child: `marshal` data where it keeps the exact types, else text.

    Raises `values.Unserializable` for arguments that are not exact built-in values.
    """
    # generous budgets: the parent's own data, up to what `values.decode` takes in the child
    text = values.encode(tuple(arguments), max_nodes=5_000_000, max_bytes=50_000_000)
    if "bytearray(" in text:  # marshal would make bytes of it
        return text
    try:
        return marshal.dumps(tuple(arguments), 2)  # version 2 keeps no identity: equal to the text
    except ValueError:
        return text


class _Claims:
    """The records of one process, read once: `outcomes` of its calls, the `payload` of the call
    that has none yet, whether the result file was `full`, whether it `ended` as our code does."""

    def __init__(self, run: Run, ticket: Ticket, expected: int) -> None:
        self.run, self.ticket, self.limits, self.expected = run, ticket, ticket.limits, expected
        self.outcomes: list[Outcome] = []
        self.full = self.ended = False
        self.payload: str | None = None
        self.printed = 0  # bytes of the output that belong to a call already
        for tag, start, stop in _records(run.records, 16 * expected + 64):
            if tag == wire.END:
                self.ended = run.records[start:stop] == run.nonce
                return
            if tag == wire.FULL:
                self.full = True
            elif tag == wire.PAYLOAD:
                self.payload = self._text(start, min(stop, start + self.limits.payload_bytes))
            elif tag == wire.LOAD_ERROR:
                if self.outcomes:
                    return
                raised = _raised(self._text(start, min(stop, start + _MESSAGE_BYTES)))
                self.outcomes = [self.failed(Status.LOAD_ERROR, "", raised=raised)] * expected
            elif tag in _CALLS:
                if stop - start < wire.CALL.size or len(self.outcomes) >= expected:
                    return
                self.outcomes.append(self._called(tag, start, stop))
                self.payload = None

    def judged(self) -> list[Outcome]:
        """The outcomes, the last one that of the process where it did not end well."""
        run, outcomes, expected = self.run, self.outcomes, self.expected
        over = len(run.output) > self.limits.output_bytes
        if self.ended and not over and run.ended == wire.ENDED_EXIT:
            if outcomes and expected == 1 and outcomes[0].cpu_seconds > self.limits.cpu_seconds:
                return [self.failed(Status.TIMEOUT, "borderline", outcomes[0].payload)]
            if len(outcomes) == expected or (self.full and outcomes):
                return outcomes
            if self.full:
                return [self.failed(Status.UNSERIALIZABLE, "too large for result_bytes")]
        status, note = (Status.OUTPUT_LIMIT, "") if over else _death(run, self.limits)
        # One that wrote its last record, or forged it, did not end as our code ends.
        return [*outcomes[: expected - 1], self.failed(status, note)]

    def failed(
        self, status: Status, note: str, payload: str | None = None, raised: Raised | None = None
    ) -> Outcome:
        """What became of a process, or of its call, as the zygote measured it."""
        run = self.run
        return Outcome(
            status, None, None, raised, _decoded(run.output), run.cpu, run.wall,
            payload or self.payload, note,
        )  # fmt: skip

    def _called(self, tag: bytes, start: int, stop: int) -> Outcome:
        run = self.run
        place, cpu, wall = wire.CALL.unpack_from(run.records, start)
        start += wire.CALL.size
        before, self.printed = self.printed, max(self.printed, min(place, len(run.output)))
        if self.expected == 1 or not 0.0 <= cpu <= run.cpu:  # also when it is no number
            cpu = run.cpu
        if self.expected == 1 or not 0.0 <= wall <= run.wall:
            wall = run.wall
        status, value, text, raised, note = Status.OK, None, None, None, ""
        if tag in (wire.VALUE, wire.TEXT):
            try:
                value, text = self._value(tag, run.records[start:stop])
            except (UnicodeDecodeError, values.NotALiteral) as error:
                status, note = Status.UNSERIALIZABLE, f"not a value: {error}"
        else:
            message = self._text(start, min(stop, start + _MESSAGE_BYTES))
            if tag == wire.UNSERIALIZABLE:
                status, note = Status.UNSERIALIZABLE, message
            else:
                raised = _raised(message)
                memory = raised.type == "MemoryError"
                status = Status.MEMORY if memory else Status.EXCEPTION
        return Outcome(
            status, value, text, raised, _decoded(run.output[before : self.printed]), cpu, wall,
            self.payload, note,
        )  # fmt: skip

    def _value(self, tag: bytes, body: bytes) -> tuple[object, str]:
        """(value, text) of a call's record. Raises UnicodeDecodeError or NotALiteral."""
        text = body.decode("utf-8", "surrogatepass" if tag == wire.TEXT else "strict")
        if len(text) > self.limits.value_bytes:
            raise values.NotALiteral("longer than value_bytes")
        if tag == wire.TEXT:
            return text, repr(text)
        self.ticket.elements_left -= 1 + sum(map(text.count, ",([{:"))
        if self.ticket.elements_left < 0:  # before it is read
            raise values.NotALiteral("more elements than one job may return")
        # two syntax nodes for an element are ample; a forged text must not cost us more
        return values.decode(text, max_nodes=2 * self.limits.value_nodes), text

    def _text(self, start: int, stop: int) -> str:
        return _decoded(self.run.records[start:stop])


def _records(data: bytes, most: int) -> Iterator[tuple[bytes, int, int]]:
    """(tag, start, stop) of each whole record, of at most `most`."""
    head, size = wire.RECORD.unpack_from, wire.RECORD.size
    place = 0
    for _ in range(most):
        if place + size > len(data):
            return
        tag, length = head(data, place)
        start = place + size
        place = start + length
        if place > len(data):
            return
        yield tag, start, place


def _death(run: Run, limits: Limits) -> tuple[Status, str]:
    if run.ended in (wire.ENDED_CPU, wire.ENDED_WALL):
        return Status.TIMEOUT, "cpu" if run.ended == wire.ENDED_CPU else "wall"
    if run.ended == wire.ENDED_THREADS:
        return Status.MEMORY, f"more than {limits.threads} threads"
    if run.ended == wire.ENDED_BROKEN:
        return Status.INFRASTRUCTURE, f"could not be started: {_decoded(run.records[:200])}"
    if run.ended == wire.ENDED_LOST:
        return Status.SANDBOX_LOST, "the zygote could not watch it"
    if run.ended == wire.ENDED_SIGNAL:
        if run.value == signal.SIGXFSZ:
            return Status.OUTPUT_LIMIT, ""
        if run.value == signal.SIGKILL and run.peak_kb > limits.memory_mb * 512:
            return Status.MEMORY, "killed, probably by the kernel for want of memory"
        try:
            return Status.CRASHED, signal.Signals(run.value).name
        except ValueError:
            return Status.CRASHED, f"signal {run.value}"
    return Status.EARLY_EXIT, f"exit status {run.value}"


def _raised(record: str) -> Raised:
    line, _, rest = record.partition("\0")
    kind, _, message = rest.partition("\0")
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 10 else 0
    return Raised(kind[:200], message[:2_000], number or None)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace") if data else ""
