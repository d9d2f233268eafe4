# ruff: noqa: E501  (tables of patterns)
"""What a function's text says about the types of its arguments: doctests, annotations, defaults,
docstring, and, weakest, the parameter's name. Running it (`pyx.trial`) decides."""

from __future__ import annotations

import ast
import doctest
import re
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values

# The sources of a hint, strongest first; "trial" stands for a guess that only a run can confirm.
ORDER = ("doctest", "annotation", "default", "docstring", "trial")


@dataclass(frozen=True, slots=True)
class Hint:
    """Types that a parameter may have, likeliest first, and where that was read."""

    types: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Signature:
    """The positional parameters that a call fills, how many of them are required, one hint each,
    and the argument tuples of the function's own examples."""

    names: tuple[str, ...]
    required: int
    hints: tuple[Hint, ...]
    examples: tuple[tuple[Any, ...], ...] = ()

    def only_required(self) -> Signature:
        """Without the optional parameters."""
        size = self.required
        fitting = tuple(e for e in self.examples if len(e) == size)
        return Signature(self.names[:size], size, self.hints[:size], fitting)


def read(function: ast.FunctionDef, name: str) -> Signature:
    """Collects the hints of one function."""
    arguments = function.args
    parameters = arguments.posonlyargs + arguments.args
    names = [p.arg for p in parameters]
    required = len(names) - len(arguments.defaults)
    doc = ast.get_docstring(function) or ""
    examples = doctest_calls(doc, name, len(names), bool(arguments.vararg), names)
    hints = []
    for place, parameter in enumerate(parameters):
        default = arguments.defaults[place - required] if place >= required else None
        hints.append(_hint(parameter, default, place, examples, doc))
    if arguments.vararg and not names:
        size = max((len(e) for e in examples), default=2)
        hints = [_from_examples(i, examples) or Hint(_BY_NAME[0][1], "trial") for i in range(size)]
        names = [f"{arguments.vararg.arg}{i}" for i in range(size)]
        required = size
        examples = [e for e in examples if len(e) == size]
    return Signature(tuple(names), required, tuple(hints), tuple(examples))


def doctest_calls(
    doc: str, name: str, most: int, variadic: bool, names: list[str]
) -> list[tuple[Any, ...]]:
    """Argument tuples of the calls of `name` in a docstring's examples; only literal arguments.
    Named arguments count where they fill the parameters without a gap."""
    calls: list[tuple[Any, ...]] = []
    if ">>>" not in doc:
        return []
    try:
        examples = doctest.DocTestParser().get_examples(doc)
    except ValueError:
        return []
    for example in examples:
        if f"{name}(" not in example.source:
            continue
        try:
            tree = ast.parse(example.source.strip())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            last = node.func.attr if isinstance(node.func, ast.Attribute) else None
            if name not in (getattr(node.func, "id", None), last):
                continue
            try:
                _, positional, named = values.parse_call(ast.unparse(node))
                filled = list(positional)
                while named and len(filled) < len(names) and names[len(filled)] in named:
                    filled.append(named.pop(names[len(filled)]))
                if named or not (variadic or len(filled) <= most):
                    continue
                values.encode(tuple(filled))
            except (values.NotALiteral, values.Unserializable):
                continue
            calls.append(tuple(filled))
    return calls[:12]


def type_of(value: Any, depth: int = 0) -> str:
    """A value's type as the project writes it: `list[int]`, `dict[str, list[int]]`, `any` where
    the elements differ."""
    kind = type(value)
    if kind in (bool, int, float, str, bytes) or value is None:
        return "None" if value is None else kind.__name__
    if depth > 3:
        return "any"
    if kind is dict:
        return f"dict[{_shared(value.keys(), depth)}, {_shared(value.values(), depth)}]"
    if kind in (list, set, frozenset):
        return f"{kind.__name__}[{_shared(value, depth)}]"
    if kind is tuple:
        if 0 < len(value) <= 3:
            return f"tuple[{', '.join(type_of(v, depth + 1) for v in value)}]"
        return f"tuple[{_shared(value, depth)}, ...]"
    return kind.__name__


def join_types(types: list[str]) -> str:
    """One type for several values: the same, or numbers widened to float, or `any`."""
    kinds = sorted(set(types))
    if len(kinds) == 1:
        return kinds[0]
    if set(kinds) <= {"int", "float", "bool"}:
        return "float" if "float" in kinds else "int"
    for outer in ("list", "set", "frozenset"):
        if all(k.startswith(f"{outer}[") for k in kinds):
            inner = [k[len(outer) + 1 : -1] for k in kinds if "[any]" not in k or len(kinds) == 1]
            return f"{outer}[{join_types(inner) if inner else 'any'}]"
    return "any"


