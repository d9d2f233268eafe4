"""Closed lists of the operators, functions and methods that the evaluator knows, each bounded.

Nothing here walks syntax; `evaluator` does. A row that can make more than the sum of what it is
given has an estimate in `GROWTH`, which is asked first.
"""

from __future__ import annotations

import ast
import collections
import math
import operator
import re
import string
from collections.abc import Callable
from types import GeneratorType
from typing import Any

from semcoder_lib.monologues.evaluator_bounds import (
    CONTAINERS,
    DICTS,
    KNOWN,
    NUMBERS,
    SETS,
    VALUES,
    Cannot,
    Function,
    Run,
    measure,
)  # fmt: skip

# ---- how large a result will be: items, characters or bits


def _repeated(a: Any, b: Any) -> int:
    box, count = (a, b) if type(b) is int else (b, a)
    return len(box) * count if type(count) is int else 0


def _power(a: Any, b: Any, modulus: Any = None) -> float:
    if not {type(a), type(b)} <= VALUES:
        return math.inf
    if modulus is not None:  # costs time, not room
        return float(b.bit_length() * (modulus.bit_length() / 400) ** 2)
    return float((a.bit_length() - 1) * b)


def _ranges(a: Any, b: Any) -> int:  # a range next to the keys of a dict
    return sum(len(x) for x in (a, b) if type(x) is range)


def _coded(text: Any, encoding: str = "utf-8", errors: str = "strict") -> float:
    names = ("utf-8", "utf8", "ascii", "latin-1", "latin1", "utf-16", "utf-32")
    known = encoding in names and errors in ("strict", "ignore", "replace")
    return len(text) if known else math.inf


def _translated(text: str, table: Any) -> float:
    if type(table) is not dict:
        return math.inf
    return len(text) * max([len(v) for v in table.values() if type(v) is str], default=1)


def _padded(text: str, width: int, fill: str = " ") -> int:
    return width


GROWTH: dict[Any, Callable[..., float]] = {
    ast.BitAnd: _ranges,
    ast.BitOr: _ranges,
    ast.BitXor: _ranges,
    ast.LShift: lambda a, b: a and b,
    ast.Mult: _repeated,
    ast.Pow: _power,
    ast.Sub: _ranges,
    "center": _padded,
    "comb": lambda n, k: min(k, n - k) * n.bit_length(),
    "decode": _coded,
    "encode": _coded,
    "expandtabs": lambda text, tabsize=8: text.count("\t") * tabsize,
    "factorial": lambda n: n * n.bit_length(),
    "format": lambda text, *a, **k: text.count("{") * measure([a, k]),
    "format_map": lambda text, mapping: text.count("{") * measure(mapping),
    "lcm": lambda *numbers: sum(n.bit_length() for n in numbers),
    "ljust": _padded,
    "perm": lambda n, k=None: min(n, n if k is None else k) * n.bit_length(),
    "pow": _power,
    "replace": lambda text, old, new, count=0: text.count(old) * len(new),
    "rjust": _padded,
    "round": lambda number, ndigits=0: 4 * abs(ndigits or 0),
    "to_bytes": lambda number, length=1, byteorder="big", signed=False: length,
    "translate": _translated,
    "zfill": _padded,
}


def afford(run: Run, row: Any, arguments: list[Any], keywords: dict[str, Any]) -> None:
    """Raises Cannot when the row's estimate is too large."""
    try:
        if GROWTH[row](*arguments, **keywords) <= run.budget.size:
            return
    except (TypeError, ValueError, AttributeError, IndexError):
        return  # wrong arguments: Python will say so
    except OverflowError:
        pass
    raise Cannot("a value too large")


# ---- operators

_SINGLE = frozenset((type(None), bool, type(...), type))  # kinds whose values have an identity

BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
    ast.Not: operator.not_,
}  # fmt: skip
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


def operate(run: Run, kind: type, a: Any, b: Any) -> Any:
    """`a` and `b` under a binary operator."""
    if type(a) not in KNOWN or type(b) not in KNOWN:
        raise Cannot("arithmetic of other values")
    plain = type(a) in NUMBERS and type(b) in NUMBERS
    if kind is ast.Pow or kind is ast.LShift or (kind in GROWTH and not plain):
        afford(run, kind, [a, b], {})
    elif kind is ast.Mod and type(a) in (str, bytes, bytearray):
        return percent(run, a, b)
    return run.keep(BINARY[kind](a, b))


