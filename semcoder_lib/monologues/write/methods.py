"""Calls of built-ins and methods: what they look for, count, cut, join or spell anew.

`METHODS` says how the results of public methods of `str`, `list`, `dict` and `set` come about; the
results of others stand alone. Only the dense style works out all of them; another what `RESPELLING`
names, and where `find`, `index` and `count` find what they look for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
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

_SHORT = 24  # characters of an argument that is written as its value
_UNITS = 8  # parts that are joined, items whose keys are listed
_UNFIT = (NotShown, Cannot, Raises, TypeError, ValueError, LookupError)  # of what is not worked out


@dataclass(frozen=True, slots=True)
class Call:
    """A method call that is being worked out: `left` is it in words, `text` its result's."""

    working: Working
    base: str
    method: str
    box: Any
    args: list[Any]
    result: Any
    left: str
    text: str

    def say(self, form: str, **slots: str) -> None:
        self.working.say(form, e=self.left, v=self.text, b=self.text, **slots)


# --- tellers, which raise one of _UNFIT where there is nothing to say -----------------------------


def _respelled(w: Working, c: Call) -> None:
    if c.box == c.result:
        raise NotShown("the same")
    w.say("becomes", a=w.spelled(c.box), b=w.spelled(c.result), e=c.left, v=c.text)


def _placed(w: Working, c: Call) -> None:
    """Where the argument stands: for what looks for it, counts it or cuts at it."""
    part = c.args[0]
    if len(c.args) > 2 or (isinstance(c.box, str) and not part):
        raise NotShown("nothing to look for")
    if isinstance(c.box, str):
        places = [found.start() for found in re.finditer(re.escape(part), c.box)]
    else:
        places = [i for i, x in enumerate(c.box) if x == part and type(x) is type(part)]
    form = "places" if places else "nowhere"
    c.say(form, t=w.table(c.box), p=w.show(part), n=", ".join(map(str, places)))


def _words(w: Working, c: Call) -> None:
    """Splitting: at the places of what it is split at, or at white space as the table shows it."""
    if c.args and isinstance(c.args[0], str):
        _placed(w, c)
    else:
        c.say("table", t=w.table(c.box))


def _padded(w: Working, c: Call) -> None:
    many = len(c.box)
    c.say("pads", n=str(many), s="" if many == 1 else "s", k=str(len(c.result) - many))


def _trimmed(w: Working, c: Call) -> None:
    at = c.box.find(c.result) if c.result else len(c.box)
    if c.method == "rstrip":
        at = 0
    c.say("trims", n=str(at), k=str(len(c.box) - at - len(c.result)))


def _each(w: Working, c: Call) -> None:
    """Whether each character is of a kind: all of them, or the first that is not."""
    bad = next((i for i, x in enumerate(c.box) if not getattr(x, c.method)()), None)
    if bad is None:
        c.say("all.are", a=w.spelled(c.box))
    else:
        c.say("not.all", x=repr(c.box[bad]), n=str(bad))


def _cased(w: Working, c: Call) -> None:
    """Upper, lower or title case: what stands there is compared with itself in that case."""
    cased = getattr(c.box, c.method.removeprefix("is"))()
    w.say("cased", a=w.spelled(c.box), b=w.spelled(cased), e=c.left, v=c.text)


def _ends(w: Working, c: Call) -> None:
    """What stands at the start or the end that is asked about."""
    (part,) = c.args
    if not isinstance(part, str) or not part:
        raise NotShown("nothing to look for")
    at_start = "start" in c.method or "prefix" in c.method
    there = c.box[: len(part)] if at_start else c.box[-len(part) :]
    c.say("ends.with" if isinstance(c.result, bool) else "cut.there", x=w.show(there))


def _joined(w: Working, c: Call) -> None:
    parts = list(c.args[0])
    if not 0 < len(parts) <= _UNITS:
        raise NotShown("too many")
    glue = f" + {w.show(c.box)} + " if c.box else " + "
    c.say("joined", q=glue.join(w.show(p) for p in parts))


def _keys(w: Working, c: Call) -> None:
    form = "has.items" if c.method in ("items", "values", "popitem") else "has.keys"
    items = c.box.items() if form == "has.items" else c.box
    w.say(form if c.box else "has.none", x=c.base, ks=w.listed(items))
    w.result(c.left, c.result, c.text)


