"""What Python expressions are worth, without running any code of a program or of a text.

Writers and the verifier ask the same evaluator. An expression's syntax tree becomes closures, made
once and kept on its nodes, over the closed lists of `evaluator_table`; a node, function or method
that is not listed makes the result undecidable (`Cannot`), never wrong. Expressions come from
programs and from models' texts and may be hostile: steps, the size of every intermediate value and
time are bounded, values given by `Names` are never changed, and the result never depends on the
order in which this process goes through a set.
"""

from __future__ import annotations

import ast
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator_table import (
    BINARY,
    BUILTINS,
    COMPARISONS,
    CONTAINERS,
    DICTS,
    HAND_ON,
    METHODS,
    MODULES,
    MUTATING,
    ORDER_FREE,
    SCALARS,
    SETS,
    TYPES,
    UNARY,
    VIEWS,
    Budget,
    Cannot,
    Function,
    Module,
    Names,
    Once,
    Run,
    copied,
    formatted,
    method,
    parts_of,
    uncrowded,
)

__all__ = [
    "BUILTINS",
    "METHODS",
    "MUTATING",
    "NO_NAMES",
    "Budget",
    "Cannot",
    "Given",
    "Names",
    "Raises",
    "apply_method",
    "equal",
    "evaluate",
    "literal",
    "parse_expression",
]

MAX_TEXT = 20_000  # characters of an expression
MAX_NODES = 5_000
MAX_DEPTH = 60


