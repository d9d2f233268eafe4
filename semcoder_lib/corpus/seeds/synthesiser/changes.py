# ruff: noqa: E501  (tables of code and English)
"""Methods that change a list, a dictionary or a set in place."""

from __future__ import annotations

from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.expressions import Expr, Stuck


def change(body: Body) -> None:
    """A method that changes a list, dictionary or set in place."""
    draw = body.draw
    fitting = [p for p in body.pending if p.kind[:4] in ("list", "dict", "set[")]
    if not fitting:
        raise Stuck
    main = draw.rng.choice(fitting)
    if main.kind.startswith("list["):
        lines, words, used = _change_list(body, main)
    elif main.kind.startswith("dict[str"):
        lines, words, used = _change_dict(body, main)
    elif main.kind.startswith("set["):
        lines, words, used = _change_set(body, main)
    else:
        raise Stuck
    for at, text in lines:
        body.line(text, at)
    body.say(f"{words}.")
    body.used(*used)
    body.made(main.code, main.kind, owned=True)


_Change = tuple[list[tuple[int, str]], str, tuple[Expr, ...]]


def _change_list(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    element = main.kind[5:-1]
    plain = element in ("int", "str", "float")
    way = draw.rng.choice(("append", "append", "insert", "extend", "reverse", "sort", "pop", "remove",
                           "pop0", "set", "clear_if", "del"))  # fmt: skip
    if way in ("append", "insert", "remove", "set") and not plain:
        way = "reverse"
    if way == "reverse":
        return [(0, f"{name}.reverse()")], f"reverse {english} in place", ()
    if way == "sort":
        if not plain:
            raise Stuck
        extra, word = draw.rng.choice((("", "ascending"), ("reverse=True", "descending")))
        return [(0, f"{name}.sort({extra})")], f"sort {english} in place, {word}", ()
    if way in ("pop", "pop0", "del"):
        code = {"pop": f"{name}.pop()", "pop0": f"{name}.pop(0)", "del": f"del {name}[0]"}[way]
        word = "last" if way == "pop" else "first"
        return (
            [(0, f"if {name}:"), (1, code)],
            f"if {english} is not empty, remove its {word} element",
            (),
        )
    if way == "clear_if":
        test = draw.predicate(main, body.others(main), 0)
        return [(0, f"if {test.code}:"), (1, f"{name}.pop()")], \
            f"if {test.english}, remove the last element of {english}", (test,)  # fmt: skip
    if way == "extend":
        others = [e for e in body.others(main) if e.kind == main.kind]
        if not others:
            raise Stuck
        other = draw.rng.choice(others)
        return (
            [(0, f"{name}.extend({other.code})")],
            f"extend {english} by {other.english}",
            (other,),
        )
    value = draw.operand(element, body.others(main), main, 1)
    if way == "append":
        return (
            [(0, f"{name}.append({value.code})")],
            f"append {value.english} to {english}",
            (value,),
        )
    if way == "insert":
        place = draw.rng.choice((0, 0, 1, 2))
        return [(0, f"{name}.insert({place}, {value.code})")], \
            f"insert {value.english} at position {place} of {english}", (value,)  # fmt: skip
    if way == "remove":
        return [(0, f"if {value.code} in {name}:"), (1, f"{name}.remove({value.code})")], \
            f"remove the first {value.english} from {english} if it is there", (value,)  # fmt: skip
    return [(0, f"if {name}:"), (1, f"{name}[0] = {value.code}")], \
        f"if {english} is not empty, set its first element to {value.english}", (value,)  # fmt: skip


def _change_dict(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    held = main.kind.removeprefix("dict[str, ")[:-1]
    key = draw.operand("str", body.others(main), main, 1)
    way = draw.rng.choice(("set", "pop", "setdefault", "update", "add", "del"))
    if held not in ("int", "str") and way != "pop":
        way = "pop"
    if way == "pop":
        return [(0, f"{name}.pop({key.code}, None)")], \
            f"remove the key {key.english} from {english} if it is there", (key,)  # fmt: skip
    if way == "del":
        return [(0, f"if {key.code} in {name}:"), (1, f"del {name}[{key.code}]")], \
            f"remove the key {key.english} from {english} if it is there", (key,)  # fmt: skip
    value = draw.operand(held, body.others(main, key), key, 1)
    if way == "update":
        return [(0, f"{name}.update({{{key.code}: {value.code}}})")], \
            f"set {key.english} to {value.english} in {english}", (key, value)  # fmt: skip
    if way == "setdefault":
        return [(0, f"{name}.setdefault({key.code}, {value.code})")], \
            f"set {key.english} to {value.english} in {english} unless it is there", (key, value)  # fmt: skip
    if way == "add" and held == "int":
        return [(0, f"{name}[{key.code}] = {name}.get({key.code}, 0) + {value.operand}")], \
            f"add {value.english} to the value of {key.english} in {english}", (key, value)  # fmt: skip
    return [(0, f"{name}[{key.code}] = {value.code}")], \
        f"set {key.english} to {value.english} in {english}", (key, value)  # fmt: skip


def _change_set(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    value = draw.operand(main.kind[4:-1], body.others(main), main, 1)
    way, word = draw.rng.choice(
        (("add", "add {} to {}"), ("discard", "remove {} from {} if it is there"))
    )
    return [(0, f"{name}.{way}({value.code})")], word.format(value.english, english), (value,)
