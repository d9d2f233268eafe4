"""What Python expressions are worth, without running any code of a program or of a text.

The writers and the verifier of monologues ask this one evaluator. It walks an expression's syntax
tree over the closed lists of `operations`: what is not listed makes the result undecidable
(`Cannot`), never wrong. Expressions come from programs and models and may be hostile, so steps, the
size of every value in between and time are bounded, given values are never changed, and no result
depends on the order in which this process goes through a set.
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import GeneratorType
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues import operations
from semcoder_lib.monologues.operations import (
    BUILTINS,
    CONTAINERS,
    MUTATING,
    SCALARS,
    SETS,
    VALUES,
    VIEWS,
    Budget,
    Cannot,
    Function,
    Names,
    parts_of,
)

_KEPT = VALUES - VIEWS
_MAX_TEXT = 20_000  # characters of an expression
_OURS = BUILTINS | {"inf", "nan"}  # names that have a value where a program does not define them


class Raises(Exception):
    """Python would raise; `kind` is the name of the exception's class."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Given:
    """Names with given values, in front of other names."""

    def __init__(self, given: Mapping[str, Any], others: Names | None = None) -> None:
        self.given, self.others = given, others

    def defines(self, name: str) -> bool:
        if name.partition(".")[0] in self.given:  # whose attributes are not recorded
            return name in self.given
        return self.others is not None and self.others.defines(name)

    def lookup(self, name: str) -> Any:
        if name in self.given:
            return self.given[name]
        if self.others is None:
            raise Cannot(f"no value of {name}")
        return self.others.lookup(name)

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if name in self.given or self.others is None:
            raise Cannot(f"no call of {name}")
        return self.others.call(name, arguments, keywords)


NO_NAMES = Given({})


class _Copies(Given):
    """Names of which an expression that changes what it works on gets copies."""

    def __init__(self, others: Names, budget: Budget) -> None:
        self.copies: dict[str, Any] = {}
        super().__init__(self.copies, others)
        self.budget = budget

    def lookup(self, name: str) -> Any:
        if name not in self.copies:
            self.copies[name] = copy.deepcopy(self.budget.keep(super().lookup(name)))
        return self.copies[name]

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return copy.deepcopy(self.budget.keep(super().call(name, arguments, keywords)))


def evaluate(
    expression: str | ast.expr,
    names: Names = NO_NAMES,
    budget: Budget | None = None,
    parts: dict[int, Any] | None = None,
) -> Any:
    """The value of `expression`, of a kind that `core.values` writes; an iterator, or a view of a
    dict, comes as the list of what it gives. Raises Cannot where it is undecidable (also for text
    that is no expression), Raises where Python raises, and nothing else. The value may be shared
    with `names`: never change it. `parts` gets the values of the nodes below, by their ids."""
    node = parse_expression(expression) if isinstance(expression, str) else expression
    if node is None:
        raise Cannot("not an expression")
    budget = budget or Budget()
    try:
        if mutates(node):
            names, parts = _Copies(names, budget), None
        value = _Scope(names, budget, parts).value(node)
        if type(value) in VIEWS or type(value) is GeneratorType:
            value = budget.keep(list(value))
        _check_value(value)
        return value
    except (Cannot, Raises):
        raise
    except (RecursionError, MemoryError):
        raise Cannot("nested too deep") from None
    except Exception as error:
        if isinstance(error.__cause__, StopIteration):  # from a generator of Python's or of ours
            raise Cannot("the end of an iterator in a loop") from None
        raise Raises(type(error).__name__) from None


