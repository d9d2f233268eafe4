"""Line and branch coverage of a program from its recorded jumps: which lines and which outcomes of
`if`, `while` and `for` there are, and which of them a set of calls reached."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Arc = tuple[int, int]  # from line to line; a negative line enters, 0 leaves


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
    module = compile(tree, "<program>", "exec")
    branches = (branch for node in ast.walk(tree) for branch in _branches(node))
    lines = frozenset(line for code in _codes(module) for line in _lines(code))
    return Map(lines, tuple(sorted(branches, key=lambda b: b.first)))


def _branches(node: ast.AST) -> Iterator[Branch]:
    if isinstance(node, ast.For):
        test: ast.expr = node.iter
    elif isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Constant):
        test = node.test
    else:
        return
    last = test.end_lineno or node.lineno
    if node.body[0].lineno > last:
        yield Branch(node.lineno, last, node.body[0].lineno)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The codes inside this one, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _lines(code: types.CodeType) -> Iterator[int]:
    return (line for *_, line in code.co_lines() if line and line != code.co_firstlineno)
