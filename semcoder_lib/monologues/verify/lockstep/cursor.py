"""The place in the trace that reading moves: which step a line of the text can tell next."""

from __future__ import annotations

from collections import Counter

from semcoder_lib.monologues.verify.history import History, Run
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.scene import Scene
from semcoder_lib.monologues.verify.source import Loop
from semcoder_lib.monologues.verify.workings import Workings


class Cursor:
    """A reader's place in the trace: which step was told last, and which a line would tell next."""

    def __init__(self, history: History, ledger: Ledger, offset: int) -> None:
        self.history = history
        self.ledger = ledger
        self.offset = offset
        self.workings = Workings(ledger)
        self.at = -1  # the last step that was told
        self.calls_told: Counter[int] = Counter()  # by visit of the calling line

    def resolve(self, label: int) -> int:
        """The source line (first of its statement) that a label means."""
        line = label - self.offset
        layout = self.history.layout
        if layout:
            line = layout.structural.get(line, line)
            line = layout.owner.get(line, line)
        return line

    def label(self, line: int) -> str:
        """A source line as the text would name it."""
        return f"[L{line + self.offset}]"

    def bound(self, line: int) -> int | None:
        """The last step that a visit of `line` can be at without leaving the current iteration."""
        layout = self.history.layout
        if layout is None or self.at < 0:
            return None
        limit: int | None = None
        for loop in layout.loops:
            if not (loop.first <= line <= loop.last):
                continue
            for run in self.history.runs(loop):
                if run.start <= self.at <= run.end:
                    for one in run.passes:
                        if one.start <= self.at <= one.end:
                            limit = one.end if limit is None else min(limit, one.end)
        return limit

    def advance(self, line: int) -> int | None:
        """Move to the next visit of `line`, and claim the order. None when it never ran."""
        found = self.history.resumed(line, self.at)
        again = found is not None
        if found is None:
            found = self.history.next_visit(line, self.at, self.bound(line))
        ok = found is not None
        evidence = ""
        if again:
            pass
        elif found is None:
            found = self.history.next_visit(line, self.at)
            if found is None:
                found = self.history.last_visit(line, self.at)
            evidence = "does not run here" if found is not None else "never runs"
        elif self.jumps(found):
            ok, evidence = False, "other lines run before it"
        self.ledger.add(
            "order", self.label(line), "runs next", ok, evidence, line=line, visit=found
        )
        if found is not None:
            self.ledger.covered.add(line)
            if ok or found > self.at:
                self.at = found
        return found

    def jumps(self, found: int) -> bool:
        """Whether steps of the same frame between here and `found` were not told."""
        if self.at < 0:
            return False
        steps = self.history.steps
        frame = steps[found].frame
        home = self.history.line(self.at)
        for index in range(self.at + 1, found):
            step = steps[index]
            if step.frame == frame and step.event == "line" and self.history.line(index) != home:
                return True
        return False

    def run_of(self, loop: Loop, number: int) -> tuple[Run | None, int | None]:
        """The run of the loop that is going on (or starts next), and the header step of its
        iteration `number` (from 1), when there is one."""
        chosen: Run | None = None
        for run in self.history.runs(loop):
            if self.history.frames[run.frame].steps[-1] <= self.at:
                continue
            waiting = (
                run.exit is not None and self.history.resumed(loop.header, self.at) == run.exit
            )
            if (run.start <= self.at + 1 and self.at <= run.end) or waiting:
                chosen = run  # the latest that is going on is the innermost call's
            elif run.start > self.at:
                chosen = chosen or run
                break
        if chosen is None:
            return None, None
        if 1 <= number <= len(chosen.passes):
            return chosen, chosen.passes[number - 1].start
        return chosen, None

    def loop_at(self, line: int) -> Loop | None:
        """The loop whose header the line is."""
        layout = self.history.layout
        if layout is None:
            return None
        return next((loop for loop in layout.loops if loop.header == line), None)

    def scene(self, line: int, visit: int) -> Scene:
        """The moment of the statement at `line` that step `visit` begins."""
        history = self.history
        last = history.settled(visit)
        changed: set[str] = set()
        frame = history.steps[visit].frame
        for index in range(visit, last + 1):
            if history.steps[index].frame == frame:
                changed.update(c.name for c in history.steps[index].changes)
        statement = history.layout.statements.get(line) if history.layout else None
        return Scene(
            history.before(visit), history.state(last), line, visit, frozenset(changed),
            statement=statement,
        )  # fmt: skip

    def next_line(self, visit: int) -> int | None:
        """The step of the line that the same frame runs after this statement; None when it ends."""
        history = self.history
        following = history.next_in_frame(history.settled(visit))
        while following is not None and history.steps[following].event == "exception":
            following = history.next_in_frame(following)
        if following is None or history.steps[following].event == "return":
            return None
        return following

    def call_end(self, index: int) -> int:
        """The last step before the frame of step `index` goes on: the end of the calls it made."""
        following = self.history.next_in_frame(index)
        return len(self.history.steps) - 1 if following is None else following - 1
