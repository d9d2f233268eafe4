"""Indexing, slicing, displays and comprehensions, spelled out position by position."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluate import Inner, Once, bind, closure
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.working.core import (
    SPELL_UP_TO,
    UNROLL_UP_TO,
    Working,
    is_plain,
    source_of,
)


def enumerated(value: Any, w: Working, last: int | None = None) -> str:
    """`0:h 1:e 2:l` of a string, `0:4 1:7` of a list, up to position `last`."""
    items = value if last is None else value[: last + 1]
    if len(items) > SPELL_UP_TO:
        raise NotShown("too long")
    if isinstance(value, str):
        return " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(items))
    return " ".join(f"{i}:{w.show(x)}" for i, x in enumerate(items))


def spelled(value: Any, w: Working) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if len(value) > SPELL_UP_TO:
        raise NotShown("too long")
    if isinstance(value, str):
        return " ".join(c if c.isalnum() else repr(c) for c in value)
    return ", ".join(w.show(x) for x in value)


def _subscript(w: Working, node: ast.Subscript) -> str:
    value = w.value(node)
    text = w.show(value)
    name = source_of(node.value) if is_plain(node.value) else ""
    if not name:
        atom = w.atom(node.value)
        name = w.lefts.get(id(node.value), atom)
    box = w.value(node.value)
    if isinstance(node.slice, ast.Slice):
        return _sliced(w, node, name, box, text)
    key = w.atom(node.slice)
    left = w.lefts[id(node)] = f"{name}[{key}]"
    index = w.value(node.slice)
    if w.detail and isinstance(box, str | list | tuple) and type(index) is int:
        if index > 0:
            try:
                w.say(f"{enumerated(box, w, index)}, so {left} = {text}")
            except NotShown:
                w.say(f"{left} = {text}")
            return text
        if index == -1:
            w.say(f"{left} = {text}, the last")
            return text
    w.say(f"{left} = {text}")
    return text


def _sliced(w: Working, node: ast.Subscript, name: str, box: Any, text: str) -> str:
    part = node.slice
    assert isinstance(part, ast.Slice)
    ends = [w.atom(p) if p else "" for p in (part.lower, part.upper)]
    inside = ":".join(ends) + (f":{w.atom(part.step)}" if part.step else "")
    left = f"{name}[{inside}]"
    if w.detail and isinstance(box, str | list | tuple) and box:
        try:
            if part.step and not part.lower and not part.upper and w.value(part.step) == -1:
                w.say(f"{spelled(box, w)} backwards is {spelled(box[::-1], w)}, so {left} = {text}")
            else:
                w.say(f"{enumerated(box, w)}, so {left} = {text}")
            return text
        except NotShown:
            pass
    w.say(f"{left} = {text}")
    return text


def comprehension(w: Working, node: Any) -> str:
    value = w.value(node)
    text = show(list(value) if isinstance(value, Once) else value, w.limit)
    generator = node.generators[0]
    if not w.detail or len(node.generators) > 1 or isinstance(node, ast.DictComp):
        w.say(f"{source_of(node)} = {text}")
        return text
    items = closure(generator.iter)(w.env)
    if type(items) in (set, frozenset) or not 0 < len(items) <= UNROLL_UP_TO:
        w.say(f"{source_of(node)} = {text}")
        return text
    parts = []
    for item in items:
        scope = Inner(w.env, {})
        bind(generator.target, item, scope)
        inner = Working(scope, 0, w.limit)
        names = ", ".join(f"{n} = {w.show(v)}" for n, v in scope.items())
        parts.append(f"{names}: {_element(inner, node, generator)}")
    told = "; ".join(parts)
    w.say(told if w.depth == 1 and w.detail < 2 else f"{told}; so {text}")
    return text


def _element(inner: Working, node: Any, generator: ast.comprehension) -> str:
    told: list[str] = []
    for test in generator.ifs:
        steps, passes = inner.tell(test)
        told += steps or [f"{source_of(test)} is {bool(passes)}"]
        if not passes:
            return f"{', '.join(told)}, skipped"
    steps, value = inner.tell(node.elt)
    return ", ".join([*told, *steps] if steps else [*told, inner.show(value)])


def _display(w: Working, node: ast.Tuple | ast.List) -> str:
    for part in node.elts:
        if not isinstance(part, ast.Starred):
            w.atom(part)
    return w.show(w.value(node))


def _formatted(w: Working, node: ast.JoinedStr) -> str:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            inner = w.atom(part.value)
            if isinstance(part.value, ast.Name):
                w.say(f"{part.value.id} = {inner}")
    return w.show(w.value(node))


TELLERS: dict[type, Callable[[Working, Any], str]] = {
    ast.Subscript: _subscript,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.DictComp: comprehension,
    ast.Tuple: _display,
    ast.List: _display,
    ast.JoinedStr: _formatted,
}
