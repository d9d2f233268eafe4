"""Operators that no pattern can say: they look at what is around a place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from semcoder_lib.faults.operators import OPERATORS
from semcoder_lib.faults.patterns import Edit, Place, is_int, moved, not_in_while, number

Search = Callable[[Place], Iterator[Edit]]
# by the type of node: (operator, phrase, search)
SEARCHES: dict[type[ast.AST], list[tuple[str, str, Search]]] = {}


def searches(operator: str, phrase: str, *kinds: type[ast.AST]) -> Callable[[Search], Search]:
    """Enters a generator of edits, without their phrase, for a row of `operators.OPERATORS`."""

    def enter(search: Search) -> Search:
        for kind in kinds:
            SEARCHES.setdefault(kind, []).append((OPERATORS[operator].name, phrase, search))
        return search

    return enter


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def _without(items: list[Any], at: int) -> list[Any]:
    return items[:at] + items[at + 1 :]


@searches("missing_condition", "a part of the condition is missing", ast.BoolOp)
def _missing_condition(place: Place) -> Iterator[Edit]:
    values = place.node.values
    for i in range(len(values)):
        rest = _without(values, i)
        new = rest[0] if len(rest) == 1 else ast.BoolOp(place.node.op, rest)
        yield Edit(new)


@searches("wrong_variable", "this is the wrong variable", ast.Name)
def _wrong_variable(place: Place) -> Iterator[Edit]:
    names = [*dict.fromkeys((*place.parameters, *place.assigned))]
    if isinstance(place.node.ctx, ast.Load) and place.node.id in names:
        near = names.index(place.node.id)
        others = [n for n in names if n != place.node.id]
        for other in sorted(others, key=lambda n: abs(names.index(n) - near))[:3]:
            yield Edit(ast.Name(other, ast.Load()))


@searches("wrong_key", "this is the wrong key", ast.Subscript)
def _wrong_key(place: Place) -> Iterator[Edit]:
    node, key = place.node, place.node.slice
    if isinstance(key, ast.Constant | ast.Name) and not is_int(key):
        slices = [n.slice for n in ast.walk(place.tree) if isinstance(n, ast.Subscript)]
        others = {ast.unparse(s): s for s in slices if type(s) is type(key) and not is_int(s)}
        others.pop(ast.unparse(key), None)
        for new in others.values():
            yield Edit(ast.Subscript(node.value, new, node.ctx))


@searches("wrong_slice", "this is the wrong part", ast.Subscript)
def _wrong_slice(place: Place) -> Iterator[Edit]:
    node, cut = place.node, place.node.slice
    if not isinstance(cut, ast.Slice) or not isinstance(node.ctx, ast.Load):
        return
    lower, upper, step = cut.lower, cut.upper, cut.step
    bounds: list[tuple[Any, Any, Any]] = []
    if lower is not None:
        bounds += [(moved(lower, by), upper, step) for by in (1, -1)] + [(None, upper, step)]
    elif step is None and upper is not None:
        bounds.append((ast.Constant(1), upper, None))
    if upper is not None:
        bounds += [(lower, moved(upper, by), step) for by in (1, -1)]
    if step is not None:
        bounds.append((lower, upper, None))
    for new in bounds:
        yield Edit(ast.Subscript(node.value, ast.Slice(*new), ast.Load()))


@searches("wrong_text", "this is the wrong text", ast.Constant)
def _wrong_text(place: Place) -> Iterator[Edit]:
    text, parent = place.node.value, place.parent
    elsewhere = ast.JoinedStr | ast.Dict | ast.FormattedValue | ast.Subscript | ast.Assign
    if not isinstance(text, str) or len(text) > 8 or isinstance(parent, elsewhere):
        return
    new = text.swapcase() if text.isalpha() else "" if text else " "
    if not new and isinstance(parent, ast.Call) and "split" in ast.unparse(parent.func):
        new = "," if text != "," else " "
    yield Edit(ast.Constant(new))


@searches("missing_filter", "the comprehension lacks a filter", ast.comprehension)
def _missing_filter(place: Place) -> Iterator[Edit]:
    node = place.node
    for i in range(len(node.ifs)):
        new = ast.comprehension(node.target, node.iter, _without(node.ifs, i), node.is_async)
        yield Edit(new)


@searches("swapped_arguments", "two arguments are exchanged", ast.Call)
def _swapped_arguments(place: Place) -> Iterator[Edit]:
    node = place.node
    if isinstance(node.func, ast.Name) and node.func.id in ("min", "max", "range", "print"):
        return
    for i, (a, b) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if ast.dump(a) != ast.dump(b):
            args = [*node.args[:i], b, a, *node.args[i + 2 :]]
            yield Edit(ast.Call(node.func, args, node.keywords))


_LEAST = {"get": 1, "enumerate": 1, "sum": 1, "round": 1, "split": 0, "pop": 0, "count": 0}


@searches("missing_argument", "an argument is missing", ast.Call)
def _missing_argument(place: Place) -> Iterator[Edit]:
    node = place.node
    for i, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            new = ast.Call(node.func, node.args, _without(node.keywords, i))
            yield Edit(new)
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if len(node.args) > _LEAST.get(name, 99):
        yield Edit(ast.Call(node.func, node.args[:-1], node.keywords))


@searches("extra_branch", "an extra check returns None where a result is needed", ast.Return)
def _extra_branch(place: Place) -> Iterator[Edit]:
    if place.node.value is not None:
        for name in place.parameters[:2]:
            guard: Any = ast.parse(f"if not {name}:\n    return None").body[0]
            yield Edit([guard, place.node])


@searches("missing_statement", "a statement is missing", ast.Assign, ast.AugAssign, ast.Expr)
def _missing_statement(place: Place) -> Iterator[Edit]:
    if len(place.block) < 2 or not not_in_while(place):
        return
    if isinstance(place.node, ast.Assign):
        # Only where the name has a value already: a NameError would be no realistic bug.
        before = place.block[: place.index or 0]
        known = set(place.parameters).union(*[_names(s, ast.Store) for s in before])
        known |= set(place.assigned) if place.loops else set()
        if not _names(place.node, ast.Store) <= known:
            return
    yield Edit([])


@searches(
    "wrong_order",
    "two statements stand in the wrong order",
    ast.Assign,
    ast.AugAssign,
    ast.Expr,
    ast.If,
)
def _wrong_order(place: Place) -> Iterator[Edit]:
    node, jumps = place.node, ast.Return | ast.Break | ast.Continue | ast.FunctionDef
    if not isinstance(place.parent, ast.For | ast.If) or not place.after:
        return
    following = place.after[0]
    depends = _names(node, ast.Store) & _names(following, ast.Load) or (
        _names(following, ast.Store) & _names(node, ast.Load)
    )
    if depends and not isinstance(following, jumps):
        yield Edit([following, node], takes=2)


@searches("swallowed_exception", "the handler only passes", ast.ExceptHandler)
def _passing_handler(place: Place) -> Iterator[Edit]:
    node = place.node
    if not all(isinstance(s, ast.Pass) for s in node.body):
        yield Edit(ast.ExceptHandler(node.type, node.name, [ast.Pass()]))


@searches("swallowed_exception", "the handler returns None", ast.Return)
def _empty_handler(place: Place) -> Iterator[Edit]:
    if isinstance(place.parent, ast.ExceptHandler):
        yield Edit(ast.Return(ast.Constant(None)))


@searches("mutated_default", "a default is wrong", ast.FunctionDef)
def _wrong_default(place: Place) -> Iterator[Edit]:
    old = place.node.args.defaults
    for i, default in enumerate(old):
        new = _other_default(default)
        if new is not None:
            yield Edit(_with(place.node, defaults=[*old[:i], new, *old[i + 1 :]]))


@searches("mutated_default", "the default is made once and shared by all calls", ast.FunctionDef)
def _shared_default(place: Place) -> Iterator[Edit]:
    """`def f(a): seen = [] ...` becomes `def f(a, seen=[]): ...`."""
    node, args = place.node, place.node.args
    match node.body:
        case [ast.Assign([ast.Name(name)], value), _, *_] if ast.unparse(value) in (
            "[]",
            "{}",
            "set()",
            "list()",
            "dict()",
        ) and not (args.vararg or args.kwonlyargs):
            edited = _with(node, args=[*args.args, ast.arg(name)], defaults=[*args.defaults, value])
            edited.body = node.body[1:]
            yield Edit(edited)


def _with(node: ast.FunctionDef, **changes: Any) -> ast.FunctionDef:
    """The function with other arguments."""
    fields = {**dict(ast.iter_fields(node.args)), **changes}
    return ast.FunctionDef(**{**dict(ast.iter_fields(node)), "args": ast.arguments(**fields)})


def _other_default(node: ast.expr) -> ast.expr | None:
    if is_int(node):
        return number(1 if ast.unparse(node) == "0" else 0)
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool):
        return ast.Constant(not value)
    if isinstance(value, str):
        return ast.Constant("" if value else " ")
    return None
