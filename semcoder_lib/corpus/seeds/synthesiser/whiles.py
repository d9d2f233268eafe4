# ruff: noqa: E501  (tables of code and English)
"""`while` loops that always end: digits, two ends, shrinking values, counting up."""

from __future__ import annotations

from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.expressions import Expr, Stuck, variable


def step(body: Body) -> None:
    """A `while` loop about a pending value."""
    main = body.draw.rng.choice(body.pending)
    if main.kind == "int":
        body.draw.rng.choice((_digits, _halving, _count_up, _until))(body, main)
    elif main.kind == "str":
        body.draw.rng.choice((_strip_front, _two_ends, _walk, _replace_all))(body, main)
    elif main.kind in ("list[int]", "list[str]"):
        body.draw.rng.choice((_two_ends, _walk, _drain, _trim))(body, main)
    else:
        raise Stuck


def _emit(body: Body, lines: list[tuple[int, str]], words: str) -> None:
    for at, text in lines:
        body.line(text, at)
    body.say(words)


def _copy(body: Body, main: Expr) -> tuple[Expr, list[tuple[int, str]]]:
    """The value to count down: the variable itself, or a copy where a sign may be in the way."""
    draw = body.draw
    name = draw.name(("remaining", "rest", "left_over", "current"))
    return variable(name, main.kind), [(0, f"{name} = abs({main.code})")]


def _digits(body: Body, main: Expr) -> None:
    draw = body.draw
    rest, lines = _copy(body, main)
    base = draw.rng.choice((10, 10, 10, 2))
    digit = variable(draw.name(("digit", "d", "bit") if base == 10 else ("bit", "b")), "int")
    name = draw.name(("total", "result", "count", "acc"))
    r, d = rest.code, digit.code
    updates = [
        (f"{name} += {d}", f"add `{d}` to `{name}`"),
        (f"{name} = {name} * {base} + {d}", f"set `{name}` to `{name}` times {base} plus `{d}`"),
        (f"{name} = max({name}, {d})", f"set `{name}` to `{d}` if that is larger"),
        (f"{name} += {d} * {d}", f"add the square of `{d}` to `{name}`"),
    ]
    update, words = draw.rng.choice(updates)
    lines += [(0, f"{name} = 0"), (0, f"while {r} > 0:"), (1, f"{d} = {r} % {base}")]
    if draw.chance(0.4):
        test = draw.about(digit, "bool", [], 0)
        lines += [(1, f"if {test.code}:"), (2, update)]
        words = f"if {test.english}, {words}"
    else:
        lines.append((1, update))
    lines.append((1, f"{r} //= {base}"))
    _emit(body, lines, f"go through the base-{base} digits `{d}` of the absolute value of "
          f"{main.english} from the last: {words}, starting with `{name}` as 0.")  # fmt: skip
    body.used(main)
    body.made(name, "int")


def _halving(body: Body, main: Expr) -> None:
    draw = body.draw
    rest, lines = _copy(body, main)
    r = rest.code
    steps = draw.name(("steps", "count", "rounds"))
    by = draw.rng.choice((2, 2, 3))
    floor = draw.rng.choice((0, 1, 2, 5))
    down, word = draw.rng.choice((
        (f"{r} -= 1", "take 1 from it"),
        (f"{r} = {r} - {by - 1 or 1}", f"take {by - 1 or 1} from it"),
        (f"{r} = ({r} - 1) // {by}", f"take 1 from it and divide by {by}"),
    ))  # fmt: skip
    lines += [
        (0, f"{steps} = 0"), (0, f"while {r} > {floor}:"), (1, f"if {r} % {by} == 0:"),
        (2, f"{r} //= {by}"), (1, "else:"), (2, down), (1, f"{steps} += 1"),
    ]  # fmt: skip
    _emit(body, lines, f"let `{r}` be the absolute value of {main.english} and, while it is greater "
          f"than {floor}, divide it by {by} if it is divisible by {by}, else {word}; "
          f"count the steps in `{steps}`.")  # fmt: skip
    body.used(main)
    body.made(steps, "int")


