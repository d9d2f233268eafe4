"""What a function's text says about the types of its arguments: doctests, annotations, defaults,
docstring, and, weakest, the parameter's name. Running it (`grow.guess_types`) decides."""

from __future__ import annotations

import ast
import doctest
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.inputs import join_types, type_of

# The sources of a hint, strongest first; "trial" stands for a guess that only a run can confirm.
ORDER = ("doctest", "annotation", "default", "docstring", "trial")
MAX_EXAMPLES = 12

_TABLE = Path(__file__).with_suffix(".txt")
_PLACES = [place for (place,) in table(_TABLE, "place")]
_ROWS = {
    kind: {pattern: tuple(types.split("; ")) for pattern, types in table(_TABLE, kind)}
    for kind in ("doc", "name", "annotation")
}


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


def read(function: ast.FunctionDef, name: str, calls: Iterable[tuple[Any, ...]] = ()) -> Signature:
    """Collects the hints of one function; `calls` of it count as its own examples. Of one with
    `*arguments` alone, as many parameters as its longest example has."""
    arguments = function.args
    parameters = arguments.posonlyargs + arguments.args
    names = tuple(p.arg for p in parameters)
    doc = ast.get_docstring(function) or ""
    most = 99 if arguments.vararg else len(names)
    every = itertools.chain(calls, _doctest_calls(doc, name))
    examples = [e for e in every if len(e) <= most][:MAX_EXAMPLES]
    if arguments.vararg and not names:
        size = max((len(e) for e in examples), default=2)
        parameters = [ast.arg(f"{arguments.vararg.arg}{n}") for n in range(size)]
        examples = [e for e in examples if len(e) == size]
    required = len(parameters) - len(arguments.defaults)
    defaults = [None] * required + arguments.defaults
    hints = [
        _hint(parameter, default, doc, [e[place] for e in examples if len(e) > place])
        for place, (parameter, default) in enumerate(zip(parameters, defaults, strict=True))
    ]
    return Signature(tuple(p.arg for p in parameters), required, tuple(hints), tuple(examples))


def _doctest_calls(doc: str, name: str) -> Iterator[tuple[Any, ...]]:
    """Argument tuples of the calls of `name` in a docstring's examples: literals by position."""
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
            if isinstance(node, ast.Call) and _last(node.func) == name and not node.keywords:
                try:
                    arguments = values.parse_call(ast.unparse(node))[1]
                    values.encode(arguments)
                except (values.NotALiteral, values.Unserializable):
                    continue
                yield arguments


def _hint(parameter: ast.arg, default: ast.expr | None, doc: str, examples: list[Any]) -> Hint:
    """The strongest hint there is."""
    if seen := [type_of(e) for e in examples if e is not None]:
        return Hint(tuple(dict.fromkeys([join_types(seen), *seen])), "doctest")
    if parameter.annotation and (types := from_annotation(parameter.annotation)):
        return Hint(types, "annotation")
    if isinstance(default, ast.Constant) and type(default.value) in (int, float, str, bool):
        return Hint((type(default.value).__name__,), "default")
    for place in _PLACES:
        if match := re.search(place.replace("{}", re.escape(parameter.arg)), doc, re.MULTILINE):
            for keys, types in _ROWS["doc"].items():
                if re.search(keys, match[1].lower()):
                    return Hint(types, "docstring")
    fitting = (types for k, types in _ROWS["name"].items() if re.fullmatch(k, parameter.arg))
    return Hint(tuple(dict.fromkeys(t for types in fitting for t in types)), "trial")


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
        case ast.Subscript(value=outer, slice=ast.Tuple(elts=inner)):
            return _generic(_last(outer).lower(), inner)
        case ast.Subscript(value=outer, slice=only):
            return _generic(_last(outer).lower(), [only])
    return _named(_last(node).lower())


def _named(name: str) -> tuple[str, ...]:
    """The types of an annotation without brackets; the first one is that of its container."""
    rows = _ROWS["annotation"].items()
    return next((types for key, types in rows if re.fullmatch(key, name)), ())


def _any_of(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for n in nodes for t in from_annotation(n) if t != "None"))


def _generic(name: str, inner: list[ast.expr]) -> tuple[str, ...]:
    if name in ("optional", "union"):
        return _any_of(inner)
    parts = [from_annotation(p) for p in inner if getattr(p, "value", None) is not ...]
    if not parts or not all(parts):
        return ()
    first = parts[0]
    match "".join(_named(name)[:1]).partition("[")[0]:
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
