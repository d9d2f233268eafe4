"""Where candidate inputs come from: values of the right type for each parameter, and mutations."""

from __future__ import annotations

import ast
from collections import Counter
from random import Random
from typing import Any

from semcoder_lib.monologues.reading import Reading, parameters
from semcoder_lib.records import Program

_BY_WORD: dict[str, Any] = {
    "int": 1, "float": 1.0, "str": "a", "bool": True, "list": [1, 2], "dict": {"a": 1},
    "set": {1}, "tuple": (1, 2), "bytes": b"a", "None": None,
}  # fmt: skip


class Domains:
    """Example values for each parameter, from the inputs of other cases, declared types, and the
    program's own literals; and a pool of pieces to build new values from."""

    def __init__(
        self, program: Program, reading: Reading, output: Any, seeds: tuple[tuple[Any, ...], ...]
    ) -> None:
        self.names = parameters(reading.entry)
        self.seeds = seeds
        self.output = output
        defaults = len(reading.entry.args.defaults)
        self.count = self._count(defaults)
        self.examples = [self._examples(at, program, reading) for at in range(self.count)]
        self.pool = list(_pieces(output, 24))
        self.pool += [v for v in _literals(reading.tree) if v not in self.pool][:16]
        for seed in seeds[:2]:
            self.pool += [v for arg in seed for v in list(_pieces(arg, 6))[:6]]

    def _count(self, defaults: int) -> int:
        if self.seeds:
            return Counter(len(s) for s in self.seeds).most_common(1)[0][0]
        return max(len(self.names) - defaults, min(1, len(self.names)))

    def _examples(self, at: int, program: Program, reading: Reading) -> list[Any]:
        found = [s[at] for s in self.seeds if at < len(s)]
        if found:
            return found
        word = program.argument_types[at] if at < len(program.argument_types) else ""
        args = reading.entry.args.posonlyargs + reading.entry.args.args
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
        if isinstance(node, ast.Constant) and isinstance(node.value, int | str | float):
            if not isinstance(node.value, str) or len(node.value) <= 20:
                found.append(node.value)
    return found


MAX_INT = 10**6


def mutated(value: Any, pool: list[Any], rng: Random, depth: int = 0) -> Any:
    """A value of the same type, a little different; pieces come from `pool`."""
    kind = type(value)
    if kind is bool:
        return not value
    if kind is int:
        others = [v for v in pool if type(v) is int and abs(v) <= MAX_INT]
        choice = rng.randrange(7)
        if choice == 0 and others:
            return rng.choice(others)
        if choice == 1 and others:
            return max(-MAX_INT, min(MAX_INT, value + rng.choice(others)))
        return max(
            -MAX_INT,
            min(MAX_INT, (value + 1, value - 1, value * 2, value // 2, -value)[choice - 2]),
        )
    if kind is float:
        return rng.choice(
            [value + 1, value - 1, value / 2, value * 2, float(round(value)), -value, value + 0.5]
        )
    if kind is str:
        return _mutated_text(value, pool, rng)
    if kind is list or kind is tuple:
        return kind(_mutated_items(list(value), pool, rng, depth))
    if kind is set:
        items = _mutated_items(sorted(value, key=repr), pool, rng, depth)
        return {x for x in items if _hashable(x)}
    if kind is dict:
        return _mutated_dict(value, pool, rng, depth)
    if value is None:
        return rng.choice(pool) if pool else 0
    return value


def _mutated_text(value: str, pool: list[Any], rng: Random) -> str:
    texts = [v for v in pool if isinstance(v, str) and len(v) <= 40] or ["a", "b", " "]
    piece = rng.choice(texts)
    at = rng.randrange(len(value) + 1)
    ways = [
        value[:at] + piece + value[at:],
        piece,
        value + piece,
        piece + value,
        value.swapcase(),
        value[::-1],
    ]
    if value:
        at = rng.randrange(len(value))
        ways += [
            value[:at] + value[at + 1 :],
            value[:at] + piece[:1] + value[at + 1 :],
            value[:at],
            value[at:],
        ]
    return rng.choice(ways)[:200]


def _mutated_items(items: list[Any], pool: list[Any], rng: Random, depth: int) -> list[Any]:
    choice = rng.randrange(7)
    like = [v for v in pool if items and type(v) is type(items[0])] or pool or [1]
    if choice == 0 or not items:
        return [*items, rng.choice(like)]
    at = rng.randrange(len(items))
    if choice == 1:
        return items[:at] + items[at + 1 :]
    if choice == 2:
        return items[: at + 1] + items[at:]
    if choice == 3:
        other = rng.randrange(len(items))
        items[at], items[other] = items[other], items[at]
        return items
    if choice == 4:
        return [*items[:at], rng.choice(like), *items[at + 1 :]]
    if depth < 3:
        return [*items[:at], mutated(items[at], pool, rng, depth + 1), *items[at + 1 :]]
    return items[::-1]


def _mutated_dict(
    value: dict[Any, Any], pool: list[Any], rng: Random, depth: int
) -> dict[Any, Any]:
    items = list(value.items())
    keys = [v for v in pool if _hashable(v) and (not items or type(v) is type(items[0][0]))] or [
        "a"
    ]
    choice = rng.randrange(4)
    if choice == 0 or not items:
        like = [v for v in pool if items and type(v) is type(items[0][1])] or pool or [1]
        return {**value, rng.choice(keys): rng.choice(like)}
    at = rng.randrange(len(items))
    if choice == 1:
        return dict(items[:at] + items[at + 1 :])
    key, old = items[at]
    if choice == 2 or depth >= 3:
        return dict([*items[:at], (rng.choice(keys), old), *items[at + 1 :]])
    return {**value, key: mutated(old, pool, rng, depth + 1)}


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
