"""The engine of the operators: where their rows fit in a program, and what they make of it.

A pattern is Python. A capital letter stands for an expression: A to E any, V one that is no
constant, N a whole number, R another float than 0, Q a short text, X a name, I a name or sum, T a
bare condition, P what can be copied, F a conversion. S and Z stand for one statement, a doubled
letter for several (EE also for none). `A + 1` is written as a person would: `n - 1` and 1 make `n`.
"""

from __future__ import annotations

import ast
import copy
import functools
import keyword
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.faults.operators import ROWS

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bindings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A node, where it hangs (`parent.field`, or `parent.field[index]`), and what is around it:
    the function's parameters and the names that it assigns, the loops, the whole program."""

    node: Any
    parent: Any
    field: str
    index: int | None
    parameters: tuple[str, ...]
    assigned: tuple[str, ...]
    loops: tuple[ast.For | ast.While, ...]
    tree: ast.Module

    @property
    def block(self) -> list[ast.stmt]:
        """The statements that a statement is among (none for an expression)."""
        inside = isinstance(self.node, ast.stmt) and self.index is not None
        return list(getattr(self.parent, self.field)) if inside else []

    @property
    def after(self) -> list[ast.stmt]:
        """The statements that follow in the same block."""
        return self.block[(self.index or 0) + 1 :]


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of a node, or of the `takes` statements from it on. It may share nodes
    with the program. `phrase` says what is wrong then."""

    operator: str
    place: Place
    new: ast.AST | list[ast.stmt]
    phrase: str
    takes: int = 1


def edits(tree: ast.Module) -> Iterator[Edit]:
    """Everything that the operators could do to a program: place by place, in source order of the
    parents, and in the table's order at each."""
    for place in _places(Place(tree, None, "", None, (), (), (), tree)):
        yield from _rewritten(place)
        yield from _swapped(place)
        for name, search in SEARCHES.items():
            for new in search(place):
                yield Edit(_SEARCHED[name][0], place, new, _SEARCHED[name][1])


_SKIPPED = {"annotation", "returns", "decorator_list", "type_params", "ctx", "type_comment"}


def _places(here: Place) -> Iterator[Place]:
    """Every node below a place. Annotations, decorators, docstrings and imports are left out: a
    change there is no bug."""
    for field, value in ast.iter_fields(here.node):
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children if field not in _SKIPPED else ()):
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            index = i if isinstance(value, list) else None
            place = replace(here, node=child, parent=here.node, field=field, index=index)
            yield place
            if isinstance(child, Function):
                parameters, assigned = _variables(child)
                place = replace(place, parameters=parameters, assigned=assigned, loops=())
            elif isinstance(child, ast.For | ast.While):
                place = replace(place, loops=(*place.loops, child))
            yield from _places(place)


def _variables(function: Function) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters of a function, and the other names that it assigns (comprehensions aside)."""
    a = function.args
    parameters = tuple(p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs))
    nodes = list(ast.walk(function))
    targets = [n.target for n in nodes if isinstance(n, ast.comprehension)]
    inner = {id(n) for target in targets for n in ast.walk(target)}
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
              and id(n) not in inner and n.id not in parameters]  # fmt: skip
    return parameters, tuple(dict.fromkeys(stored))


def _with(node: Any, **fields: Any) -> Any:
    """The node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


# --- rows with patterns ---------------------------------------------------------------------------