class Raises(Exception):
    """Python would raise; `kind` is the name of the exception's class."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Given:
    """Names with given values, before the names of `around`."""

    def __init__(self, given: Mapping[str, Any], around: Names | None = None) -> None:
        self.given, self.around = given, around

    def defines(self, name: str) -> bool:
        return name in self.given or (self.around is not None and self.around.defines(name))

    def lookup(self, name: str) -> Any:
        if name in self.given:
            return self.given[name]
        if self.around is None:
            raise Cannot(f"no value of {name}")
        return self.around.lookup(name)

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if self.around is None or name in self.given:
            raise Cannot(f"no call of {name}")
        return self.around.call(name, arguments, keywords)


NO_NAMES = Given({})


# ---- the face


def evaluate(
    expression: str | ast.expr, names: Names = NO_NAMES, budget: Budget | None = None
) -> Any:
    """The value of `expression`, a value that `core.values` can write (a dict's view comes as the
    list of what it holds). Raises Cannot where that is undecidable (also for text that is no
    expression), Raises where Python raises, and nothing else."""
    node = parse_expression(expression) if isinstance(expression, str) else expression
    if node is None:
        raise Cannot("not an expression")
    run = Run(names, budget or Budget())

    def act() -> Any:
        closure, weight, mutates = _root(node)
        run.own = mutates
        run.budget.charge(weight)
        return closure(run, _NO_LOCALS)

    return _result(run, act)


def apply_method(
    receiver: Any,
    name: str,
    arguments: tuple[Any, ...] = (),
    keywords: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
) -> tuple[Any, Any]:
    """What a method of the closed list gives, and the receiver after it. The receiver itself stays
    as it is. Raises as `evaluate` does."""
    run = Run(NO_NAMES, budget or Budget(), own=True)
    after = copied(receiver) if name in MUTATING else receiver

    def act() -> Any:
        if type(receiver) not in SCALARS | CONTAINERS:
            raise Cannot("a method of no value")
        run.keep(after)
        return run.keep(method(run, after, name)(run, arguments, dict(keywords or {})))

    return _result(run, act), after


_ERRORS = (ArithmeticError, AttributeError, LookupError, RuntimeError, StopIteration, TypeError,
           ValueError)  # fmt: skip


def _result(run: Run, act: Callable[[], Any]) -> Any:
    try:
        value = act()
        if type(value) not in SCALARS:
            value = list(value) if type(value) in VIEWS else value
            _check_value(value)
        return value
    except Cannot:
        raise
    except (RecursionError, MemoryError):
        raise Cannot("nested too deep") from None
    except (Raises, *_ERRORS) as error:
        if run.unordered:
            raise Cannot("the order of a set") from None
        raise (error if isinstance(error, Raises) else Raises(type(error).__name__)) from None
    except Exception as error:
        raise Cannot(type(error).__name__) from None


def _check_value(value: Any) -> None:
    if type(value) not in CONTAINERS - VIEWS:
        raise Cannot("not a value")
    parts = parts_of(value)
    if not SCALARS.issuperset(map(type, parts)):
        for part in parts:
            if type(part) not in SCALARS:
                _check_value(part)


@functools.lru_cache(maxsize=16384)
def parse_expression(text: str) -> ast.expr | None:
    """The tree of an expression, or None when the text is none, or too large a one. The tree is
    shared: never change it."""
    if len(text) > MAX_TEXT:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    level: list[ast.AST] = [node]
    count = depth = 0
    while level:
        count += len(level)
        depth += 1
        if count > 2 * MAX_NODES or depth > MAX_DEPTH + 10:
            return None
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
    return node


@functools.lru_cache(maxsize=16384)
def literal(text: str) -> tuple[Any] | None:
    """The value of a literal in a 1-tuple, or None. The value is shared: never change it. What a
    text abbreviates (`[0, 0, ..., 0]`) is no value."""
    try:
        value = values.decode(text, max_bytes=MAX_TEXT)
    except values.NotALiteral:
        return None
    return None if "..." in text and _abbreviated(value) else (value,)


def _abbreviated(value: Any) -> bool:
    if type(value) in CONTAINERS:
        return any(map(_abbreviated, parts_of(value)))
    return value is ...


def equal(a: Any, b: Any) -> bool:
    """Python's `==` on values, but bool is apart from int and nan is itself, at every depth.
    False where it would take too deep a comparison. Never raises."""
    try:
        return _equal(a, b)
    except Exception:
        return False


def _equal(a: Any, b: Any) -> bool:
    if (type(a) is bool) is not (type(b) is bool):
        return False
    if type(a) in (list, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_equal, a, b))
    if type(a) in DICTS and type(b) in DICTS:
        if len(a) != len(b) or a.keys() != b.keys() or _bools(a) != _bools(b):
            return False
        return all(_equal(a[key], b[key]) for key in a)
    if type(a) in SETS and type(b) in SETS:
        return bool(a == b) and _bools(a) == _bools(b)
    return bool(a == b) or (a != a and b != b and type(a) is type(b))


def _bools(keys: Any) -> set[Any]:
    return {key for key in keys if type(key) is bool}


# ---- syntax to closures

Closure = Callable[[Run, dict[str, Any]], Any]
_NO_LOCALS: dict[str, Any] = {}


class _Scope:
    """While closures are made: the names that comprehensions and lambdas around bind, and what has
    been seen below the node at hand."""

    __slots__ = ("bound", "depth", "in_lambda", "mutates", "weight")

    def __init__(self, bound: frozenset[str], depth: int, in_lambda: bool) -> None:
        self.bound, self.depth, self.in_lambda = bound, depth, in_lambda
        self.weight, self.mutates = 1, False
        if depth > MAX_DEPTH:
            raise Cannot("nested too deep")


def _root(node: ast.expr) -> tuple[Closure, int, bool]:
    kept: tuple[Closure, int, bool] | None = getattr(node, "_evaluator", None)
    if kept is None:
        scope = _Scope(frozenset(), 0, False)
        _closure(node, scope)
        kept = node._evaluator  # type: ignore[attr-defined]
    return kept


def _closure(
    node: ast.expr,
    outer: _Scope,
    names: frozenset[str] = frozenset(),
    free: bool = False,
    in_lambda: bool = False,
) -> Closure:
    """The closure of `node`, with more `names` bound. `free`: in a place where the order in which
    sets are gone through does not matter."""
    shared = not (outer.bound or names or free)
    kept: tuple[Closure, int, bool] | None = getattr(node, "_evaluator", None) if shared else None
    if kept is None:
        scope = _Scope(outer.bound | names, outer.depth + 1, outer.in_lambda or in_lambda)
        make = _MAKERS.get(type(node), _unsupported)
        made = make(node, scope, True) if free and type(node) in _LOOPS else make(node, scope)
        kept = (made, scope.weight, scope.mutates)
        if shared:
            node._evaluator = kept  # type: ignore[attr-defined]
    outer.weight += kept[1]
    outer.mutates |= kept[2]
    return kept[0]


def _free(node: ast.expr, scope: _Scope, only_loops: bool = False) -> Closure:
    """The closure of what a function goes through whose result no set's order changes."""
    inner = _closure(node, scope, free=True)
    if only_loops:
        return inner
    return lambda run, local: run.free(inner(run, local))


