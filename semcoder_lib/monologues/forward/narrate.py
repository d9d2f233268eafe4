"""The simulation: one sentence or so for each step of a planned trace, in execution order."""

from __future__ import annotations

import ast
import re
from random import Random

from semcoder_lib.monologues.evaluate import Unknown, evaluate
from semcoder_lib.monologues.forward.frames import Frame
from semcoder_lib.monologues.forward.plan import Activation, Leaf, Loop, Node, Turn
from semcoder_lib.monologues.forward.summaries import Summaries
from semcoder_lib.monologues.reading import Reading
from semcoder_lib.monologues.show import NotShown, long_text, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.working import SPELL_UP_TO, Working
from semcoder_lib.records import Change, Claim


class Narrator:
    """Tells one activation tree. `lines` are the finished steps; `claims` the facts in them, whose
    `place` is still (index of the line, 0)."""

    def __init__(self, reading: Reading, style: Style, rng: Random) -> None:
        self.reading = reading
        self.style = style
        self.rng = rng
        self.lines: list[str] = []
        self.claims: list[Claim] = []
        self.calls_told = 0
        self.frames: dict[int, Frame] = {}
        self.summaries = Summaries(self)

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
                self.loop(node, act, frame)
            else:
                self.leaf(node, act, frame)

    # --- one statement ------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, act: Activation, frame: Frame) -> None:
        stmt = leaf.stmt
        back = ""
        frame.results = {}
        if leaf.calls:
            self._calls(leaf, frame)
            back = f"back in {frame.function}: "
        if leaf.yielded is not None:
            text = self.value_text(leaf.yielded)
            self.say(leaf.line, f"{self._head(leaf)}{frame.function} yields {text}.")
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
            self._effect(leaf, frame, back)
        frame.apply(leaf.changes)

    def _head(self, leaf: Leaf) -> str:
        text = self.reading.text(leaf.stmt) if leaf.stmt is not None else ""
        return f"{text}: " if text else ""

    def _calls(self, leaf: Leaf, frame: Frame) -> None:
        names = list(dict.fromkeys(a.call.function for a in leaf.calls))
        self.say(leaf.line, f"{self._head(leaf)}calls {' and '.join(names)}.")
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

    def _changed(self, leaf: Leaf) -> str:
        parts = []
        for change in leaf.changes:
            if change.text is None:
                parts.append(f"{change.name} is gone")
                continue
            parts.append(f"{change.name} = {self.value_text(change.text)}")
            self.claim("value", change.name, change.text, leaf)
        return ", ".join(parts)

    def _effect(self, leaf: Leaf, frame: Frame, back: str) -> None:
        """An assignment, or an expression for its effect."""
        stmt = leaf.stmt
        after = self._changed(leaf) or self._unchanged(stmt, frame, leaf)
        if back:
            head = back
        else:
            head = self._head(leaf)
            literal = (
                isinstance(stmt, ast.Assign)
                and isinstance(stmt.value, ast.Constant)
                and all(isinstance(t, ast.Name) for t in stmt.targets)
            )
            if literal or head == f"{after}: ":
                self.say(leaf.line, f"{after}.")
                return
        steps = self._effect_steps(stmt, frame, leaf)
        if steps and after != "nothing changes":
            self.say(leaf.line, f"{head}{'; '.join(steps)}, so {after}.")
        else:
            self.say(leaf.line, f"{head}{after}.")

    def _unchanged(self, stmt: ast.stmt | None, frame: Frame, leaf: Leaf) -> str:
        if isinstance(stmt, ast.Assign | ast.AugAssign | ast.AnnAssign):
            target = stmt.targets[0] if isinstance(stmt, ast.Assign) else stmt.target
            if isinstance(target, ast.Name) and target.id in frame.texts:
                text = frame.texts[target.id].text
                self.claim("value", target.id, text or "", leaf)
                return f"{target.id} = {self.value_text(text)}"
        if isinstance(stmt, ast.For):
            return f"no items are left, {self.onward(leaf, frame)}"
        if isinstance(stmt, ast.Try | ast.With | ast.Match):
            return self.onward(leaf, frame)
        if isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            return f"{stmt.name} is defined"
        return "nothing changes"

    def _effect_steps(self, stmt: ast.stmt | None, frame: Frame, leaf: Leaf) -> list[str]:
        try:
            if isinstance(stmt, ast.Assign):
                steps, value = self.working(stmt.value, frame)
                if len(stmt.targets) == 1 and isinstance(stmt.targets[0], ast.Name):
                    if not self._agrees(stmt.targets[0].id, value, leaf, frame):
                        return []
                elif isinstance(stmt.targets[0], ast.Subscript) and len(stmt.targets) == 1:
                    stored = self._store(stmt.targets[0], value, frame)
                    return _before(steps, stmt.targets[0]) + stored
                return steps
            if isinstance(stmt, ast.AugAssign):
                return self._augmented(stmt, frame, leaf)
            if isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
                return self.working(stmt.value, frame)[0]
            if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call):
                return self._argument_steps(stmt.value, frame)
        except (Unknown, NotShown):
            pass
        return []

    def _agrees(self, name: str, value: object, leaf: Leaf, frame: Frame) -> bool:
        """Whether the worked-out value is the one in the trace; if not, the working is not told."""
        text = next((c.text for c in leaf.changes if c.name == name), None)
        if text is None:
            change = frame.texts.get(name)
            text = change.text if change else None
        try:
            return show(value, 4_000) == text
        except NotShown:
            return False

    def _store(self, target: ast.Subscript, value: object, frame: Frame) -> list[str]:
        if isinstance(target.slice, ast.Slice) or not isinstance(target.value, ast.Name):
            return []
        key_steps, key = self.working(target.slice, frame)
        left = f"{target.value.id}[{show(key)}]"
        return [*key_steps, f"{left} = {show(value, self.style.value_chars)}"]

    def _augmented(self, stmt: ast.AugAssign, frame: Frame, leaf: Leaf) -> list[str]:
        load = _as_load(stmt)
        steps, value = self.working(load, frame)
        if isinstance(stmt.target, ast.Name):
            return steps if self._agrees(stmt.target.id, value, leaf, frame) else []
        if isinstance(stmt.target, ast.Subscript):
            return _before(steps, stmt.target)
        return steps

    def _argument_steps(self, call: ast.Call, frame: Frame) -> list[str]:
        steps: list[str] = []
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            steps += self._argument_steps(call.func.value, frame)
        for arg in call.args:
            made, value = self.working(arg, frame)
            steps += made
            if isinstance(arg, ast.Name) and arg.id in frame.texts:
                steps.append(f"{arg.id} = {show(value, 60)}")
        return steps

    def _condition(self, leaf: Leaf, test: ast.expr, frame: Frame, back: str) -> None:
        went = self._branch(leaf)
        head = back or self._head(leaf)
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
            self.say(leaf.line, f"{self._head(leaf)}{frame.function} is about to return.")
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
        self.say(leaf.line, f"{back or self._head(leaf)}{told}{result}")

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
        self.say(leaf.line, f"{self._head(leaf)}raises {kind}, {onward}.")

    def _handler(self, leaf: Leaf, stmt: ast.ExceptHandler, frame: Frame) -> None:
        last = stmt.body[-1]
        inside = leaf.next_line is not None and (
            stmt.body[0].lineno <= leaf.next_line <= (last.end_lineno or last.lineno)
        )
        told = "it matches" if inside else "it does not match"
        self.say(leaf.line, f"{self._head(leaf)}{told}, {self.onward(leaf, frame)}.")

    def _assertion(self, leaf: Leaf, stmt: ast.Assert, frame: Frame, back: str) -> None:
        self.say_condition(leaf, back or self._head(leaf), stmt.test, frame, True)

    # --- loops --------------------------------------------------------------------------------

    def loop(self, loop: Loop, act: Activation, frame: Frame) -> None:
        is_for = isinstance(loop.stmt, ast.For)
        if is_for:
            self._for_head(loop, frame)
        full, rows = self.summaries.split(loop)
        for number, turn in enumerate(loop.turns[:full], 1):
            self._turn(loop, turn, number, act, frame)
        if full < len(loop.turns):
            ends_inside = loop.end is None
            self.summaries.rest(loop, full, rows, frame, len(loop.turns) - ends_inside)
            if ends_inside:  # by a break, a return or an exception, which has to be told
                self._turn(loop, loop.turns[-1], len(loop.turns), act, frame)
        if loop.end is not None:
            self._loop_end(loop, loop.end, frame)

    def _turn(self, loop: Loop, turn: Turn, number: int, act: Activation, frame: Frame) -> None:
        if isinstance(loop.stmt, ast.For):
            if number > 1 and turn.head.calls:
                self._calls(turn.head, frame)
            self._iteration(loop, turn.head, number, frame)
        else:
            self._while(loop, turn.head, number, frame)
        frame.apply(turn.head.changes)
        self.nodes(turn.body, act, frame)

    def _for_head(self, loop: Loop, frame: Frame) -> None:
        stmt = loop.stmt
        assert isinstance(stmt, ast.For)
        first = loop.turns[0].head if loop.turns else loop.end
        line = stmt.lineno
        if first is not None and first.calls:
            self._calls(first, frame)
        if not loop.turns:
            return
        self.say(
            line, f"{self.reading.text(stmt) or 'the loop'}: {self._items(loop, stmt, frame)}."
        )

    def _items(self, loop: Loop, stmt: ast.For, frame: Frame) -> str:
        n = len(loop.turns)
        items: list[object] | None = None
        try:
            made = evaluate(stmt.iter, frame)
            if not isinstance(made, set | frozenset) or len(made) < 2:
                items = list(made)
        except (Unknown, TypeError):
            items = None
        if items is None or len(items) < n:
            return "the loop starts"
        word = "item" if len(items) == 1 else "items"
        try:
            shown = [show(x, 60) for x in items[: SPELL_UP_TO + 1]]
        except NotShown:
            return f"{len(items)} {word}"
        ranged = isinstance(made, range)
        if not ranged:
            shown = [f"#{i} {t}" for i, t in enumerate(shown, 1)]
        if len(items) > SPELL_UP_TO:
            mark = "" if ranged else f"#{len(items)} "
            try:
                shown = [*shown[:3], "...", mark + show(items[-1], 60)]
            except NotShown:
                return f"{len(items)} {word}"
        return f"{len(items)} {word}, {', '.join(shown)}"

    def _iteration(self, loop: Loop, head: Leaf, number: int, frame: Frame) -> None:
        stmt = loop.stmt
        assert isinstance(stmt, ast.For)
        changed = {c.name: c for c in head.changes}
        parts = []
        for name in _target_names(stmt.target):
            change = changed.get(name) or frame.texts.get(name)
            if change is None or change.text is None:
                continue
            parts.append(f"{name} = {self.value_text(change.text)}")
            self.claim("value", name, change.text, head)
        self.claim("iterations", str(number), "", head)
        told = f": {', '.join(parts)}" if parts else " begins"
        self.say(head.line, f"iteration #{number}{told}.")

    def _while(self, loop: Loop, head: Leaf, number: int, frame: Frame) -> None:
        assert isinstance(loop.stmt, ast.While)
        frame.results = {}
        if head.calls:
            self._calls(head, frame)
        self.claim("iterations", str(number), "", head)
        intro = f"iteration #{number}: {self.reading.text(loop.stmt)}: "
        self.say_condition(head, intro, loop.stmt.test, frame, True)

    def _loop_end(self, loop: Loop, end: Leaf, frame: Frame) -> None:
        n = len(loop.turns)
        count = f"{n} iteration{'' if n == 1 else 's'}"
        onward = self.onward(end, frame)
        frame.results = {}
        if isinstance(loop.stmt, ast.While):
            if end.calls:
                self._calls(end, frame)
            head = f"{self.reading.text(loop.stmt)}: "
            after = f" after {count}, {onward}"
            self.claim("iterations", "total", str(n), end)
            self.say_condition(end, head, loop.stmt.test, frame, False, after)
        else:
            if n and end.calls:
                self._calls(end, frame)
            self.claim("iterations", "total", str(n), end)
            if n == 0:
                text = f"{self.reading.text(loop.stmt)}: 0 items, so the body never runs"
                self.say(end.line, f"{text}, {onward}.")
            else:
                self.say(end.line, f"no items are left after {count}, {onward}.")
        frame.apply(end.changes)


def _before(steps: list[str], target: ast.Subscript) -> list[str]:
    """Sub-steps in which an item of the object that is about to change `was` what it was."""
    if not isinstance(target.value, ast.Name):
        return steps
    read = re.compile(rf"\b({re.escape(target.value.id)}\[[^\]]*\](?:\[[^\]]*\])*) = ")
    return [read.sub(r"\1 was ", step) for step in steps]


def _target_names(target: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]


def _as_load(stmt: ast.AugAssign) -> ast.BinOp:
    made: ast.BinOp | None = getattr(stmt, "_load", None)
    if made is None:
        made = ast.BinOp(stmt.target, stmt.op, stmt.value)
        stmt._load = made  # type: ignore[attr-defined]
    return made


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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in reading.defined:
                found.append(node)

    if part is not None:
        visit(part)
    return found
