"""Calls of built-ins and methods: what they look for, count, cut, join or spell anew.

`METHODS` says for every public method of `str`, `list`, `dict` and `set` how its result comes
about; a test walks it. The terse style works out only what `TERSE` names.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Raises
from semcoder_lib.monologues.show import NotShown
from semcoder_lib.monologues.write.workings import (
    SPELL_UP_TO,
    Working,
    as_list,
    comprehension,
    source_of,
    wrapped,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A method call that is being worked out: `left` is it in words, `text` its result's."""

    base: str
    method: str
    box: Any
    args: list[Any]
    result: Any
    left: str
    text: str


Teller = Callable[[Working, Call], bool]
_SHORT = 24  # characters of an argument that is written as its value


def _respelled(w: Working, c: Call) -> bool:
    if not c.box or not isinstance(c.result, str) or c.box == c.result or not c.result:
        return False
    w.say("becomes", a=w.spelled(c.box), b=w.spelled(c.result), e=c.left, v=c.text)
    return True


def _placed(w: Working, c: Call) -> bool:
    """Where the argument stands: for what looks for it, counts it or cuts at it."""
    if not c.args or not c.box or len(c.args) > 2:
        return False
    part = c.args[0]
    if isinstance(c.box, str):
        if not isinstance(part, str) or not part:
            return False
        places = occurrences(c.box, part)
    else:
        places = [i for i, x in enumerate(c.box) if x == part and type(x) is type(part)]
    if not places:
        w.say("nowhere", t=w.table(c.box), p=w.show(part), e=c.left, v=c.text)
    else:
        at = ", ".join(map(str, places))
        w.say("places", t=w.table(c.box), p=w.show(part), n=at, e=c.left, v=c.text)
    return True


def occurrences(box: str, part: str) -> list[int]:
    """Where `part` starts in `box`, without overlaps."""
    places, at = [], box.find(part)
    while at >= 0:
        places.append(at)
        at = box.find(part, at + len(part))
    return places


def _words(w: Working, c: Call) -> bool:
    """Splitting: at the places of what it is split at, or at white space as the table shows it."""
    if c.args and isinstance(c.args[0], str):
        return _placed(w, replace(c, args=c.args[:1]))
    if not c.box:
        return False
    w.say("table", t=w.table(c.box), e=c.left, v=c.text)
    return True


def _padded(w: Working, c: Call) -> bool:
    many = len(c.box)
    more = len(c.result) - many
    w.say("pads", n=str(many), s="" if many == 1 else "s", k=str(more), e=c.left, v=c.text)
    return True


def _trimmed(w: Working, c: Call) -> bool:
    at = c.box.find(c.result) if c.result else len(c.box)
    if c.method == "rstrip":
        at = 0
    rest = len(c.box) - at - len(c.result)
    w.say("trims", n=str(at), k=str(rest), e=c.left, v=c.text)
    return True


CHARACTERS: dict[str, Callable[[str], bool]] = {
    "isalpha": str.isalpha, "isdigit": str.isdigit, "isalnum": str.isalnum,
    "isspace": str.isspace, "isdecimal": str.isdecimal, "isnumeric": str.isnumeric,
    "isascii": str.isascii, "isprintable": str.isprintable,
}  # fmt: skip


def _each(w: Working, c: Call) -> bool:
    """Whether each character is of a kind: all of them, or the first that is not."""
    test = CHARACTERS[c.method]
    if not c.box:
        return False
    bad = next((i for i, c in enumerate(c.box) if not test(c)), None)
    if bad is None:
        w.say("all.are", a=w.spelled(c.box), e=c.left, b=c.text)
    else:
        w.say("not.all", x=repr(c.box[bad]), n=str(bad), e=c.left, b=c.text)
    return True


def _cased(w: Working, c: Call) -> bool:
    """Upper, lower or title case: what stands there is compared with itself in that case."""
    name = c.method.removeprefix("is")
    if not c.box or name == "identifier":
        return False
    w.say("cased", a=w.spelled(c.box), b=w.spelled(getattr(c.box, name)()), e=c.left, v=c.text)
    return True


