"""The simulation: a sentence for each step of a planned trace, in execution order."""

from __future__ import annotations

import ast

from semcoder_lib.core.records import Change, Trace
from semcoder_lib.monologues.evaluator import Cannot, Raises
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.show import NotShown, long_text, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import Syntax, in_body, stored_names
from semcoder_lib.monologues.write import loops, methods
from semcoder_lib.monologues.write.frame import Frame
from semcoder_lib.monologues.write.loops import binds
from semcoder_lib.monologues.write.plan import Activation, Leaf, Loop, Node, plan
from semcoder_lib.monologues.write.workings import Working, source_of

__all__ = ["methods", "simulation"]  # methods: imported to enter its tellers

_WORKED_UP_TO = 4_000  # characters of a value that a working may arrive at
_SOURCE_CHARS = 60  # of a condition that is told as a whole
_SHORTEST_STEP = 20  # characters
_LADDER = ((8, 12), (4, 12), (3, 6), (2, 3), (1, 1), (1, 0))


def simulation(syntax: Syntax, trace: Trace, style: Style) -> list[str]:
    """The steps of a trace, one a line, also of an execution that raised; told in full if that
    fits into the style's length, else with shorter loops and fewer calls."""
    room = style.max_chars - (150 if style.brief else 400)
    root = plan(trace, syntax)
    lines: list[str] = []
    for iterations, rows in _rungs(style, len(trace.steps), room):
        calls = max(1, style.calls * iterations // max(1, style.iterations))
        narrator = Narrator(syntax, trace, style.but(iterations=iterations, rows=rows, calls=calls))
        if root is not None:
            narrator.activation(root)
        lines = narrator.lines
        if sum(map(len, lines)) + len(lines) <= room:
            break
    return lines


def _rungs(style: Style, steps: int, room: int) -> list[tuple[int, int]]:
    """(iterations, rows) to try, in order. A trace that cannot fit in full starts lower."""
    own = (style.iterations, style.rows)
    rungs = [own, *[rung for rung in _LADDER if rung[0] < own[0]]]
    if steps * _SHORTEST_STEP > room and style.iterations < 100:
        return rungs[1:] or rungs
    return rungs


class Narrator:
    """Tells one activation tree; `lines` are the finished sentences."""

    def __init__(self, syntax: Syntax, trace: Trace, style: Style) -> None:
        self.syntax = syntax
        self.style = style
        self.lines: list[str] = []
        self.calls_told = 0
        self.frames: dict[int, Frame] = {}
        self.outer: dict[str, Change] = {}
        self.sees_all = "beyond:cut" not in trace.flags

    # --- small helpers ------------------------------------------------------------------------

    def say(self, line: int, head: str, form: str, **slots: str) -> None:
        self.lines.append(f"{self.style.label(line)} {head}{say(form, **slots)}")

    def value(self, text: str | None) -> str:
        return long_text(text or "None", self.style.value_chars)

    def onward(self, leaf: Leaf, frame: Frame) -> str:
        if leaf.next_line is None:
            return f"{frame.function} ends"
        return self.style.label(leaf.next_line)

    def working(self, node: ast.expr, frame: Frame) -> tuple[list[str], object]:
        """Pieces and value of an expression; raises Cannot or Raises."""
        pieces, value = Working(frame, self.style, self.style.value_chars).of(node)
        return pieces if self.style.detail else pieces[-1:], value

    def quoted(self, line: int) -> str:
        """What the source has on a line, and a colon; empty where it is not quoted."""
        text = self.syntax.text(line) if self.style.quotes else ""
        if text and self.style.ticks and "`" not in text:
            text = f"`{text}`"
        return f"{text}: " if text else ""

    # --- activations --------------------------------------------------------------------------

    def activation(self, act: Activation) -> None:
        frame = self.frame(act)
        if act.resumed:
            if act.leaves:
                self.say(act.leaves[0].line, "", "resumed", f=frame.function)
        else:
            self.calls_told += 1
            line = self.syntax.start(act.call.line)
            given = [(c.name, self.value(c.text)) for c in act.call.changes]
            if given:
                self.say(line, "", "call.with", f=frame.function, b=binds(given))
            else:
                self.say(line, "", "call", f=frame.function)
        self.nodes(act.body, act, frame)
        last = act.leaves[-1] if act.leaves else None
        if act.result is not None and not _is_return(last):
            line = last.line if last else self.syntax.start(act.call.line)
            self.say(line, "", "ends", f=frame.function, v=self.value(act.result.value))

    def frame(self, act: Activation) -> Frame:
        """The state of an activation; a resumed generator goes on with its own."""
        known = self.frames.get(act.call.frame)
        if known is None:
            known = Frame(self.syntax, act.call.function, self.outer)
            known.apply(act.call.changes)
            known.apply(act.call.beyond)
            self.frames[act.call.frame] = known
        return known

    def nodes(self, nodes: list[Node], act: Activation, frame: Frame) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                loops.tell(self, node, act, frame)
            else:
                self.leaf(node, act, frame)

    # --- one statement ------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, act: Activation, frame: Frame) -> None:
        """One step, with the calls that it makes before what comes of it."""
        stmt = leaf.stmt
        head = self.calls(leaf, frame)
        if leaf.yielded is not None:
            self.say(leaf.line, head, "yields", f=frame.function, v=self.value(leaf.yielded))
        elif leaf.raised and not isinstance(stmt, ast.ExceptHandler):
            self._raised(leaf, frame, head)
        elif stmt is None:
            self._group(leaf, act, frame, head)
        elif isinstance(stmt, ast.If | ast.While | ast.Assert):
            went = True if isinstance(stmt, ast.Assert) else self._branch(leaf, stmt)
            self.condition(leaf, head, stmt.test, frame, went)
        elif isinstance(stmt, ast.Return):
            self._return(leaf, stmt, act, frame, head)
        elif isinstance(stmt, ast.Pass):
            self.say(leaf.line, "", "pass")
        elif isinstance(stmt, ast.Break | ast.Continue):
            word = "continue" if isinstance(stmt, ast.Continue) else "break"
            self.say(leaf.line, "", "jump", j=word, to=self.onward(leaf, frame))
        elif isinstance(stmt, ast.ExceptHandler):
            form = "handler.takes" if in_body(stmt, leaf.next_line) else "handler.leaves"
            self.say(leaf.line, head, form, to=self.onward(leaf, frame))
        elif isinstance(stmt, ast.For):  # of a generator, whose loops go on across activations
            if in_body(stmt, leaf.next_line):
                now = self.changed(leaf) or self._same(stmt, frame)
                if now:
                    self.say(leaf.line, head, "set", b=now)
                else:
                    self._onward(leaf, frame, head)
            else:
                self.say(leaf.line, head, "loop.left", to=self.onward(leaf, frame))
        elif isinstance(stmt, ast.Try | ast.With | ast.Match):
            self._onward(leaf, frame, head)
        elif isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            self.say(leaf.line, head, "defined", f=stmt.name)
        else:
            self._effect(leaf, frame, head)
        frame.apply(leaf.changes)
        frame.apply(leaf.beyond)

    def calls(self, leaf: Leaf, frame: Frame) -> str:
        """Tells the calls that a step makes; gives the head of the sentence that follows them."""
        frame.calls = leaf.calls
        if not leaf.calls:
            return self.quoted(leaf.line)
        names = list(dict.fromkeys(a.call.function for a in leaf.calls if not a.resumed))
        if names:
            self.say(leaf.line, self.quoted(leaf.line), "calls", g=" and ".join(names))
        for number, act in enumerate(leaf.calls):
            if self.calls_told >= self.style.calls or number >= self.style.iterations:
                loops.tell_skipped(self, leaf, leaf.calls[number:])
                break
            self.activation(act)
        return f"back in {frame.function}: "

    def changed(self, leaf: Leaf) -> str:
        """What a step changed, as the record has it: `total = 6, seen is gone`. An object whose
        attributes are told is not shown whole as well."""
        owners = {c.name.partition(".")[0] for c in leaf.beyond if c.scope == "attribute"}
        seen = [c for c in leaf.changes if c.exact or c.text is None or c.name not in owners]
        seen += leaf.beyond
        return binds([(c.name, None if c.text is None else self.value(c.text)) for c in seen])

    def condition(
        self,
        leaf: Leaf,
        head: str,
        test: ast.expr,
        frame: Frame,
        went: bool | None,
        count: int = -1,
    ) -> None:
        """A condition with its outcome: worked out where that agrees with what ran next; `count`
        is how many iterations it ends."""
        pieces: list[str] = []
        try:
            pieces, value = self.working(test, frame)
            truth = bool(value)
            if went is None:
                went = truth
            elif truth is not went:
                pieces = []
            elif not isinstance(value, bool):
                shown = long_text(show(value, _WORKED_UP_TO), 60)
                pieces = [*pieces, say("counts", v=shown, b=str(went))]
            elif pieces and not pieces[-1].endswith(f" is {went}"):
                source = source_of(test)
                whole = say("truth", e=f"({source})", b=str(went))
                pieces = [*pieces, whole] if len(source) <= _SOURCE_CHARS else []
        except (Cannot, Raises, NotShown):
            pieces = []
        to, work = self.onward(leaf, frame), "; ".join(pieces)
        if count >= 0:
            n, s = str(count), "" if count == 1 else "s"
            if pieces:
                self.say(leaf.line, head, "while.over", w=work, n=n, s=s, to=to)
            else:
                self.say(leaf.line, head, "while.end", t=str(went), n=n, s=s, to=to)
        elif pieces:
            self.say(leaf.line, head, "branch", w=work, to=to)
        else:
            self.say(leaf.line, head, "branch.bare", t=str(went), to=to)

    def _branch(self, leaf: Leaf, stmt: ast.If | ast.While) -> bool | None:
        if leaf.next_line is None:
            return None if stmt.orelse else False
        return in_body(stmt, leaf.next_line)

    def _return(
        self, leaf: Leaf, stmt: ast.Return, act: Activation, frame: Frame, head: str
    ) -> None:
        last = act.leaves[-1] is leaf  # else a `finally` runs, and may return something else
        pieces: list[str] = []
        agrees = last
        try:
            if stmt.value is not None:
                pieces, value = self.working(stmt.value, frame)
                same = act.result is not None and show(value, _WORKED_UP_TO) == act.result.value
                pieces, agrees = (pieces, True) if same else ([], last)
        except (Cannot, Raises, NotShown):
            pieces = []
        if act.result is None or not agrees:
            self.say(leaf.line, head, "returns.later", f=frame.function)
            return
        value_text = self.value(act.result.value)
        if pieces:
            work = "; ".join(pieces)
            self.say(leaf.line, head, "returns.worked", w=work, f=frame.function, v=value_text)
        else:
            self.say(leaf.line, head, "returns", f=frame.function, v=value_text)

    def _raised(self, leaf: Leaf, frame: Frame, head: str) -> None:
        kind = leaf.raised
        if leaf.next_line is None:
            self.say(leaf.line, head, "raises.out", k=kind, f=frame.function, k2=kind)
        else:
            self.say(leaf.line, head, "raises", k=kind, to=self.style.label(leaf.next_line))

    def _onward(self, leaf: Leaf, frame: Frame, head: str) -> None:
        to = self.onward(leaf, frame)
        if leaf.changes or leaf.beyond:
            self.say(leaf.line, head, "set.onward", b=self.changed(leaf), to=to)
        else:
            self.say(leaf.line, head, "onward", to=to)

    def _group(self, leaf: Leaf, act: Activation, frame: Frame, head: str) -> None:
        """A line that holds several statements: what all of them came to."""
        last = leaf.next_line is None and act.result is not None and not act.generator
        if last and act.result is not None:
            returned = {"f": frame.function, "v": self.value(act.result.value)}
            if leaf.changes or leaf.beyond:
                self.say(leaf.line, head, "set.returns", b=self.changed(leaf), **returned)
            else:
                self.say(leaf.line, head, "returns", **returned)
        else:
            self._onward(leaf, frame, head)

    # --- assignments, and calls for their effect ----------------------------------------------

    def _effect(self, leaf: Leaf, frame: Frame, head: str) -> None:
        stmt = leaf.stmt
        after = self.changed(leaf) or self._same(stmt, frame)
        if not after:
            if self.sees_all:
                self.say(leaf.line, head, "unchanged")
            else:
                self._onward(leaf, frame, head)
            return
        literal = (
            not leaf.calls
            and isinstance(stmt, ast.Assign)
            and isinstance(stmt.value, ast.Constant)
            and all(isinstance(t, ast.Name) for t in stmt.targets)
        )
        if literal or head.replace("`", "") == f"{after}: ":
            self.say(leaf.line, "", "set", b=after)
            return
        pieces = self._effect_pieces(stmt, frame, leaf)
        if pieces:
            self.say(leaf.line, head, "set.worked", w="; ".join(pieces), b=after)
        else:
            self.say(leaf.line, head, "set", b=after)

    def _same(self, stmt: ast.AST | None, frame: Frame) -> str:
        """An assignment that leaves a variable what it was still says what it is."""
        for name in sorted(stored_names(stmt)):
            change = frame.texts.get(name)
            if change is not None:
                return binds([(name, self.value(change.text))])
        return ""

    def _effect_pieces(self, stmt: ast.AST | None, frame: Frame, leaf: Leaf) -> list[str]:
        try:
            if isinstance(stmt, ast.Assign):
                pieces, value = self.working(stmt.value, frame)
                target = stmt.targets[0]
                if len(stmt.targets) == 1 and isinstance(target, ast.Name):
                    return pieces if self._agrees(target.id, value, leaf, frame) else []
                if len(stmt.targets) == 1 and isinstance(target, ast.Subscript):
                    return _read_before(pieces, target) + self._store(target, value, frame)
                return pieces if not isinstance(target, ast.Attribute) else []
            if isinstance(stmt, ast.AugAssign):
                pieces, value = self.working(_as_load(stmt), frame)
                if isinstance(stmt.target, ast.Name):
                    return pieces if self._agrees(stmt.target.id, value, leaf, frame) else []
                return _read_before(pieces, stmt.target)
            if isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
                pieces, value = self.working(stmt.value, frame)
                if isinstance(stmt.target, ast.Name):
                    return pieces if self._agrees(stmt.target.id, value, leaf, frame) else []
            if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call):
                return self._arguments(stmt.value, frame)
        except (Cannot, Raises, NotShown):
            pass
        return []

    def _agrees(self, name: str, value: object, leaf: Leaf, frame: Frame) -> bool:
        """Whether a worked-out value is the recorded one; if not, the working is not told."""
        text = next((c.text for c in leaf.changes if c.name == name), None)
        if text is None:
            change = frame.texts.get(name)
            text = change.text if change else None
        return show(value, _WORKED_UP_TO) == text

    def _store(self, target: ast.Subscript, value: object, frame: Frame) -> list[str]:
        if isinstance(target.slice, ast.Slice) or not isinstance(target.value, ast.Name):
            return []
        pieces, key = self.working(target.slice, frame)
        left = f"{target.value.id}[{show(key, 160)}]"
        return [*pieces, say("equal", e=left, v=show(value, self.style.value_chars))]

    def _arguments(self, call: ast.Call, frame: Frame) -> list[str]:
        """Of a call for its effect: how its arguments come about."""
        pieces: list[str] = []
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            pieces += self._arguments(call.func.value, frame)
        if self.style.dense and isinstance(call.func, ast.Attribute):
            name, method = call.func.value, call.func.attr
            if isinstance(name, ast.Name) and method in _TAKING:
                return self.working(call, frame)[0]
        for argument in call.args:
            added, value = self.working(argument, frame)
            pieces += added
            if isinstance(argument, ast.Name) and frame.text(argument.id):
                pieces.append(say("equal", e=argument.id, v=show(value, 60)))
        return pieces


_TAKING = ("pop", "popitem", "setdefault")  # their result matters beside their effect


def _is_return(leaf: Leaf | None) -> bool:
    """Whether the sentence about a leaf already said what its function returns."""
    return leaf is not None and (isinstance(leaf.stmt, ast.Return) or leaf.stmt is None)


def _read_before(pieces: list[str], target: ast.expr) -> list[str]:
    """Pieces about an item of the object that is about to change: the item `was` what it was."""
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return pieces
    start = f"{target.value.id}["
    return [
        piece.replace(" = ", " was ", 1)
        if piece.startswith(start) and piece.count(" = ") == 1 and not piece.endswith(", the last")
        else piece
        for piece in pieces
    ]


def _as_load(stmt: ast.AugAssign) -> ast.BinOp:
    """`x + y` of `x += y`, kept on the statement."""
    load: ast.BinOp | None = getattr(stmt, "as_load", None)
    if load is None:
        target = ast.parse(source_of(stmt.target), mode="eval").body
        load = ast.BinOp(target, stmt.op, stmt.value)
        ast.fix_missing_locations(ast.copy_location(load, stmt))
        stmt.as_load = load  # type: ignore[attr-defined]
    return load
