"""The simulation: a sentence for each step of a trace, in execution order.

Of a long loop the first iterations are told in full, the next as rows of state, the rest as one
line with the state after them; of many calls the first. The narrator walks the record as it is
indexed by `verify.history` and fills the rows of `forms`.
"""

from __future__ import annotations

import ast
import contextlib
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Trace
from semcoder_lib.monologues.evaluator import Cannot, Raises
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.show import VALUE_CHARS, NotShown, encoded, loop_items, many, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import (
    Loop,
    Syntax,
    as_list,
    as_load,
    in_body,
    source_of,
    stored_names,
)
from semcoder_lib.monologues.verify.history import Frame, History, Pass, Run, State
from semcoder_lib.monologues.workings import Working

_WORKED_UP_TO = 4_000  # characters of a value that a working may arrive at
_SOURCE_CHARS = 60  # of a condition that is told as a whole, or of its value
_ROW_VALUE_CHARS = 40
_SHORTEST_STEP = 20  # characters
_LADDER = ((8, 12), (4, 12), (3, 6), (2, 3), (1, 1), (1, 0))
_TAKING = ("pop", "popitem", "setdefault")  # their result matters beside their effect

Sentence = tuple[str, dict[str, str]]  # a form and its slots
Bind = tuple[str, str | None]  # a name and the text of its value, None where it is gone


