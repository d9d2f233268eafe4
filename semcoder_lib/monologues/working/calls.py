"""Calls of built-ins and methods: what they count, add up or spell anew."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluate import Once
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.working.core import SPELL_UP_TO, Working, source_of, wrapped
from semcoder_lib.monologues.working.sequences import comprehension, enumerated, spelled


def _call(w: Working, node: ast.Call) -> str:
    value = w.value(node)
    if isinstance(value, Once):
        raise NotShown("an iterator")
    text = w.show(value)
    args = [_argument(w, a) for a in node.args]
    named = [f"{k.arg}={_argument(w, k.value)}" for k in node.keywords]
    inside = ", ".join(args + named)
    if isinstance(node.func, ast.Attribute):
        base = node.func.value
        name = source_of(base) if isinstance(base, ast.Name) else w.atom(base)
        left = f"{name}.{node.func.attr}({inside})"
        if w.detail and _method_working(w, node, left, text):
            return text
    else:
        if source_of(node.func) in ("len", "sum") and isinstance(node.args[0], ast.Name):
            inside = node.args[0].id
        left = f"{source_of(node.func)}({inside})"
        if w.detail and len(node.args) == 1 and not named and _builtin_working(w, node, left, text):
            return text
    if len(left) > 2 * w.limit:
        raise NotShown("too long")
    w.say(f"{left} is {text}" if isinstance(value, bool) else f"{left} = {text}")
    return text


def _argument(w: Working, node: ast.expr) -> str:
    """An argument as its value; a function, or an iterator, as its source."""
    if isinstance(node, ast.Lambda):
        return source_of(node)
    if isinstance(node, ast.Name) and node.id not in w.env:
        return node.id
    value = w.value(node)
    if isinstance(node, ast.GeneratorExp):
        comprehension(w, node)
        return show(list(value), w.limit)
    if isinstance(value, Once | range):
        return source_of(node)
    if isinstance(node, ast.Name) and len(w.show(value)) > 24:
        return node.id
    return w.atom(node)


def _builtin_working(w: Working, node: ast.Call, left: str, text: str) -> bool:
    function = source_of(node.func)
    box = w.value(node.args[0])
    try:
        if function == "len" and isinstance(box, str | list | tuple) and len(box) > 1:
            w.say(f"{enumerated(box, w)}, so {left} = {text}")
            return True
        if function == "sum" and isinstance(box, list | tuple) and 2 < len(box) <= SPELL_UP_TO:
            total = box[0]
            parts = []
            for item in box[1:]:
                parts.append(f"{w.show(total)} + {wrapped(w.show(item))} = {w.show(total + item)}")
                total += item
            w.say(f"{', '.join(parts)}, so {left} = {text}")
            return True
    except NotShown:
        pass
    return False


_RESPELLED = frozenset(
    ["upper", "lower", "swapcase", "title", "capitalize", "replace", "strip", "lstrip", "rstrip"]
)


def _method_working(w: Working, node: ast.Call, left: str, text: str) -> bool:
    assert isinstance(node.func, ast.Attribute)
    name, box = node.func.attr, w.value(node.func.value)
    if not isinstance(box, str):
        return False
    result = w.value(node)
    try:
        if name in _RESPELLED and box and box != result:
            w.say(f"{spelled(box, w)} becomes {spelled(result, w)}, so {left} = {text}")
            return True
        if name in ("find", "index", "rfind", "rindex") and result > 0:
            w.say(f"{enumerated(box, w, result)}, so {left} = {text}")
            return True
        if name == "count" and len(node.args) == 1 and result:
            part = w.value(node.args[0])
            if len(part) == 1:
                places = ", ".join(str(i) for i, c in enumerate(box) if c == part)
                w.say(f"{left} = {text}, at {places}")
                return True
    except NotShown:
        pass
    return False


TELLERS: dict[type, Callable[[Working, Any], str]] = {ast.Call: _call}