def compare(run: Run, kind: type, a: Any, b: Any) -> Any:
    """`a` and `b` under a comparison."""
    if kind is ast.In or kind is ast.NotIn:
        if type(b) is not range or type(a) is not int:
            run.items(b, ordered=False)  # goes through it
    elif kind is ast.Is or kind is ast.IsNot:
        if type(a) not in _SINGLE and type(b) not in _SINGLE:
            raise Cannot("the identity of objects")
    elif type(a) in CONTAINERS:
        run.budget.charge(16 + (len(a) >> 4))
    return COMPARISONS[kind](a, b)


# ---- texts

_MAX_WIDTH = 1000
_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}
_SPECS = re.compile(r"%(?:\([^()]*\))?([-+ #0-9.*]*)")
_KEYS = re.compile(r"%\([^()]*\)")


def formatted(run: Run, value: Any, spec: str, conversion: str | None = None) -> str:
    """`format(value, spec)` after `!r`, `!s` or `!a`."""
    if conversion:
        value = run.text(value, _CONVERSIONS[conversion])
    if spec == "":
        return run.text(value)
    if type(value) not in VALUES or "n" in spec or _widest(spec) > _MAX_WIDTH:
        raise Cannot("a format")  # `n` depends on the locale
    return format(value, spec)


def _widest(spec: str) -> int:
    if len(spec) > 100 or "*" in spec:
        raise Cannot("a format")
    return max([int(digits[:9]) for digits in re.findall(r"\d+", spec)], default=0)


def percent(run: Run, template: Any, values: Any) -> str:
    """`template % values`."""
    if type(template) is not str:
        raise Cannot("a format of bytes")
    specs, keys = _SPECS.findall(template), template.count("%(")
    width = max(map(_widest, specs), default=0)
    size = len(template) + measure(values) * max(1, keys) + width * len(specs)
    if width > _MAX_WIDTH or size > run.budget.size or keys != len(_KEYS.findall(template)):
        raise Cannot("a format")
    return str(template % values)


class _Formatter(string.Formatter):
    """`str.format` without attributes and subscripts of what is formatted."""

    def __init__(self, run: Run, positional: bool = True) -> None:
        self.run, self.positional = run, positional

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if "." in field_name or "[" in field_name:
            raise Cannot("a format that looks into a value")
        if field_name.isdigit() and not self.positional:
            raise ValueError("a positional field")
        return super().get_field(field_name, args, kwargs)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return formatted(self.run, value, "", conversion) if conversion else value

    def format_field(self, value: Any, format_spec: str) -> str:
        return formatted(self.run, value, format_spec)


def _join(run: Run, text: Any, parts: Any) -> Any:
    parts = list(run.items(parts))
    if len(text) * len(parts) + sum(len(p) for p in parts if type(p) is str) > run.budget.size:
        raise Cannot("a text too long")
    return text.join(parts)


# ---- methods


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF_DICT = "clear copy fromkeys get items keys pop popitem setdefault update values"
_OF_SET = "difference intersection isdisjoint issubset issuperset symmetric_difference union"
_UPDATES = "difference_update intersection_update symmetric_difference_update"
METHODS: dict[type, frozenset[str]] = {
    str: _words("""capitalize casefold center count encode endswith expandtabs find format
        format_map index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric
        isprintable isspace istitle isupper join ljust lower lstrip maketrans partition
        removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
        splitlines startswith strip swapcase title translate upper zfill"""),
    bytes: _words("count decode endswith find hex index isdigit lower startswith upper"),
    list: _words("append clear copy count extend index insert pop remove reverse sort"),
    tuple: _words("count index"),
    range: _words("count index"),
    dict: _words(_OF_DICT),
    collections.defaultdict: _words(_OF_DICT),
    collections.OrderedDict: _words(f"{_OF_DICT} move_to_end"),
    collections.Counter: _words(f"{_OF_DICT} elements most_common subtract total"),
    set: _words(f"{_OF_SET} {_UPDATES} add clear copy discard pop remove update"),
    frozenset: _words(f"{_OF_SET} copy"),
    collections.deque: _words("""append appendleft clear copy count extend extendleft index insert
        pop popleft remove reverse rotate"""),
    int: _words("as_integer_ratio bit_count bit_length conjugate to_bytes"),
    bool: _words("as_integer_ratio bit_count bit_length conjugate"),
    float: _words("as_integer_ratio conjugate hex is_integer"),
    complex: _words("conjugate"),
}
MUTATING = _words(f"""{_UPDATES} add append appendleft clear discard extend extendleft insert
    move_to_end pop popitem popleft remove reverse rotate setdefault sort subtract update""")
