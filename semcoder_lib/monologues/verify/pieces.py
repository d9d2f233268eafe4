"""Reads the pieces of a working (`4 + 2 = 6; 0:h 1:e, so s[1] = 'e'`) at the moment of one step.

Every slot is decided by evaluating it over the recorded names, and every piece must be about an
expression of the step's own statement. `DECIDERS` has a function for every row of `forms.PIECES`.
"""

from __future__ import annotations

import ast
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
from semcoder_lib.monologues.template import Slot, mask, plain, split
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
)
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.spelling import tables
from semcoder_lib.monologues.verify.stated import shortened
from semcoder_lib.monologues.verify.workings import DECIDERS, JOINED


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
        return 2 if self._known(both, JOINED) else 0

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
            return list(evaluate(as_list(node), self.history.before(visit)))
        except (Cannot, Raises):
            return None

    def related(self, node: ast.expr, value: Any) -> tuple[bool | None, str]:
        """Whether the statement has an expression of the same kind, over the same operands, with
        this value: None where it has none of that kind, False where all of them differ."""
        kind = kinds(node)[0]
        inner = node.args[0] if isinstance(node, ast.Call) and node.args else None
        listed = kind == "list()" and isinstance(inner, ast.GeneratorExp)
        if listed and any(ast.dump(own) == ast.dump(inner) for own in self.nodes):  # type: ignore[arg-type]
            return True, ""  # a generator expression, told as the list of what it gives
        found, actual = False, ""
        for own in self.nodes:
            if kind not in kinds(own):
                continue
            found = True
            for link in links(own):
                if kind != kinds(link)[0]:
                    continue
                result = self.value(link)
                if differ(result, value):
                    actual = f"this step gives {shown(result)}"
                elif self._same_operands(node, link):
                    return True, ""
                else:
                    actual = "this step is about other values"
        return (False, actual) if found else (None, "not part of this step")

    def _same_operands(self, stated: ast.expr, own: ast.expr) -> bool:
        """Whether what is known of the operands of both is equal."""
        pairs = operands(stated), operands(own)
        if len(pairs[0]) != len(pairs[1]):
            return False
        for a, b in zip(*pairs, strict=True):
            if (a is None) != (b is None):
                return False
            lambdas = isinstance(a, ast.Lambda) and isinstance(b, ast.Lambda)
            if lambdas and ast.dump(a) != ast.dump(b):  # type: ignore[arg-type]
                return False
            if a is not None and b is not None and differ(self.value(a), self.value(b)):
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
            verdict: bool | None = self._shortened(node, right, state)
            self.claim("value", left.text, place, verdict, "no value")
            self.last = MISSING
            return True
        actual = self.value(node, self.after if stores else state)
        if actual is MISSING and isinstance(node, ast.Name) and self.after is not None:
            actual = self.value(node, self.after)
        self.last = stated[0]
        verdict = None
        evidence = shown(actual)
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

    def stands_table(self, slot: Slot, boxes: list[Any], left: Slot | None) -> None:
        """A listing by place, of all of a sequence or up to the place that is asked for."""
        expected: list[str] = []
        for box in boxes:
            if not isinstance(box, str | list | tuple) or not box:
                continue
            ends = {len(box) - 1}
            for node in [parse_expression(left.text)] if left is not None else self.nodes:
                if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
                    ends.add(self.value(node.slice))
                elif isinstance(node, ast.Call):
                    ends.add(self.value(node) if is_search(node) else len(box) - 1)
            for end in ends:
                if type(end) is int and 0 <= end < len(box):
                    expected += tables(box, end)
        ok = slot.text in expected
        self.claim("value", "items", slot, ok, " or ".join(expected[:1]) or "no such sequence")

    def readings(self) -> list[tuple[ast.expr, Any, Any]]:
        """The statement's expressions that read a sequence: (expression, sequence, value)."""
        out = []
        for node in self.nodes:
            base: ast.expr | None = None
            if isinstance(node, ast.Subscript):
                base = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                base = node.func.value
            elif isinstance(node, ast.Call) and node.args:
                base = node.args[0]
            if base is not None:
                out.append((node, self.value(base), self.value(node)))
        return out
