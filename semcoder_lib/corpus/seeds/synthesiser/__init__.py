"""Typed random programs in the style of short everyday functions.

`program` and `synthesise` are pure functions of the seed and the index: program number i is the
same whoever makes it and in whatever order.
"""

from __future__ import annotations

import ast
import builtins
import functools
import hashlib
import keyword
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.seeds.synthesiser.draft import Draft, Piece, Stuck, variable
from semcoder_lib.corpus.seeds.synthesiser.rules import grammar, names

__all__ = ["program", "synthesise"]


def weights(kind: str) -> dict[str, float]:
    """How often each of some kind comes, from `weights.txt`."""
    rows = table(Path(__file__).with_name("weights.txt"), kind)
    return {name: float(weight) for name, weight in rows}


MAIN_TYPES, OTHER_TYPES = weights("main"), weights("other")
SHAPES, STEPS = weights("shape"), weights("step")
RECURSIVE = ("int", "str", "list[int]", "list[str]")
ZEROS = {"int": "0", "str": "''", "float": "0.0", "bool": "False", "list": "[]", "dict": "{}"}


def synthesise(count: int, seed: int = 0) -> Iterator[Program]:
    """`count` programs with distinct sources, streaming; the same ones for the same seed. Keeps an
    eight-byte key per program in memory."""
    return distinct(count, functools.partial(program, seed))


def distinct(count: int, numbered: Callable[[int], Program]) -> Iterator[Program]:
    """`count` programs with distinct sources out of an endless sequence."""
    seen: set[bytes] = set()
    index = 0
    while len(seen) < count:
        drawn = numbered(index)
        index += 1
        key = hashlib.blake2b(drawn.source.encode(), digest_size=8).digest()
        if key not in seen:
            seen.add(key)
            yield drawn


def program(seed: int, index: int) -> Program:
    """Program number `index`. It parses, ends on every input, uses each of its parameters, computes
    nothing in vain, and needs the standard library only. Whether it is worth keeping (its outputs
    vary, every line can be reached) is for the corpus to find out by running it."""
    rng = random.Random(f"{seed}:synthesiser:{index}")
    for _ in range(200):
        try:
            shape = _pick(rng, SHAPES)
            made, _ = function(Draft(rng, grammar()), shape, _parameters(rng, shape))
        except Stuck:
            continue
        return replace(made, id=f"synth:{seed}:{index}")
    raise RuntimeError(f"no program for index {index}")  # 200 failures in a row do not happen


def _pick(rng: random.Random, table: dict[str, float]) -> str:
    return rng.choices(list(table), list(table.values()))[0]


def _parameters(rng: random.Random, shape: str) -> list[str]:
    main = rng.choice(RECURSIVE) if shape == "recursion" else _pick(rng, MAIN_TYPES)
    count = 1 if shape == "recursion" else rng.choices((1, 2, 3), (52, 38, 10))[0]
    kinds = [main]
    while len(kinds) < count:
        same = rng.random() < 0.12 and main[:4] in ("list", "dict", "set[", "str")
        kinds.append(main if same else _pick(rng, OTHER_TYPES))
    return kinds


def start(draft: Draft, kinds: list[str]) -> list[Piece]:
    """Gives the function its parameters."""
    pools = names()
    parameters = [variable(draft.name(pools[f"parameter {k}"]), k) for k in kinds]
    draft.scope, draft.pending = list(parameters), list(parameters)
    return parameters


def function(draft: Draft, shape: str, kinds: list[str]) -> tuple[Program, str]:
    """A function of one of the shapes with parameters of these types, and its result's type. Raises
    Stuck."""
    rng = draft.rng
    parameters = start(draft, kinds)
    main = parameters[0]
    trail = [shape]
    helper = name = ""
    if shape == "recursion":
        name = function_name(rng, main.kind, "int")
        result = draft.write("recursion", main, g=Piece(name, f"`{name}`"))
    elif shape in ("search", "decision"):
        while len(draft.pending) > 1 and draft.chance(0.4):
            step(draft, trail)
        result = draft.write(shape, draft.subject(shape))
    else:
        if shape == "pairs":
            draft.write("pairs", draft.subject("pairs"))
        if shape == "helper":
            helper = _helper(draft, trail)
        size = rng.choices((1, 2, 3, 4), (18, 42, 30, 10))[0]
        for _ in range(size - (shape in ("pairs", "helper"))):
            step(draft, trail)
        while len(draft.pending) > 3:
            step(draft, trail)
        result = finish(draft)
    check(draft, parameters)
    name = name or function_name(rng, main.kind, result)
    if name in draft.taken or f"{name}(" in helper:
        raise Stuck
    if shape != "recursion" and draft.chance(0.14):
        _guard(draft, main, result)
    return finished(draft, name, parameters, trail, helper), result


def step(draft: Draft, trail: list[str], steps: dict[str, float] = STEPS) -> None:
    """One more step of some kind, about some pending value; `trail` notes the kind."""
    for _ in range(8):
        kind = _pick(draft.rng, steps)
        try:
            draft.write(kind, draft.subject(kind))
        except Stuck:
            continue
        trail.append(kind)
        return
    raise Stuck


