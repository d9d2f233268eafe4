"""Reads label-led sentences (`[L5] total += n: 4 + 2 = 6, so total = 6.`) in step with the trace.

Each must tell the step that the execution took next; every slot of its form is decided by the
record at that moment, or by evaluating it there. `DECIDERS` has a function for every row of
`forms.LINES`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from semcoder_lib.monologues.evaluator import Cannot, Raises, equal, evaluate, literal
from semcoder_lib.monologues.forms import LINES
from semcoder_lib.monologues.syntax import in_body
from semcoder_lib.monologues.template import Slot, mask, plain, split
from semcoder_lib.monologues.verify import loops
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.lines import DECIDERS
from semcoder_lib.monologues.verify.pieces import Pieces
from semcoder_lib.monologues.verify.stated import parse_binds, same_text

__all__ = ["DECIDERS", "LINE", "Steps", "loops"]  # loops: imported to enter its deciders

LINE = re.compile(r"\s*(\[L\d{1,9}\]|L\d{1,9}) (?=\S)")
_CODE = ast.AugAssign | ast.If | ast.While | ast.For


class Steps:
    """A reader of the label-led sentences of one text."""

    def __init__(self, cursor: Cursor, prose: Callable[[str, int, int], None]) -> None:
        self.cursor = cursor
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.pieces = Pieces(cursor)
        self.prose = prose  # reads a sentence at the moment of a step: (text, start, visit)
        self.pinned: int | None = None  # the step that the rest of a sentence is about

    def read(self, text: str, start: int) -> bool:
        """Read one line of text that starts at `start`. False where it is not label-led."""
        match = LINE.match(text)
        if match is None:
            return False
        since = len(self.ledger.claims)
        end = start + len(text.rstrip())
        self.ledger.place = (start + match.start(1), end)
        body = text[match.end() :].rstrip()
        self.pinned = None
        self.sentence(self.cursor.line(match[1]), body, start + match.end())
        self.ledger.read_line((start, end), since)
        return True

    # --- a sentence without its label ---------------------------------------------------------

    def sentence(self, line: int, text: str, start: int) -> None:
        """The statement that it quotes, if it does, then the form that it has."""
        rest, quoted = self.unquoted(line, text)
        start += len(text) - len(rest)
        masked = mask(rest)
        if masked is not None:
            for name, form in LINES.items():
                if form.anchor not in masked:
                    continue
                slots = form.match(rest, masked, start)
                if slots is not None and DECIDERS[name](self, line, slots):
                    self.ledger.forms.append((name, plain(slots)))
                    return
        self._unknown(line, rest, start, quoted)

    def unquoted(self, line: int, text: str) -> tuple[str, bool]:
        """The text after the statement of the line and a colon, where it begins so."""
        source = self.history.syntax.text(line) if self.history.syntax else ""
        if source:
            for quote in (source, f"`{source}`"):
                if text.startswith(quote + ": "):
                    return text[len(quote) + 2 :], True
        return text, False

    def _unknown(self, line: int, text: str, start: int, quoted: bool) -> None:
        """A sentence of no form: its step is claimed, and the reader of prose may know it."""
        if not quoted and self._misquoted(line, text, start):
            return
        visit = self.visit(line)
        source = self.history.syntax.text(line) if self.history.syntax else ""
        if source and text.strip("`").rstrip(".:") == source:
            self.ledger.add(
                "order", source, "runs", True, "quotes the source", line=line, visit=visit
            )
            return
        if visit is not None:
            self.prose(text, start, visit)
        if text:
            self.ledger.unread(text, (start, start + len(text)))

    def _misquoted(self, line: int, text: str, start: int) -> bool:
        """Code before a colon that is not what stands on the line."""
        for head in split(text, ": ", start)[:-1]:
            code = text[: head.end - start].strip("`")
            if _is_code(code):
                self.visit(line)
                actual = self.history.syntax.text(line) if self.history.syntax else ""
                self.ledger.add(
                    "order", code, "at this line", False, f"the line reads {actual}", line=line,
                    place=(start, head.end),
                )  # fmt: skip
                return True
        return False

    def visit(self, line: int) -> int | None:
        """The step that an ordinary sentence about a line tells: the one that waits for a call of
        its own, or the next one."""
        if self.pinned is not None:
            return self.pinned
        return self.cursor.advance(line)

    # --- claims -------------------------------------------------------------------------------

    def claim(
        self,
        kind: str,
        subject: str,
        slot: Slot,
        verdict: bool | None,
        evidence: str,
        visit: int | None,
    ) -> None:
        line = self.history.line(visit) if visit is not None else None
        self.ledger.add(
            kind, subject, slot.text, verdict, evidence, line=line, visit=visit,
            place=(slot.start, slot.end),
        )  # fmt: skip

    def claim_next(self, visit: int, slot: Slot) -> None:
        """`so [L6]`, `so f ends`: what this frame runs next."""
        following = self.history.next_line(visit)
        if slot.text.endswith(" ends"):
            name = self.history.steps[visit].function
            ok = following is None and slot.text == f"{name} ends"
            evidence = f"{name} goes on" if following is not None else f"this is {name}"
        else:
            actual = None if following is None else self.history.line(following)
            ok = actual == self.cursor.line(slot.text) and actual is not None
            evidence = (
                "the frame ends" if actual is None else f"{self.cursor.label(actual)} is next"
            )
        self.claim("order", "next", slot, ok, "" if ok else evidence, visit)

    def claim_function(self, visit: int, slot: Slot) -> bool:
        actual = self.history.steps[visit].function
        self.claim("order", "function", slot, slot.text == actual, f"this is {actual}", visit)
        return slot.text == actual

    def claim_returned(self, visit: int, name: Slot, value: Slot) -> None:
        """`f returns 10`, of the step that returns it."""
        frame = self.history.frames[self.history.steps[visit].frame]
        if not self.claim_function(visit, name):
            return
        ends = self.history.next_line(visit) is None
        verdict = same_text(value.text, frame.returned)
        evidence = frame.returned or "it returns nothing"
        syntax, line = self.history.syntax, self.history.line(visit)
        stmt = syntax.statement(line) if syntax else None
        if verdict and not ends and not isinstance(stmt, ast.Return):  # a `finally` runs first
            verdict, evidence = False, "it goes on"
        self.claim("return", name.text, value, verdict, evidence, visit)
        if ends:
            self.cursor.at = max(self.cursor.at, frame.last)

    def claim_binds(
        self, slot: Slot, state: State, visit: int | None, only: frozenset[str] | None = None
    ) -> bool:
        """`a = 1, b is gone`: names at a moment; with `only`, names that the step gives a value.
        False where the text is no list of names and values."""
        pairs = parse_binds(slot)
        if pairs is None:
            return False
        for name, value in pairs:
            recorded = state.text(name.text)
            if value is None:
                verdict: bool | None = recorded is None and name.text in state.frame.names
                evidence = recorded or "never had a value"
                self.claim("value", name.text, name, verdict, evidence, visit)
                continue
            verdict = same_text(value.text, recorded)
            evidence = recorded if recorded is not None else "no value"
            if recorded is None:
                verdict = False if not state.history.syntax else self._named(name, value, state)
            elif verdict and only is not None and name.text.split("[")[0] not in only:
                verdict, evidence = False, "this step does not set it"
            place = Slot(value.text, name.start, value.end)
            self.claim("value", name.text, place, verdict, evidence, visit)
        return True

    def _named(self, name: Slot, value: Slot, state: State) -> bool | None:
        """A name without a record: an attribute or item that can be evaluated."""
        known = literal(value.text)
        if known is None:
            return None
        try:
            return equal(evaluate(name.text, state), known[0])
        except Raises:
            return False
        except Cannot:
            return False if name.text.isidentifier() else None

    def sets(self, visit: int) -> frozenset[str]:
        """Names that a step can be said to give a value: changed, or bound again to the same."""
        syntax = self.history.syntax
        stored = syntax.stored(self.history.line(visit)) if syntax else frozenset()
        return self.history.changed(visit) | stored

    def claim_outcome(self, work: Slot, outcome: object, visit: int) -> None:
        """The truth that the working of a condition arrives at is that of the condition."""
        actual = self.branch(visit)
        if not isinstance(outcome, bool):
            self.claim("branch", "outcome", work, None, "no outcome", visit)
        elif actual is not None and outcome is not actual:
            self.claim("branch", "outcome", work, False, f"the condition was {actual}", visit)

    def claim_truth(self, visit: int, slot: Slot) -> None:
        """`it is True`: the branch that was taken."""
        actual = self.branch(visit)
        verdict = None if actual is None else str(actual) == slot.text
        self.claim("branch", "condition", slot, verdict, str(actual), visit)

    def branch(self, visit: int) -> bool | None:
        """How the condition of a step came out, by what ran next or by evaluation."""
        syntax, line = self.history.syntax, self.history.line(visit)
        test = syntax.test(line) if syntax else None
        if test is None:
            return None
        stmt = syntax.statements[line] if syntax else None
        following = self.history.next_line(visit)
        if isinstance(stmt, ast.Assert):
            return not self.history.raised(visit)
        if isinstance(stmt, ast.If | ast.While) and stmt.body[0].lineno > stmt.lineno:
            if following is not None:
                ahead = self.history.line(following)
                return in_body(stmt, ahead) and (ahead != line or isinstance(stmt, ast.While))
            if not self.history.raised(visit) and not stmt.orelse:
                return False
        try:
            return bool(evaluate(test, self.history.before(visit)))
        except (Cannot, Raises):
            return None


def _is_code(text: str) -> bool:
    """Whether a text can only be meant as a line of code: a computed assignment, a header."""
    for code in (text, text + ": pass"):
        try:
            node = ast.parse(code).body[0]
        except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
            continue
        if isinstance(node, _CODE | ast.Return):
            return True
        return isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant | ast.Name)
    return False
