"""Expressions worked out over recorded values, without running any code of the program.

The writers say why a branch was taken by evaluating its condition. They do so here: an expression's
syntax tree is compiled once into closures over a fixed set of operators, built-ins and methods that
cannot change anything, on exact built-in values and within bounds. Whatever lies outside (a call of
the program's own function, an object, a name without a recorded value) raises `Unknown`, and the
writer then states only what the trace shows.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MAX_ITEMS = 5_000
MAX_BITS = 20_000

Env = Mapping[str, Any]
Closure = Callable[[Env], Any]


class Unknown(Exception):
    """The value of the expression cannot be worked out from the recorded values."""


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


def bounded(value: Any) -> Any:
    """`value` itself, when it is small enough to go on with."""
    kind = type(value)
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise Unknown("too large")
    elif kind in _SIZED and len(value) > MAX_ITEMS:
        raise Unknown("too long")
    return value


_SIZED = frozenset((str, bytes, list, tuple, dict, set, frozenset))


def _times(a: Any, b: Any) -> Any:
    for x, n in ((a, b), (b, a)):
        if type(x) in _SIZED and type(n) is int and n > 0 and len(x) * n > MAX_ITEMS:
            raise Unknown("too long")
    return a * b


def _power(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int and (b > 4096 or abs(b) * a.bit_length() > MAX_BITS):
        raise Unknown("too large")
    return a**b


def _shift(a: Any, b: Any) -> Any:
    if type(b) is int and b > MAX_BITS:
        raise Unknown("too large")
    return a << b


OPERATORS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", _times),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", _power),
    ast.LShift: ("<<", _shift),
    ast.RShift: (">>", operator.rshift),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
}
COMPARISONS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda a, b: a in b),
    ast.NotIn: ("not in", lambda a, b: a not in b),
    ast.Is: ("is", lambda a, b: _identical(a, b)),
    ast.IsNot: ("is not", lambda a, b: not _identical(a, b)),
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


def _identical(a: Any, b: Any) -> bool:
    """`is`, only where it does not depend on how the interpreter shares objects."""
    singletons = (type(None), bool, type(...))
    if type(a) in singletons or type(b) in singletons:
        return a is b
    if isinstance(a, type) and isinstance(b, type):
        return a is b
    raise Unknown("identity")


def ordered(items: Any) -> Any:
    """`items`, unless it is a set, whose order of iteration no recorded text tells."""
    if type(items) in (set, frozenset) and len(items) > 1:
        raise Unknown("the order of a set")
    return items


def _drained(items: Iterable[Any]) -> list[Any]:
    out = []
    ordered(items)
    for item in items:
        out.append(item)
        if len(out) > MAX_ITEMS:
            raise Unknown("too long")
    return out


def _lazy(function: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """An iterator's values as a list. Iterators are used up only once in a program, so a list
    differs from them only where it is shown or measured, which `Once` forbids."""

    def run(*args: Any) -> Once:
        for arg in args:
            ordered(arg)
        return Once(_drained(function(*args)))

    return run


class Once(list[Any]):
    """What an iterator gives. May be looped over; anything else with it is `Unknown`."""

    __slots__ = ()


def _plain(value: Any) -> Any:
    if isinstance(value, Once):
        raise Unknown("an iterator")
    return value


def _sorted(items: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
    if type(items) in (set, frozenset) and key is None:
        return sorted(items, reverse=reverse)
    return sorted(_drained(items), key=key, reverse=reverse)


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **named: Any) -> Any:
        if named.get("key") is not None:
            for arg in args:
                ordered(arg)
        return pick(*args, **named)

    return run


def _shown(write: Callable[[Any], str]) -> Callable[..., str]:
    def run(value: Any = "") -> str:
        return write(showable(value))

    return run


def showable(value: Any) -> Any:
    """`value`, unless its text depends on the order of a set."""
    kind = type(value)
    if kind in (set, frozenset):
        ordered(value)
    parts: Iterable[Any] = ()
    if kind in (list, tuple):
        parts = value
    elif kind is dict:
        parts = value.values()
    for part in parts:
        showable(part)
    return value


def _range(*args: int) -> range:
    made = range(*args)
    if len(made) > MAX_ITEMS * 20:
        raise Unknown("too long")
    return made


def _pow(a: Any, b: Any, m: Any = None) -> Any:
    return _power(a, b) if m is None else pow(a, b, m)


def _instance(value: Any, kind: Any) -> bool:
    return isinstance(value, kind)


BUILTINS: dict[str, Any] = {
    "len": len, "sum": sum, "min": _extreme(min), "max": _extreme(max), "sorted": _sorted, "abs": abs, "round": round,
    "int": int, "str": _shown(str), "float": float, "bool": bool, "list": lambda x=(): _drained(x),
    "tuple": lambda x=(): tuple(_drained(x)), "set": lambda x=(): set(x),
    "frozenset": lambda x=(): frozenset(x), "dict": dict, "range": _range,
    "enumerate": _lazy(enumerate), "zip": _lazy(zip), "reversed": _lazy(reversed),
    "map": _lazy(map), "filter": _lazy(filter), "any": any, "all": all, "ord": ord, "chr": chr,
    "divmod": divmod, "pow": _pow, "bin": bin, "hex": hex, "oct": oct, "repr": _shown(repr),
    "isinstance": _instance,
}  # fmt: skip
_TYPES: dict[str, type] = {
    k.__name__: k for k in (int, str, float, bool, list, tuple, set, dict, frozenset, bytes)
}

METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "center",
            "count",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "zfill",
        ]
    ),
    list: frozenset(("count", "index", "copy")),
    tuple: frozenset(("count", "index")),
    dict: frozenset(("get", "keys", "values", "items", "copy")),
    set: frozenset(
        [
            "union",
            "intersection",
            "difference",
            "symmetric_difference",
            "issubset",
            "issuperset",
            "isdisjoint",
            "copy",
        ]
    ),
    frozenset: frozenset(("union", "intersection", "difference", "issubset", "issuperset")),
    int: frozenset(("bit_length", "bit_count")),
    float: frozenset(("is_integer",)),
}
_VIEWS = frozenset(("keys", "values", "items"))
_MATH = {
    name: getattr(math, name)
    for name in [
        "sqrt",
        "floor",
        "ceil",
        "gcd",
        "isqrt",
        "fabs",
        "log",
        "log2",
        "log10",
        "sin",
        "cos",
        "tan",
        "pi",
        "e",
        "inf",
        "hypot",
    ]
}


def method(receiver: Any, name: str, args: list[Any], named: dict[str, Any]) -> Any:
    """The result of a method that changes nothing. Raises `Unknown` for every other."""
    kind = type(receiver)
    if name not in METHODS.get(kind, ()):
        raise Unknown(f"method {name}")
    if kind is str:
        if name == "join":
            ordered(args[0])
        _guard_width(receiver, name, args)
    result = getattr(receiver, name)(*args, **named)
    return Once(result) if name in _VIEWS and kind is dict else result


def _guard_width(text: str, name: str, args: list[Any]) -> None:
    if name in ("center", "ljust", "rjust", "zfill", "expandtabs"):
        if args and type(args[0]) is int and args[0] > MAX_ITEMS:
            raise Unknown("too long")
    elif name == "replace" and args and len(text) * max(len(str(a)) for a in args) > 20 * MAX_ITEMS:
        raise Unknown("too long")
    elif name == "format":
        raise Unknown("format")


# --- one compiler per kind of node -----------------------------------------------------------


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
        if name in BUILTINS or name in _TYPES:
            return _TYPES.get(name) or BUILTINS[name]
        raise Unknown(name)

    return run


def _binary(node: ast.BinOp) -> Closure:
    left, right = closure(node.left), closure(node.right)
    apply = OPERATORS[type(node.op)][1] if type(node.op) in OPERATORS else None
    if apply is None:
        return _unknown(node)

    def run(env: Env) -> Any:
        a = _plain(left(env))
        b = _plain(right(env))
        if apply is operator.mod and type(a) is str:
            raise Unknown("formatting")
        return bounded(apply(a, b))

    return run


def _unary(node: ast.UnaryOp) -> Closure:
    operand, apply = closure(node.operand), _UNARY[type(node.op)]
    return lambda env: apply(_plain(operand(env)))


def _boolean(node: ast.BoolOp) -> Closure:
    parts = [closure(v) for v in node.values]
    stops = isinstance(node.op, ast.Or)

    def run(env: Env) -> Any:
        value = None
        for part in parts:
            value = _plain(part(env))
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
                _plain(left), _plain(right)
            result = apply(left, right)
            if not result:
                return result
            left = right
        return result

    return run


def _choice(node: ast.IfExp) -> Closure:
    test, yes, no = closure(node.test), closure(node.body), closure(node.orelse)
    return lambda env: yes(env) if _plain(test(env)) else no(env)


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
                    out.extend(_drained(part(env)))
                else:
                    out.append(_plain(part(env)))
            return make(out)

        return run

    return compiler


def _dict(node: ast.Dict) -> Closure:
    if any(k is None for k in node.keys):
        return _unknown(node)
    pairs = [(closure(k), closure(v)) for k, v in zip(node.keys, node.values, strict=True) if k]
    return lambda env: {k(env): _plain(v(env)) for k, v in pairs}


def _subscript(node: ast.Subscript) -> Closure:
    base, index = closure(node.value), closure(node.slice)

    def run(env: Env) -> Any:
        box = _plain(base(env))
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
            return _plain(body(Inner(env, dict(zip(names, given, strict=True)))))

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
                if attribute not in _MATH:
                    raise Unknown(attribute)
                return bounded(_MATH[attribute](*given))
            return bounded(
                method(_plain(base(env)), attribute, given, {n: v(env) for n, v in named})
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
                _plain(g)
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
                    out.append((pair[0](scope), _plain(pair[1](scope))))
                elif item:
                    out.append(_plain(item(scope)))
                if len(out) > MAX_ITEMS:
                    raise Unknown("too long")
                return
            target, source, tests = generators[depth]
            for value in _drained(source(scope if depth else env)):
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
        for part, item in zip(target.elts, _drained(value), strict=True):
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
        made = showable(_plain(value(env)))
        return format(convert(made) if convert else made, spec)

    return run


def _attribute(node: ast.Attribute) -> Closure:
    if (
        isinstance(node.value, ast.Name)
        and node.value.id == "math"
        and node.attr in ("pi", "e", "inf")
    ):
        return lambda env: _MATH[node.attr]
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
