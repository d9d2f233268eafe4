"""Expressions as text: their trees, the values of literals, the names that they read."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.verify.evaluate import known


@lru_cache(maxsize=16384)
def parse(text: str) -> ast.expr | None:
    """The expression's tree, or None when the text is not one expression."""
    if len(text) > 20_000:
        return None
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


@lru_cache(maxsize=16384)
def literal(text: str) -> tuple[Any] | None:
    """The value of a literal in a 1-tuple, or None. The value is shared: never change it. What a
    text abbreviates (`[0, 0, ..., 0]`) is no value."""
    try:
        value = values.decode(text)
    except values.NotALiteral:
        return None
    return None if "..." in text and _abbreviated(value) else (value,)


def _abbreviated(value: Any) -> bool:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return any(_abbreviated(v) for v in value)
    return value is ...


@lru_cache(maxsize=8192)
def names_of(text: str) -> frozenset[str]:
    """The names that an expression reads from outside."""
    node = parse(text)
    if node is None:
        return frozenset()
    bound = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    bound |= {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    return frozenset(
        n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and n.id not in bound and n.id not in known.FUNCTIONS
    )
