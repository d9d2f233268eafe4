"""`trace` and `trace_many`: the tracer as the rest of the library uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.sandbox import Job, Sandbox
from semcoder_lib.sandbox import Limits as SandboxLimits
from semcoder_lib.tracing.limits import DEFAULT, TraceLimits
from semcoder_lib.tracing.reading import read
from semcoder_lib.tracing.statements import layout

PLUGIN = "semcoder_lib.tracing.child"
_CALLS_PER_JOB = 32


def trace(
    program: Program,
    case: Case,
    box: Sandbox,
    *,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
) -> Trace:
    """What `program` does on `case.arguments`, step by step, run inside the sandbox.

    Promises: steps in execution order, one for every visit of a statement of the program's own
    code; each change in the step of the line that made it, in-place changes and aliases included;
    the same bytes for the same program and input, on Python 3.11 to 3.13. Frames of comprehensions
    and generator expressions are part of their statement. Does not promise: that the program told
    the truth (it shares the interpreter with the tracer; compare `Trace.result` with an untraced
    run), steps after a bound (`Trace.cut`), or steps of a call that was killed before a bound.
    `case.output` is not looked at. Sandbox errors raise as `Sandbox.call` says.
    """
    return next(trace_many([(program, case)], box, limits=limits, sandbox_limits=sandbox_limits))


def trace_many(
    pairs: Iterable[tuple[Program, Case]],
    box: Sandbox,
    *,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
    share: bool = False,
) -> Iterator[Trace]:
    """One trace for each pair, in order, streaming. Neighbouring pairs of one program travel
    together; with `share` they also run in one process (each on a freshly executed module), which
    is faster and right for programs that are known to be harmless to one another."""
    held: list[Program] = []

    def jobs() -> Iterator[Job]:
        for program, cases in _grouped(pairs):
            held.append(program)
            options = {**limits.as_options(), "beyond": layout(program.source).beyond}
            yield Job(
                program.source,
                program.entry_point,
                [case.arguments for case in cases],
                sandbox_limits,
                PLUGIN,
                options,
                share,
            )

    for outcomes in box.map(jobs()):
        program = held.pop(0)
        for outcome in outcomes:
            yield read(program, outcome)


def _grouped(
    pairs: Iterable[tuple[Program, Case]],
) -> Iterator[tuple[Program, list[Case]]]:
    current: Program | None = None
    cases: list[Case] = []
    for program, case in pairs:
        same = current is not None and (
            program is current
            or (program.source, program.entry_point, program.id)
            == (current.source, current.entry_point, current.id)
        )
        if not same or len(cases) >= _CALLS_PER_JOB:
            if current is not None:
                yield current, cases
            current, cases = program, []
        cases.append(case)
    if current is not None:
        yield current, cases
