"""Where candidate inputs come from: values of the right type for each parameter."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

from semcoder_lib.core.records import Program
from semcoder_lib.monologues.syntax import Syntax, parameters

_BY_WORD: dict[str, Any] = {
    "int": 1, "float": 1.0, "str": "a", "bool": True, "list": [1, 2], "dict": {"a": 1},
    "set": {1}, "tuple": (1, 2), "bytes": b"a", "None": None,
}  # fmt: skip


class Domains:
    """Example values for each parameter, from the inputs of other cases, declared types, and the
    program's own literals; and a pool of pieces to build new values from."""

    def __init__(
        self, program: Program, syntax: Syntax, output: Any, seeds: tuple[tuple[Any, ...], ...]
    ) -> None:
        self.entry = syntax.functions[program.entry_point]
        self.names = parameters(self.entry)
        self.seeds = seeds
        self.output = output
        defaults = len(self.entry.args.defaults)
        self.count = self._count(defaults)
        self.examples = [self._examples(at, program) for at in range(self.count)]
        self.pool = list(_pieces(output, 24))
        self.pool += [v for v in _literals(syntax.tree) if v not in self.pool][:16]
        for seed in seeds[:2]:
            self.pool += [v for arg in seed for v in list(_pieces(arg, 6))[:6]]

    def _count(self, defaults: int) -> int:
        if self.seeds:
            return Counter(len(s) for s in self.seeds).most_common(1)[0][0]
        return max(len(self.names) - defaults, min(1, len(self.names)))

    def _examples(self, at: int, program: Program) -> list[Any]:
        found = [s[at] for s in self.seeds if at < len(s)]
        if found:
            return found
        word = program.argument_types[at] if at < len(program.argument_types) else ""
        args = self.entry.args.posonlyargs + self.entry.args.args
        if not word and at < len(args) and args[at].annotation is not None:
            word = ast.unparse(args[at].annotation)  # type: ignore[arg-type]
        for key, value in _BY_WORD.items():
            if word.lower().startswith(key.lower()):
                return [value]
        return [self.output, "a", 1, [1, 2]]

    def kinds(self, at: int) -> set[type]:
        return {type(v) for v in self.examples[at]} if self.seeds else set()

    def usual(self, arguments: tuple[Any, ...]) -> bool:
        """Whether every argument has a type that its parameter is known to take."""
        known = [self.kinds(at) for at in range(len(arguments)) if at < self.count]
        return all(not k or type(a) in k for k, a in zip(known, arguments, strict=False))

    def fitted(self, at: int, value: Any) -> list[Any]:
        """`value` as the types that this parameter is known to take, then as it is."""
        kinds = self.kinds(at)
        if not kinds or type(value) in kinds:
            return [value]
        made = [m for k in sorted(kinds, key=lambda k: k.__name__) for m in _coerced(value, k)]
        return [*made, value]

    def complete(self, assignment: dict[str, Any], seed: tuple[Any, ...] | None) -> list[list[Any]]:
        """Argument lists: assigned where known, from a seed or an example elsewhere."""
        made: list[list[Any]] = [[]]
        for at in range(self.count):
            name = self.names[at] if at < len(self.names) else ""
            if name in assignment:
                options = self.fitted(at, assignment[name])[:2]
            elif seed is not None and at < len(seed):
                options = [seed[at]]
            else:
                options = self.examples[at][:1]
            made = [[*m, o] for m in made for o in options][:4]
        return made


def _coerced(value: Any, kind: type) -> list[Any]:
    try:
        if kind is str:
            if isinstance(value, list | tuple) and all(isinstance(x, str) for x in value):
                return ["".join(value)]
            return [str(value)] if isinstance(value, int | float) else []
        if kind in (list, tuple, set) and isinstance(value, list | tuple | set | str):
            return [kind(value)]
        if kind is int and isinstance(value, float | str):
            return [int(value)]
        if kind is float and isinstance(value, int):
            return [float(value)]
        if kind is dict and isinstance(value, list):
            return [dict(value)]
    except (TypeError, ValueError, OverflowError):
        pass
    return []


def _pieces(value: Any, room: int) -> list[Any]:
    """The value, and what it is made of."""
    out: list[Any] = []
    waiting = [value]
    while waiting and len(out) < room:
        v = waiting.pop(0)
        if v in out:
            continue
        out.append(v)
        if isinstance(v, list | tuple | set | frozenset):
            waiting += list(v)[:room]
        elif isinstance(v, dict):
            waiting += [*v.keys(), *v.values()][:room]
        elif isinstance(v, str) and len(v) > 1:
            waiting += [*v.split()[:4], *list(v)[:6]]
    return out


def _literals(tree: ast.AST) -> list[Any]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant):
            continue
        value = node.value
        if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 20):
            found.append(value)
    return found
