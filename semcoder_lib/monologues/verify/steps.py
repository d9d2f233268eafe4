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
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Loop, in_body
from semcoder_lib.monologues.template import Match, Slot, mask, plain, split
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import Frame, Run, State
from semcoder_lib.monologues.verify.pieces import Pieces
from semcoder_lib.monologues.verify.stated import same_text

LINE = re.compile(r"\s*(\[L\d+\]|L\d+) (?=\S)")
_ROW = re.compile(r"#(\d+) (.+)", re.S)
_LABELS = re.compile(r"L(\d+)")
_CODE = ast.AugAssign | ast.If | ast.While | ast.For


class Steps:
    """A reader of the label-led sentences of one text."""

    def __init__(self, cursor: Cursor, prose: Callable[[str, int, int], bool]) -> None:
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
        rest, quoted = self._unquoted(line, text)
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

    def _unquoted(self, line: int, text: str) -> tuple[str, bool]:
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
        visit = self._visit(line)
        source = self.history.syntax.text(line) if self.history.syntax else ""
        if source and text.strip("`").rstrip(".:") == source:
            self.ledger.add(
                "order", source, "runs", True, "quotes the source", line=line, visit=visit
            )
            return
        if text and not (visit is not None and self.prose(text, start, visit)):
            self.ledger.unread(text, (start, start + len(text)))

    def _misquoted(self, line: int, text: str, start: int) -> bool:
        """Code before a colon that is not what stands on the line."""
        for head in split(text, ": ", start)[:-1]:
            code = text[: head.end - start].strip("`")
            if _is_code(code):
                self._visit(line)
                actual = self.history.syntax.text(line) if self.history.syntax else ""
                self.ledger.add(
                    "order", code, "at this line", False, f"the line reads {actual}", line=line,
                    place=(start, head.end),
                )  # fmt: skip
                return True
        return False

    def _visit(self, line: int) -> int | None:
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


def parse_binds(slot: Slot) -> list[tuple[Slot, Slot | None]] | None:
    """`a = 1, b is gone` as names and values (None for gone); None for another text."""
    pairs: list[tuple[Slot, Slot | None]] = []
    for part in split(slot.text, ", ", slot.start):
        masked = mask(part.text) or ""
        cut = masked.find(" = ")
        if cut > 0 and _is_target(masked[:cut]):
            name = Slot(part.text[:cut], part.start, part.start + cut)
            pairs.append((name, Slot(part.text[cut + 3 :], part.start + cut + 3, part.end)))
        elif masked.endswith(" is gone") and masked[:-8].isidentifier():
            pairs.append((Slot(part.text[:-8], part.start, part.end), None))
        elif pairs and pairs[-1][1] is not None:  # a comma in a value's own words
            name, value = pairs[-1]
            joined = slot.text[value.start - slot.start : part.end - slot.start]  # type: ignore[union-attr]
            pairs[-1] = (name, Slot(joined, value.start, part.end))  # type: ignore[union-attr]
        else:
            return None
    return pairs or None


def _is_target(masked: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[\x00*\])*", masked))


# --- the deciders: one for every row of forms.LINES. Each gives False where the sentence is none ---

Decider = Callable[[Steps, int, Match], bool]
DECIDERS: dict[str, Decider] = {}


def decides(*names: str) -> Callable[[Decider], Decider]:
    def enter(decider: Decider) -> Decider:
        DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


@decides("call", "call.with")
def _call(r: Steps, line: int, m: Match) -> bool:
    history, cursor = r.history, r.cursor
    calls = range(cursor.at + 1, len(history.steps))
    index = next((i for i in calls if history.steps[i].event == "call"
                  and not history.steps[i].function.startswith("<")), None)  # fmt: skip
    ok = index is not None and not any(
        history.steps[i].event == "line" and not history.steps[i].function.startswith("<")
        for i in range(cursor.at + 1, index)
    )
    if index is None:
        r.claim("order", "call", m["f"], False, "nothing is called", None)
        return True
    step = history.steps[index]
    right = ok and step.function == m["f"].text
    r.claim("order", "is called", m["f"], right, f"{step.function} is called", index)
    here = history.line(index) == line
    r.ledger.add("order", cursor.label(line), "is its line", here, "", line=line, visit=index)
    cursor.at = index
    given = {c.name for c in step.changes}
    if "b" in m:
        pairs = parse_binds(m["b"])
        if pairs is None or not r.claim_binds(
            m["b"], history.state(index), index, frozenset(given)
        ):
            return False
        missing = given - {name.text for name, _ in pairs}
        if missing:
            r.claim(
                "value", "arguments", m["b"], False, f"also {', '.join(sorted(missing))}", index
            )
    elif given:
        r.claim("value", "arguments", m["f"], False, f"called with {', '.join(given)}", index)
    return True


