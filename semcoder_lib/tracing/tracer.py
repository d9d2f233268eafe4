"""`trace` and `trace_many`: programs run step by step in the sandbox."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from semcoder_lib.core.records import Case, Program, Step, Trace
from semcoder_lib.sandbox import Job, Outcome, Sandbox
from semcoder_lib.sandbox import Limits as SandboxLimits
from semcoder_lib.tracing.reading import Malformed, read_payload
from semcoder_lib.tracing.statements import layout

PLUGIN = "semcoder_lib.tracing.child"
_CALLS_PER_JOB = 32


@dataclass(frozen=True, slots=True)
class TraceLimits:
    """Where recording stops; the program itself goes on to its own end under the sandbox's limits.

    `steps` and `bytes` bound a whole trace (recorded events; characters of recorded texts),
    `seconds` the processor time since the first few hundred steps. `value_nodes` and `value_bytes`
    bound the text of one value: a larger one is described by its type, its size and its beginning,
    and marked inexact. A trace that was ended by a bound says which one in `Trace.cut`; near the
    interpreter's recursion limit that is `recursion`.
    """

    steps: int = 10_000
    bytes: int = 1_000_000
    seconds: float = 5.0
    value_nodes: int = 512
    value_bytes: int = 4_096


DEFAULT = TraceLimits()


def trace(
    program: Program,
    case: Case,
    box: Sandbox,
    *,
    values: bool = True,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
) -> Trace:
    """What `program` does on `case.arguments`, step by step, run inside the sandbox.

    Promises: steps in execution order, one for every visit of a statement of the program's own
    code; each change in the step of the line that made it, in-place changes and aliases included;
    the same bytes for the same program and input, on Python 3.11 to 3.13. Frames of comprehensions
    and generator expressions are part of their statement. Without `values` the steps say where the
    program went (coverage), and no more. Does not promise: that the program told the truth (it
    shares the interpreter with the tracer; compare `Trace.result` with an untraced run), steps
    after a bound (`Trace.cut`), or steps of a call that was killed before a bound. `case.output` is
    not looked at. Sandbox errors raise as `Sandbox.call` says.
    """
    pairs = [(program, case)]
    return next(trace_many(pairs, box, values=values, limits=limits, sandbox_limits=sandbox_limits))


def trace_many(
    pairs: Iterable[tuple[Program, Case]],
    box: Sandbox,
    *,
    values: bool = True,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
    share: bool = False,
) -> Iterator[Trace]:
    """One trace for each pair, in order, streaming. Neighbouring pairs of one program travel
    together; with `share` they also run in one process (each on a freshly executed module), which
    is faster and right for programs that are known to be harmless to one another."""
    waiting: list[Program] = []

    def jobs() -> Iterator[Job]:
        for program, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
            calls = (case.arguments for _, case in group)
            while batch := list(itertools.islice(calls, _CALLS_PER_JOB)):
                waiting.append(program)
                yield Job(
                    program.source,
                    program.entry_point,
                    batch,
                    sandbox_limits,
                    PLUGIN,
                    options(program.source, limits, values),
                    share,
                )

    for outcomes in box.map(jobs()):
        program = waiting.pop(0)
        for outcome in outcomes:
            yield _read(program, outcome)


def options(source: str, limits: TraceLimits = DEFAULT, values: bool = True) -> dict[str, Any]:
    """The options of the plug-in `PLUGIN` for a program."""
    return {**asdict(limits), "values": values, "beyond": layout(source).beyond}


def _read(program: Program, outcome: Outcome) -> Trace:
    """A payload that the tracer did not write gives no steps and the flag `malformed`."""
    flags: tuple[str, ...] = tuple(outcome.flags)
    steps: tuple[Step, ...] = ()
    cut = ""
    if outcome.payload is not None:
        try:
            steps, cut, more = read_payload(outcome.payload, program.source)
            flags += more
        except Malformed:
            flags += ("malformed",)
    raised = outcome.exception
    return Trace(
        steps=steps,
        status=outcome.status,
        result=outcome.text,
        exception=None if raised is None else f"{raised.type}: {raised.message}",
        cut=cut,
        program_id=program.id,
        stdout=outcome.stdout,
        flags=flags,
    )
