"""The operators of faults (`operators.txt`): where their rows fit in a program, and what they make
of it.

A pattern is Python. A capital letter stands for an expression: A to E any, V one that is no
constant, W one that is no text, N a whole number, R another float than 0, Q a short text, X a name,
I a name or sum, T a bare condition, P what can be copied, F a conversion. S and Z stand for one
statement, a doubled letter for several (EE also for none), `...` for all arguments of a call.
`A + 1` is written as a person would: `n - 1` and 1 make `n`.
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import keyword
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bindings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table without alternatives. `makes` is empty where `matches` names a search."""

    operator: str
    matches: str
    makes: str
    phrase: str
    where: str = ""


def _sample(word: str) -> str:
    """A pattern of expressions with this operator, or of calls of this method or function."""
    if word.startswith("."):
        return f"A{word}(...)"
    words = word.split("_")
    if word.isidentifier() and not keyword.iskeyword(words[0]):
        return f"{word}(...)"
    return f"{'AA' if word in ('and', 'or') else 'W'} {' '.join(words)} B"


def _rows(operator: str, cells: list[str]) -> list[Row]:
    if len(cells) > 2:
        return [Row(operator, *way) for way in itertools.product(*(c.split(" ~ ") for c in cells))]
    first, phrase = cells
    if first.startswith("@"):
        return [Row(operator, first, "", phrase)]
    pairs = (pair.split(":") for pair in first.split())
    return [Row(operator, _sample(old), _sample(new), phrase) for old, new in pairs]


OPERATORS: dict[str, tuple[str, str]] = {}
"""The named ways to break a program, each with a statement or expression and what may become of it,
in a function of `x` and `y`."""
ROWS: list[Row] = []
_name = ""
for _line in Path(__file__).with_name("operators.txt").read_text(encoding="utf-8").splitlines():
    _cells = [cell.strip().replace(";;", "\n") for cell in _line.split(" | ")]
    if _line.startswith(" "):
        ROWS += _rows(_name, _cells)
    elif _line and _line[0] != "#":
        _name, _, _before, _after = _cells
        OPERATORS[_name] = _before, _after


@dataclass(frozen=True, slots=True)
class Place:
    """A node, where it hangs (`parent.field`, or `parent.field[index]`), and what is around it."""

    node: Any
    parent: Any
    field: str
    index: int | None
    function: Function | None = None
    loops: tuple[ast.For | ast.While, ...] = ()

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


def edits(tree: ast.Module, phrase: str = "") -> Iterator[Edit]:
    """Everything that the operators could do to a program (or only the rows with a phrase): place
    by place, in source order of the parents, and in the table's order at each."""
    for place in _places(Place(tree, None, "", None)):
        for row, rule in _rules().get(type(place.node), ()):
            if phrase in ("", row.phrase):
                yield from rule(place)


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
                place = replace(place, function=child, loops=())
            elif isinstance(child, ast.For | ast.While):
                place = replace(place, loops=(*place.loops, child))
            yield from _places(place)


