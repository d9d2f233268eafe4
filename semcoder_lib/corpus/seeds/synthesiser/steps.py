"""Steps of a function body. Each takes a pending value and leaves a new one."""

from __future__ import annotations

from collections.abc import Callable

from semcoder_lib.corpus.seeds.synthesiser import iteration
from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.changes import change
from semcoder_lib.corpus.seeds.synthesiser.expressions import RESULTS, TABLES, Expr, Stuck
from semcoder_lib.corpus.seeds.synthesiser.loops import loop
from semcoder_lib.corpus.seeds.synthesiser.usage import WEIGHTS


def assign(body: Body) -> None:
    """`words = text.split()`: an expression under a new name, or the same name again."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    made = value_about(body, main)
    if made.kind == main.kind and draw.chance(0.5) and main.code not in body.owned:
        body.line(f"{main.code} = {made.code}")
        body.say(f"replace {main.english} by {made.english}.")
        body.used(made)
        body.made(main.code, made.kind)
        return
    name = draw.local(made.kind)
    body.line(f"{name} = {made.code}")
    body.say(f"let `{name}` be {made.english}.")
    body.used(made)
    body.made(name, made.kind)


def value_about(body: Body, main: Expr) -> Expr:
    """A rule or a comprehension about a value."""
    draw = body.draw
    scope = body.others(main)
    if main.kind in iteration.ITERABLE and draw.chance(WEIGHTS.get("step:comprehension", 0.4)):
        return iteration.comprehension(draw, main, scope)
    kinds = [k for k in RESULTS.get(main.kind, ()) if k != "bool" or draw.chance(0.25)]
    if not kinds:
        raise Stuck
    return draw.about(main, draw.rng.choice(kinds) if draw.chance(0.5) else "", scope)


def branch(body: Body) -> None:
    """`if … : x = … else: x = …`, or a change under a condition."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    test = draw.predicate(main, body.others(main))
    if draw.chance(0.4) and (main.kind, main.kind) in TABLES:
        made = draw.about(main, main.kind, body.others(main))
        if made.code == main.code:
            raise Stuck
        body.line(f"if {test.code}:")
        body.line(f"{main.code} = {made.code}", 1)
        body.say(f"if {test.english}, replace {main.english} by {made.english}.")
        body.used(test, made)
        body.made(main.code, main.kind)
        return
    kind = draw.rng.choice([k for k in RESULTS.get(main.kind, ()) if k != "bool"] or ["int"])
    outcomes = [draw.about(main, kind, body.others(main)) for _ in range(2)]
    tests = [test]
    if draw.chance(0.3):
        second = draw.predicate(main, body.others(main), 0)
        if second.code == test.code:
            raise Stuck
        tests.append(second)
        outcomes.append(draw.about(main, kind, body.others(main)))
    if len({o.code for o in outcomes}) < len(outcomes):
        raise Stuck
    name = draw.local(kind)
    words = []
    for place, outcome in enumerate(outcomes):
        if place < len(tests):
            body.line(f"{'if' if place == 0 else 'elif'} {tests[place].code}:")
            words.append(f"{outcome.english} if {tests[place].english}")
        else:
            body.line("else:")
            words.append(f"otherwise {outcome.english}")
        body.line(f"{name} = {outcome.code}", 1)
    body.say(f"let `{name}` be {', '.join(words)}.")
    body.used(*tests, *outcomes)
    body.made(name, kind)


def unpack(body: Body) -> None:
    """Takes a value apart into names."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    if main.kind == "tuple[int, int]":
        first, second = draw.rng.choice(
            (("a", "b"), ("x", "y"), ("low", "high"), ("left", "right"))
        )
        parts: tuple[tuple[str, str], ...] = ((first, "int"), (second, "int"))
        code, words = main.code, f"take {main.english} apart into `{first}` and `{second}`"
    elif main.kind == "tuple[str, int]":
        parts = (("name", "str"), ("number", "int"))
        code, words = main.code, f"take {main.english} apart into `name` and `number`"
    elif main.kind == "int":
        number = draw.literal("m").code
        parts = (("quotient", "int"), ("remainder", "int"))
        code = f"divmod({main.code}, {number})"
        words = f"divide {main.english} by {number} into `quotient` and `remainder`"
    elif main.kind == "str" and draw.chance(0.5):
        separator = draw.literal("sep").code
        parts = (("head", "str"), ("_", ""), ("tail", "str"))
        code = f"{main.code}.partition({separator})"
        words = f"split {main.english} at the first {separator} into `head` and `tail`"
    else:
        raise Stuck
    if any(name in draw.taken for name, _ in parts):
        raise Stuck
    draw.taken.update(name for name, _ in parts)
    body.line(f"{', '.join(name for name, _ in parts)} = {code}")
    body.say(f"{words}.")
    body.used(main)
    for name, kind in parts:
        if kind:
            body.made(name, kind)


def attempt(body: Body) -> None:
    """`try: n = int(text) except ValueError: …`"""
    draw = body.draw
    texts = [p for p in body.pending if p.kind == "str"]
    if not texts:
        raise Stuck
    main = draw.rng.choice(texts)
    name = draw.local("int")
    if draw.chance(0.6):
        doing, error, words = f"int({main.code})", "ValueError", f"{main.english} as a number"
    else:
        letter = draw.literal("ch").code
        doing, error = f"{main.code}.index({letter})", "ValueError"
        words = f"the position of {letter} in {main.english}"
    fallback = draw.rng.choice((f"len({main.code})", "-1", "0"))
    for at, text in (
        (0, "try:"),
        (1, f"{name} = {doing}"),
        (0, f"except {error}:"),
        (1, f"{name} = {fallback}"),
    ):
        body.line(text, at)
    spoken = f"the length of {main.english}" if fallback.startswith("len") else fallback
    body.say(f"let `{name}` be {words}, or {spoken} if that fails.")
    body.used(main)
    body.made(name, "int")


STEPS: dict[str, Callable[[Body], None]] = {
    "assign": assign,
    "loop": loop,
    "branch": branch,
    "change": change,
    "unpack": unpack,
    "attempt": attempt,
}
