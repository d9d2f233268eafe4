"""Reads the pieces of a working (`4 + 2 = 6; 0:h 1:e, so s[1] = 'e'`) at the moment of one step.

Every slot is decided by evaluating it over the recorded names, and every piece must be about an
expression of the step's own statement. `DECIDERS` has a function for every row of `forms.PIECES`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluator import (
    Cannot,
    Raises,
    equal,
    evaluate,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.forms import PIECES
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.syntax import target_names
from semcoder_lib.monologues.template import Match, Slot, mask, plain, split
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.report import SUPPORTED

MISSING = object()
_JOINED = ("places", "nowhere")  # forms with a semicolon of their own
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_LONG = 1_000  # characters of a value that a text may have to match


class Pieces:
    """A reader of workings. `last` is the value that the last piece arrived at."""

    def __init__(self, cursor: Cursor) -> None:
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.visit = 0
        self.before: State = None  # type: ignore[assignment]
        self.after: State | None = None
        self.nodes: list[ast.expr] = []  # the expressions of the statement
        self.last: Any = MISSING
        self.turns: dict[int, int] = {}  # items told of a comprehension
        self.values: dict[tuple[int, int], tuple[Any, Any, Any]] = {}  # by node and state

    def read(self, work: Slot, visit: int, *, after: bool = False) -> Any:
        """Decide every piece. With `after`, what the statement stores into is read as it is then.
        Gives the value that the last piece states, MISSING where it states none."""
        self.visit = visit
        self.before = self.history.before(visit)
        self.after = self.history.after(visit) if after else None
        syntax = self.history.syntax
        self.nodes = syntax.expressions(self.history.line(visit)) if syntax else []
        self.last, self.turns = MISSING, {}
        self.values.clear()
        parts = split(work.text, "; ", work.start)
        at = 0
        while at < len(parts):
            at += self._pair(work, parts, at) or self._single(parts[at], PIECES)
        return self.last

    def _pair(self, work: Slot, parts: list[Slot], at: int) -> int:
        if at + 1 == len(parts):
            return 0
        end = parts[at + 1].end
        both = Slot(
            work.text[parts[at].start - work.start : end - work.start], parts[at].start, end
        )
        return 2 if self._known(both, _JOINED) else 0

    def _single(self, part: Slot, names: Any) -> int:
        if not self._known(part, names):
            self.ledger.unread(part.text, (part.start, part.end))
            self.last = MISSING
        return 1

    def _known(self, part: Slot, names: Any) -> bool:
        masked = mask(part.text)
        if masked is None:
            return False
        for name in names:
            form = PIECES[name]
            if form.anchor not in masked:
                continue
            slots = form.match(part.text, masked, part.start)
            if slots is not None and DECIDERS[name](self, slots):
                self.ledger.forms.append((name, plain(slots)))
                return True
        return False

    # --- what a piece can be about ------------------------------------------------------------

    def value(self, node: ast.expr | str, state: State | None = None) -> Any:
        """The value of an expression at this moment; MISSING where it cannot be decided, the
        Raises where Python would raise."""
        state = state or self.before
        if isinstance(node, str):
            node = parse_expression(node) or ast.Name("?", ast.Load())
        key = id(node), id(state)
        known = self.values.get(key)
        if known is None:
            try:
                value: Any = evaluate(node, state)
            except Cannot:
                value = MISSING
            except Raises as error:
                value = error
            known = self.values[key] = (node, state, value)  # kept, so that ids stay theirs
        return known[2]

    def items(self, node: ast.expr, visit: int) -> list[Any] | None:
        """What a loop over `node` goes through, where that can be evaluated."""
        try:
            return list(evaluate(_as_list(node), self.history.before(visit)))
        except (Cannot, Raises):
            return None

    def related(self, node: ast.expr, value: Any) -> tuple[bool | None, str]:
        """Whether the statement has an expression of the same kind, over the same operands, with
        this value: None where it has none of that kind, False where all of them differ."""
        kind = _kinds(node)[0]
        if isinstance(node, ast.Call) and kind == "list()" and node.args:
            if any(ast.unparse(own) == ast.unparse(node.args[0]) for own in self.nodes):
                return True, ""  # a generator expression, told as the list of what it gives
        found, actual = False, ""
        for own in self.nodes:
            if kind not in _kinds(own):
                continue
            found = True
            for link in _links(own):
                if kind != _kinds(link)[0]:
                    continue
                result = self.value(link)
                if _differ(result, value):
                    actual = f"this step gives {_shown(result)}"
                elif self._same_operands(node, link):
                    return True, ""
                else:
                    actual = "this step is about other values"
        return (False, actual) if found else (None, "not part of this step")

    def _same_operands(self, stated: ast.expr, own: ast.expr) -> bool:
        """Whether what is known of the operands of both is equal."""
        pairs = _operands(stated), _operands(own)
        if len(pairs[0]) != len(pairs[1]):
            return False
        for a, b in zip(*pairs, strict=True):
            if (a is None) != (b is None):
                return False
            if isinstance(a, ast.Lambda) and isinstance(b, ast.Lambda):
                if ast.unparse(a) != ast.unparse(b):
                    return False
            if a is not None and b is not None and _differ(self.value(a), self.value(b)):
                return False
        return True

    # --- claims -------------------------------------------------------------------------------

    def claim(
        self, kind: str, subject: str, slot: Slot, verdict: bool | None, evidence: str
    ) -> None:
        self.ledger.add(
            kind, subject, slot.text, verdict, "" if verdict else evidence,
            line=self.history.line(self.visit), visit=self.visit, place=(slot.start, slot.end),
        )  # fmt: skip

    def equation(
        self, left: Slot, right: Slot, state: State | None = None, *, stores: bool = False
    ) -> bool:
        """`4 + 2 = 6`, `xs[0] is True`: an expression and the value it is said to have; with
        `stores` it may be the item that the statement stores into. False where the texts are no
        expression and no value."""
        stores = stores and self.after is not None and self._stored(left.text)
        node, stated = parse_expression(left.text), literal(right.text)
        if node is None:
            return False
        place = Slot(left.text, left.start, right.end)
        if stated is None:
            verdict = self._shortened(node, right, state)
            self.claim("value", left.text, place, verdict, "no value")
            self.last = MISSING
            return True
        actual = self.value(node, self.after if stores else state)
        if actual is MISSING and isinstance(node, ast.Name) and self.after is not None:
            actual = self.value(node, self.after)
        self.last = stated[0]
        verdict: bool | None = None
        evidence = _shown(actual)
        if actual is not MISSING:
            verdict = not isinstance(actual, Raises) and equal(stated[0], actual)
        if verdict and self.nodes:
            related, why = (True, "") if state or stores else self.related(node, actual)
            if related is not True:
                verdict, evidence = related, why
        self.claim("value", left.text, place, verdict, evidence)
        return True

    def _stored(self, text: str) -> bool:
        """Whether a text names an item that the statement stores into."""
        syntax = self.history.syntax
        stmt = syntax.statements.get(self.history.line(self.visit)) if syntax else None
        targets = stmt.targets if isinstance(stmt, ast.Assign) else []
        return any(
            isinstance(t, ast.Subscript) and text.startswith(ast.unparse(t.value) + "[")
            for t in targets
        )

    def _shortened(self, node: ast.expr, right: Slot, state: State | None) -> bool | None:
        from semcoder_lib.monologues.verify.stated import shortened

        actual = self.value(node, state)
        if actual is MISSING or isinstance(actual, Raises):
            return None
        try:
            return shortened(right.text, show(actual, 100_000))
        except NotShown:
            return None

    def stands(self, kind: str, slot: Slot, expected: str | None) -> None:
        """A slot whose text must be just `expected`; None where nothing is expected there."""
        self.claim(kind, "", slot, slot.text == expected, expected or "nothing to list")

    def source(self, left: Slot) -> Any:
        """What the expression `left` reads: the sequence that it indexes, slices, looks through,
        or calls a method of; MISSING where that cannot be evaluated."""
        node = parse_expression(left.text)
        if isinstance(node, ast.Subscript):
            base: ast.expr | None = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
        elif isinstance(node, ast.Call) and node.args:
            base = node.args[0]
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            base = node.comparators[0]
        else:
            base = None
        return MISSING if base is None else self.value(base)

    def argument(self, left: Slot) -> Any:
        """The first argument of the call `left`."""
        node = parse_expression(left.text)
        if isinstance(node, ast.Call) and node.args:
            return self.value(node.args[0])
        return MISSING


def _differ(a: Any, b: Any) -> bool:
    """Whether two values are known and not equal; of an exception nothing is known."""
    if a is MISSING or b is MISSING or isinstance(a, Raises) or isinstance(b, Raises):
        return False
    return not equal(a, b)


def _links(node: ast.expr) -> list[ast.expr]:
    """The comparisons of a chain; any other expression itself."""
    if not isinstance(node, ast.Compare) or len(node.ops) == 1:
        return [node]
    sides = [node.left, *node.comparators]
    return [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]


def _operands(node: ast.expr) -> list[ast.expr | None]:
    """What an expression is made of, one level down."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    if isinstance(node, ast.Subscript):
        part = node.slice
        inside = [part.lower, part.upper, part.step] if isinstance(part, ast.Slice) else [part]
        return [node.value, *inside]
    if isinstance(node, ast.Call):
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*base, *node.args, *(k.value for k in node.keywords)]
    return []


