"""From what a child wrote to outcomes.

The bytes are claims by an untrusted process: they are taken apart once, within bounds, and nothing
in them is evaluated. Lengths must fit, clocks and places lie within what the zygote measured, the
number of records, bytes and elements within what the job may return.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.model import Limits, Outcome, Raised

_CALLS = frozenset({wire.VALUE, wire.TEXT, wire.RAISED, wire.UNSERIALIZABLE})
_MESSAGE_BYTES = 10_000  # of an exception or of a reason


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


@dataclass(slots=True)
class Room:
    """What the outcomes of one job may still take of the parent: bytes, and elements of values,
    each of which costs up to 250 bytes."""

    bytes: int
    elements: int

    @staticmethod
    def of(limits: Limits) -> Room:
        """For a job with these limits."""
        return Room(job_bytes(limits), 10 * limits.value_nodes)

    def takes_value(self, text: str) -> bool:
        """Whether there is room for the elements of a value, before it is read."""
        self.elements -= 1 + sum(map(text.count, ",([{:"))
        return self.elements >= 0

    def takes(self, run: Run, outcomes: list[Outcome]) -> bool:
        """Whether there is room for the outcomes of a process."""
        texts = sum(2 * len(o.text or "") + len(o.payload or "") for o in outcomes)
        self.bytes -= len(run.output) + texts
        return self.bytes >= 0


def job_bytes(limits: Limits) -> int:
    """How much may be printed, returned and emitted in one job."""
    return max(64_000_000, 4 * limits.result_bytes)


def judge(run: Run, limits: Limits, expected: int, room: Room) -> list[Outcome]:
    """The outcomes of the calls that `run` dealt with: at most `expected`, at least one. Fewer
    mean that the process ended before it came to the rest."""
    found = _judged(run, limits, expected, room)
    if room.takes(run, found):
        return found
    note = f"the results of one job may have {job_bytes(limits):,} bytes"
    return [Outcome(Status.OUTPUT_LIMIT, cpu_seconds=run.cpu, note=note)] * len(found)


def _judged(run: Run, limits: Limits, expected: int, room: Room) -> list[Outcome]:
    claims = _Claims(run, limits, expected, room)
    outcomes = claims.outcomes
    over = len(run.output) > limits.output_bytes
    if claims.ended and not over and run.ended == wire.ENDED_EXIT:
        if outcomes and expected == 1 and outcomes[0].cpu_seconds > limits.cpu_seconds:
            return [claims.failed(Status.TIMEOUT, "borderline", outcomes[0].payload)]
        if len(outcomes) == expected or (claims.full and outcomes):
            return outcomes
        if claims.full:
            return [claims.failed(Status.UNSERIALIZABLE, "too large for result_bytes")]
    status, note = (Status.OUTPUT_LIMIT, "") if over else _death(run, limits)
    # One that wrote its last record, or forged it, did not end as our code ends.
    return [*outcomes[: expected - 1], claims.failed(status, note)]


class _Claims:
    """The records of one process, read once: `outcomes` of its calls, the `payload` of the call
    that has none yet, whether the result file was `full`, whether it `ended` as our code does."""

    def __init__(self, run: Run, limits: Limits, expected: int, room: Room) -> None:
        self.run, self.limits, self.room = run, limits, room
        self.alone = expected == 1
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
                self.payload = self._text(start, min(stop, start + limits.payload_bytes))
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

    def failed(
        self, status: Status, note: str, payload: str | None = None, raised: Raised | None = None
    ) -> Outcome:
        """What became of a process, or of its call, as the zygote measured it."""
        run = self.run
        return Outcome(
            status, None, None, raised, _decoded(run.output), run.cpu, run.wall,
            run.peak_kb / 1024, payload or self.payload, note,
            run.value if run.ended == wire.ENDED_SIGNAL else 0,
        )  # fmt: skip

    def _called(self, tag: bytes, start: int, stop: int) -> Outcome:
        run = self.run
        place, cpu, wall = wire.CALL.unpack_from(run.records, start)
        start += wire.CALL.size
        before, self.printed = self.printed, max(self.printed, min(place, len(run.output)))
        if self.alone or not 0.0 <= cpu <= run.cpu:  # also when it is no number
            cpu = run.cpu
        if self.alone or not 0.0 <= wall <= run.wall:
            wall = run.wall
        status, value, text, raised, note = Status.OK, None, None, None, ""
        if tag in (wire.VALUE, wire.TEXT):
            try:
                value, text = self._value(tag, run.records[start:stop])
            except (UnicodeDecodeError, values.NotALiteral) as error:
                status, note = Status.UNSERIALIZABLE, f"not a value: {error}"
        else:
            told = self._text(start, min(stop, start + _MESSAGE_BYTES))
            if tag == wire.UNSERIALIZABLE:
                status, note = Status.UNSERIALIZABLE, told
            else:
                raised = _raised(told)
                memory = raised.type == "MemoryError"
                status = Status.MEMORY if memory else Status.EXCEPTION
        return Outcome(
            status, value, text, raised, _decoded(run.output[before : self.printed]), cpu, wall,
            run.peak_kb / 1024, self.payload, note,
        )  # fmt: skip

    def _value(self, tag: bytes, body: bytes) -> tuple[object, str]:
        """(value, text) of a call's record. Raises UnicodeDecodeError or NotALiteral."""
        text = body.decode("utf-8", "surrogatepass" if tag == wire.TEXT else "strict")
        if len(text) > self.limits.value_bytes:
            raise values.NotALiteral("longer than value_bytes")
        if tag == wire.TEXT:
            return text, repr(text)
        if not self.room.takes_value(text):
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


def _raised(told: str) -> Raised:
    line, _, rest = told.partition("\0")
    kind, _, message = rest.partition("\0")
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 10 else 0
    return Raised(kind[:200], message[:2_000], number or None)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace") if data else ""
