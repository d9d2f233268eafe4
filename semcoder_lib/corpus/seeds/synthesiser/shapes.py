# ruff: noqa: E501  (tables of code and English)
"""Whole-function shapes that are not a row of steps: a search, a decision, pairs, recursion."""

from __future__ import annotations

from semcoder_lib.corpus.seeds.synthesiser import iteration
from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.expressions import RESULTS, Expr, Stuck, fits, variable
from semcoder_lib.corpus.seeds.synthesiser.loops import empty


def search(body: Body) -> str:
    """Returns from inside a loop at the first element that meets a condition. The result's type."""
    draw = body.draw
    over = [p for p in body.pending if p.kind in iteration.ITERABLE]
    if not over:
        raise Stuck
    main = draw.rng.choice(over)
    it = iteration.over(draw, main, body.others(main), loop=True)
    test = draw.predicate(it.bound[0], [*it.bound[1:], *body.others(main)])
    kind = draw.rng.choice(("bool", "int", "str", "int", "str"))
    if kind == "bool":
        found, default = Expr("True", "True", "bool"), "False"
        if draw.chance(0.4):
            found, default = Expr("False", "False", "bool"), "True"
    else:
        bare = [b for b in it.bound if fits(b, kind)]
        plain = bare and draw.chance(0.6)
        found = bare[-1] if plain else iteration.element_value(draw, it.bound, kind, body.others())
        default = {"int": draw.rng.choice(("-1", "0")), "str": draw.rng.choice(("''", "'none'"))}[
            kind
        ]
    body.used(main, test, found)
    body.pending = [p for p in body.pending if p.code not in it.uses]
    if body.pending:
        raise Stuck
    body.line(f"{it.header}:")
    body.line(f"if {test.code}:", 1)
    body.line(f"return {found.code}", 2)
    body.line(f"return {default}")
    body.say(f"for {it.english}: return {found.english} as soon as {test.english}. "
             f"If that never happens, return {default}.")  # fmt: skip
    return kind


def decision(body: Body) -> str:
    """A chain of conditions, each with its own return."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    kinds = [k for k in RESULTS.get(main.kind, ()) if k != "bool"]
    if not kinds:
        raise Stuck
    kind = draw.rng.choice(kinds)
    count = draw.rng.choice((2, 2, 3, 3, 4))
    tests = [draw.predicate(main, body.others(main), 1 if i == 0 else 0) for i in range(count - 1)]
    outcomes = [draw.reach(main, kind, body.others(main)) for _ in range(count)]
    if len({t.code for t in tests}) < len(tests) or len({o.code for o in outcomes}) < count:
        raise Stuck
    body.used(*tests, *outcomes)
    if body.pending:
        raise Stuck
    flat = draw.chance(0.6)
    for place, outcome in enumerate(outcomes):
        if place < len(tests):
            word = "if" if place == 0 or flat else "elif"
            body.line(f"{word} {tests[place].code}:")
            body.line(f"return {outcome.code}", 1)
            body.say(f"{'if' if place == 0 else 'otherwise, if'} {tests[place].english}, "
                     f"return {outcome.english}.")  # fmt: skip
        else:
            if not flat:
                body.line("else:")
            body.line(f"return {outcome.code}", 0 if flat else 1)
            body.say(f"otherwise return {outcome.english}.")
    return kind


def pairs(body: Body) -> str:
    """Two loops, one inside the other, over a list's elements or two lists; the caller returns."""
    draw = body.draw
    over = [
        p for p in body.pending if p.kind in ("list[int]", "list[str]", "str", "list[list[int]]")
    ]
    if not over:
        raise Stuck
    main = draw.rng.choice(over)
    inner_kind = "str" if main.kind == "str" else main.kind[5:-1]
    x = main.code
    if inner_kind == "list[int]":
        row, cell = draw.name(("row", "line", "group")), draw.name(("cell", "value", "x"))
        outer, inner = f"for {row} in {x}", f"for {cell} in {row}"
        left = right = variable(cell, "int")
        words = f"for each number `{cell}` of each row `{row}` of {main.english}"
    elif draw.chance(0.6):
        i, j = draw.name(("i", "a")), draw.name(("j", "b"))
        outer, inner = f"for {i} in range(len({x}))", f"for {j} in range({i} + 1, len({x}))"
        left = Expr(f"{x}[{i}]", f"`{x}[{i}]`", inner_kind)
        right = Expr(f"{x}[{j}]", f"`{x}[{j}]`", inner_kind)
        words = f"for each pair of positions `{i}` < `{j}` of {main.english}"
    else:
        others = [e for e in body.others(main) if e.kind == main.kind]
        other = draw.rng.choice(others) if others else main
        a, b = draw.name(("a", "x", "first")), draw.name(("b", "y", "second"))
        outer, inner = f"for {a} in {x}", f"for {b} in {other.code}"
        left, right = variable(a, inner_kind), variable(b, inner_kind)
        words = f"for each `{a}` of {main.english} and each `{b}` of {other.english}"
        body.used(other)
    kind = draw.rng.choice(("int", "list"))
    kind_element = "int" if inner_kind == "list[int]" else inner_kind
    value = left if left.code == right.code else draw.about(left, left.kind, [right], 0)
    test = draw.about(left, "bool", [right], 0)
    for _ in range(4):
        if right.code in test.code:
            break
        test = draw.about(left, "bool", [right], 0)
    name = draw.local("int" if kind == "int" else f"list[{kind_element}]")
    if kind == "int":
        gain = "1" if kind_element == "str" or draw.chance(0.5) else value.code
        update, said = f"{name} += {gain}", f"add {1 if gain == '1' else value.english} to `{name}`"
    else:
        update, said = f"{name}.append({value.code})", f"append {value.english} to `{name}`"
    made = "int" if kind == "int" else f"list[{kind_element}]"
    if right.code != left.code and right.code not in test.code + update:
        raise Stuck
    body.line(f"{name} = {empty(made)}")
    body.line(f"{outer}:")
    body.line(f"{inner}:", 1)
    body.line(f"if {test.code}:", 2)
    body.line(update, 3)
    start = "0" if kind == "int" else "an empty list"
    body.say(f"start with `{name}` as {start}; {words}, if {test.english}, {said}.")
    body.used(main, test, value)
    body.made(name, made, owned=kind == "list")
    return ""


