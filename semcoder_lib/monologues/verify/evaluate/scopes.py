"""Expressions that bind names of their own: comprehensions, lambdas, `:=`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semcoder_lib.monologues.verify.evaluate import known
from semcoder_lib.monologues.verify.evaluate.known import Cannot

if TYPE_CHECKING:
    from semcoder_lib.monologues.verify.evaluate.interpreter import Interpreter


def _comprehended(m: Interpreter, node: Any, emit: Callable[[], None]) -> None:
    outside = dict(m.bound)

    def level(number: int) -> None:
        if number == len(node.generators):
            emit()
            return
        generator = node.generators[number]
        for item in known.items(m.value(generator.iter)):
            m.tick()
            bind(m.bound, generator.target, item)
            if all(m.value(test) for test in generator.ifs):
                level(number + 1)

    level(0)
    m.bound = outside


def bind(into: dict[str, Any], target: ast.expr, value: Any) -> None:
    """Assign a value to a name or to a tuple of names."""
    if isinstance(target, ast.Name):
        into[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = list(value)
        if len(parts) != len(target.elts) or any(isinstance(t, ast.Starred) for t in target.elts):
            raise Cannot("unpacking")
        for part, item in zip(target.elts, parts, strict=True):
            bind(into, part, item)
    else:
        raise Cannot("target")


def list_comprehension(m: Interpreter, node: Any) -> Any:
    """Of a generator expression, too: all its items."""
    out: list[Any] = []
    _comprehended(m, node, lambda: out.append(m.value(node.elt)))
    return out


def set_comprehension(m: Interpreter, node: ast.SetComp) -> Any:
    """A set comprehension."""
    return set(list_comprehension(m, node))


def dict_comprehension(m: Interpreter, node: ast.DictComp) -> Any:
    """A dict comprehension."""
    out: dict[Any, Any] = {}
    _comprehended(m, node, lambda: out.__setitem__(m.value(node.key), m.value(node.value)))
    return out


def lambda_(m: Interpreter, node: ast.Lambda) -> Any:
    """A function whose body this interpreter evaluates, bounded as all else."""
    parameters = [a.arg for a in node.args.args]
    outside = dict(m.bound)

    def act(*arguments: Any) -> Any:
        kept, m.bound = m.bound, {**outside, **dict(zip(parameters, arguments, strict=False))}
        if len(arguments) != len(parameters):
            raise Cannot("arguments of a lambda")
        try:
            return m.value(node.body)
        finally:
            m.bound = kept

    return act


def named_expression(m: Interpreter, node: ast.NamedExpr) -> Any:
    """`name := value`: the name stays bound for the rest of the evaluation."""
    value = m.value(node.value)
    m.bound[node.target.id] = value
    return value
