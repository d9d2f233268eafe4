"""From text to the value it stands for."""

from __future__ import annotations

import ast
import collections
import importlib
import json
import math
import re
import sys
from typing import Any

from semcoder_lib.core.foreign import MAX_CHARACTERS, Refused, parse_expression
from semcoder_lib.core.values.writing import FACTORIES, LATE, MAX_BITS, MAX_BRACKETS

_NOT_NUMBERS = re.compile(r"[^][0-9, .e+-]")
# A string (with its mark if it is a formatted one) or a comment. Takes an unclosed one whole: a
# pattern that failed there would start again at every quote in it.
_QUOTED = re.compile(
    r"""(?i:(f[rb]?|[rb]f))?(?:
        '''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\\?\Z) | \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3}|\\?\Z)
        | '(?:[^'\\\n]|\\.)*+(?:'|\\?\Z|(?=\n)) | "(?:[^"\\\n]|\\.)*+(?:"|\\?\Z|(?=\n))
    ) | \#[^\n]*""",
    re.S | re.X,
)
_COUNTED = re.compile(r"[^\w\s.)\]}']")
_NO_LITERAL = re.compile(r"[fF][rRbB]?'|\w\s+\w")
_COLLISIONS = 100  # keys with one hash in a set or dict, whose making is quadratic in them


Call = tuple[str, tuple[Any, ...], dict[str, Any]]  # name, positional values, named values


class NotALiteral(ValueError):
    """The text is not the text of a value; the message says where."""


def decode(text: str, *, max_bytes: int = 50_000_000, max_nodes: int = 5_000_000) -> Any:
    """The value that `text` stands for. Accepts what `encode` writes and every plain Python
    literal (implicitly joined strings and negative numbers included). Takes time and memory in
    proportion to the text. Never evaluates, so it is safe on text from a model or from an untrusted
    process.

    Raises `NotALiteral` and nothing else, also beyond `max_bytes` characters, about `max_nodes`
    elements, `MAX_BITS` of an integer, or the nesting that `encode` writes."""
    if not isinstance(text, str):
        raise NotALiteral(f"{type(text).__name__} in place of text")
    if len(text) > max_bytes:
        raise NotALiteral(f"longer than {max_bytes:,} characters")
    if text in ("None", "True", "False"):
        return text == "True" if text != "None" else None
    first = text[:1]
    if first in ("'", '"') and text[-1] == first and "\\" not in text and text.isprintable():
        inside = text[1:-1]
        if first not in inside and len(text) > 1:
            return inside
    if len(text) > max_nodes:
        _check_size(text, max_nodes)
    if not _NOT_NUMBERS.search(text):
        try:
            return json.loads(text)  # ten times faster, and the same for numbers and lists of them
        except (ValueError, RecursionError):
            pass  # what JSON has no word for, or an error for the parser to name
    return value_of(_parse(text))


def _check_size(text: str, most: int) -> None:
    """Refuse what parsing would make more than about `most` syntax nodes of, before it does."""
    bare = _QUOTED.sub(r"\1'", text)
    if _NO_LITERAL.search(bare):
        raise NotALiteral("an expression in place of a literal")
    if len(_COUNTED.findall(bare)) > most:
        raise NotALiteral(f"more than {most:,} elements")


def value_of(node: ast.expr) -> Any:
    """The value that an expression of a parsed program stands for, as `decode` reads it from its
    text. Raises `NotALiteral`."""
    try:
        return _node(node, 0)
    except NotALiteral:
        raise
    except (
        TypeError, ValueError, LookupError, ArithmeticError, RecursionError, MemoryError
    ) as error:  # fmt: skip
        raise NotALiteral(str(error) or type(error).__name__) from None


def parse_call(text: str) -> Call:
    """`"f(1, key=[2])"` as (name, positional values, named values). A dotted name stays dotted.
    Raises `NotALiteral` when it is not one call with literal arguments."""
    return call_of(_parse(text, MAX_CHARACTERS))


def call_of(node: ast.expr) -> Call:
    """`parse_call` of an expression of a parsed program."""
    if not isinstance(node, ast.Call):
        raise NotALiteral("not a call")
    positional: list[Any] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            spread = value_of(arg.value)
            if not isinstance(spread, list | tuple):
                raise NotALiteral("* before something that is not a list or tuple")
            positional.extend(spread)
        else:
            positional.append(value_of(arg))
    if any(keyword.arg is None for keyword in node.keywords):
        raise NotALiteral("** in a call")
    named = {str(keyword.arg): value_of(keyword.value) for keyword in node.keywords}
    return _dotted(node.func), tuple(positional), named


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise NotALiteral("a call of something that is not a name")
    return ".".join([node.id, *reversed(parts)])


def _parse(text: str, most: int = sys.maxsize) -> ast.expr:
    try:
        return parse_expression(text, max_characters=most)
    except Refused as refused:
        raise NotALiteral(f"does not parse: {refused}") from None


