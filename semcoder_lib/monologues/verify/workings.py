"""Decides the pieces of a working, one function for every row of `forms.PIECES`. Each gives False
where the piece is none of its form."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semcoder_lib.monologues.evaluator import Raises, equal, literal, parse_expression
from semcoder_lib.monologues.forms import PIECES
from semcoder_lib.monologues.syntax import target_names
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.expressions import MISSING, as_list, kinds, shown
from semcoder_lib.monologues.verify.report import SUPPORTED
from semcoder_lib.monologues.verify.spelling import listing, places_of, spelling, text_of
from semcoder_lib.monologues.verify.stated import parse_binds, shortened

if TYPE_CHECKING:
    from semcoder_lib.monologues.verify.pieces import Pieces

JOINED = ("places", "nowhere")  # forms with a semicolon of their own
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

Decider = Callable[["Pieces", Match], bool]
DECIDERS: dict[str, Decider] = {}


def decides(*names: str) -> Callable[[Decider], Decider]:
    def enter(decider: Decider) -> Decider:
        DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


def outcome(m: Match) -> Slot:
    """The slot of the value or truth that a piece arrives at."""
    return m["v"] if "v" in m else m["b"]


@decides("equal", "truth")
def _equal(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], outcome(m), stores=True)


@decides("was")
def _was(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], m["v"], p.before)


@decides("last")
def _last(p: Pieces, m: Match) -> bool:
    node = parse_expression(m["e"].text)
    if not isinstance(node, ast.Subscript):
        return False
    box, key = p.source(m["e"]), p.value(node.slice)
    if box is not MISSING and key is not MISSING and isinstance(box, str | list | tuple):
        ok = key in (-1, len(box) - 1)
        p.claim("value", "the last", m["e"], ok, f"item {key}")
    return p.equation(m["e"], m["v"])


@decides("division")
def _division(p: Pieces, m: Match) -> bool:
    """`14 = 5 * 2 + 4, so 14 % 5 = 4`: the parts make the whole and are of this division."""
    node, parts = parse_expression(m["e"].text), parse_expression(m["q"].text)
    if not isinstance(node, ast.BinOp) or parts is None or not p.equation(m["e"], m["v"]):
        return False
    a, b = p.value(node.left), p.value(node.right)
    whole = literal(m["a"].text)
    ok = type(a) is int and type(b) is int and b != 0 and whole == (a,)
    if ok:
        right = f"({b})" if b < 0 else str(b)
        wrap = [f"({n})" if n < 0 else str(n) for n in (a // b, a % b)]
        expected = f"{right} * {wrap[0]} + {wrap[1]}"
        p.stands("value", m["q"], expected)
    p.claim("value", "dividend", m["a"], ok, f"{a} is divided")
    return True


@decides("sum")
def _sum(p: Pieces, m: Match) -> bool:
    if not m["e"].text.startswith("sum(") or not p.equation(m["e"], m["v"]):
        return False
    box = p.argument(m["e"])
    expected = None
    if isinstance(box, list | tuple) and all(isinstance(x, int | float) for x in box) and box:
        total, sums = box[0], []
        for x in box[1:]:
            shown = f"({text_of(x)})" if text_of(x).startswith("-") else text_of(x)
            sums.append(f"{text_of(total)} + {shown} = {text_of(total + x)}")
            total += x
        expected = ", ".join(sums)
    p.stands("value", m["c"], expected)
    return True


@decides("table", "table.holds")
def _table(p: Pieces, m: Match) -> bool:
    if not p.equation(m["e"], outcome(m)):
        return False
    p.stands_table(m["t"], [p.source(m["e"])], m["e"])
    return True


@decides("table.bare")
def _table_bare(p: Pieces, m: Match) -> bool:
    if len(m["t"].text) > 1 and literal(m["t"].text) is not None:
        return False
    p.stands_table(m["t"], [v for _, v, _ in p.readings()], None)
    p.last = MISSING
    return True


@decides("backwards", "becomes", "backwards.bare", "becomes.bare")
def _respelled(p: Pieces, m: Match) -> bool:
    if "e" in m:
        if not p.equation(m["e"], m["v"]):
            return False
        node = parse_expression(m["e"].text)
        pairs = [(p.source(m["e"]), p.value(node) if node is not None else MISSING)]
    else:
        pairs = [(box, result) for _, box, result in p.readings()]
    expected = [
        (spelling(box), spelling(result))
        for box, result in pairs
        if isinstance(box, str | list | tuple) and type(result) is type(box)
    ]
    best = next(
        (x for x in expected if x[0] == m["a"].text), expected[0] if expected else (None, None)
    )
    p.stands("value", m["a"], best[0])
    p.stands("value", m["b"], best[1])
    return True


@decides("places", "nowhere", "counted.at")
def _atplaces_of(p: Pieces, m: Match) -> bool:
    if not p.equation(m["e"], m["n"] if "p" in m and "t" not in m else outcome(m)):
        return False
    box, part = p.source(m["e"]), p.argument(m["e"])
    if not isinstance(box, str | list | tuple) or (
        isinstance(box, str) and not isinstance(part, str)
    ):
        p.claim("value", "places", m["e"], None, "cannot be evaluated")
        return True
    places = places_of(box, part)
    if "t" in m:
        p.stands_table(m["t"], [box], None)
        p.stands("value", m["p"], text_of(part))
    at = m["p"] if "t" not in m else m.get("n")
    if at is not None:
        p.stands("value", at, ", ".join(map(str, places)))
    elif places:
        p.claim("value", "nowhere", m["p"], False, f"at {places}")
    return True


def _text_case(
    names: tuple[str, ...], slots: Callable[[Pieces, Any, Any, Any, Match], dict[str, str | None]]
) -> None:
    """A decider for forms about a call of a string's method: `slots` gives the text that each slot
    must have, of the string, its first argument and the result."""

    def decide(p: Pieces, m: Match) -> bool:
        if not p.equation(m["e"], outcome(m)):
            return False
        box, part = p.source(m["e"]), p.argument(m["e"])
        node = parse_expression(m["e"].text)
        result = p.value(node) if node is not None else MISSING
        try:
            expected = slots(p, box, part, result, m)
        except (TypeError, AttributeError, ValueError, IndexError):
            expected = dict.fromkeys(m)
        for name, text in expected.items():
            p.stands("value", m[name], text)
        return True

    decides(*names)(decide)


def _trimmed(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    at = 0 if ".rstrip(" in m["e"].text else box.find(result) if result else len(box)
    return {"n": str(at), "k": str(len(box) - at - len(result))}


def _padded(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    return {"n": str(len(box)), "k": str(len(result) - len(box))}


def _bad(box: str, m: Match) -> int | None:
    test = getattr(str, m["e"].text.rpartition(".")[2].partition("(")[0])
    return next((i for i, c in enumerate(box) if not test(c)), None)


def _all_are(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    return {"a": spelling(box) if _bad(box, m) is None else None}


def _not_all(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    bad = _bad(box, m)
    return {"x": repr(box[bad]), "n": str(bad)} if bad is not None else {"x": None, "n": None}


def _cased(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    case = m["e"].text.rpartition(".")[2].partition("(")[0].removeprefix("is")
    return {"a": spelling(box), "b": spelling(getattr(box, case)())}


def _there(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    at_start = "startswith" in m["e"].text or "removeprefix" in m["e"].text
    return {"x": text_of(box[: len(part)] if at_start else box[-len(part) :])}


def _joined(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    glue = f" + {text_of(box)} + " if box else " + "
    return {"q": glue.join(map(text_of, part))}


_text_case(("trims",), _trimmed)
_text_case(("pads",), _padded)
_text_case(("all.are",), _all_are)
_text_case(("not.all",), _not_all)
_text_case(("cased",), _cased)
_text_case(("ends.with", "cut.there"), _there)
_text_case(("joined",), _joined)


@decides("differ", "prefix")
def _ordered(p: Pieces, m: Match) -> bool:
    node = parse_expression(m["e"].text)
    if not isinstance(node, ast.Compare) or not p.equation(m["e"], m["b"]):
        return False
    a, b = p.value(node.left), p.value(node.comparators[0])
    if not isinstance(a, str) or not isinstance(b, str):
        p.claim("value", "strings", m["e"], False, "these are no strings")
        return True
    same = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    p.stands("value", m["n"], str(same))
    if "x" in m:
        p.stands("value", m["x"], repr(a[same : same + 1]))
        p.stands("value", m["y"], repr(b[same : same + 1]))
    elif same < min(len(a), len(b)):
        p.claim("value", "one ends", m["n"], False, "both go on")
    return True


@decides("keyed")
def _keyed(p: Pieces, m: Match) -> bool:
    node = parse_expression(m["e"].text)
    if not isinstance(node, ast.Call) or not p.equation(m["e"], m["v"]):
        return False
    own = next((n for n in p.nodes if isinstance(n, ast.Call) and kinds(n) == kinds(node)), node)
    key = next((k.value for k in own.keywords if k.arg == "key"), None)
    items = p.value(as_list(own.args[0]))
    keys: Any = MISSING
    if key is not None:
        pairs = ast.Call(ast.Name("map", ast.Load()), [key, own.args[0]], [])
        keys = p.value(as_list(ast.fix_missing_locations(ast.copy_location(pairs, own))))
    p.stands("value", m["k"], listing(keys) if isinstance(keys, list) else None)
    p.stands("value", m["a"], listing(items) if isinstance(items, list) else None)
    return True


@decides("has.keys", "has.items", "has.none", "has.last")
def _has(p: Pieces, m: Match) -> bool:
    node = parse_expression(m["x"].text)
    if node is None:
        return False
    box = p.value(node)
    if box is MISSING or isinstance(box, Raises):
        unknown = isinstance(box, Raises) or (
            isinstance(node, ast.Name) and not p.before.defines(node.id)
        )
        p.claim("value", "has", m["x"], False if unknown else None, "cannot be evaluated")
        return True
    about = any(kinds(node)[0] in kinds(n) for n in p.nodes) if isinstance(node, ast.Name) else True
    p.claim("value", "has", m["x"], True if about else None, "not part of this step")
    if "v" in m:
        ok = isinstance(box, list | tuple | str) and bool(box)
        p.stands("value", m["v"], text_of(box[-1]) if ok else None)
    elif not isinstance(box, dict):
        p.claim("value", "keys", m["x"], False, f"a {type(box).__name__} has none")
    elif "ks" not in m:
        p.claim("value", "keys", m["x"], not box, f"keys {listing(box)}")
    else:
        items = (
            box.items()
            if ") has items " in f"{m['x'].text}) has items " and _has_items(m, box)
            else box
        )
        p.stands("value", m["ks"], listing(items))
    return True


def _has_items(m: Match, box: dict[Any, Any]) -> bool:
    return m["ks"].text == listing(box.items()) or m["ks"].text.startswith("(")


@decides("in.both", "in.neither", "only.left", "none.left")
def _sets(p: Pieces, m: Match) -> bool:
    """What two sets share, or only the first has: of a set method or operator of the statement."""
    expected: list[str] = []
    first = p.value(m["x"].text) if "x" in m else MISSING
    about = False
    for node in p.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            a, b = p.value(node.func.value), p.value(node.args[0])
            if isinstance(a, set | frozenset) and isinstance(
                b, set | frozenset | list | tuple | str | dict
            ):
                about = about or ("x" in m and equal(a, first))
                both = set(a) - set(b) if "x" in m else set(a) & set(b)
                expected.append(listing(sorted(both, key=repr)))
    if "ks" in m:
        p.stands(
            "value",
            m["ks"],
            m["ks"].text if m["ks"].text in expected else next(iter(expected), None),
        )
    else:
        slot = m.get("x") or Slot("nothing", *p.ledger.place)
        p.claim("value", "shared", slot, "" in expected, " or ".join(expected))
    if "x" in m:
        p.claim("value", "only in", m["x"], about, "not part of this step")
    return True


@decides("counts")
def _counts(p: Pieces, m: Match) -> bool:
    stated = literal(m["v"].text)
    values = [p.value(n) for n in p.nodes]
    if stated is None:
        known = [v for v in values if shortened(m["v"].text, text_of(v))]
        p.claim("value", "counts", m["v"], True if known else None, "no such value")
        truth = bool(known[0]) if known else None
    else:
        about = any(equal(v, stated[0]) for v in values if v is not MISSING)
        unknown = any(v is MISSING for v in values) or not values
        p.claim(
            "value",
            "counts",
            m["v"],
            True if about else None if unknown else False,
            "no part of this step has this value",
        )
        truth = bool(stated[0])
    if truth is None:
        return True
    p.claim("branch", "counts", m["b"], str(truth) == m["b"].text, str(truth))
    p.last = truth
    return True


@decides("so")
def _so(p: Pieces, m: Match) -> bool:
    stated = literal(m["v"].text)
    if stated is None:
        return False
    results = [p.value(_listed(n)) for n in p.nodes if isinstance(n, _COMPREHENSIONS)]
    known = [v for v in results if v is not MISSING]
    verdict = any(equal(v, stated[0]) for v in known) if known else None
    p.claim("value", "so", m["v"], verdict, shown(known[0]) if known else "")
    p.last = stated[0]
    return True


def _listed(node: ast.expr) -> ast.expr:
    return as_list(node) if isinstance(node, ast.GeneratorExp) else node


@decides("each")
def _each(p: Pieces, m: Match) -> bool:
    """`n = 1: 1 % 2 = 1, 1 == 0 is False, skipped`: one item of a comprehension."""

    pairs = parse_binds(m["b"])
    if pairs is None or any(v is None for _, v in pairs):
        return False
    names = [name.text for name, _ in pairs]
    own = [
        n
        for n in p.nodes
        if isinstance(n, _COMPREHENSIONS) and target_names(n.generators[0].target) == names
    ]
    if not own:
        return False
    stated = [literal(v.text) if v is not None else None for _, v in pairs]
    bound = {n: s[0] for n, s in zip(names, stated, strict=True) if s is not None}
    nexts = [(n, p.turns.get(id(n), 0), p.value(as_list(n.generators[0].iter))) for n in own]
    if len(bound) < len(names) or not all(isinstance(items, list) for _, _, items in nexts):
        p.claim("value", "item", m["b"], None, "cannot be evaluated")
        return True
    # of several comprehensions over such names, the one that all of the text fits
    fits = [
        (n, at, items) for n, at, items in nexts
        if at < len(items) and _is_item(n.generators[0].target, items[at], bound)
    ]  # fmt: skip
    claims = len(p.ledger.claims)
    for entry in fits:
        _item(p, m, entry, bound, True)
        if all(c.status == SUPPORTED for c in p.ledger.claims[claims:]):
            return True
        del p.ledger.claims[claims:]
        p.turns[id(entry[0])] = entry[1]
    _item(p, m, (fits or nexts)[0], bound, bool(fits))
    return True


def _item(p: Pieces, m: Match, entry: Any, bound: dict[str, Any], fits: bool) -> None:
    """The parts of one item's working, with the names that it binds."""
    node, number, items = entry
    p.turns[id(node)] = number + 1
    generator = node.generators[0]
    item = items[number] if number < len(items) else MISSING
    p.claim("value", f"item {number + 1}", m["b"], fits, shown(item))
    outer, nodes = p.before, p.nodes
    p.before = outer.binding(bound)
    parts = split(m["p"].text, ", ", m["p"].start)
    skips = parts[-1].text == "skipped"
    passes = [p.value(test) for test in generator.ifs]
    skipped = any(v is not MISSING and not isinstance(v, Raises) and not v for v in passes)
    own = [*generator.ifs, getattr(node, "elt", node)]
    p.nodes = [n for part in own for n in ast.walk(part) if isinstance(n, ast.expr)]
    for part in parts[: len(parts) - skips]:
        value = literal(part.text)
        if value is not None and part is parts[-1]:
            actual = p.value(node.elt) if hasattr(node, "elt") else MISSING
            verdict = None if actual is MISSING else equal(actual, value[0])
            p.claim("value", "item", part, verdict, shown(actual))
        else:
            p._single(part, _INNER)
    if skips or skipped:
        p.claim("branch", "skipped", parts[-1], skips is skipped, str(skipped))
    p.before, p.nodes, p.last = outer, nodes, MISSING


_INNER = [n for n in PIECES if n not in ("each", "so", *JOINED)]


def _is_item(target: ast.expr, item: Any, bound: dict[str, Any]) -> bool:
    """Whether unpacking `item` into `target` binds its names to these values."""
    if isinstance(target, ast.Name):
        return equal(bound[target.id], item)
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(item, list | tuple | str):
        return False
    parts = zip(target.elts, item, strict=False)
    return len(target.elts) == len(item) and all(_is_item(t, x, bound) for t, x in parts)