def _kinds(node: ast.expr) -> tuple[str, ...]:
    """What an expression does, its operands aside; of a chained comparison, each link."""
    known: tuple[str, ...] | None = getattr(node, "kinds", None)
    if known is None:
        known = node.kinds = _kinds_of(node)  # type: ignore[attr-defined]
    return known


def _kinds_of(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp):
        return (type(node.op).__name__,)
    if isinstance(node, ast.Compare):
        return tuple(type(op).__name__ for op in node.ops)
    if isinstance(node, ast.Call):
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else ast.unparse(func)
        return (f"{name}()",)
    if isinstance(node, ast.Subscript):
        return ("slice" if isinstance(node.slice, ast.Slice) else "item",)
    return (ast.unparse(node),)


def _as_list(node: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name("list", ast.Load()), [node], [])
    return ast.fix_missing_locations(ast.copy_location(call, node))


def _shown(value: Any) -> str:
    if value is MISSING:
        return "cannot be evaluated"
    if isinstance(value, Raises):
        return f"raises {value.kind}"
    try:
        return show(value, 200)
    except NotShown:
        return f"a {type(value).__name__}"


# --- canonical spellings -------------------------------------------------------------------------


def tables(items: Any, last: int) -> tuple[str, ...]:
    """The ways to list a sequence by place up to `last`: `0:h 1:e`, densely `0h1e`."""
    part = items[: last + 1]
    if isinstance(items, str):
        wide = " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(part))
        return wide, "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in enumerate(part))
    return (" ".join(f"{i}:{x}" for i, x in enumerate(map(_text, part))),)