def _unsupported(node: ast.AST, scope: _Scope) -> Closure:
    name = type(node).__name__

    def closure(run: Run, local: dict[str, Any]) -> Any:
        raise Cannot(name)

    return closure


def _constant(node: ast.Constant, scope: _Scope) -> Closure:
    value = node.value
    if type(value) is int and value.bit_length() > 64:
        return lambda run, local: run.keep(value)
    return lambda run, local: value


def _name(node: ast.Name, scope: _Scope) -> Closure:
    name = node.id
    if name in scope.bound:
        return lambda run, local: local[name]
    return lambda run, local: _lookup(run, name)


def _lookup(run: Run, name: str) -> Any:
    if name in run.values:
        return run.values[name]
    try:
        value = run.names.lookup(name)
    except Cannot:
        if run.names.defines(name):
            raise
        return _common(run, name)
    if type(value) in CONTAINERS and (run.own or type(value).__name__ == "defaultdict"):
        run.keep(value)
        value = run.values[name] = copied(value)  # a defaultdict changes when it is looked into
    return value


def _common(run: Run, name: str) -> Any:
    """What a name means that the program does not bind."""
    for known in (TYPES, MODULES):
        if name in known:
            return known[name]
    if name in BUILTINS:
        return Function(run, BUILTINS[name])
    if name in ("inf", "nan"):
        return float(name)
    raise Cannot(f"no value of {name}")


def _binary(node: ast.BinOp, scope: _Scope) -> Closure:
    act = BINARY.get(type(node.op).__name__)
    if act is None:
        return _unsupported(node.op, scope)
    left, right = _closure(node.left, scope), _closure(node.right, scope)
    return lambda run, local: run.keep(act(run, left(run, local), right(run, local)))


def _unary(node: ast.UnaryOp, scope: _Scope) -> Closure:
    act, operand = UNARY[type(node.op).__name__], _closure(node.operand, scope)
    return lambda run, local: act(operand(run, local))


def _boolean(node: ast.BoolOp, scope: _Scope) -> Closure:
    parts = [_closure(part, scope) for part in node.values]
    stop = isinstance(node.op, ast.Or)

    def closure(run: Run, local: dict[str, Any]) -> Any:
        value = None
        for part in parts:
            value = part(run, local)
            if bool(value) is stop:
                break
        return value

    return closure


def _compare(node: ast.Compare, scope: _Scope) -> Closure:
    first = _closure(node.left, scope)
    rest = [
        (COMPARISONS[type(op).__name__], _closure(right, scope))
        for op, right in zip(node.ops, node.comparators, strict=True)
    ]

    def closure(run: Run, local: dict[str, Any]) -> Any:
        left, result = first(run, local), True
        for act, part in rest:
            right = part(run, local)
            result = act(run, left, right)
            if not result:
                break
            left = right
        return result

    return closure