_GATHERING = _words(f"{_OF_SET} {_UPDATES}")  # methods of sets that go through other iterables
_INSTEAD: dict[str, Callable[..., Any]] = {
    "format": lambda run, text, *args, **named: _Formatter(run).vformat(text, args, named),
    "format_map": lambda run, text, mapping: _Formatter(run, False).vformat(text, (), mapping),
    "join": _join,
}


def method(run: Run, receiver: Any, name: str) -> Function:
    """The method `name` of a value or a type. Raises Cannot, or AttributeError as Python does."""
    kind = receiver if type(receiver) is type else type(receiver)
    if name not in METHODS.get(kind, ()):
        if receiver is not kind and kind in VALUES and not hasattr(kind, name):
            raise AttributeError(name)
        raise Cannot(f"the method {name} of {kind.__name__}")
    if receiver is not kind or name in ("fromkeys", "maketrans"):
        return Function(_call_method, run, receiver, name)

    def unbound(*arguments: Any, **keywords: Any) -> Any:
        if not arguments or type(arguments[0]) is not kind:
            raise TypeError(f"{name} needs a {kind.__name__}")
        return _call_method(run, arguments[0], name, *arguments[1:], **keywords)

    return Function(unbound)


def _call_method(run: Run, box: Any, name: str, /, *given: Any, **named: Any) -> Any:
    kind, arguments = type(box), list(given)
    if name in MUTATING:
        run.change(box)
    if kind is str or kind in CONTAINERS:
        run.budget.charge(1 + (len(box) >> 5))
    if kind is range or (kind is set and name == "pop"):
        run.items(box)
    if name in GROWTH:
        afford(run, name, [box, *arguments], named)
    if name in _INSTEAD:
        return run.keep(_INSTEAD[name](run, box, *arguments, **named))
    if name == "update" and kind in DICTS and kind is not collections.Counter:
        arguments = [pairs(run, a) for a in arguments]
    elif name in ("extend", "extendleft"):
        arguments = [run.items(a) for a in arguments]
    elif name == "fromkeys":
        arguments[:1] = [run.items(a, hashed=True) for a in arguments[:1]]
    elif name in ("subtract", "update") or name in _GATHERING:
        arguments = [run.items(a, kind not in SETS, type(a) not in SETS) for a in arguments]
    elif name == "sort":
        named = {k: as_function(run, v) for k, v in named.items()}
    result = getattr(box, name)(*arguments, **named)
    if name in MUTATING:
        run.keep(box)
    return run.once(result) if name == "elements" else run.keep(result)


# ---- functions


def pairs(run: Run, value: Any) -> Any:
    """`value` for a dict to be made of it: a mapping, or pairs of which none is a set."""
    return value if type(value) in DICTS else run.once(map(run.items, run.items(value)))


def _defaultdict(run: Run, factory: Any = None, *contents: Any, **more: Any) -> Any:
    if not (factory is None or factory in FACTORIES):
        raise Cannot("a factory")
    return collections.defaultdict(factory, *[pairs(run, c) for c in contents], **more)


FACTORIES = (int, float, str, list, dict, set, tuple, bool)


def _sum(run: Run, items: Any, /, start: Any = 0) -> Any:
    values = list(run.items(items))
    kinds = set(map(type, values))
    if run.unordered and not kinds <= {int, bool}:
        raise Cannot("the order of a set")
    if kinds <= NUMBERS:
        return sum(values, start)
    total = sum((), start)
    for value in values:
        total = operate(run, ast.Add, total, value)
    return total


def _product(run: Run, items: Any, /, *, start: Any = 1) -> Any:
    for item in run.items(items):
        start = operate(run, ast.Mult, start, item)
    return start


def _type(run: Run, value: Any) -> type:
    if type(value) not in VALUES:
        raise Cannot("the type of what is not a value")
    return type(value)


def _str(run: Run, *value: Any) -> str:
    if len(value) > 1:
        raise Cannot("decoding")
    return run.text(*value) if value else ""


def _bytes(run: Run, value: Any = b"", *encoding: Any) -> bytes:
    if type(value) is int or encoding:
        raise Cannot("bytes of a number or a text")
    return bytes(run.items(value))


