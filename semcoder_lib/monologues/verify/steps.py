"""Reads label-led sentences (`[L5] total += n: 4 + 2 = 6, so total = 6.`) in step with the trace.

Each must tell the step that the execution took next; every slot of its form is decided by the
record at that moment, or by evaluating it there. `lines` has a decider for every row of
`forms.LINES`, which moves the reader and says which of these decisions the row needs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from semcoder_lib.monologues.evaluator import known
from semcoder_lib.monologues.forms import LINES, Match, Slot
from semcoder_lib.monologues.syntax import Loop, in_body
from semcoder_lib.monologues.verify.history import History, Run, State
from semcoder_lib.monologues.verify.report import Deciders, Ledger
from semcoder_lib.monologues.verify.text import parse_binds, same_text
from semcoder_lib.monologues.verify.workings import Pieces

LINE = re.compile(r"\s*(\[L\d{1,9}\]|L\d{1,9}) (?=\S)")
DECIDERS = Deciders()
Prose = Callable[[str, int, int], None]  # reads a sentence at a moment: (text, start, visit)


class Steps:
    """A reader of the label-led sentences of one text. `at` is the last step that was told; every
    move of it enters a claim of kind `order`."""

    def __init__(self, history: History, ledger: Ledger, prose: Prose | None = None) -> None:
        self.history, self.ledger, self.prose = history, ledger, prose
        self.claim = ledger.add
        self.pieces = Pieces(history, ledger)
        self.at = -1
        self.pinned: int | None = None  # the step that the rest of a sentence is about
        self.called: set[int] = set()  # visits whose calls were named
        self.head: int | None = None  # a visit of a loop's header that only its items were told of

    def read(self, text: str, start: int) -> bool:
        """Read one line of text that starts at `start`. False where it is not label-led."""
        match = LINE.match(text)
        if match is None:
            return False
        since, end = len(self.ledger.claims), start + len(text.rstrip())
        self.ledger.place = (start + match.start(1), end)
        self.pinned = None
        body = Slot(text[match.end() :].rstrip(), start + match.end(), end)
        self.sentence(self.history.labelled(match[1]), body)
        self.ledger.read_line((start, end), since)
        return True

    def sentence(self, line: int, body: Slot) -> None:
        """A sentence without its label: the statement that it quotes, if it does, then the form
        that it has."""
        text, _ = self.unquoted(line, body.text)
        start, source = body.end - len(text), self.history.syntax.text(line)
        if DECIDERS.read(LINES, text, start, self, line):
            return
        visit = self.visit(line)
        if source and text.strip("`").rstrip(".:") == source:
            self.ledger.add("order", source, "runs", True, "", visit, line=line)
            return
        if visit is not None and self.prose is not None:  # the reader of prose may know it
            self.prose(text, start, visit)
        if text:
            self.ledger.unread(text, (start, body.end))

    def unquoted(self, line: int, text: str) -> tuple[str, bool]:
        """The text after the statement of the line and a colon, where it begins so."""
        source = self.history.syntax.text(line)
        for quote in (source, f"`{source}`") if source else ():
            if text.startswith(quote + ": "):
                return text[len(quote) + 2 :], True
        return text, False

    # --- moves --------------------------------------------------------------------------------

    def visit(self, line: int) -> int | None:
        """The step that an ordinary sentence about a line tells: the next one. None where the line
        never ran."""
        if self.pinned is not None:
            return self.pinned
        visit = self.history.next_visit(line, self.at)
        if visit is None:
            return self._move(line, self.history.last_visit(line, self.at), False)
        return self._move(line, visit, not self.skips(visit))

    def enter(self, line: int, visit: int) -> None:
        """Go to a header's visit that the text means by its number."""
        again = self.repeatable(visit)
        self._move(line, visit, again or (visit > self.at and not self.skips(visit)))
        if again:
            self.head = None

    def entered(self, line: int) -> int | None:
        """The step of a sentence that may be the second about it: its calls were told."""
        visit = self.waits(line)
        again = self.pinned is None and visit is not None and self.repeatable(visit)
        return visit if again else self.visit(line)

    def _move(self, line: int, visit: int | None, ok: bool) -> int | None:
        label, evidence = self.history.label(line), "" if ok else "that is not next"
        self.ledger.add("order", label, "runs next", ok, evidence, visit, line=line)
        if visit is not None:
            self.ledger.covered.add(line)
            self.jump(visit)
        return visit

    def jump(self, index: int) -> None:
        """Go on after a step, whose lines were told together."""
        self.at = max(self.at, index)

    # --- where in the trace -------------------------------------------------------------------

    def skips(self, visit: int) -> bool:
        """Whether lines or calls between here and `visit` were passed over."""
        between = range(self.at + 1, min(visit, len(self.history.steps)))
        return bool(between) and any(self.history.is_named(i, "line", "call") for i in between)

    def repeatable(self, visit: int) -> bool:
        """Whether a visit may be spoken of again: only its items were told, or only its calls."""
        return visit == self.head or (visit < self.at == self.history.call_end(visit))

    def run_of(self, loop: Loop) -> Run | None:
        """The run of the loop that is going on, waits for its exit, or starts next."""
        chosen: Run | None = None
        for run in self.history.runs(loop):
            if self.history.frames[run.frame].last <= self.at:
                continue
            waiting = run.exit is not None and self.repeatable(run.exit)
            if (run.start <= self.at + 1 and self.at <= run.end) or waiting:
                chosen = run  # the latest that is going on is the innermost call's
            elif run.start > self.at:
                return chosen or run
        return chosen

    def waits(self, line: int, function: str = "") -> int | None:
        """The visit of `line` that waits for the call that just ended, of the function named."""
        for index in reversed([v for v in self.history.visits.get(line, ()) if v <= self.at]):
            following = self.history.next_in_frame(index)
            if function in ("", self.history.frame(index).function) and (
                following is None or following > self.at
            ):
                return index
        return None

    def branch(self, visit: int) -> bool | None:
        """How the condition of a step came out, by what ran next or by evaluation."""
        history, line = self.history, self.history.line(visit)
        test, stmt = history.syntax.test(line), history.syntax.statements.get(line)
        if isinstance(stmt, ast.Assert):
            return not history.raised(visit)
        if isinstance(stmt, ast.If | ast.While) and stmt.body[0].lineno > stmt.lineno:
            following = history.next_line(visit)
            if following is not None:
                ahead = history.line(following)
                return in_body(stmt, ahead) and (ahead != line or isinstance(stmt, ast.While))
            if not history.raised(visit) and not stmt.orelse:
                return False
        value = None if test is None else known(test, history.before(visit))
        return None if value is None else bool(value[0])

    # --- claims -------------------------------------------------------------------------------

    def decide(self, visit: int, m: Match) -> None:
        """What a sentence says of the step `visit`, each slot by what stands in it: a working,
        names that get a value, an outcome, an exception, a result, what runs next."""
        history = self.history
        if "w" in m:
            outcome = self.pieces.read(m["w"], visit, after="b" in m)
            if "b" not in m and "v" not in m:  # of a condition
                actual, decided = self.branch(visit), isinstance(outcome, bool)
                if not decided or actual not in (None, outcome):
                    why = f"the condition was {actual}" if decided else "no outcome"
                    self.claim("branch", "outcome", m["w"], False if decided else None, why, visit)
        if "b" in m:  # names that it can be said to give a value: also again the same
            only = history.changed(visit) | history.syntax.stored(history.line(visit))
            self.claim_binds(m["b"], history.after(visit), visit, only)
        if "t" in m:
            actual = self.branch(visit)
            verdict = None if actual is None else str(actual) == m["t"].text
            self.claim("branch", "condition", m["t"], verdict, str(actual), visit)
        for slot in [m[name] for name in ("k", "k2") if name in m]:
            kind = history.raised(visit)
            self.claim("exception", "raises", slot, slot.text == kind, kind or "nothing", visit)
        f, ends = history.steps[visit].function, history.next_line(visit) is None
        if "f" in m:
            self.claim("order", "function", m["f"], m["f"].text == f, f"this is {f}", visit)
        if "f" in m and m["f"].text == f:
            if "v" in m:
                self._returned(visit, m["v"], ends)
            elif "k" in m:
                self.claim("exception", "leaves", m["f"], ends, "it is handled", visit)
            if ends:
                self.jump(history.frame(visit).last)
        if "to" in m:
            self._next(visit, m["to"])

    def _next(self, visit: int, slot: Slot) -> None:
        """`so [L6]`, `so f ends`: what this frame runs next."""
        following, name = self.history.next_line(visit), self.history.steps[visit].function
        actual = f"{name} ends" if following is None else self.history.line(following)
        ends = slot.text.endswith(" ends")
        stated = slot.text if ends else self.history.labelled(slot.text)
        self.claim("order", "next", slot, stated == actual, f"next: {actual}", visit)

    def _returned(self, visit: int, value: Slot, ends: bool) -> None:
        """`f returns 10`, of the step that returns it."""
        returned = self.history.frame(visit).returned
        verdict, evidence = same_text(value.text, returned), returned or "it returns nothing"
        if verdict and not ends and not isinstance(self.history.statement(visit), ast.Return):
            verdict, evidence = False, "it goes on"  # a `finally` may run first
        self.claim("return", "returns", value, verdict, evidence, visit)

    def claim_binds(
        self, slot: Slot, state: State, visit: int | None, only: frozenset[str] | None = None
    ) -> None:
        """`a = 1, b is gone`: names at a moment; with `only`, names that the step gives a value."""
        pairs = parse_binds(slot)
        if pairs is None:
            self.claim("value", "state", slot, None, "not read", visit)
        for name, value in pairs or ():
            recorded, own = state.text(name.text), name.text.split("[")[0]
            if value is None:
                gone = recorded is None and name.text in state.frame.names
                self.claim("value", name.text, name, gone, recorded or "no value", visit)
                continue
            verdict, evidence = state.fact(name.text, value.text)
            if recorded is None and verdict is None and name.text.isidentifier():
                verdict, evidence = False, "no value"
            if recorded is not None and verdict and only is not None and own not in only:
                verdict, evidence = False, "this step does not set it"
            place = Slot(value.text, name.start, value.end)
            self.claim("value", name.text, place, verdict, evidence, visit)