@decides("calls")
def _calls(r: Steps, line: int, m: Match) -> bool:
    visit = _entered(r, line)
    if visit is None:
        return True
    frames = r.history.calls_in(visit, r.history.call_end(visit))
    names = list(dict.fromkeys(f.function for f in frames))
    ok = m["g"].text == " and ".join(names) and visit not in r.cursor.called
    r.claim("order", "calls", m["g"], ok, ", ".join(names), visit)
    r.cursor.called.add(visit)
    return True


def _entered(r: Steps, line: int) -> int | None:
    """The visit of a sentence that may be the second about a step: its calls were told."""
    if r.pinned is not None:
        return r.pinned
    visit = r.cursor.waits(line)
    if visit is not None and r.cursor.told(visit):
        return visit
    return r.cursor.advance(line)


@decides("back")
def _back(r: Steps, line: int, m: Match) -> bool:
    visit = r.cursor.waits(line, m["f"].text)
    if visit is None:
        r.claim("order", "goes on", m["f"], False, "it made no call here", None)
        return True
    end = r.history.call_end(visit)
    r.claim("order", "goes on", m["f"], not r.cursor.skips(end + 1), "calls go on", visit)
    r.cursor.at = max(r.cursor.at, end)
    r.pinned = visit
    r.sentence(line, m["r"].text, m["r"].start)
    return True


@decides("loop.head")
def _loop_head(r: Steps, line: int, m: Match) -> bool:
    if r.cursor.loop_at(line) is None:
        return False
    r.sentence(line, m["r"].text, m["r"].start)
    return True


@decides("resumed")
def _resumed(r: Steps, line: int, m: Match) -> bool:
    """The next step is of the generator, but for the line that asks it, which is told later."""
    history = r.history
    following: int | None = r.cursor.at + 1
    while following is not None and following + 1 < len(history.steps):
        step, ahead = history.steps[following], history.steps[following + 1]
        if step.event == "line" and step.frame == ahead.frame:
            break
        if step.event == "line" and step.function == m["f"].text:
            break
        following += 1
    ok = (
        following is not None
        and history.steps[following].function == m["f"].text
        and history.line(following) == line
        and any(
            history.steps[i].event == "yield"
            for i in history.frames[history.steps[following].frame].steps
        )
    )
    r.claim("order", "goes on", m["f"], ok, "another step is next", following)
    if ok and following is not None:
        r.cursor.at = following - 1
    return True


