"""Decides the pieces of a working, one function for every row of `forms.PIECES`. Each gives False
where the piece is none of its form."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluator import (
    Cannot,
    Given,
    Raises,
    equal,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.forms import PIECES
from semcoder_lib.monologues.syntax import target_names
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.expressions import (
    MISSING,
    as_list,
    kinds,
    listing,
    places_of,
    shown,
    source,
    spelling,
    text_of,
)
from semcoder_lib.monologues.verify.pieces import DECIDERS, JOINED, Pieces
from semcoder_lib.monologues.verify.report import SUPPORTED
from semcoder_lib.monologues.verify.stated import parse_binds, shortened

decides = DECIDERS
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

# The texts that the slots of a piece must have, by what the expression {e} reads (a sequence), its
# first argument and its value; a tuple where there is a choice, None where nothing can stand there.
Expected = dict[str, Any]
_ERRORS = (TypeError, AttributeError, ValueError, LookupError, ArithmeticError)


def outcome(m: Match) -> Slot:
    """The slot of the value or truth that a piece arrives at."""
    return m["v"] if "v" in m else m["b"] if "b" in m else m["n"]


def expects(*names: str, of: type[ast.expr] = ast.expr) -> Callable[[Any], Any]:
    """Enters, for pieces about an expression {e} (a tree `of` a kind) and its value, a function
    that gives what must stand in the other slots: of the reader, the tree and the slots."""

    def enter(expected: Callable[[Pieces, Any, Match], Expected]) -> Any:
        def decide(p: Pieces, m: Match) -> bool | None:
            node = parse_expression(m["e"].text)
            if not isinstance(node, of) or not p.equation(m["e"], outcome(m)):
                return False
            try:
                texts = expected(p, node, m)
            except Cannot:
                p.claim("value", "parts", m["e"], None, "cannot be evaluated")
                return None
            except _ERRORS:
                texts = {"e": None}
            for name, text in texts.items():
                p.stands(m[name], *(text if isinstance(text, tuple) else (text,)))
            return None

        decides(*names)(decide)
        return expected

    return enter


@decides("equal", "truth")
def _equal(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], outcome(m), stores=True)


@decides("was")
def _was(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], m["v"], p.before)


@expects("last", of=ast.Subscript)
def _last(p: Pieces, node: Any, m: Match) -> Expected:
    box, key = p.known(node.value), p.known(node.slice)
    return {} if key in (-1, len(box) - 1) else {"e": None}


@expects("division", of=ast.BinOp)
def _division(p: Pieces, node: Any, m: Match) -> Expected:
    """`14 = 5 * 2 + 4, so 14 % 5 = 4`: the parts make the whole and are of this division."""
    a, b = p.known(node.left), p.known(node.right)
    parts = [f"({n})" if n < 0 else str(n) for n in (b, a // b, a % b)]
    return {"a": text_of(a), "q": "{} * {} + {}".format(*parts)}


@expects("sum", of=ast.Call)
def _sum(p: Pieces, node: Any, m: Match) -> Expected:
    box = p.known(node.args[0])
    sums = []
    for total, x in zip(itertools.accumulate(box), box[1:], strict=False):
        added = f"({text_of(x)})" if text_of(x).startswith("-") else text_of(x)
        sums.append(f"{text_of(total)} + {added} = {text_of(total + x)}")
    return {"c": ", ".join(sums)}


@expects("table", "table.holds")
def _table(p: Pieces, node: Any, m: Match) -> Expected:
    return {"t": (*p.tables([p.known(source(node))], [node]),)}


@decides("table.bare")
def _table_bare(p: Pieces, m: Match) -> bool | None:
    if len(m["t"].text) > 1 and literal(m["t"].text) is not None:
        return False
    p.stands(m["t"], *p.tables([box for box, _ in p.readings()], p.nodes))
    p.last = MISSING
    return None


@expects("backwards", "becomes")
def _respelled(p: Pieces, node: Any, m: Match) -> Expected:
    return {"a": spelling(p.known(source(node))), "b": spelling(p.known(node))}


@decides("backwards.bare", "becomes.bare")
def _respelled_bare(p: Pieces, m: Match) -> None:
    spelled = [
        (spelling(box), spelling(result))
        for box, result in p.readings()
        if isinstance(box, str | list | tuple) and type(result) is type(box)
    ]
    own = [pair for pair in spelled if pair[0] == m["a"].text] or spelled or [("", "")]
    p.stands(m["a"], own[0][0])
    p.stands(m["b"], own[0][1])


@expects("places", "nowhere", "counted.at")
def _places(p: Pieces, node: Any, m: Match) -> Expected:
    box, part = p.known(source(node)), p.known(node.args[0])
    places = ", ".join(map(str, places_of(box, part)))
    if "t" not in m:
        return {"p": places}
    texts: Expected = {"t": (*p.tables([box], p.nodes),), "p": text_of(part)}
    return texts | ({"n": places} if "n" in m else {"p": None} if places else {})


@expects("trims")
def _trims(p: Pieces, node: Any, m: Match) -> Expected:
    box, result = p.known(source(node)), p.known(node)
    at = 0 if node.func.attr == "rstrip" else box.find(result) if result else len(box)
    return {"n": str(at), "k": str(len(box) - at - len(result))}


@expects("pads")
def _pads(p: Pieces, node: Any, m: Match) -> Expected:
    box, result = p.known(source(node)), p.known(node)
    return {"n": str(len(box)), "k": str(len(result) - len(box))}


@expects("all.are", "not.all")
def _all_are(p: Pieces, node: Any, m: Match) -> Expected:
    box, test = p.known(source(node)), getattr(str, node.func.attr)
    bad = [i for i, c in enumerate(box) if not test(c)]
    if "a" in m:
        return {"a": None if bad else spelling(box)}
    return {"x": repr(box[bad[0]]), "n": str(bad[0])}


@expects("cased")
def _cased(p: Pieces, node: Any, m: Match) -> Expected:
    box = p.known(source(node))
    turned = getattr(box, node.func.attr.removeprefix("is"))()
    return {"a": spelling(box), "b": spelling(turned)}


@expects("ends.with", "cut.there")
def _there(p: Pieces, node: Any, m: Match) -> Expected:
    box, size = p.known(source(node)), len(p.known(node.args[0]))
    at_start = node.func.attr in ("startswith", "removeprefix")
    return {"x": text_of(box[:size] if at_start else box[-size:])}


@expects("joined")
def _joined(p: Pieces, node: Any, m: Match) -> Expected:
    glue, parts = p.known(source(node)), p.known(node.args[0])
    return {"q": (f" + {text_of(glue)} + " if glue else " + ").join(map(text_of, parts))}


@expects("differ", "prefix", of=ast.Compare)
def _ordered(p: Pieces, node: Any, m: Match) -> Expected:
    a, b = p.known(node.left), p.known(node.comparators[0])
    pairs = enumerate(zip(a, b, strict=False))
    same = next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))
    ends = same == min(len(a), len(b))
    texts = {"x": repr(a[same : same + 1]), "y": repr(b[same : same + 1])} if "x" in m else {}
    return {"n": str(same) if "x" in m or ends else None, **texts}


@expects("keyed", of=ast.Call)
def _keyed(p: Pieces, node: Any, m: Match) -> Expected:
    own = next((n for n in p.nodes if isinstance(n, ast.Call) and kinds(n) == kinds(node)), node)
    key = next(k.value for k in own.keywords if k.arg == "key")
    mapped = ast.Call(ast.Name("map", ast.Load()), [key, own.args[0]], [])
    keys = p.known(as_list(ast.fix_missing_locations(ast.copy_location(mapped, own))))
    return {"k": listing(keys), "a": listing(p.known(as_list(own.args[0])))}


@decides("has.keys", "has.items", "has.none", "has.last")
def _has(p: Pieces, m: Match) -> bool | None:
    node = parse_expression(m["x"].text)
    if node is None:
        return False
    box = p.value(node)
    if box is MISSING or isinstance(box, Raises):
        unknown = isinstance(node, ast.Name) and not p.before.defines(node.id)
        wrong = unknown or isinstance(box, Raises)
        p.claim("value", "has", m["x"], False if wrong else None, "cannot be evaluated")
        return None
    about = not isinstance(node, ast.Name) or any(node.id in kinds(n) for n in p.nodes)
    p.claim("value", "has", m["x"], True if about else None, "not part of this step")
    if "v" in m:
        ok = isinstance(box, list | tuple | str) and bool(box)
        p.stands(m["v"], text_of(box[-1]) if ok else None)
    elif not isinstance(box, dict) or "ks" not in m:
        ok = isinstance(box, dict) and not box
        p.claim("value", "keys", m["x"], ok, shown(box))
    else:
        p.stands(m["ks"], listing(box.items() if m["ks"].text.startswith("(") else box))
    return None


@decides("in.both", "in.neither", "only.left", "none.left")
def _sets(p: Pieces, m: Match) -> None:
    """What two sets share, or only the first has: of a set method or operator of the statement."""
    expected: list[str] = []
    first = p.value(m["x"].text) if "x" in m else MISSING
    about = False
    for node in p.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            a, b = p.value(node.func.value), p.value(node.args[0])
            if isinstance(a, set | frozenset) and not isinstance(b, int | float | Raises):
                about = about or ("x" in m and equal(a, first))
                both = (a - set(b) if "x" in m else a & set(b)) if b is not MISSING else ()
                expected.append(listing(sorted(both, key=repr)))
    if "ks" in m:
        p.stands(m["ks"], *expected)
    else:
        slot = m.get("x") or Slot("nothing", *p.ledger.place)
        p.claim("value", "shared", slot, "" in expected, " or ".join(expected))
    if "x" in m:
        p.claim("value", "only in", m["x"], about, "not part of this step")


@decides("counts")
def _counts(p: Pieces, m: Match) -> None:
    """`[1] counts as True`: a value that some expression of the statement has."""
    stated, values = literal(m["v"].text), [p.value(n) for n in p.nodes]
    known = [v for v in values if v is not MISSING]
    if stated is None:
        own = [v for v in known if shortened(m["v"].text, text_of(v))]
    else:
        own = [v for v in known if equal(v, stated[0])]
    open_ = stated is None or len(known) < len(values) or not values
    verdict = True if own else None if open_ else False
    p.claim("value", "counts", m["v"], verdict, "no part of this step has this value")
    if own or stated:
        p.last = bool(own[0] if own else stated[0])
        p.claim("branch", "counts", m["b"], str(p.last) == m["b"].text, str(p.last))


@decides("so")
def _so(p: Pieces, m: Match) -> bool | None:
    """`so [2, 4]`: what a comprehension of the statement gives."""
    stated = literal(m["v"].text)
    if stated is None:
        return False
    own = [as_list(n) if isinstance(n, ast.GeneratorExp) else n for n in p.nodes
           if isinstance(n, _COMPREHENSIONS)]  # fmt: skip
    known = [v for v in map(p.value, own) if v is not MISSING]
    verdict = any(equal(v, stated[0]) for v in known) if known else None
    p.claim("value", "so", m["v"], verdict, shown(known[0]) if known else "")
    p.last = stated[0]
    return None


@decides("each")
def _each(p: Pieces, m: Match) -> bool | None:
    """`n = 1: 1 % 2 = 1, 1 == 0 is False, skipped`: one item of a comprehension."""
    pairs = parse_binds(m["b"]) or []
    names = [name.text for name, _ in pairs]
    own = [
        n
        for n in p.nodes
        if isinstance(n, _COMPREHENSIONS) and target_names(n.generators[0].target) == names
    ]
    if not own or any(value is None for _, value in pairs):
        return False
    stated = {n.text: literal(v.text) for n, v in pairs if v is not None}
    bound = {name: value[0] for name, value in stated.items() if value is not None}
    nexts = [(n, p.turns.get(id(n), 0), p.value(as_list(n.generators[0].iter))) for n in own]
    if len(bound) < len(names) or not all(isinstance(items, list) for _, _, items in nexts):
        p.claim("value", "item", m["b"], None, "cannot be evaluated")
        return None
    # of several comprehensions over such names, the one that all of the text fits
    fits = [
        (n, at, items) for n, at, items in nexts
        if at < len(items) and _is_item(n.generators[0].target, items[at], bound)
    ]  # fmt: skip
    claims = len(p.ledger.claims)
    for entry in fits:
        _item(p, m, entry, bound, True)
        if all(c.status == SUPPORTED for c in p.ledger.claims[claims:]):
            return None
        del p.ledger.claims[claims:]
        p.turns[id(entry[0])] = entry[1]
    _item(p, m, (fits or nexts)[0], bound, bool(fits))
    return None


def _item(p: Pieces, m: Match, entry: Any, bound: dict[str, Any], fits: bool) -> None:
    """The parts of one item's working, with the names that it binds."""
    node, number, items = entry
    p.turns[id(node)] = number + 1
    generator = node.generators[0]
    item = items[number] if number < len(items) else MISSING
    p.claim("value", f"item {number + 1}", m["b"], fits, shown(item))
    outer, nodes = p.before, p.nodes
    p.before = Given(bound, outer)
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
            p.piece(part, _INNER)
    if skips or skipped:
        p.claim("branch", "skipped", parts[-1], skips is skipped, str(skipped))
    p.before, p.nodes, p.last = outer, nodes, MISSING


_INNER = {n: form for n, form in PIECES.items() if n not in ("each", "so", *JOINED)}


def _is_item(target: ast.expr, item: Any, bound: dict[str, Any]) -> bool:
    """Whether unpacking `item` into `target` binds its names to these values."""
    if isinstance(target, ast.Name):
        return equal(bound[target.id], item)
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(item, list | tuple | str):
        return False
    parts = zip(target.elts, item, strict=False)
    return len(target.elts) == len(item) and all(_is_item(t, x, bound) for t, x in parts)
