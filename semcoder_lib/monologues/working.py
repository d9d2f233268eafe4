"""How a value comes about, in sub-steps that each follow from the text just before.

`Working(env).tell(node)` returns the sub-steps and the value: for `n % k == 0` with n = 14, k = 5,
`["14 = 5 * 2 + 4, so 14 % 5 = 4", "4 == 0 is False"]` and False. Indexing, slicing and counting are
spelled out position by position, since a language model sees tokens and not characters.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluate import (
    COMPARISONS,
    OPERATORS,
    Env,
    Inner,
    Once,
    Unknown,
    bind,
    closure,
    evaluate,
)
from semcoder_lib.monologues.show import NotShown, show

SPELL_UP_TO = 20
UNROLL_UP_TO = 8


class Working:
    """Sub-steps over one environment. `detail` 0 keeps only the last sub-step of an expression."""

    def __init__(self, env: Env, detail: int = 1, limit: int = 100) -> None:
        self.env = env
        self.detail = detail
        self.limit = limit
        self.steps: list[str] = []
        self.depth = 0
        self.lefts: dict[int, str] = {}  # subscripts with their keys' values put in

    def tell(self, node: ast.expr) -> tuple[list[str], Any]:
        """Sub-steps and value of `node`. Raises `Unknown`."""
        self.steps = []
        self.depth = 0
        value = evaluate(node, self.env)
        try:
            self._atom(node)
            if self.steps and self.detail < 2 and isinstance(node, ast.Subscript | ast.Call):
                self.steps[-1] = _without_result(self.steps[-1], value)
        except (Unknown, NotShown):
            self.steps = []
        except Exception as error:
            raise Unknown(type(error).__name__) from None
        return self.steps, value

    def show(self, value: Any) -> str:
        if isinstance(value, Once):
            raise NotShown("an iterator")
        return show(value, self.limit)

    def say(self, text: str) -> None:
        self.steps.append(text)

    def value(self, node: ast.expr) -> Any:
        return closure(node)(self.env)

    def _atom(self, node: ast.expr) -> str:
        """Says how `node` comes about, and returns the text of its value."""
        teller = _TELLERS.get(type(node))
        if teller is None:
            return self.show(self.value(node))
        self.depth += 1
        told = teller(self, node)
        self.depth -= 1
        return told

    def _quiet(self, node: ast.expr) -> str:
        """`node` with the names' values put in, as the left side of an identity."""
        return self.show(self.value(node))