def _taken(w: Working, c: Call) -> None:
    """`pop` of a list: the last item, or the one at a place."""
    if c.args:
        c.say("table", t=w.table(c.box))
    else:
        c.say("has.last", x=c.base)


def _shared(w: Working, c: Call) -> None:
    """Sets: what both have."""
    both = sorted(set(c.box) & set(c.args[0]), key=repr) if c.args else []
    w.say("in.both" if both else "in.neither", ks=w.listed(both))
    w.result(c.left, c.result, c.text)


def _left_only(w: Working, c: Call) -> None:
    only = sorted(set(c.box) - set(c.args[0]), key=repr) if c.args else []
    w.say("only.left" if only else "none.left", x=c.base, ks=w.listed(only))
    w.result(c.left, c.result, c.text)


Teller = Callable[[Working, Call], None]
RESPELLING = (
    "upper", "lower", "swapcase", "title", "capitalize", "replace", "strip", "lstrip", "rstrip",
)  # fmt: skip
METHODS: dict[type, dict[str, Teller]] = {
    kind: {name: teller for teller, names in rows.items() for name in names.split()}
    for kind, rows in {
        str: {
            _respelled: "upper lower swapcase title capitalize casefold replace translate "
                        "expandtabs",
            _placed: "find rfind index rindex count partition rpartition",
            _words: "split rsplit splitlines",
            _padded: "ljust rjust center zfill",
            _trimmed: "strip lstrip rstrip",
            _each: "isalpha isdigit isalnum isspace isdecimal isnumeric isascii isprintable",
            _cased: "isupper islower istitle",
            _ends: "startswith endswith removeprefix removesuffix",
            _joined: "join",
        },
        list: {_placed: "index count remove", _taken: "pop"},
        dict: {_keys: "get keys items values setdefault popitem pop"},
        set: {
            _shared: "intersection isdisjoint intersection_update",
            _left_only: "difference issubset difference_update symmetric_difference",
        },
    }.items()
}  # fmt: skip
METHODS[frozenset] = METHODS[set]


# --- calls ----------------------------------------------------------------------------------------


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
        short = w.show(w.value(node))
    except (Cannot, NotShown):
        return source_of(node)  # a function, an iterator, a long value
    if isinstance(node, ast.Name) and len(short) > _SHORT:
        return node.id
    return w.atom(node)


def _builtin(w: Working, node: ast.Call, function: str, left: str, text: str) -> bool:
    """Whether the working of a built-in's call was said."""
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
    except _UNFIT:
        pass
    return False


def _sorted(w: Working, node: ast.Call, left: str, text: str) -> bool:
    """Densely: the keys by which items are put in order."""
    key = next((k.value for k in node.keywords if k.arg == "key"), None)
    if key is None:
        return False
    items = w.value(as_list(node.args[0]))
    if not 0 < len(items) <= _UNITS:
        return False
    pairs = ast.Call(ast.Name("map", ast.Load()), [key, node.args[0]], [])
    keys = w.value(as_list(pairs))
    w.say("keyed", k=w.listed(keys), a=w.listed(items), e=left, v=text)
    return True


def _method(w: Working, node: ast.Call, func: ast.Attribute, left: str, text: str) -> bool:
    """Whether the working of a method's call was said."""
    try:
        box, args, result = w.value(func.value), [w.value(a) for a in node.args], w.value(node)
        base = left[: left.index(f".{func.attr}(")]
        call = Call(w, base, func.attr, box, args, result, left, text)
        if w.dense:
            if node.keywords:
                return False
            METHODS[type(box)][func.attr](w, call)
        elif not isinstance(box, str):
            return False
        elif func.attr in RESPELLING:
            _respelled(w, call)
        elif func.attr in ("find", "index", "rfind", "rindex") and result > 0:
            call.say("table", t=w.table(box, result))
        elif func.attr == "count" and len(args) == 1 and result and len(args[0]) == 1:
            at = ", ".join(str(i) for i, c in enumerate(box) if c == args[0])
            call.say("counted.at", n=text, p=at)
        else:
            return False
    except _UNFIT:
        return False
    return True


Working.tellers[ast.Call] = _call
