"""A tree-walking interpreter of expressions over decoded values.

It knows a closed list of operators, functions and methods, copies a value before a method may
change it, and is bounded in steps and in sizes, so text from a model cannot hang, fill or reach
anything."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.monologues.verify.evaluate import known, operators, scopes
from semcoder_lib.monologues.verify.evaluate.known import Cannot
from semcoder_lib.monologues.verify.evaluate.names import NO_NAMES, Names
from semcoder_lib.monologues.verify.evaluate.syntax import parse

MAX_STEPS = 4000


class Raises(Exception):
    """Evaluating the expression raises; `args[0]` is the name of the exception's type."""


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
    machine = Interpreter(names)
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


class Interpreter:
    __slots__ = ("bound", "copies", "names", "steps")

    def __init__(self, names: Names) -> None:
        self.names = names
        self.bound: dict[str, Any] = {}
        self.copies: dict[str, Any] = {}
        self.steps = 0

    def tick(self) -> None:
        """Count one step of work. Raises Cannot when there were too many."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Cannot("too many steps")

    def value(self, node: ast.expr) -> Any:
        self.tick()
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


def _constant(m: Interpreter, node: ast.Constant) -> Any:
    return node.value


def _list(m: Interpreter, node: ast.List) -> Any:
    return _elements(m, node.elts)


def _tuple(m: Interpreter, node: ast.Tuple) -> Any:
    return tuple(_elements(m, node.elts))


def _set(m: Interpreter, node: ast.Set) -> Any:
    return set(_elements(m, node.elts))


def _elements(m: Interpreter, nodes: list[ast.expr]) -> list[Any]:
    out: list[Any] = []
    for item in nodes:
        if isinstance(item, ast.Starred):
            out.extend(m.value(item.value))
        else:
            out.append(m.value(item))
    return out


def _dict(m: Interpreter, node: ast.Dict) -> Any:
    out: dict[Any, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            out.update(m.value(value))
        else:
            out[m.value(key)] = m.value(value)
    return out


def _binary(m: Interpreter, node: ast.BinOp) -> Any:
    act = operators.BINARY.get(type(node.op))
    if act is None:
        raise Cannot("operator")
    left = m.value(node.left)
    right = m.value(node.right)
    return known.bounded(act(left, right))


def _unary(m: Interpreter, node: ast.UnaryOp) -> Any:
    return operators.UNARY[type(node.op)](m.value(node.operand))


def _boolean(m: Interpreter, node: ast.BoolOp) -> Any:
    stop_at = isinstance(node.op, ast.Or)
    result: Any = None
    for part in node.values:
        result = m.value(part)
        if bool(result) is stop_at:
            break
    return result


def _compare(m: Interpreter, node: ast.Compare) -> Any:
    left = m.value(node.left)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = m.value(right_node)
        if type(op) in (ast.Is, ast.IsNot) and not _has_identity(left, right):
            raise Cannot("identity of objects")
        if not operators.COMPARISONS[type(op)](left, right):
            return False
        left = right
    return True


def _has_identity(left: Any, right: Any) -> bool:
    return any(x is None or isinstance(x, bool | type) for x in (left, right))


def _conditional(m: Interpreter, node: ast.IfExp) -> Any:
    return m.value(node.body if m.value(node.test) else node.orelse)


def _subscript(m: Interpreter, node: ast.Subscript) -> Any:
    base = m.value(node.value)
    return base[_index(m, node.slice)]


def _index(m: Interpreter, node: ast.expr) -> Any:
    if isinstance(node, ast.Slice):
        parts = [None if p is None else m.value(p) for p in (node.lower, node.upper, node.step)]
        return slice(*parts)
    return m.value(node)


def _call(m: Interpreter, node: ast.Call) -> Any:
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


def _arguments(m: Interpreter, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise Cannot("** in a call")
        named[keyword.arg] = m.value(keyword.value)
    return _elements(m, node.args), named


def _method(m: Interpreter, node: ast.Call, func: ast.Attribute) -> Any:
    name = func.attr
    dotted = f"{func.value.id}.{name}" if isinstance(func.value, ast.Name) else ""
    if dotted in known.DOTTED:
        arguments, named = _arguments(m, node)
        return known.bounded(known.call_function(dotted, known.DOTTED[dotted], arguments, named))
    owner = m.own(func.value) if name in known.MUTATORS else m.value(func.value)
    arguments, named = _arguments(m, node)
    return known.bounded(known.call_method(owner, name, arguments, named))


def _attribute(m: Interpreter, node: ast.Attribute) -> Any:
    if isinstance(node.value, ast.Name):
        dotted = f"{node.value.id}.{node.attr}"
        if dotted in known.CONSTANTS:
            return known.CONSTANTS[dotted]
        if dotted in known.DOTTED:
            return known.DOTTED[dotted]
    raise Cannot("attribute")


def _formatted(m: Interpreter, node: ast.JoinedStr) -> Any:
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


_HANDLERS: Mapping[type, Callable[[Interpreter, Any], Any]] = {
    ast.Constant: _constant,
    ast.Name: Interpreter.name,
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
    ast.ListComp: scopes.list_comprehension,
    ast.GeneratorExp: scopes.list_comprehension,
    ast.SetComp: scopes.set_comprehension,
    ast.DictComp: scopes.dict_comprehension,
    ast.Lambda: scopes.lambda_,
    ast.JoinedStr: _formatted,
    ast.NamedExpr: scopes.named_expression,
}