def _without_result(step: str, value: Any) -> str:
    """The last sub-step without its result, which the sentence around it states anyway; numbers
    and truth values stay, being short."""
    if isinstance(value, int | float) or value is None:
        return step
    head, found, _ = step.rpartition(", so ")
    return (
        head
        if found and (" backwards is " in head or " becomes " in head or head[:2] == "0:")
        else step
    )


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _wrap(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _binary(w: Working, node: ast.BinOp) -> str:
    left = w._atom(node.left)
    right = _wrap(w._atom(node.right))
    value = w.value(node)
    text = w.show(value)
    sign = OPERATORS[type(node.op)][0]
    if isinstance(node.op, ast.Pow):
        left = _wrap(left)
    a, b = w.value(node.left), w.value(node.right)
    if isinstance(node.op, ast.FloorDiv | ast.Mod) and type(a) is int and type(b) is int:
        if w.detail and abs(a) >= abs(b):
            w.say(
                f"{left} = {right} * {_wrap(str(a // b))} + {_wrap(str(a % b))}, so {left} {sign} {right} = {text}"
            )
            return text
    w.say(f"{left} {sign} {right} = {text}")
    return text


def _unary(w: Working, node: ast.UnaryOp) -> str:
    if isinstance(node.operand, ast.Constant):
        return w.show(w.value(node))
    inner = w._atom(node.operand)
    text = w.show(w.value(node))
    if isinstance(node.op, ast.Not):
        w.say(f"not {inner} is {text}")
    return text


def _compare(w: Working, node: ast.Compare) -> str:
    if len(node.ops) > 1:
        return _chain(w, node)
    left = w._atom(node.left)
    op, right_node = node.ops[0], node.comparators[0]
    sign = COMPARISONS[type(op)][0]
    value = w.value(node)
    text = w.show(value)
    if isinstance(op, ast.In | ast.NotIn):
        w.say(_membership(w, left, right_node, sign, text))
        return text
    right = w._atom(right_node)
    w.say(f"{left} {sign} {right} is {text}")
    return text


def _chain(w: Working, node: ast.Compare) -> str:
    left = w._atom(node.left)
    result: Any = True
    left_value = w.value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = w._atom(right_node)
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
    shown = _wrap(w._atom(box_node))
    return f"{left} {sign} {shown} is {text}"


def _label(node: ast.expr, otherwise: str) -> str:
    return node.id if isinstance(node, ast.Name) else otherwise


def _boolean(w: Working, node: ast.BoolOp) -> str:
    stops = isinstance(node.op, ast.Or)
    texts = []
    for part in node.values:
        texts.append(w._atom(part))
        if bool(w.value(part)) is stops:
            break
    word = " or " if stops else " and "
    if len(texts) < len(node.values):
        texts.append("...")
    w.say(f"{word.join(texts)} is {w.show(w.value(node))}")
    return w.show(w.value(node))


def _choice(w: Working, node: ast.IfExp) -> str:
    w._atom(node.test)
    return w._atom(node.body if w.value(node.test) else node.orelse)


def enumerated(value: Any, w: Working, last: int | None = None) -> str:
    """`0:h 1:e 2:l` of a string, `0:4 1:7` of a list, up to position `last`."""
    items = value if last is None else value[: last + 1]
    if len(items) > SPELL_UP_TO:
        raise NotShown("too long")
    if isinstance(value, str):
        return " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(items))
    return " ".join(f"{i}:{w.show(x)}" for i, x in enumerate(items))


def _source(node: ast.AST) -> str:
    made: str | None = getattr(node, "_source", None)
    if made is None:
        made = ast.unparse(node)
        node._source = made  # type: ignore[attr-defined]
    return made


def _subscript(w: Working, node: ast.Subscript) -> str:
    value = w.value(node)
    text = w.show(value)
    name = _source(node.value) if _is_plain(node.value) else ""
    if not name:
        atom = w._atom(node.value)
        name = w.lefts.get(id(node.value), atom)
    box = w.value(node.value)
    if isinstance(node.slice, ast.Slice):
        return _sliced(w, node, name, box, text)
    key = w._atom(node.slice)
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
    ends = [w._atom(p) if p else "" for p in (part.lower, part.upper)]
    inside = ":".join(ends) + (f":{w._atom(part.step)}" if part.step else "")
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


def spelled(value: Any, w: Working) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if len(value) > SPELL_UP_TO:
        raise NotShown("too long")
    if isinstance(value, str):
        return " ".join(c if c.isalnum() else repr(c) for c in value)
    return ", ".join(w.show(x) for x in value)


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
        name = _source(base) if isinstance(base, ast.Name) else w._atom(base)
        left = f"{name}.{node.func.attr}({inside})"
        if w.detail and _method_working(w, node, left, text):
            return text
    else:
        if _source(node.func) in ("len", "sum") and isinstance(node.args[0], ast.Name):
            inside = node.args[0].id
        left = f"{_source(node.func)}({inside})"
        if w.detail and len(node.args) == 1 and not named and _builtin_working(w, node, left, text):
            return text
    if len(left) > 2 * w.limit:
        raise NotShown("too long")
    w.say(f"{left} is {text}" if isinstance(value, bool) else f"{left} = {text}")
    return text


def _argument(w: Working, node: ast.expr) -> str:
    """An argument as its value; a function, or an iterator, as its source."""
    if isinstance(node, ast.Lambda):
        return _source(node)
    if isinstance(node, ast.Name) and node.id not in w.env:
        return node.id
    value = w.value(node)
    if isinstance(node, ast.GeneratorExp):
        _comprehension(w, node)
        return show(list(value), w.limit)
    if isinstance(value, Once | range):
        return _source(node)
    if isinstance(node, ast.Name) and len(w.show(value)) > 24:
        return node.id
    return w._atom(node)


def _builtin_working(w: Working, node: ast.Call, left: str, text: str) -> bool:
    function = _source(node.func)
    box = w.value(node.args[0])
    try:
        if function == "len" and isinstance(box, str | list | tuple) and len(box) > 1:
            w.say(f"{enumerated(box, w)}, so {left} = {text}")
            return True
        if function == "sum" and isinstance(box, list | tuple) and 2 < len(box) <= SPELL_UP_TO:
            total = box[0]
            parts = []
            for item in box[1:]:
                parts.append(f"{w.show(total)} + {_wrap(w.show(item))} = {w.show(total + item)}")
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


def _comprehension(w: Working, node: Any) -> str:
    value = w.value(node)
    text = show(list(value) if isinstance(value, Once) else value, w.limit)
    generator = node.generators[0]
    if not w.detail or len(node.generators) > 1 or isinstance(node, ast.DictComp):
        w.say(f"{_source(node)} = {text}")
        return text
    items = closure(generator.iter)(w.env)
    if type(items) in (set, frozenset) or not 0 < len(items) <= UNROLL_UP_TO:
        w.say(f"{_source(node)} = {text}")
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


def _display(w: Working, node: ast.Tuple | ast.List) -> str:
    for part in node.elts:
        if not isinstance(part, ast.Starred):
            w._atom(part)
    return w.show(w.value(node))


def _formatted(w: Working, node: ast.JoinedStr) -> str:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            inner = w._atom(part.value)
            if isinstance(part.value, ast.Name):
                w.say(f"{part.value.id} = {inner}")
    return w.show(w.value(node))


def _element(inner: Working, node: Any, generator: ast.comprehension) -> str:
    told: list[str] = []
    for test in generator.ifs:
        steps, passes = inner.tell(test)
        told += steps or [f"{_source(test)} is {bool(passes)}"]
        if not passes:
            return f"{', '.join(told)}, skipped"
    steps, value = inner.tell(node.elt)
    return ", ".join([*told, *steps] if steps else [*told, inner.show(value)])


_TELLERS: dict[type, Callable[[Working, Any], str]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Tuple: _display,
    ast.List: _display,
    ast.JoinedStr: _formatted,
}
