"""How a value comes about, in pieces that each follow from the text just before.

For `n % k == 0` with n = 14, k = 5: `14 = 5 * 2 + 4, so 14 % 5 = 4` and `4 == 0 is False`.
Indexing, slicing and counting are spelled out place by place, since a language model sees tokens
and not characters. Every piece is a row of `forms.PIECES`. What has no working of its own stands
alone. Only the dense style works out all of `METHODS`.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Given, Names, Raises, Values, mutates
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.operations import TYPES
from semcoder_lib.monologues.rules import FINDS, RULES, UNFIT, UNROLL_UP_TO, Facts
from semcoder_lib.monologues.show import SPELL_UP_TO, VALUE_CHARS, NotShown, listing, show, wrapped
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import SIGNS, as_list, links, source_of

_SHORT = 24  # characters of an argument that is written as its value
_DENSELY = ("casefold", "translate", "expandtabs")  # spelled anew only there
_BARE = ("table", "backwards", "becomes")  # pieces that say enough without their result
_UNFIT = (NotShown, Cannot, *UNFIT)  # of what is not worked out

Piece = tuple[str, dict[str, str]]  # a form and its slots


class Working:
    """The pieces of one expression over recorded names. What cannot be evaluated or shown is not
    worked out: `of` then raises Cannot or Raises, or gives no pieces."""

    def __init__(self, names: Names, style: Style, *, spells: bool = True) -> None:
        self.names, self.style = names, style
        self.spells = spells and style.detail > 0  # lists places, spells strings, divides
        self.dense = spells and style.dense
        self.pieces: list[Piece] = []
        self.depth = 0
        self.lefts: dict[int, str] = {}  # subscripts with their keys' values put in
        # of a node, which is not to be changed; raises Cannot or Raises
        self.value = Values(names).of

    def of(self, node: ast.expr, changing: str = "") -> tuple[list[str], Any]:
        """The pieces and the value of `node`. Of the object `changing`, which is about to change,
        they say what its items were. Raises Cannot or Raises."""
        self.pieces, self.depth = [], 0
        value = self.value(node)
        parts: list[Any] = [node]
        if isinstance(node, ast.Call):
            parts = [*ast.iter_child_nodes(node.func), *node.args, *node.keywords]
        if any(map(mutates, parts)):
            return [], value  # they change each other's values
        try:
            self.atom(node)
        except (Cannot, Raises, NotShown):
            return [], value
        if self.pieces and self.style.detail < 2 and isinstance(node, ast.Subscript | ast.Call):
            form, slots = self.pieces[-1]
            # the sentence around it states the result; numbers and truth values are short
            if form in _BARE and not isinstance(value, int | float | None):
                self.pieces[-1] = f"{form}.bare", slots
        texts = []
        for form, slots in self.pieces:
            was = changing and form == "equal" and slots["e"].startswith(f"{changing}[")
            texts.append(say("was" if was else form, **slots))
        return texts if self.style.detail else texts[-1:], value

    def say(self, form: str, **slots: str) -> None:
        self.pieces.append((form, slots))

    def atom(self, node: ast.expr) -> str:
        """Says how `node` comes about, and returns the text of its value."""
        teller = _TELLERS.get(type(node))
        if teller is None:
            return show(self.value(node))
        self.depth += 1
        text = teller(self, node)
        self.depth -= 1
        return text

    def result(self, expression: str, value: Any, text: str) -> None:
        """`4 + 1 = 5`, `s.isdigit() is True`."""
        self.say("truth" if isinstance(value, bool) else "equal", e=expression, v=text, b=text)

    def slots(self, row: str, node: ast.expr, text: str = "") -> dict[str, str]:
        """What must stand in a row about `node`. Raises one of _UNFIT where it is about others."""
        known = RULES[row](Facts(self.value, node, text))
        if not known:
            raise NotShown("another expression")
        if "t" in known:  # as short as it can be, where the last place is not asked for
            tables = known["t"][:2] if "p" in known else known["t"][-2:]
            known["t"] = tables[self.dense]
        return known


# --- arithmetic, comparisons, truth ---------------------------------------------------------------


def _binary(w: Working, node: ast.BinOp) -> str:
    left, right = w.atom(node.left), wrapped(w.atom(node.right))
    text = show(w.value(node))
    if isinstance(node.op, ast.Pow):
        left = wrapped(left)
    a, b = w.value(node.left), w.value(node.right)
    expression = f"{left} {SIGNS[type(node.op)]} {right}"
    whole = type(a) is int and type(b) is int and w.spells and abs(a) >= abs(b)
    if whole and isinstance(node.op, ast.FloorDiv | ast.Mod):
        w.say("division", e=expression, v=text, **w.slots("division", node))
    else:
        w.say("equal", e=expression, v=text)
    return text


def _unary(w: Working, node: ast.UnaryOp) -> str:
    if not isinstance(node.operand, ast.Constant):
        inner = w.atom(node.operand)
        if isinstance(node.op, ast.Not):
            w.say("truth", e=f"not {inner}", b=show(w.value(node)))
    return show(w.value(node))


def _compare(w: Working, node: ast.Compare) -> str:
    """Each comparison of a chain, up to the first that fails."""
    left, text = w.atom(node.left), "True"
    for link in links(node):
        op, right_node, value = link.ops[0], link.comparators[0], w.value(link)
        text, start = show(value), f"{left} {SIGNS[type(op)]}"
        box = w.value(right_node) if isinstance(op, ast.In | ast.NotIn) else None
        if type(box) is dict and len(box) <= SPELL_UP_TO and len(listing(box)) <= VALUE_CHARS:
            right = source_of(right_node) if isinstance(right_node, ast.Name) else show(box)
            w.say("has.keys" if box else "has.none", x=right, ks=listing(box))
        else:
            right = w.atom(right_node)
            right = right if box is None else wrapped(right)
        w.say("truth", e=f"{start} {right}", b=text)
        if not value:
            break
        left = right
    return text


def _boolean(w: Working, node: ast.BoolOp) -> str:
    stops = isinstance(node.op, ast.Or)
    texts = []
    for part in node.values:
        texts.append(w.atom(part))
        if bool(w.value(part)) is stops:
            break
    value = w.value(node)
    text = show(value)
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
    text, base = show(w.value(node)), node.value
    named = base.operand if isinstance(base, ast.UnaryOp) else base
    if isinstance(named, ast.Constant) or isinstance(base, ast.Name):
        name = source_of(base)
    else:
        atom = w.atom(base)
        name = w.lefts.get(id(base), atom)
    box, part, step = w.value(base), node.slice, ""
    if isinstance(part, ast.Slice):
        ends = ":".join(w.atom(p) if p else "" for p in (part.lower, part.upper))
        step = w.atom(part.step) if part.step else ""
        left, index = f"{name}[{ends}{step and ':'}{step}]", None
    else:
        left, index = f"{name}[{w.atom(part)}]", w.value(part)
        w.lefts[id(node)] = left
    row = ""
    if w.spells and isinstance(box, str | list | tuple):
        if isinstance(part, ast.Slice):
            row = "backwards" if step == "-1" and left.endswith("[::-1]") else "table"
        elif type(index) is int and (index > 0 or index == -1):
            row = "table" if index > 0 else "last"
    try:
        slots = w.slots(row, node) if row else {}
    except NotShown:
        row, slots = "", {}
    w.say(row or "equal", **{"e": left, "v": text, **slots})
    return text


def _comprehension(w: Working, node: Any) -> str:
    """Item by item, where there are few."""
    whole = as_list(node) if isinstance(node, ast.GeneratorExp) else node
    text = show(w.value(whole))
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
        shown = ", ".join(f"{n} = {show(v)}" for n, v in bound.items())
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
            parts.append(say("counts", v=show(passes), b=str(bool(passes))))
        if not passes:
            return f"{', '.join(parts)}, skipped"
    steps, value = inner.of(node.elt)
    return ", ".join([*parts, *(steps or [show(value)])])


def _display(w: Working, node: ast.Tuple | ast.List) -> str:
    for part in node.elts:
        if not isinstance(part, ast.Starred):
            w.atom(part)
    return show(w.value(node))


def _formatted(w: Working, node: ast.JoinedStr) -> str:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            inner = w.atom(part.value)
            if isinstance(part.value, ast.Name):
                w.say("equal", e=part.value.id, v=inner)
    return show(w.value(node))


# --- calls ----------------------------------------------------------------------------------------


def _call(w: Working, node: ast.Call) -> str:
    value = w.value(node)
    text = show(value)
    own = node.func.id if isinstance(node.func, ast.Name) else ""
    args = [source_of(a) if own in ("next", "iter") else _argument(w, a) for a in node.args]
    if own in ("len", "sum") and node.args and isinstance(node.args[0], ast.Name):
        args[0] = node.args[0].id
    inside = ", ".join(args + [f"{k.arg}={_argument(w, k.value)}" for k in node.keywords])
    if isinstance(node.func, ast.Attribute):
        base = node.func.value
        name = source_of(base) if isinstance(base, ast.Name) else w.atom(base)
        name = f"({name})" if name.isdigit() else wrapped(name)
        left = f"{name}.{node.func.attr}({inside})"
    else:
        name = source_of(node.func)
        left = f"{name}({inside})"
    pieces: list[Piece] = []
    if w.spells:
        with contextlib.suppress(*_UNFIT):
            pieces = _piece(w, node, name)
    for form, slots in pieces:
        w.say(form, **{"e": left, "v": text, "b": text, "n": text, **slots})
    if not pieces or pieces[0][0] in ("has.keys", "has.items", "has.none"):
        if len(left) > 2 * VALUE_CHARS:
            raise NotShown("too long")
        w.result(left, value, text)
    return text


def _argument(w: Working, node: ast.expr) -> str:
    """An argument as its value; a function, or an iterator, as its source."""
    if isinstance(node, ast.Lambda | ast.Starred):
        return source_of(node)
    if isinstance(node, ast.Name) and not w.names.defines(node.id):
        return node.id
    if isinstance(node, ast.GeneratorExp):
        return _comprehension(w, node)
    try:
        short = show(w.value(node))
    except (Cannot, NotShown):
        return source_of(node)  # a function, an iterator, a long value
    if isinstance(node, ast.Name) and len(short) > _SHORT:
        return node.id
    return w.atom(node)


def _piece(w: Working, node: ast.Call, base: str) -> list[Piece]:
    """How a call's result comes about, by the first row that fits; empty where none does."""
    rows = ""
    if isinstance(node.func, ast.Name) and w.names.defines(base):  # it may do anything
        return []
    if isinstance(node.func, ast.Attribute) and not node.keywords:
        rows = _of_method(w, node, node.func)
    elif base == "sorted" and w.dense:
        rows = "keyed"
    elif base in ("len", "sum") and len(node.args) == 1 and not node.keywords:
        box, few = w.value(node.args[0]), 1 if base == "len" else 2
        listed = isinstance(box, list | tuple) or (base == "len" and isinstance(box, str))
        if listed and few < len(box) <= SPELL_UP_TO:
            rows = "table" if base == "len" else "sum"
    for row in rows.split():
        with contextlib.suppress(*_UNFIT):
            about = node.func.value if row.startswith("has") else node  # type: ignore[attr-defined]
            return [(row, w.slots(row, about, base))]
    return []


def _of_method(w: Working, node: ast.Call, func: ast.Attribute) -> str:
    """The rows that a method's call may have."""
    box, name, result = w.value(func.value), func.attr, w.value(node)
    rows = METHODS.get(type(box), {}).get(name, "")
    if w.dense:
        return rows if name != "pop" or isinstance(box, dict) else rows.split()[not node.args]
    if not isinstance(box, str):
        return ""
    if rows in ("becomes", "trims") and name not in _DENSELY:
        return "becomes"
    if name in FINDS and result > 0:
        return "table"
    alone = name == "count" and len(node.args) == 1 and len(w.value(node.args[0])) == 1
    return "counted.at" if alone and result else ""


METHODS: dict[type, dict[str, str]] = {str: {}, list: {}, dict: {}}
for _line in Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()[1:]:
    _kind, _rows, _names = _line.split(" | ")
    METHODS[TYPES[_kind]] |= dict.fromkeys(_names.split(), _rows)

_TELLERS: dict[type, Callable[[Working, Any], str]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Tuple: _display,
    ast.List: _display,
    ast.JoinedStr: _formatted,
    ast.Call: _call,
}