def _count_up(body: Body, main: Expr) -> None:
    draw = body.draw
    total, n = draw.name(("total", "acc", "value")), draw.name(("i", "step", "count", "k"))
    grow, word = draw.rng.choice((
        (f"{total} += {n}", f"add `{n}` to `{total}`"),
        (f"{total} += {n} * {n}", f"add the square of `{n}` to `{total}`"),
        (f"{total} = {total} * 2 + {n}", f"double `{total}` and add `{n}`"),
    ))  # fmt: skip
    lines = [(0, f"{total} = 0"), (0, f"{n} = 0"), (0, f"while {total} < {main.code}:"),
             (1, f"{n} += 1"), (1, grow)]  # fmt: skip
    _emit(body, lines, f"starting with `{total}` and `{n}` as 0, while `{total}` is less than "
          f"{main.english}, increase `{n}` by 1 and {word}.")  # fmt: skip
    body.used(main)
    if draw.chance(0.5):
        body.made(n, "int")
    else:
        body.made(n, "int")
        body.made(total, "int")


def _until(body: Body, main: Expr) -> None:
    draw = body.draw
    out, n = (
        draw.name(("sequence", "result", "path", "values")),
        draw.name(("current", "value", "n2")),
    )
    divisor = draw.rng.choice((2, 3, 4))
    lines = [(0, f"{n} = abs({main.code})"), (0, f"{out} = [{n}]"), (0, f"while {n} > {divisor}:"),
             (1, f"{n} = {n} // {divisor} + {n} % {divisor}"), (1, f"{out}.append({n})")]  # fmt: skip
    _emit(body, lines, f"start with `{n}` as the absolute value of {main.english}; while it is greater than "
          f"{divisor}, replace it by its quotient plus its remainder on division by {divisor}; "
          f"collect all its values in the list `{out}`.")  # fmt: skip
    body.used(main)
    body.made(out, "list[int]", owned=True)


def _strip_front(body: Body, main: Expr) -> None:
    draw = body.draw
    mark = draw.literal("ch").code
    count = draw.name(("count", "removed", "dropped"))
    end = draw.chance(0.4)
    test = f"{main.code}.endswith({mark})" if end else f"{main.code}.startswith({mark})"
    cut = f"{main.code}[:-1]" if end else f"{main.code}[1:]"
    side = "end" if end else "start"
    lines = [
        (0, f"{count} = 0"),
        (0, f"while {test}:"),
        (1, f"{main.code} = {cut}"),
        (1, f"{count} += 1"),
    ]
    _emit(body, lines, f"remove {mark} from the {side} of {main.english} as long as it is there, "
          f"counting the removals in `{count}`.")  # fmt: skip
    body.used(main)
    body.made(main.code, "str")
    body.made(count, "int")


def _replace_all(body: Body, main: Expr) -> None:
    draw = body.draw
    letter = draw.literal("ch").code
    short = draw.rng.choice((letter, "''"))
    double = repr(letter[1:-1] * 2)
    lines = [(0, f"while {double} in {main.code}:"),
             (1, f"{main.code} = {main.code}.replace({double}, {short})")]  # fmt: skip
    _emit(body, lines, f"replace {double} by {short} in {main.english} until it no longer occurs.")
    body.used(main)
    body.made(main.code, "str")


def _two_ends(body: Body, main: Expr) -> None:
    draw = body.draw
    low, high = draw.rng.choice((("left", "right"), ("i", "j"), ("start", "end"), ("lo", "hi")))
    if low in draw.taken or high in draw.taken:
        raise Stuck
    draw.taken.update((low, high))
    inner = "str" if main.kind == "str" else main.kind[5:-1]
    x = main.code
    name = draw.name(("matches", "count", "score", "total"))
    test = draw.rng.choice(
        (f"{x}[{low}] == {x}[{high}]", f"{x}[{low}] < {x}[{high}]", f"{x}[{low}] != {x}[{high}]")
    )
    relation = {"=": "equals", "<": "is less than", "!": "differs from"}[test.split()[1][0]]
    gain = f"{name} += 1"
    said = f"add 1 to `{name}`"
    if inner == "int" and draw.chance(0.5):
        gain = f"{name} += {x}[{low}] + {x}[{high}]"
        said = f"add both to `{name}`"
    lines = [(0, f"{low}, {high} = 0, len({x}) - 1"), (0, f"{name} = 0"), (0, f"while {low} < {high}:"),
             (1, f"if {test}:"), (2, gain), (1, f"{low} += 1"), (1, f"{high} -= 1")]  # fmt: skip
    _emit(body, lines, f"go through {main.english} from both ends towards the middle; where the element "
          f"at `{low}` {relation} the one at `{high}`, {said}, which starts at 0.")  # fmt: skip
    body.used(main)
    body.made(name, "int")


