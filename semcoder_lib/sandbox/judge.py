"""From what a child wrote to outcomes. The bytes are a claim by an untrusted process: they are
taken apart with bounds, and nothing in them is evaluated."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import NamedTuple

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.model import Limits, Outcome, Raised


class Run(NamedTuple):
    """One process of a zygote's reply."""

    ended: int
    value: int
    cpu: float
    wall: float
    peak_kb: int
    first: int
    nonce: bytes
    records: bytes
    output: bytes


def runs_of(reply: bytes) -> tuple[int, list[Run]]:
    """A zygote's reply as (job number, its processes). Raises ValueError when it is malformed."""
    number, count = wire.REPLY.unpack_from(reply)
    place = wire.REPLY.size
    runs = []
    for _ in range(count):
        ended, value, cpu, wall, peak, first, results, output = wire.RUN.unpack_from(reply, place)
        place += wire.RUN.size
        middle, end = place + results, place + results + output
        if results < 8 or end > len(reply):
            raise ValueError("a reply of the wrong length")
        nonce, records = reply[place : place + 8], reply[place + 8 : middle]
        runs.append(Run(ended, value, cpu, wall, peak, first, nonce, records, reply[middle:end]))
        place = end
    return number, runs


def judge(run: Run, limits: Limits, expected: int) -> list[Outcome]:
    """The outcomes of the calls that `run` dealt with: at most `expected`, at least one. Fewer
    mean that the process ended before it came to the rest."""
    outcomes: list[Outcome] = []
    ended = full = False
    payload: str | None = None
    before = 0
    peak = run.peak_kb / 1024
    alone = expected == 1
    records = run.records
    for tag, start, stop in _records(records):
        if tag == wire.BEGUN:
            continue
        if tag == wire.END:
            ended = records[start:stop] == run.nonce
            break
        if tag == wire.FULL:
            full = True
        elif tag == wire.PAYLOAD:
            payload = records[start:stop].decode("utf-8", "replace")
        elif tag == wire.LOAD_ERROR:
            outcomes = [
                Outcome(
                    Status.LOAD_ERROR,
                    exception=_raised(records[start:stop]),
                    stdout=_text(run.output),
                )
            ] * expected
        elif tag in _CALLS:
            if stop - start < wire.CALL.size or len(outcomes) >= expected:
                break
            position, cpu, wall = wire.CALL.unpack_from(records, start)
            body = records[start + wire.CALL.size : stop]
            printed = _text(run.output[before:position]) if position != before else ""
            before = position
            if alone:
                cpu, wall = run.cpu, run.wall
            outcomes.append(_called(tag, body, printed, payload, cpu, wall, peak, limits))
            payload = None
    over = len(run.output) > limits.output_bytes
    if ended and not over and run.ended == wire.ENDED_EXIT:
        if outcomes and alone and outcomes[0].cpu_seconds > limits.cpu_seconds:
            return [_failed(run, Status.TIMEOUT, outcomes[0].payload, "borderline")]
        if len(outcomes) == expected or (full and outcomes):
            return outcomes
        if full:
            return [_failed(run, Status.UNSERIALIZABLE, payload, "too large for result_bytes")]
    if over:
        status, note = Status.OUTPUT_LIMIT, ""
        outcomes = [o for o in outcomes if not alone]
    else:
        status, note = _death(run, limits)
    if status is Status.EARLY_EXIT and outcomes and len(outcomes) == expected:
        outcomes.pop()  # it wrote its record, or forged one, but did not end as our code ends
    if len(outcomes) >= expected:
        outcomes.pop()
    return [*outcomes, _failed(run, status, payload, note)]


_CALLS = frozenset({wire.VALUE, wire.TEXT, wire.RAISED, wire.UNSERIALIZABLE})


def _records(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(tag, start, stop) of each whole record."""
    head, size = wire.RECORD.unpack_from, wire.RECORD.size
    place = 0
    while place + size <= len(data):
        tag, length = head(data, place)
        start = place + size
        place = start + length
        if place > len(data):
            return
        yield tag, start, place


def _called(
    tag: bytes,
    body: bytes,
    stdout: str,
    payload: str | None,
    cpu: float,
    wall: float,
    peak: float,
    limits: Limits,
) -> Outcome:
    if tag == wire.RAISED:
        raised = _raised(body)
        status = Status.MEMORY if raised.type == "MemoryError" else Status.EXCEPTION
        return Outcome(status, None, None, raised, stdout, cpu, wall, peak, payload)
    if tag == wire.UNSERIALIZABLE:
        note = _text(body)
        return Outcome(
            Status.UNSERIALIZABLE, None, None, None, stdout, cpu, wall, peak, payload, note
        )
    try:
        if tag == wire.TEXT:
            value = body.decode("utf-8", "surrogatepass")
            return Outcome(Status.OK, value, repr(value), None, stdout, cpu, wall, peak, payload)
        text = body.decode()
        # four syntax nodes for an element are ample; a forged text must not cost us more
        value = values.decode(text, max_nodes=4 * limits.value_nodes)
    except (UnicodeDecodeError, values.NotALiteral) as error:
        note = f"not a value: {error}"
        return Outcome(
            Status.UNSERIALIZABLE, None, None, None, stdout, cpu, wall, peak, payload, note
        )
    return Outcome(Status.OK, value, text, None, stdout, cpu, wall, peak, payload)


def _death(run: Run, limits: Limits) -> tuple[Status, str]:
    if run.ended in (wire.ENDED_CPU, wire.ENDED_WALL):
        return Status.TIMEOUT, "cpu" if run.ended == wire.ENDED_CPU else "wall"
    if run.ended == wire.ENDED_BROKEN:
        return Status.INFRASTRUCTURE, f"could not be started: {_text(run.records)[:200]}"
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


def _failed(run: Run, status: Status, payload: str | None, note: str) -> Outcome:
    number = run.value if run.ended == wire.ENDED_SIGNAL else 0
    return Outcome(
        status,
        stdout=_text(run.output),
        cpu_seconds=run.cpu,
        wall_seconds=run.wall,
        peak_mb=run.peak_kb / 1024,
        payload=payload,
        note=note,
        signal=number,
    )


def _raised(data: bytes) -> Raised:
    line, _, rest = data.decode("utf-8", "replace").partition("\0")
    kind, _, message = rest.partition("\0")
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 10 else 0
    return Raised(kind[:200], message[:2_000], number or None)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace") if data else ""
