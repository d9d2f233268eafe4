"""Programs run on many inputs at once: one child of the sandbox for each program."""

from __future__ import annotations

import ast
import collections
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.branches import Arc

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

PLUGIN = "semcoder_lib.corpus.child"
STEP_BUDGET = 4_000
CPU_SECONDS = 1.0
WALL_SECONDS = 5.0
ALONE_SECONDS = 0.1  # for one input whose request failed as a whole


@dataclass(frozen=True, slots=True)
class Ran:
    """One call: its status, the text of its output (or the exception's type), the executed lines
    counted with repetition, and the jumps between lines."""

    status: str
    text: str
    steps: int = 0
    arcs: tuple[Arc, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "ok"


@dataclass(frozen=True, slots=True)
class Failed:
    """The whole program failed: it does not load, hung, or died."""

    status: Status
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A program and the argument tuples (or their texts) to run it on."""

    program: Program
    inputs: Sequence[tuple[Any, ...] | str]
    coverage: bool = True
    budget: int = STEP_BUDGET
    cpu_seconds: float = CPU_SECONDS


def run(box: Sandbox, requests: Iterable[Request]) -> Iterator[list[Ran] | Failed]:
    """The results of every request, in order, streaming. Each request is one child; a call that
    runs too many lines, raises, or returns something without exact text is one `Ran`; a child that
    dies or exceeds its limits is a `Failed`."""
    from semcoder_lib.sandbox import Job, Limits

    def jobs() -> Iterator[Job]:
        for request in requests:
            options = {
                "inputs": [
                    i if isinstance(i, str) else values.encode(tuple(i)) for i in request.inputs
                ],
                "budget": request.budget,
                "coverage": request.coverage,
            }
            yield Job(
                request.program.source,
                request.program.entry_point,
                calls=[()],
                limits=Limits(cpu_seconds=request.cpu_seconds, wall_seconds=WALL_SECONDS),
                plugin=PLUGIN,
                options=options,
            )

    for outcomes in box.map(jobs()):
        outcome = outcomes[0]
        if outcome.status is not Status.OK or not outcome.payload:
            detail = outcome.exception.type if outcome.exception else ""
            yield Failed(outcome.status, detail)
        else:
            yield _read(outcome.payload)


def run_apart(box: Sandbox, requests: Sequence[Request]) -> list[list[Ran]]:
    """Like `run`, but no request fails as a whole: where a child dies or exceeds its limits, its
    inputs run again `one_by_one`. So whether all of them together stay within the limits of one
    child, which on another day they may not, decides nothing for an input that is quick by
    itself."""
    results = list(run(box, requests))
    failed = [r for r, ran in zip(requests, results, strict=True) if isinstance(ran, Failed)]
    answers = iter(one_by_one(box, failed))
    return [next(answers) if isinstance(ran, Failed) else ran for ran in results]


def one_by_one(box: Sandbox, requests: Sequence[Request]) -> list[list[Ran]]:
    """Runs every input of every request in a child of its own, with `ALONE_SECONDS`."""
    singles = (
        replace(request, inputs=[one], cpu_seconds=ALONE_SECONDS)
        for request in requests
        for one in request.inputs
    )
    answers = map(_only, run(box, singles))
    return [[next(answers) for _ in request.inputs] for request in requests]


def _only(ran: list[Ran] | Failed) -> Ran:
    return Ran(ran.status.value, ran.detail) if isinstance(ran, Failed) else ran[0]


def _read(payload: str) -> list[Ran] | Failed:
    try:
        rows = json.loads(payload)
        return [
            Ran(str(s), str(t), int(n), tuple((int(a), int(b)) for a, b in arcs))
            for s, t, n, arcs in rows
        ]
    except (ValueError, TypeError):
        return Failed(Status.CRASHED, "unreadable payload")


def commonest_error(ran: Sequence[Ran] | Failed) -> str:
    """The exception that most of the failed calls raised (or what else went wrong most often);
    empty where none failed."""
    if isinstance(ran, Failed):
        return ran.detail or ran.status.value
    kinds = collections.Counter(
        r.text if r.status == "exception" else r.status for r in ran if not r.ok
    )
    return min(kinds, key=lambda kind: (-kinds[kind], kind), default="")


def constants(source: str) -> tuple[Any, ...]:
    """The numbers and short strings that a program mentions, in order of appearance."""
    found: dict[tuple[type, Any], Any] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, str):
            found.setdefault((type(node.value), node.value), node.value)
    return tuple(found.values())