def _ends(w: Working, c: Call) -> bool:
    """What stands at the start or the end that is asked about."""
    part = c.args[0] if c.args else None
    if not isinstance(part, str) or not part or len(c.args) > 1:
        return False
    at_start = "start" in c.method or "prefix" in c.method
    there = w.show(c.box[: len(part)] if at_start else c.box[-len(part) :])
    if isinstance(c.result, bool):
        w.say("ends.with", x=there, e=c.left, b=c.text)
    else:
        w.say("cut.there", x=there, e=c.left, v=c.text)
    return True


def _joined(w: Working, c: Call) -> bool:
    parts = list(c.args[0])
    if not 0 < len(parts) <= UNITS:
        return False
    glue = f" + {w.show(c.box)} + " if c.box else " + "
    w.say("joined", q=glue.join(w.show(p) for p in parts), e=c.left, v=c.text)
    return True


UNITS = 8  # parts that are joined, keys that are listed


def _keys(w: Working, c: Call) -> bool:
    name = c.base
    if not c.box:
        w.say("has.none", x=name)
    elif c.method in ("items", "values", "popitem"):
        w.say("has.items", x=name, ks=w.listed(c.box.items()))
    else:
        w.say("has.keys", x=name, ks=w.listed(c.box))
    w.result(c.left, c.result, c.text)
    return True


def _taken(w: Working, c: Call) -> bool:
    """`pop` of a list: the last item, or the one at a place."""
    if not isinstance(c.box, list) or not c.box:
        return isinstance(c.box, dict) and _keys(w, c)
    if not c.args:
        w.say("has.last", x=c.base, v=c.text)
        return True
    w.say("table", t=w.table(c.box), e=c.left, v=c.text)
    return True


def _shared(w: Working, c: Call) -> bool:
    """Sets: what both have."""
    both = sorted(set(c.box) & set(c.args[0]), key=repr) if c.args else []
    if both:
        w.say("in.both", ks=w.listed(both))
    else:
        w.say("in.neither")
    w.result(c.left, c.result, c.text)
    return True


def _left_only(w: Working, c: Call) -> bool:
    only = sorted(set(c.box) - set(c.args[0]), key=repr) if c.args else []
    name = c.base
    if only:
        w.say("only.left", x=name, ks=w.listed(only))
    else:
        w.say("none.left", x=name)
    w.result(c.left, c.result, c.text)
    return True


def _shown(w: Working, c: Call) -> bool:
    """Nothing to say beside the c.result."""
    w.result(c.left, c.result, c.text)
    return True


METHODS: dict[type, dict[Teller, tuple[str, ...]]] = {
    str: {
        _respelled: ("upper", "lower", "swapcase", "title", "capitalize", "casefold", "replace",
                     "translate", "expandtabs"),
        _placed: ("find", "rfind", "index", "rindex", "count", "partition", "rpartition"),
        _words: ("split", "rsplit", "splitlines"),
        _padded: ("ljust", "rjust", "center", "zfill"),
        _trimmed: ("strip", "lstrip", "rstrip"),
        _each: tuple(CHARACTERS),
        _cased: ("isupper", "islower", "istitle", "isidentifier"),
        _ends: ("startswith", "endswith", "removeprefix", "removesuffix"),
        _joined: ("join",),
        _shown: ("format", "format_map", "encode", "maketrans"),
    },
    list: {
        _placed: ("index", "count", "remove"),
        _taken: ("pop",),
        _shown: ("append", "extend", "insert", "clear", "copy", "reverse", "sort"),
    },
    dict: {
        _keys: ("get", "keys", "items", "values", "setdefault", "popitem", "pop"),
        _shown: ("clear", "copy", "update", "fromkeys"),
    },
    set: {
        _shared: ("intersection", "isdisjoint", "intersection_update"),
        _left_only: ("difference", "issubset", "difference_update", "symmetric_difference"),
        _shown: ("union", "issuperset", "copy", "add", "discard", "remove", "pop", "clear",
                 "update", "symmetric_difference_update"),
    },
}  # fmt: skip
TERSE: dict[str, Teller] = {
    **dict.fromkeys(("upper", "lower", "swapcase", "title", "capitalize", "replace"), _respelled),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), _respelled),
}


def method_teller(kind: type, name: str) -> Teller | None:
    """The teller of a public method of a type, or None for another method."""
    for teller, names in METHODS.get(set if kind is frozenset else kind, {}).items():
        if name in names:
            return teller
    return None