def _shared(items: Any, depth: int) -> str:
    kinds = [type_of(i, depth + 1) for i in items]
    return join_types(kinds) if kinds else "int"


def _hint(
    parameter: ast.arg,
    default: ast.expr | None,
    place: int,
    examples: list[tuple[Any, ...]],
    doc: str,
) -> Hint:
    shown = _from_examples(place, examples)
    if shown:
        return shown
    if parameter.annotation is not None:
        types = from_annotation(parameter.annotation)
        if types:
            return Hint(types, "annotation")
    if isinstance(default, ast.Constant) and type(default.value) in (int, float, str, bool):
        return Hint((type(default.value).__name__,), "default")
    types = _from_docstring(doc, parameter.arg)
    if types:
        return Hint(types, "docstring")
    return Hint(by_name(parameter.arg), "trial")


def _from_examples(place: int, examples: list[tuple[Any, ...]]) -> Hint | None:
    seen = [type_of(e[place]) for e in examples if len(e) > place and e[place] is not None]
    return Hint(tuple(dict.fromkeys([join_types(seen), *seen])), "doctest") if seen else None


_PLAIN = {"int", "float", "str", "bool", "bytes"}
_SEQUENCES = {"list", "sequence", "iterable", "collection", "mutablesequence", "iterator"}
_MAPPINGS = {"dict", "mapping", "mutablemapping", "defaultdict", "counter"}
_SETS = {"set", "abstractset", "frozenset", "mutableset"}


