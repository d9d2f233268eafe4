"""Which lines and branches of a program a set of cases runs, without recording values."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcoder_lib.core.records import Case, Program
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox
from semcoder_lib.tracing.statements import Layout, layout

PLUGIN = "semcoder_lib.tracing.coverage_child"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What cases ran of a program. Lines are the first lines of statements inside functions.
    An arc (a, b) says that b was run right after a in one frame; -1 is the end of the frame.
    `of_case` holds the lines of each case, in the order of the cases."""

    lines: frozenset[int]
    arcs: frozenset[tuple[int, int]]
    possible: frozenset[int]
    branching: frozenset[int]
    of_case: tuple[frozenset[int], ...]

    @property
    def line_fraction(self) -> float:
        """Share of the statements inside functions that ran; 1.0 if there are none."""
        return len(self.lines & self.possible) / len(self.possible) if self.possible else 1.0

    @property
    def missed(self) -> tuple[int, ...]:
        return tuple(sorted(self.possible - self.lines))

    @property
    def branch_fraction(self) -> float:
        """Share of the ways out of `if`, `for` and `while` lines that ran, counting two
        ways for each; 1.0 if there is no such line."""
        if not self.branching:
            return 1.0
        ways = {line: {b for a, b in self.arcs if a == line} for line in self.branching}
        return sum(min(2, len(found)) for found in ways.values()) / (2 * len(ways))


def coverage(
    program: Program,
    cases: Sequence[Case],
    box: Sandbox,
    *,
    limits: Limits | None = None,
    share: bool = True,
    events: int = 1_000_000,
) -> Coverage:
    """Runs `cases` in the sandbox (in one process if `share`) and says what they cover.

    A case that was killed counts for nothing; one that raised counts up to there. Recording of one
    case stops after `events` lines.
    """
    job = Job(
        program.source,
        program.entry_point,
        [case.arguments for case in cases],
        limits,
        PLUGIN,
        {"events": events},
        share,
    )
    outcomes = next(box.map([job])) if cases else []
    return summary(program, outcomes)


def summary(program: Program, outcomes: Iterable[Outcome]) -> Coverage:
    """The coverage from outcomes of jobs that ran with `PLUGIN`."""
    shape = layout(program.source)
    arcs: set[tuple[int, int]] = set()
    of_case = []
    for outcome in outcomes:
        found = {(start, end) for start, end in _read(outcome.payload or "", shape)}
        arcs |= found
        of_case.append(frozenset(end for _, end in found if end > 0))
    possible, branching = _possible(program.source)
    return Coverage(
        frozenset().union(*of_case), frozenset(arcs), possible, branching, tuple(of_case)
    )


def _read(payload: str, shape: Layout) -> list[tuple[int, int]]:
    """The arcs between statements. What a child wrote is no more than a claim: junk is left out."""
    found = []
    for word in payload.split():
        start, _, end = word.partition(":")
        if start.isdecimal() and end.lstrip("-").isdecimal():
            a, b = int(start), int(end)
            a, b = shape.starts.get(a, a), shape.starts.get(b, b)
            if a != b:
                found.append((a, b))
    return found


def _possible(source: str) -> tuple[frozenset[int], frozenset[int]]:
    """(statement lines, branching lines) inside the functions of a program."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(), frozenset()
    lines: set[int] = set()
    branching: set[int] = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if node is function or not isinstance(node, ast.stmt) or _silent(node):
                continue
            lines.add(node.lineno)
            constant = isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant)
            if isinstance(node, ast.If | ast.For | ast.While) and not constant:
                branching.add(node.lineno)
    return frozenset(lines), frozenset(branching)


def _silent(node: ast.stmt) -> bool:
    """Statements for which the interpreter reports no line, or not on every version."""
    if isinstance(node, ast.Global | ast.Nonlocal | ast.Try | ast.Pass | ast.Match):
        return True
    if isinstance(node, ast.While) and isinstance(node.test, ast.Constant):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
