"""Reads the pieces of a working (`4 + 2 = 6; 0:h 1:e, so s[1] = 'e'`) at the moment of one step.

Every slot is decided by evaluating it over the recorded names, and every piece must be about an
expression of the step's own statement. `workings` has a decider for every row of `forms.PIECES`.
"""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.evaluator import (
    NO_NAMES,
    Cannot,
    Names,
    Raises,
    equal,
    evaluate,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.forms import PIECES
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.template import Slot, split
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.expressions import (
    MISSING,
    as_list,
    differ,
    is_search,
    kinds,
    links,
    operands,
    shown,
    source,
    tables,
)
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.report import Deciders
from semcoder_lib.monologues.verify.stated import shortened

DECIDERS = Deciders()
JOINED = {name: PIECES[name] for name in ("places", "nowhere")}  # with a semicolon of their own


class Pieces:
    """A reader of workings. `last` is the value that the last piece arrived at."""

    def __init__(self, cursor: Cursor) -> None:
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.cursor = cursor
        self.visit = 0
        self.before: Names = NO_NAMES
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
        self.nodes = self.history.syntax.expressions(self.history.line(visit))
        self.last, self.turns = MISSING, {}
        self.values.clear()
        parts = split(work.text, "; ", work.start)
        while parts:
            part, *parts = parts
            if parts:
                both = work.text[part.start - work.start : parts[0].end - work.start]
                if DECIDERS.read(JOINED, both, part.start, self):
                    parts = parts[1:]
                    continue
            self.piece(part, PIECES)
        return self.last

    def piece(self, part: Slot, rows: Any) -> None:
        """Decide one piece by the rows that it may have."""
        if not DECIDERS.read(rows, part.text, part.start, self):
            self.ledger.unread(part.text, (part.start, part.end))
            self.last = MISSING

    # --- what a piece can be about ------------------------------------------------------------

    def value(self, node: ast.expr | str, state: Names | None = None) -> Any:
        """The value of an expression at this moment; MISSING where it cannot be decided, the
        Raises where Python would raise."""
        state = state or self.before
        if isinstance(node, str):
            node = parse_expression(node) or ast.Name("?", ast.Load())
        key = id(node), id(state)
        if key not in self.values:
            try:
                value: Any = evaluate(node, state)
            except Cannot:
                value = MISSING
            except Raises as error:
                value = error
            self.values[key] = (node, state, value)  # kept, so that ids stay theirs
        return self.values[key][2]

    def known(self, node: ast.expr | None) -> Any:
        """The value of an expression. Raises Cannot where there is none."""
        value = MISSING if node is None else self.value(node)
        if value is MISSING or isinstance(value, Raises):
            raise Cannot("no value")
        return value

    def items(self, node: ast.expr, visit: int) -> list[Any] | None:
        """What a loop over `node` goes through, where that can be evaluated."""
        try:
            return list(evaluate(as_list(node), self.history.before(visit)))
        except (Cannot, Raises):
            return None

    def readings(self) -> list[tuple[Any, Any]]:
        """Of the statement's expressions that read a sequence: (sequence, value)."""
        reads = [(node, source(node)) for node in self.nodes if not isinstance(node, ast.Compare)]
        return [(self.value(box), self.value(node)) for node, box in reads if box is not None]

    def tables(self, boxes: list[Any], nodes: list[ast.expr]) -> list[str]:
        """Listings by place, of all of a sequence or up to the place that is asked for."""
        listings: list[str] = []
        for box in boxes:
            if not isinstance(box, str | list | tuple) or not box:
                continue
            ends = {len(box) - 1}
            for node in nodes:
                if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
                    ends.add(self.value(node.slice))
                elif isinstance(node, ast.Call) and is_search(node):
                    ends.add(self.value(node))
            for end in ends:
                if type(end) is int and 0 <= end < len(box):
                    listings += tables(box, end)
        return listings

    # --- claims -------------------------------------------------------------------------------

    def claim(self, kind: str, subject: str, slot: Slot, verdict: bool | None, why: str) -> None:
        """Record a claim about this step."""
        self.cursor.claim(kind, subject, slot, verdict, why, self.visit)

    def stands(self, slot: Slot, *expected: str | None) -> None:
        """A slot whose text must be (one of) just these; None where nothing can stand there."""
        evidence = (expected[0] if expected else None) or "nothing to list"
        self.claim("value", "stands", slot, slot.text in expected, evidence)

    def equation(
        self, left: Slot, right: Slot, state: Names | None = None, *, stores: bool = False
    ) -> bool:
        """`4 + 2 = 6`, `xs[0] is True`: an expression and the value it is said to have; with
        `stores` it may be the item that the statement stores into. False where the texts are no
        expression and no value."""
        stores = stores and self.after is not None and self._stored(left.text)
        node, stated = parse_expression(left.text), literal(right.text)
        if node is None:
            return False
        actual = self.value(node, self.after if stores else state)
        if actual is MISSING and isinstance(node, ast.Name) and self.after is not None:
            actual = self.value(node, self.after)
        verdict: bool | None = None
        evidence = shown(actual)
        self.last = MISSING if stated is None else stated[0]
        if actual is MISSING:
            pass
        elif stated is None:
            verdict = None if isinstance(actual, Raises) else _shortened(right.text, actual)
        else:
            verdict = not isinstance(actual, Raises) and equal(stated[0], actual)
            if verdict and self.nodes and not state and not stores:
                verdict, why = self._related(node, actual)
                evidence = why or evidence
        self.claim("value", left.text, Slot(left.text, left.start, right.end), verdict, evidence)
        return True

    def _related(self, node: ast.expr, value: Any) -> tuple[bool | None, str]:
        """Whether the statement has an expression of the same kind, over the same operands, with
        this value: None where it has none of that kind, False where all of them differ."""
        kind = kinds(node)[0]
        inner = node.args[0] if isinstance(node, ast.Call) and node.args else None
        listed = kind == "list()" and isinstance(inner, ast.GeneratorExp)
        if listed and any(ast.dump(own) == ast.dump(inner) for own in self.nodes):  # type: ignore[arg-type]
            return True, ""  # a generator expression, told as the list of what it gives
        verdict, why = None, "not part of this step"
        for own in self.nodes:
            for link in links(own) if kind in kinds(own) else ():
                if kind != kinds(link)[0]:
                    continue
                result = self.value(link)
                if differ(result, value):
                    verdict, why = False, f"this step gives {shown(result)}"
                elif self._same_operands(node, link):
                    return True, ""
                else:
                    verdict, why = False, "this step is about other values"
        return verdict, why

    def _same_operands(self, stated: ast.expr, own: ast.expr) -> bool:
        """Whether what is known of the operands of both is equal."""
        pairs = operands(stated), operands(own)
        if len(pairs[0]) != len(pairs[1]):
            return False
        for a, b in zip(*pairs, strict=True):
            if a is None or b is None:
                if a is not b:
                    return False
                continue
            lambdas = isinstance(a, ast.Lambda) and isinstance(b, ast.Lambda)
            if lambdas and ast.dump(a) != ast.dump(b):
                return False
            if differ(self.value(a), self.value(b)):
                return False
        return True

    def _stored(self, text: str) -> bool:
        """Whether a text names an item that the statement stores into."""
        stmt = self.history.statement(self.visit)
        targets = stmt.targets if isinstance(stmt, ast.Assign) else []
        return any(
            isinstance(t, ast.Subscript) and text.startswith(ast.unparse(t.value) + "[")
            for t in targets
        )


def _shortened(text: str, actual: Any) -> bool | None:
    try:
        return shortened(text, show(actual, 100_000))
    except NotShown:
        return None