def spelling(items: Any) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if isinstance(items, str):
        return " ".join(c if c.isalnum() else repr(c) for c in items)
    return listing(items)


def listing(items: Any) -> str:
    """Values in order, `4, 7`."""
    return ", ".join(map(_text, items))


def _text(value: Any) -> str:
    try:
        return show(value, _LONG)
    except NotShown:
        return "?"


def _places(box: Any, part: Any) -> list[int]:
    if not isinstance(box, str):
        return [i for i, x in enumerate(box) if equal(x, part)]
    places, at = [], box.find(part) if part else -1
    while at >= 0:
        places.append(at)
        at = box.find(part, at + len(part))
    return places


# --- the deciders: one for every row of forms.PIECES. Each gives False where the piece is none -----

Decider = Callable[[Pieces, Match], bool]
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
            shown = f"({_text(x)})" if _text(x).startswith("-") else _text(x)
            sums.append(f"{_text(total)} + {shown} = {_text(total + x)}")
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


def _stands_table(p: Pieces, slot: Slot, boxes: list[Any], left: Slot | None) -> None:
    """A listing by place, of all of a sequence or up to the place that is asked for."""
    expected: list[str] = []
    for box in boxes:
        if not isinstance(box, str | list | tuple) or not box:
            continue
        ends = {len(box) - 1}
        for node in [parse_expression(left.text)] if left is not None else p.nodes:
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
                ends.add(p.value(node.slice))
            elif isinstance(node, ast.Call):
                ends.add(p.value(node) if _is_search(node) else len(box) - 1)
        for end in ends:
            if type(end) is int and 0 <= end < len(box):
                expected += tables(box, end)
    ok = slot.text in expected
    p.claim("value", "items", slot, ok, " or ".join(expected[:1]) or "no such sequence")


Pieces.stands_table = _stands_table  # type: ignore[attr-defined]


def _is_search(node: ast.Call) -> bool:
    return getattr(node.func, "attr", "") in ("find", "index", "rfind", "rindex")


@decides("table.bare")
def _table_bare(p: Pieces, m: Match) -> bool:
    if len(m["t"].text) > 1 and literal(m["t"].text) is not None:
        return False
    _stands_table(p, m["t"], [v for _, v, _ in p.readings()], None)
    p.last = MISSING
    return True