@decides("yields")
def _yields(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None or not r.claim_function(visit, m["f"]):
        return True
    following = r.history.next_in_frame(visit)
    step = r.history.steps[following] if following is not None else None
    yielded = step.value or "None" if step is not None and step.event == "yield" else None
    verdict = False if yielded is None else same_text(m["v"].text, yielded)
    r.claim("value", "yields", m["v"], verdict, yielded or "it yields nothing", visit)
    if following is not None and yielded is not None:
        r.cursor.at = max(r.cursor.at, following)
    return True


@decides("ends")
def _ends(r: Steps, line: int, m: Match) -> bool:
    history = r.history
    frame = r.cursor.open_frame(m["f"].text)
    if frame is None:
        r.claim("return", "ends", m["f"], False, "it is not running", None)
        return True
    left = [i for i in frame.steps if i > r.cursor.at and history.steps[i].event == "line"]
    lines = [history.line(i) for i in frame.steps if history.steps[i].event == "line"]
    last = lines[-1] if lines else history.line(frame.first)
    r.claim("order", "ends", m["f"], not left and last == line, "more lines run", frame.last)
    verdict = same_text(m["v"].text, frame.returned)
    r.claim("return", m["f"].text, m["v"], verdict, frame.returned or "it raised", frame.last)
    r.cursor.at = max(r.cursor.at, frame.last)
    return True


@decides("returns.later")
def _returns_later(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is not None and r.claim_function(visit, m["f"]):
        syntax = r.history.syntax
        is_return = syntax is not None and isinstance(syntax.statement(line), ast.Return)
        later = r.history.next_line(visit) is not None
        r.claim("order", "is about to return", m["f"], is_return and later, "", visit)
    return True


@decides("returns", "returns.worked")
def _returns(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None:
        return True
    if "w" in m:
        r.pieces.read(m["w"], visit)
    r.claim_returned(visit, m["f"], m["v"])
    return True


@decides("raises", "raises.out")
def _raises(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None:
        return True
    kind = r.history.raised(visit)
    for slot in (m["k"], m.get("k2")):
        if slot is not None:
            ok = slot.text == kind
            r.claim("exception", "raises", slot, ok, kind or "nothing is raised", visit)
    if "to" in m:
        r.claim_next(visit, m["to"])
    elif r.claim_function(visit, m["f"]):
        leaves = r.history.next_line(visit) is None
        r.claim("exception", "leaves", m["f"], leaves, "it is handled", visit)
        r.cursor.at = max(r.cursor.at, r.history.frames[r.history.steps[visit].frame].last)
    return True


@decides("jump", "pass", "onward", "set.onward")
def _jump(r: Steps, line: int, m: Match) -> bool:
    stmt = r.history.syntax.statement(line) if r.history.syntax else None
    if "b" in m and (isinstance(stmt, ast.If | ast.While) or parse_binds(m["b"]) is None):
        return False
    visit = r._visit(line)
    if visit is None:
        return True
    if "j" in m:
        kind = {"break": ast.Break, "continue": ast.Continue}[m["j"].text]
        r.claim("order", "jump", m["j"], isinstance(stmt, kind), "another statement", visit)
    if "b" in m:
        r.claim_binds(m["b"], r.history.after(visit), visit, r.sets(visit))
    if "to" in m:
        r.claim_next(visit, m["to"])
    else:
        ok = isinstance(stmt, ast.Pass)
        r.ledger.add("order", "pass", "", ok, "another statement", line=line, visit=visit)
    return True


@decides("set.returns")
def _set_returns(r: Steps, line: int, m: Match) -> bool:
    if parse_binds(m["b"]) is None:
        return False
    visit = r._visit(line)
    if visit is None:
        return True
    r.claim_binds(m["b"], r.history.after(visit), visit, r.sets(visit))
    r.claim_returned(visit, m["f"], m["v"])
    return True


def _handler(takes: bool) -> Decider:
    def decide(r: Steps, line: int, m: Match) -> bool:
        visit = r._visit(line)
        if visit is None:
            return True
        stmt = r.history.syntax.statement(line) if r.history.syntax else None
        following = r.history.next_line(visit)
        ahead = None if following is None else r.history.line(following)
        ok = isinstance(stmt, ast.ExceptHandler) and in_body(stmt, ahead) is takes
        r.ledger.add("branch", "handler", str(takes), ok, "", line=line, visit=visit)
        r.claim_next(visit, m["to"])
        return True

    return decide


decides("handler.takes")(_handler(True))
decides("handler.leaves")(_handler(False))


@decides("defined")
def _defined(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None:
        return True
    stmt = r.history.syntax.statement(line) if r.history.syntax else None
    ok = isinstance(stmt, ast.FunctionDef | ast.ClassDef) and stmt.name == m["f"].text
    r.claim("value", "is defined", m["f"], ok, "another statement", visit)
    return True


@decides("unchanged")
def _unchanged(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None:
        return True
    changed = sorted(r.history.changed(visit))
    looked = "beyond:cut" not in r.history.trace.flags
    verdict = False if changed else True if looked else None
    r.ledger.add(
        "value", "nothing changes", "", verdict, f"changed: {', '.join(changed)}", line=line,
        visit=visit,
    )  # fmt: skip
    return True


@decides("branch", "branch.bare")
def _branch(r: Steps, line: int, m: Match) -> bool:
    visit = r._visit(line)
    if visit is None:
        return True
    if "w" in m:
        outcome = r.pieces.read(m["w"], visit)
        actual = r.branch(visit)
        if actual is not None and isinstance(outcome, bool) and outcome is not actual:
            r.claim("branch", "outcome", m["w"], False, f"the condition was {actual}", visit)
    else:
        r.claim_truth(visit, m["t"])
    r.claim_next(visit, m["to"])
    return True


@decides("set", "set.worked")
def _set(r: Steps, line: int, m: Match) -> bool:
    if parse_binds(m["b"]) is None:
        return False
    visit = r._visit(line)
    if visit is None:
        return True
    if "w" in m:
        r.pieces.read(m["w"], visit, after=True)
    r.claim_binds(m["b"], r.history.after(visit), visit, r.sets(visit))
    return True


# --- loops ---------------------------------------------------------------------------------------


def _iteration(r: Steps, loop: Loop, m: Match) -> tuple[Run, int] | None:
    """The run of the loop and the header's visit that begins the iteration named."""
    run, number = r.cursor.run_of(loop), int(m["k"].text)
    total = len(run.passes) if run else 0
    ok = run is not None and 1 <= number <= total
    r.claim("iterations", "iteration", m["k"], ok, f"{total} iterations", None)
    if run is None or not ok:
        return None
    visit = r.cursor.enter(loop.header, run.passes[number - 1].start, "not the next iteration")
    return (run, visit) if visit is not None else None


@decides("loop.turn")
def _turn(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or not loop.is_for or parse_binds(m["b"]) is None:
        return False
    entered = _iteration(r, loop, m)
    if entered is not None:
        state = r.history.state(entered[1])
        r.claim_binds(m["b"], state, entered[1], frozenset(loop.targets))
    return True


@decides("while.turn")
def _while_turn(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or loop.is_for:
        return False
    entered = _iteration(r, loop, m)
    if entered is not None:
        r.pinned = entered[1]
        r.sentence(line, m["r"].text, m["r"].start)
    return True


def _over(r: Steps, loop: Loop | None, line: int, m: Match) -> int | None:
    """The header's visit that ends the loop after as many iterations as are named."""
    run = r.cursor.run_of(loop) if loop is not None else None
    total = len(run.passes) if run else 0
    ends = run is not None and run.exit is not None
    if "n" in m:
        ok = ends and int(m["n"].text) == total
        r.claim("iterations", "iterations", m["n"], ok, f"{total} iterations", None)
    if run is None or run.exit is None:
        r.ledger.add(
            "order", r.cursor.label(line), "the loop ends", False, "it does not", line=line
        )
        return None
    return r.cursor.enter(line, run.exit, "the loop goes on here")


@decides("loop.over", "loop.none", "loop.left", "while.over", "while.end")
def _loop_over(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None:
        return False
    if "n" not in m and "w" not in m and "t" not in m:  # `0 items`, `no items are left`
        run = r.cursor.run_of(loop)
        generator = (
            run is not None and r.cursor.history.frames[run.frame].steps and _is_generator(r, run)
        )
        if run is not None and run.passes and not generator:
            r.ledger.add("iterations", "iterations", "0", False, f"{len(run.passes)}", line=line)
    visit = _over(r, loop, line, m)
    if visit is None:
        return True
    if r.history.raised(visit):
        r.ledger.add("exception", "the loop ends", "", False, "it raises", line=line, visit=visit)
    if "w" in m:
        outcome = r.pieces.read(m["w"], visit)
        if outcome is True:
            r.claim("branch", "outcome", m["w"], False, "the loop ends here", visit)
    elif "t" in m:
        r.claim_truth(visit, m["t"])
    r.claim_next(visit, m["to"])
    return True


def _is_generator(r: Steps, run: Run) -> bool:
    steps = r.history.frames[run.frame].steps
    return any(r.history.steps[i].event == "yield" for i in steps)


@decides("loop.items", "loop.count", "loop.start")
def _items(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or not isinstance(loop.node, ast.For):
        return False
    visit = _entered(r, line)
    if visit is None:
        return True
    r.cursor.head = visit
    run = next((x for x in r.history.runs(loop) if x.start <= visit <= x.end), None)
    if "n" not in m:
        ok = run is not None and run.start == visit
        r.ledger.add("iterations", "starts", "", ok, "the loop goes on", line=line, visit=visit)
        return True
    items = r.pieces.items(loop.node.iter, visit)
    passes = len(run.passes) if run else 0
    if items is None:
        complete = run is not None and run.exit is not None
        verdict = int(m["n"].text) == passes if complete else None
        r.claim("iterations", "items", m["n"], verdict, f"{passes} iterations", visit)
    else:
        ok = len(items) == int(m["n"].text)
        r.claim("iterations", "items", m["n"], ok, f"{len(items)} items", visit)
    if "l" in m:
        _listing(r, m["l"], items, visit)
    return True


def _listing(r: Steps, slot: Slot, items: list[object] | None, visit: int) -> None:
    """`#1 'a', #2 'b', ..., #9 'z'`, of a range `0, 1, ..., 9`: each item at its place."""
    parts = split(slot.text, ", ", slot.start)
    if len({p.text.startswith("#") for p in parts if p.text != "..."}) > 1:
        r.claim("value", "items", slot, False, "numbered here and not there", visit)
    for number, part in enumerate(parts, 1):
        if part.text == "...":
            ok = number not in (1, len(parts)) and items is not None and len(items) > len(parts) - 1
            r.claim("value", "items", part, ok, "no items are left out", visit)
            continue
        match = _ROW.fullmatch(part.text)
        place = int(match[1]) if match else number
        if number == len(parts) and not match and any(p.text == "..." for p in parts):
            place = len(items or [])
        elif match and "..." not in [p.text for p in parts[: number - 1]] and place != number:
            r.claim("value", "item", part, False, f"this is item {number}", visit)
            continue
        stated = literal(match[2] if match else part.text)
        if stated is None or items is None:
            r.claim("value", "item", part, None, "no such value", visit)
            continue
        ok = 1 <= place <= len(items) and equal(items[place - 1], stated[0])
        last = number == len(parts) and "..." in [p.text for p in parts]
        if ok and last and place != len(items):
            ok = False
        r.claim("value", f"item {place}", part, ok, brief(items), visit)


# --- what is told together -----------------------------------------------------------------------


@decides("rows", "rows.one", "same", "same.after")
def _together(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None:
        return False
    run = r.cursor.run_of(loop)
    first, last = int(m["a"].text), int(m["z"].text if "z" in m else m["a"].text)
    total = len(run.passes) if run else 0
    ok = run is not None and 1 <= first <= last <= total
    for slot in (m["a"], m.get("z")):
        if slot is not None:
            r.claim("iterations", "iteration", slot, ok, f"{total} iterations", None)
    if run is None or not ok:
        return True
    start = run.passes[first - 1].start
    if r.cursor.skips(start) or start <= r.cursor.at:
        r.claim("order", "iteration", m["a"], False, "not the next iteration", start)
    _labels(r, m["ls"], run.passes[first - 1].start + 1, run.passes[last - 1].end, run.frame)
    frame = r.history.frames[run.frame]
    if "b" in m:
        state = State(r.history, frame, run.passes[last - 1].end)
        changed = _changed_in(r, run, first, last)
        if not r.claim_binds(m["b"], state, None, changed):
            r.claim("value", "state", m["b"], None, "not read", None)
    for row, number in (
        zip(split(m["r"].text, "; ", m["r"].start), range(first, last + 2), strict=False)
        if "r" in m
        else ()
    ):
        _row(r, row, number, run, frame, first, last)
    if "r" in m and len(split(m["r"].text, "; ")) != last - first + 1:
        r.claim("iterations", "rows", m["r"], False, f"{last - first + 1} iterations", None)
    r.cursor.at = max(r.cursor.at, run.passes[last - 1].end)
    r.cursor.head = None
    return True


def _row(r: Steps, row: Slot, number: int, run: Run, frame: Frame, first: int, last: int) -> None:
    match = _ROW.fullmatch(row.text)
    if match is None or int(match[1]) != number or not first <= number <= last:
        verdict = None if match is None else False
        r.claim("iterations", "row", row, verdict, f"this is iteration {number}", None)
        return
    changed = _changed_in(r, run, number, number)
    if match[2] in ("no change", "goes on"):
        ok = not changed or match[2] == "goes on"
        r.claim("value", "no change", row, ok, f"changed: {', '.join(sorted(changed))}", None)
        return
    state = State(r.history, frame, run.passes[number - 1].end)
    binds = Slot(match[2], row.start + match.start(2), row.end)
    if not r.claim_binds(binds, state, None, changed):
        r.claim("value", "state", row, None, "not read", None)


def _changed_in(r: Steps, run: Run, first: int, last: int) -> frozenset[str]:
    """Names of the loop's frame that iterations `first` to `last` changed."""
    names: set[str] = set()
    for one in run.passes[first - 1 : last]:
        for index in range(one.start, one.end + 1):
            if r.history.steps[index].frame == run.frame:
                names |= r.history.changed(index)
    return frozenset(names)


def _labels(r: Steps, slot: Slot, start: int, end: int, frame: int | None = None) -> None:
    """`[L3], [L4]`: just the lines that ran between two steps, in order; those of the header that
    the sentence is about, in its `frame`, aside."""
    header = r.history.line(start - 1) if frame is not None else -1
    named = [r.history.start(int(n) - r.cursor.offset) for n in _LABELS.findall(slot.text)]
    ran = {
        r.history.line(i)
        for i in range(start, end + 1)
        if r.history.steps[i].event == "line"
        and not r.history.steps[i].function.startswith("<")
        and not (r.history.line(i) == header and r.history.steps[i].frame == frame)
    }
    ok = named == sorted(ran)
    r.claim("order", "run in them", slot, ok, str(sorted(ran)), None)
    r.ledger.covered |= ran


@decides("calls.one", "calls.one.gave", "calls.same", "calls.same.gave")
def _skipped(r: Steps, line: int, m: Match) -> bool:
    visit = r.cursor.waits(line)
    if visit is None:
        r.claim("order", "calls", m["g"], False, "it makes no calls", None)
        return True
    end = r.history.call_end(visit)
    frames = r.history.calls_in(r.cursor.at, end)
    count = int(m["n"].text) if "n" in m else 1
    names = " and ".join(dict.fromkeys(f.function for f in frames))
    place = m.get("n", m["g"])
    r.claim("order", "calls", place, len(frames) == count, f"{len(frames)} calls", visit)
    r.claim("order", "calls", m["g"], names == m["g"].text, names, visit)
    _labels(r, m["ls"], r.cursor.at + 1, end)
    values = split(m["vs"].text, ", ", m["vs"].start) if "vs" in m else [m["v"]] if "v" in m else []
    if values and len(values) != len(frames):
        r.claim("return", "returned", values[-1], False, f"{len(frames)} results", visit)
    for value, frame in zip(values, frames, strict=False):
        verdict = same_text(value.text, frame.returned)
        r.claim("return", frame.function, value, verdict, frame.returned or "", visit)
    r.cursor.at = max(r.cursor.at, end)
    return True


@decides("resumed.same")
def _resumed_same(r: Steps, line: int, m: Match) -> bool:
    visit = r.cursor.waits(line)
    if visit is None or r.cursor.told(visit):  # the line that asks it is told later
        visit = r.history.next_visit(line, r.cursor.at)
        if visit is not None and r.cursor.skips(visit):
            visit = None
    if visit is None:
        r.claim("order", "goes on", m["g"], False, "it is not running", None)
        return True
    end, start = r.history.call_end(visit), max(r.cursor.at, visit) + 1
    ran = [
        s
        for s in r.history.steps[start : end + 1]
        if s.event == "line" and not s.function.startswith("<")
    ]
    depth = min((s.depth for s in ran), default=0)
    names = {s.function for s in ran if s.depth == depth}
    ok = names == set(m["g"].text.split(" and "))
    r.claim("order", "goes on", m["g"], ok, ", ".join(sorted(names)), visit)
    _labels(r, m["ls"], start, end)
    r.cursor.at = max(r.cursor.at, end)
    return True
