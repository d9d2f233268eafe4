"""Reads label-led lines (`[L5] total += n: 4 + 2 = 6, so total = 6.`) in step with the trace.

Each line must be a step that the execution took next; what it states is decided in the states
before and after that step.
"""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import Cannot, Raises, equals, evaluate, literal, parse
from semcoder_lib.monologues.verify.history import History, Run, State
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.scene import MISSING, Scene, value_of
from semcoder_lib.monologues.verify.source import Loop, squeezed
from semcoder_lib.monologues.verify.stated import same_text
from semcoder_lib.monologues.verify.workings import Workings

LINE = re.compile(r"\s*\[L(\d+)\]\s+(\S.*?)\s*$", re.S)
_TAIL = re.compile(r"(?:,|:|;)?\s*so (?:back to )?\[L(\d+)\]\.?$")
_ENDS = re.compile(r"(?:,|:|;)?\s*so (?:the call of )?(\w+) ends\.?$")
_CALLED = re.compile(r"(\w+) is called(?: with (.*))?$", re.S)
_ITERATION = re.compile(r"iteration #?(\d+)(?::\s*(.*))?$", re.S)
_NO_ITEMS = re.compile(r"no items are left(?: after (\d+) iterations?)?$")
_ENDS_WITH = re.compile(r"(\w+) ends and returns (.*)$", re.S)
_GOES_ON = re.compile(r"(\w+) goes on$")
_AFTER = re.compile(r" (?:is|evaluates to|counts as) (True|False) after (\d+) iterations?$")
_ITEMS = re.compile(r"(\d+) items?(?:, (.*))?$", re.S)
_REPEAT = re.compile(
    r"iterations? #?(\d+)(?: to #?(\d+))? repeats? ((?:\[L\d+\](?:, | and )?)+):\s*(.*)$", re.S
)
_ELIDED = re.compile(
    r"iterations? #?(\d+)(?: to #?(\d+))? goe?s? the same way through ((?:\[L\d+\](?:, | and )?)+)"
    r"(?:; after (?:them|it) (.*))?$",
    re.S,
)
_ROW = re.compile(r"#?(\d+) (.*)$", re.S)
_RETURNS = re.compile(r"(?:so )?(\w+) (?:ends and )?returns (.*)$", re.S)
_YIELDS = re.compile(r"(\w+) yields (.*)$", re.S)
_RAISES = re.compile(r"(?:so )?(?:(\w+) )?raises (\w+)$")
_CATCHES = re.compile(r"it catches (\w+)$")
_BREAK = re.compile(
    r"the loop of \[L(\d+)\] ends (after|in) (?:iteration #)?(\d+)(?: iterations?)?$"
)
_BACK = re.compile(r"back in (\w+)(?::\s*(.*))?$", re.S)
_SKIPPED = re.compile(
    r"(?:the|(?P<n>\d+)) calls? of (?P<f>\w+) go(?:es)? the same way"
    r"(?: through (?P<l>(?:\[L\d+\](?:, | and )?)+))?(?:; returned: (?P<v>.*))?$",
    re.S,
)
_OUTCOME = re.compile(r"it is (True|False)$")
_LABELS = re.compile(r"\[L(\d+)\]")


def _is_statement(text: str) -> bool:
    """Whether a text can only be meant as a line of code: a computed assignment, a header."""
    for code in (text, text + ": pass"):
        try:
            node = ast.parse(code).body[0]
        except (SyntaxError, ValueError, IndexError):
            continue
        if isinstance(node, ast.AugAssign | ast.If | ast.While | ast.For):
            return True
        return isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant | ast.Name)
    return False


