"""Python values as bounded literal text, and back, without ever evaluating anything.

The text is Python's own notation (`[1, 'a']`, `{2: None}`), extended by a few constructor names
(`set()`, `range(0, 3)`, `Counter({'a': 2})`, `Decimal('1.5')`, …) and by `nan` and `inf`. Only
*exact* built-in types are written, never a subclass, so text that came from an untrusted process
holds data and nothing else.

The room stands below `records`, whose JSON form needs it.
"""

from __future__ import annotations

import ast
import collections
import datetime
import decimal
import fractions
import math
from typing import Any

MAX_NODES = 100_000
MAX_BYTES = 2_000_000
MAX_DEPTH = 80
# int -> decimal text is quadratic and refuses beyond 4,300 digits, so long ints are written in hex.
_HEX_FROM_BITS = 13_000


class Unserializable(ValueError):
    """The value has no exact bounded text; the message says why."""


class NotALiteral(ValueError):
    """The text is not the text of a value; the message says where."""


class _Budget:
    __slots__ = ("bytes", "nodes", "seen")

    def __init__(self, nodes: int, size: int) -> None:
        self.nodes = nodes
        self.bytes = size
        self.seen: set[int] = set()

    def take(self, size: int) -> None:
        self.nodes -= 1
        self.bytes -= size
        if self.nodes < 0:
            raise Unserializable("too many elements")
        if self.bytes < 0:
            raise Unserializable("too long")


def encode(value: Any, *, max_nodes: int = MAX_NODES, max_bytes: int = MAX_BYTES) -> str:
    """The exact text of `value`; sets come out sorted, dicts in their own order.

    Promises `same(decode(encode(v)), v)`. Raises `Unserializable` for other types, subclasses,
    cycles, nesting beyond 80 levels, and values larger than the budgets (which count the whole
    value, not one container). Runs no method of the value.
    """
    return _write(value, _Budget(max_nodes, max_bytes), 0)


