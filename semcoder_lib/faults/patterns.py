"""The engine of the operators: where a pattern fits in a program, and what its row makes of it.

A pattern is Python. A capital letter stands for an expression: A to E any, V one that is no
constant, N a whole number, R another float than 0, Q a short text, X a name, I a name or sum, T a
bare condition, P what can be copied, F a conversion. In a block, S stands for one statement, a
doubled letter for several (EE also for none). `A + 1` is written as a person would: `n - 1` and 1
make `n`.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib.faults.operators import REWRITES, SWAPS

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bindings = dict[str, Any]


@dataclass(slots=True)
class Place:
    """A node, where it hangs (`parent.field`, or `parent.field[index]`), and what is around it:
    the function's parameters and the names that it assigns, the loops, the whole program."""

    node: Any
    parent: Any
    name: str
    index: int | None
    parameters: tuple[str, ...]
    assigned: tuple[str, ...]
    loops: tuple[ast.For | ast.While, ...]
    tree: ast.Module

    @property
    def block(self) -> list[ast.stmt]:
        """The statements that a statement is among (none for an expression)."""
        inside = isinstance(self.node, ast.stmt) and self.index is not None
        return list(getattr(self.parent, self.name)) if inside else []

    @property
    def after(self) -> list[ast.stmt]:
        """The statements that follow in the same block."""
        return self.block[(self.index or 0) + 1 :]


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of a node, or of the `takes` statements from it on. It may share nodes
    with the program. `phrase` says what is wrong then."""

    new: ast.AST | list[ast.stmt]
    phrase: str = ""
    takes: int = 1


def places(tree: ast.Module) -> Iterator[Place]:
    """Every node with its surroundings, in source order of its parents. Annotations, decorators,
    docstrings and imports are left out: a change there is no bug."""
    yield from _walk(tree, Place(tree, None, "", None, (), (), (), tree))


_SKIPPED = {"annotation", "returns", "decorator_list", "type_params", "ctx", "type_comment"}


def _walk(node: ast.AST, here: Place) -> Iterator[Place]:
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children if name not in _SKIPPED else ()):
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            index = i if isinstance(value, list) else None
            names = here.parameters, here.assigned
            yield Place(child, node, name, index, *names, here.loops, here.tree)
            loops = here.loops
            if isinstance(child, Function):
                names, loops = _names(child), ()
            elif isinstance(child, ast.For | ast.While):
                loops = (*loops, child)
            yield from _walk(child, Place(child, node, name, index, *names, loops, here.tree))


def _names(function: Function) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters of a function, and the other names that it assigns (comprehensions aside)."""
    a = function.args
    parameters = tuple(p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs))
    nodes = list(ast.walk(function))
    targets = [n.target for n in nodes if isinstance(n, ast.comprehension)]
    inner = {id(n) for target in targets for n in ast.walk(target)}
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
              and id(n) not in inner and n.id not in parameters]  # fmt: skip
    return parameters, tuple(dict.fromkeys(stored))


# --- what the letters stand for -------------------------------------------------------------------


