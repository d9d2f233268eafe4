# ruff: noqa: E501  (tables of code and English)
"""Going over a value's elements: loop headers and comprehensions."""

from __future__ import annotations

from dataclasses import dataclass

from semcoder_lib.corpus.seeds.synthesiser import names
from semcoder_lib.corpus.seeds.synthesiser.expressions import (
    TABLES,
    Draw,
    Expr,
    Stuck,
    fits,
    variable,
)
from semcoder_lib.corpus.seeds.synthesiser.usage import WEIGHTS

ITERABLE = frozenset(
    (
        "str", "list[int]", "list[str]", "list[float]", "set[int]", "set[str]", "list[list[int]]",
        "list[tuple[int, int]]", "list[tuple[str, int]]", "dict[str, int]", "dict[str, str]",
        "dict[str, list[int]]", "dict[int, int]", "dict[int, str]",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Iteration:
    """A header `for target in source` with the variables it binds and how it reads."""

    target: str
    source: str
    bound: tuple[Expr, ...]
    english: str
    uses: frozenset[str]

    @property
    def header(self) -> str:
        return f"for {self.target} in {self.source}"


def over(draw: Draw, main: Expr, scope: list[Expr], *, loop: bool) -> Iteration:
    """A way to go over `main`'s elements; in a `loop` also by position or beside another list."""
    kind, source = main.kind, main.code
    if kind == "int":
        return _over_range(draw, main)
    if kind not in ITERABLE:
        raise Stuck
    if kind.startswith("dict["):
        return _over_dict(draw, main)
    if kind.startswith("set["):
        inner = kind[4:-1]
        name = draw.name(names.ELEMENTS[inner])
        return Iteration(
            name, f"sorted({source})", (variable(name, inner),),
            f"each `{name}` of {main.english} in sorted order", main.uses,
        )  # fmt: skip
    if kind.startswith("list[tuple["):
        return _over_pairs(draw, main)
    inner = "char" if kind == "str" else kind[5:-1]
    name = draw.name(names.ELEMENTS[inner])
    element = variable(name, inner)
    roll = draw.rng.random()
    if loop and roll < WEIGHTS.get("header:enumerate", 0.2):
        index = draw.name(("i", "index", "pos", "idx", "j"))
        start = ", 1" if draw.chance(0.12) else ""
        counted = ", counted from 1" if start else ""
        return Iteration(
            f"{index}, {name}", f"enumerate({source}{start})", (element, variable(index, "int")),
            f"each `{name}` of {main.english} with its position `{index}`{counted}", main.uses,
        )  # fmt: skip
    if loop and roll > 1 - WEIGHTS.get("header:range_len", 0.12) and main.atomic:
        draw.taken.discard(name)
        index = draw.name(("i", "idx", "index", "j"))
        return Iteration(
            index, f"range(len({source}))",
            (Expr(f"{source}[{index}]", f"`{source}[{index}]`", inner, frozenset((index,)) | main.uses),
             variable(index, "int")),
            f"each position `{index}` of {main.english}", main.uses,
        )  # fmt: skip
    if loop and roll > 0.8:
        others = [e for e in scope if e.kind.startswith("list[") and e.code != source
                  and e.kind[5:-1] in names.ELEMENTS]  # fmt: skip
        if others:
            other = draw.rng.choice(others)
            second = draw.name(("other", "b", "y", "second", "value2"))
            return Iteration(
                f"{name}, {second}", f"zip({source}, {other.code})",
                (element, variable(second, other.kind[5:-1])),
                f"each `{name}` of {main.english} beside `{second}` of {other.english}",
                main.uses | other.uses,
            )  # fmt: skip
    if loop and kind != "str" and draw.chance(0.06):
        return Iteration(
            name, f"reversed({source})", (element,),
            f"each `{name}` of {main.english} from last to first", main.uses,
        )  # fmt: skip
    if loop and draw.chance(0.05):
        return Iteration(
            name, f"{main.operand}[1:]", (element,),
            f"each `{name}` of {main.english} after the first", main.uses,
        )  # fmt: skip
    return Iteration(name, source, (element,), f"each `{name}` of {main.english}", main.uses)


def _over_range(draw: Draw, main: Expr) -> Iteration:
    index = draw.name(("i", "j", "step", "value"))
    bound = variable(index, "int")
    roll = draw.rng.random()
    if roll < 0.5:
        source, words = (
            f"range({main.code})",
            f"each `{index}` from 0 up to but without {main.english}",
        )
    elif roll < 0.85:
        source = f"range(1, {main.operand} + 1)"
        words = f"each `{index}` from 1 to {main.english}"
    elif roll < 0.93:
        source = f"range({main.code}, 0, -1)"
        words = f"each `{index}` from {main.english} down to 1"
    else:
        stride = draw.rng.choice((2, 3))
        source = f"range(0, {main.code}, {stride})"
        words = f"each `{index}` from 0 in steps of {stride} below {main.english}"
    return Iteration(index, source, (bound,), words, main.uses)


def _over_dict(draw: Draw, main: Expr) -> Iteration:
    from semcoder_lib.corpus.seeds.synthesiser.rules import split_types

    key_kind, value_kind = split_types(main.kind[5:-1])
    key = draw.name(("key", "k", "name") if key_kind == "str" else ("key", "k", "number"))
    roll = draw.rng.random()
    if roll < 0.72:
        value = draw.name(
            ("value", "v", "count", "amount") if value_kind == "int" else ("value", "v", "values")
        )
        return Iteration(
            f"{key}, {value}", f"{main.operand}.items()",
            (variable(value, value_kind), variable(key, key_kind)),
            f"each key `{key}` and value `{value}` of {main.english}", main.uses,
        )  # fmt: skip
    if roll < 0.86 and main.atomic:
        item = Expr(f"{main.code}[{key}]", f"`{main.code}[{key}]`", value_kind, main.uses | {key})
        return Iteration(
            key, main.code, (variable(key, key_kind), item),
            f"each key `{key}` of {main.english}", main.uses,
        )  # fmt: skip
    if roll < 0.93 and main.atomic:
        item = Expr(f"{main.code}[{key}]", f"`{main.code}[{key}]`", value_kind, main.uses | {key})
        return Iteration(
            key, f"sorted({main.code})", (variable(key, key_kind), item),
            f"each key `{key}` of {main.english} in sorted order", main.uses,
        )  # fmt: skip
    draw.taken.discard(key)
    value = draw.name(("value", "v", "amount"))
    return Iteration(
        value, f"{main.operand}.values()", (variable(value, value_kind),),
        f"each value `{value}` of {main.english}", main.uses,
    )  # fmt: skip


def _over_pairs(draw: Draw, main: Expr) -> Iteration:
    first_kind = "str" if "[str" in main.kind else "int"
    pools: tuple[tuple[str, ...], ...] = (
        ("name", "key", "label"),
        ("n", "count", "amount", "value"),
    )
    if first_kind == "int":
        pools = (
            ("a", "x", "left", "start", "first"),
            ("b", "y", "right", "end", "second"),
        )
    first, second = draw.name(pools[0]), draw.name(pools[1])
    return Iteration(
        f"{first}, {second}", main.code,
        (variable(second, "int"), variable(first, first_kind)),
        f"each pair (`{first}`, `{second}`) of {main.english}", main.uses,
    )  # fmt: skip


def element_value(draw: Draw, bound: tuple[Expr, ...], result: str, scope: list[Expr]) -> Expr:
    """An expression of type `result` about a loop's variables; the bare variable when it fits."""
    order = list(bound)
    if len(order) > 1 and draw.chance(0.3):
        order.reverse()
    rest = [*order[1:], *scope]
    for element in order:
        if fits(element, result) and draw.chance(0.35):
            return element
        try:
            return draw.reach(element, result, rest)
        except Stuck:
            if fits(element, result):
                return element
    raise Stuck


COMPREHENSIONS = ("list", "sum", "count", "any", "all", "join", "dict", "set", "sorted", "max",
                  "len", "next", "filter", "filter", "dictfilter")  # fmt: skip


def comprehension(draw: Draw, main: Expr, scope: list[Expr]) -> Expr:
    """An expression that goes over `main`'s elements. Raises Stuck."""
    kinds = COMPREHENSIONS
    weights = [WEIGHTS.get(f"comprehension:{k}", 1.0) for k in kinds]
    kind = draw.rng.choices(kinds, weights)[0]
    before = set(draw.taken)
    try:
        return _comprehension(draw, kind, main, scope)
    finally:
        draw.taken = before  # its variables are its own


def _comprehension(draw: Draw, kind: str, main: Expr, scope: list[Expr]) -> Expr:
    it = over(draw, main, scope, loop=draw.chance(0.12))
    element = it.bound[0]
    test: Expr | None = None
    if kind in ("any", "all", "count", "filter", "next", "len", "dictfilter") or draw.chance(0.38):
        subject = it.bound[-1] if draw.chance(0.3) else element
        test = draw.predicate(subject, [b for b in it.bound if b != subject] + scope, 1)
    where = f" where {test.english}" if test else ""
    clause = f" if {_wrapped(test)}" if test else ""
    uses = (it.uses | (test.uses if test else frozenset())) - {b.code for b in it.bound}
    head = it.header

    def made(code: str, english: str, result: str, *parts: Expr) -> Expr:
        every = uses.union(*(p.uses for p in parts)) - {b.code for b in it.bound}
        return Expr(code, english, result, frozenset(every))

    of = f"for {it.english}{where}"
    if kind in ("filter", "len", "next"):
        if len(it.bound) > 1 and kind == "filter" and "items()" in it.source:
            raise Stuck
        if kind == "len" and element.kind in ("int", "str", "char"):
            return made(f"len([{element.code} {head}{clause}])",
                        f"how many elements there are, going over {it.english}{where}", "int")  # fmt: skip
        if kind == "next" and element.kind in ("int", "str", "char"):
            default = draw.rng.choice(("0", "-1")) if element.kind == "int" else "''"
            return made(f"next(({element.code} {head}{clause}), {default})",
                        f"the first {element.english}, going over {it.english}{where}, or {default}",
                        _plain(element.kind))  # fmt: skip
        if element.kind not in ("int", "str", "char", "float", "list[int]"):
            raise Stuck
        return made(f"[{element.code} {head}{clause}]",
                    f"the list of {element.english} {of}", f"list[{_plain(element.kind)}]")  # fmt: skip
    if kind == "list":
        result = draw.rng.choice(("int", "str", "int", "str", "tuple[int, int]", "float"))
        value = element_value(draw, it.bound, result, scope)
        if value.code == element.code and test is None:
            raise Stuck
        return made(f"[{value.code} {head}{clause}]", f"the list of {value.english} {of}",
                    f"list[{result}]", value)  # fmt: skip
    if kind in ("sum", "max"):
        value = element_value(draw, it.bound, "int", scope)
        if kind == "sum":
            return made(f"sum({value.code} {head}{clause})", f"the sum of {value.english} {of}",
                        "int", value)  # fmt: skip
        which, word = draw.rng.choice((("max", "largest"), ("min", "smallest")))
        return made(f"{which}(({value.code} {head}{clause}), default=0)",
                    f"the {word} of {value.english} {of}, or 0", "int", value)  # fmt: skip
    if kind == "count" and test:
        return made(f"sum(1 {head}{clause})", f"the number of cases {of}", "int")
    if kind in ("any", "all") and test:
        word = "some" if kind == "any" else "every"
        return made(f"{kind}({_bare(test)} {head})",
                    f"whether for {word} {it.english.removeprefix('each ')} {test.english}", "bool")  # fmt: skip
    if kind == "join":
        value = element_value(draw, it.bound, "str", scope)
        glue = draw.rng.choice(("", "", " ", "-", ",", ", ", "_"))
        if value.code == element.code and test is None:
            raise Stuck
        by = f" joined by {glue!r}" if glue else " joined together"
        return made(f"{glue!r}.join({value.code} {head}{clause})",
                    f"the strings {value.english} {of},{by}", "str", value)  # fmt: skip
    if kind in ("dict", "dictfilter"):
        return _dict_comprehension(draw, kind, it, clause, where, scope, made)
    if kind == "set":
        result = draw.rng.choice(("int", "str"))
        value = element_value(draw, it.bound, result, scope)
        return made(f"{{{value.code} {head}{clause}}}", f"the set of {value.english} {of}",
                    f"set[{result}]", value)  # fmt: skip
    return _sorted(draw, main, it, scope)


def _dict_comprehension(
    draw: Draw, kind: str, it: Iteration, clause: str, where: str, scope: list[Expr], made: object
) -> Expr:
    element = it.bound[0]
    if "items()" in it.source:
        value, key = it.bound
        if kind == "dict":
            value = draw.about(value, draw.rng.choice(("int", "str")), [key, *scope])
        kinds = (key.kind, value.kind)
    else:
        if element.kind not in ("str", "int", "char"):
            raise Stuck
        key, kinds = element, (_plain(element.kind), draw.rng.choice(("int", "int", "str")))
        value = draw.about(element, kinds[1], [*it.bound[1:], *scope])
    result = f"dict[{kinds[0]}, {kinds[1]}]"
    if (result, "int") not in TABLES and result not in names.LOCALS:
        raise Stuck
    return made(  # type: ignore[operator]
        f"{{{key.code}: {value.code} {it.header}{clause}}}",
        f"the dictionary from {key.english} to {value.english} for {it.english}{where}",
        result, value,
    )  # fmt: skip


def _sorted(draw: Draw, main: Expr, it: Iteration, scope: list[Expr]) -> Expr:
    if not main.kind.startswith("list[") or len(it.bound) > 1 or "[" in it.bound[0].code:
        raise Stuck
    element = it.bound[0]
    name = draw.name(("x", "item", "e", "w", "v"))
    subject = variable(name, element.kind)
    key = draw.reach(subject, draw.rng.choice(("int", "int", "str")), scope)
    if key.code == name:
        raise Stuck
    extra, word = draw.rng.choice((("", ""), ("", ""), (", reverse=True", " from large to small")))
    which = draw.rng.random()
    uses = frozenset((main.uses | key.uses) - {name})
    if which < 0.25 and element.kind in ("int", "str"):
        default = {"int": "0", "str": "''"}[element.kind]
        return Expr(
            f"max({main.code}, key=lambda {name}: {key.code}, default={default})",
            f"the element `{name}` of {main.english} with the largest {key.english}, or {default}",
            element.kind, uses,
        )  # fmt: skip
    return Expr(
        f"sorted({main.code}, key=lambda {name}: {key.code}{extra})",
        f"{main.english} sorted{word} by {key.english} of each `{name}`", main.kind, uses,
    )  # fmt: skip


def _plain(kind: str) -> str:
    return "str" if kind == "char" else kind


def _bare(test: Expr | None) -> str:
    return test.code if test else "True"


def _wrapped(test: Expr | None) -> str:
    """A condition in a comprehension's `if`; a conditional expression needs parentheses there."""
    code = _bare(test)
    return f"({code})" if " if " in code else code