def any_order(name: str, items: Any, key: Any = None) -> list[Any]:
    """Items that came out of a set, where what `name` makes of them is the same in any order: they
    are all looked at, and no two that differ are equal or of one rank."""
    values = list(items)
    if name in ("any", "all"):
        return [bool(value) for value in values]
    if name in ("set", "frozenset"):
        if len(NUMBERS.intersection(map(type, values))) > 1:
            raise Cannot("the order of a set")  # 1 or True
        return values
    ranks = values if key is None else list(map(key, values))
    parts = [p for rank in ranks for p in (rank if type(rank) is tuple else (rank,))]
    total = len(set(map(type, ranks))) < 2 and (
        set(map(type, parts)) <= {int, str} or all(type(p) is float and p == p for p in parts)
    )
    if total and key is not None and ranks:
        ties = len(ranks) - len(set(ranks))
        total = not ties or (name != "sorted" and ranks.count(_DIRECT[name](ranks)) == 1)
    if not total:
        raise Cannot("the order of a set")
    return values


_MATH = {name: getattr(math, name) for name in _words("""acos asin atan atan2 ceil comb copysign
    cos cosh degrees dist e exp expm1 fabs factorial floor fmod frexp fsum gcd hypot inf isclose
    isfinite isinf isnan isqrt lcm ldexp log log10 log1p log2 modf nan perm pi pow radians sin sinh
    sqrt tan tanh tau trunc""")}  # fmt: skip
_DIRECT: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        abs, all, any, bin, bool, chr, complex, divmod, enumerate, filter, float, frozenset, hex,
        int, iter, len, list, map, max, min, next, oct, ord, pow, range, reversed, round, set,
        sorted, tuple, zip, collections.Counter, collections.deque)},
    **{n: _MATH[n] for n in _words("ceil comb factorial floor gcd isqrt lcm sqrt")},
    **{f"math.{n}": f for n, f in _MATH.items() if callable(f)},
}  # fmt: skip
_WITH_RUN: dict[str, Callable[..., Any]] = {
    "OrderedDict": lambda run, *a, **k: collections.OrderedDict(*[pairs(run, x) for x in a], **k),
    "ascii": lambda run, value: run.text(value, ascii),
    "bytes": _bytes,
    "defaultdict": _defaultdict,
    "dict": lambda run, *a, **k: dict(*[pairs(run, x) for x in a], **k),
    "format": lambda run, value, spec="": formatted(run, value, spec),
    "isinstance": lambda run, value, kinds: issubclass(_type(run, value), kinds),
    "math.prod": _product,
    "repr": lambda run, value: run.text(value, repr),
    "str": _str,
    "sum": _sum,
    "type": _type,
}
BUILTINS = frozenset(_DIRECT) | frozenset(_WITH_RUN)
TYPES: dict[str, type] = {k.__name__: k for k in VALUES if k.__name__ in BUILTINS}
CONSTANTS: dict[str, Any] = {
    **{f"math.{n}": v for n, v in _MATH.items() if not callable(v)},
    **{f"string.{n}": getattr(string, n) for n in _words(
        "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation")},
    **{f"collections.{n}": TYPES[n] for n in ("Counter", "OrderedDict", "defaultdict", "deque")},
}  # fmt: skip
MODULES = frozenset(("math", "string", "collections"))
# functions for which the order of what they go through does not matter, or that check it; those
# that hand it on; those that do not go through a container
ORDER_FREE = _words("all any frozenset len max min set sorted sum")
HAND_ON = _words("filter iter list map tuple")
_NO_LOOP = _words("bool len next range reversed")


def as_function(run: Run, value: Any) -> Any:
    """`value` as something that may be called."""
    if type(value) is type:
        return Function(lambda *a, **k: call(run, value.__name__, list(a), k))
    return value


def call(run: Run, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """What a function of the closed list gives."""
    if name in _WITH_RUN:
        return run.keep(_WITH_RUN[name](run, *arguments, **keywords))
    act = _DIRECT.get(name)
    if act is None:
        raise Cannot(f"the function {name}")
    if not KNOWN.issuperset(map(type, arguments)):
        raise Cannot(f"{name} of what is not a value")
    if (row := name.removeprefix("math.")) in GROWTH:
        afford(run, row, arguments, keywords)
    if "key" in keywords:
        keywords["key"] = as_function(run, keywords["key"])
    if name in ("filter", "map"):
        arguments[:1] = [as_function(run, f) for f in arguments[:1]]
    if name not in _NO_LOOP:
        if run.unordered and len(arguments) == 1 and name in ORDER_FREE:
            arguments = [any_order(name, arguments[0], keywords.get("key"))]
        hashed = act in SETS or act is collections.Counter
        arguments = [run.items(a, act not in SETS, hashed) for a in arguments]
    result = act(*arguments, **keywords)
    if hasattr(result, "__next__") and type(result) is not GeneratorType and name != "next":
        return run.once(result, 1 + (len(arguments) >> 4))
    return run.keep(result)