class Walk:
    """A reader's place in the trace while it goes through label-led lines."""

    def __init__(self, history: History, ledger: Ledger, offset: int) -> None:
        self.history = history
        self.ledger = ledger
        self.offset = offset
        self.workings = Workings(ledger)
        self.at = -1  # the last step that was told
        self.visit = -1  # the step of the line that is being read
        self.last_label = 0

    # --- which step a line tells ------------------------------------------------------------

    def resolve(self, label: int) -> int:
        """The source line (first of its statement) that a label means."""
        line = label - self.offset
        layout = self.history.layout
        if layout:
            line = layout.structural.get(line, line)
            line = layout.owner.get(line, line)
        return line

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

    def advance(self, line: int, *, strict: bool = True) -> int | None:
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
        elif strict and self._jumps(found):
            ok, evidence = False, "other lines run before it"
        self.ledger.add(
            "order", f"[L{line + self.offset}]", "runs next", ok, evidence, line=line, visit=found
        )
        if found is not None:
            self.ledger.covered.add(line)
            if ok or found > self.at:
                self.at = found
        return found

    def _jumps(self, found: int) -> bool:
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

    # --- a line -----------------------------------------------------------------------------

    def line(self, label: int, text: str, place: tuple[int, int]) -> None:
        """Read one label-led line (without its label)."""
        self.ledger.place = place
        text = text.rstrip()
        if text.endswith(".") and not text.endswith("..."):
            text = text[:-1]
        line = self.resolve(label)
        follows: int | None = None
        ends = ""
        tail = _TAIL.search(text)
        if tail:
            follows = int(tail.group(1))
            text = text[: tail.start()].rstrip()
        else:
            ended = _ENDS.search(text)
            if ended:
                ends = ended.group(1)
                text = text[: ended.start()].rstrip()
        visit = self._content(line, text, follows)
        if visit is not None and follows is not None:
            self._follows(visit, follows)
        elif visit is not None and ends:
            self._frame_ends(visit, ends)

    def _content(self, line: int, text: str, follows: int | None) -> int | None:
        called = _CALLED.match(text)
        if called:
            return self._called(line, called)
        ends = _ENDS_WITH.match(text)
        if ends:
            return self._ends_with(line, ends)
        on = _GOES_ON.match(text)
        if on:
            following = self.history.steps[self.at + 1 : self.at + 2]
            ok = bool(following) and following[0].function == on.group(1)
            self.ledger.add("order", on.group(1), "goes on", ok, line=line)
            return None
        loop = self._loop(line)
        if loop is not None:
            visit = self._loop_line(loop, line, text, follows)
            if visit is not MISSING:
                return visit if isinstance(visit, int) else None
        back = _BACK.match(text)
        if back:
            return self._back(line, back)
        skipped = _SKIPPED.match(text)
        if skipped:
            return self._skipped(line, skipped)
        visit = self.advance(line)
        if visit is None:
            return None
        self._statement(line, visit, text, follows)
        return visit

    def _loop(self, line: int) -> Loop | None:
        layout = self.history.layout
        if layout is None:
            return None
        return next((loop for loop in layout.loops if loop.header == line), None)

    def _scene(self, line: int, visit: int) -> Scene:
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

    # --- calls and returns ------------------------------------------------------------------

    def _called(self, line: int, called: re.Match[str]) -> int | None:
        history = self.history
        found = None
        for index in range(self.at + 1, len(history.steps)):
            step = history.steps[index]
            if step.event == "call" and step.function == called.group(1):
                found = index
                break
        evidence = "" if found is not None else "no such call"
        self.ledger.add(
            "order",
            called.group(1),
            "is called",
            found is not None,
            evidence,
            line=line,
            visit=found,
        )
        if found is None:
            return None
        self.at = found
        scene = self._scene(line, found)
        for part in pieces.split(called.group(2) or "", ", ", " and "):
            cut = pieces.find(part, " = ")
            if cut > 0:
                self._stated(part[:cut], part[cut + 3 :], scene.after, line, found)
        return found

    def _stated(self, name: str, value: str, state: State, line: int, visit: int | None) -> None:
        name = name.strip()
        recorded = state.text(name)
        verdict = same_text(value.strip(), recorded)
        if recorded is None and parse(name) is not None:
            actual = value_of(name, state)
            said = literal(value.strip())
            if actual is not MISSING and said is not None and not isinstance(actual, Raises):
                verdict, recorded = equals(said[0], actual, value), repr(actual)
        self.ledger.add(
            "value",
            name,
            value.strip(),
            verdict,
            (recorded or "unknown")[:200],
            line=line,
            visit=visit,
        )

    def _ends_with(self, line: int, match: re.Match[str]) -> int | None:
        """`f ends and returns None`, said of the last line that f ran."""
        history = self.history
        name, value = match.group(1), match.group(2).strip()
        open_frames = [
            f for f in history.frames.values()
            if f.function == name and f.steps[0] <= self.at < f.steps[-1]
        ]  # fmt: skip
        if not open_frames:
            self.ledger.add("return", name, value, False, "it is not running", line=line)
            return None
        frame = open_frames[-1]
        left = [i for i in frame.steps if i > self.at and history.steps[i].event == "line"]
        lines = [history.line(i) for i in frame.steps if history.steps[i].event == "line"]
        ok = not left and (not lines or lines[-1] == line)
        self.ledger.add("order", name, "ends", ok, "" if ok else "more lines run", line=line)
        verdict = same_text(value, frame.returned)
        self.ledger.add("return", name, value, verdict, (frame.returned or "")[:200], line=line)
        self.at = max(self.at, frame.steps[-1])
        return None

    def _back(self, line: int, back: re.Match[str]) -> int | None:
        """`back in f: y = 4`: the rest of a line that called something."""
        history = self.history
        visits = history.visits.get(line, ())
        for index in reversed([v for v in visits if v <= self.at]):
            # the call that just returned was made by a frame that is still open
            step = history.steps[index]
            open_still = history.frames[step.frame].steps[-1] > self.at
            if step.function == back.group(1) and open_still:
                following = history.next_in_frame(index)
                if following is not None and following <= self.at:
                    break
                end = self._call_end(index)
                self.at = max(self.at, end)
                scene = self._scene(line, index)
                self.ledger.add("order", back.group(1), "goes on", True, "", line=line, visit=index)
                if back.group(2):
                    self._rest(line, index, back.group(2), scene)
                return index
        self.ledger.add(
            "order", back.group(1), "goes on", False, "it never called anything here", line=line
        )
        return None

    def _skipped(self, line: int, match: re.Match[str]) -> int | None:
        """`2 calls of g go the same way through [L2], [L3]; returned: 2, 4`."""
        history = self.history
        count = int(match.group("n") or 1)
        frames = []
        end = self.at
        for index in range(self.at + 1, len(history.steps)):
            step = history.steps[index]
            if index > end and step.event == "call" and step.function == match.group("f"):
                frames.append(history.frames[step.frame])
                end = frames[-1].steps[-1]
                if len(frames) == count:
                    break
        ok = len(frames) == count
        self.ledger.add(
            "order", match.group("f"), f"{count} calls", ok, f"{len(frames)} calls", line=line
        )
        if not ok:
            return None
        ran = {
            history.line(i)
            for frame in frames
            for i in range(frame.steps[0], frame.steps[-1] + 1)
            if history.steps[i].event == "line"
        }
        if match.group("l"):
            named = {self.resolve(int(n)) for n in _LABELS.findall(match.group("l"))}
            self.ledger.add(
                "order", match.group("l"), "run in them", named == ran, str(sorted(ran)), line=line
            )
        if match.group("v"):
            told = pieces.split(match.group("v"), ", ")
            verdict: bool | None = len(told) == len(frames)
            for text, frame in zip(told, frames, strict=False):
                one = same_text(text, frame.returned)
                verdict = one if not one else verdict
            shown = ", ".join(f.returned or "" for f in frames)[:200]
            self.ledger.add(
                "return", match.group("f"), match.group("v")[:200], verdict, shown, line=line
            )
        self.ledger.covered |= ran
        self.at = end
        return None

    def _call_end(self, index: int) -> int:
        following = self.history.next_in_frame(index)
        return len(self.history.steps) - 1 if following is None else following - 1

    def _follows(self, visit: int, label: int) -> None:
        """`so [L6]`: the line that this frame runs next."""
        line = self.resolve(label)
        following = self._next_line(visit)
        actual = None if following is None else self.history.line(following)
        ok = actual == line
        evidence = "the frame ends" if actual is None else f"[L{actual + self.offset}] runs next"
        self.ledger.add(
            "order", f"[L{label}]", "next", ok, evidence, line=self.history.line(visit), visit=visit
        )

    def _next_line(self, visit: int) -> int | None:
        history = self.history
        following = history.next_in_frame(history.settled(visit))
        while following is not None and history.steps[following].event == "exception":
            following = history.next_in_frame(following)
        if following is None or history.steps[following].event == "return":
            return None
        return following

    def _frame_ends(self, visit: int, name: str) -> None:
        following = self._next_line(visit)
        ok = following is None and self.history.steps[visit].function == name
        self.ledger.add("order", name, "ends", ok, "", line=self.history.line(visit), visit=visit)

    def returned(self, name: str, value: str, visit: int, line: int) -> None:
        """`f returns 10`, said at a step of the frame that returns."""
        frame = self.history.frames[self.history.steps[visit].frame]
        value = value.strip()
        if frame.function != name:
            other = next((f for f in self.history.frames.values() if f.function == name), None)
            if other is None:
                self.ledger.add(
                    "return", name, value, None, "unknown function", line=line, visit=visit
                )
                return
            self.ledger.add(
                "return", name, value, False, f"this is {frame.function}", line=line, visit=visit
            )
            return
        verdict = same_text(value, frame.returned)
        statement = self.history.layout.statements.get(line) if self.history.layout else None
        ended = isinstance(statement, ast.Return) or self._next_line(visit) is None
        self.ledger.add(
            "return", name, value, verdict if ended or not verdict else False,
            (frame.returned or "")[:200], line=line, visit=visit,
        )  # fmt: skip
        if self._next_line(visit) is None:  # no `finally` runs after it
            self.at = max(self.at, frame.steps[-1])

    # --- loops ------------------------------------------------------------------------------

    def _loop_line(self, loop: Loop, line: int, text: str, follows: int | None) -> object:
        """A line about a loop's header; MISSING when it reads like an ordinary statement."""
        match = _ITERATION.match(text)
        if match:
            return self._iteration(loop, line, int(match.group(1)), match.group(2) or "", follows)
        match = _REPEAT.match(text)
        if match:
            return self._repeat(loop, line, match)
        match = _ELIDED.match(text)
        if match:
            return self._elided(loop, line, match)
        match = _NO_ITEMS.match(text)
        if match:
            return self._exhausted(loop, line, int(match.group(1)) if match.group(1) else None)
        match = _AFTER.search(text)
        if match:
            visit = self._exhausted(loop, line, int(match.group(2)))
            if visit is not None:
                scene = self._scene(line, visit)
                self._rest(line, visit, self._without_head(line, text[: match.end(1)]), scene)
            return visit
        if loop.is_for:
            return self._for_head(loop, line, text)
        return MISSING

    def _enter(self, loop: Loop, line: int, visit: int | None, evidence: str) -> int | None:
        ok = visit is not None and visit > self.at and not self._jumps(visit)
        if visit is not None and (visit == self.at or self.history.resumed(line, self.at) == visit):
            ok = True  # the head line told this step already, or the call in it came back
        self.ledger.add(
            "order",
            f"[L{line + self.offset}]",
            "runs next",
            ok,
            "" if ok else evidence,
            line=line,
            visit=visit,
        )
        if visit is not None:
            self.ledger.covered.add(line)
            self.at = max(self.at, visit)
        return visit

    def _iteration(
        self, loop: Loop, line: int, number: int, rest: str, follows: int | None
    ) -> int | None:
        run, visit = self.run_of(loop, number)
        total = len(run.passes) if run else 0
        self.ledger.add(
            "iterations", f"iteration {number}", f"of [L{line + self.offset}]", visit is not None,
            f"{total} iterations", line=line, visit=visit,
        )  # fmt: skip
        if visit is None:
            return None
        self._enter(loop, line, visit, "not the next iteration")
        scene = self._scene(line, visit)
        rest = self._without_head(line, rest)
        if loop.is_for:
            self.workings.read(rest, scene, final_after=True)
            for part in pieces.split(rest, ", "):
                cut = pieces.find(part, " = ")
                if cut > 0 and part[:cut] in loop.targets:
                    continue
        else:
            self._rest(line, visit, rest, scene)
        return visit

    def _exhausted(self, loop: Loop, line: int, number: int | None) -> int | None:
        run, _ = self.run_of(loop, 0)
        done = len(run.passes) if run else 0
        ok = run is not None and number in (None, done) and run.exit is not None
        self.ledger.add("iterations", f"[L{line + self.offset}]", str(number), ok, f"{done} iterations", line=line,
                        visit=run.exit if run else None)  # fmt: skip
        if run is None or run.exit is None:
            return None
        return self._enter(loop, line, run.exit, "the loop goes on here")

    def _for_head(self, loop: Loop, line: int, text: str) -> int | None:
        visit = self.advance(line)
        if visit is None:
            return None
        scene = self._scene(line, visit)
        rest = self._without_head(line, text)
        run = next((r for r in self.history.runs(loop) if r.start <= visit <= r.end), None)
        sequence = self._sequence(loop, scene)
        if rest.endswith("so the body never runs"):
            rest = rest.removesuffix("so the body never runs").rstrip(", ")
            self.ledger.add("branch", f"[L{line + self.offset}]", "never runs",
                            run is None or not run.passes, "", line=line, visit=visit)  # fmt: skip
        match = _ITEMS.match(rest)
        if match:
            count = int(match.group(1))
            actual = len(sequence) if sequence is not None else None
            if actual is None and run is not None and run.exit is not None:
                actual = len(run.passes)
            verdict = None if actual is None else actual == count
            self.ledger.add("iterations", f"[L{line + self.offset}]", f"{count} items", verdict,
                            "" if actual is None else f"{actual} items", line=line, visit=visit)  # fmt: skip
            self._listed(match.group(2) or "", sequence, line, visit)
        elif rest and rest != "the loop starts":
            self._rest(line, visit, rest, scene)
        return visit

    def _sequence(self, loop: Loop, scene: Scene) -> list[object] | None:
        if not isinstance(loop.node, ast.For):
            return None
        try:
            found = evaluate(ast.unparse(loop.node.iter), scene.before)
            return list(found)
        except (Cannot, Raises, TypeError):
            return None

    def _listed(self, text: str, sequence: list[object] | None, line: int, visit: int) -> None:
        if not text:
            return
        position: int | None = 0
        verdict: bool | None = True if sequence is not None else None
        evidence = ""
        for part in pieces.split(text, ", "):
            if part in ("...", "…"):
                position = None
                continue
            match = re.match(r"#(\d+) (.*)$", part, re.S)
            if match:
                position, part = int(match.group(1)) - 1, match.group(2)
            if sequence is None:
                continue
            if position is None:  # a bare value after a gap is the last one
                position = len(sequence) - 1
            said = literal(part)
            if said is None:
                verdict = None if verdict else verdict
                continue
            if position >= len(sequence) or not equals(said[0], sequence[position], part):
                verdict, evidence = False, f"item {position + 1}"
                break
            position += 1
        self.ledger.add("value", "items", text[:80], verdict, evidence, line=line, visit=visit)

    def _repeat(self, loop: Loop, line: int, match: re.Match[str]) -> int | None:
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        run, start = self.run_of(loop, first)
        stop = self._passes(loop, line, run, first, last, match.group(3))
        if run is None or stop is None:
            return None
        for row in pieces.split(match.group(4), "; "):
            entry = _ROW.match(row)
            if not entry:
                self.ledger.add("value", row, "", None, line=line)
                continue
            number = int(entry.group(1))
            if not first <= number <= last or number > len(run.passes):
                self.ledger.add(
                    "iterations", f"iteration {number}", "", False, "outside", line=line
                )
                continue
            one = run.passes[number - 1]
            self._after(entry.group(2), run, one.end, line)
        self.at = max(self.at, stop)
        return start

    def _elided(self, loop: Loop, line: int, match: re.Match[str]) -> int | None:
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        run, start = self.run_of(loop, first)
        stop = self._passes(loop, line, run, first, last, match.group(3))
        if run is None or stop is None:
            return None
        if match.group(4):
            self._after(match.group(4), run, stop, line)
        self.at = max(self.at, stop)
        return start

    def _passes(
        self, loop: Loop, line: int, run: Run | None, first: int, last: int, labels: str
    ) -> int | None:
        """Claims that iterations `first` to `last` happen and run exactly the named lines; gives
        the last step of the last one."""
        total = len(run.passes) if run else 0
        ok = run is not None and 1 <= first <= last <= total
        self.ledger.add("iterations", f"iterations {first} to {last}", f"of [L{line + self.offset}]", ok,
                        f"{total} iterations", line=line)  # fmt: skip
        if run is None or not ok:
            return None
        previous = run.passes[first - 2].end if first > 1 else run.start
        if self.at < previous and any(
            self.history.steps[i].frame == run.frame and self.history.steps[i].event == "line"
            for i in range(self.at + 1, previous + 1)
        ):
            self.ledger.add(
                "order",
                f"iteration {first}",
                "next",
                False,
                "earlier iterations were not told",
                line=line,
            )
        named = {self.resolve(int(n)) for n in _LABELS.findall(labels)}
        ran: set[int] = set()
        for one in run.passes[first - 1 : last]:
            for index in range(one.start + 1, one.end + 1):
                step = self.history.steps[index]
                if step.event == "line":
                    ran.add(self.history.line(index))
        ran.discard(loop.header)
        named.discard(loop.header)
        within = {n for n in ran if self._same_frame_line(n, loop)}
        verdict = named <= ran and within <= named
        self.ledger.add("order", labels, "run in them", verdict, str(sorted(ran)), line=line)
        self.ledger.covered |= ran | {line}
        return run.passes[last - 1].end

    def _same_frame_line(self, line: int, loop: Loop) -> bool:
        return loop.first <= line <= loop.last

    def _after(self, text: str, run: Run, end: int, line: int) -> None:
        state = State(self.history, self.history.frames[run.frame], end)
        for part in pieces.split(text, ", "):
            cut = pieces.find(part, " = ")
            if cut > 0:
                self._stated(part[:cut], part[cut + 3 :], state, line, None)
            elif not part.startswith(("[L", "so ")):
                self.ledger.add("value", part, "", None, line=line)

    # --- statements -------------------------------------------------------------------------

    def _without_head(self, line: int, text: str) -> str:
        """The text after the statement's own source, where it begins with that."""
        layout = self.history.layout
        if layout is None:
            return text
        source = layout.texts.get(line, "")
        if not source:
            return text
        shown = squeezed(text)
        if shown == source:
            return ""
        if not shown.startswith(source):
            return text
        # the place in `text` where as many visible characters have passed as the source has
        left = len(source)
        for at, char in enumerate(text):
            if left == 0:
                rest = text[at:].lstrip()
                if rest.startswith(":"):
                    return rest[1:].lstrip()
                return rest if rest.startswith((",", ";")) else text
            if not char.isspace():
                left -= 1
        return ""

    def _statement(self, line: int, visit: int, text: str, follows: int | None) -> None:
        layout = self.history.layout
        scene = self._scene(line, visit)
        rest = self._without_head(line, text)
        if rest == "":
            self._plain(line, visit, scene)
            return
        if rest is text:
            self._misquoted(line, visit, text)
        self._rest(line, visit, rest, scene)
        if layout is None:
            return

    def _plain(self, line: int, visit: int, scene: Scene) -> None:
        """The line says no more than its source: that it ran, with the effect that it names."""
        self.ledger.add("value", self.history.layout.texts.get(line, "") if self.history.layout else "",
                        "runs", True, "quotes the source", line=line, visit=visit)  # fmt: skip

    def _misquoted(self, line: int, visit: int, text: str) -> None:
        """A statement that is quoted at a label must be the one that stands there."""
        layout = self.history.layout
        if layout is None or line not in layout.statements:
            return
        cut = pieces.find(text, ": ")
        quoted = squeezed(text[:cut] if cut > 0 else text)
        others = {t for n, t in layout.texts.items() if n != line}
        if (quoted in others and len(quoted) > 4) or (cut > 0 and _is_statement(text[:cut])):
            self.ledger.add(
                "order",
                text[:60],
                "at this line",
                False,
                "another line reads so",
                line=line,
                visit=visit,
            )

    def _rest(self, line: int, visit: int, rest: str, scene: Scene) -> None:
        match = _RETURNS.search(rest)
        if match and (
            match.start() == 0 or rest[: match.start()].rstrip().endswith((",", ":", ";"))
        ):
            head = rest[: match.start()].rstrip(" ,;:")
            if head:
                self.workings.read(head, scene, final_after=False)
            self.returned(match.group(1), match.group(2), visit, line)
            return
        if self._special(line, visit, rest, scene):
            return
        statement = scene.statement
        assigns = isinstance(
            statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Delete
        )
        assigns = assigns or isinstance(statement, ast.For | ast.With | ast.Import | ast.Assert)
        self.workings.read(rest, scene, final_after=assigns)

    def _special(self, line: int, visit: int, rest: str, scene: Scene) -> bool:
        """Raising, catching, breaking, yielding, bare outcomes. True when the text was one."""
        history = self.history
        head, _, last = rest.rpartition(", ") if ", " in rest else ("", "", rest)
        for part in (rest, last):
            match = _OUTCOME.match(part)
            if match:
                self._outcome(line, visit, match.group(1) == "True", scene)
                return True
            match = _RAISES.match(part)
            if match:
                self._raises(line, visit, match.group(2), match.group(1))
                if part is last and head:
                    self.workings.read(head, scene, final_after=False)
                return True
            match = _CATCHES.match(part)
            if match:
                names = {s.value.split(":")[0].split("(")[0] for s in history.steps[: visit + 1]
                         if s.event == "exception" and s.value}  # fmt: skip
                self.ledger.add("exception", "catches", match.group(1), match.group(1) in names, str(sorted(names)),
                                line=line, visit=visit)  # fmt: skip
                return True
            match = _BREAK.match(part)
            if match:
                self._breaks(line, visit, match)
                return True
            match = _YIELDS.match(part)
            if match:
                self._yields(line, visit, match.group(2), scene)
                return True
        if rest.startswith("calls "):
            following = visit + 1 if visit + 1 < len(history.steps) else visit
            step = history.steps[following]
            ok = step.frame != history.steps[visit].frame and step.function == rest[6:].strip()
            self.ledger.add(
                "order", rest[6:].strip(), "is called next", ok, "", line=line, visit=visit
            )
            return True
        return rest in ("the loop starts", "continue", "break", "pass", "try") or rest.endswith(
            "is defined"
        )

    def _outcome(self, line: int, visit: int, stated: bool, scene: Scene) -> None:
        statement = scene.statement
        verdict: bool | None = None
        if isinstance(statement, ast.If | ast.While):
            following = self._next_line(visit)
            if following is not None:
                inside = statement.body[0].lineno <= self.history.line(following) <= (
                    statement.body[-1].end_lineno or 0
                )  # fmt: skip
                verdict = inside is stated
            else:
                verdict = not stated
        self.ledger.add("branch", "condition", str(stated), verdict, line=line, visit=visit)

    def _raises(self, line: int, visit: int, kind: str, function: str | None) -> None:
        history = self.history
        found = ""
        for index in range(visit, len(history.steps)):
            step = history.steps[index]
            if step.event == "exception":
                found = (step.value or "").split("(")[0].split(":")[0].strip()
                break
            if index > visit and step.event == "line" and step.frame == history.steps[visit].frame:
                break
        self.ledger.add(
            "exception",
            function or "",
            kind,
            found == kind,
            found or "nothing raised",
            line=line,
            visit=visit,
        )

    def _breaks(self, line: int, visit: int, match: re.Match[str]) -> None:
        target = self._loop(self.resolve(int(match.group(1))))
        verdict = False
        evidence = "no such loop"
        if target is not None:
            for run in self.history.runs(target):
                if run.start <= visit <= run.end:
                    verdict = len(run.passes) == int(match.group(3)) and run.exit is None
                    evidence = f"{len(run.passes)} iterations"
        self.ledger.add(
            "iterations",
            f"[L{match.group(1)}]",
            match.group(3),
            verdict,
            evidence,
            line=line,
            visit=visit,
        )

    def _yields(self, line: int, visit: int, value: str, scene: Scene) -> None:
        node = scene.statement.value if isinstance(scene.statement, ast.Expr | ast.Assign) else None
        verdict: bool | None = None
        evidence = ""
        if isinstance(node, ast.Yield) and node.value is not None:
            actual = value_of(ast.unparse(node.value), scene.before)
            said = literal(value.strip())
            if actual is not MISSING and said is not None and not isinstance(actual, Raises):
                verdict, evidence = equals(said[0], actual, value), repr(actual)[:200]
        following = self.history.steps[visit + 1 : visit + 2]
        if following and following[0].event == "yield":
            self.at = max(self.at, visit + 1)
        self.ledger.add("value", "yields", value.strip(), verdict, evidence, line=line, visit=visit)
