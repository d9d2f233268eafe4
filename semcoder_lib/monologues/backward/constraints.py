"""The abstract constraint that a result puts on what went in, where it does not determine it."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.show import NotShown, show


def exact(node: ast.expr) -> bool:
    """Whether only one value of the names in `node` gives a value (of the same type): a name, a
    sign, a reversal, adding a constant."""
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        s = node.slice
        backwards = not s.lower and not s.upper and s.step is not None
        return backwards and ast.unparse(s.step or node) == "-1" and exact(node.value)
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(exact(e) for e in node.elts)
    return False


def constraint(node: ast.expr, value: Any) -> str:
    """In words, for the operations that lose information; empty for others."""
    try:
        shown = show(value, 80)
    except NotShown:
        return ""
    if isinstance(node, ast.Call) and node.args:
        inner = ast.unparse(node.args[0])
        if len(inner) > 40:
            return ""
        if isinstance(node.func, ast.Name):
            told = _FUNCTIONS.get(node.func.id)
            return told.format(x=inner, v=shown) if told and len(node.args) == 1 else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = ast.unparse(node.func.value)
        told = _METHODS.get(node.func.attr)
        return told.format(x=inner, v=shown) if told and len(inner) <= 40 else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        return f"{left} must leave {shown} when divided by {right}"
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        return f"{ast.unparse(node)} must be {shown}, whatever else is in {ast.unparse(node.value)}"
    return ""


_FUNCTIONS = {
    "sorted": "{x} must hold the items of {v} in some order",
    "len": "{x} must have length {v}, whatever is in it",
    "sum": "the items of {x} must add up to {v}",
    "max": "the largest item of {x} must be {v}",
    "min": "the smallest item of {x} must be {v}",
    "set": "{x} must hold just the items of {v}, in any order and number",
    "abs": "{x} must be {v} or its negative",
    "any": "some item of {x} must count as true",
}
_METHODS = {
    "upper": "{x} must be {v} but for upper and lower case",
    "lower": "{x} must be {v} but for upper and lower case",
    "strip": "{x} must be {v} with any white space round it",
}
