"""The ways that end in a `return`, from that return back to the head of the function."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Before:
    """A statement that ran earlier in the same block."""

    stmt: ast.stmt


@dataclass(frozen=True, slots=True)
class Inside:
    """The route lies in a branch of `stmt`: of an `if` or `while` whose test was `taken`, or in
    the body of a `for`."""

    stmt: ast.If | ast.While | ast.For
    taken: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """`end` and, latest first, what came before it."""

    end: ast.Return | None
    back: tuple[Before | Inside, ...]


def routes(function: ast.FunctionDef) -> list[Route]:
    """Routes of a function, the last return of its body first, then the earlier ones."""
    found: list[Route] = []
    _collect(function.body, (), found)
    found.reverse()
    if not found:
        return [Route(None, tuple(Before(s) for s in reversed(function.body)))]
    return found


def _collect(block: list[ast.stmt], back: tuple[Before | Inside, ...], found: list[Route]) -> None:
    for stmt in block:
        if isinstance(stmt, ast.Return):
            found.append(Route(stmt, back))
            return
        if isinstance(stmt, ast.If):
            _collect(stmt.body, (Inside(stmt, True), *back), found)
            _collect(stmt.orelse, (Inside(stmt, False), *back), found)
        elif isinstance(stmt, ast.For | ast.While):
            _collect(stmt.body, (Inside(stmt, True), *back), found)
        elif isinstance(stmt, ast.Try):
            _collect(stmt.body, back, found)
            for handler in stmt.handlers:
                _collect(handler.body, back, found)
            _collect(stmt.orelse, (*(Before(s) for s in reversed(stmt.body)), *back), found)
        elif isinstance(stmt, ast.With):
            _collect(stmt.body, back, found)
        back = (Before(stmt), *back)


def leaves_early(stmt: ast.If) -> bool:
    """Whether the body of an `if` cannot be left at its end."""
    return isinstance(stmt.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
