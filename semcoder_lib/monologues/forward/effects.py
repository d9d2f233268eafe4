"""Statements that are run for their effect: assignments, and calls that change something."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from semcoder_lib.monologues.evaluate import Unknown
from semcoder_lib.monologues.forward.plan import Leaf
from semcoder_lib.monologues.show import NotShown, show

if TYPE_CHECKING:
    from semcoder_lib.monologues.forward.frames import Frame
    from semcoder_lib.monologues.forward.narrate import Narrator


class Effects:
    """Part of a narrator: it writes to the narrator's lines."""

    def __init__(self, narrator: Narrator) -> None:
        self.n = narrator

    def tell(self, leaf: Leaf, frame: Frame, back: str) -> None:
        """An assignment, or an expression for its effect."""
        stmt = leaf.stmt
        after = self.n.changed(leaf) or self._unchanged(stmt, frame, leaf)
        if back:
            head = back
        else:
            head = self.n.head(leaf)
            literal = (
                isinstance(stmt, ast.Assign)
                and isinstance(stmt.value, ast.Constant)
                and all(isinstance(t, ast.Name) for t in stmt.targets)
            )
            if literal or head.replace("`", "") == f"{after}: ":
                self.n.say(leaf.line, f"{after}.")
                return
        steps = self._effect_steps(stmt, frame, leaf)
        if steps and after != "nothing changes":
            self.n.say(leaf.line, f"{head}{'; '.join(steps)}, so {after}.")
        else:
            self.n.say(leaf.line, f"{head}{after}.")

    def _unchanged(self, stmt: ast.stmt | None, frame: Frame, leaf: Leaf) -> str:
        if isinstance(stmt, ast.Assign | ast.AugAssign | ast.AnnAssign):
            target = stmt.targets[0] if isinstance(stmt, ast.Assign) else stmt.target
            if isinstance(target, ast.Name) and target.id in frame.texts:
                text = frame.texts[target.id].text
                self.n.claim("value", target.id, text or "", leaf)
                return f"{target.id} = {self.n.value_text(text)}"
        if isinstance(stmt, ast.For):
            return f"no items are left, {self.n.onward(leaf, frame)}"
        if isinstance(stmt, ast.Try | ast.With | ast.Match):
            return self.n.onward(leaf, frame)
        if isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            return f"{stmt.name} is defined"
        return "nothing changes"

    def _effect_steps(self, stmt: ast.stmt | None, frame: Frame, leaf: Leaf) -> list[str]:
        try:
            if isinstance(stmt, ast.Assign):
                steps, value = self.n.working(stmt.value, frame)
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
                return self.n.working(stmt.value, frame)[0]
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
        key_steps, key = self.n.working(target.slice, frame)
        left = f"{target.value.id}[{show(key)}]"
        return [*key_steps, f"{left} = {show(value, self.n.style.value_chars)}"]

    def _augmented(self, stmt: ast.AugAssign, frame: Frame, leaf: Leaf) -> list[str]:
        load = _as_load(stmt)
        steps, value = self.n.working(load, frame)
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
            made, value = self.n.working(arg, frame)
            steps += made
            if isinstance(arg, ast.Name) and arg.id in frame.texts:
                steps.append(f"{arg.id} = {show(value, 60)}")
        return steps


def _before(steps: list[str], target: ast.Subscript) -> list[str]:
    """Sub-steps in which an item of the object that is about to change `was` what it was."""
    if not isinstance(target.value, ast.Name):
        return steps
    read = re.compile(rf"\b({re.escape(target.value.id)}\[[^\]]*\](?:\[[^\]]*\])*) = ")
    return [read.sub(r"\1 was ", step) for step in steps]


def _as_load(stmt: ast.AugAssign) -> ast.BinOp:
    made: ast.BinOp | None = getattr(stmt, "_load", None)
    if made is None:
        made = ast.BinOp(stmt.target, stmt.op, stmt.value)
        stmt._load = made  # type: ignore[attr-defined]
    return made