def _walk(body: Body, main: Expr) -> None:
    draw = body.draw
    index = draw.name(("i", "pos", "index"))
    stride = draw.rng.choice((1, 2, 2, 3))
    inner = "str" if main.kind == "str" else main.kind[5:-1]
    element = Expr(f"{main.code}[{index}]", f"`{main.code}[{index}]`", inner, main.uses | {index})
    kind = draw.rng.choice(("int", "str"))
    value = element if inner == kind and draw.chance(0.6) else draw.about(element, kind, [], 0)
    if draw.chance(0.5):
        out = draw.local(f"list[{kind}]")
        begin, update, made = "[]", f"{out}.append({value.code})", f"list[{kind}]"
        said = f"append {value.english} to `{out}`, an empty list at first"
    elif kind == "int":
        out = draw.local("int")
        begin, update, made = "0", f"{out} += {value.code}", "int"
        said = f"add {value.english} to `{out}`, which starts at 0"
    else:
        out = draw.local("str")
        begin, update, made = "''", f"{out} += {value.code}", "str"
        said = f"append {value.english} to `{out}`, an empty string at first"
    lines = [
        (0, f"{out} = {begin}"),
        (0, f"{index} = 0"),
        (0, f"while {index} < len({main.code}):"),
    ]
    if draw.chance(0.3):
        test = draw.about(element, "bool", [], 0)
        lines += [(1, f"if {test.code}:"), (2, "break")]
        said = f"stop if {test.english}; {said}"
    lines += [(1, update), (1, f"{index} += {stride}")]
    _emit(
        body, lines, f"for each position `{index}` of {main.english} in steps of {stride}: {said}."
    )
    body.used(main)
    body.made(out, made, owned=made.startswith("list"))


def _drain(body: Body, main: Expr) -> None:
    draw = body.draw
    inner = main.kind[5:-1]
    out = draw.local(main.kind)
    end, word = draw.rng.choice((("pop()", "last"), ("pop(0)", "first")))
    stop = draw.rng.choice((0, 1, 2))
    test = main.code if stop == 0 else f"len({main.code}) > {stop}"
    item = variable(draw.name(("item", "taken", "element", "top")), inner)
    lines = [(0, f"{out} = []"), (0, f"while {test}:"), (1, f"{item.code} = {main.code}.{end}")]
    check = draw.about(item, "bool", [], 0)
    lines += [(1, f"if {check.code}:"), (2, f"{out}.append({item.code})")]
    more = "is not empty" if stop == 0 else f"has more than {stop} elements"
    _emit(body, lines, f"while {main.english} {more}, remove its {word} element `{item.code}` and, if "
          f"{check.english}, append it to the list `{out}`.")  # fmt: skip
    body.used(main)
    if stop:
        body.made(main.code, main.kind, owned=True)
    body.made(out, main.kind, owned=True)


def _trim(body: Body, main: Expr) -> None:
    draw = body.draw
    inner = main.kind[5:-1]
    last = Expr(f"{main.code}[-1]", f"the last element of {main.english}", inner, main.uses)
    test = draw.about(last, "bool", [], 0)
    if " if " in test.code or " or " in test.code:
        raise Stuck
    lines = [(0, f"while {main.code} and {test.code}:"), (1, f"{main.code}.pop()")]
    _emit(body, lines, f"remove the last element of {main.english} as long as {test.english}.")
    body.used(main)
    body.made(main.code, main.kind, owned=True)