def _call(w: Working, node: ast.Call) -> str:
    value = w.value(node)
    text = w.show(value)
    lazy = isinstance(node.func, ast.Name) and node.func.id in ("next", "iter")
    args = [source_of(a) if lazy else _argument(w, a) for a in node.args]
    named = [f"{k.arg}={_argument(w, k.value)}" for k in node.keywords]
    inside = ", ".join(args + named)
    if isinstance(node.func, ast.Attribute):
        base = node.func.value
        name = source_of(base) if isinstance(base, ast.Name) else w.atom(base)
        name = f"({name})" if name.isdigit() else wrapped(name)
        left = f"{name}.{node.func.attr}({inside})"
        if w.spells and _method(w, node, node.func, left, text):
            return text
    else:
        function = source_of(node.func)
        if function in ("len", "sum") and isinstance(node.args[0], ast.Name):
            inside = node.args[0].id
        left = f"{function}({inside})"
        if w.spells and _builtin(w, node, function, left, text):
            return text
    if len(left) > 2 * w.limit:
        raise NotShown("too long")
    w.result(left, value, text)
    return text


def _argument(w: Working, node: ast.expr) -> str:
    """An argument as its value; a function, or an iterator, as its source."""
    if isinstance(node, ast.Lambda | ast.Starred):
        return source_of(node)
    if isinstance(node, ast.Name) and not w.names.defines(node.id):
        return node.id
    if isinstance(node, ast.GeneratorExp):
        return comprehension(w, node)
    try:
        value = w.value(node)
        short = w.show(value)
    except (Cannot, NotShown):
        return source_of(node)  # a function, an iterator, a long value
    if isinstance(node, ast.Name) and len(short) > _SHORT:
        return node.id
    return w.atom(node)


def _builtin(w: Working, node: ast.Call, function: str, left: str, text: str) -> bool:
    if not node.args or isinstance(node.args[0], ast.Starred):
        return False
    try:
        if w.dense and function == "sorted":
            return _sorted(w, node, left, text)
        if len(node.args) > 1 or node.keywords or function not in ("len", "sum"):
            return False
        box = w.value(node.args[0])
        if function == "len" and isinstance(box, str | list | tuple) and len(box) > 1:
            w.say("table", t=w.table(box), e=left, v=text)
            return True
        if function == "sum" and isinstance(box, list | tuple) and 2 < len(box) <= SPELL_UP_TO:
            total, sums = box[0], []
            for item in box[1:]:
                sums.append(f"{w.show(total)} + {wrapped(w.show(item))} = {w.show(total + item)}")
                total += item
            w.say("sum", c=", ".join(sums), e=left, v=text)
            return True
    except (NotShown, Cannot, TypeError):
        pass
    return False


def _sorted(w: Working, node: ast.Call, left: str, text: str) -> bool:
    """Densely: the keys by which items are put in order."""
    key = next((k.value for k in node.keywords if k.arg == "key"), None)
    if key is None:
        return False
    items = w.value(as_list(node.args[0]))
    if not 0 < len(items) <= UNITS:
        return False
    pairs = ast.Call(ast.Name("map", ast.Load()), [key, node.args[0]], [])
    ast.fix_missing_locations(ast.copy_location(pairs, node))
    keys = w.value(as_list(pairs))
    w.say("keyed", k=w.listed(keys), a=w.listed(items), e=left, v=text)
    return True


def _method(w: Working, node: ast.Call, func: ast.Attribute, left: str, text: str) -> bool:
    try:
        box = w.value(func.value)
        args = [w.value(a) for a in node.args]
        if w.dense:
            teller = method_teller(type(box), func.attr) if not node.keywords else None
        elif isinstance(box, str):
            if func.attr in ("find", "index", "rfind", "rindex") and w.value(node) > 0:
                w.say("table", t=w.table(box, w.value(node)), e=left, v=text)
                return True
            if func.attr == "count" and len(args) == 1 and w.value(node) and len(args[0]) == 1:
                at = ", ".join(str(i) for i, c in enumerate(box) if c == args[0])
                w.say("counted.at", e=left, n=text, p=at)
                return True
            teller = TERSE.get(func.attr)
        else:
            teller = None
        base = left[: left.index(f".{func.attr}(")]
        call = Call(base, func.attr, box, args, w.value(node), left, text)
        return teller is not None and teller(w, call)
    except (NotShown, Cannot, Raises, TypeError):
        return False


Working.tellers[ast.Call] = _call
