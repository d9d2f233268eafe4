"""Reads the pieces of a working (`4 + 2 = 6; 0:h 1:e, so s[1] = 'e'`) at the moment of one step.

Every equation is evaluated over the recorded names, and must be about an expression of the step's
own statement. For the other slots of a piece a function for each row of `forms.PIECES` derives the
text that must stand there, from the expression that the piece is about and its values.
"""

from __future__ import annotations

import ast
import functools
import itertools
from typing import Any

from semcoder_lib.monologues.evaluator import (
    NO_NAMES,
    Cannot,
    Given,
    Names,
    Raises,
    Values,
    equal,
    known,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.forms import PIECES, Match, Rows, Slot, split
from semcoder_lib.monologues.rules import RULES, UNFIT, Facts, Texts, parts_of
from semcoder_lib.monologues.show import NotShown, brief
from semcoder_lib.monologues.syntax import as_list, links, target_names
from semcoder_lib.monologues.verify.history import History, State
from semcoder_lib.monologues.verify.report import SUPPORTED, Deciders, Ledger
from semcoder_lib.monologues.verify.text import parse_binds

DECIDERS = decides = Deciders()
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_JOINED = {name: PIECES[name] for name in ("places", "nowhere")}  # with a semicolon of their own
_INNER = {n: form for n, form in PIECES.items() if n not in ("each", "so", *_JOINED)}
MISSING = object()  # a value that cannot be decided


def differ(a: Any, b: Any) -> bool:
    """Whether two values are known and not equal; of an exception nothing is known."""
    undecided = a is MISSING or b is MISSING or isinstance(a, Raises) or isinstance(b, Raises)
    return not undecided and not equal(a, b)


def shown(value: Any) -> str:
    """A value, or why there is none, as evidence."""
    if value is MISSING:
        return "cannot be evaluated"
    return f"raises {value.kind}" if isinstance(value, Raises) else brief(value)


@functools.lru_cache(maxsize=4096)
def _parts(nodes: tuple[ast.expr, ...]) -> list[tuple[ast.expr, str, list[ast.expr]]]:
    """Expressions, those of a chain of comparisons apart, with what each does with which others."""
    return [(n, *parts_of(n)) for n in itertools.chain.from_iterable(map(links, nodes))]


@functools.lru_cache(maxsize=1024)
def _below(nodes: tuple[ast.AST, ...]) -> list[ast.expr]:
    """Expressions with those that they are made of."""
    return [n for n in itertools.chain(*map(ast.walk, nodes)) if isinstance(n, ast.expr)]


@functools.lru_cache(maxsize=1024)
def _bound_by(node: Any, names: tuple[str, ...]) -> ast.ListComp:
    """A list of what a comprehension binds its first names to, before its tests."""
    values = ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load())
    each = ast.comprehension(node.generators[0].target, node.generators[0].iter, [], 0)
    return ast.ListComp(values, [each])


