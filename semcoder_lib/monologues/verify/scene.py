"""The moment of one step, and what expressions are worth there."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.monologues.verify.evaluate import Cannot, Names, Raises, evaluate, literal
from semcoder_lib.monologues.verify.history import State

MISSING = object()


@dataclass(slots=True)
class Scene:
    """The moment that a step tells: variables before and after it, and names that only the text
    binds (a comprehension's variable)."""

    before: State
    after: State
    line: int
    visit: int
    changed: frozenset[str] = frozenset()
    bound: dict[str, Any] = field(default_factory=dict)
    statement: ast.stmt | None = None


def value_of(text: str, names: Names) -> Any:
    """The value of an expression, MISSING when it cannot be decided, or a Raises instance."""
    found = literal(text)
    if found is not None:
        return found[0]
    try:
        return evaluate(text, names)
    except Cannot:
        return MISSING
    except Raises as error:
        return error


def comprehension_values(name: str, scene: Scene) -> list[Any] | None:
    """Every value that a comprehension of the scene's statement gives to `name`."""
    if scene.statement is None:
        return None
    for node in ast.walk(scene.statement):
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            continue
        for generator in node.generators:
            bound = [n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
            if name in bound:
                try:
                    through = evaluate(ast.unparse(generator.iter), scene.before)
                    if len(bound) == 1:
                        return list(through)
                    place = bound.index(name)
                    return [tuple(item)[place] for item in through]
                except (Cannot, Raises, TypeError, IndexError):
                    return None
    return None
