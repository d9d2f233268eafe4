"""Programs run on many inputs at once, one child of the sandbox for each program, and what of their
lines and branches these inputs cover."""

from __future__ import annotations

import ast
import collections
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

from semcoder_lib.core.records import Program, Status
from semcoder_lib.corpus.child import MAX_OUTPUT
from semcoder_lib.sandbox import Job, Limits, Sandbox

PLUGIN = "semcoder_lib.corpus.child"
STEP_BUDGET = 4_000
CPU_SECONDS = 1.0
WALL_SECONDS = 5.0
ALONE_SECONDS = 0.1  # for one input whose program failed as a whole
# Untraced, for inputs of benchmark functions; some programs take long in one built-in call.
QUICK: dict[str, Any] = {"coverage": False, "budget": 6_000, "cpu_seconds": 0.25}

Arc = tuple[int, int]  # from line to line; a negative line enters, 0 leaves
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
            yield Job(
                program.source, program.entry_point, limits=limits, plugin=PLUGIN,
                options={"inputs": list(inputs), "budget": budget, "coverage": coverage},
            )  # fmt: skip

    for (outcome,) in box.map(jobs()):
        size = sizes.popleft()
        if outcome.status is not Status.OK or not outcome.payload:
            yield Failed(outcome.status, outcome.exception.type if outcome.exception else "")
        else:
            yield _read(outcome.payload, size)


def run_apart(box: Sandbox, requests: Sequence[Request], **options: Any) -> list[list[Ran]]:
    """Like `run`, but no request fails as a whole: where a child dies or exceeds its limits, each
    input runs again in a child of its own, with `ALONE_SECONDS`. So whether all of them together
    stay within the limits of one child, which on another day they may not, decides nothing for an
    input that is quick by itself."""
    results = list(run(box, requests, **options))
    failed = [r for r, ran in zip(requests, results, strict=True) if isinstance(ran, Failed)]
    singles = [(program, [text]) for program, texts in failed for text in texts]
    alone = run(box, singles, **{**options, "cpu_seconds": ALONE_SECONDS})
    again = (Ran(a.status.value, a.detail) if isinstance(a, Failed) else a[0] for a in alone)
    return [
        list(itertools.islice(again, len(texts))) if isinstance(ran, Failed) else ran
        for (_, texts), ran in zip(requests, results, strict=True)
    ]


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


# ---- coverage, by the recorded jumps: lines, and the outcomes of `if`, `while` and `for`


@dataclass(frozen=True, slots=True)
class Branch:
    """One condition: the lines of its test and the first line of its body."""

    first: int
    last: int
    body: int


@dataclass(frozen=True, slots=True)
class Map:
    """What there is to cover in a program, all functions of the source together."""

    lines: frozenset[int]
    branches: tuple[Branch, ...]

    def reached(self, arcs: Iterable[Arc]) -> set[int | tuple[int, bool]]:
        """The lines that recorded jumps reached, and the (line, taken) outcomes of conditions."""
        starts: dict[int, list[int]] = {}
        for start, end in arcs:
            starts.setdefault(start, []).append(end)
        reached: set[int | tuple[int, bool]] = {end for ends in starts.values() for end in ends}
        for branch in self.branches:
            for line in range(branch.first, branch.last + 1):
                for end in starts.get(line, ()):
                    if end == branch.body:
                        reached.add((branch.first, True))
                    elif not branch.first <= end <= branch.last:
                        reached.add((branch.first, False))
        return reached

    def coverage(self, arcs: Iterable[Arc]) -> tuple[float, float]:
        """The shares of the lines (of function bodies) and of the outcomes of conditions that were
        reached; 1.0 where there are none.

        Conditions written on one line with their body cannot be told apart by line and are not
        counted; neither are conditional expressions.
        """
        reached = self.reached(arcs)
        outcomes = sum(isinstance(r, tuple) for r in reached)
        return (
            len(self.lines & reached) / len(self.lines) if self.lines else 1.0,
            outcomes / (2 * len(self.branches)) if self.branches else 1.0,
        )


def survey(source: str) -> Map:
    """The lines and conditions of a source. Raises SyntaxError where it does not compile."""
    tree = ast.parse(source)
    codes = [c for c in compile(tree, "<program>", "exec").co_consts if isinstance(c, CodeType)]
    lines: set[int] = set()
    while codes:
        code = codes.pop()
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]
        lines |= {line for *_, line in code.co_lines() if line and line != code.co_firstlineno}
    branches = []
    for node in ast.walk(tree):
        match node:
            case ast.If(test=ast.Constant()) | ast.While(test=ast.Constant()):
                continue
            case ast.For(iter=test, body=body) | ast.If(test, body) | ast.While(test, body):
                last = test.end_lineno or 0
                if body[0].lineno > last:
                    branches.append(Branch(node.lineno, last, body[0].lineno))
    return Map(frozenset(lines), tuple(sorted(branches, key=lambda b: b.first)))