@functools.lru_cache(maxsize=64)
def _variables(function: Function | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The parameters of a function, and the other names that it assigns (comprehensions aside)."""
    if function is None:
        return (), ()
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


# --- patterns -------------------------------------------------------------------------------------


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
    "W": lambda node: isinstance(node, ast.expr) and not _constant(node, str),
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


def _takes_all(pattern: Any) -> bool:
    """Whether it is a call with `...` for its arguments."""
    return isinstance(pattern, ast.Call) and any(_constant(a, type(...)) for a in pattern.args)


def fits(pattern: Any, node: Any, bound: Bindings) -> bool:
    """Whether a node is of the pattern; enters in `bound` what its letters stand for."""
    if isinstance(pattern, list):
        return isinstance(node, list) and _all_fit(pattern, node, bound)
    if letter := _letter(pattern):
        first = bound.setdefault(letter, node)
        return _LETTERS[letter](node) and (first is node or ast.unparse(first) == ast.unparse(node))
    if _takes_all(pattern):
        bound["..."] = node
        return isinstance(node, ast.Call) and fits(pattern.func, node.func, bound)
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
    if _takes_all(pattern):
        return _with(bound["..."], func=filled(pattern.func, bound))
    if isinstance(pattern, ast.BinOp) and _letter(pattern.left) and is_int(pattern.right):
        by = ast.literal_eval(pattern.right)
        return moved(bound[_letter(pattern.left)], by if isinstance(pattern.op, ast.Add) else -by)
    if not isinstance(pattern, ast.AST):
        return pattern
    return _with(pattern, **{name: filled(v, bound) for name, v in ast.iter_fields(pattern)})


def _parsed(text: str) -> list[Any]:
    """Statements, also such as stand in a function's loop only. `Any` for Python 3.11's fields."""
    indented = "\n".join(f"  {line}" for line in text.split("\n"))
    loop: Any = ast.parse(f"def f():\n while 1:\n{indented}").body[0]
    return list(loop.body[0].body)


# --- rows as rules --------------------------------------------------------------------------------

Rule = Callable[[Place], Iterator[Edit]]


@functools.cache
def _rules() -> dict[type[ast.AST], list[tuple[Row, Rule]]]:
    """The rows of the table with their rules, by the type of the node that they start at."""
    rules: dict[type[ast.AST], list[tuple[Row, Rule]]] = {}
    for row in ROWS:
        kinds, rule = (_search if row.matches.startswith("@") else _rewriting)(row)
        for kind in kinds:
            rules.setdefault(kind, []).append((row, rule))
    return rules


def _rewriting(row: Row) -> tuple[tuple[type, ...], Rule]:
    pattern, new = _parsed(row.matches), _parsed(row.makes) if row.makes != "nothing" else []
    makes: Any = new
    if isinstance(pattern[0], ast.Expr) and _letter(pattern[0]) != "S":
        pattern, makes = [pattern[0].value], new[0].value
    where = WHERE[row.where] if row.where else bool

    def rule(place: Place) -> Iterator[Edit]:
        if isinstance(getattr(place.node, "ctx", None), ast.Store | ast.Del):
            return
        nodes = [place.node, *place.after[: len(pattern) - 1]]
        bound: Bindings = {}
        if fits(pattern, nodes, bound) and where(place):
            yield Edit(row.operator, place, filled(makes, bound), row.phrase, len(nodes))

    return _KINDS.get(_letter(pattern[0]), (type(pattern[0]),)), rule


def _search(row: Row) -> tuple[tuple[type, ...], Rule]:
    kind, search = SEARCHES[row.matches[1:]]

    def rule(place: Place) -> Iterator[Edit]:
        return (Edit(row.operator, place, new, row.phrase) for new in search(place))

    return (kind,), rule


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
    parameters, assigned = _variables(place.function)
    before = place.block[: place.index or 0]
    bound = set(parameters).union(*[_names(s, ast.Store) for s in before])
    bound |= set(assigned) if place.loops else set()
    return not isinstance(node, ast.Assign) or _names(node, ast.Store) <= bound


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
    "in_handler": lambda place: isinstance(place.parent, ast.ExceptHandler),
    "last_goes_on": _last_goes_on,
    "not_alone": lambda place: len(place.block) > 1,
    "not_in_while": _not_in_while,
}

# --- what no pattern can say ----------------------------------------------------------------------


def other_name(place: Place) -> Iterator[ast.AST]:
    """Up to three variables of the function, those that appear near it in its list first."""
    names = [*dict.fromkeys(sum(_variables(place.function), ()))]
    name = place.node.id
    if name in names and isinstance(place.node.ctx, ast.Load):
        near = names.index(name)
        others = [n for n in names if n != name]
        for other in sorted(others, key=lambda n: abs(names.index(n) - near))[:3]:
            yield ast.Name(other, ast.Load())


def other_text(place: Place) -> Iterator[ast.AST]:
    text, parent = place.node.value, place.parent
    elsewhere = ast.JoinedStr | ast.Dict | ast.FormattedValue | ast.Subscript | ast.Assign
    if not isinstance(text, str) or len(text) > 8 or isinstance(parent, elsewhere):
        return
    new = text.swapcase() if text.isalpha() else "" if text else " "
    if not new and isinstance(parent, ast.Call) and "split" in ast.unparse(parent.func):
        new = "," if text != "," else " "
    yield ast.Constant(new)


def _called(node: ast.Call) -> str:
    """The last word of what is called."""
    return ast.unparse(node.func).rpartition(".")[2]


def arguments_swapped(place: Place) -> Iterator[ast.AST]:
    args = place.node.args
    if _called(place.node) not in ("min", "max", "range", "print"):
        for i, (a, b) in enumerate(itertools.pairwise(args)):
            if ast.dump(a) != ast.dump(b):
                yield _with(place.node, args=[*args[:i], b, a, *args[i + 2 :]])


_LEAST = {"get": 1, "enumerate": 1, "sum": 1, "round": 1, "split": 0, "pop": 0, "count": 0}


def argument_lost(place: Place) -> Iterator[ast.AST]:
    node = place.node
    for named in node.keywords:
        if named.arg is not None:
            yield _with(node, keywords=[k for k in node.keywords if k is not named])
    if len(node.args) > _LEAST.get(_called(node), 99):
        yield _with(node, args=node.args[:-1])


def extra_check(place: Place) -> Iterator[list[ast.stmt]]:
    if place.node.value is not None:
        for name in _variables(place.function)[0][:2]:
            yield [*_parsed(f"if not {name}: return None"), place.node]


# by name: the nodes that a search starts at, and the search
SEARCHES: dict[str, tuple[type[ast.AST], Callable[[Place], Iterator[Any]]]] = {
    "argument_lost": (ast.Call, argument_lost),
    "arguments_swapped": (ast.Call, arguments_swapped),
    "extra_check": (ast.Return, extra_check),
    "other_name": (ast.Name, other_name),
    "other_text": (ast.Constant, other_text),
}
