"""Programs run on many inputs at once: one child of the sandbox for each program."""

from __future__ import annotations

import collections
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.child import MAX_OUTPUT
from semcoder_lib.corpus.coverage import Arc
from semcoder_lib.sandbox import Job, Limits, Sandbox

PLUGIN = "semcoder_lib.corpus.child"
STEP_BUDGET = 4_000
CPU_SECONDS = 1.0
WALL_SECONDS = 5.0
ALONE_SECONDS = 0.1  # for one input whose program failed as a whole
# Untraced, for inputs of benchmark functions; some programs take long in one built-in call.
QUICK: dict[str, Any] = {"coverage": False, "budget": 6_000, "cpu_seconds": 0.25}

Request = tuple[Program, Sequence[str]]  # a program and the texts of the argument tuples to run


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


def run(
    box: Sandbox,
    requests: Iterable[Request],
    *,
    coverage: bool = True,
    budget: int = STEP_BUDGET,
    cpu_seconds: float = CPU_SECONDS,
) -> Iterator[list[Ran] | Failed]:
    """The results of every request, in order, streaming. Each request is one child; a call that
    runs more than `budget` lines, raises, or returns something without exact text is one `Ran`; a
    child that dies, exceeds its limits or says nonsense is a `Failed`. Arcs are recorded with
    `coverage` only."""
    limits = Limits(cpu_seconds=cpu_seconds, wall_seconds=WALL_SECONDS)
    sizes: collections.deque[int] = collections.deque()

    def jobs() -> Iterator[Job]:
        for program, inputs in requests:
            sizes.append(len(inputs))
            options = {"inputs": list(inputs), "budget": budget, "coverage": coverage}
            yield Job(
                program.source,
                program.entry_point,
                limits=limits,
                plugin=PLUGIN,
                options=options,
            )

    for (outcome,) in box.map(jobs()):
        size = sizes.popleft()
        if outcome.status is not Status.OK or not outcome.payload:
            yield Failed(outcome.status, outcome.exception.type if outcome.exception else "")
        else:
            yield _read(outcome.payload, size)


def run_apart(box: Sandbox, requests: Sequence[Request], **options: Any) -> list[list[Ran]]:
    """Like `run`, but no request fails as a whole: where a child dies or exceeds its limits, its
    inputs run again `alone`. So whether all of them together stay within the limits of one child,
    which on another day they may not, decides nothing for an input that is quick by itself."""
    results = list(run(box, requests, **options))
    failed = [r for r, ran in zip(requests, results, strict=True) if isinstance(ran, Failed)]
    again = run_alone(box, failed, **options)
    return [next(again) if isinstance(ran, Failed) else ran for ran in results]


def run_alone(box: Sandbox, requests: Sequence[Request], **options: Any) -> Iterator[list[Ran]]:
    """Runs every input of every request in a child of its own, with `ALONE_SECONDS`."""
    singles = [(program, [text]) for program, texts in requests for text in texts]
    answers = run(box, singles, **{**options, "cpu_seconds": ALONE_SECONDS})
    ran = (Ran(a.status.value, a.detail) if isinstance(a, Failed) else a[0] for a in answers)
    return (list(itertools.islice(ran, len(texts))) for _, texts in requests)


def _read(payload: str, size: int) -> list[Ran] | Failed:
    """What the child emitted, if it has the form and size that `child.call` gives it: the program
    may have written it in its place."""
    try:
        ran = [_ran(*row) for row in json.loads(payload)]
    except (ValueError, TypeError, RecursionError):
        return Failed(Status.CRASHED, "unreadable payload")
    return ran if len(ran) == size else Failed(Status.CRASHED, "unreadable payload")


def _ran(status: Any, text: Any, steps: Any, arcs: Any) -> Ran:
    numbers = [steps, *(line for arc in arcs for line in arc)]
    if not (type(status) is type(text) is str and all(type(n) is int for n in numbers)):
        raise TypeError("not a row of `child.call`")
    if len(text) > MAX_OUTPUT:
        raise ValueError("a longer text than `child.call` emits")
    return Ran(status, text, steps, tuple((start, end) for start, end in arcs))


def commonest_error(ran: Sequence[Ran] | Failed) -> str:
    """The exception that most of the failed calls raised (or what else went wrong most often);
    empty where none failed."""
    if isinstance(ran, Failed):
        return ran.detail or ran.status.value
    kinds = collections.Counter(
        r.text if r.status == "exception" else r.status for r in ran if not r.ok
    )
    return min(kinds, key=lambda kind: (-kinds[kind], kind), default="")