# A constructor must not be a way to make something huge out of little text, or to run code:
# name -> (module, types that its arguments may have).
_MAKERS: dict[str, tuple[str, tuple[type, ...]]] = {
    "set": ("builtins", (list, tuple, set, str)),
    "frozenset": ("builtins", (list, tuple, set, str)),
    "range": ("builtins", (int,)),
    "complex": ("builtins", (int, float)),
    "bytearray": ("builtins", (bytes,)),
    "Counter": ("collections", (dict, list, str)),
    "OrderedDict": ("collections", (list, dict)),
    "deque": ("collections", (list, int)),
    **{name: (module, (kind,)) for name, (module, kind, _) in LATE.items()},
}
_HASHING = ("set", "frozenset", "Counter", "OrderedDict")
_SIGNS: dict[type, int] = {ast.UAdd: 1, ast.Add: 1, ast.USub: -1, ast.Sub: -1}
_NAMED = {"deque": "maxlen", "datetime": "fold", "time": "fold"}


def _node(node: Any, depth: int) -> Any:
    kind = type(node)
    if kind is ast.Constant:
        value = node.value
        if type(value) is int and value.bit_length() > MAX_BITS:
            raise NotALiteral(f"an integer of more than {MAX_BITS:,} bits")
        return value
    if depth > 2 * MAX_BRACKETS:
        raise NotALiteral("nested too deep")
    d = depth + 1
    if kind is ast.List:
        return [_node(e, d) for e in node.elts]
    if kind is ast.Tuple:
        return tuple([_node(e, d) for e in node.elts])
    if kind is ast.Dict:
        if None in node.keys:
            raise NotALiteral("** in a dict")
        keys = _keys([_node(k, d) for k in node.keys])
        return dict(zip(keys, [_node(v, d) for v in node.values], strict=True))
    if kind is ast.Set:
        return set(_keys([_node(e, d) for e in node.elts]))
    if kind is ast.UnaryOp or kind is ast.BinOp:
        return _signed(node, d)
    if kind is ast.Name:
        return _named(node.id)
    if kind is ast.Call:
        return _constructed(node, d)
    raise NotALiteral(f"{kind.__name__} is not part of a literal")


def _keys(keys: list[Any]) -> list[Any]:
    """The keys of a set or dict, if making it takes time in proportion to them."""
    if len(keys) > _COLLISIONS and max(collections.Counter(map(hash, keys)).values()) > _COLLISIONS:
        raise NotALiteral("too many keys of one hash")
    return keys


def _named(name: str) -> float:
    if name in ("nan", "NaN"):
        return float("nan")  # a new one each time: a set may hold several
    if name in ("inf", "Infinity"):
        return math.inf
    raise NotALiteral(f"the name {name!r} is not a value")


def _signed(node: Any, depth: int) -> Any:
    """`-1`, or a complex number as Python shows it: `1+2j`."""
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        raise NotALiteral("an operator in a literal")
    if isinstance(node, ast.UnaryOp):
        operand = _node(node.operand, depth)
        if type(operand) not in (int, float, complex):
            raise NotALiteral("a sign before something that is not a number")
        return -operand if sign < 0 else operand
    left, right = _node(node.left, depth), _node(node.right, depth)
    if type(left) not in (int, float) or type(right) is not complex or right.real:
        raise NotALiteral("an operator in a literal")
    return complex(left, sign * right.imag)


def _constructed(node: Any, depth: int) -> Any:
    name = _dotted(node.func).rpartition(".")[2]
    if name == "defaultdict":
        return _defaultdict(node, depth)
    if name == "float" and len(node.args) == 1 and not node.keywords:
        word = _node(node.args[0], depth)
        if isinstance(word, str) and word.lower() in ("nan", "inf", "-inf", "infinity"):
            return float(word)
    if name not in _MAKERS:
        raise NotALiteral(f"a call of {name!r} is not a value")
    module, allowed = _MAKERS[name]
    arguments = [_node(a, depth) for a in node.args]
    if any(type(a) not in allowed for a in arguments):
        raise NotALiteral(f"arguments of {name} that it cannot be written with")
    if name in _HASHING and arguments and type(arguments[0]) in (list, tuple):
        _keys([a[0] for a in arguments[0]] if name == "OrderedDict" else list(arguments[0]))
    named = {keyword.arg: _node(keyword.value, depth) for keyword in node.keywords}
    if named.keys() - {_NAMED.get(name, "")} or {*map(type, named.values())} - {int}:
        raise NotALiteral(f"named arguments in {name}")
    return getattr(importlib.import_module(module), name)(*arguments, **named)


def _defaultdict(node: Any, depth: int) -> Any:
    if not node.args or node.keywords:
        raise NotALiteral("defaultdict without a factory")
    factory, *rest = node.args
    # Python's own repr writes the factory as <class 'int'>, which does not parse; ours: int
    kind = FACTORIES.get(factory.id) if isinstance(factory, ast.Name) else None
    if kind is None and not (isinstance(factory, ast.Constant) and factory.value is None):
        raise NotALiteral("defaultdict with an unknown factory")
    contents = [_node(a, depth) for a in rest]
    if any(type(c) is not dict for c in contents):
        raise NotALiteral("arguments of defaultdict that it cannot be written with")
    return collections.defaultdict(kind, *contents)