def recursion(body: Body, name: str) -> str:
    """A function that calls itself on a smaller argument. The result's type."""
    if len(body.pending) != 1:
        raise Stuck
    main = body.pending[0]
    body.pending = []
    if main.kind == "int":
        return _over_int(body, name, main)
    if main.kind in ("str", "list[int]", "list[str]"):
        return _over_sequence(body, name, main)
    raise Stuck


def _over_int(body: Body, name: str, main: Expr) -> str:
    draw, n = body.draw, main.code
    base = draw.rng.choice((0, 1, 2))
    value = draw.rng.choice(("0", "1", n))
    smaller, spoken = draw.rng.choice((
        (f"{n} - 1", f"{n} - 1"), (f"{n} - 2", f"{n} - 2"), (f"{n} // 2", f"{n} // 2"),
        (f"{n} // 10", f"{n} // 10"), (f"{n} // 3", f"{n} // 3"),
    ))  # fmt: skip
    call = f"{name}({smaller})"
    combine = draw.rng.choice((
        f"{n} + {call}", f"{call} + 1", f"{n} % 10 + {call}", f"{call} + {n} % {draw.rng.choice((2, 3, 5))}",
        f"2 * {call} + 1", f"{call} + {n} // 2",
    ))  # fmt: skip
    body.line(f"if {n} <= {base}:")
    body.line(f"return {value}", 1)
    if draw.chance(0.35):
        test = draw.about(main, "bool", [], 0)
        other = draw.rng.choice((f"{call}", f"{call} - 1", f"{call} + 2"))
        if other == combine:
            raise Stuck
        body.line(f"if {test.code}:")
        body.line(f"return {other}", 1)
        body.say(f"if `{n}` is at most {base}, return {value}. If {test.english}, return `{other}`. "
                 f"Otherwise return `{combine}`, calling itself.")  # fmt: skip
    else:
        body.say(f"if `{n}` is at most {base}, return {value}; otherwise return `{combine}`, "
                 f"calling itself with `{spoken}`.")  # fmt: skip
    body.line(f"return {combine}")
    return "int"


def _over_sequence(body: Body, name: str, main: Expr) -> str:
    draw, x = body.draw, main.code
    inner = "str" if main.kind == "str" else main.kind[5:-1]
    first = Expr(f"{x}[0]", f"the first element of {main.english}", inner)
    rest = f"{name}({x}[1:])"
    kind = draw.rng.choice(("int", "str", "list", "same"))
    if kind == "same":
        kind = "str" if main.kind == "str" else "list"
    if kind == "list":
        kind = f"list[{draw.rng.choice(('int', 'str'))}]"
    part = kind if kind in ("int", "str") else kind[5:-1]
    value = first if inner == part and draw.chance(0.5) else draw.about(first, part, [], 0)
    held = value.code if not kind.startswith("list") else f"[{value.code}]"
    held = f"({held})" if " if " in held and not held.startswith("[") else held
    both = draw.rng.choice((f"{held} + {rest}", f"{rest} + {held}"))
    order = "before" if both.startswith(held) else "after"
    joined = "plus" if kind == "int" else f"put {order}"
    base = empty(kind)
    body.line(f"if not {x}:" if draw.chance(0.7) else f"if len({x}) == 0:")
    body.line(f"return {base}", 1)
    words = f"return {base} for an empty {main.english}. "
    if draw.chance(0.55):
        test = draw.about(first, "bool", [], 0)
        body.line(f"if {test.code}:")
        body.line(f"return {both}", 1)
        body.line(f"return {rest}")
        words += (f"if {test.english}, return {value.english} {joined} the result for the rest; "
                  f"otherwise only the result for the rest, calling itself.")  # fmt: skip
    else:
        body.line(f"return {both}")
        words += (
            f"otherwise return {value.english} {joined} the result for the rest, calling itself."
        )
    body.say(words)
    return kind
