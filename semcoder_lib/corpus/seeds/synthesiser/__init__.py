"""Typed random programs in the style of short everyday functions.

`programs` and `synthesise` are pure functions of the seed and the index: program number i is the
same whoever makes it and in whatever order.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import keyword
import random
import re
from collections.abc import Iterator, Mapping

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus.seeds.synthesiser import loops, names, shapes, steps, whiles
from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.expressions import RESULTS, Draw, Expr, Stuck, variable
from semcoder_lib.corpus.seeds.synthesiser.usage import WEIGHTS

__all__ = ["program", "programs", "synthesise"]

_MAIN_TYPES: dict[str, float] = {
    "str": 30, "list[int]": 22, "list[str]": 14, "int": 10, "dict[str, int]": 8,
    "list[list[int]]": 4, "dict[str, str]": 3, "list[tuple[int, int]]": 2.5,
    "list[tuple[str, int]]": 2.5, "set[int]": 2, "list[float]": 2, "tuple[int, int]": 1,
    "dict[str, list[int]]": 2, "float": 1.5, "set[str]": 1, "dict[int, str]": 0.7,
    "dict[int, int]": 0.7,
}  # fmt: skip
_EXTRA_TYPES = {
    "int": 10,
    "str": 9,
    "list[int]": 3,
    "list[str]": 2,
    "dict[str, int]": 1,
    "set[int]": 0.4,
    "bool": 0.8,
}
_SHAPES = {"steps": 64, "search": 9, "decision": 9, "pairs": 6, "recursion": 6, "helper": 6}
_STEPS = {
    "assign": 30,
    "loop": 30,
    "branch": 12,
    "change": 9,
    "while": 9,
    "unpack": 4,
    "attempt": 2,
}


def synthesise(count: int, seed: int = 0) -> Iterator[Program]:
    """`count` programs with distinct sources, streaming; the same ones for the same seed. Keeps an
    eight-byte key per program in memory."""
    seen: set[bytes] = set()
    index = 0
    while len(seen) < count:
        made = program(seed, index)
        index += 1
        key = hashlib.blake2b(made.source.encode(), digest_size=8).digest()
        if key not in seen:
            seen.add(key)
            yield made


def programs(seed: int, start: int, stop: int) -> Iterator[Program]:
    """Programs number `start` up to but without `stop` of a seed's endless sequence."""
    for index in range(start, stop):
        yield program(seed, index)


def program(seed: int, index: int) -> Program:
    """Program number `index`. It parses, ends on every input, uses each of its parameters, computes
    nothing in vain, and needs the standard library only. Whether it is worth keeping (its outputs
    vary, every line can be reached) is for `pyx` to find out by running it."""
    rng = random.Random(f"{seed}:synthesiser:{index}")
    for _ in range(200):
        made = _attempt(rng)
        if made is not None:
            source, entry, types, description, family, tags = made
            return Program(
                source=source,
                entry_point=entry,
                id=f"synth:{seed}:{index}",
                description=description,
                origin="synthesised",
                family=family,
                argument_types=types,
                types_from="synthesiser",
                provenance=Provenance(
                    package="semcoder_lib", licence="Apache-2.0", method="synthesised"
                ),
                tags=tags,
            )
    raise RuntimeError(f"no program for index {index}")  # 200 failures in a row do not happen


_Made = tuple[str, str, tuple[str, ...], str, str, tuple[str, ...]]


def _attempt(rng: random.Random) -> _Made | None:
    draw = Draw(rng)
    shape = _pick(rng, _SHAPES, "shape")
    try:
        return _function(draw, shape)
    except Stuck:
        return None


def _pick(rng: random.Random, table: Mapping[str, float], prefix: str) -> str:
    kinds = list(table)
    return rng.choices(kinds, [w * WEIGHTS.get(f"{prefix}:{k}", 1.0) for k, w in table.items()])[0]


def _parameters(draw: Draw, shape: str) -> list[Expr]:
    rng = draw.rng
    main = _pick(rng, _MAIN_TYPES, "parameter")
    if shape == "recursion":
        main = rng.choice(("int", "str", "list[int]", "list[str]"))
    kinds = [main]
    count = 1 if shape == "recursion" else rng.choices((1, 2, 3), (52, 38, 10))[0]
    while len(kinds) < count:
        same = rng.random() < 0.12 and main[:4] in ("list", "dict", "set[", "str")
        kinds.append(main if same else _pick(rng, _EXTRA_TYPES, "extra"))
    return [variable(draw.name(names.PARAMETERS[k]), k) for k in kinds]