def _choice(node: ast.IfExp, scope: _Scope) -> Closure:
    test, yes, no = (_closure(part, scope) for part in (node.test, node.body, node.orelse))
    return lambda run, local: yes(run, local) if test(run, local) else no(run, local)


def _elements(nodes: list[ast.expr], scope: _Scope) -> Callable[[Run, Any], list[Any]]:
    """The values of a display or of positional arguments, stars included."""
    if not any(isinstance(node, ast.Starred) for node in nodes):
        parts = [_closure(node, scope) for node in nodes]
        return lambda run, local: [part(run, local) for part in parts]
    starred = [
        (True, _closure(node.value, scope)) if isinstance(node, ast.Starred)
        else (False, _closure(node, scope))
        for node in nodes
    ]  # fmt: skip

    def elements(run: Run, local: dict[str, Any]) -> list[Any]:
        out: list[Any] = []
        for star, part in starred:
            if star:
                out.extend(run.items(part(run, local)))
                if len(out) > run.budget.size:
                    raise Cannot("a value too large")
            else:
                out.append(part(run, local))
        return out

    return elements


def _display(make: Callable[[Any], Any]) -> Callable[[Any, _Scope], Closure]:
    def maker(node: Any, scope: _Scope) -> Closure:
        elements = _elements(node.elts, scope)
        if make is set:
            return lambda run, local: run.keep(set(uncrowded(run, elements(run, local))))
        return lambda run, local: run.keep(make(elements(run, local)))

    return maker


def _dict(node: ast.Dict, scope: _Scope) -> Closure:
    pairs = [
        (None if key is None else _closure(key, scope), _closure(value, scope))
        for key, value in zip(node.keys, node.values, strict=True)
    ]

    def closure(run: Run, local: dict[str, Any]) -> Any:
        out: dict[Any, Any] = {}
        for key, value in pairs:
            if key is None:
                spread = value(run, local)
                if type(spread) not in DICTS:
                    raise TypeError("not a mapping")
                out.update(run.keep(spread))
            else:
                out[key(run, local)] = value(run, local)
        return run.keep(out)

    return closure


def _subscript(node: ast.Subscript, scope: _Scope) -> Closure:
    base, index = _closure(node.value, scope), _closure(node.slice, scope)

    def closure(run: Run, local: dict[str, Any]) -> Any:
        box, key = base(run, local), index(run, local)
        if type(box) not in SCALARS and type(box) not in CONTAINERS:
            raise Cannot("a subscript")
        if type(box).__name__ == "defaultdict" and key not in box:
            if box.default_factory is not None and not (
                run.own or any(box is value for value in run.values.values())
            ):
                raise Cannot("a new key of a shared value")
        value = box[key]
        if type(key) is slice:
            run.budget.charge(1 + (len(value) >> 4) if type(value) is not range else 1)
        return value

    return closure


def _slice(node: ast.Slice, scope: _Scope) -> Closure:
    parts = [
        _closure(part, scope) if part else None for part in (node.lower, node.upper, node.step)
    ]
    return lambda run, local: slice(*[part(run, local) if part else None for part in parts])


def _attribute(node: ast.Attribute, scope: _Scope) -> Closure:
    base, name = _closure(node.value, scope), node.attr
    dotted = _dotted(node)

    def closure(run: Run, local: dict[str, Any]) -> Any:
        if dotted and run.names.defines(dotted):  # a recorded attribute
            return _lookup(run, dotted)
        owner = base(run, local)
        if type(owner) is type and name == "__name__":
            return owner.__name__
        if type(owner) is Module and not callable(member := owner.members.get(name, len)):
            return member
        if type(owner) is Module and type(member) is type:
            return member
        if type(owner) in (int, float, complex, bool) and name in ("real", "imag"):
            return getattr(owner, name)
        return Function(run, method(run, owner, name))

    return closure


def _dotted(node: ast.expr) -> str:
    """`self.total` of names only, or nothing."""
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