class Pieces:
    """A reader of workings. `last` is the value that the last piece arrived at."""

    def __init__(self, history: History, ledger: Ledger) -> None:
        self.history, self.ledger = history, ledger
        self.visit = 0
        self.before: Names = NO_NAMES
        self.after: State | None = None
        self.nodes: list[ast.expr] = []  # the expressions of the statement
        self.last: Any = MISSING
        self.moved: set[str] = set()  # names whose values are not those before the statement
        self.turns: dict[int, int] = {}  # items told of a comprehension
        self.values: dict[int, Values] = {}  # by the ids of their names

    def read(self, work: Slot, visit: int, *, after: bool = False) -> Any:
        """Decide every piece. With `after`, what the statement stores into is read as it is then.
        Gives the value that the last piece states, MISSING where it states none."""
        self.visit = visit
        self.before = before = self.history.before(visit)
        changed = self.history.moved(visit) if before.unsettled() else ()
        self.moved = {name.partition(".")[0] for name in changed}
        self.after = self.history.after(visit) if after else None
        self.nodes = self.history.syntax.expressions(self.history.line(visit))
        self.last, self.turns = MISSING, {}
        self.values.clear()
        parts = split(work.text, "; ", work.start)
        while parts:
            part, *parts = parts
            if parts and part.text.startswith("0"):  # a table
                both = work.text[part.start - work.start : parts[0].end - work.start]
                if DECIDERS.read(_JOINED, both, part.start, self):
                    parts = parts[1:]
                    continue
            self.piece(part, PIECES)
        return self.last

    def piece(self, part: Slot, rows: Rows) -> None:
        """Decide one piece by the rows that it may have."""
        if not DECIDERS.read(rows, part.text, part.start, self):
            self.ledger.unread(part.text, (part.start, part.end))
            self.last = MISSING

    # --- values -------------------------------------------------------------------------------

    def value(self, node: ast.expr, state: Names | None = None) -> Any:
        """The value of an expression at this moment; MISSING where it cannot be decided, the
        Raises where Python would raise."""
        try:
            return self.known(node, state)
        except Cannot:
            return MISSING
        except Raises as error:
            return error

    def known(self, node: ast.expr, state: Names | None = None) -> Any:
        """The value of an expression. Raises Cannot where that is not known, Raises where
        Python does."""
        state = state or self.before
        names = self.moved and {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if names and not names.isdisjoint(self.moved) and state is not self.after:
            raise Cannot("the statement changes it before it reads it")
        if id(state) not in self.values:
            self.values[id(state)] = Values(state)
        return self.values[id(state)].of(node)

    def items(self, node: ast.expr, visit: int) -> list[Any] | None:
        """What a loop over `node` goes through, where that can be evaluated."""
        value = known(as_list(node), self.history.before(visit))
        return None if value is None else value[0]

    # --- claims -------------------------------------------------------------------------------

    def claim(
        self, subject: str, slot: Slot, verdict: bool | None, why: str = "", kind: str = "value"
    ) -> None:
        """Record a claim about this step."""
        self.ledger.add(kind, subject, slot, verdict, why, self.visit)

    def equation(
        self, left: Slot, right: Slot, state: Names | None = None, *, stores: bool = False
    ) -> bool:
        """`4 + 2 = 6`, `xs[0] is True`: an expression and the value it is said to have; with
        `stores` it may be the item that the statement stores into. False where the texts are no
        expression and no value."""
        node, stated = parse_expression(left.text), literal(right.text)
        if node is None:
            return False
        stores = stores and self.after is not None and self._stored(left.text)
        actual = self.value(node, self.after if stores else state)
        if actual is MISSING and isinstance(node, ast.Name) and self.after is not None:
            actual = self.value(node, self.after)
        verdict: bool | None = None
        self.last = MISSING if stated is None else stated[0]
        if actual is not MISSING and stated is not None:
            verdict = not isinstance(actual, Raises) and equal(stated[0], actual)
        if verdict and self.nodes and not state and not stores:
            verdict, evidence = self._related(node, actual)
        else:
            evidence = shown(actual)
        whole = Slot(left.text, left.start, right.end)
        self.claim(left.text, whole, verdict, evidence)
        return True

    def _related(self, node: ast.expr, value: Any) -> tuple[bool | None, str]:
        """Whether the statement has an expression of the same kind, over the same operands, with
        this value: None where it has none of that kind or that is not known, else False."""
        kind, operands = parts_of(node)
        if kind == "list()" and operands and isinstance(operands[0], ast.GeneratorExp):
            kind, operands = parts_of(operands[0])  # told as the list of what it gives
        verdicts: list[bool | None] = []
        for own, own_kind, own_operands in _parts(tuple(self.nodes)):
            if own_kind == kind:
                pairs = itertools.zip_longest(operands, own_operands)
                same = [not differ(self.value(own), value), *(self._alike(*p) for p in pairs)]
                if all(same):
                    return True, ""
                verdicts.append(False if False in same else None)
        undecided = not verdicts or None in verdicts
        return None if undecided else False, "this step is about other values"

    def _alike(self, a: ast.expr | None, b: ast.expr | None) -> bool | None:
        """Whether two operands are equal; None where that is not known."""
        if a is None or b is None:
            return a is b
        values = self.value(a), self.value(b)
        opaque = type(a) is type(b) and isinstance(a, ast.Lambda | ast.GeneratorExp)
        if opaque or any(v is MISSING or isinstance(v, Raises) for v in values):
            return ast.dump(a) == ast.dump(b) or (False if opaque else None)
        return equal(*values)

    def _stored(self, text: str) -> bool:
        """Whether a text names an item that the statement stores into."""
        stmt = self.history.statement(self.visit)
        targets = stmt.targets if isinstance(stmt, ast.Assign) else []
        boxes = [ast.unparse(t.value) for t in targets if isinstance(t, ast.Subscript)]
        return text.startswith(tuple(f"{box}[" for box in boxes))


def _ruled(row: str, p: Pieces, m: Match) -> bool | None:
    """A piece that names its expression ({e} with what it comes to, or {x}) is about that one;
    another about some expression of the statement."""
    slot = m.get("e") or m.get("x")
    nodes = p.nodes
    if slot is not None:
        node = parse_expression(slot.text)
        if node is None or not isinstance(node, _KINDS.get(row, ast.expr)):
            return False
        if "e" in m and not p.equation(slot, outcome(m)):
            return False
        nodes = [node]
    readings = [_expected(row, p, n, m) for n in nodes]
    fits = [e for e in readings if e and all(m[k].text in options(t) for k, t in e.items())]
    expected = [*fits, *filter(None, readings), dict.fromkeys(m)][0]
    for name, texts in expected.items():
        choice, open_ = options(texts), None in readings
        verdict = m[name].text in choice or (None if open_ else False)
        p.claim("stands", m[name], verdict, choice[0] if choice else "nothing")
    if slot is None:
        p.last = m["b"].text == "True" if row == "counts" else MISSING
    return None


def _expected(row: str, p: Pieces, node: ast.expr, m: Match) -> Texts | None:
    """What must stand in the slots of a piece about `node`: nothing where it cannot be about it,
    None where that cannot be evaluated."""
    names = {n.id for n in p.nodes if isinstance(n, ast.Name)} if "x" in m else set()
    if "x" in m and isinstance(node, ast.Name) and node.id not in names:
        return {}
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Name) and p.before.defines(called.id):
        return {}  # a function of the program, whatever its name
    facts = Facts(p.known, node, m["x"].text if "x" in m else "")
    try:
        return _counts(facts, m) if row == "counts" else RULES[row](facts)
    except (Cannot, NotShown):
        return None
    except UNFIT:
        return {}


