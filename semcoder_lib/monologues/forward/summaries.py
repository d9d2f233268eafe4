"""What is not told in full: later iterations as rows of state, then elided; skipped calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semcoder_lib.monologues.forward.plan import Activation, Leaf, Loop, Node, Turn

if TYPE_CHECKING:
    from semcoder_lib.monologues.forward.frames import Frame
    from semcoder_lib.monologues.forward.narrate import Narrator

ROW_VALUE_CHARS = 40


class Summaries:
    """Part of a narrator: it writes to the narrator's lines."""

    def __init__(self, narrator: Narrator) -> None:
        self.n = narrator

    def split(self, loop: Loop) -> tuple[int, int]:
        """How many iterations of the loop are told in full, and how many more as rows."""
        style, count = self.n.style, len(loop.turns)
        if count <= style.iterations + 1:
            return count, 0
        full = max(1, style.iterations)
        return full, min(style.rows, count - full)

    def rest(self, loop: Loop, full: int, rows: int, frame: Frame, until: int) -> None:
        n = self.n
        later = loop.turns[full:until]
        shown, gone = later[:rows], later[rows:]
        if len(gone) == 1:
            shown, gone = later, []
        line = loop.stmt.lineno
        if shown:
            parts = []
            lines: set[int] = set()
            for number, turn in enumerate(shown, full + 1):
                names: dict[str, None] = {}
                self._run(turn, frame, names, lines)
                parts.append(f"#{number} {self._state(names, frame) or 'no change'}")
            last = full + len(shown)
            what = (
                f"iteration #{last} repeats"
                if len(shown) == 1
                else f"iterations #{full + 1} to #{last} repeat"
            )
            n.say(line, f"{what} {self._labels(lines)}: {'; '.join(parts)}.")
        if gone:
            names, lines = {}, set()
            for turn in gone:
                self._run(turn, frame, names, lines)
            first, last = full + len(shown) + 1, until
            state = self._state(names, frame, n.style.value_chars)
            after = f"; after them {state}" if state else ""
            n.say(
                line,
                f"iterations #{first} to #{last} go the same way through "
                f"{self._labels(lines)}{after}.",
            )

    def calls(self, leaf: Leaf, skipped: list[Activation]) -> None:
        lines: set[int] = set()
        for act in skipped:
            for inner in act.leaves:
                self._visit(inner, None, {}, lines)
        names = list(dict.fromkeys(a.call.function for a in skipped))
        if any(a.resumed for a in skipped):  # a generator: how often it is asked is not a count
            who = " and ".join(names)
            self.n.say(leaf.line, f"{who} goes on the same way through {self._labels(lines)}.")
            return
        what = (
            f"the call of {names[0]} goes"
            if len(skipped) == 1
            else f"{len(skipped)} calls of {' and '.join(names)} go"
        )
        results = [a.result.value for a in skipped if a.result is not None]
        said = ""
        if len(results) == len(skipped) and sum(len(r or "None") for r in results) < 80:
            said = f"; returned: {', '.join(r or 'None' for r in results)}"
        self.n.say(leaf.line, f"{what} the same way through {self._labels(lines)}{said}.")

    def _run(self, turn: Turn, frame: Frame, names: dict[str, None], lines: set[int]) -> None:
        self._visit(turn.head, frame, names, lines, own=False)
        for node in turn.body:
            self._walk(node, frame, names, lines)

    def _walk(
        self, node: Node, frame: Frame | None, names: dict[str, None], lines: set[int]
    ) -> None:
        if isinstance(node, Loop):
            for turn in node.turns:
                self._visit(turn.head, frame, names, lines)
                for inner in turn.body:
                    self._walk(inner, frame, names, lines)
            if node.end is not None:
                self._visit(node.end, frame, names, lines)
        else:
            self._visit(node, frame, names, lines)

    def _visit(
        self,
        leaf: Leaf,
        frame: Frame | None,
        names: dict[str, None],
        lines: set[int],
        own: bool = True,
    ) -> None:
        if own:
            lines.add(leaf.line)
        for act in leaf.calls:
            for inner in act.leaves:
                self._visit(inner, None, {}, lines)
        if frame is not None:
            frame.apply(leaf.changes)
            for change in leaf.changes:
                names[change.name] = None

    def _labels(self, lines: set[int]) -> str:
        return ", ".join(self.n.label(k) for k in sorted(lines)) or "no line"

    def _state(self, names: dict[str, None], frame: Frame, limit: int = ROW_VALUE_CHARS) -> str:
        parts = []
        for name in names:
            change = frame.texts.get(name)
            if change is None or change.text is None or len(change.text) > limit:
                continue
            parts.append(f"{name} = {change.text}")
        return ", ".join(parts)
