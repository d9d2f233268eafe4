"""A small evaluator of expressions over decoded values.

It decides conditions and workings that a text states ("`nums.count(1)` is `3`"). It walks the
syntax tree itself, knows a closed list of operators, functions and methods, copies a value before
a method may change it, and is bounded in steps and in sizes, so text from a model cannot hang,
fill or reach anything.
"""

from __future__ import annotations

import ast
import copy
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from semcoder_lib import values
from semcoder_lib.monologues.verify import known
from semcoder_lib.monologues.verify.known import Cannot

MAX_STEPS = 4000


class Raises(Exception):
    """Evaluating the expression raises; `args[0]` is the name of the exception's type."""


class Names(Protocol):
    """Where names get their values: a state of the trace."""

    def lookup(self, name: str) -> Any:
        """The decoded value; raises Cannot when it is not known."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the program's own function gave for these arguments; raises Cannot."""


class NoNames:
    """Knows no name at all: for expressions of literals."""

    def lookup(self, name: str) -> Any:
        raise Cannot(f"no value of {name}")

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        raise Cannot(f"no call of {name}")


NO_NAMES = NoNames()


@lru_cache(maxsize=16384)
def parse(text: str) -> ast.expr | None:
    """The expression's tree, or None when the text is not one expression."""
    if len(text) > 20_000:
        return None
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


@lru_cache(maxsize=16384)
def literal(text: str) -> tuple[Any] | None:
    """The value of a literal in a 1-tuple, or None. The value is shared: never change it."""
    try:
        return (values.decode(text),)
    except values.NotALiteral:
        return None


