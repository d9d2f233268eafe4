"""The simulation: one sentence or so for each step of a planned trace, in execution order."""

from __future__ import annotations

import ast

from semcoder_lib.core.records import Change, Claim
from semcoder_lib.monologues.evaluate import Unknown
from semcoder_lib.monologues.forward.effects import Effects
from semcoder_lib.monologues.forward.frames import Frame
from semcoder_lib.monologues.forward.loops import Loops
from semcoder_lib.monologues.forward.plan import Activation, Leaf, Loop, Node
from semcoder_lib.monologues.forward.summaries import Summaries
from semcoder_lib.monologues.reading import Reading
from semcoder_lib.monologues.show import NotShown, long_text, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.working import Working


class Narrator:
    """Tells one activation tree. `lines` are the finished steps; `claims` the facts in them, whose
    `place` is still (index of the line, 0)."""

    def __init__(self, reading: Reading, style: Style) -> None:
        self.reading = reading
        self.style = style
        self.lines: list[str] = []
        self.claims: list[Claim] = []
        self.calls_told = 0
        self.frames: dict[int, Frame] = {}
        self.summaries = Summaries(self)
        self.effects = Effects(self)
        self.loops = Loops(self)

    # --- small helpers ------------------------------------------------------------------------

    def label(self, line: int) -> str:
        return f"[L{line + self.style.line_offset}]"

    def say(self, line: int, text: str) -> None:
        self.lines.append(f"[L{line + self.style.line_offset}] {text}")

    def claim(self, kind: str, subject: str, value: str, leaf: Leaf | None, line: int = 0) -> None:
        where = leaf.line if leaf else line
        visit = leaf.visit if leaf else None
        self.claims.append(Claim(kind, subject, value, where, visit, (len(self.lines), 0)))

    def value_text(self, text: str | None) -> str:
        return long_text(text or "None", self.style.value_chars)

    def onward(self, leaf: Leaf, frame: Frame) -> str:
        if leaf.next_line is None:
            return f"so {frame.function} ends"
        return f"so {self.label(leaf.next_line)}"

    def working(self, node: ast.expr, frame: Frame) -> tuple[list[str], object]:
        """Sub-steps and value; raises Unknown."""
        steps, value = Working(frame, self.style.detail, self.style.value_chars).tell(node)
        if self.style.detail == 0:
            steps = steps[-1:]
        return steps, value

    # --- activations --------------------------------------------------------------------------

    def activation(self, act: Activation) -> None:
        call = act.call
        if act.resumed:
            self._resumed(act)
            return
        frame = self.frame(act)
        self.calls_told += 1
        shown = ", ".join(f"{c.name} = {self.value_text(c.text)}" for c in call.changes)
        for change in call.changes:
            self.claims.append(
                Claim(
                    "value", change.name, change.text or "", call.line, None, (len(self.lines), 0)
                )
            )
        self.say(call.line, f"{frame.function} is called{' with ' + shown if shown else ''}.")
        self.nodes(act.body, act, frame)
        self._ending(act, frame)

    def frame(self, act: Activation) -> Frame:
        """The state of an activation; a resumed generator goes on with its own."""
        known = self.frames.get(act.call.frame)
        if known is None:
            known = Frame(self.reading, act.call.function or self.reading.entry_point)
            known.apply(act.call.changes)
            self.frames[act.call.frame] = known
        return known

    def _resumed(self, act: Activation) -> None:
        frame = self.frame(act)
        if act.leaves:
            self.say(act.leaves[0].line, f"{frame.function} goes on.")
        self.nodes(act.body, act, frame)
        self._ending(act, frame)

    def _ending(self, act: Activation, frame: Frame) -> None:
        last = act.leaves[-1] if act.leaves else None
        if act.result is None or (last is not None and isinstance(last.stmt, ast.Return)):
            return
        line = last.line if last else act.call.line
        self.claim("return", frame.function, act.result.value or "None", None, line)
        self.say(line, f"{frame.function} ends and returns {self.value_text(act.result.value)}.")

    def nodes(self, nodes: list[Node], act: Activation, frame: Frame) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                self.loops.tell(node, act, frame)
            else:
                self.leaf(node, act, frame)

    # --- one statement ------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, act: Activation, frame: Frame) -> None:
        stmt = leaf.stmt
        back = ""
        frame.results = {}
        if leaf.calls:
            self.calls(leaf, frame)
            back = f"back in {frame.function}: "
        if leaf.yielded is not None:
            text = self.value_text(leaf.yielded)
            self.say(leaf.line, f"{self.head(leaf)}{frame.function} yields {text}.")
        elif leaf.raised and not isinstance(stmt, ast.ExceptHandler):
            self._raised(leaf, frame)
        elif isinstance(stmt, ast.If | ast.While):
            self._condition(leaf, stmt.test, frame, back)
        elif isinstance(stmt, ast.Return):
            self._return(leaf, stmt, act, frame, back)
        elif isinstance(stmt, ast.Break | ast.Continue | ast.Pass):
            self._jump(leaf, stmt, frame)
        elif isinstance(stmt, ast.ExceptHandler):
            self._handler(leaf, stmt, frame)
        elif isinstance(stmt, ast.Assert):
            self._assertion(leaf, stmt, frame, back)
        else:
            self.effects.tell(leaf, frame, back)
        frame.apply(leaf.changes)

    def head(self, leaf: Leaf) -> str:
        return self.quoted(leaf.stmt) if leaf.stmt is not None else ""

    def quoted(self, stmt: ast.stmt, otherwise: str = "") -> str:
        """The statement as the source has it and a colon; `otherwise` stands in its place where it
        is too long to quote or the style quotes none."""
        text = self.reading.text(stmt) if self.style.quotes else ""
        if text and self.style.ticks:
            text = f"`{text}`"
        return f"{text or otherwise}: " if text or otherwise else ""

    def calls(self, leaf: Leaf, frame: Frame) -> None:
        names = list(dict.fromkeys(a.call.function for a in leaf.calls if not a.resumed))
        if names:
            self.say(leaf.line, f"{self.head(leaf)}calls {' and '.join(names)}.")
        told = 0
        for act in leaf.calls:
            if self.calls_told < self.style.calls and told < self.style.iterations:
                self.activation(act)
                told += 1
            else:
                self.summaries.calls(leaf, leaf.calls[told:])
                break
        nodes = _own_calls(leaf.stmt, self.reading)
        if len(nodes) == len(leaf.calls):
            for node, act in zip(nodes, leaf.calls, strict=True):
                if act.result is not None and act.result.exact and not act.generator:
                    frame.results[id(node)] = (self._result(act),)

    def _result(self, act: Activation) -> object:
        probe = Frame(self.reading, "")
        probe.apply([Change("r", act.result.value if act.result else None)])
        try:
            return probe["r"]
        except (KeyError, Unknown):
            raise Unknown("result") from None

    def changed(self, leaf: Leaf) -> str:
        parts = []
        for change in leaf.changes:
            if change.text is None:
                parts.append(f"{change.name} is gone")
                continue
            parts.append(f"{change.name} = {self.value_text(change.text)}")
            self.claim("value", change.name, change.text, leaf)
        return ", ".join(parts)

    def _condition(self, leaf: Leaf, test: ast.expr, frame: Frame, back: str) -> None:
        went = self._branch(leaf)
        head = back or self.head(leaf)
        self.say_condition(leaf, head, test, frame, went)

    def say_condition(
        self,
        leaf: Leaf,
        head: str,
        test: ast.expr,
        frame: Frame,
        went: bool | None,
        onward: str = "",
    ) -> None:
        onward = onward or ", " + self.onward(leaf, frame)
        steps: list[str] = []
        try:
            steps, value = self.working(test, frame)
            if went is None:
                went = bool(value)
            elif bool(value) is not went:
                steps = []
            elif not isinstance(value, bool):
                steps = [*steps, f"{long_text(show(value, 4_000), 60)} counts as {went}"]
            elif steps and not steps[-1].endswith(f" is {went}"):
                steps.append(f"that is {went}")
        except (Unknown, NotShown):
            pass
        self.claim("branch", self.reading.text(leaf.stmt), str(went), leaf)
        self.say(leaf.line, f"{head}{'; '.join(steps) or f'it is {went}'}{onward}.")

    def _branch(self, leaf: Leaf) -> bool | None:
        stmt = leaf.stmt
        assert isinstance(stmt, ast.If | ast.While)
        if leaf.next_line is None:
            return None if stmt.orelse else False
        last = stmt.body[-1]
        return stmt.body[0].lineno <= leaf.next_line <= (last.end_lineno or last.lineno)

    def _return(
        self, leaf: Leaf, stmt: ast.Return, act: Activation, frame: Frame, back: str
    ) -> None:
        if act.result is None:
            self.say(leaf.line, f"{self.head(leaf)}{frame.function} is about to return.")
            return
        text = act.result.value
        steps: list[str] = []
        if stmt.value is not None:
            try:
                steps, value = self.working(stmt.value, frame)
                if show(value, 4_000) != text:
                    steps = []
            except (Unknown, NotShown):
                steps = []
        self.claim("return", frame.function, text or "None", leaf)
        result = f"{frame.function} returns {self.value_text(text)}."
        told = f"{'; '.join(steps)}, so " if steps else ""
        self.say(leaf.line, f"{back or self.head(leaf)}{told}{result}")

    def _jump(self, leaf: Leaf, stmt: ast.stmt, frame: Frame) -> None:
        if isinstance(stmt, ast.Pass):
            self.say(leaf.line, "pass.")
        else:
            word = "continue" if isinstance(stmt, ast.Continue) else "break"
            self.say(leaf.line, f"{word}, {self.onward(leaf, frame)}.")

    def _raised(self, leaf: Leaf, frame: Frame) -> None:
        kind = leaf.raised.partition("(")[0].partition(":")[0]
        onward = self.onward(leaf, frame)
        if leaf.next_line is None:
            onward = f"so {frame.function} raises {kind}"
        self.claim("exception", frame.function, kind, leaf)
        self.say(leaf.line, f"{self.head(leaf)}raises {kind}, {onward}.")

    def _handler(self, leaf: Leaf, stmt: ast.ExceptHandler, frame: Frame) -> None:
        last = stmt.body[-1]
        inside = leaf.next_line is not None and (
            stmt.body[0].lineno <= leaf.next_line <= (last.end_lineno or last.lineno)
        )
        told = "it matches" if inside else "it does not match"
        self.say(leaf.line, f"{self.head(leaf)}{told}, {self.onward(leaf, frame)}.")

    def _assertion(self, leaf: Leaf, stmt: ast.Assert, frame: Frame, back: str) -> None:
        self.say_condition(leaf, back or self.head(leaf), stmt.test, frame, True)


def _own_calls(stmt: ast.stmt | None, reading: Reading) -> list[ast.Call]:
    """Calls of the program's own functions in a statement, in the order they are made; empty when
    a comprehension or a short circuit makes their number depend on values."""
    if stmt is None:
        return []
    part: ast.AST | None = stmt
    if isinstance(stmt, ast.If | ast.While):
        part = stmt.test
    elif isinstance(stmt, ast.For):
        part = stmt.iter
    found: list[ast.Call] = []

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            visit(child)
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id in reading.defined:  # type: ignore[attr-defined]
            found.append(node)  # type: ignore[arg-type]

    if part is not None:
        visit(part)
    return found
