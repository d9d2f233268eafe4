"""How a value comes about, in pieces that each follow from the text just before.

For `n % k == 0` with n = 14, k = 5: `14 = 5 * 2 + 4, so 14 % 5 = 4` and `4 == 0 is False`.
Indexing, slicing and counting are spelled out place by place, since a language model sees tokens
and not characters. Every piece is a row of `forms.PIECES`.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Given, Names, Raises, evaluate
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.style import Style

SPELL_UP_TO = 20  # items
UNROLL_UP_TO = 8  # items of a comprehension
_BARE = ("table", "backwards", "becomes")  # pieces that say enough without their result

SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.MatMult: "@",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


class Working:
    """The pieces of one expression over recorded names. What cannot be evaluated or shown is not
    worked out: `of` then raises Cannot or Raises, or gives no pieces."""

    tellers: dict[type, Callable[[Working, Any], str]]  # by kind of node; filled below

    def __init__(self, names: Names, style: Style, *, spells: bool = True) -> None:
        self.names, self.style, self.limit = names, style, style.value_chars
        self.spells = spells and style.detail > 0  # lists places, spells strings, divides
        self.dense = spells and style.dense
        self.pieces: list[tuple[str, dict[str, str]]] = []
        self.depth = 0
        self.lefts: dict[int, str] = {}  # subscripts with their keys' values put in
        self.values: dict[int, tuple[ast.expr, Any]] = {}  # by node, evaluated once

    def of(self, node: ast.expr, changing: str = "") -> tuple[list[str], Any]:
        """The pieces and the value of `node`. Of the object `changing`, which is about to change,
        they say what its items were. Raises Cannot or Raises."""
        self.pieces, self.depth = [], 0
        value = self.value(node)
        try:
            self.atom(node)
        except (Cannot, Raises, NotShown):
            return [], value
        if self.pieces and self.style.detail < 2 and isinstance(node, ast.Subscript | ast.Call):
            form, slots = self.pieces[-1]
            # the sentence around it states the result; numbers and truth values are short
            if form in _BARE and not isinstance(value, int | float | None):
                self.pieces[-1] = f"{form}.bare", slots
        said = []
        for form, slots in self.pieces:
            was = changing and form == "equal" and slots["e"].startswith(f"{changing}[")
            said.append(say("was" if was else form, **slots))
        return said if self.style.detail else said[-1:], value

    def value(self, node: ast.expr) -> Any:
        """The value of a node, which is not to be changed. Raises Cannot or Raises."""
        known = self.values.get(id(node))
        if known is None:
            known = self.values[id(node)] = (node, evaluate(node, self.names))
        return known[1]

    def show(self, value: Any) -> str:
        return show(value, self.limit)

    def say(self, form: str, **slots: str) -> None:
        self.pieces.append((form, slots))

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
        form = "truth" if isinstance(value, bool) else "equal"
        self.say(form, e=expression, v=text, b=text)

    # --- spelling -----------------------------------------------------------------------------

    def table(self, items: Any, last: int | None = None) -> str:
        """`0:h 1:e 2:l` of a string (densely `0h1e2l`), `0:4 1:7` of a list, up to place `last`."""
        part = items if last is None else items[: last + 1]
        if not 0 < len(part) <= SPELL_UP_TO:
            raise NotShown("too long or empty")
        if not isinstance(items, str):
            return " ".join(f"{i}:{self.show(x)}" for i, x in enumerate(part))
        if self.dense:
            return "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in enumerate(part))
        return " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(part))

    def spelled(self, items: Any) -> str:
        """`h e l l o` of a string, `4, 7` of a list."""
        if not 0 < len(items) <= SPELL_UP_TO:
            raise NotShown("too long or empty")
        if isinstance(items, str):
            return " ".join(c if c.isalnum() else repr(c) for c in items)
        return self.listed(items)

    def listed(self, items: Any) -> str:
        """`1, 2, 3`: values in order."""
        if len(items) > SPELL_UP_TO:
            raise NotShown("too long")
        return ", ".join(self.show(x) for x in items)


def wrapped(text: str) -> str:
    """A negative number in brackets, to stand after a sign."""
    return f"({text})" if text.startswith("-") else text


@functools.lru_cache(maxsize=8192)
def source_of(node: ast.AST) -> str:
    """The source of a node."""
    return ast.unparse(node)


@functools.lru_cache(maxsize=8192)
def as_list(node: ast.expr) -> ast.expr:
    """`list(node)`."""
    return ast.Call(ast.Name("list", ast.Load()), [node], [])


@functools.lru_cache(maxsize=8192)
def as_load(stmt: ast.AugAssign) -> ast.BinOp:
    """`x + y` of `x += y`."""
    target = ast.parse(source_of(stmt.target), mode="eval").body
    return ast.BinOp(target, stmt.op, stmt.value)


# --- arithmetic, comparisons, truth ---------------------------------------------------------------


def _binary(w: Working, node: ast.BinOp) -> str:
    left, right = w.atom(node.left), wrapped(w.atom(node.right))
    text = w.show(w.value(node))
    if isinstance(node.op, ast.Pow):
        left = wrapped(left)
    a, b = w.value(node.left), w.value(node.right)
    expression = f"{left} {SIGNS[type(node.op)]} {right}"
    whole = type(a) is int and type(b) is int and w.spells and abs(a) >= abs(b)
    if whole and isinstance(node.op, ast.FloorDiv | ast.Mod):
        parts = f"{right} * {wrapped(str(a // b))} + {wrapped(str(a % b))}"
        w.say("division", a=left, q=parts, e=expression, v=text)
    else:
        w.say("equal", e=expression, v=text)
    return text


def _unary(w: Working, node: ast.UnaryOp) -> str:
    if not isinstance(node.operand, ast.Constant):
        inner = w.atom(node.operand)
        if isinstance(node.op, ast.Not):
            w.say("truth", e=f"not {inner}", b=w.show(w.value(node)))
    return w.show(w.value(node))


def _compare(w: Working, node: ast.Compare) -> str:
    """Each comparison of a chain, up to the first that fails."""
    left_node, left = node.left, w.atom(node.left)
    text = "True"
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        link = node if len(node.ops) == 1 else ast.Compare(left_node, [op], [right_node])
        value = w.value(link)
        text = w.show(value)
        start = f"{left} {SIGNS[type(op)]}"
        if isinstance(op, ast.In | ast.NotIn):
            _membership(w, left, start, right_node, text)
            right = source_of(right_node)
        else:
            right = w.atom(right_node)
            ordered = w.dense and not isinstance(op, ast.Is | ast.IsNot)
            form, slots = _difference(w, left_node, right_node) if ordered else ("truth", {})
            w.say(form, e=f"{start} {right}", b=text, **slots)
        if not value:
            break
        left_node, left = right_node, right
    return text


def _difference(w: Working, left: ast.expr, right: ast.expr) -> tuple[str, dict[str, str]]:
    """The form that says where two strings that are compared first differ, where they are."""
    a, b = w.value(left), w.value(right)
    if not (isinstance(a, str) and isinstance(b, str)) or a == b or not a or not b:
        return "truth", {}
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    if same == min(len(a), len(b)):
        return "prefix", {"n": str(same)}
    if not same:
        return "truth", {}
    return "differ", {"n": str(same), "x": repr(a[same]), "y": repr(b[same])}


def _membership(w: Working, left: str, start: str, box_node: ast.expr, text: str) -> None:
    box = w.value(box_node)
    if type(box) is dict and len(box) <= SPELL_UP_TO:
        where = box_node.id if isinstance(box_node, ast.Name) else w.show(box)
        keys = w.listed(box)
        if len(keys) <= w.limit:
            w.say("has.keys" if keys else "has.none", x=where, ks=keys)
            w.say("truth", e=f"{start} {where}", b=text)
            return
    expression = f"{start} {wrapped(w.atom(box_node))}"
    if w.dense and isinstance(box, str) and 1 < len(box) <= SPELL_UP_TO and len(left) > 3:
        w.say("table.holds", t=w.table(box), e=expression, b=text)
    else:
        w.say("truth", e=expression, b=text)


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
    base = node.value
    named = base.operand if isinstance(base, ast.UnaryOp) else base
    if isinstance(named, ast.Constant) or isinstance(base, ast.Name):
        name = source_of(base)
    else:
        atom = w.atom(base)
        name = w.lefts.get(id(base), atom)
    box, part = w.value(base), node.slice
    if isinstance(part, ast.Slice):
        ends = ":".join(w.atom(p) if p else "" for p in (part.lower, part.upper))
        step = w.atom(part.step) if part.step else ""
        left, index = f"{name}[{ends}{step and ':'}{step}]", None
    else:
        left, index = f"{name}[{w.atom(part)}]", w.value(part)
        w.lefts[id(node)] = left
    form, slots = "equal", {}
    if w.spells and isinstance(box, str | list | tuple):
        try:
            if isinstance(part, ast.Slice) and (ends, step) == (":", "-1"):
                form, slots = "backwards", {"a": w.spelled(box), "b": w.spelled(box[::-1])}
            elif isinstance(part, ast.Slice):
                form, slots = "table", {"t": w.table(box)}
            elif type(index) is int and index == -1:
                form = "last"
            elif type(index) is int and index > 0:
                form, slots = "table", {"t": w.table(box, index)}
        except NotShown:
            pass
    w.say(form, e=left, v=text, **slots)
    return text


def comprehension(w: Working, node: Any) -> str:
    """Item by item, where there are few."""
    whole = as_list(node) if isinstance(node, ast.GeneratorExp) else node
    text = w.show(w.value(whole))
    generator = node.generators[0]
    items: list[Any] = []
    if w.spells and len(node.generators) == 1 and not isinstance(node, ast.DictComp):
        with contextlib.suppress(Cannot, Raises):
            items = w.value(as_list(generator.iter))
    if not 0 < len(items) <= UNROLL_UP_TO:
        w.say("equal", e=source_of(whole), v=text)
        return text
    names = [n for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
    names.sort(key=lambda name: (name.lineno, name.col_offset))
    each = ast.comprehension(generator.target, generator.iter, [], 0)
    for row in w.value(ast.ListComp(ast.Tuple([*names], ast.Load()), [each])):
        bound = dict(zip([name.id for name in names], row, strict=True))
        shown = ", ".join(f"{n} = {w.show(v)}" for n, v in bound.items())
        inner = Working(Given(bound, w.names), w.style, spells=False)
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
