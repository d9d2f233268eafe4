"""The one door for Python text that a model, a file or a user gave.

Everything here is bounded and raises nothing but `Refused`, whose message is the reason that the
sample's status carries. Nothing of the text is evaluated. Literals and calls are read by
`values.decode` and `values.parse_call`, which raise `NotALiteral`; values of others are compared
by `values.equal`, which raises nothing.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

MAX_CHARACTERS = 200_000  # the parser takes up to 700 bytes and 2 µs for each
MAX_DEPTH = 1_000  # levels of the tree; a sum of n terms has n
_FRAMES = 6_000  # what a visitor with six frames a level takes; safe for the C stack
_FORMATTED = re.compile(r"\b(?:[fF][rR]?|[rR][fF])['\"]")
_MOST_FIELDS = 1_000_000_000  # a second's work: a line's brackets times its characters
R = TypeVar("R")


class Refused(ValueError):
    """Foreign text or a foreign value that is not dealt with; the message is the reason."""


def parse(text: str, *, max_depth: int = MAX_DEPTH) -> ast.Module:
    """The tree of a program. Raises `Refused` when it does not parse, is longer than
    `MAX_CHARACTERS`, or is nested deeper than `max_depth`. Warns of nothing. A visitor of the tree
    that calls itself belongs into `attempt`; `ast.walk` does not."""
    tree = _parsed(text, "exec", MAX_CHARACTERS, max_depth)
    assert isinstance(tree, ast.Module)
    return tree


def parse_expression(text: str, *, max_characters: int = MAX_CHARACTERS) -> ast.expr:
    """The tree of one expression, blanks around it ignored. Raises `Refused` as `parse` does."""
    tree = _parsed(text.strip() if isinstance(text, str) else text, "eval", max_characters)
    assert isinstance(tree, ast.Expression)
    return tree.body


def check_fields(text: str) -> None:
    """Raises `Refused` where formatted strings have more fields on a line than parse in moderate
    time: for each of them Python 3.11 goes back to the line's beginning."""
    most = max(len(line) * line.count("{") for line in text.split("\n"))
    if most > _MOST_FIELDS and _FORMATTED.search(text):
        raise Refused("too many fields on one line")


def attempt(function: Callable[..., R], *arguments: Any, **named: Any) -> R:
    """`function(*arguments, **named)` with room for recursion over the deepest tree that `parse`
    gives. Any exception of it becomes `Refused`, KeyboardInterrupt and SystemExit excepted."""
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(max(before, _FRAMES))
        return function(*arguments, **named)
    except Refused:
        raise
    except Exception as error:
        raise Refused(_reason(error)) from None
    finally:
        sys.setrecursionlimit(before)


def _parsed(text: str, mode: str, max_characters: int, max_depth: int = MAX_DEPTH) -> ast.AST:
    if not isinstance(text, str):
        raise Refused(f"{type(text).__name__} in place of text")
    if len(text) > max_characters:
        raise Refused(f"longer than {max_characters:,} characters")
    check_fields(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a text can bring thousands of them
            tree = ast.parse(text, mode=mode)
    except Exception as error:
        raise Refused(_reason(error)) from None
    if len(text) > max_depth:  # a level takes a character at least
        _check_depth(tree, max_depth)
    return tree


def _check_depth(tree: ast.AST, max_depth: int) -> None:
    level = [tree]
    for _ in range(max_depth):
        level = [below for node in level for below in ast.iter_child_nodes(node)]
        if not level:
            return
    raise Refused(f"nested deeper than {max_depth:,} levels")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError | MemoryError):  # this is how the parser refuses, too
        return "nested too deep"
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg)
    return f"{type(error).__name__}: {str(error)[:200]}"
