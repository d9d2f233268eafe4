"""What a function's text says about the types of its arguments: doctests, annotations, defaults,
docstring, and, weakest, the parameter's name. Running it (`grow.guess_types`) decides."""

from __future__ import annotations

import ast
import contextlib
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

KNOWN = {"int", "float", "str", "bool", "bytes", "list", "dict", "set", "tuple", "any"}
_UNHASHABLE = re.compile(r"(dict|set)\[(list|dict|set)")
# The sources of a hint, strongest first; "trial" stands for a guess that only a run can confirm.
ORDER = ("doctest", "annotation", "default", "docstring", "trial")
MAX_EXAMPLES = 12

_TABLE = Path(__file__).with_suffix(".txt")
_PLACES = [place for (place,) in table(_TABLE, "place")]
_ROWS = {
    kind: {pattern: tuple(types.split("; ")) for pattern, types in table(_TABLE, kind)}
    for kind in ("doc", "name", "annotation", "container")
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
        named = literal_calls(tree)
        yield from (arguments for called, arguments in named if called.split(".")[-1] == name)


def literal_calls(tree: ast.AST) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """(function, arguments) of the calls in a tree whose arguments are literals by position."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not node.keywords:
            with contextlib.suppress(values.NotALiteral, values.Unserializable):
                name, arguments, _ = values.call_of(node)
                values.encode(arguments)
                yield name, arguments


def _hint(parameter: ast.arg, default: ast.expr | None, doc: str, examples: list[Any]) -> Hint:
    """The strongest hint there is."""
    if observed := [type_of(e) for e in examples if e is not None]:
        return Hint(tuple(dict.fromkeys([join_types(observed), *observed])), "doctest")
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
    text = re.sub(r"'|\b\w+\.", "", ast.unparse(node)).lower()
    text = re.sub(r"^union\[(.*)\]$", lambda union: union[1].replace(", ", " | "), text)
    text = re.sub(r" \| none\b|\bnone \| |^optional\[(.*)\]$", r"\1", text)
    text = re.sub(r" \| [^\[\],]+(?=[,\]])", "", text)  # of choices inside, the first
    types: list[str] = []
    for part in text.split(" | "):
        for pattern, (word,) in _ROWS["annotation"].items():
            part = re.sub(rf"(?<!\w)(?:{pattern})(?![\w\[])", word, part)
        for pattern, (word,) in _ROWS["container"].items():
            part = re.sub(rf"(?<!\w)(?:{pattern})\[", f"{word}[", part)
        if not set(re.findall(r"\w+", part)) <= KNOWN or part.count("[") != part.count("]"):
            return ()
        types += [part.replace("any", kind) for kind in ("int", "str", "list[int]")]
    return tuple(dict.fromkeys(t for t in types if not _UNHASHABLE.search(t)))
