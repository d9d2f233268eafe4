"""Arithmetic, comparisons, truth: the smallest sub-steps."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluate import COMPARISONS, OPERATORS
from semcoder_lib.monologues.working.core import Working, wrapped


def _binary(w: Working, node: ast.BinOp) -> str:
    left = w.atom(node.left)
    right = wrapped(w.atom(node.right))
    value = w.value(node)
    text = w.show(value)
    sign = OPERATORS[type(node.op)][0]
    if isinstance(node.op, ast.Pow):
        left = wrapped(left)
    a, b = w.value(node.left), w.value(node.right)
    whole = type(a) is int and type(b) is int and w.detail and abs(a) >= abs(b)
    if whole and isinstance(node.op, ast.FloorDiv | ast.Mod):
        parts = f"{right} * {wrapped(str(a // b))} + {wrapped(str(a % b))}"
        w.say(f"{left} = {parts}, so {left} {sign} {right} = {text}")
        return text
    w.say(f"{left} {sign} {right} = {text}")
    return text


def _unary(w: Working, node: ast.UnaryOp) -> str:
    if isinstance(node.operand, ast.Constant):
        return w.show(w.value(node))
    inner = w.atom(node.operand)
    text = w.show(w.value(node))
    if isinstance(node.op, ast.Not):
        w.say(f"not {inner} is {text}")
    return text


def _compare(w: Working, node: ast.Compare) -> str:
    if len(node.ops) > 1:
        return _chain(w, node)
    left = w.atom(node.left)
    op, right_node = node.ops[0], node.comparators[0]
    sign = COMPARISONS[type(op)][0]
    value = w.value(node)
    text = w.show(value)
    if isinstance(op, ast.In | ast.NotIn):
        w.say(_membership(w, left, right_node, sign, text))
        return text
    right = w.atom(right_node)
    w.say(f"{left} {sign} {right} is {text}")
    return text


def _chain(w: Working, node: ast.Compare) -> str:
    left = w.atom(node.left)
    result: Any = True
    left_value = w.value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = w.atom(right_node)
        sign, apply = COMPARISONS[type(op)]
        right_value = w.value(right_node)
        result = apply(left_value, right_value)
        w.say(f"{left} {sign} {right} is {w.show(result)}")
        if not result:
            break
        left, left_value = right, right_value
    return w.show(result)


def _membership(w: Working, left: str, box_node: ast.expr, sign: str, text: str) -> str:
    box = w.value(box_node)
    kind = type(box)
    if kind is dict:
        keys = ", ".join(w.show(k) for k in box) or "none"
        if len(keys) <= w.limit:
            where = _label(box_node, "it")
            return f"{where} has keys {keys}; {left} {sign} {where} is {text}"
    shown = wrapped(w.atom(box_node))
    return f"{left} {sign} {shown} is {text}"


def _label(node: ast.expr, otherwise: str) -> str:
    return node.id if isinstance(node, ast.Name) else otherwise


def _boolean(w: Working, node: ast.BoolOp) -> str:
    stops = isinstance(node.op, ast.Or)
    texts = []
    for part in node.values:
        texts.append(w.atom(part))
        if bool(w.value(part)) is stops:
            break
    word = " or " if stops else " and "
    if len(texts) < len(node.values):
        texts.append("...")
    w.say(f"{word.join(texts)} is {w.show(w.value(node))}")
    return w.show(w.value(node))


def _choice(w: Working, node: ast.IfExp) -> str:
    w.atom(node.test)
    return w.atom(node.body if w.value(node.test) else node.orelse)


TELLERS: dict[type, Callable[[Working, Any], str]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
}