def is_int(node: ast.AST | None) -> bool:
    """An integer literal, negative ones included (not True or False)."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return _constant(node, int)


def _constant(node: Any, kind: type) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is kind


def moved(node: ast.expr, by: int) -> ast.expr:
    """`node + by`, written the way a person would: `n` -> `n - 1`, `n + 1` -> `n`, `3` -> `4`."""
    if is_int(node):
        return ast.parse(str(ast.literal_eval(node) + by), mode="eval").body
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right) if is_int(right):
            step = ast.literal_eval(right) * (1 if isinstance(sign, ast.Add) else -1) + by
            return moved(left, step) if step else left
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


_CONVERSIONS = {"int", "str", "float", "abs", "bool", "tuple", "ord", "round", "len"}
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
    "Z": lambda node: isinstance(node, ast.stmt),
}
# what a row that is a letter alone can start at
_KINDS = {
    "N": (ast.Constant, ast.UnaryOp),
    "S": (ast.Assign, ast.AugAssign, ast.Expr, ast.If),
}


def _letter(node: Any) -> str:
    """The letter that a part of a pattern is, or nothing."""
    node = node.value if isinstance(node, ast.Expr) else node
    name = node.id if isinstance(node, ast.Name) else ""
    return name if name in _LETTERS or (len(name) == 2 and name == name[0] * 2) else ""


def fits(pattern: Any, node: Any, bound: Bindings) -> bool:
    """Whether a node is of the pattern; enters in `bound` what its letters stand for."""
    if isinstance(pattern, list):
        return isinstance(node, list) and _all_fit(pattern, node, bound)
    if letter := _letter(pattern):
        known = bound.setdefault(letter, node)
        return _LETTERS[letter](node) and (known is node or ast.unparse(known) == ast.unparse(node))
    if not isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and pattern == node
    return type(pattern) is type(node) and all(
        fits(value, getattr(node, name), bound)
        for name, value in ast.iter_fields(pattern)
        if name not in ("ctx", "kind", "type_comment")
    )


def _all_fit(patterns: list[Any], nodes: list[Any], bound: Bindings) -> bool:
    letter = _letter(patterns[0]) if patterns else ""
    if len(letter) == 2:  # the rest of the patterns stand for the last nodes
        at = max(len(nodes) - len(patterns) + 1, 0)
        bound[letter] = nodes[:at]
        return (at > 0 or letter == "EE") and _all_fit(patterns[1:], nodes[at:], bound)
    return len(patterns) == len(nodes) and all(map(fits, patterns, nodes, [bound] * len(nodes)))


def filled(pattern: Any, bound: Bindings) -> Any:
    """What a row makes: the pattern with its letters replaced."""
    if isinstance(pattern, list):
        parts = [filled(part, bound) for part in pattern]
        return [n for part in parts for n in (part if isinstance(part, list) else [part])]
    if letter := _letter(pattern):
        node = bound[letter]
        statement = isinstance(pattern, ast.Expr) and isinstance(node, ast.expr)
        return ast.Expr(node) if statement else node
    if isinstance(pattern, ast.BinOp) and _letter(pattern.left) and is_int(pattern.right):
        by = ast.literal_eval(pattern.right)
        return moved(bound[_letter(pattern.left)], by if isinstance(pattern.op, ast.Add) else -by)
    if not isinstance(pattern, ast.AST):
        return pattern
    return _with(pattern, **{name: filled(v, bound) for name, v in ast.iter_fields(pattern)})


@dataclass(frozen=True, slots=True)
class _Row:
    operator: str
    matches: list[Any]
    makes: Any
    phrase: str
    where: Callable[[Place], bool]


@functools.cache
def _rows() -> dict[type[ast.AST], list[_Row]]:
    """The rows with patterns, by the type of the node that they start at."""
    rows: dict[type[ast.AST], list[_Row]] = {}
    for operator, matches, makes, phrase, *where in (r for r in ROWS if len(r) > 3):
        pattern, new = _parsed(matches), _parsed(makes) if makes != "nothing" else []
        if isinstance(pattern[0], ast.Expr) and _letter(pattern[0]) != "S":
            pattern, new = [pattern[0].value], new[0].value
        row = _Row(operator, pattern, new, phrase, WHERE[where[0]] if where else bool)
        for kind in _KINDS.get(_letter(pattern[0]), (type(pattern[0]),)):
            rows.setdefault(kind, []).append(row)
    return rows


def _parsed(text: str) -> list[Any]:
    """Statements, also such as stand in a function's loop only. `Any` for Python 3.11's fields."""
    indented = "\n".join(f"  {line}" for line in text.split("\n"))
    loop: Any = ast.parse(f"def f():\n while 1:\n{indented}").body[0]
    return list(loop.body[0].body)


def _rewritten(place: Place) -> Iterator[Edit]:
    """What the rows with patterns make of a place."""
    if isinstance(getattr(place.node, "ctx", None), ast.Store | ast.Del):
        return
    for row in _rows().get(type(place.node), ()):
        nodes = [place.node, *place.after[: len(row.matches) - 1]]
        bound: Bindings = {}
        if fits(row.matches, nodes, bound) and row.where(place):
            yield Edit(row.operator, place, filled(row.makes, bound), row.phrase, len(nodes))


# --- where a row holds ----------------------------------------------------------------------------


def _counted(place: Place) -> bool:
    """Not where another operator changes the number: a sign, a slice, a start, a range."""
    parent = place.parent
    ranged = isinstance(parent, ast.Call) and ast.unparse(parent.func) == "range"
    return not ranged and not isinstance(parent, ast.UnaryOp | ast.Slice | ast.Assign)


def _last_goes_on(place: Place) -> bool:
    last = place.node.body[-1]
    jumps = (n for n in ast.walk(last) if isinstance(n, ast.Break | ast.Continue))
    return not isinstance(last, ast.Return) and not any(jumps)


def _not_in_while(place: Place) -> bool:
    """Not what moves a `while` loop on: without it the loop would never end."""
    return not (place.loops and isinstance(place.loops[-1], ast.While))


def _can_be_missed(place: Place) -> bool:
    """An assignment only where the name has a value already: a NameError is no realistic bug."""
    node = place.node
    if isinstance(node, ast.If) or len(place.block) < 2 or not _not_in_while(place):
        return False
    before = place.block[: place.index or 0]
    known = set(place.parameters).union(*[_names(s, ast.Store) for s in before])
    known |= set(place.assigned) if place.loops else set()
    return not isinstance(node, ast.Assign) or _names(node, ast.Store) <= known


def _depends(place: Place) -> bool:
    """Of this statement and the next one, in a loop or branch, one reads what the other sets."""
    node, following = place.node, place.after[0]
    jumps = ast.Return | ast.Break | ast.Continue | ast.FunctionDef
    if not isinstance(place.parent, ast.For | ast.If) or isinstance(following, jumps):
        return False
    pairs = ((node, following), (following, node))
    return any(_names(a, ast.Store) & _names(b, ast.Load) for a, b in pairs)


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


WHERE: dict[str, Callable[[Place], bool]] = {
    "can_be_missed": _can_be_missed,
    "counted": _counted,
    "depends": _depends,
    "in_for": lambda place: isinstance(place.loops[-1], ast.For),
    "last_goes_on": _last_goes_on,
    "not_alone": lambda place: len(place.block) > 1,
    "not_in_while": _not_in_while,
}

# --- rows that exchange an operator, a method or a function ---------------------------------------


def _sample(word: str) -> Any:
    """An expression with this operator, or a call of this method or function."""
    words = word.split("_")
    if word.startswith("."):
        text = f"a{word}()"
    elif word.isidentifier() and not keyword.iskeyword(words[0]):
        text = f"{word}()"
    else:
        text = f"a {' '.join(words)} b"
    return ast.parse(text, mode="eval").body


def _key(node: Any) -> str:
    """What the rows exchange in a node: the type of its operator, its method or its function."""
    match node:
        case ast.Compare():
            return type(node.ops[0]).__name__
        case ast.BoolOp() | ast.BinOp():
            formatted = isinstance(node, ast.BinOp) and _constant(node.left, str)
            return "" if formatted else type(node.op).__name__
        case ast.Call(ast.Attribute(_, name)):
            return f".{name}"
        case ast.Call(ast.Name(name)):
            return f"{name}()"
    return ""


@functools.cache
def _swaps() -> dict[str, list[tuple[str, Any, str]]]:
    """(operator, a sample of what takes its place, phrase) by the key of what is exchanged."""
    swaps: dict[str, list[tuple[str, Any, str]]] = {}
    for operator, pairs, phrase in (row for row in ROWS if len(row) == 3 and ":" in row[1]):
        for old, new in (pair.split(":") for pair in pairs.split()):
            swaps.setdefault(_key(_sample(old)), []).append((operator, _sample(new), phrase))
    return swaps


def _swapped(place: Place) -> Iterator[Edit]:
    node = place.node
    for operator, sample, phrase in _swaps().get(_key(node), ()):
        if isinstance(node, ast.Compare):
            new = _with(node, ops=[*sample.ops, *node.ops[1:]])
        elif not isinstance(node, ast.Call):
            new = _with(node, op=sample.op)
        elif isinstance(node.func, ast.Attribute):
            new = _with(node, func=_with(node.func, attr=sample.func.attr))
        else:
            named = [] if sample.func.id == "list" else node.keywords
            new = _with(node, func=sample.func, keywords=named)
        yield Edit(operator, place, new, phrase)


# --- what no pattern can say ----------------------------------------------------------------------


def _shorter(node: Any, field: str) -> Iterator[tuple[Any, Any]]:
    """What a list in a node loses, and the node without it."""
    items = getattr(node, field)
    for i, item in enumerate(items):
        yield item, _with(node, **{field: items[:i] + items[i + 1 :]})


def part_lost(place: Place) -> Iterator[ast.AST]:
    if isinstance(place.node, ast.BoolOp):
        for _, new in _shorter(place.node, "values"):
            yield new if len(new.values) > 1 else new.values[0]


def other_name(place: Place) -> Iterator[ast.AST]:
    """Up to three variables of the function, those that appear near it in its list first."""
    names = [*dict.fromkeys((*place.parameters, *place.assigned))]
    match place.node:
        case ast.Name(name, ast.Load()) if name in names:
            near = names.index(name)
            others = [n for n in names if n != name]
            for other in sorted(others, key=lambda n: abs(names.index(n) - near))[:3]:
                yield ast.Name(other, ast.Load())


def other_key(place: Place) -> Iterator[ast.AST]:
    match place.node:
        case ast.Subscript(_, ast.Constant() | ast.Name() as key) if not is_int(key):
            slices = [n.slice for n in ast.walk(place.tree) if isinstance(n, ast.Subscript)]
            others = {ast.unparse(s): s for s in slices if type(s) is type(key) and not is_int(s)}
            others.pop(ast.unparse(key), None)
            for new in others.values():
                yield _with(place.node, slice=new)


def other_text(place: Place) -> Iterator[ast.AST]:
    text, parent = getattr(place.node, "value", None), place.parent
    elsewhere = ast.JoinedStr | ast.Dict | ast.FormattedValue | ast.Subscript | ast.Assign
    if not isinstance(text, str) or len(text) > 8 or isinstance(parent, elsewhere):
        return
    new = text.swapcase() if text.isalpha() else "" if text else " "
    if not new and isinstance(parent, ast.Call) and "split" in ast.unparse(parent.func):
        new = "," if text != "," else " "
    yield ast.Constant(new)


def filter_lost(place: Place) -> Iterator[ast.AST]:
    if isinstance(place.node, ast.comprehension):
        for _, new in _shorter(place.node, "ifs"):
            yield new


def arguments_swapped(place: Place) -> Iterator[ast.AST]:
    node = place.node
    if isinstance(node, ast.Call) and _key(node) not in ("min()", "max()", "range()", "print()"):
        for i, (a, b) in enumerate(zip(node.args, node.args[1:], strict=False)):
            if ast.dump(a) != ast.dump(b):
                yield _with(node, args=[*node.args[:i], b, a, *node.args[i + 2 :]])


_LEAST = {"get": 1, "enumerate": 1, "sum": 1, "round": 1, "split": 0, "pop": 0, "count": 0}


def argument_lost(place: Place) -> Iterator[ast.AST]:
    node = place.node
    if isinstance(node, ast.Call):
        for named, new in _shorter(node, "keywords"):
            if named.arg is not None:
                yield new
        if len(node.args) > _LEAST.get(_key(node).strip(".()"), 99):
            yield _with(node, args=node.args[:-1])


def extra_check(place: Place) -> Iterator[list[ast.stmt]]:
    if isinstance(place.node, ast.Return) and place.node.value is not None:
        for name in place.parameters[:2]:
            yield [*_parsed(f"if not {name}: return None"), place.node]


def handler_passes(place: Place) -> Iterator[ast.AST]:
    node = place.node
    if isinstance(node, ast.ExceptHandler) and not all(isinstance(s, ast.Pass) for s in node.body):
        yield _with(node, body=[ast.Pass()])


def handler_returns(place: Place) -> Iterator[ast.AST]:
    if isinstance(place.node, ast.Return) and isinstance(place.parent, ast.ExceptHandler):
        yield ast.Return(ast.Constant(None))


def other_default(place: Place) -> Iterator[ast.AST]:
    if isinstance(place.node, ast.FunctionDef):
        args = place.node.args
        for i, default in enumerate(args.defaults):
            for new in _other_values(default):
                defaults = [*args.defaults[:i], new, *args.defaults[i + 1 :]]
                yield _with(place.node, args=_with(args, defaults=defaults))


def _other_values(node: ast.expr) -> list[ast.expr]:
    value = node.value if isinstance(node, ast.Constant) else None
    if is_int(node):
        return [ast.Constant(1 if value == 0 else 0)]
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    return [ast.Constant("" if value else " ")] if isinstance(value, str) else []


_EMPTY = ("[]", "{}", "set()", "list()", "dict()")


def shared_default(place: Place) -> Iterator[ast.AST]:
    """`def f(a): seen = [] ...` becomes `def f(a, seen=[]): ...`."""
    match place.node:
        case ast.FunctionDef(_, args, [ast.Assign([ast.Name(name)], value), _, *_] as body) if (
            ast.unparse(value) in _EMPTY and not (args.vararg or args.kwonlyargs)
        ):
            longer = {"args": [*args.args, ast.arg(name)], "defaults": [*args.defaults, value]}
            yield _with(place.node, args=_with(args, **longer), body=body[1:])


SEARCHES: dict[str, Callable[[Place], Iterator[Any]]] = {
    search.__name__: search
    for search in (
        part_lost, other_name, other_key, other_text, filter_lost, arguments_swapped,
        argument_lost, extra_check, handler_passes, handler_returns, other_default, shared_default,
    )
}  # fmt: skip
# by name: the operator that a search belongs to, and its phrase
_SEARCHED = {name[1:]: (op, phrase) for op, name, phrase, *_ in ROWS if name.startswith("@")}