def _readings(p: Pieces) -> list[tuple[ast.expr, Any, Any]]:
    """The statement's expressions that read a sequence: (expression, sequence, value)."""
    out = []
    for node in p.nodes:
        base: ast.expr | None = None
        if isinstance(node, ast.Subscript):
            base = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
        elif isinstance(node, ast.Call) and node.args:
            base = node.args[0]
        if base is not None:
            out.append((node, p.value(base), p.value(node)))
    return out


Pieces.readings = _readings  # type: ignore[attr-defined]


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
def _at_places(p: Pieces, m: Match) -> bool:
    if not p.equation(m["e"], m["n"] if "p" in m and "t" not in m else outcome(m)):
        return False
    box, part = p.source(m["e"]), p.argument(m["e"])
    if not isinstance(box, str | list | tuple) or (
        isinstance(box, str) and not isinstance(part, str)
    ):
        p.claim("value", "places", m["e"], None, "cannot be evaluated")
        return True
    places = _places(box, part)
    if "t" in m:
        p.stands_table(m["t"], [box], None)
        p.stands("value", m["p"], _text(part))
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
    return {"x": _text(box[: len(part)] if at_start else box[-len(part) :])}


def _joined(p: Pieces, box: Any, part: Any, result: Any, m: Match) -> dict[str, str | None]:
    glue = f" + {_text(box)} + " if box else " + "
    return {"q": glue.join(map(_text, part))}


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
    own = next((n for n in p.nodes if isinstance(n, ast.Call) and _kinds(n) == _kinds(node)), node)
    key = next((k.value for k in own.keywords if k.arg == "key"), None)
    items = p.value(_as_list(own.args[0]))
    keys: Any = MISSING
    if key is not None:
        pairs = ast.Call(ast.Name("map", ast.Load()), [key, own.args[0]], [])
        keys = p.value(_as_list(ast.fix_missing_locations(ast.copy_location(pairs, own))))
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
    about = (
        any(_kinds(node)[0] in _kinds(n) for n in p.nodes) if isinstance(node, ast.Name) else True
    )
    p.claim("value", "has", m["x"], True if about else None, "not part of this step")
    if "v" in m:
        ok = isinstance(box, list | tuple | str) and bool(box)
        p.stands("value", m["v"], _text(box[-1]) if ok else None)
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
            "value", m["ks"], m["ks"].text if m["ks"].text in expected else (expected or [None])[0]
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
        from semcoder_lib.monologues.verify.stated import shortened

        known = [v for v in values if shortened(m["v"].text, _text(v))]
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
    p.claim("value", "so", m["v"], verdict, _shown(known[0]) if known else "")
    p.last = stated[0]
    return True


def _listed(node: ast.expr) -> ast.expr:
    return _as_list(node) if isinstance(node, ast.GeneratorExp) else node


@decides("each")
def _each(p: Pieces, m: Match) -> bool:
    """`n = 1: 1 % 2 = 1, 1 == 0 is False, skipped`: one item of a comprehension."""
    from semcoder_lib.monologues.verify.steps import parse_binds

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
    nexts = [(n, p.turns.get(id(n), 0), p.value(_as_list(n.generators[0].iter))) for n in own]
    if len(bound) < len(names) or not all(isinstance(items, list) for _, _, items in nexts):
        p.claim("value", "item", m["b"], None, "cannot be evaluated")
        return True
    # of several comprehensions over such names, the one that all of the text fits
    fits = [
        entry for entry in nexts
        if entry[1] < len(entry[2]) and _is_item(entry[0].generators[0].target, entry[2][entry[1]], bound)
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
    p.claim("value", f"item {number + 1}", m["b"], fits, _shown(item))
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
            p.claim("value", "item", part, verdict, _shown(actual))
        else:
            p._single(part, _INNER)
    if skips or skipped:
        p.claim("branch", "skipped", parts[-1], skips is skipped, str(skipped))
    p.before, p.nodes, p.last = outer, nodes, MISSING


_INNER = [n for n in PIECES if n not in ("each", "so", *_JOINED)]


def _is_item(target: ast.expr, item: Any, bound: dict[str, Any]) -> bool:
    """Whether unpacking `item` into `target` binds its names to these values."""
    if isinstance(target, ast.Name):
        return equal(bound[target.id], item)
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(item, list | tuple | str):
        return False
    parts = zip(target.elts, item, strict=False)
    return len(target.elts) == len(item) and all(_is_item(t, x, bound) for t, x in parts)
