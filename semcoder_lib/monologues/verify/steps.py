"""Reads label-led sentences (`[L5] total += n: 4 + 2 = 6, so total = 6.`) in step with the trace.

Each must tell the step that the execution took next; every slot of its form is decided by the
record at that moment, or by evaluating it there. `DECIDERS` has a function for every row of
`forms.LINES`; those about loops are in `loops`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from semcoder_lib.monologues.evaluator import Cannot, Raises, equal, evaluate, literal
from semcoder_lib.monologues.forms import LINES
from semcoder_lib.monologues.syntax import in_body
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.pieces import Pieces
from semcoder_lib.monologues.verify.report import Deciders
from semcoder_lib.monologues.verify.stated import parse_binds, same_text

LINE = re.compile(r"\s*(\[L\d{1,9}\]|L\d{1,9}) (?=\S)")
_CODE = ast.AugAssign | ast.If | ast.While | ast.For | ast.Return
DECIDERS = decides = Deciders()


class Steps:
    """A reader of the label-led sentences of one text."""

    def __init__(self, cursor: Cursor, prose: Callable[[str, int, int], None]) -> None:
        self.cursor = cursor
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.claim = cursor.claim
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
        self.pinned = None
        body = Slot(text[match.end() :].rstrip(), start + match.end(), end)
        self.sentence(self.cursor.line(match[1]), body)
        self.ledger.read_line((start, end), since)
        return True

    # --- a sentence without its label ---------------------------------------------------------

    def sentence(self, line: int, body: Slot) -> None:
        """The statement that it quotes, if it does, then the form that it has."""
        text, quoted = self.unquoted(line, body.text)
        start = body.end - len(text)
        if DECIDERS.read(LINES, text, start, self, line):
            return
        if not quoted and self._misquoted(line, text, start):
            return
        visit = self.visit(line)
        source = self.history.syntax.text(line)
        if source and text.strip("`").rstrip(".:") == source:
            self.ledger.add("order", source, "runs", True, line=line, visit=visit)
            return
        if visit is not None:  # the reader of prose may know it
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

    def _misquoted(self, line: int, text: str, start: int) -> bool:
        """Code before a colon that is not what stands on the line."""
        for head in split(text, ": ", start)[:-1]:
            code = text[: head.end - start].strip("`")
            if _is_code(code):
                self.visit(line)
                evidence = f"the line reads {self.history.syntax.text(line)}"
                place = (start, head.end)
                self.ledger.add("order", code, "here", False, evidence, line=line, place=place)
                return True
        return False

    # --- which step ---------------------------------------------------------------------------

    def visit(self, line: int) -> int | None:
        """The step that an ordinary sentence about a line tells: the next one."""
        return self.cursor.advance(line) if self.pinned is None else self.pinned

    def entered(self, line: int) -> int | None:
        """The step of a sentence that may be the second about it: its calls were told."""
        visit = self.cursor.waits(line)
        told = self.pinned is None and visit is not None and self.cursor.told(visit)
        return visit if told else self.visit(line)

    # --- claims -------------------------------------------------------------------------------

    def decide(self, visit: int, m: Match) -> None:
        """What a sentence says of the step `visit`, each slot by what stands in it: a working,
        names that get a value, an outcome, an exception, a result, what runs next."""
        history = self.history
        if "w" in m:
            outcome = self.pieces.read(m["w"], visit, after="b" in m)
            if not {"b", "v"} & m.keys():
                self._outcome(m["w"], outcome, visit)
        if "b" in m:
            self.claim_binds(m["b"], history.after(visit), visit, self._sets(visit))
        if "t" in m:
            actual = self.branch(visit)
            verdict = None if actual is None else str(actual) == m["t"].text
            self.claim("branch", "condition", m["t"], verdict, str(actual), visit)
        kind = history.raised(visit)
        for slot in (m.get("k"), m.get("k2")):
            if slot is not None:
                self.claim("exception", "raises", slot, slot.text == kind, kind or "nothing", visit)
        ends = history.next_line(visit) is None
        if "f" in m and self.claim_function(visit, m["f"]):
            if "v" in m:
                self._returned(visit, m["v"], ends)
            elif "k" in m:
                self.claim("exception", "leaves", m["f"], ends, "it is handled", visit)
            if ends:
                self.cursor.jump(history.frame(visit).last)
        if "to" in m:
            self._next(visit, m["to"])

    def _next(self, visit: int, slot: Slot) -> None:
        """`so [L6]`, `so f ends`: what this frame runs next."""
        following, name = self.history.next_line(visit), self.history.steps[visit].function
        actual = f"{name} ends" if following is None else self.history.line(following)
        label = slot.text if slot.text.endswith(" ends") else self.cursor.line(slot.text)
        self.claim("order", "next", slot, label == actual, f"next: {actual}", visit)

    def claim_function(self, visit: int, slot: Slot) -> bool:
        """The step is in a call of the function."""
        actual = self.history.steps[visit].function
        self.claim("order", "function", slot, slot.text == actual, f"this is {actual}", visit)
        return slot.text == actual

    def _returned(self, visit: int, value: Slot, ends: bool) -> None:
        """`f returns 10`, of the step that returns it."""
        returned = self.history.frame(visit).returned
        verdict, evidence = same_text(value.text, returned), returned or "it returns nothing"
        stmt = self.history.statement(visit)
        if verdict and not ends and not isinstance(stmt, ast.Return):  # a `finally` runs first
            verdict, evidence = False, "it goes on"
        self.claim("return", "returns", value, verdict, evidence, visit)

    def claim_binds(
        self, slot: Slot, state: State, visit: int | None, only: frozenset[str] | None = None
    ) -> None:
        """`a = 1, b is gone`: names at a moment; with `only`, names that the step gives a value."""
        pairs = parse_binds(slot)
        if pairs is None:
            self.claim("value", "state", slot, None, "not read", visit)
        for name, value in pairs or ():
            recorded = state.text(name.text)
            if value is None:
                verdict: bool | None = recorded is None and name.text in state.frame.names
                self.claim("value", name.text, name, verdict, recorded or "no value", visit)
                continue
            verdict, evidence = same_text(value.text, recorded), recorded or "no value"
            if recorded is None:
                verdict = _evaluates(name, value, state)
            elif verdict and only is not None and name.text.split("[")[0] not in only:
                verdict, evidence = False, "this step does not set it"
            place = Slot(value.text, name.start, value.end)
            self.claim("value", name.text, place, verdict, evidence, visit)

    def _sets(self, visit: int) -> frozenset[str]:
        """Names that a step can be said to give a value: changed, or bound again to the same."""
        return self.history.changed(visit) | self.history.syntax.stored(self.history.line(visit))

    def _outcome(self, work: Slot, outcome: object, visit: int) -> None:
        """The truth that the working of a condition arrives at is that of the condition."""
        actual = self.branch(visit)
        if not isinstance(outcome, bool):
            self.claim("branch", "outcome", work, None, "no outcome", visit)
        elif actual is not None and outcome is not actual:
            self.claim("branch", "outcome", work, False, f"the condition was {actual}", visit)

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
        try:
            return None if test is None else bool(evaluate(test, history.before(visit)))
        except (Cannot, Raises):
            return None


def _evaluates(name: Slot, value: Slot, state: State) -> bool | None:
    """Whether a name without a record (an attribute or item) evaluates to the value."""
    known = literal(value.text)
    if known is None:
        return None
    try:
        return equal(evaluate(name.text, state), known[0])
    except Raises:
        return False
    except Cannot:
        return False if name.text.isidentifier() else None


def _is_code(text: str) -> bool:
    """Whether a text can only be meant as a line of code: a computed assignment, a header."""
    for code in (text, text + ": pass"):
        try:
            node = ast.parse(code).body[0]
        except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
            continue
        if isinstance(node, _CODE):
            return True
        return isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant | ast.Name)
    return False


# --- the deciders ---------------------------------------------------------------------------------


@decides("branch", "branch.bare", "jump", "onward", "raises", "raises.out", "returns",
         "returns.worked", "set", "set.onward", "set.returns", "set.worked")  # fmt: skip
def _step(r: Steps, line: int, m: Match) -> bool | None:
    syntax = r.history.syntax
    condition = "t" in m or ("w" in m and not {"b", "v"} & m.keys())
    alone = line not in syntax.groups
    if "b" in m and (parse_binds(m["b"]) is None or ("to" in m and alone and syntax.test(line))):
        return False
    if condition and syntax.statements and syntax.test(line) is None:
        return False
    visit = r.visit(line)
    if visit is not None:
        if "j" in m:
            kind = {"break": ast.Break, "continue": ast.Continue}[m["j"].text]
            ok = isinstance(syntax.statement(line), kind)
            r.claim("order", "jump", m["j"], ok, "another statement", visit)
        r.decide(visit, m)
    return None


@decides("pass", "defined", "returns.later")
def _kind(r: Steps, line: int, m: Match) -> None:
    """What kind of statement the line has."""
    visit, stmt = r.visit(line), r.history.syntax.statement(line)
    if visit is None:
        return
    if "f" not in m:
        ok = isinstance(stmt, ast.Pass)
        r.ledger.add("order", "pass", "", ok, "another statement", line=line, visit=visit)
    elif isinstance(stmt, ast.FunctionDef | ast.ClassDef):
        r.claim("value", "is defined", m["f"], stmt.name == m["f"].text, stmt.name, visit)
    elif r.claim_function(visit, m["f"]):
        later = isinstance(stmt, ast.Return) and r.history.next_line(visit) is not None
        r.claim("order", "is about to return", m["f"], later, "another statement", visit)


def _handler(takes: bool) -> Callable[[Steps, int, Match], None]:
    def decide(r: Steps, line: int, m: Match) -> None:
        visit = r.visit(line)
        if visit is None:
            return
        stmt, following = r.history.syntax.statement(line), r.history.next_line(visit)
        ahead = None if following is None else r.history.line(following)
        ok = isinstance(stmt, ast.ExceptHandler) and in_body(stmt, ahead) is takes
        r.ledger.add("branch", "handler", str(takes), ok, line=line, visit=visit)
        r.decide(visit, m)

    return decide


decides("handler.takes")(_handler(True))
decides("handler.leaves")(_handler(False))


@decides("unchanged")
def _unchanged(r: Steps, line: int, m: Match) -> None:
    visit = r.visit(line)
    if visit is not None:
        changed = ", ".join(sorted(r.history.changed(visit)))
        looked = "beyond:cut" not in r.history.trace.flags
        verdict = False if changed else True if looked else None
        evidence = f"changed: {changed}"
        r.ledger.add("value", "no change", "", verdict, evidence, line=line, visit=visit)


@decides("call", "call.with")
def _call(r: Steps, line: int, m: Match) -> None:
    history, cursor = r.history, r.cursor
    index = next((i for i in range(cursor.at + 1, len(history.steps)) if history.is_call(i)), None)
    if index is None:
        r.claim("order", "call", m["f"], False, "nothing is called")
        return
    step = history.steps[index]
    ok = not cursor.skips(index) and step.function == m["f"].text
    r.claim("order", "is called", m["f"], ok, f"{step.function} is called", index)
    here = history.line(index) == line
    r.ledger.add("order", cursor.label(line), "is its line", here, line=line, visit=index)
    cursor.at = index
    given = frozenset(c.name for c in step.changes)
    stated: set[str] = set()
    if "b" in m:
        r.claim_binds(m["b"], history.state(index), index, given)
        stated = {name.text for name, _ in parse_binds(m["b"]) or ()}
    if given - stated:
        words = f"also {', '.join(sorted(given - stated))}"
        r.claim("value", "arguments", m.get("b", m["f"]), False, words, index)


@decides("calls")
def _calls(r: Steps, line: int, m: Match) -> None:
    visit = r.entered(line)
    if visit is not None:
        frames = r.history.calls_in(visit, r.history.call_end(visit))
        names = " and ".join(dict.fromkeys(f.function for f in frames))
        ok = m["g"].text == names and visit not in r.cursor.called
        r.claim("order", "calls", m["g"], ok, names, visit)
        r.cursor.called.add(visit)


@decides("back")
def _back(r: Steps, line: int, m: Match) -> None:
    visit = r.cursor.waits(line, m["f"].text)
    if visit is None:
        r.claim("order", "goes on", m["f"], False, "it made no call here")
        return
    end = r.history.call_end(visit)
    r.claim("order", "goes on", m["f"], not r.cursor.skips(end + 1), "calls go on", visit)
    r.cursor.jump(end)
    r.pinned = visit
    r.sentence(line, m["r"])


@decides("resumed")
def _resumed(r: Steps, line: int, m: Match) -> None:
    """The next step is of the generator, but for the line that asks it, which is told later."""
    steps, name = r.history.steps, m["f"].text
    index = r.cursor.at + 1
    while index + 1 < len(steps) and not (
        steps[index].event == "line"
        and (steps[index].frame == steps[index + 1].frame or steps[index].function == name)
    ):
        index += 1
    ok = (
        index < len(steps)
        and steps[index].function == name
        and r.history.line(index) == line
        and r.history.is_generator(steps[index].frame)
    )
    r.claim("order", "goes on", m["f"], ok, "another step is next")
    if ok:
        r.cursor.at = index - 1


@decides("yields")
def _yields(r: Steps, line: int, m: Match) -> None:
    visit = r.visit(line)
    if visit is None or not r.claim_function(visit, m["f"]):
        return
    following = r.history.next_in_frame(visit)
    if following is None or r.history.steps[following].event != "yield":
        r.claim("value", "yields", m["v"], False, "it yields nothing", visit)
        return
    yielded = r.history.steps[following].value or "None"
    r.claim("value", "yields", m["v"], same_text(m["v"].text, yielded), yielded, visit)
    r.cursor.jump(following)


@decides("ends")
def _ends(r: Steps, line: int, m: Match) -> None:
    frame = r.cursor.open_frame(m["f"].text)
    if frame is None:
        r.claim("return", "ends", m["f"], False, "it is not running")
        return
    lines = [r.history.line(i) for i in frame.steps if r.history.steps[i].event == "line"]
    ok = not r.cursor.lines_left(frame) and line == [r.history.line(frame.first), *lines][-1]
    r.claim("order", "ends", m["f"], ok, "more lines run", frame.last)
    verdict = same_text(m["v"].text, frame.returned)
    r.claim("return", "ends", m["v"], verdict, frame.returned or "it raised", frame.last)
    r.cursor.jump(frame.last)