def _function(draw: Draw, shape: str) -> _Made:
    parameters = _parameters(draw, shape)
    body = Body(draw, list(parameters), list(parameters))
    trail = [shape]
    helper = ""
    name = ""
    if shape == "recursion":
        name = names.function_name(draw.rng, parameters[0].kind, "int")
        result = shapes.recursion(body, name)
    elif shape in ("search", "decision"):
        while len(body.pending) > 1 and draw.chance(0.4):
            _step(body, trail)
        result = shapes.search(body) if shape == "search" else shapes.decision(body)
    else:
        if shape == "pairs":
            shapes.pairs(body)
        if shape == "helper":
            helper = _helper(body, trail)
        target = draw.rng.choices((1, 2, 3, 4), (18, 42, 30, 10))[0]
        for _ in range(target - (shape in ("pairs", "helper"))):
            _step(body, trail)
        while len(body.pending) > 3:
            _step(body, trail)
        result = _finish(body)
    _check(body, parameters)
    name = name or names.function_name(draw.rng, parameters[0].kind, result)
    if name in draw.taken or name in helper:
        raise Stuck
    guard = _guard(draw, parameters, result, shape)
    signature = ", ".join(p.code for p in parameters)
    lines = [f"def {name}({signature}):", *guard[0], *body.lines]
    source = "\n".join(lines) + "\n"
    if helper:
        source = helper + "\n\n" + source
    if draw.imports:
        source = "\n".join(sorted(draw.imports)) + "\n\n\n" + source
    source = ast.unparse(ast.parse(source)) + "\n"
    kinds = tuple(p.kind for p in parameters)
    family = f"synth:{_family(source)}"
    told = _describe(parameters, guard[1], body.sentences)
    return source, name, kinds, told, family, tuple(dict.fromkeys(trail))


def _step(body: Body, trail: list[str]) -> None:
    for _ in range(8):
        kind = _pick(body.draw.rng, _STEPS, "step")
        lines, sentences = len(body.lines), len(body.sentences)
        before = (set(body.draw.taken), list(body.pending), list(body.scope))
        try:
            (whiles.step if kind == "while" else steps.STEPS[kind])(body)
            trail.append(kind)
            return
        except Stuck:
            del body.lines[lines:], body.sentences[sentences:]
            body.draw.taken, body.pending, body.scope = before
    raise Stuck


