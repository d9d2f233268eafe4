"""AST subtrees as seeds for a teacher (paper section 3.1): every one parses by construction."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

MIN_NODES = 12
MAX_LINES = 25


def subtrees(source: str, rng: random.Random, count: int = 1) -> Iterator[str]:
    """Up to `count` different snippets of a file: single statements and runs of sibling statements
    at any depth, of at least 12 syntax nodes and at most 25 lines, dedented. Yields nothing for a
    file that does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = source.splitlines()
    runs: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                runs.extend(_runs(block))
    rng.shuffle(runs)
    given: set[str] = set()
    for first, last in runs:
        text = _dedented(lines[first - 1 : last])
        if text and text not in given and _parses(text):
            given.add(text)
            yield text
            if len(given) >= count:
                return


def _runs(block: list[ast.stmt]) -> Iterator[tuple[int, int]]:
    for start in range(len(block)):
        nodes = 0
        for stop in range(start, min(len(block), start + 4)):
            nodes += sum(1 for _ in ast.walk(block[stop]))
            first, last = _first_line(block[start]), block[stop].end_lineno or 0
            if last - first + 1 > MAX_LINES:
                break
            if nodes >= MIN_NODES:
                yield first, last


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _dedented(lines: list[str]) -> str:
    import textwrap

    return textwrap.dedent("\n".join(lines)).strip("\n") + "\n"


def _parses(text: str) -> bool:
    """`return` and `yield` outside a function parse as trees, which is all that is promised."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