def options(texts: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return texts if isinstance(texts, tuple) else () if texts is None else (texts,)


def outcome(m: Match) -> Slot:
    """The slot of the value or truth that a piece arrives at."""
    return m["v"] if "v" in m else m["b"] if "b" in m else m["n"]


def _counts(c: Facts, m: Match) -> Texts:
    """`[1] counts as True`: a value that some expression of the statement has."""
    stated = literal(m["v"].text)
    same = stated is not None and equal(stated[0], c.v)
    return {"v": m["v"].text, "b": str(bool(c.v))} if same else {}


_KINDS: dict[str, type[ast.expr]] = {
    "division": ast.BinOp,
    "sum": ast.Call,
    "last": ast.Subscript,
}  # of another, another row
for _row in (*RULES, "counts"):
    DECIDERS(_row)(functools.partial(_ruled, _row))


@decides("equal", "truth")
def _equal(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], outcome(m), stores=True)


@decides("was")
def _was(p: Pieces, m: Match) -> bool:
    return p.equation(m["e"], m["v"], p.before)


# --- comprehensions -------------------------------------------------------------------------------


@decides("so")
def _so(p: Pieces, m: Match) -> bool | None:
    """`so [2, 4]`: what a comprehension of the statement gives."""
    stated = literal(m["v"].text)
    if stated is None:
        return False
    own = [n for n in p.nodes if isinstance(n, _COMPREHENSIONS)]
    given = [p.value(as_list(n) if isinstance(n, ast.GeneratorExp) else n) for n in own]
    given = [v for v in given if v is not MISSING]
    verdict = any(equal(v, stated[0]) for v in given) if given else None
    p.claim("so", m["v"], verdict, shown(given[0]) if given else "")
    p.last = stated[0]
    return None


@decides("each")
def _each(p: Pieces, m: Match) -> bool | None:
    """`n = 1: 1 % 2 = 1, 1 == 0 is False, skipped`: the next item of a comprehension over such
    names; of several, of one that has this item next."""
    pairs = parse_binds(m["b"]) or []
    names = [name.text for name, _ in pairs]
    stated = [literal(value.text) if value else None for _, value in pairs]
    every: list[Any] = [n for n in p.nodes if isinstance(n, _COMPREHENSIONS)]
    own = [n for n in every if target_names(n.generators[0].target) == names]
    own.sort(key=lambda n: (n.lineno, n.col_offset))  # as they are told, mostly
    if not own or None in stated:
        return False
    bound = {name: value[0] for name, value in zip(names, stated, strict=True) if value}
    fitting = [n for n in own if _item(p, n, bound)] or own[:1]
    since, forms = len(p.ledger.claims), len(p.ledger.forms)
    for node in (*fitting, fitting[0]):  # of several, the one of which all is so
        del p.ledger.claims[since:], p.ledger.forms[forms:]
        _element(p, m, node, bound)
        if len(fitting) == 1 or {c.status for c in p.ledger.claims[since:]} == {SUPPORTED}:
            break
    p.turns[id(node)] = p.turns.get(id(node), 0) + 1
    return None


def _element(p: Pieces, m: Match, node: Any, bound: dict[str, Any]) -> None:
    """What is said of one item of a comprehension."""
    p.claim("item", m["b"], _item(p, node, bound), "another item is next")
    outer, nodes, tests = p.before, p.nodes, node.generators[0].ifs
    value = getattr(node, "elt", node)
    p.before = Given(bound, outer)
    p.nodes = _below((*tests, value))
    *parts, last = split(m["p"].text, ", ", m["p"].start)
    for part in parts:
        p.piece(part, _INNER)
    skipped = any(
        v is not MISSING and not isinstance(v, Raises) and not v for v in map(p.value, tests)
    )
    if skipped or last.text == "skipped":
        p.claim("skipped", last, skipped is (last.text == "skipped"), str(skipped), "branch")
    elif ends := literal(last.text):
        actual = p.value(value)
        verdict = None if actual is MISSING else equal(actual, ends[0])
        p.claim("item", last, verdict, shown(actual))
    else:
        p.piece(last, _INNER)
    p.before, p.nodes, p.last = outer, nodes, MISSING


def _item(p: Pieces, node: Any, bound: dict[str, Any]) -> bool | None:
    """Whether the comprehension's next item binds its names to these values."""
    rows, at = p.value(_bound_by(node, tuple(bound))), p.turns.get(id(node), 0)
    if not isinstance(rows, list):
        return None
    return at < len(rows) and equal(rows[at], tuple(bound.values()))
