"""The place in the trace that reading moves: which step a sentence tells, and whether that step is
the next one."""

from __future__ import annotations

from semcoder_lib.monologues.syntax import Loop
from semcoder_lib.monologues.template import Slot
from semcoder_lib.monologues.verify.history import Frame, History, Run
from semcoder_lib.monologues.verify.report import Ledger


class Cursor:
    """`at` is the last step that was told. Every move enters a claim of kind `order`."""

    def __init__(self, history: History, ledger: Ledger, offset: int) -> None:
        self.history = history
        self.ledger = ledger
        self.offset = offset
        self.at = -1
        self.called: set[int] = set()  # visits whose calls were named
        self.head: int | None = None  # a visit of a loop's header that only its items were told of

    def line(self, label: str) -> int:
        """The source line (first of its statement) that a label means."""
        return self.history.start(int(label.strip("[]L")) - self.offset)

    def label(self, line: int) -> str:
        """A source line as the text would name it."""
        return f"[L{line + self.offset}]"

    def claim(
        self,
        kind: str,
        subject: str,
        slot: Slot,
        verdict: bool | None,
        evidence: str = "",
        visit: int | None = None,
    ) -> None:
        """Record a claim about a slot, of a step where one is given."""
        line = None if visit is None else self.history.line(visit)
        self.ledger.claim(kind, subject, slot, verdict, evidence, line=line, visit=visit)

    # --- moves --------------------------------------------------------------------------------

    def move(self, line: int, visit: int | None, ok: bool, evidence: str) -> int | None:
        """Go to a visit and claim the order."""
        self.ledger.add(
            "order", self.label(line), "runs next", ok, evidence, line=line, visit=visit
        )
        if visit is not None:
            self.ledger.covered.add(line)
            self.at = max(self.at, visit)
        return visit

    def advance(self, line: int) -> int | None:
        """Move to the next visit of `line`. None when it never ran."""
        visit = self.history.next_visit(line, self.at)
        if visit is None:
            return self.move(line, self.history.last_visit(line, self.at), False, "does not run")
        return self.move(line, visit, not self.skips(visit), "other lines run before it")

    def enter(self, line: int, visit: int) -> int | None:
        """Move to a header's visit that the text means by its number."""
        if self.told(visit):
            self.head = None
            return self.move(line, visit, True, "")
        ok = visit > self.at and not self.skips(visit)
        return self.move(line, visit, ok, "that is not next")

    def jump(self, index: int) -> None:
        """Go on after a step, whose lines were told together."""
        self.at = max(self.at, index)

    # --- questions ----------------------------------------------------------------------------

    def skips(self, visit: int) -> bool:
        """Whether lines or calls between here and `visit` were passed over."""
        return any(
            step.event in ("line", "call") and not step.function.startswith("<")
            for step in self.history.steps[self.at + 1 : visit]
        )

    def run_of(self, loop: Loop) -> Run | None:
        """The run of the loop that is going on, waits for its exit, or starts next."""
        chosen: Run | None = None
        for run in self.history.runs(loop):
            if self.history.frames[run.frame].last <= self.at:
                continue
            waiting = run.exit is not None and self.told(run.exit)
            if (run.start <= self.at + 1 and self.at <= run.end) or waiting:
                chosen = run  # the latest that is going on is the innermost call's
            elif run.start > self.at:
                return chosen or run
        return chosen

    def told(self, visit: int) -> bool:
        """Whether a visit may be spoken of again: only its items were told, or only its calls."""
        return visit == self.head or (visit < self.at == self.history.call_end(visit))

    def waits(self, line: int, function: str = "") -> int | None:
        """The visit of `line` that waits for the call that just ended, of the function named."""
        history = self.history
        for index in reversed([v for v in history.visits.get(line, ()) if v <= self.at]):
            following = history.next_in_frame(index)
            if function in ("", history.frame(index).function) and (
                following is None or following > self.at
            ):
                return index
        return None

    def open_frame(self, function: str) -> Frame | None:
        """The frame of a function that has begun and has only its end left, or else the innermost
        that has not ended."""
        frames = [
            f
            for f in self.history.frames.values()
            if f.function == function and f.first <= self.at < f.last
        ]
        frames = [f for f in frames if not self.lines_left(f)] or frames
        return frames[-1] if frames else None

    def lines_left(self, frame: Frame) -> bool:
        """Whether a frame has lines that were not told."""
        return any(i > self.at and self.history.steps[i].event == "line" for i in frame.steps)