def _helper(body: Body, trail: list[str]) -> str:
    """A second function that the main one applies to each element or to the value itself."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    inner = (
        "str" if main.kind == "str" else main.kind[5:-1] if main.kind.startswith("list[") else ""
    )
    if inner not in ("str", "int", "list[int]"):
        raise Stuck
    own = Draw(draw.rng)
    parameter = variable(own.name(names.PARAMETERS[inner]), inner)
    made = Body(own, [parameter], [parameter])
    roll = draw.rng.random()
    if roll < 0.35:
        result = shapes.decision(made)
    else:
        if roll < 0.75:
            _step(made, trail)
        result = _finish(made)
    if result not in ("int", "str", "bool"):
        raise Stuck
    _check(made, [parameter])
    draw.imports |= own.imports
    name = names.function_name(draw.rng, inner, result)
    if name in draw.taken:
        raise Stuck
    draw.taken.add(name)
    told = " ".join(made.sentences)
    element = draw.name(names.ELEMENTS["char" if main.kind == "str" else inner])
    draw.taken.discard(element)
    if result == "bool":
        code = f"[{element} for {element} in {main.code} if {name}({element})]"
        words = f"the list of those `{element}` of {main.english} for which `{name}` is true"
        kind = f"list[{inner}]"
    elif result == "int" and draw.chance(0.4):
        code = f"sum({name}({element}) for {element} in {main.code})"
        words, kind = f"the sum of `{name}` over {main.english}", "int"
    elif draw.chance(0.3) and main.kind.startswith("list[") and inner != "list[int]":
        code = f"sorted({main.code}, key={name})"
        words, kind = f"{main.english} sorted by `{name}`", main.kind
    else:
        code = f"[{name}({element}) for {element} in {main.code}]"
        words, kind = (
            f"the list of `{name}` of each `{element}` of {main.english}",
            f"list[{result}]",
        )
    if kind == "list[list[int]]" and main.kind != kind:
        raise Stuck
    local = draw.local(kind)
    body.line(f"{local} = {code}")
    body.say(f"with a helper `{name}({parameter.code})` ({told}), let `{local}` be {words}.")
    body.used(main)
    body.made(local, kind)
    lines = [f"def {name}({parameter.code}):", *made.lines]
    return "\n".join(lines) + "\n"


def _finish(body: Body) -> str:
    """The return statement, about everything that is still pending."""
    draw = body.draw
    pending = body.pending
    if not pending:
        raise Stuck
    last = pending[-1]
    if len(pending) == 1:
        bare = last.code in body.owned or bool(body.lines)
        if bare and draw.chance(0.55):
            final = last
        elif draw.chance(0.08):
            final = _either(body, last)
        else:
            final = steps.value_about(body, last)
    else:
        final = _together(body, pending)
    body.used(final)
    if body.pending:
        raise Stuck
    body.line(f"return {final.code}")
    body.say(f"return {final.english}.")
    return final.kind


def _either(body: Body, value: Expr) -> Expr:
    draw = body.draw
    test = draw.predicate(value, body.others(value), 0)
    first, second = (draw.about(value, value.kind, [], 0) for _ in range(2))
    if first.code == second.code or " if " in test.code + first.code + second.code:
        raise Stuck
    return Expr(
        f"{first.code} if {test.code} else {second.code}",
        f"{first.english} if {test.english}, else {second.english}",
        value.kind, value.uses | test.uses | first.uses | second.uses, False,
    )  # fmt: skip


def _together(body: Body, pending: list[Expr]) -> Expr:
    """One expression that reads all pending values."""
    draw = body.draw
    first, *rest = pending if draw.chance(0.5) else list(reversed(pending))
    if len(rest) == 1 and draw.chance(0.7):
        for _ in range(12):
            if first.kind not in RESULTS:
                break
            made = draw.about(first, "", rest, 0)
            if rest[0].code in made.uses:
                return made
    codes = ", ".join(p.code for p in pending)
    english = " and ".join(p.english for p in pending)
    uses = frozenset().union(*(p.uses for p in pending))
    if draw.chance(0.15):
        pairs = ", ".join(f"'{p.code}': {p.code}" for p in pending)
        return Expr(
            f"{{{pairs}}}", f"a dictionary with {english} under their names", "dict[str, any]", uses
        )
    if draw.chance(0.12) and all(p.kind in ("int", "str") for p in pending):
        inside = draw.rng.choice((" ", "-", ": ", "/")).join(f"{{{p.code}}}" for p in pending)
        return Expr(f"f'{inside}'", f"the text {inside!r} with {english} filled in", "str", uses)
    kind = ", ".join(p.kind for p in pending)
    word = "the pair of" if len(pending) == 2 else "the tuple of"
    return Expr(f"({codes})", f"{word} {english}", f"tuple[{kind}]", uses)


def _guard(draw: Draw, parameters: list[Expr], result: str, shape: str) -> tuple[list[str], str]:
    """An early return for small arguments, now and then."""
    if shape == "recursion" or not draw.chance(0.14 * WEIGHTS.get("guard", 1.0)):
        return [], ""
    main = parameters[0]
    default = loops.EMPTY.get(result)
    if default is None:
        default = "[]" if result.startswith("list") else "{}" if result.startswith("dict") else ""
    if not default:
        return [], ""
    if main.kind == "int":
        limit = draw.rng.choice((0, 1, 3))
        test, words = f"{main.code} <= {limit}", f"{main.english} is at most {limit}"
    elif main.kind == "str" or main.kind[:4] in ("list", "dict", "set["):
        size = draw.rng.choice((1, 2, 3, 3))
        test, words = f"len({main.code}) < {size}", f"{main.english} has fewer than {size} elements"
        if size == 1:
            test, words = f"not {main.code}", f"{main.english} is empty"
    else:
        return [], ""
    if result == "int" and draw.chance(0.4):
        default = "-1"
    return [f"    if {test}:", f"        return {default}"], f"If {words}, return {default}."


def _check(body: Body, parameters: list[Expr]) -> None:
    """Everything that is computed is used, and the body is neither trivial nor long."""
    text = "\n".join(body.lines)
    if len(text) > 900 or len(body.lines) > 22 or len(text) < 24:
        raise Stuck
    if any(len(line) > 150 for line in body.lines):
        raise Stuck
    if not all(re.search(rf"(?<![\w.'])({p.code})(?!\w| = )", text) for p in parameters):
        raise Stuck


def _describe(parameters: list[Expr], guard: str, sentences: list[str]) -> str:
    told = []
    for p in parameters:
        told.append(f"{names.SPOKEN[p.kind]} `{p.code}`")
    start = (
        "Take " + (", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else told[0]) + "."
    )
    return " ".join([start, *([guard] if guard else []), *sentences])


_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\.?[A-Za-z_]\w*|\d[\d.]*|\s+|.")
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))


def _family(source: str) -> str:
    """A hash of the program with names and constants removed: what near variants share."""
    shape = []
    for token in _TOKEN.findall(source):
        if token[0] in "'0123456789":
            shape.append("0")
        elif token[0].isalpha() or token[0] == "_":
            shape.append(token if token in _KEPT else "_")
        else:
            shape.append(token)
    return hashlib.blake2b("".join(shape).encode(), digest_size=8).hexdigest()