@lru_cache(maxsize=8192)
def names_of(text: str) -> frozenset[str]:
    """The names that an expression reads from outside."""
    node = parse(text)
    if node is None:
        return frozenset()
    bound = {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    bound |= {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    return frozenset(
        n.id
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and n.id not in bound and n.id not in known.FUNCTIONS
    )


def evaluate(text: str, names: Names = NO_NAMES) -> Any:
    """The value of the expression. Raises Cannot when it is outside the closed list or a name is
    unknown, and Raises when Python itself would raise."""
    node = parse(text)
    if node is None:
        raise Cannot("not an expression")
    return evaluate_node(node, names)


def evaluate_node(
    node: ast.expr, names: Names = NO_NAMES, bound: dict[str, Any] | None = None
) -> Any:
    """As `evaluate`, for a tree that is parsed already."""
    machine = _Machine(names)
    if bound:
        machine.bound = dict(bound)
    try:
        return machine.value(node)
    except (Cannot, Raises):
        raise
    except RecursionError:
        raise Cannot("nested too deep") from None
    except Exception as error:  # whatever a built-in operation raises on these values
        raise Raises(type(error).__name__) from None


class _Machine:
    __slots__ = ("bound", "copies", "names", "steps")

    def __init__(self, names: Names) -> None:
        self.names = names
        self.bound: dict[str, Any] = {}
        self.copies: dict[str, Any] = {}
        self.steps = 0

    def value(self, node: ast.expr) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Cannot("too many steps")
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise Cannot(f"{type(node).__name__} is not evaluated")
        return handler(self, node)

    def name(self, node: ast.Name) -> Any:
        name = node.id
        if name in self.bound:
            return self.bound[name]
        if name in self.copies:
            return self.copies[name]
        try:
            return self.names.lookup(name)
        except Cannot:
            if name in known.FUNCTIONS:
                return known.FUNCTIONS[name]
            if name in ("inf", "nan"):
                return float(name)
            raise

    def own(self, node: ast.expr) -> Any:
        """A private copy of what `node` names, kept for the rest of this evaluation, so that
        `nums.pop(0) + nums.pop(0)` sees its own changes."""
        if isinstance(node, ast.Name) and node.id not in self.bound:
            if node.id not in self.copies:
                self.copies[node.id] = copy.deepcopy(self.name(node))
            return self.copies[node.id]
        return copy.deepcopy(self.value(node))


def _constant(m: _Machine, node: ast.Constant) -> Any:
    return node.value


def _list(m: _Machine, node: ast.List) -> Any:
    return _elements(m, node.elts)


def _tuple(m: _Machine, node: ast.Tuple) -> Any:
    return tuple(_elements(m, node.elts))


def _set(m: _Machine, node: ast.Set) -> Any:
    return set(_elements(m, node.elts))


def _elements(m: _Machine, nodes: list[ast.expr]) -> list[Any]:
    out: list[Any] = []
    for item in nodes:
        if isinstance(item, ast.Starred):
            out.extend(m.value(item.value))
        else:
            out.append(m.value(item))
    return out


def _dict(m: _Machine, node: ast.Dict) -> Any:
    out: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            out.update(m.value(value))
        else:
            out[m.value(key)] = m.value(value)
    return out


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: known.times,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: known.modulo,
    ast.Pow: known.power,
    ast.LShift: known.shift_left,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}


def _binary(m: _Machine, node: ast.BinOp) -> Any:
    act = _BINARY.get(type(node.op))
    if act is None:
        raise Cannot("operator")
    left = m.value(node.left)
    right = m.value(node.right)
    return known.bounded(act(left, right))


_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


def _unary(m: _Machine, node: ast.UnaryOp) -> Any:
    return _UNARY[type(node.op)](m.value(node.operand))


def _boolean(m: _Machine, node: ast.BoolOp) -> Any:
    stop_at = isinstance(node.op, ast.Or)
    result: Any = None
    for part in node.values:
        result = m.value(part)
        if bool(result) is stop_at:
            break
    return result


_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def _compare(m: _Machine, node: ast.Compare) -> Any:
    left = m.value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = m.value(right_node)
        if type(op) in (ast.Is, ast.IsNot) and not _has_identity(left, right):
            raise Cannot("identity of objects")
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _has_identity(left: Any, right: Any) -> bool:
    return any(x is None or isinstance(x, bool | type) for x in (left, right))


def _conditional(m: _Machine, node: ast.IfExp) -> Any:
    return m.value(node.body if m.value(node.test) else node.orelse)


def _subscript(m: _Machine, node: ast.Subscript) -> Any:
    base = m.value(node.value)
    return base[_index(m, node.slice)]


def _index(m: _Machine, node: ast.expr) -> Any:
    if isinstance(node, ast.Slice):
        parts = [None if p is None else m.value(p) for p in (node.lower, node.upper, node.step)]
        return slice(*parts)
    return m.value(node)


def _call(m: _Machine, node: ast.Call) -> Any:
    func = node.func
    if isinstance(func, ast.Attribute):
        return _method(m, node, func)
    if not isinstance(func, ast.Name):
        raise Cannot("called object")
    arguments, named = _arguments(m, node)
    name = func.id
    if name in m.bound:
        return known.bounded(_apply(m.bound[name], arguments, named))
    try:
        return m.names.call(name, tuple(arguments))
    except Cannot:
        act = known.FUNCTIONS.get(name)
        if act is None:
            raise
    return known.bounded(known.call_function(name, act, arguments, named))


def _apply(act: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    if not callable(act):
        raise Cannot("not callable")
    return act(*arguments, **named)


def _arguments(m: _Machine, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise Cannot("** in a call")
        named[keyword.arg] = m.value(keyword.value)
    return _elements(m, node.args), named


def _method(m: _Machine, node: ast.Call, func: ast.Attribute) -> Any:
    name = func.attr
    dotted = f"{func.value.id}.{name}" if isinstance(func.value, ast.Name) else ""
    if dotted in known.DOTTED:
        arguments, named = _arguments(m, node)
        return known.bounded(known.call_function(dotted, known.DOTTED[dotted], arguments, named))
    owner = m.own(func.value) if name in known.MUTATORS else m.value(func.value)
    arguments, named = _arguments(m, node)
    return known.bounded(known.call_method(owner, name, arguments, named))


def _attribute(m: _Machine, node: ast.Attribute) -> Any:
    if isinstance(node.value, ast.Name):
        dotted = f"{node.value.id}.{node.attr}"
        if dotted in known.CONSTANTS:
            return known.CONSTANTS[dotted]
        if dotted in known.DOTTED:
            return known.DOTTED[dotted]
    raise Cannot("attribute")


def _comprehended(m: _Machine, node: Any, emit: Callable[[], None]) -> None:
    outside = dict(m.bound)

    def level(number: int) -> None:
        if number == len(node.generators):
            emit()
            return
        generator = node.generators[number]
        for item in known.items(m.value(generator.iter)):
            m.steps += 1
            if m.steps > MAX_STEPS:
                raise Cannot("too many steps")
            bind(m.bound, generator.target, item)
            if all(m.value(test) for test in generator.ifs):
                level(number + 1)

    level(0)
    m.bound = outside


def bind(into: dict[str, Any], target: ast.expr, value: Any) -> None:
    """Assign a value to a name or to a tuple of names."""
    if isinstance(target, ast.Name):
        into[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        parts = list(value)
        if len(parts) != len(target.elts) or any(isinstance(t, ast.Starred) for t in target.elts):
            raise Cannot("unpacking")
        for part, item in zip(target.elts, parts, strict=True):
            bind(into, part, item)
    else:
        raise Cannot("target")


def _list_comp(m: _Machine, node: Any) -> Any:
    out: list[Any] = []
    _comprehended(m, node, lambda: out.append(m.value(node.elt)))
    return out


def _set_comp(m: _Machine, node: ast.SetComp) -> Any:
    return set(_list_comp(m, node))


def _dict_comp(m: _Machine, node: ast.DictComp) -> Any:
    out: dict[Any, Any] = {}
    _comprehended(m, node, lambda: out.__setitem__(m.value(node.key), m.value(node.value)))
    return out


def _lambda(m: _Machine, node: ast.Lambda) -> Any:
    parameters = [a.arg for a in node.args.args]
    outside = dict(m.bound)

    def act(*arguments: Any) -> Any:
        kept, m.bound = m.bound, {**outside, **dict(zip(parameters, arguments, strict=False))}
        if len(arguments) != len(parameters):
            raise Cannot("arguments of a lambda")
        try:
            return m.value(node.body)
        finally:
            m.bound = kept

    return act


def _formatted(m: _Machine, node: ast.JoinedStr) -> Any:
    out = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            value = m.value(part.value)
            if part.conversion == 114:
                value = repr(value)
            elif part.conversion == 115:
                value = str(value)
            spec = "" if part.format_spec is None else m.value(part.format_spec)
            out.append(known.formatted(value, spec))
        else:
            out.append(m.value(part))
    return "".join(out)


def _named(m: _Machine, node: ast.NamedExpr) -> Any:
    value = m.value(node.value)
    m.bound[node.target.id] = value
    return value


_HANDLERS: Mapping[type, Callable[[_Machine, Any], Any]] = {
    ast.Constant: _constant,
    ast.Name: _Machine.name,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.ListComp: _list_comp,
    ast.GeneratorExp: _list_comp,
    ast.SetComp: _set_comp,
    ast.DictComp: _dict_comp,
    ast.Lambda: _lambda,
    ast.JoinedStr: _formatted,
    ast.NamedExpr: _named,
}


def equals(stated: Any, actual: Any, text: str = "") -> bool:
    """Whether a value that a text states is the value that was: equal, with bool kept apart from
    int; a float may be given rounded to the digits that the text shows."""
    if isinstance(stated, bool) != isinstance(actual, bool):
        return False
    if isinstance(actual, float) and isinstance(stated, float | int):
        if math.isnan(actual):
            return isinstance(stated, float) and math.isnan(stated)
        if stated == actual:
            return True
        digits = len(text.partition(".")[2].rstrip(".")) if "." in text else 0
        return 0 < digits < 12 and round(actual, digits) == stated
    if isinstance(actual, list | tuple) and type(stated) is type(actual):
        return len(stated) == len(actual) and all(map(equals, stated, actual))
    if isinstance(actual, dict) and isinstance(stated, dict):
        return stated.keys() == actual.keys() and all(equals(stated[k], actual[k]) for k in actual)
    return bool(stated == actual)
