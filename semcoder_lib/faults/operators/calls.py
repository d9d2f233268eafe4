"""Operators on calls: arguments, methods, built-ins, copies, loop bounds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from semcoder_lib.faults.operators.base import Edit, Place, code, moved, operator


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _with(node: ast.Call, args: list[ast.expr]) -> ast.Call:
    return ast.Call(node.func, args, node.keywords)


@operator("swapped_arguments", ast.Call)
def swapped_arguments(place: Place) -> Iterator[Edit]:
    """Two arguments of a call are exchanged."""
    node = place.node
    assert isinstance(node, ast.Call)
    if _called(node) in ("min", "max", "range", "print") or len(node.args) < 2:
        return
    for i in range(len(node.args) - 1):
        args = list(node.args)
        args[i], args[i + 1] = args[i + 1], args[i]
        if ast.dump(args[i]) != ast.dump(args[i + 1]):
            edited = _with(node, args)
            words = f"{code(edited)} has its arguments exchanged; it should be {code(node)}."
            yield Edit(edited, words)


@operator("loop_bound", ast.Call)
def loop_bound(place: Place) -> Iterator[Edit]:
    """A `range` begins or ends one step off, or loses its step."""
    node = place.node
    assert isinstance(node, ast.Call)
    if _called(node) != "range" or not node.args or len(node.args) > 3:
        return
    args = node.args
    made: list[tuple[list[ast.expr], str]] = []
    end = 0 if len(args) == 1 else 1
    for by, words in ((1, "stops one step too late"), (-1, "stops one step too early")):
        changed = list(args)
        changed[end] = moved(args[end], by)
        made.append((changed, words))
    if len(args) == 1:
        made.append(([ast.Constant(1), args[0]], "starts one step too late"))
    else:
        made.append(([moved(args[0], 1), *args[1:]], "starts one step too late"))
        made.append(([moved(args[0], -1), *args[1:]], "starts one step too early"))
    if len(args) == 3:
        made.append((list(args[:2]), "has lost its step"))
        if ast.unparse(args[2]).startswith("-"):
            words_and = ("starts one step too early", "starts one step too late")
            made[2:4] = [(made[2][0], words_and[0]), (made[3][0], words_and[1])]
            made[0:2] = [
                (made[0][0], "stops one step too early"),
                (made[1][0], "stops one step too late"),
            ]
    for changed, words in made:
        edited = _with(node, changed)
        yield Edit(edited, f"{code(edited)} {words}; it should be {code(node)}.")


_STRING_METHODS: dict[str, tuple[str, ...]] = {
    "upper": ("lower",),
    "lower": ("upper",),
    "strip": ("lstrip", "rstrip"),
    "lstrip": ("strip", "rstrip"),
    "rstrip": ("strip", "lstrip"),
    "startswith": ("endswith",),
    "endswith": ("startswith",),
    "find": ("rfind",),
    "rfind": ("find",),
    "index": ("rindex",),
    "isdigit": ("isalpha",),
    "isalpha": ("isalnum",),
    "isalnum": ("isalpha",),
    "isupper": ("islower",),
    "islower": ("isupper",),
    "title": ("capitalize",),
    "capitalize": ("title", "upper"),
    "swapcase": ("upper",),
    "split": ("rsplit", "partition"),
    "rsplit": ("split",),
    "partition": ("rpartition",),
    "rpartition": ("partition",),
    "ljust": ("rjust",),
    "rjust": ("ljust",),
}
_COLLECTION_METHODS: dict[str, tuple[str, ...]] = {
    "append": ("extend",),
    "extend": ("append",),
    "add": ("discard",),
    "keys": ("values",),
    "values": ("keys",),
    "union": ("intersection",),
    "intersection": ("union",),
    "difference": ("symmetric_difference",),
    "appendleft": ("append",),
    "popleft": ("pop",),
}


def _renamed(node: ast.Call, table: dict[str, tuple[str, ...]]) -> Iterator[ast.Call]:
    if isinstance(node.func, ast.Attribute):
        for name in table.get(node.func.attr, ()):
            func = ast.Attribute(node.func.value, name, ast.Load())
            yield ast.Call(func, node.args, node.keywords)


@operator("wrong_string_method", ast.Call)
def wrong_string_method(place: Place) -> Iterator[Edit]:
    """A string method is mistaken for a similar one."""
    node = place.node
    assert isinstance(node, ast.Call)
    for edited in _renamed(node, _STRING_METHODS):
        yield Edit(edited, f"{code(edited)} calls the wrong method; it should be {code(node)}.")


@operator("wrong_collection_method", ast.Call)
def wrong_collection_method(place: Place) -> Iterator[Edit]:
    """A method of a list, set, dict or deque is mistaken for a similar one."""
    node = place.node
    assert isinstance(node, ast.Call)
    for edited in _renamed(node, _COLLECTION_METHODS):
        yield Edit(edited, f"{code(edited)} calls the wrong method; it should be {code(node)}.")
    if isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
        edited = ast.Call(node.func, [ast.Constant(0)], [])
        yield Edit(edited, f"{code(edited)} takes the first element; it should be {code(node)}.")


_BUILTINS: dict[str, tuple[str, ...]] = {
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "sum": ("len", "max"),
    "len": ("sum",),
    "sorted": ("list",),
    "set": ("list",),
    "reversed": ("list",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "round": ("int",),
    "chr": ("str",),
    "zip": ("enumerate",),
}


@operator("wrong_builtin", ast.Call)
def wrong_builtin(place: Place) -> Iterator[Edit]:
    """A built-in function is mistaken for a related one."""
    node = place.node
    assert isinstance(node, ast.Call)
    for name in _BUILTINS.get(_called(node), ()):
        keywords = [] if name == "list" else node.keywords
        edited = ast.Call(ast.Name(name, ast.Load()), node.args, keywords)
        yield Edit(edited, f"{code(edited)} calls the wrong function; it should be {code(node)}.")


@operator("missing_conversion", ast.Call)
def missing_conversion(place: Place) -> Iterator[Edit]:
    """A value is used without being converted or without its absolute value."""
    node = place.node
    assert isinstance(node, ast.Call)
    names = ("int", "str", "float", "abs", "bool", "tuple", "ord", "round", "len")
    if _called(node) in names and len(node.args) == 1 and not node.keywords:
        edited = node.args[0]
        yield Edit(edited, f"{code(edited)} is not converted; it should be {code(node)}.")


@operator("missing_argument", ast.Call)
def missing_argument(place: Place) -> Iterator[Edit]:
    """An optional argument (`reverse=True`, `key=...`, a start, a default) is forgotten."""
    node = place.node
    assert isinstance(node, ast.Call)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            edited = ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
            yield Edit(
                edited,
                f"{code(edited)} forgets `{ast.unparse(keyword)}`; it should be {code(node)}.",
            )
    method = node.func.attr if isinstance(node.func, ast.Attribute) else _called(node)
    if method in ("get", "enumerate", "sum", "split", "pop", "round", "count") and (
        len(node.args) > (1 if method in ("get", "enumerate", "sum", "round") else 0)
    ):
        edited = _with(node, node.args[:-1])
        words = f"{code(edited)} forgets `{ast.unparse(node.args[-1])}`; it should be {code(node)}."
        yield Edit(edited, words)


@operator("aliasing", ast.Call, ast.Subscript)
def aliasing(place: Place) -> Iterator[Edit]:
    """The same object is used where a copy is needed."""
    node = place.node
    original: ast.expr | None = None
    if isinstance(node, ast.Call):
        func = node.func
        if _called(node) in ("list", "dict", "set", "deepcopy", "copy") and len(node.args) == 1:
            original = node.args[0]
        elif isinstance(func, ast.Attribute) and func.attr in ("copy", "deepcopy"):
            original = node.args[0] if node.args else func.value
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        cut = node.slice
        if cut.lower is None and cut.upper is None and cut.step is None:
            original = node.value
    if isinstance(original, ast.Name | ast.Subscript | ast.Attribute):
        words = f"{code(original)} is the same object, not a copy; it should be {code(node)}."
        yield Edit(original, words)
