"""How a value comes about, in pieces that each follow from the text just before.

For `n % k == 0` with n = 14, k = 5: `14 = 5 * 2 + 4, so 14 % 5 = 4` and `4 == 0 is False`.
Indexing, slicing and counting are spelled out place by place, since a language model sees tokens
and not characters. Every piece is a row of `forms.PIECES`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Names, Raises, evaluate
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.style import Style

SPELL_UP_TO = 20  # items
UNROLL_UP_TO = 8  # items of a comprehension
_TABLE = re.compile(r"0(?::\S|[^\W\d]|['\"])")

SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.MatMult: "@",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


class Working:
    """The pieces of one expression over recorded names. What cannot be evaluated or shown is not
    worked out: `of` then raises Cannot or gives no pieces."""

    tellers: dict[type, Callable[[Working, Any], str]]  # by kind of node; filled below

    def __init__(self, names: Names, style: Style, limit: int, *, spells: bool = True) -> None:
        self.names = names
        self.style = style
        self.limit = limit
        self.spells = spells and style.detail > 0  # lists places, spells strings, divides
        self.dense = spells and style.dense
        self.pieces: list[str] = []
        self.depth = 0
        self.lefts: dict[int, str] = {}  # subscripts with their keys' values put in
        self.values: dict[int, tuple[ast.expr, Any]] = {}  # by node, evaluated once

    def of(self, node: ast.expr) -> tuple[list[str], Any]:
        """The pieces and the value of `node`. Raises Cannot or Raises."""
        self.pieces, self.depth = [], 0
        value = self.value(node)
        try:
            self.atom(node)
            if self.pieces and self.style.detail < 2 and isinstance(node, ast.Subscript | ast.Call):
                self.pieces[-1] = _without_result(self.pieces[-1], value)
        except (Cannot, Raises, NotShown):
            self.pieces = []
        return self.pieces, value

    def value(self, node: ast.expr) -> Any:
        """The value of a node, which is not to be changed. Raises Cannot or Raises."""
        known = self.values.get(id(node))
        if known is None:
            known = self.values[id(node)] = (node, evaluate(node, self.names))
        return known[1]

    def show(self, value: Any) -> str:
        return show(value, self.limit)

    def say(self, form: str, **slots: str) -> None:
        self.pieces.append(say(form, **slots))

    def atom(self, node: ast.expr) -> str:
        """Says how `node` comes about, and returns the text of its value."""
        teller = self.tellers.get(type(node))
        if teller is None:
            return self.show(self.value(node))
        self.depth += 1
        text = teller(self, node)
        self.depth -= 1
        return text

    def result(self, expression: str, value: Any, text: str) -> None:
        """`4 + 1 = 5`, `s.isdigit() is True`."""
        if isinstance(value, bool):
            self.say("truth", e=expression, b=text)
        else:
            self.say("equal", e=expression, v=text)

    # --- spelling -----------------------------------------------------------------------------

    def table(self, items: Any, last: int | None = None) -> str:
        """`0:h 1:e 2:l` of a string (densely `0h1e2l`), `0:4 1:7` of a list, up to place `last`."""
        part = items if last is None else items[: last + 1]
        if len(part) > SPELL_UP_TO or not part:
            raise NotShown("too long or empty")
        if isinstance(items, str):
            if self.dense:
                return "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in enumerate(part))
            return " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(part))
        return " ".join(f"{i}:{self.show(x)}" for i, x in enumerate(part))

    def spelled(self, items: Any) -> str:
        """`h e l l o` of a string, `4, 7` of a list."""
        if len(items) > SPELL_UP_TO or not items:
            raise NotShown("too long or empty")
        if isinstance(items, str):
            return " ".join(c if c.isalnum() else repr(c) for c in items)
        return ", ".join(self.show(x) for x in items)

    def listed(self, items: Any) -> str:
        """`1, 2, 3`: values in order."""
        if len(items) > SPELL_UP_TO:
            raise NotShown("too long")
        return ", ".join(self.show(x) for x in items)


def _without_result(piece: str, value: Any) -> str:
    """The last piece without its result, which the sentence around it states anyway; numbers and
    truth values stay, being short."""
    if isinstance(value, int | float) or value is None:
        return piece
    head, found, _ = piece.rpartition(", so ")
    table = _TABLE.match(head) and "; " not in head
    bare = " backwards is " in head or " becomes " in head or table
    return head if found and bare else piece


def wrapped(text: str) -> str:
    """A negative number in brackets, to stand after a sign."""
    return f"({text})" if text.startswith("-") else text


def source_of(node: ast.AST) -> str:
    """The source of a node, kept on it."""
    text: str | None = getattr(node, "source_of", None)
    if text is None:
        text = ast.unparse(node)
        node.source_of = text  # type: ignore[attr-defined]
    return text


def is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


# --- arithmetic, comparisons, truth ---------------------------------------------------------------


def _binary(w: Working, node: ast.BinOp) -> str:
    left, right = w.atom(node.left), wrapped(w.atom(node.right))
    text = w.show(w.value(node))
    sign = SIGNS[type(node.op)]
    if isinstance(node.op, ast.Pow):
        left = wrapped(left)
    a, b = w.value(node.left), w.value(node.right)
    expression = f"{left} {sign} {right}"
    whole = type(a) is int and type(b) is int and w.spells and abs(a) >= abs(b)
    if whole and isinstance(node.op, ast.FloorDiv | ast.Mod):
        parts = f"{right} * {wrapped(str(a // b))} + {wrapped(str(a % b))}"
        w.say("division", a=left, q=parts, e=expression, v=text)
    else:
        w.say("equal", e=expression, v=text)
    return text


def _unary(w: Working, node: ast.UnaryOp) -> str:
    if isinstance(node.operand, ast.Constant):
        return w.show(w.value(node))
    inner = w.atom(node.operand)
    text = w.show(w.value(node))
    if isinstance(node.op, ast.Not):
        w.say("truth", e=f"not {inner}", b=text)
    return text


def _compare(w: Working, node: ast.Compare) -> str:
    """Each comparison of a chain, up to the first that fails."""
    left_node, left = node.left, w.atom(node.left)
    text = "True"
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        link = node if len(node.ops) == 1 else ast.Compare(left_node, [op], [right_node])
        value = w.value(link)
        text = w.show(value)
        sign = SIGNS[type(op)]
        if isinstance(op, ast.In | ast.NotIn):
            _membership(w, left, right_node, sign, text)
            right = source_of(right_node)
        else:
            right = w.atom(right_node)
            if not (w.dense and _compared_strings(w, link, left, sign, right, text)):
                w.say("truth", e=f"{left} {sign} {right}", b=text)
        if not value:
            break
        left_node, left = right_node, right
    return text


def _compared_strings(
    w: Working, node: ast.Compare, left: str, sign: str, right: str, text: str
) -> bool:
    """Densely: where two strings that are ordered first differ."""
    a, b = w.value(node.left), w.value(node.comparators[0])
    if not (isinstance(a, str) and isinstance(b, str)) or sign in ("is", "is not"):
        return False
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    expression = f"{left} {sign} {right}"
    if a == b or not a or not b:
        return False
    if same == min(len(a), len(b)):
        w.say("prefix", n=str(same), e=expression, b=text)
    elif same:
        w.say("differ", n=str(same), x=repr(a[same]), y=repr(b[same]), e=expression, b=text)
    else:
        return False
    return True


def _membership(w: Working, left: str, box_node: ast.expr, sign: str, text: str) -> None:
    box = w.value(box_node)
    if type(box) is dict:
        where = box_node.id if isinstance(box_node, ast.Name) else w.show(box)
        keys = w.listed(list(box)) if len(box) <= SPELL_UP_TO else None
        if keys is not None and len(keys) <= w.limit:
            if keys:
                w.say("has.keys", x=where, ks=keys)
            else:
                w.say("has.none", x=where)
            w.say("truth", e=f"{left} {sign} {where}", b=text)
            return
    shown = wrapped(w.atom(box_node))
    if w.dense and isinstance(box, str) and 1 < len(box) <= SPELL_UP_TO and len(left) > 3:
        w.say("table.holds", t=w.table(box), e=f"{left} {sign} {shown}", b=text)
    else:
        w.say("truth", e=f"{left} {sign} {shown}", b=text)


def _boolean(w: Working, node: ast.BoolOp) -> str:
    stops = isinstance(node.op, ast.Or)
    texts = []
    for part in node.values:
        texts.append(w.atom(part))
        if bool(w.value(part)) is stops:
            break
    value = w.value(node)
    text = w.show(value)
    if len(texts) == len(node.values):
        w.result((" or " if stops else " and ").join(texts), value, text)
    elif not isinstance(value, bool):
        w.say("counts", v=text, b=str(bool(value)))
    return text


def _choice(w: Working, node: ast.IfExp) -> str:
    condition = w.atom(node.test)
    holds = bool(w.value(node.test))
    if condition not in ("True", "False"):
        w.say("counts", v=condition, b=str(holds))
    return w.atom(node.body if holds else node.orelse)


# --- indexing, slicing, displays, comprehensions --------------------------------------------------


def _subscript(w: Working, node: ast.Subscript) -> str:
    text = w.show(w.value(node))
    name = source_of(node.value) if is_plain(node.value) else ""
    if not name:
        atom = w.atom(node.value)
        name = w.lefts.get(id(node.value), atom)
    box = w.value(node.value)
    if isinstance(node.slice, ast.Slice):
        return _sliced(w, node.slice, name, box, text)
    left = w.lefts[id(node)] = f"{name}[{w.atom(node.slice)}]"
    index = w.value(node.slice)
    if w.spells and isinstance(box, str | list | tuple) and type(index) is int:
        if index == -1:
            w.say("last", e=left, v=text)
            return text
        if index > 0:
            try:
                w.say("table", t=w.table(box, index), e=left, v=text)
                return text
            except NotShown:
                pass
    w.say("equal", e=left, v=text)
    return text


def _sliced(w: Working, part: ast.Slice, name: str, box: Any, text: str) -> str:
    ends = [w.atom(p) if p else "" for p in (part.lower, part.upper)]
    left = f"{name}[{':'.join(ends)}{f':{w.atom(part.step)}' if part.step else ''}]"
    if w.spells and isinstance(box, str | list | tuple) and box:
        try:
            if part.step and not part.lower and not part.upper and w.value(part.step) == -1:
                w.say("backwards", a=w.spelled(box), b=w.spelled(box[::-1]), e=left, v=text)
            else:
                w.say("table", t=w.table(box), e=left, v=text)
            return text
        except NotShown:
            pass
    w.say("equal", e=left, v=text)
    return text


def comprehension(w: Working, node: Any) -> str:
    """Item by item, where there are few."""
    whole = as_list(node) if isinstance(node, ast.GeneratorExp) else node
    text = w.show(w.value(whole))
    generator = node.generators[0]
    plain = len(node.generators) == 1 and not isinstance(node, ast.DictComp)
    items: list[Any] = []
    if w.spells and plain:
        try:
            items = w.value(as_list(generator.iter))
        except (Cannot, Raises):
            items = []
    if not 0 < len(items) <= UNROLL_UP_TO:
        w.say("equal", e=source_of(whole), v=text)
        return text
    for item in items:
        scope = _Bound(w.names, bindings(generator.target, item))
        shown = ", ".join(f"{n} = {w.show(v)}" for n, v in scope.bound.items())
        inner = Working(scope, w.style, w.limit, spells=False)
        w.say("each", b=shown, p=_element(inner, node, generator))
    if w.depth > 1 or w.style.detail > 1:
        w.say("so", v=text)
    return text


def _element(inner: Working, node: Any, generator: ast.comprehension) -> str:
    parts: list[str] = []
    for test in generator.ifs:
        steps, passes = inner.of(test)
        if isinstance(passes, bool):
            parts += steps or [say("truth", e=source_of(test), b=str(passes))]
        else:
            parts.append(say("counts", v=inner.show(passes), b=str(bool(passes))))
        if not passes:
            return f"{', '.join(parts)}, skipped"
    steps, value = inner.of(node.elt)
    return ", ".join([*parts, *(steps or [inner.show(value)])])


class _Bound:
    """Names with those that a comprehension binds."""

    def __init__(self, names: Names, bound: dict[str, Any]) -> None:
        self.names = names
        self.bound = bound

    def lookup(self, name: str) -> Any:
        return self.bound[name] if name in self.bound else self.names.lookup(name)

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self.names.call(name, arguments, keywords)

    def defines(self, name: str) -> bool:
        return name in self.bound or self.names.defines(name)


def bindings(target: ast.expr, item: Any) -> dict[str, Any]:
    """What a target binds to the parts of an item. Raises Cannot for a starred one."""
    if isinstance(target, ast.Name):
        return {target.id: item}
    if isinstance(target, ast.Tuple | ast.List):
        try:
            parts = list(item)
        except TypeError:
            raise Cannot("an item that does not unpack") from None
        if len(parts) == len(target.elts) and not any(
            isinstance(e, ast.Starred) for e in target.elts
        ):
            bound: dict[str, Any] = {}
            for inner, part in zip(target.elts, parts, strict=True):
                bound |= bindings(inner, part)
            return bound
    raise Cannot("a target that is not told")


def as_list(node: ast.expr) -> ast.expr:
    """`list(node)`, kept on the node so that it is compiled once."""
    call: ast.expr | None = getattr(node, "as_list", None)
    if call is None:
        call = ast.Call(ast.Name("list", ast.Load()), [node], [])
        ast.fix_missing_locations(ast.copy_location(call, node))
        node.as_list = call  # type: ignore[attr-defined]
    return call


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
                w.say("equal", e=part.value.id, v=inner)
    return w.show(w.value(node))


Working.tellers = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Subscript: _subscript,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.DictComp: comprehension,
    ast.Tuple: _display,
    ast.List: _display,
    ast.JoinedStr: _formatted,
}