def is_int(node: ast.AST | None) -> bool:
    """An integer literal, negative ones included (not True or False)."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) is int


def number(value: int) -> ast.expr:
    """The literal of an integer."""
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def int_of(node: Any) -> int:
    """The value of an integer literal (see `is_int`)."""
    return -int_of(node.operand) if isinstance(node, ast.UnaryOp) else int(node.value)


def moved(node: ast.expr, by: int) -> ast.expr:
    """`node + by`, written the way a person would: `n` -> `n - 1`, `n + 1` -> `n`, `3` -> `4`."""
    if is_int(node):
        return number(int_of(node) + by)
    sum_ = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    if isinstance(node, ast.BinOp) and sum_ and is_int(node.right):
        step = int_of(node.right) * (1 if isinstance(node.op, ast.Add) else -1) + by
        return moved(node.left, step) if step else node.left
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


_CONVERSIONS = {"int", "str", "float", "abs", "bool", "tuple", "ord", "round", "len"}


def _constant(node: Any, kind: type) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is kind


_LETTERS: dict[str, Callable[[Any], bool]] = {
    **{letter: lambda node: isinstance(node, ast.expr) for letter in "ABCDE"},
    "V": lambda node: isinstance(node, ast.expr) and not isinstance(node, ast.Constant),
    "N": is_int,
    "R": lambda node: _constant(node, float) and node.value != 0,
    "Q": lambda node: _constant(node, str) and 0 < len(node.value) < 3,
    "X": lambda node: isinstance(node, ast.Name),
    "I": lambda node: isinstance(node, ast.Name | ast.BinOp),
    "T": lambda node: isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript),
    "P": lambda node: isinstance(node, ast.Name | ast.Subscript | ast.Attribute),
    "F": lambda node: isinstance(node, ast.Name) and node.id in _CONVERSIONS,
    "S": lambda node: isinstance(node, ast.stmt),
}


def _letter(node: Any) -> str:
    """The letter that a part of a pattern is, or nothing."""
    node = node.value if isinstance(node, ast.Expr) else node
    name = node.id if isinstance(node, ast.Name) else ""
    return name if name in _LETTERS or (len(name) == 2 and name == name[0] * 2) else ""


def fits(pattern: Any, node: Any, found: Bindings) -> bool:
    """Whether a node is of the pattern; enters in `found` what its letters stand for."""
    if isinstance(pattern, list):
        return isinstance(node, list) and _all_fit(pattern, node, found)
    if letter := _letter(pattern):
        known = found.setdefault(letter, node)
        return _LETTERS[letter](node) and (known is node or ast.unparse(known) == ast.unparse(node))
    if not isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and pattern == node
    return type(pattern) is type(node) and all(
        fits(value, getattr(node, name), found)
        for name, value in ast.iter_fields(pattern)
        if name not in ("ctx", "kind", "type_comment")
    )


def _all_fit(patterns: list[Any], nodes: list[Any], found: Bindings) -> bool:
    letter = _letter(patterns[0]) if patterns else ""
    if len(letter) == 2:  # the rest of the patterns stand for the last nodes
        rest = len(patterns) - 1
        head = nodes[: len(nodes) - rest]
        found[letter] = head
        return (len(head) > 0 or letter == "EE") and _all_fit(
            patterns[1:], nodes[len(head) :], found
        )
    return len(patterns) == len(nodes) and all(map(fits, patterns, nodes, [found] * len(nodes)))


def filled(pattern: Any, found: Bindings) -> Any:
    """What a row makes: the pattern with its letters replaced."""
    if isinstance(pattern, list):
        parts = [filled(part, found) for part in pattern]
        return [n for part in parts for n in (part if isinstance(part, list) else [part])]
    if letter := _letter(pattern):
        node = found[letter]
        statement = isinstance(pattern, ast.Expr) and isinstance(node, ast.expr)
        return ast.Expr(node) if statement else node
    if isinstance(pattern, ast.BinOp) and _letter(pattern.left) and is_int(pattern.right):
        by = int_of(pattern.right)
        return moved(found[_letter(pattern.left)], by if isinstance(pattern.op, ast.Add) else -by)
    if not isinstance(pattern, ast.AST):
        return pattern
    new = copy.copy(pattern)
    for name, value in ast.iter_fields(pattern):
        setattr(new, name, filled(value, found))
    return new


# --- where a row holds ----------------------------------------------------------------------------


def not_in_while(place: Place) -> bool:
    """Not what moves a `while` loop on: without it the loop would never end."""
    return not (place.loops and isinstance(place.loops[-1], ast.While))


def _counted(place: Place) -> bool:
    """Not where another operator changes the number: a sign, a slice, a start, a range."""
    parent = place.parent
    ranged = isinstance(parent, ast.Call) and ast.unparse(parent.func) == "range"
    return not ranged and not isinstance(parent, ast.UnaryOp | ast.Slice | ast.Assign)


def _last_goes_on(place: Place) -> bool:
    jumps = ast.Break | ast.Continue
    last = place.node.body[-1]
    return not isinstance(last, ast.Return) and not any(
        isinstance(n, jumps) for n in ast.walk(last)
    )


_WHERE: dict[str, Callable[[Place], bool]] = {
    "": lambda place: True,
    "counted": _counted,
    "in_for": lambda place: isinstance(place.loops[-1], ast.For),
    "last_goes_on": _last_goes_on,
    "not_alone": lambda place: len(place.block) > 1,
    "not_in_while": not_in_while,
}


# --- the rows, ready to be used -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    operator: str
    matches: list[Any]
    makes: Any
    phrase: str
    where: Callable[[Place], bool]


@functools.cache
def _rows() -> dict[type[ast.AST], list[_Row]]:
    """The rows of `operators.REWRITES` by the type of the node that they start at."""
    rows: dict[type[ast.AST], list[_Row]] = {}
    for operator, matches, makes, phrase, where in REWRITES:
        pattern = _parsed(matches)
        new: Any = _parsed(makes) if makes != "nothing" else []
        if isinstance(pattern[0], ast.Expr):
            pattern, new = [pattern[0].value], new[0].value
        row = _Row(operator, pattern, new, phrase, _WHERE[where])
        kinds = (ast.Constant, ast.UnaryOp) if _letter(pattern[0]) == "N" else (type(pattern[0]),)
        for kind in kinds:
            rows.setdefault(kind, []).append(row)
    return rows


def _parsed(text: str) -> list[Any]:
    """Statements, also such as stand in a function's loop only. `Any` for Python 3.11's fields."""
    indented = "\n".join(f"  {line}" for line in text.split("\n"))
    loop: Any = ast.parse(f"def f():\n while 1:\n{indented}").body[0]
    return list(loop.body[0].body)


def rewrites(place: Place) -> Iterator[tuple[str, Edit]]:
    """What the tables make of a place, with the operators' names."""
    if isinstance(getattr(place.node, "ctx", None), ast.Store | ast.Del):
        return
    for row in _rows().get(type(place.node), ()):
        nodes = [place.node, *place.after[: len(row.matches) - 1]]
        found: Bindings = {}
        if fits(row.matches, nodes, found) and row.where(place):
            yield row.operator, Edit(filled(row.makes, found), row.phrase, len(nodes))
    key = _key(place.node)
    for operator, old, new, phrase in SWAPS if key else ():
        if old == key:
            yield operator, Edit(_swapped(place.node, new), phrase)


