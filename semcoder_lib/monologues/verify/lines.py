"""Decides the sentences about a step: calls, results, branches, assignments (`forms.LINES`).

Each decider gives False where the sentence is none of its form. Those about loops are in `loops`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from semcoder_lib.monologues.syntax import in_body
from semcoder_lib.monologues.template import Match
from semcoder_lib.monologues.verify.stated import parse_binds, same_text

if TYPE_CHECKING:
    from semcoder_lib.monologues.verify.steps import Steps

Decider = Callable[["Steps", int, Match], bool]
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
    visit = entered(r, line)
    if visit is None:
        return True
    frames = r.history.calls_in(visit, r.history.call_end(visit))
    names = list(dict.fromkeys(f.function for f in frames))
    ok = m["g"].text == " and ".join(names) and visit not in r.cursor.called
    r.claim("order", "calls", m["g"], ok, ", ".join(names), visit)
    r.cursor.called.add(visit)
    return True


def entered(r: Steps, line: int) -> int | None:
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
    visit = r.visit(line)
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
    visit = r.visit(line)
    if visit is not None and r.claim_function(visit, m["f"]):
        syntax = r.history.syntax
        is_return = syntax is not None and isinstance(syntax.statement(line), ast.Return)
        later = r.history.next_line(visit) is not None
        r.claim("order", "is about to return", m["f"], is_return and later, "", visit)
    return True


@decides("returns", "returns.worked")
def _returns(r: Steps, line: int, m: Match) -> bool:
    visit = r.visit(line)
    if visit is None:
        return True
    if "w" in m:
        r.pieces.read(m["w"], visit)
    r.claim_returned(visit, m["f"], m["v"])
    return True


@decides("raises", "raises.out")
def _raises(r: Steps, line: int, m: Match) -> bool:
    visit = r.visit(line)
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
    visit = r.visit(line)
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
    visit = r.visit(line)
    if visit is None:
        return True
    r.claim_binds(m["b"], r.history.after(visit), visit, r.sets(visit))
    r.claim_returned(visit, m["f"], m["v"])
    return True


def _handler(takes: bool) -> Decider:
    def decide(r: Steps, line: int, m: Match) -> bool:
        visit = r.visit(line)
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
    visit = r.visit(line)
    if visit is None:
        return True
    stmt = r.history.syntax.statement(line) if r.history.syntax else None
    ok = isinstance(stmt, ast.FunctionDef | ast.ClassDef) and stmt.name == m["f"].text
    r.claim("value", "is defined", m["f"], ok, "another statement", visit)
    return True


@decides("unchanged")
def _unchanged(r: Steps, line: int, m: Match) -> bool:
    visit = r.visit(line)
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
    """A condition, worked out or not, with how it comes out and where that leads."""
    if r.history.syntax is not None and r.history.syntax.test(line) is None:
        return False
    visit = r.visit(line)
    if visit is None:
        return True
    if "w" in m:
        r.claim_outcome(m["w"], r.pieces.read(m["w"], visit), visit)
    else:
        r.claim_truth(visit, m["t"])
    r.claim_next(visit, m["to"])
    return True


@decides("set", "set.worked")
def _set(r: Steps, line: int, m: Match) -> bool:
    if parse_binds(m["b"]) is None:
        return False
    visit = r.visit(line)
    if visit is None:
        return True
    if "w" in m:
        r.pieces.read(m["w"], visit, after=True)
    r.claim_binds(m["b"], r.history.after(visit), visit, r.sets(visit))
    return True
