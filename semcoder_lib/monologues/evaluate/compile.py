"""Syntax trees of expressions, compiled once into closures over an environment."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.monologues.evaluate.known import (
    BUILTINS,
    COMPARISONS,
    MATH,
    MAX_ITEMS,
    OPERATORS,
    TYPES,
    UNARY,
    Once,
    Unknown,
    bounded,
    drained,
    method,
    plain,
    showable,
)

Env = Mapping[str, Any]
Closure = Callable[[Env], Any]


def evaluate(node: ast.expr, env: Env) -> Any:
    """The value of `node` with the names in `env`. Raises `Unknown`; never anything else."""
    try:
        return closure(node)(env)
    except Unknown:
        raise
    except RecursionError:
        raise Unknown("nested too deep") from None
    except Exception as error:  # the operation itself failed, as it would have in the program
        raise Unknown(type(error).__name__) from None


def closure(node: ast.expr) -> Closure:
    made: Closure | None = getattr(node, "_closure", None)
    if made is None:
        compiler = _COMPILERS.get(type(node))
        made = compiler(node) if compiler else _unknown(node)
        node._closure = made  # type: ignore[attr-defined]
    return made


def _unknown(node: ast.AST) -> Closure:
    def run(env: Env) -> Any:
        raise Unknown(type(node).__name__)

    return run


def _constant(node: ast.Constant) -> Closure:
    value = node.value
    return lambda env: value


def _name(node: ast.Name) -> Closure:
    name = node.id

    def run(env: Env) -> Any:
        try:
            return env[name]
        except KeyError:
            pass
        if name in BUILTINS or name in TYPES:
            return TYPES.get(name) or BUILTINS[name]
        raise Unknown(name)

    return run


def _binary(node: ast.BinOp) -> Closure:
    left, right = closure(node.left), closure(node.right)
    apply = OPERATORS[type(node.op)][1] if type(node.op) in OPERATORS else None
    if apply is None:
        return _unknown(node)

    def run(env: Env) -> Any:
        a = plain(left(env))
        b = plain(right(env))
        if apply is operator.mod and type(a) is str:
            raise Unknown("formatting")
        return bounded(apply(a, b))

    return run


def _unary(node: ast.UnaryOp) -> Closure:
    operand, apply = closure(node.operand), UNARY[type(node.op)]
    return lambda env: apply(plain(operand(env)))


def _boolean(node: ast.BoolOp) -> Closure:
    parts = [closure(v) for v in node.values]
    stops = isinstance(node.op, ast.Or)

    def run(env: Env) -> Any:
        value = None
        for part in parts:
            value = plain(part(env))
            if bool(value) is stops:
                break
        return value

    return run


def _compare(node: ast.Compare) -> Closure:
    first = closure(node.left)
    rest = [
        (COMPARISONS[type(o)][1], closure(c))
        for o, c in zip(node.ops, node.comparators, strict=True)
    ]

    def run(env: Env) -> Any:
        left = first(env)
        result: Any = True
        for apply, part in rest:
            right = part(env)
            if not (apply is COMPARISONS[ast.In][1] or apply is COMPARISONS[ast.NotIn][1]):
                plain(left), plain(right)
            result = apply(left, right)
            if not result:
                return result
            left = right
        return result

    return run


def _choice(node: ast.IfExp) -> Closure:
    test, yes, no = closure(node.test), closure(node.body), closure(node.orelse)
    return lambda env: yes(env) if plain(test(env)) else no(env)


def _display(make: Callable[[list[Any]], Any]) -> Callable[[Any], Closure]:
    def compiler(node: Any) -> Closure:
        parts = [
            (
                isinstance(e, ast.Starred),
                closure(getattr(e, "value", e) if isinstance(e, ast.Starred) else e),
            )
            for e in node.elts
        ]

        def run(env: Env) -> Any:
            out: list[Any] = []
            for star, part in parts:
                if star:
                    out.extend(drained(part(env)))
                else:
                    out.append(plain(part(env)))
            return make(out)

        return run

    return compiler


def _dict(node: ast.Dict) -> Closure:
    if any(k is None for k in node.keys):
        return _unknown(node)
    pairs = [(closure(k), closure(v)) for k, v in zip(node.keys, node.values, strict=True) if k]
    return lambda env: {k(env): plain(v(env)) for k, v in pairs}


def _subscript(node: ast.Subscript) -> Closure:
    base, index = closure(node.value), closure(node.slice)

    def run(env: Env) -> Any:
        box = plain(base(env))
        key = index(env)
        kind = type(box)
        if kind not in (list, tuple, str, dict, range, bytes):
            if kind.__name__ in (
                "Counter",
                "defaultdict",
                "OrderedDict",
                "deque",
            ) and not isinstance(key, slice):
                if kind.__name__ == "defaultdict" and key not in box:
                    raise Unknown("a new key")
                return box[key]
            raise Unknown("subscript")
        return box[key]

    return run


def _slice(node: ast.Slice) -> Closure:
    none: Closure = lambda env: None  # noqa: E731
    low, high, step = (closure(p) if p else none for p in (node.lower, node.upper, node.step))
    return lambda env: slice(low(env), high(env), step(env))


def _function(node: ast.Lambda) -> Closure:
    args = node.args
    if args.vararg or args.kwarg or args.kwonlyargs or args.defaults:
        return _unknown(node)
    names = [a.arg for a in args.posonlyargs + args.args]
    body = closure(node.body)

    def run(env: Env) -> Any:
        def function(*given: Any) -> Any:
            return plain(body(Inner(env, dict(zip(names, given, strict=True)))))

        return function

    return run


class Inner(dict[str, Any]):
    """Names of a lambda or a comprehension, over the names around it."""

    __slots__ = ("outer",)

    def __init__(self, outer: Env, own: dict[str, Any]) -> None:
        super().__init__(own)
        self.outer = outer

    def __missing__(self, name: str) -> Any:
        return self.outer[name]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or name in self.outer


def _call(node: ast.Call) -> Closure:
    if any(isinstance(a, ast.Starred) for a in node.args) or any(
        k.arg is None for k in node.keywords
    ):
        return _unknown(node)
    args = [closure(a) for a in node.args]
    named = [(k.arg or "", closure(k.value)) for k in node.keywords]
    if isinstance(node.func, ast.Attribute):
        base, attribute = closure(node.func.value), node.func.attr
        module = isinstance(node.func.value, ast.Name) and node.func.value.id == "math"

        def call_method(env: Env) -> Any:
            given = [a(env) for a in args]
            if module and "math" not in env:
                if attribute not in MATH:
                    raise Unknown(attribute)
                return bounded(MATH[attribute](*given))
            return bounded(
                method(plain(base(env)), attribute, given, {n: v(env) for n, v in named})
            )

        return call_method
    if not isinstance(node.func, ast.Name):
        return _unknown(node)
    name = node.func.id

    def call_builtin(env: Env) -> Any:
        made = results.get(id(node)) if (results := getattr(env, "results", None)) else None
        if made is not None:
            return made[0]
        if name in env or name not in BUILTINS:
            raise Unknown(name)
        given = [a(env) for a in args]
        if name in ("len", "str", "repr", "isinstance", "bool"):
            for g in given:
                plain(g)
        return bounded(BUILTINS[name](*given, **{n: v(env) for n, v in named}))

    return call_builtin


def _comprehension(node: Any) -> Closure:
    generators = [(g.target, closure(g.iter), [closure(c) for c in g.ifs]) for g in node.generators]
    kind = type(node)
    item = None if kind is ast.DictComp else closure(node.elt)
    pair = (closure(node.key), closure(node.value)) if kind is ast.DictComp else None

    def run(env: Env) -> Any:
        scope = Inner(env, {})
        out: list[Any] = []

        def level(depth: int) -> None:
            if depth == len(generators):
                if pair:
                    out.append((pair[0](scope), plain(pair[1](scope))))
                elif item:
                    out.append(plain(item(scope)))
                if len(out) > MAX_ITEMS:
                    raise Unknown("too long")
                return
            target, source, tests = generators[depth]
            for value in drained(source(scope if depth else env)):
                bind(target, value, scope)
                if all(t(scope) for t in tests):
                    level(depth + 1)

        level(0)
        if kind is ast.DictComp:
            return dict(out)
        if kind is ast.SetComp:
            return set(out)
        return Once(out) if kind is ast.GeneratorExp else out

    return run


def bind(target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
    """Assigns `value` to the names of `target` in `scope`. Raises `Unknown` for other targets."""
    if isinstance(target, ast.Name):
        scope[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        if any(isinstance(t, ast.Starred) for t in target.elts):
            raise Unknown("starred target")
        for part, item in zip(target.elts, drained(value), strict=True):
            bind(part, item, scope)
    else:
        raise Unknown("target")


def _joined(node: ast.JoinedStr) -> Closure:
    parts: list[Closure] = []
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            parts.append(closure(piece))
        elif isinstance(piece, ast.FormattedValue):
            parts.append(_formatted(piece))
    return lambda env: "".join([p(env) for p in parts])


def _formatted(node: ast.FormattedValue) -> Closure:
    value = closure(node.value)
    spec = ""
    if isinstance(node.format_spec, ast.JoinedStr):
        if not all(isinstance(v, ast.Constant) for v in node.format_spec.values):
            return _unknown(node)
        spec = "".join(str(v.value) for v in node.format_spec.values if isinstance(v, ast.Constant))
    if any(part.isdigit() and int(part) > 200 for part in spec.replace(".", " ").split()):
        return _unknown(node)
    convert = {-1: None, 115: str, 114: repr, 97: ascii}[node.conversion]

    def run(env: Env) -> str:
        made = showable(plain(value(env)))
        return format(convert(made) if convert else made, spec)

    return run


def _attribute(node: ast.Attribute) -> Closure:
    if (
        isinstance(node.value, ast.Name)
        and node.value.id == "math"
        and node.attr in ("pi", "e", "inf")
    ):
        return lambda env: MATH[node.attr]
    return _unknown(node)


_COMPILERS: dict[type, Callable[[Any], Closure]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.List: _display(list),
    ast.Tuple: _display(tuple),
    ast.Set: _display(set),
    ast.Dict: _dict,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Lambda: _function,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.JoinedStr: _joined,
    ast.Attribute: _attribute,
}