def _call(node: ast.Call, scope: _Scope, free: bool = False) -> Closure:
    callee = node.func
    name = callee.id if isinstance(callee, ast.Name) and callee.id not in scope.bound else ""
    arguments = _arguments(node, scope, name, free)
    if isinstance(callee, ast.Attribute):
        owner, attribute = _closure(callee.value, scope), callee.attr
        scope.mutates |= attribute in MUTATING

        def call_method(run: Run, local: dict[str, Any]) -> Any:
            act = method(run, owner(run, local), attribute)
            return run.keep(act(run, *arguments(run, local)))

        return call_method
    if not name:
        function = _closure(callee, scope)

        def call_value(run: Run, local: dict[str, Any]) -> Any:
            act = run.function(function(run, local))
            positional, named = arguments(run, local)
            if type(act) is not Function:
                _check_value(act) if type(act) not in SCALARS else None
                raise TypeError("not callable")
            return act(*positional, **named)

        return call_value
    builtin = BUILTINS.get(name)

    def call_name(run: Run, local: dict[str, Any]) -> Any:
        positional, named = arguments(run, local)
        if builtin is not None and name not in run.values and not run.names.defines(name):
            return run.keep(builtin(run, positional, named))
        if run.unordered:
            raise Cannot("the order of a set")
        _check_value([positional, named])
        value = run.names.call(name, tuple(positional), named)
        return copied(run.keep(value)) if run.own else value

    return call_name