def from_annotation(node: ast.expr) -> tuple[str, ...]:
    """Types for an annotation, likeliest first; empty when it names something that has no literal
    (a class, a callable)."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            try:
                return from_annotation(ast.parse(node.value, mode="eval").body)
            except (SyntaxError, ValueError):
                return ()
        return ("None",) if node.value is None else ()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        both = from_annotation(node.left) + from_annotation(node.right)
        return tuple(dict.fromkeys(t for t in both if t != "None"))
    if isinstance(node, ast.Subscript):
        return _from_subscript(node)
    name = _last(node).lower()
    if name in _PLAIN:
        return (name,)
    if name in _SEQUENCES:
        return ("list[int]", "list[str]", "str", "list[list[int]]")
    if name in _MAPPINGS:
        return ("dict[str, int]", "dict[int, int]", "dict[str, list[str]]")
    if name in _SETS:
        return ("set[int]", "set[str]")
    if name == "tuple":
        return ("tuple[int, int]", "tuple[int, ...]")
    if name in ("any", "object") or len(name) == 1 or name.endswith("t"):
        return ("int", "str", "list[int]")
    return ()


def _from_subscript(node: ast.Subscript) -> tuple[str, ...]:
    name = _last(node.value).lower()
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in ("optional", "union"):
        every = [t for part in inner for t in from_annotation(part) if t != "None"]
        return tuple(dict.fromkeys(every))
    parts = [
        from_annotation(p) for p in inner if not (isinstance(p, ast.Constant) and p.value is ...)
    ]
    if not all(parts) or not parts:
        return ()
    if name in _SEQUENCES:
        return tuple(f"list[{t}]" for t in parts[0][:3])
    if name in _SETS:
        return tuple(f"set[{t}]" for t in parts[0][:3] if "[" not in t)
    if name in _MAPPINGS:
        if len(parts) < 2:
            return tuple(f"dict[{t}, int]" for t in parts[0][:2])
        return tuple(f"dict[{k}, {v}]" for k in parts[0][:2] for v in parts[1][:2] if "[" not in k)
    if name == "tuple":
        if len(parts) == 1 and len(inner) == 2:
            return tuple(f"tuple[{t}, ...]" for t in parts[0][:2])
        return (f"tuple[{', '.join(p[0] for p in parts)}]",)
    return ()


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


_DOC_WORDS = (
    (r"list of list|matrix|2d|two-dimensional|grid", ("list[list[int]]", "list[list[str]]")),
    (r"list of str|list of word|sequence of str|strings|words", ("list[str]",)),
    (r"list of int|list of num|array of|integers|numbers", ("list[int]",)),
    (r"list of float|floats", ("list[float]",)),
    (r"list of tuple|list of pair|tuples|pairs|edges|intervals", ("list[tuple[int, int]]",)),
    (
        r"\b(dict|dictionary|mapping)\b",
        ("dict[str, int]", "dict[str, list[str]]", "dict[int, int]"),
    ),
    (r"\b(list|array|sequence|iterable|elements)\b", ("list[int]", "list[str]", "str")),
    (r"\bset\b", ("set[int]", "set[str]")),
    (r"\btuple\b", ("tuple[int, int]", "tuple[int, ...]")),
    (r"\b(str|string|text|character|word|substring)\b", ("str",)),
    (r"\b(int|integer|index|count|length|positive number|non-negative)\b", ("int",)),
    (r"\b(float|real number|double)\b", ("float", "int")),
    (r"\b(number|numeric)\b", ("int", "float")),
    (r"\b(bool|boolean|flag)\b", ("bool",)),
    (r"\bbytes\b", ("bytes",)),
)


def _from_docstring(doc: str, name: str) -> tuple[str, ...]:
    bare = re.escape(name)
    patterns = (
        rf":type\s+{bare}:\s*(.+)",
        rf":param\s+(\w[\w\[\], ]*)\s+{bare}:",
        rf":param\s+{bare}:\s*(.+)",
        rf"^\s*{bare}\s*:\s*(.+)$",
        rf"^\s*{bare}\s*\(([^)]*)\)\s*:",
        rf"[*`]+{bare}[*`]+\s+(?:is|must be|should be)\s+(.+)",
    )
    for pattern in patterns:
        match = re.search(pattern, doc, re.MULTILINE)
        if match:
            words = match.group(1).lower()
            for keys, types in _DOC_WORDS:
                if re.search(keys, words):
                    return types
    return ()


# Only an order of guesses for the trial; the first entry is the fallback.
_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("int", "list[int]", "str", "list[str]", "float", "dict[str, int]", "list[list[int]]",
          "list[tuple[int, int]]", "set[int]", "tuple[int, int]")),
    (r"matrix|grid|board|mat|rows|A|B|M|triangle|maze|image", ("list[list[int]]", "list[int]", "int", "list[list[str]]")),
    (r"words|strings|strs|names|lines|tokens|string_list|keys|parts|args|argv|fields", ("list[str]", "list[int]", "str")),
    (r"nums|numbers|arr|array|lst|list|items|seq|sequence|iterable|values|data|elements|coins|"
     r"prices|heights|weights|vals|integers|.*_list|.*_array|perm|partition|p|a|b|f|L|collection|"
     r"bits|digits|collection|iterables?|xs|ys|v|profits?|points|l", ("list[int]", "list[str]", "str", "list[list[int]]", "int", "list[float]")),
    (r"s|t|string|text|word|str.*|line|name|pattern|prefix|suffix|sep|sub.*|char|c|ch|delimiter|"
     r"message|msg|source|sentence|expression|path|url|token|title|label|html|filename|fmt|"
     r".*_str|.*_string|.*_name|ip|address|value|key", ("str", "int", "list[str]", "list[int]")),
    (r"edges|pairs|intervals|tuples|rectangles|segments", ("list[tuple[int, int]]", "list[list[int]]")),
    (r"graph|adj.*|d|dic.*|mapping|map|dct|m|obj|counts?|table|mapping\d?|parents|dag", ("dict[str, int]", "dict[int, list[int]]", "dict[str, list[str]]", "dict[str, dict[str, int]]", "dict[str, set[str]]", "list[list[int]]", "int")),
    (r"n|k|num.*|number|i|j|x|y|z|q|r|w|h|u|index|length|size|width|height|start|stop|end|step|limit|"
     r"low|high|left|right|target|total|amount|capacity|exponent|base|mod|modulus|seconds|year|"
     r"month|day|hour|min.*|max.*|depth|level|position|pos|.*_index|.*_len|count|value|indent|"
     r"radius|order|degree|prec|decimal|fill", ("int", "float", "str", "list[int]")),
    (r"s1|s2|st1|str1|str2|t1|t2|word_?[ab12]|text_?[ab12]|first|second|s_?[12]", ("str", "list[int]", "int", "list[str]")),
    (r"set_?\w*|.*_set|subset|universe|visited|seen", ("set[int]", "set[str]", "list[int]")),
    (r"is_.*|has_.*|flag|strict|reverse|ignore.*|include.*|verbose|allow.*|case.*|.*_first", ("bool", "int")),
)  # fmt: skip


def by_name(name: str) -> tuple[str, ...]:
    """Types to try for a parameter name, every type of the fallback included at the end."""
    guesses: list[str] = []
    for pattern, types in _BY_NAME[1:]:
        if re.fullmatch(pattern, name):
            guesses.extend(types)
    return tuple(dict.fromkeys([*guesses, *_BY_NAME[0][1]]))