def simulation(syntax: Syntax, trace: Trace, style: Style) -> list[str]:
    """The steps of a trace, one a line, also of an execution that raised; told in full if that
    fits into the style's length, else with shorter loops and fewer calls. Raises UserError where a
    function stops and goes on later: generators and threads are not told."""
    if not _is_nested(trace):
        raise UserError("a generator or a thread")
    room = style.max_chars - (150 if style.brief else 400)
    history = History(trace, syntax)
    own = (style.iterations, style.rows)
    rungs = [own, *[rung for rung in _LADDER if rung[0] < own[0]]]
    if len(trace.steps) * _SHORTEST_STEP > room and style.iterations < 100:
        rungs = rungs[1:] or rungs  # it cannot fit in full
    narrator = Narrator(history, style)
    for rung, (iterations, rows) in enumerate(rungs, 1):
        calls = max(1, style.calls * iterations // max(1, style.iterations))
        dials = style.but(iterations=iterations, rows=rows, calls=calls)
        narrator.begin(dials, room if rung < len(rungs) else math.inf)
        with contextlib.suppress(_TooLong):
            if trace.steps:
                narrator.frame(history.frame(0))
            break
    return narrator.lines


class _TooLong(Exception):
    """The text has no room for what is to be told."""


def _is_nested(trace: Trace) -> bool:
    """Whether every call ends before the one that made it goes on."""
    running: dict[int, int] = {}  # the frame at each depth
    for step in trace.steps:
        if step.event == "call":
            running[step.depth] = step.frame
        if step.event == "yield" or running.get(step.depth) != step.frame:
            return False
    return True


class Narrator:
    """Tells a recorded run; `lines` are the finished sentences. A step is the index of its visit in
    the record."""

    def __init__(self, history: History, style: Style) -> None:
        self.history, self.syntax = history, history.syntax
        loops = self.syntax.loops.values()
        self.runs = {run.start: (loop, run) for loop in loops for run in history.runs(loop)}
        self.workings: dict[tuple[ast.expr, int, str], tuple[list[str], Any]] = {}
        self.begin(style, math.inf)

    def begin(self, style: Style, room: float) -> None:
        """Start anew, with other numbers of iterations and calls. What is worked out stays."""
        self.style, self.room = style, room
        self.lines: list[str] = []
        self.calls_in_full = 0

    def say(self, line: int, head: str, form: str, **slots: str) -> None:
        """Add a sentence. Raises _TooLong where there is no room for it."""
        self.lines.append(f"{self.style.label(line)} {head}{say(form, **slots)}")
        self.room -= len(self.lines[-1]) + 1
        if self.room < 0:
            raise _TooLong

    def tell(self, visit: int, head: str, sentence: Sentence) -> None:
        """`say` about one step; where it goes on (`to`) and its function (`f`) are filled in."""
        f, ahead = self.history.frame(visit).function, self.history.next_line(visit)
        to = f"{f} ends" if ahead is None else self.style.label(self.history.line(ahead))
        form, slots = sentence
        self.say(self.history.line(visit), head, form, **{"to": to, "f": f, **slots})

    def binds(self, pairs: Iterable[Bind]) -> str:
        """`a = 1, b is gone`."""
        return ", ".join(
            f"{name} is gone" if text is None else f"{name} = {text}" for name, text in pairs
        )

    def worked(self, node: ast.expr, visit: int, changing: str = "") -> tuple[list[str], Any]:
        """Pieces and value of an expression before a step; raises Cannot or Raises."""
        key = node, visit, changing
        if key not in self.workings:
            working = Working(self.history.before(visit), self.style)
            self.workings[key] = working.of(node, changing)
        return self.workings[key]

    def quoted(self, line: int) -> str:
        """What the source has on a line, and a colon; empty where it is not quoted."""
        return self.style.quote(self.syntax.text(line)) if self.style.quotes else ""

    # --- calls --------------------------------------------------------------------------------

    def frame(self, frame: Frame) -> None:
        """One call of a function, from its arguments to its end."""
        history, f = self.history, frame.function
        start = history.line(frame.first)
        self.calls_in_full += 1
        form = "call.with" if frame.given else "call"
        self.say(start, "", form, f=f, b=self.binds(frame.given.items()))
        visits = [i for i in frame.steps if history.steps[i].event == "line"]
        self.block(visits[0] if visits else None, frame.last)
        stmt = history.statement(visits[-1]) if visits else ast.Pass()
        if frame.returned is not None and not (stmt is None or isinstance(stmt, ast.Return)):
            line = history.line(visits[-1]) if visits else start
            self.say(line, "", "ends", f=f, v=frame.returned)

    def block(self, visit: int | None, end: int) -> None:
        """The steps of a call from one on, up to `end`."""
        while visit is not None and visit <= end:
            if visit in self.runs:
                loop, run = self.runs[visit]
                self.loop(loop, run)
                steps = self.history.frames[run.frame].steps
                visit = run.exit or steps[bisect_right(steps, run.end) - 1]
            else:
                self.step(visit)
            visit = self.history.next_line(visit)

    def calls(self, visit: int) -> str:
        """Tells the calls that a step makes; gives the head of the sentence that follows them."""
        history, line = self.history, self.history.line(visit)
        frames = history.calls_in(visit, history.call_end(visit))
        if not frames:
            return self.quoted(line)
        self.say(line, self.quoted(line), "calls", g=_functions(frames))
        for number, frame in enumerate(frames):
            if self.calls_in_full >= self.style.calls or number >= self.style.iterations:
                self.skipped(visit, frames[number:])
                break
            self.frame(frame)
        return f"back in {history.frame(visit).function}: "

    def skipped(self, visit: int, frames: list[Frame]) -> None:
        """Calls that are told together, with the lines that they ran and what they returned."""
        lines = self.lines_in(frames[0].first, self.history.call_end(visit))
        if not lines:
            return
        results = [frame.returned for frame in frames if frame.returned is not None]
        gave = ", ".join(results)
        form = "calls.one" if len(frames) == 1 else "calls.same"
        if len(results) == len(frames) and len(gave) < 80:
            form += ".gave"
        slots = {"n": str(len(frames)), "g": _functions(frames), "ls": self.labels(lines)}
        self.say(self.history.line(visit), "", form, v=gave, vs=gave, **slots)

    def lines_in(self, start: int, end: int) -> set[int]:
        """The lines that ran from one step to another."""
        history = self.history
        return {history.line(i) for i in range(start, end + 1) if history.is_named(i, "line")}

    def labels(self, lines: set[int]) -> str:
        return ", ".join(self.style.label(k) for k in sorted(lines))

    # --- one statement ------------------------------------------------------------------------

    def step(self, visit: int) -> None:
        """One step, with the calls that it makes before what comes of it."""
        history, stmt = self.history, self.history.statement(visit)
        ahead, raised = history.next_line(visit), history.raised(visit)
        follows = None if ahead is None else history.line(ahead)
        returned = history.frame(visit).returned
        head = self.calls(visit)
        sentence: Sentence
        match stmt:
            case ast.ExceptHandler():
                sentence = "handler.takes" if in_body(stmt, follows) else "handler.leaves", {}
            case _ if raised:
                form = "raises.out" if ahead is None else "raises"
                sentence = form, {"k": raised, "k2": raised}
            case None if ahead is None and returned is not None:  # what several statements came to
                form = "set.returns" if history.changed(visit) else "returns"
                sentence = form, {"b": self.changed(visit), "v": returned}
            case None | ast.Try() | ast.With() | ast.Match():
                sentence = self._onward(visit)
            case ast.Assert(test=test):
                sentence = self.condition(test, visit, True)
            case ast.If(test=test) | ast.While(test=test):
                open_ = ahead is None and stmt.orelse
                sentence = self.condition(test, visit, None if open_ else in_body(stmt, follows))
            case ast.Return():
                sentence = self._return(visit, stmt)
            case ast.Pass():
                head, sentence = "", ("pass", {})
            case ast.Break() | ast.Continue():
                head, sentence = "", ("jump", {"j": type(stmt).__name__.lower()})
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                sentence = "defined", {"f": name}
            case _:
                after = self.changed(visit) or self._same(stmt, visit)
                pieces: list[str] = []
                if not after and "beyond:cut" not in history.trace.flags:
                    sentence = "unchanged", {}
                elif not after:
                    sentence = self._onward(visit)
                elif head.replace("`", "") == f"{after}: " or _is_literal(stmt):
                    head, sentence = "", ("set", {"b": after})
                else:
                    with contextlib.suppress(Cannot, Raises, NotShown):
                        pieces = self._pieces(stmt, visit)
                    form = "set.worked" if pieces else "set"
                    sentence = form, {"w": "; ".join(pieces), "b": after}
        self.tell(visit, head, sentence)

    def changed(self, visit: int) -> str:
        """What a step changed, as the record has it: `total = 6, seen is gone`. An object whose
        attributes are told is not shown whole as well."""
        step = self.history.steps[visit]
        owners = {c.name.partition(".")[0] for c in step.beyond if c.scope == "attribute"}
        own = [c for c in step.changes if c.exact or c.text is None or c.name not in owners]
        return self.binds((c.name, c.text) for c in (*own, *step.beyond))

    def condition(
        self, test: ast.expr, visit: int, went: bool | None, ended: int | None = None
    ) -> Sentence:
        """A condition with its outcome: worked out where that agrees with what ran next; `ended`
        is how many iterations it ends."""
        pieces: list[str] = []
        with contextlib.suppress(Cannot, Raises, NotShown):
            steps, value = self.worked(test, visit)
            went = bool(value) if went is None else went
            if bool(value) is went:
                pieces = self._to_truth(test, steps, value)
        forms = ("branch", "branch.bare") if ended is None else ("while.over", "while.end")
        slots = {"w": "; ".join(pieces), "t": str(went), **many(ended or 0)}
        return forms[not pieces], slots

    def _to_truth(self, test: ast.expr, pieces: list[str], value: Any) -> list[str]:
        """Pieces that end in the truth of a condition; none where they cannot."""
        if not isinstance(value, bool):
            counted = say("counts", v=show(value, _SOURCE_CHARS), b=str(bool(value)))
            return pieces if pieces[-1:] == [counted] else [*pieces, counted]
        if not pieces or pieces[-1].endswith(f" is {value}"):
            return pieces
        source = source_of(test)
        whole = say("truth", e=f"({source})", b=str(value))
        return [*pieces, whole] if len(source) <= _SOURCE_CHARS else []

    def _return(self, visit: int, stmt: ast.Return) -> Sentence:
        returned = self.history.frame(visit).returned
        # else a `finally` runs, and may return something else
        agrees = self.history.next_line(visit) is None
        pieces: list[str] = []
        with contextlib.suppress(Cannot, Raises, NotShown):
            if stmt.value is not None and returned is not None:
                worked, value = self.worked(stmt.value, visit)
                if show(value, _WORKED_UP_TO) == returned:
                    pieces, agrees = worked, True
        if returned is None or not agrees:  # it goes on in a `finally`
            return self._onward(visit)
        return "returns.worked" if pieces else "returns", {"w": "; ".join(pieces), "v": returned}

    def _onward(self, visit: int) -> Sentence:
        changed = self.history.changed(visit)
        return "set.onward" if changed else "onward", {"b": self.changed(visit)}

    # --- assignments, and calls for their effect ----------------------------------------------

    def _same(self, stmt: ast.stmt, visit: int) -> str:
        """An assignment that leaves a variable what it was still says what it is."""
        state = self.history.before(visit)
        known = [(name, state.text(name)) for name in sorted(stored_names(stmt))]
        return self.binds([pair for pair in known if pair[1] is not None][:1])

    def _pieces(self, stmt: ast.stmt, visit: int) -> list[str]:
        """How what a statement stores, or the arguments of its call, come about."""
        if self.history.before(visit).unsettled():
            return []
        match stmt:
            case ast.Expr(value=ast.Call() as call):
                return self._arguments(call, visit)
            case ast.AugAssign(target=target):
                node: ast.expr = as_load(stmt)
            case (
                ast.Assign(targets=[target, *_], value=node)
                | ast.AnnAssign(target=target, value=ast.expr() as node)
            ):
                pass
            case _:
                return []
        items = isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)
        box = target.value.id if items else ""  # type: ignore[attr-defined]
        pieces, value = self.worked(node, visit, box)
        several = isinstance(stmt, ast.Assign) and len(stmt.targets) > 1
        if isinstance(target, ast.Name) and not several:
            stored = self.history.after(visit).text(target.id)
            return pieces if show(value, _WORKED_UP_TO) == stored else []
        if isinstance(stmt, ast.AugAssign) or several or isinstance(target, ast.Tuple | ast.List):
            return pieces
        if not isinstance(target, ast.Subscript):
            return []
        if box and not isinstance(target.slice, ast.Slice):
            keys, key = self.worked(target.slice, visit)
            slots = {"e": f"{box}[{show(key)}]", "v": show(value)}
            pieces = [*pieces, *keys, say("equal", **slots)]
        return pieces

    def _arguments(self, call: ast.Call, visit: int) -> list[str]:
        """Of a call for its effect: how its arguments come about."""
        pieces: list[str] = []
        if isinstance(call.func, ast.Attribute):
            owner = call.func.value
            if isinstance(owner, ast.Call):
                pieces += self._arguments(owner, visit)
            if self.style.dense and isinstance(owner, ast.Name) and call.func.attr in _TAKING:
                return self.worked(call, visit)[0]
        for argument in call.args:
            added, value = self.worked(argument, visit)
            pieces += added
            if isinstance(argument, ast.Name) and self.history.before(visit).text(argument.id):
                pieces.append(say("equal", e=argument.id, v=show(value, 60)))
        return pieces

    # --- loops --------------------------------------------------------------------------------

    def loop(self, loop: Loop, run: Run) -> None:
        """The head, the iterations (in full, as rows, elided), the end."""
        count = len(run.passes)
        full, rows = count, 0
        if count > self.style.iterations + 1:
            full = max(1, self.style.iterations)
            rows = min(self.style.rows, count - full)
        if isinstance(loop.node, ast.For):
            self._for_head(loop.node, run)
        for number, turn in enumerate(run.passes[:full], 1):
            self._turn(loop, turn, number)
        if full < count:
            ends_inside = run.exit is None
            self._rest(loop, run, full, rows, count - ends_inside)
            if ends_inside:  # by a break, a return or an exception, which has to be told
                self._turn(loop, run.passes[-1], count)
        if run.exit is not None:
            self._end(loop, run.exit, count)

    def _for_head(self, stmt: ast.For, run: Run) -> None:
        if not self.history.raised(run.start):
            self.calls(run.start)
        if not run.passes:
            return
        head = self.quoted(stmt.lineno) or ("" if self.style.dense else "the loop: ")
        try:
            items: list[Any] = self.worked(as_list(stmt.iter), run.start)[1]
        except (Cannot, Raises):
            items = []
        listing = loop_items(items, stmt)
        form = "loop.items" if listing else "loop.count"
        if not self._goes_over(items, stmt, run):
            form = "loop.start"
        self.say(stmt.lineno, head, form, l=listing, **many(len(items)))

    def _goes_over(self, items: list[Any], stmt: ast.For, run: Run) -> bool:
        """Whether a loop went over the items that it began with, or the first of them."""
        missing = len(items) - len(run.passes)
        if missing < 0 or (missing and run.exit is not None):
            return False
        name = stmt.target.id if isinstance(stmt.target, ast.Name) else ""
        states = [self.history.state(turn.start) for turn in run.passes if name]
        return all(s.text(name) == encoded(i) for s, i in zip(states, items, strict=False))

    def _turn(self, loop: Loop, turn: Pass, number: int) -> None:
        head = turn.start
        if isinstance(loop.node, ast.For):
            if number > 1:
                self.calls(head)
            state = self.history.state(head)
            now = [(name, state.text(name)) for name in loop.targets]
            bound = self.binds(pair for pair in now if pair[1] is not None)
            self.say(loop.header, "", "loop.turn", k=str(number), b=bound)
        else:
            words = f"iteration #{number}: {self.calls(head)}"
            self.tell(head, words, self.condition(loop.node.test, head, True))
        self.block(self.history.next_line(head), turn.end)

    def _end(self, loop: Loop, end: int, count: int) -> None:
        if self.history.raised(end):
            self.step(end)
        elif isinstance(loop.node, ast.While):
            words = self.calls(end)
            self.tell(end, words, self.condition(loop.node.test, end, False, count))
        else:
            if count:
                self.calls(end)
            sentence = "loop.over" if count else "loop.none", many(count)
            self.tell(end, "" if count else self.quoted(loop.header), sentence)

    def _rest(self, loop: Loop, run: Run, full: int, rows: int, until: int) -> None:
        """Iterations that are not told in full."""
        later = run.passes[full:until]
        shown, gone = later[:rows], later[rows:]
        if len(gone) == 1:
            shown, gone = later, []
        if shown:
            parts: list[str] = []
            for number, turn in enumerate(shown, full + 1):
                state = self._left([turn], run, _ROW_VALUE_CHARS)
                quiet = "goes on" if self._names([turn], run) else "no change"
                parts.append(f"#{number} {state or quiet}")
            form, z = "rows" if len(shown) > 1 else "rows.one", str(full + len(shown))
            slots = {"a": str(full + 1), "z": z, "ls": self._below(shown), "r": "; ".join(parts)}
            self.say(loop.header, "", form, **slots)
        if gone:
            state = self._left(gone, run, VALUE_CHARS)
            slots = {"a": str(full + len(shown) + 1), "z": str(until), "ls": self._below(gone)}
            form = "elided.after" if state else "elided"
            self.say(loop.header, "", form, b=state, **slots)

    def _names(self, turns: Sequence[Pass], run: Run) -> list[str]:
        """The names of the loop's call that iterations changed."""
        steps = [s for turn in turns for s in self.history.steps[turn.start : turn.end + 1]]
        changes = [c for step in steps if step.frame == run.frame for c in step.changes]
        return list(dict.fromkeys(c.name for c in changes))

    def _left(self, turns: Sequence[Pass], run: Run, limit: int) -> str:
        """How iterations left the names that they changed, where these are short."""
        state = State(self.history, self.history.frames[run.frame], turns[-1].end)
        known = [(name, state.text(name)) for name in self._names(turns, run)]
        return ", ".join(f"{name} = {text}" for name, text in known if text and len(text) <= limit)

    def _below(self, turns: Sequence[Pass]) -> str:
        """The labels of the lines that iterations ran below the loop's header."""
        return self.labels(set().union(*(self.lines_in(t.start + 1, t.end) for t in turns)))


def _functions(frames: Iterable[Frame]) -> str:
    """`g and h`: the functions that are called, in order."""
    return " and ".join(dict.fromkeys(frame.function for frame in frames))


def _is_literal(stmt: ast.AST | None) -> bool:
    """`total = 0`, which says all."""
    return (
        isinstance(stmt, ast.Assign)
        and isinstance(stmt.value, ast.Constant)
        and all(isinstance(t, ast.Name) for t in stmt.targets)
    )