def _arguments(
    node: ast.Call, scope: _Scope, name: str, free: bool
) -> Callable[[Run, dict[str, Any]], tuple[list[Any], dict[str, Any]]]:
    """Positional and named arguments. Those that `name` goes through in any order are marked."""
    named = [(keyword.arg, _closure(keyword.value, scope)) for keyword in node.keywords]
    loops = slice(0, 0)
    if (name in ORDER_FREE and len(node.args) == 1) or (free and name in HAND_ON):
        loops = slice(1 if name in ("map", "filter") else 0, None)
    if loops.stop is None and not any(isinstance(arg, ast.Starred) for arg in node.args):
        marked = node.args[loops]
        parts = [
            _free(arg, scope, name == "len") if arg in marked else _closure(arg, scope)
            for arg in node.args
        ]
        elements: Callable[[Run, Any], list[Any]] = lambda run, local: [
            part(run, local) for part in parts
        ]
    else:
        elements = _elements(node.args, scope)
    if not named:
        return lambda run, local: (elements(run, local), {})

    def arguments(run: Run, local: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        positional, keywords = elements(run, local), {}
        for key, part in named:
            value = part(run, local)
            for key, value in value.items() if key is None else [(key, value)]:
                if type(key) is not str or key in keywords:
                    raise TypeError("keywords")
                keywords[key] = value
        return positional, keywords

    return arguments


def _lambda(node: ast.Lambda, scope: _Scope) -> Closure:
    given = node.args
    if given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
        return _unsupported(node, scope)
    names = [arg.arg for arg in given.posonlyargs + given.args]
    body = _closure(node.body, scope, frozenset(names), in_lambda=True)
    cost = scope.weight

    def closure(run: Run, local: dict[str, Any]) -> Function:
        def act(run: Run, arguments: Any, keywords: Any) -> Any:
            if keywords:
                raise Cannot("keywords of a lambda")
            if len(arguments) != len(names):
                raise TypeError("arguments of a lambda")
            return body(run, {**local, **dict(zip(names, arguments, strict=True))})

        return Function(run, act, cost)

    return closure


def _binder(target: ast.expr) -> Callable[[Run, dict[str, Any], Any], None]:
    """What binds the names of a comprehension's target."""
    if isinstance(target, ast.Name):
        name = target.id
        return lambda run, local, value: local.__setitem__(name, value)
    if not isinstance(target, ast.Tuple | ast.List):
        raise Cannot("a target")
    binders = [_binder(part) for part in target.elts]

    def bind(run: Run, local: dict[str, Any], value: Any) -> None:
        parts = list(itertools.islice(iter(run.items(value)), len(binders) + 1))
        if len(parts) != len(binders):
            raise ValueError("unpacking")
        for part, binder in zip(parts, binders, strict=True):
            binder(run, local, part)

    return bind


def _comprehension(node: Any, scope: _Scope, free: bool = False) -> Closure:
    kind = type(node)
    free = free or kind is ast.SetComp
    if any(g.is_async for g in node.generators):
        return _unsupported(node, scope)
    names: frozenset[str] = frozenset()
    levels = []
    for generator in node.generators:
        source = (
            _closure(generator.iter, scope, names, free=True) if free
            else _closure(generator.iter, scope, names)
        )  # fmt: skip
        if free:
            source = _freed(source)
        names |= {n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
        tests = [_closure(test, scope, names) for test in generator.ifs]
        levels.append((source, _binder(generator.target), tests))
    parts = (node.key, node.value) if kind is ast.DictComp else (node.elt,)
    results = [_closure(part, scope, names) for part in parts]
    cost, last, result = scope.weight, len(levels) - 1, results[0]
    if free and any(isinstance(n, ast.NamedExpr) for n in ast.walk(node)):
        return _unsupported(node, scope)

    def loop(run: Run, local: dict[str, Any], number: int, items: Any) -> Iterator[None]:
        _, bind, tests = levels[number]
        for item in items:
            run.budget.charge(cost)
            bind(run, local, item)
            for test in tests:
                if not test(run, local):
                    break
            else:
                if number == last:
                    yield
                else:
                    source = levels[number + 1][0]
                    yield from loop(run, local, number + 1, run.items(source(run, local)))

    def closure(run: Run, local: dict[str, Any]) -> Any:
        items = iter(run.items(levels[0][0](run, local)))
        inner = dict(local)
        rounds = loop(run, inner, 0, items)
        if kind is ast.GeneratorExp:
            return Once(run, (result(run, inner) for _ in rounds))
        if kind is ast.DictComp:
            return run.keep({result(run, inner): results[1](run, inner) for _ in rounds})
        made = [result(run, inner) for _ in rounds]
        return run.keep(set(uncrowded(run, made)) if kind is ast.SetComp else made)

    return closure


def _freed(source: Closure) -> Closure:
    return lambda run, local: run.free(source(run, local))


def _named(node: ast.NamedExpr, scope: _Scope) -> Closure:
    if scope.in_lambda:
        return _unsupported(node, scope)
    value, name = _closure(node.value, scope), node.target.id

    def closure(run: Run, local: dict[str, Any]) -> Any:
        made = run.values[name] = value(run, local)
        return made

    return closure


def _joined(node: ast.JoinedStr, scope: _Scope) -> Closure:
    parts = [_closure(part, scope) for part in node.values]
    return lambda run, local: run.keep("".join([part(run, local) for part in parts]))


def _field(node: ast.FormattedValue, scope: _Scope) -> Closure:
    value = _closure(node.value, scope)
    conversion = chr(node.conversion) if node.conversion > 0 else None
    if node.format_spec is None:
        return lambda run, local: formatted(run, value(run, local), conversion, "")
    spec = _closure(node.format_spec, scope)
    return lambda run, local: formatted(run, value(run, local), conversion, spec(run, local))


_LOOPS = (ast.ListComp, ast.GeneratorExp, ast.Call)  # that can go through a set in any order
_MAKERS: dict[type, Callable[..., Closure]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _dict,
    ast.DictComp: _comprehension,
    ast.FormattedValue: _field,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _choice,
    ast.JoinedStr: _joined,
    ast.Lambda: _lambda,
    ast.List: _display(list),
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.NamedExpr: _named,
    ast.Set: _display(set),
    ast.SetComp: _comprehension,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.Tuple: _display(tuple),
    ast.UnaryOp: _unary,
}