class Values:
    """The values of expressions over some names, each worked out once with those of its parts."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.parts: dict[int, Any] = {}
        self.nodes: list[ast.expr] = []  # kept, so that ids stay theirs

    def of(self, node: ast.expr) -> Any:
        """See `evaluate`."""
        if id(node) in self.parts:
            _check_value(self.parts[id(node)])
            return self.parts[id(node)]
        self.nodes.append(node)
        value = self.parts[id(node)] = evaluate(node, self.names, parts=self.parts)
        return value


def known(expression: str | ast.expr, names: Names = NO_NAMES) -> tuple[Any] | None:
    """The value in a 1-tuple; None where it cannot be evaluated or Python raises."""
    try:
        return (evaluate(expression, names),)
    except (Cannot, Raises):
        return None


def equal(a: Any, b: Any) -> bool:
    """Python's `==` on values, except that at every depth bool is apart from int and nan is itself.
    False for values that are nested too deep to compare. Never raises."""
    if type(a) is type(b) and type(a) in (int, str, bool):
        return bool(a == b)
    try:
        return _equal(a, b)
    except Exception:
        return False


def _equal(a: Any, b: Any) -> bool:
    if (type(a) is bool) is not (type(b) is bool):
        return False
    if type(a) is type(b) and type(a) in (list, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if (type(a) is type(b) is dict) or (type(a) in SETS and type(b) in SETS):
        if len(a) != len(b) or _bools(a) != _bools(b):
            return False
        return a == b if type(a) in SETS else all(k in b and _equal(a[k], b[k]) for k in a)
    return bool(a == b) or (a != a and b != b and type(a) is type(b))


def _bools(keys: Any) -> set[Any]:
    return {key for key in keys if type(key) is bool}


def _check_value(value: Any) -> None:
    kind = type(value)
    if kind not in SCALARS:
        if kind not in CONTAINERS or kind in VIEWS:
            raise Cannot("not a value")
        if not SCALARS.issuperset(map(type, parts := parts_of(value))):
            for part in parts:
                _check_value(part)


def _cached(function: Callable[[str], Any]) -> Callable[[str], Any]:
    """`function` without the parser's warnings, and with what it gave for short texts kept; long
    ones could fill the memory."""

    def quiet(text: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(text)

    kept = functools.lru_cache(maxsize=8192)(quiet)
    return functools.wraps(function)(lambda text: (kept if len(text) <= 200 else quiet)(text))


@_cached
def parse_expression(text: str) -> ast.expr | None:
    """The tree of an expression, or None when the text is none, is longer than 20,000 characters,
    nested more than 100 deep or has a number of more than 4,300 digits. It may be shared: never
    change it."""
    if len(text) > _MAX_TEXT:
        return None
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    level: list[ast.AST] = [tree] if len(text) > 100 else []
    for _ in range(100):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return None if level else tree


@_cached
def literal(text: str) -> tuple[Any] | None:
    """The value of a literal in a 1-tuple, or None. The value is shared: never change it. What a
    text abbreviates (`[0, 0, ..., 0]`) is no value."""
    try:
        value = values.decode(text, max_bytes=_MAX_TEXT)
    except values.NotALiteral:
        return None
    return None if "..." in text and _abbreviated(value) else (value,)


def _abbreviated(value: Any) -> bool:
    return any(map(_abbreviated, parts_of(value))) if type(value) in CONTAINERS else value is ...


@functools.lru_cache(maxsize=8192)
def mutates(node: ast.expr) -> bool:
    """Whether the expression calls a method that changes its receiver."""
    nodes: list[Any] = [node]
    for part in nodes:  # which grows; `ast.walk` takes thrice the time
        if type(part) is ast.Attribute and part.attr in MUTATING:
            return True
        for below in vars(part).values():
            if isinstance(below, ast.AST):
                nodes.append(below)
            elif type(below) is list:
                nodes += filter(None, below)
    return False


def _path(node: ast.expr) -> str:
    """`self.total`, of names alone; or nothing."""
    if isinstance(node, ast.Attribute):
        base = _path(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


class _Scope:
    """A method for every kind of node, which gives its value over some names."""

    __slots__ = ("budget", "names", "parts")

    def __init__(self, names: Names, budget: Budget, parts: dict[int, Any] | None = None) -> None:
        self.names, self.budget, self.parts = names, budget, parts

    def value(self, node: ast.expr) -> Any:
        self.budget.steps -= 1
        value = _VISITORS[type(node)](self, node)
        if self.parts is not None and type(value) in _KEPT:
            self.parts[id(node)] = value
        return value

    def visit_Constant(self, node: ast.Constant) -> Any:
        return node.value

    def visit_Name(self, node: ast.Name) -> Any:
        name = node.id
        if name in _OURS and not self.names.defines(name):
            if name in BUILTINS:
                return operations.TYPES.get(name) or self.builtin(name)
            return float(name)
        return self.names.lookup(name)

    def builtin(self, name: str) -> Function:
        return Function(lambda *a, **k: operations.call(self.budget, name, list(a), k))

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        path, names = _path(node), self.names
        module = path.partition(".")[0]
        if path and names.defines(path):
            return self.visit_Name(ast.Name(path, ast.Load()))  # a recorded attribute
        if module in operations.MODULES and not names.defines(module):
            constants = operations.CONSTANTS
            return constants[path] if path in constants else self.builtin(path)
        owner = self.value(node.value)
        if type(owner) is type and node.attr == "__name__":
            return owner.__name__
        return operations.method(self.budget, owner, node.attr)

    def visit_Call(self, node: ast.Call) -> Any:
        callee, function = node.func, None
        name = callee.id if isinstance(callee, ast.Name) else ""
        try:
            function = operations.as_function(self.budget, self.value(callee))
        except Cannot:  # a function of the program is no value
            if not name:
                raise
        arguments, keywords = self.elements(node.args), self.keywords(node)
        if name and type(function) is not Function:
            _check_value([arguments, keywords])
            return self.names.call(name, tuple(arguments), keywords)
        if type(function) is Function:
            return function(*arguments, **keywords)
        if type(function) in VALUES:
            raise TypeError("not callable")
        raise Cannot("a call of what is not a value")

    def keywords(self, node: ast.Call) -> dict[str, Any]:
        named = [k for k in node.keywords if k.arg is not None]
        if len(named) < len(node.keywords):
            raise Cannot("keywords from a dict")
        return {k.arg: self.value(k.value) for k in named if k.arg is not None}

    def elements(self, nodes: list[ast.expr]) -> list[Any]:
        out = []
        for node in nodes:
            if type(node) is ast.Starred:
                out.extend(self.budget.items(self.value(node.value)))
                if len(out) > self.budget.size:
                    raise Cannot("a value too large")
            else:
                out.append(self.value(node))
        return out

    def visit_List(self, node: ast.List) -> Any:
        return self.budget.keep(self.elements(node.elts))

    def visit_Tuple(self, node: ast.Tuple) -> Any:
        return self.budget.keep(tuple(self.elements(node.elts)))

    def visit_Set(self, node: ast.Set) -> Any:
        return self.budget.keep(set(self.budget.items(self.elements(node.elts), hashed=True)))

    def visit_Dict(self, node: ast.Dict) -> Any:
        out = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if key_node is None:
                raise Cannot("a dict inside a dict")
            key = self.value(key_node)
            out[key] = self.value(value_node)
        return self.budget.keep(out)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        left = self.value(node.left)
        return operations.operate(self.budget, type(node.op), left, self.value(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if type(value) not in operations.KNOWN:
            raise Cannot("arithmetic of other values")
        return operations.UNARY[type(node.op)](value)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        stop = isinstance(node.op, ast.Or)
        for part in node.values[:-1]:
            if bool(value := self.value(part)) is stop:
                return value
        return self.value(node.values[-1])

    def visit_Compare(self, node: ast.Compare) -> Any:
        left, result = self.value(node.left), True
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            result = operations.compare(self.budget, type(op), left, right)
            if not result:
                break
            left = right
        return result

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        box, key = self.value(node.value), self.value(node.slice)
        if type(box) not in VALUES:
            raise Cannot("a subscript")
        if type(key) is slice and type(box) is not range:
            self.budget.charge(len(box) >> 4)
        return box[key]

    def visit_Slice(self, node: ast.Slice) -> Any:
        parts = (node.lower, node.upper, node.step)
        return slice(*[None if part is None else self.value(part) for part in parts])

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        given = node.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
            raise Cannot("parameters of a lambda")
        names = [arg.arg for arg in given.posonlyargs + given.args]

        def act(*arguments: Any) -> Any:
            self.budget.charge(1)
            if len(arguments) != len(names):
                raise TypeError("arguments of a lambda")
            bound = dict(zip(names, arguments, strict=True))
            return _Scope(Given(bound, self.names), self.budget).value(node.body)

        return Function(act)

    def bind(self, target: ast.expr, value: Any, bound: dict[str, Any]) -> None:
        """Binds the names of a comprehension's target."""
        if isinstance(target, ast.Name):
            bound[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(itertools.islice(self.budget.items(value), len(target.elts) + 1))
            if len(parts) != len(target.elts):
                raise ValueError("unpacking")
            for part, item in zip(target.elts, parts, strict=True):
                self.bind(part, item, bound)
        else:
            raise Cannot("a target")

    def rounds(
        self, loops: list[ast.comprehension], items: Any, bound: dict[str, Any]
    ) -> Iterator[None]:
        """Goes through the rounds of a comprehension, whose names are `bound` meanwhile."""
        loop, *inner = loops
        for item in items:
            self.budget.charge(1)
            self.bind(loop.target, item, bound)
            if all(self.value(test) for test in loop.ifs):
                if inner:
                    more = self.budget.items(self.value(inner[0].iter))
                    yield from self.rounds(inner, more, bound)
                else:
                    yield

    def comprehension(self, node: Any) -> Any:
        kind, bound = type(node), dict[str, Any]()
        inner = _Scope(Given(bound, self.names), self.budget)
        items = iter(self.budget.items(self.value(node.generators[0].iter)))
        rounds = inner.rounds(node.generators, items, bound)
        built: Any
        if kind is ast.DictComp:
            built = {inner.value(node.key): inner.value(node.value) for _ in _few(rounds)}
        elif kind is ast.GeneratorExp:
            return (inner.value(node.elt) for _ in rounds)
        elif kind is ast.SetComp:
            built = {inner.value(node.elt) for _ in _few(rounds)}
        else:
            built = [inner.value(node.elt) for _ in rounds]
        return self.budget.keep(built)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return self.budget.keep("".join([self.value(part) for part in node.values]))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> Any:
        value = self.value(node.value)
        spec = self.value(node.format_spec) if node.format_spec else ""
        return operations.formatted(self.budget, value, spec, node.conversion)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension


def _few(rounds: Iterator[None]) -> Iterator[None]:
    """Rounds that make keys of a dict or items of a set, whose hashes may all be equal."""
    for number, _ in enumerate(rounds):
        if number > 1000:
            raise Cannot("a value too large")
        yield


class _Visitors(dict[type, Callable[[_Scope, Any], Any]]):
    def __missing__(self, kind: type) -> Any:
        raise Cannot(f"a {kind.__name__}")


_VISITORS = _Visitors(
    {getattr(ast, n[6:]): act for n, act in vars(_Scope).items() if n.startswith("visit_")}
)