_SYMBOLS: dict[str, type[ast.AST]] = {
    "+": ast.Add, "-": ast.Sub, "*": ast.Mult, "%": ast.Mod, "//": ast.FloorDiv, "**": ast.Pow,
    "&": ast.BitAnd, "|": ast.BitOr, "^": ast.BitXor, "<<": ast.LShift, ">>": ast.RShift,
    "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE, "==": ast.Eq, "!=": ast.NotEq,
    "in": ast.In, "not_in": ast.NotIn, "is": ast.Is, "is_not": ast.IsNot,
    "and": ast.And, "or": ast.Or,
}  # fmt: skip


_TOKENS = {kind: token for token, kind in _SYMBOLS.items()}


def _key(node: Any) -> str:
    """What `_SWAPS` call a node: by its operator, its method (`.upper`) or its function."""
    if isinstance(node, ast.Compare):
        return _TOKENS[type(node.ops[0])]
    if isinstance(node, ast.BoolOp | ast.BinOp):
        formatted = isinstance(node, ast.BinOp) and _constant(node.left, str)
        return "" if formatted else _TOKENS.get(type(node.op), "")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return f".{node.func.attr}"
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _swapped(node: Any, new: str) -> ast.AST:
    edited: Any = copy.copy(node)
    if isinstance(node, ast.Compare):
        edited.ops = [_SYMBOLS[new](), *node.ops[1:]]
    elif not isinstance(node, ast.Call):
        edited.op = _SYMBOLS[new]()
    elif new.startswith("."):
        edited.func = ast.Attribute(edited.func.value, new[1:], ast.Load())
    else:
        edited.func = ast.Name(new, ast.Load())
        edited.keywords = [] if new == "list" else node.keywords
    return edited
