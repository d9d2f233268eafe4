"""Loops: the head with what it goes over, each iteration, the end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from semcoder_lib.monologues.evaluate import Unknown, evaluate
from semcoder_lib.monologues.forward.plan import Activation, Leaf, Loop, Turn
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.working import SPELL_UP_TO

if TYPE_CHECKING:
    from semcoder_lib.monologues.forward.frames import Frame
    from semcoder_lib.monologues.forward.narrate import Narrator


class Loops:
    """Part of a narrator: it writes to the narrator's lines."""

    def __init__(self, narrator: Narrator) -> None:
        self.n = narrator

    def tell(self, loop: Loop, act: Activation, frame: Frame) -> None:
        is_for = isinstance(loop.stmt, ast.For)
        if is_for:
            self._for_head(loop, frame)
        full, rows = self.n.summaries.split(loop)
        for number, turn in enumerate(loop.turns[:full], 1):
            self._turn(loop, turn, number, act, frame)
        if full < len(loop.turns):
            ends_inside = loop.end is None
            self.n.summaries.rest(loop, full, rows, frame, len(loop.turns) - ends_inside)
            if ends_inside:  # by a break, a return or an exception, which has to be told
                self._turn(loop, loop.turns[-1], len(loop.turns), act, frame)
        if loop.end is not None:
            self._loop_end(loop, loop.end, frame)

    def _turn(self, loop: Loop, turn: Turn, number: int, act: Activation, frame: Frame) -> None:
        if isinstance(loop.stmt, ast.For):
            if number > 1 and turn.head.calls:
                self.n.calls(turn.head, frame)
            self._iteration(loop, turn.head, number, frame)
        else:
            self._while(loop, turn.head, number, frame)
        frame.apply(turn.head.changes)
        self.n.nodes(turn.body, act, frame)

    def _for_head(self, loop: Loop, frame: Frame) -> None:
        stmt = loop.stmt
        assert isinstance(stmt, ast.For)
        first = loop.turns[0].head if loop.turns else loop.end
        line = stmt.lineno
        if first is not None and first.calls:
            self.n.calls(first, frame)
        if not loop.turns:
            return
        self.n.say(line, f"{self.n.quoted(stmt, 'the loop')}{self._items(loop, stmt, frame)}.")

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
            parts.append(f"{name} = {self.n.value_text(change.text)}")
            self.n.claim("value", name, change.text, head)
        self.n.claim("iterations", str(number), "", head)
        told = f": {', '.join(parts)}" if parts else " begins"
        self.n.say(head.line, f"iteration #{number}{told}.")

    def _while(self, loop: Loop, head: Leaf, number: int, frame: Frame) -> None:
        assert isinstance(loop.stmt, ast.While)
        frame.results = {}
        if head.calls:
            self.n.calls(head, frame)
        self.n.claim("iterations", str(number), "", head)
        intro = f"iteration #{number}: {self.n.quoted(loop.stmt)}"
        self.n.say_condition(head, intro, loop.stmt.test, frame, True)

    def _loop_end(self, loop: Loop, end: Leaf, frame: Frame) -> None:
        n = len(loop.turns)
        count = f"{n} iteration{'' if n == 1 else 's'}"
        onward = self.n.onward(end, frame)
        frame.results = {}
        if isinstance(loop.stmt, ast.While):
            if end.calls:
                self.n.calls(end, frame)
            head = self.n.quoted(loop.stmt)
            after = f" after {count}, {onward}"
            self.n.claim("iterations", "total", str(n), end)
            self.n.say_condition(end, head, loop.stmt.test, frame, False, after)
        else:
            if n and end.calls:
                self.n.calls(end, frame)
            self.n.claim("iterations", "total", str(n), end)
            if n == 0:
                text = f"{self.n.quoted(loop.stmt)}0 items, so the body never runs"
                self.n.say(end.line, f"{text}, {onward}.")
            else:
                self.n.say(end.line, f"no items are left after {count}, {onward}.")
        frame.apply(end.changes)


def _target_names(target: ast.expr) -> list[str]:
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