def finish(draft: Draft, fitting: Callable[[str], bool] = bool) -> str:
    """The return statement, about everything that is still pending, with a result of a `fitting`
    type, which it says. Raises Stuck."""

    def good(piece: Piece) -> bool:
        whole = all(p.code in piece.uses for p in draft.pending)
        return whole and fitting(piece.gives[0].kind)

    for _ in range(8):
        first, *rest = draft.pending if draft.chance(0.5) else draft.pending[::-1]
        given = dict(zip("yz", rest, strict=False))
        try:
            return draft.write(f"finish{len(draft.pending) if rest else ''}", first, good, **given)
        except Stuck:
            continue
    raise Stuck


def check(draft: Draft, parameters: list[Piece]) -> None:
    """Raises Stuck where something is computed in vain, or the function is trivial or long."""
    text = "\n".join(draft.lines)
    if draft.pending or not 24 <= len(text) <= 900 or len(draft.lines) > 22:
        raise Stuck
    if any(len(line) > 150 for line in draft.lines):
        raise Stuck
    if not all(re.search(rf"(?<![\w.'])({p.code})(?!\w| = )", text) for p in parameters):
        raise Stuck


def finished(
    draft: Draft, name: str, parameters: list[Piece], tags: Iterable[str] = (), helper: str = ""
) -> Program:
    """The function under its name as a program without an id, in the layout of `ast.unparse`. Its
    family is its shape."""
    body = "\n".join(draft.lines)
    source = f"{helper}def {name}({', '.join(p.code for p in parameters)}):\n{body}\n"
    for module, line in (("Counter(", "from collections import Counter\n"), ("re.", "import re\n")):
        if re.search(rf"(?<!\w){re.escape(module)}", body + helper):
            source = line + source
    source = ast.unparse(ast.parse(source)) + "\n"
    spoken = [f"{names()[f'spoken {p.kind}'][0]} `{p.code}`" for p in parameters]
    takes = " and ".join([", ".join(spoken[:-1])] * (len(spoken) > 1) + spoken[-1:])
    return Program(
        source=source,
        entry_point=name,
        description=" ".join([f"Take {takes}.", *draft.sentences]),
        origin="synthesised",
        family=f"synth:{shape_of(source)}",
        argument_types=tuple(p.kind for p in parameters),
        types_from="synthesiser",
        provenance=Provenance(package="semcoder_lib", licence="Apache-2.0", method="synthesised"),
        tags=tuple(dict.fromkeys(tags)),
    )


def _guard(draft: Draft, main: Piece, result: str) -> None:
    """Puts an early return for small arguments in front, where there is one for these types."""
    zero = ZEROS.get(result.partition("[")[0], "")
    if not zero or not draft.grammar.fitting("guard", main.kind):
        return
    if result == "int" and draft.chance(0.4):
        zero = "-1"
    lines, sentences = draft.lines, draft.sentences
    draft.lines, draft.sentences = [], []
    draft.write("guard", main, d=Piece(zero, zero))
    draft.lines += lines
    draft.sentences += sentences


def _helper(draft: Draft, trail: list[str]) -> str:
    """A second function that the main one applies to each element."""
    elements = {"str": "str", "list[int]": "int", "list[str]": "str"}
    fitting = [p for p in draft.pending if p.kind in elements]
    if not fitting:
        raise Stuck
    main = draft.rng.choice(fitting)
    own = Draft(draft.rng, draft.grammar)
    parameters = start(own, [elements[main.kind]])
    if own.chance(0.35):
        result = own.write("decision", parameters[0])
    else:
        if own.chance(0.6):
            step(own, trail)
        result = finish(own)
    check(own, parameters)
    name = function_name(draft.rng, parameters[0].kind, result)
    if name in draft.taken:
        raise Stuck
    draft.taken.add(name)
    told = finished(own, name, parameters)
    words = told.description.rstrip(".")
    draft.write(f"helper {result}", main, g=Piece(name, f"`{name}`"), told=Piece("", words))
    return told.source + "\n\n"


def function_name(rng: random.Random, parameter: str, result: str) -> str:
    """A verb for the result and a noun for the argument: `count_long_words`."""
    pools = names()
    drawn = []
    for role, kind, default in (("verb", result, "list"), ("noun", parameter, "int")):
        keys = (f"{role} {k}" for k in (kind, kind.partition("[")[0], default))
        drawn.append(rng.choice(next(pools[key] for key in keys if key in pools)))
    verb, noun = drawn
    roll = rng.random()
    if roll < 0.3:
        return f"{verb}_{rng.choice(pools['adjective'])}_{noun}"
    return f"{verb}_{noun}" if roll < 0.93 or hasattr(builtins, verb) else verb


_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\.?[A-Za-z_]\w*|-?\d[\d.]*|\s+|.")
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))


def shape_of(source: str) -> str:
    """A hash of the program with names and constants removed: what near variants share."""
    shape = []
    for token in _TOKEN.findall(source):
        if token[0] == "'" or token.lstrip("-")[:1].isdigit():
            shape.append("0")
        elif token[0].isalpha() or token[0] == "_":
            shape.append(token if token in _KEPT else "_")
        else:
            shape.append(token)
    return hashlib.blake2b("".join(shape).encode(), digest_size=8).hexdigest()
