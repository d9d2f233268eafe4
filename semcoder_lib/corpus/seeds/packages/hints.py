"""What a function's text says about the types of its arguments: doctests, annotations, defaults,
docstring, and, weakest, the parameter's name. Running it (`pyx.trial`) decides."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
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
    examples = [
        e for e in _doctest_calls(doc, name, names) if arguments.vararg or len(e) <= len(names)
    ]
    examples = examples[:12]
    if arguments.vararg and not names:
        size = max((len(e) for e in examples), default=2)
        hints = [_from_examples(i, examples) or Hint(FALLBACK, "trial") for i in range(size)]
        names = [f"{arguments.vararg.arg}{i}" for i in range(size)]
        full = tuple(e for e in examples if len(e) == size)
        return Signature(tuple(names), size, tuple(hints), full)
    defaults = [None] * required + arguments.defaults
    hints = [
        _from_examples(place, examples) or _hint(parameter, default, doc)
        for place, (parameter, default) in enumerate(zip(parameters, defaults, strict=True))
    ]
    return Signature(tuple(names), required, tuple(hints), tuple(examples))


def _doctest_calls(doc: str, name: str, names: list[str]) -> Iterator[tuple[Any, ...]]:
    """Argument tuples of the calls of `name` in a docstring's examples; only literal arguments.
    Named arguments count where they fill the parameters without a gap."""
    try:
        examples = doctest.DocTestParser().get_examples(doc) if ">>>" in doc else []
    except ValueError:
        return
    for example in examples:
        try:
            tree = ast.parse(example.source.strip())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or _last(node.func) != name:
                continue
            try:
                _, positional, named = values.parse_call(ast.unparse(node))
                filled = list(positional)
                while named and len(filled) < len(names) and names[len(filled)] in named:
                    filled.append(named.pop(names[len(filled)]))
                values.encode(tuple(filled))
            except (values.NotALiteral, values.Unserializable):
                continue
            if not named:
                yield tuple(filled)


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


def _hint(parameter: ast.arg, default: ast.expr | None, doc: str) -> Hint:
    """The strongest hint there is beside examples."""
    if parameter.annotation and (types := from_annotation(parameter.annotation)):
        return Hint(types, "annotation")
    if isinstance(default, ast.Constant) and type(default.value) in (int, float, str, bool):
        return Hint((type(default.value).__name__,), "default")
    if types := _from_docstring(doc, parameter.arg):
        return Hint(types, "docstring")
    return Hint(by_name(parameter.arg), "trial")


def _from_examples(place: int, examples: list[tuple[Any, ...]]) -> Hint | None:
    seen = [type_of(e[place]) for e in examples if len(e) > place and e[place] is not None]
    return Hint(tuple(dict.fromkeys([join_types(seen), *seen])), "doctest") if seen else None


_PLAIN = {"int", "float", "str", "bool", "bytes"}
# What an annotation's name stands for, and the types to try when it says nothing of the elements.
_CONTAINERS: dict[str, tuple[str, tuple[str, ...]]] = {
    names: (kind, types)
    for every, kind, types in (
        ("list sequence iterable collection mutablesequence iterator", "list",
         ("list[int]", "list[str]", "str", "list[list[int]]")),
        ("dict mapping mutablemapping defaultdict counter", "dict",
         ("dict[str, int]", "dict[int, int]", "dict[str, list[str]]")),
        ("set abstractset frozenset mutableset", "set", ("set[int]", "set[str]")),
        ("tuple", "tuple", ("tuple[int, int]", "tuple[int, ...]")),
    )
    for names in every.split()
}  # fmt: skip


def from_annotation(node: ast.expr) -> tuple[str, ...]:
    """Types for an annotation, likeliest first; empty when it names something that has no literal
    (a class, a callable)."""
    match node:
        case ast.Constant(value=str(text)):
            try:
                return from_annotation(ast.parse(text, mode="eval").body)
            except (SyntaxError, ValueError):
                return ()
        case ast.Constant(value=None):
            return ("None",)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _any_of([left, right])
        case ast.Subscript():
            return _from_subscript(node)
    name = _last(node).lower()
    if name in _PLAIN:
        return (name,)
    if name in _CONTAINERS:
        return _CONTAINERS[name][1]
    if name in ("any", "object") or len(name) == 1 or name.endswith("t"):
        return ("int", "str", "list[int]")
    return ()


def _any_of(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for n in nodes for t in from_annotation(n) if t != "None"))


def _from_subscript(node: ast.Subscript) -> tuple[str, ...]:
    name = _last(node.value).lower()
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in ("optional", "union"):
        return _any_of(inner)
    parts = [from_annotation(p) for p in inner if getattr(p, "value", None) is not ...]
    if not parts or not all(parts):
        return ()
    first = parts[0]
    match _CONTAINERS.get(name, ("",))[0]:
        case "list":
            return tuple(f"list[{t}]" for t in first[:3])
        case "set":
            return tuple(f"set[{t}]" for t in first[:3] if "[" not in t)
        case "dict":
            held = parts[1][:2] if len(parts) > 1 else ("int",)
            keys = [k for k in first[:2] if "[" not in k or len(parts) == 1]
            return tuple(f"dict[{k}, {v}]" for k in keys for v in held)
        case "tuple" if len(parts) == 1 and len(inner) == 2:
            return tuple(f"tuple[{t}, ...]" for t in first[:2])
        case "tuple":
            return (f"tuple[{', '.join(p[0] for p in parts)}]",)
    return ()


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _rows(table: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The rows of one of the tables in `hints.txt`: a pattern and the types that it stands for."""
    text = Path(__file__).with_name("hints.txt").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith(f"{table} | ")]
    return tuple((pattern, tuple(types.split("; "))) for _, pattern, types in rows)


_DOC_WORDS = _rows("doc")
_BY_NAME = _rows("name")
FALLBACK = _BY_NAME[-1][1]  # of every name


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


def by_name(name: str) -> tuple[str, ...]:
    """Types to try for a parameter name: an order of guesses for a trial, which ends with all."""
    guesses = [t for pattern, types in _BY_NAME if re.fullmatch(pattern, name) for t in types]
    return tuple(dict.fromkeys(guesses))
