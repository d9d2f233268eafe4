"""Line and branch coverage of a program from its recorded jumps: which lines and which outcomes of
`if`, `while` and `for` there are, and which of them a set of calls reached."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable
from dataclasses import dataclass

Arc = tuple[int, int]


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

    def outcomes(self, arcs: Iterable[Arc]) -> set[tuple[int, bool]]:
        """The (line, taken) outcomes of conditions among recorded jumps."""
        starts: dict[int, list[int]] = {}
        for start, end in arcs:
            starts.setdefault(start, []).append(end)
        seen = set()
        for branch in self.branches:
            for line in range(branch.first, branch.last + 1):
                for end in starts.get(line, ()):
                    if end == branch.body:
                        seen.add((branch.first, True))
                    elif not branch.first <= end <= branch.last:
                        seen.add((branch.first, False))
        return seen

    def line_coverage(self, arcs: Iterable[Arc]) -> float:
        """The share of executable lines (of function bodies) that were reached."""
        if not self.lines:
            return 1.0
        return len(self.lines & {end for _, end in arcs}) / len(self.lines)

    def branch_coverage(self, arcs: Iterable[Arc]) -> float:
        """The share of condition outcomes that were taken; 1.0 where there is no condition.

        Conditions written on one line with their body cannot be told apart by line and are not
        counted; neither are conditional expressions.
        """
        if not self.branches:
            return 1.0
        return len(self.outcomes(arcs)) / (2 * len(self.branches))


def survey(source: str) -> Map:
    """The lines and conditions of a source. Raises SyntaxError where it does not parse."""
    tree = ast.parse(source)
    code = compile(tree, "<program>", "exec")
    lines: set[int] = set()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _lines(constant, lines)
    branches = []
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While):
            if isinstance(node.test, ast.Constant):
                continue
            last = node.test.end_lineno or node.lineno
        elif isinstance(node, ast.For):
            last = node.iter.end_lineno or node.lineno
        else:
            continue
        body = node.body[0].lineno
        if body > last:
            branches.append(Branch(node.lineno, last, body))
    return Map(frozenset(lines), tuple(sorted(branches, key=lambda b: b.first)))


def _lines(code: types.CodeType, lines: set[int]) -> None:
    lines.update(
        line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno
    )
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _lines(constant, lines)