def _write(v: Any, budget: _Budget, depth: int) -> str:
    kind = type(v)
    writer = _WRITERS.get(kind)
    if writer is None:
        name = type.__dict__["__name__"].__get__(kind)  # a metaclass may lie or run code
        raise Unserializable(f"no exact text for type {name}")
    if kind in _CONTAINERS:
        if depth >= MAX_DEPTH:
            raise Unserializable("nested too deep")
        key = id(v)
        if key in budget.seen:
            raise Unserializable("contains itself")
        budget.seen.add(key)
        budget.take(2)
        text = writer(v, budget, depth + 1)
        budget.seen.discard(key)
        return text
    if kind is str or kind is bytes:
        budget.take(len(v) + 2)
        text = repr(v)
        budget.bytes -= len(text) - len(v) - 2
        return text
    if kind is int and v.bit_length() > _HEX_FROM_BITS:
        budget.take(v.bit_length() // 4)
        return hex(v)
    text = writer(v)
    budget.take(len(text))
    return text


def _float(v: float) -> str:
    return repr(v)  # 'nan', 'inf' and '-inf' are names that `decode` knows


def _items(parts: Any, budget: _Budget, depth: int) -> list[str]:
    out = []
    for part in parts:
        out.append(_write(part, budget, depth))
        budget.bytes -= 2
    return out


def _list(v: list[Any], b: _Budget, d: int) -> str:
    return "[" + ", ".join(_items(v, b, d)) + "]"


def _tuple(v: tuple[Any, ...], b: _Budget, d: int) -> str:
    inside = _items(v, b, d)
    return "(" + ", ".join(inside) + (",)" if len(inside) == 1 else ")")


def _pairs(v: Any, b: _Budget, d: int) -> str:
    return "{" + ", ".join(f"{_write(k, b, d)}: {_write(x, b, d)}" for k, x in v.items()) + "}"


def _sorted_braces(v: Any, b: _Budget, d: int) -> str:
    return "{" + ", ".join(sorted(_items(v, b, d), key=_set_order)) + "}" if v else "set()"


def _set_order(text: str) -> tuple[int, Any, str]:
    """Numbers by size, then everything else by text: an order that depends on the set alone."""
    try:
        return (0, float(text), text)
    except (ValueError, OverflowError):
        return (1, 0.0, text)


def _frozenset(v: frozenset[Any], b: _Budget, d: int) -> str:
    return f"frozenset({_sorted_braces(v, b, d)})" if v else "frozenset()"


def _counter(v: Any, b: _Budget, d: int) -> str:
    return f"Counter({_pairs(v, b, d)})" if v else "Counter()"


def _ordered(v: Any, b: _Budget, d: int) -> str:
    return f"OrderedDict([{', '.join(_tuple(pair, b, d) for pair in v.items())}])"


def _deque(v: Any, b: _Budget, d: int) -> str:
    limit = "" if v.maxlen is None else f", {v.maxlen}"
    return f"deque([{', '.join(_items(v, b, d))}]{limit})"


_FACTORIES = {f.__name__: f for f in (int, float, str, list, dict, set, tuple, bool)}


def _defaultdict(v: Any, b: _Budget, d: int) -> str:
    factory = v.default_factory
    if factory is None:
        name = "None"
    elif any(factory is known for known in _FACTORIES.values()):
        name = factory.__name__
    else:
        raise Unserializable("defaultdict with a factory that is not a built-in type")
    return f"defaultdict({name}, {_pairs(v, b, d)})"


def _zoneless(v: Any) -> None:
    if getattr(v, "tzinfo", None) is not None:
        raise Unserializable("date or time with a time zone")


def _datetime(v: datetime.datetime) -> str:
    _zoneless(v)
    return (
        f"datetime({v.year}, {v.month}, {v.day}, {v.hour}, {v.minute}, {v.second}, {v.microsecond})"
    )


def _time(v: datetime.time) -> str:
    _zoneless(v)
    return f"time({v.hour}, {v.minute}, {v.second}, {v.microsecond})"


_CONTAINERS: dict[type, Any] = {
    list: _list,
    tuple: _tuple,
    dict: _pairs,
    set: _sorted_braces,
    frozenset: _frozenset,
    collections.Counter: _counter,
    collections.OrderedDict: _ordered,
    collections.deque: _deque,
    collections.defaultdict: _defaultdict,
}
_WRITERS: dict[type, Any] = {
    type(None): repr,
    bool: repr,
    int: repr,
    float: _float,
    str: repr,
    bytes: repr,
    type(...): lambda v: "...",
    complex: lambda v: f"complex({v.real!r}, {v.imag!r})",
    bytearray: lambda v: f"bytearray({bytes(v)!r})",
    range: lambda v: f"range({v.start}, {v.stop}{'' if v.step == 1 else f', {v.step}'})",
    decimal.Decimal: lambda v: f"Decimal('{v}')",
    fractions.Fraction: lambda v: f"Fraction({v.numerator}, {v.denominator})",
    datetime.datetime: _datetime,
    datetime.date: lambda v: f"date({v.year}, {v.month}, {v.day})",
    datetime.time: _time,
    datetime.timedelta: lambda v: f"timedelta({v.days}, {v.seconds}, {v.microseconds})",
    **_CONTAINERS,
}


# --- back ------------------------------------------------------------------------------------


def decode(text: str, *, max_bytes: int = 50_000_000) -> Any:
    """The value that `text` stands for. Accepts what `encode` writes and every plain Python
    literal (implicitly joined strings and negative numbers included). Raises `NotALiteral`; never
    evaluates, so it is safe on text from a model or from an untrusted process."""
    if len(text) > max_bytes:
        raise NotALiteral(f"longer than {max_bytes:,} characters")
    return _read(_parse(text))


def parse_call(text: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """`"f(1, key=[2])"` as (name, positional values, named values). A dotted name stays dotted.
    Raises `NotALiteral` when it is not one call with literal arguments."""
    node = _parse(text)
    if not isinstance(node, ast.Call):
        raise NotALiteral("not a call")
    positional: list[Any] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            positional.extend(_read(arg.value))
        else:
            positional.append(_read(arg))
    named = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise NotALiteral("** in a call")
        named[keyword.arg] = _read(keyword.value)
    return ast.unparse(node.func), tuple(positional), named


def show_call(name: str, arguments: tuple[Any, ...]) -> str:
    """`f(1, [2])`, from a name and positional values."""
    return f"{name}({', '.join(encode(a) for a in arguments)})"


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise NotALiteral(f"does not parse: {type(error).__name__}") from None


_NAMES: dict[str, Any] = {"nan": math.nan, "inf": math.inf, "NaN": math.nan, "Infinity": math.inf}
_MAKERS: dict[str, Any] = {
    "set": set,
    "frozenset": frozenset,
    "range": range,
    "complex": complex,
    "bytearray": bytearray,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "deque": collections.deque,
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
}
# A constructor must not be a way to make something huge out of little text, or to run code.
_MAKER_ARGUMENTS: dict[str, tuple[type, ...]] = {
    "set": (list, tuple, set, str),
    "frozenset": (list, tuple, set, str),
    "range": (int,),
    "complex": (int, float),
    "bytearray": (bytes,),
    "Counter": (dict, list, str),
    "OrderedDict": (list, dict),
    "deque": (list, int),
    "Decimal": (str,),
    "Fraction": (int,),
}


def _read(node: ast.expr) -> Any:
    try:
        return _node(node, 0)
    except NotALiteral:
        raise
    except (TypeError, ValueError, OverflowError, ArithmeticError, RecursionError) as error:
        raise NotALiteral(str(error) or type(error).__name__) from None


def _node(node: ast.expr, depth: int) -> Any:
    if depth > 2 * MAX_DEPTH:
        raise NotALiteral("nested too deep")
    kind = type(node)
    d = depth + 1
    if kind is ast.Constant:
        return node.value  # type: ignore[attr-defined]
    if kind is ast.List:
        return [_node(e, d) for e in node.elts]  # type: ignore[attr-defined]
    if kind is ast.Tuple:
        return tuple([_node(e, d) for e in node.elts])  # type: ignore[attr-defined]
    if kind is ast.Dict:
        if any(k is None for k in node.keys):  # type: ignore[attr-defined]
            raise NotALiteral("** in a dict")
        pairs = zip(node.keys, node.values, strict=True)  # type: ignore[attr-defined]
        return {_node(k, d): _node(v, d) for k, v in pairs}
    if kind is ast.Set:
        return {_node(e, d) for e in node.elts}  # type: ignore[attr-defined]
    if kind is ast.UnaryOp:
        return _signed(node, d)
    if kind is ast.BinOp:
        return _complex_sum(node, d)
    if kind is ast.Name:
        name = node.id  # type: ignore[attr-defined]
        if name in _NAMES:
            return _NAMES[name]
        raise NotALiteral(f"the name {name!r} is not a value")
    if kind is ast.Call:
        return _made(node, d)
    raise NotALiteral(f"{kind.__name__} is not part of a literal")


def _signed(node: Any, depth: int) -> Any:
    operand = _node(node.operand, depth)
    if type(operand) not in (int, float, complex):
        raise NotALiteral("a sign before something that is not a number")
    if isinstance(node.op, ast.USub):
        return -operand
    if isinstance(node.op, ast.UAdd):
        return operand
    raise NotALiteral("an operator in a literal")


def _complex_sum(node: Any, depth: int) -> complex:
    left, right = _node(node.left, depth), _node(node.right, depth)
    if type(left) in (int, float) and type(right) is complex and right.real == 0:
        if isinstance(node.op, ast.Add):
            return complex(left, right.imag)
        if isinstance(node.op, ast.Sub):
            return complex(left, -right.imag)
    raise NotALiteral("an operator in a literal")


def _made(node: Any, depth: int) -> Any:
    name = ast.unparse(node.func).rpartition(".")[2]
    if node.keywords:
        return _made_with_names(name, node, depth)
    if name == "defaultdict":
        return _made_defaultdict(node, depth)
    if name == "float" and len(node.args) == 1:
        word = _node(node.args[0], depth)
        if isinstance(word, str) and word.lower() in ("nan", "inf", "-inf", "infinity"):
            return float(word)
    if name not in _MAKERS:
        raise NotALiteral(f"a call of {name!r} is not a value")
    arguments = [_node(a, depth) for a in node.args]
    allowed = _MAKER_ARGUMENTS.get(name, (int,))
    if any(type(a) not in allowed for a in arguments):
        raise NotALiteral(f"arguments of {name} that it cannot be written with")
    return _MAKERS[name](*arguments)


def _made_with_names(name: str, node: Any, depth: int) -> Any:
    if name == "deque" and [k.arg for k in node.keywords] == ["maxlen"]:
        items = _node(node.args[0], depth) if node.args else []
        return collections.deque(items, _node(node.keywords[0].value, depth))
    raise NotALiteral(f"named arguments in {name}")


def _made_defaultdict(node: Any, depth: int) -> Any:
    factory, *rest = node.args
    if isinstance(factory, ast.Constant) and factory.value is None:
        made: Any = None
    else:
        # Python's own repr writes the factory as <class 'int'>, which does not parse; ours: int
        made = _FACTORIES.get(ast.unparse(factory))
        if made is None:
            raise NotALiteral("defaultdict with an unknown factory")
    return collections.defaultdict(made, *[_node(a, depth) for a in rest])


# --- comparison ------------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    """Equal in type and in value all the way down; nan is itself, 0.0 is not -0.0, 1 is not True.
    Both must be encodable."""
    return encode(a) == encode(b)


def equal(a: Any, b: Any, *, rel_tol: float = 0.0, abs_tol: float = 0.0) -> bool:
    """Python's `==` on decoded values (so 1 == 1.0 == True), plus nan equal to nan, plus a float
    tolerance where one is given. Only for exact built-in values, whose `==` is harmless."""
    if type(a) is float and type(b) is float:
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b or math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(
            equal(x, y, rel_tol=rel_tol, abs_tol=abs_tol) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return all(equal(a[k], b[k], rel_tol=rel_tol, abs_tol=abs_tol) for k in a)
    if (rel_tol or abs_tol) and isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    return bool(a == b)
