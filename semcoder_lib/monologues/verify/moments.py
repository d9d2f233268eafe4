"""Where in the trace free prose is, and what holds there.

A place is a label's visit, an iteration (a span of steps) or just "from here on". A statement is
supported when some state that the place allows agrees with it, and contradicted when every one of
them disagrees.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from semcoder_lib.monologues.verify.evaluate import Raises, equals, literal, names_of, parse
from semcoder_lib.monologues.verify.history import Frame, Pass, Run, State
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.scene import MISSING, Scene, comprehension_values, value_of
from semcoder_lib.monologues.verify.source import Loop, squeezed
from semcoder_lib.monologues.verify.stated import same_text
from semcoder_lib.monologues.verify.tokens import Token

MAX_STATES = 160


class Moments:
    """The place, how sentences move it, and the decisions that depend on it."""

    def __init__(self, walk: Cursor) -> None:
        self.walk = walk
        self.history = walk.history
        self.ledger = walk.ledger
        self.loops = self.history.layout.loops if self.history.layout else ()
        self.loop_names = frozenset(
            name for loop in self.loops for name in (loop.targets or _test_names(loop))
        )
        self.anytime = False
        self.musing = False
        self.final = False
        self.visit: int | None = None
        self.stack: list[tuple[Loop, Run, Pass, int]] = []  # with the indent of the heading
        self.entered: int | None = None
        self.bound: dict[str, Any] = {}
        self.at = 0
        self._indent = 0
        self._last_label = 0

    # --- moving -----------------------------------------------------------------------------

    @property
    def window(self) -> Pass | None:
        """The steps of the current iteration."""
        return self.stack[-1][2] if self.stack else None

    def leave(self) -> None:
        """Forget the place: a new section starts."""
        self.stack.clear()
        self.visit = None
        self.bound = {}
        self.at = 0

    def indent(self, width: int) -> None:
        """Note a new line's indent."""
        self._indent = width

    def after_loop(self) -> None:
        """The loop that is being told is over."""
        self.visit = None
        if self.stack:
            _, run, _, _ = self.stack.pop()
            self.at = max(self.at, run.exit if run.exit is not None else run.end)
            return
        best: Run | None = None
        for loop in self.loops:
            for run in self.history.runs(loop):
                if run.start <= self.at <= run.end and (best is None or run.start > best.start):
                    best = run
        if best is None:
            later = [
                r for loop in self.loops for r in self.history.runs(loop) if r.start >= self.at
            ]
            best = min(later, key=lambda r: r.start, default=None)
        if best is not None:
            self.at = max(self.at, best.exit if best.exit is not None else best.end)

    def iteration(
        self,
        number: int,
        bound: list[tuple[str, str]],
        *,
        certain: bool,
        values: list[str],
    ) -> None:
        """`Second iteration (n = 3)`: go there, and claim that it is so."""
        self.visit = None
        found = self._find_pass(number, [name for name, _ in bound])
        if found is None:
            if certain and self.loops and any(self.history.runs(loop) for loop in self.loops):
                self.ledger.add(
                    "iterations", f"iteration {number}", "", False, "there are fewer iterations"
                )
                self.stack = [e for e in self.stack if e[3] < self._indent]
            for name, text in bound:
                self.enter_by_value(name, text)
            return
        loop, run, one = found
        good = True
        for name, text in bound:
            recorded = self.history.state(one.start).text(name)
            verdict = same_text(text, recorded)
            if verdict is False:
                good = False
            self.ledger.add("value", name, text, verdict, f"iteration {number}: {recorded}"[:200],
                            line=loop.header, visit=one.start)  # fmt: skip
        if (bound and good) or (not bound and certain):
            self.ledger.add(
                "iterations", f"iteration {number}", "", True, "", line=loop.header, visit=one.start
            )
        self._enter(loop, run, one)
        if not good:
            for name, text in bound:
                later = self._pass_with(name, text, one.start - 1)
                if later is not None:
                    self._enter(*later)

    def _enter(self, loop: Loop, run: Run, one: Pass) -> None:
        self.stack = [
            entry for entry in self.stack
            if entry[0] is not loop and entry[2].start <= one.start <= entry[2].end
        ]  # fmt: skip
        self.stack.append((loop, run, one, self._indent))
        self.at = one.start
        self.entered = one.start
        self.visit = None
        self.bound = {}
        self.ledger.covered.add(loop.header)

    def _find_pass(self, number: int, names: list[str]) -> tuple[Loop, Run, Pass] | None:
        """The next iteration with that number (from 1; -1 is the last), of a loop that binds the
        names; one that was passed already when none follows."""
        loops = [
            loop
            for loop in self.loops
            if not names or set(names) & {*loop.targets, *_test_names(loop)}
        ]
        exact = [loop for loop in loops if set(names) & set(loop.targets)]
        choices: list[tuple[int, Loop, Run, Pass]] = []
        for loop in exact or loops:
            for run in self.history.runs(loop):
                place = len(run.passes) if number == -1 else number
                if 1 <= place <= len(run.passes):
                    one = run.passes[place - 1]
                    choices.append((one.start, loop, run, one))
        if not choices:
            return None
        choices.sort(key=lambda c: c[0])
        floor = self.window.start + 1 if self.window else self.at
        for start, loop, run, one in choices:
            if start >= floor:
                return loop, run, one
        for start, loop, run, one in reversed(choices):
            if start <= self.at:
                return loop, run, one
        return None

    def enter_by_value(self, name: str, text: str) -> bool | None:
        """Go to the next iteration where the loop's variable has the value. True when there is
        one (or this is it), False when it never has the value, None when only earlier."""
        window = self.window
        if (
            window is not None
            and name in (self.stack[-1][0].targets or ())
            and same_text(text, self.history.state(window.start).text(name))
            and self.entered == window.start
            and self.at == window.start
        ):
            return True
        found = self._pass_with(name, text, window.start if window else self.at - 1)
        if found is not None:
            self._enter(*found)
            return True
        if self._pass_with(name, text, -1) is not None:
            return True if window is None else None
        return False if any(name in loop.targets for loop in self.loops) else None

    def _pass_with(self, name: str, text: str, after: int) -> tuple[Loop, Run, Pass] | None:
        best: tuple[Loop, Run, Pass] | None = None
        for loop in self.loops:
            if name not in loop.targets and name not in _test_names(loop):
                continue
            for run in self.history.runs(loop):
                for one in run.passes:
                    if one.start > after and same_text(
                        text, self.history.state(one.start).text(name)
                    ):
                        if best is None or one.start < best[2].start:
                            best = (loop, run, one)
                        break
        return best

    def item_name(self) -> str | None:
        """The variable of the `for` that a heading like `'a':` would be about."""
        singles = [loop for loop in self.loops if len(loop.targets) == 1]
        return singles[-1].targets[0] if len(singles) == 1 else None

    def at_label(self, line: int, *, leading: bool, skipped: bool) -> None:
        """The text names a line; at the start of a sentence that says the line runs now."""
        history = self.history
        window = self.window
        until = window.end if window else None
        label = f"[L{line + self.walk.offset}]"
        if window is not None and leading and not self._within(line):
            self._step_out(line)
            window = self.window
            until = window.end if window else None
        start = self.at - 1 if self.at != self.visit else self.at
        current = self.visit is not None and history.line(self.visit) == line
        found = self.visit if current else self._next(line, start, until)
        if found is None and line == self._definition():
            found = 0
            if not leading:
                return
        if skipped:
            if leading and found is None:
                self.ledger.add("order", label, "does not run", True, "", line=line)
            return
        if found is None:
            earlier = history.last_visit(line, self.at)
            if not leading:
                if earlier is not None:
                    self.ledger.covered.add(line)
                return
            if earlier is None:
                ran = line in history.executed
                if line in (history.layout.statements if history.layout else {}) or ran:
                    self.ledger.add(
                        "order",
                        label,
                        "runs",
                        False,
                        "runs only later" if ran else "never runs",
                        line=line,
                    )
                self.visit = None
                return
            looped = any(
                loop.first <= line <= loop.last or loop.header == line for loop in self.loops
            )
            if not looped:
                self.ledger.add(
                    "order", label, "runs here", False, "it ran before", line=line, visit=earlier
                )
            self.visit = earlier
            self.ledger.covered.add(line)
            return
        self.visit = found
        if leading:
            self._last_label = line
            if not current:
                self.ledger.add("order", label, "runs", True, "", line=line, visit=found)
            self.at = max(self.at, found)
        self.ledger.covered.add(line)

    def _next(self, line: int, after: int, until: int | None) -> int | None:
        return self.history.next_visit(line, after, until)

    def _definition(self) -> int:
        return self.history.steps[0].line if self.history.steps else 1

    def _within(self, line: int) -> bool:
        loop = self.stack[-1][0]
        return loop.header <= line <= loop.last

    def _step_out(self, line: int) -> None:
        while self.stack and not self._within(line):
            one = self.stack.pop()[2]
            self.at = max(self.at, one.end)
        self.visit = None

    # --- states -----------------------------------------------------------------------------

    def _frame(self) -> Frame | None:
        if self.visit is not None:
            return self.history.frames[self.history.steps[self.visit].frame]
        if self.stack:
            return self.history.frames[self.stack[-1][1].frame]
        if self.history.steps and self.at < len(self.history.steps):
            return self.history.frames[self.history.steps[self.at].frame]
        return self.history.entry

    def _frames(self, name: str) -> list[Frame]:
        here = self._frame()
        out = [here] if here is not None and name in here.changes else []
        out += [f for f in self.history.frames.values() if name in f.changes and f is not here]
        return out

    def value(self, name: str, text: str, *, after: bool) -> None:
        """`name` is `text` here; `after` when the text says that it becomes so."""
        if name in self.bound:
            self._record("value", name, text, self._bound_is(name, text), "")
            return
        frames = self._frames(name)
        if not frames:
            self._unknown_name(name, text)
            return
        verdict: bool | None = None
        evidence = ""
        for frame in frames[:4]:
            verdict, evidence = self._value_in(frame, name, text, after)
            if verdict:
                break
        self._record("value", name, text, verdict, evidence)

    def _bound_is(self, name: str, text: str) -> bool | None:
        found = literal(text)
        return None if found is None else equals(found[0], self.bound[name], text)

    def _unknown_name(self, name: str, text: str) -> None:
        found = literal(text)
        domain = self.domain(name)
        if found is not None and domain is not None:
            ok = any(equals(found[0], v) for v in domain)
            if ok:
                self.bound[name] = found[0]
            self._record("value", name, text, ok, repr(domain)[:120])
            return
        actual = (
            value_of(name, State(self.history, frame, 0)) if (frame := self._frame()) else MISSING
        )
        if actual is not MISSING and not isinstance(actual, Raises) and found is not None:
            self._record("value", name, text, equals(found[0], actual, text), repr(actual)[:200])
            return
        self._record("value", name, text, None, "no such variable")

    def _value_in(self, frame: Frame, name: str, text: str, after: bool) -> tuple[bool | None, str]:
        indices, texts = frame.changes[name]
        if self.anytime:
            return self._among([t for t in texts if t is not None], text)
        if self.visit is not None and self.history.steps[self.visit].frame == frame.number:
            done = State(self.history, frame, self.history.settled(self.visit)).text(name)
            if same_text(text, done):
                self.at = max(self.at, self.visit)
                return True, done or ""
            if not after:
                first = State(self.history, frame, self.visit - 1).text(name)
                if same_text(text, first):
                    return True, first or ""
        window = self.window
        if window is not None and self.stack[-1][1].frame == frame.number:
            return self._value_in_pass(frame, name, text, after, window)
        return self._value_onward(indices, texts, text)

    def _value_in_pass(
        self, frame: Frame, name: str, text: str, after: bool, window: Pass
    ) -> tuple[bool | None, str]:
        indices, texts = frame.changes[name]
        low = bisect_left(indices, window.start)
        high = bisect_right(indices, window.end)
        inside = list(zip(indices[low:high], texts[low:high], strict=True))
        entry = texts[low - 1] if low else None
        for index, recorded in sorted(inside, key=lambda c: c[0] < self.at):
            if same_text(text, recorded):
                self.at = max(self.at, index)
                return True, recorded or ""
        if name in self.stack[-1][0].targets:
            entry = State(self.history, frame, window.start).text(name)
        fresh = after and any(i > window.start or len(inside) == 1 for i, _ in inside)
        if not fresh and same_text(text, entry):
            return True, entry or ""
        known = [
            t for t in ([entry] if not fresh else []) + [t for _, t in inside] if t is not None
        ]
        return self._among(known, text)

    def _value_onward(
        self, indices: list[int], texts: list[str | None], text: str
    ) -> tuple[bool | None, str]:
        """Without an iteration: the value now, or the next one that the variable takes."""
        if self.final and texts and same_text(text, texts[-1]):
            return True, texts[-1] or ""
        here = bisect_right(indices, self.at)
        now = texts[here - 1] if here else None
        if same_text(text, now):
            return True, now or ""
        for step, place in enumerate(range(here, len(indices))):
            if same_text(text, texts[place]):
                if step <= 1 or not self._looping(indices[place]):
                    self.at = indices[place]
                    return True, texts[place] or ""
                self.at = max(self.at, indices[place])
                return True, f"later: {texts[place]}"
        for place in range(here - 1, -1, -1):
            if same_text(text, texts[place]):
                return (
                    True if not self._looping(indices[place]) else None
                ), f"before: {texts[place]}"
        return self._among([t for t in texts if t is not None], text)

    def _looping(self, index: int) -> bool:
        line = self.history.line(index)
        return any(loop.header <= line <= loop.last for loop in self.loops)

    def _among(self, known: list[str], text: str) -> tuple[bool | None, str]:
        verdicts = [same_text(text, t) for t in known]
        if any(verdicts):
            return True, ""
        shown = ", ".join(known[-3:])[:200]
        if not verdicts or any(v is None for v in verdicts):
            return None, shown
        return False, shown

    def domain(self, name: str) -> list[Any] | None:
        """What a comprehension's variable goes through, in the states that the place allows."""
        layout = self.history.layout
        if layout is None:
            return None
        found: list[Any] = []
        known = False
        for line, statement in layout.statements.items():
            if line not in self.history.executed:
                continue
            if not any(isinstance(n, ast.comprehension) for n in ast.walk(statement)):
                continue
            for visit in self.history.visits.get(line, ())[:20]:
                state = self.history.before(visit)
                scene = Scene(state, state, line, visit, statement=statement)
                values = comprehension_values(name, scene)
                if values is not None:
                    known = True
                    found.extend(values)
        return found if known else None

    def _states(self, code: str) -> Iterator[State]:
        """States that the place allows, the likeliest first, each set of values once."""
        history = self.history
        frame = self._frame()
        if frame is None:
            return
        names = names_of(code)
        seen: set[tuple[str | None, ...]] = set()
        for index in self._indices(code, frame):
            state = State(history, frame, index, self.bound or None)
            key = tuple(state.text(n) for n in sorted(names))
            if key not in seen:
                seen.add(key)
                yield state
                if len(seen) >= MAX_STATES:
                    return

    def _indices(self, code: str, frame: Frame) -> Iterator[int]:
        history = self.history
        if self.visit is not None and history.steps[self.visit].frame == frame.number:
            yield self.visit - 1
            yield history.settled(self.visit)
            if self.window is None or not self.window.start <= self.visit <= self.window.end:
                return
        window = self.window
        if window is not None:
            quoted = self._quoting(code, frame, window)
            if quoted is not None:
                yield quoted - 1
                return
            yield self.at
            if not names_of(code) & set(self.stack[-1][0].targets):
                yield window.start - 1
            for index in frame.steps:
                if window.start <= index <= window.end:
                    yield index
            return
        if self.final:
            yield from reversed(frame.steps)
            return
        quoted = self._quoting(code, frame)
        if quoted is not None and not self.anytime:
            yield quoted - 1
        if not self.anytime:
            yield self.at
        for index in frame.steps:
            if index >= self.at:
                yield index
        for index in frame.steps:
            yield index

    def _quoting(self, code: str, frame: Frame, window: Pass | None = None) -> int | None:
        """The next visit (in an iteration: the visit) of a line whose source contains the code."""
        layout = self.history.layout
        short = squeezed(code)
        if layout is None or len(short) < 4:
            return None
        after = self.at - 1 if window is None else window.start - 1
        best: int | None = None
        for line, text in layout.texts.items():
            if short in text:
                found = self.history.next_visit(line, after, window.end if window else None)
                if found is not None and (best is None or found < best):
                    best = found
        return best

    # --- decisions --------------------------------------------------------------------------

    def expression(self, code: str, text: str) -> None:
        """`code` has the value `text` here."""
        stated = literal(text)
        if stated is None:
            self._record("value", code, text, None, "not a value")
            return
        verdict, evidence = self._agrees(code, lambda actual: equals(stated[0], actual, text))
        if verdict is None:
            verdict, evidence = self._partial(code, stated[0], text)
        self._record("value", code, text, verdict, evidence)

    def truth(self, code: str, stated: bool) -> None:
        """The condition `code` is true (or false) here."""
        verdict, evidence = self._agrees(code, lambda actual: bool(actual) is stated)
        self._record("branch", code, str(stated), verdict, evidence)

    def _agrees(self, code: str, test: Any) -> tuple[bool | None, str]:
        node = parse(code)
        if node is None:
            return None, "not an expression"
        last: Any = MISSING
        first = True
        exact = False
        for state in self._states(code):
            actual = value_of(code, state)
            if actual is MISSING:
                continue
            if isinstance(actual, Raises):
                last = actual if last is MISSING else last
                continue
            if test(actual):
                return True, repr(actual)[:200]
            if first:
                last = actual
            first = False
            exact = True
        if last is MISSING:
            if not names_of(code):
                actual = value_of(code, _nobody(self))
                if actual is not MISSING and not isinstance(actual, Raises):
                    return test(actual), repr(actual)[:200]
            return None, "cannot be evaluated"
        if isinstance(last, Raises):
            return None, f"raises {last.args[0]}"
        return (False if exact else None), repr(last)[:200]

    def _partial(self, code: str, stated: Any, text: str) -> tuple[bool | None, str]:
        """`split()` or `any()`: a call named without what it is called on."""
        node = parse(code)
        if not isinstance(node, ast.Call) or (node.args and not isinstance(node.func, ast.Name)):
            return None, "cannot be evaluated"
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        seen = False
        for expression, state in self._around():
            if isinstance(expression, ast.Call):
                called = expression.func
                other = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                if other == name:
                    actual = value_of(ast.unparse(expression), state)
                    if actual is not MISSING and not isinstance(actual, Raises):
                        seen = True
                        if equals(stated, actual, text):
                            return True, repr(actual)[:200]
        return (False if seen and not node.args else None), ""

    def _around(self) -> Iterator[tuple[ast.expr, State]]:
        """Every sub-expression of the statements at this place, with the state before them."""
        layout = self.history.layout
        if layout is None:
            return
        for visit in self._visits():
            statement = layout.statements.get(self.history.line(visit))
            if statement is None:
                continue
            state = State(
                self.history,
                self.history.frames[self.history.steps[visit].frame],
                visit - 1,
                self.bound or None,
            )
            yield from ((node, state) for node in _own_expressions(statement))

    def _visits(self) -> list[int]:
        steps = self.history.steps
        if self.visit is not None:
            return [self.visit]
        window = self.window
        if window is not None:
            return [i for i in range(window.start, window.end + 1) if steps[i].event == "line"][:30]
        if self.anytime:
            return [i for i, s in enumerate(steps) if s.event == "line"][:40]
        return [i for i in range(max(0, self.at - 1), len(steps)) if steps[i].event == "line"][:8]

    def implicit(self, subject: Token | None, text: str, *, stated: list[str]) -> None:
        """ "resulting in V": the subject, a variable, or a part of what runs here has that value."""
        found = literal(text)
        if found is None:
            return
        name = subject.left or subject.text if subject is not None else "it"
        if text in stated:
            self._record("value", name, text, True, "repeats what was said")
            return
        if subject is not None and parse(name) is not None:
            verdict, evidence = self._agrees(name, lambda a: equals(found[0], a, text))
            if verdict:
                self._record("value", name, text, True, evidence)
                return
        complete = True
        for frame in self.history.frames.values():
            for variable in frame.changes:
                verdict, evidence = self._value_in(frame, variable, text, False)
                if verdict:
                    self._record("value", variable, text, True, evidence)
                    return
        for expression, state in self._around():
            actual = value_of(ast.unparse(expression), state)
            if actual is MISSING or isinstance(actual, Raises):
                complete = False
            elif equals(found[0], actual, text):
                self._record("value", ast.unparse(expression)[:60], text, True, "")
                return
        placed = self.visit is not None or self.window is not None
        self._record(
            "value",
            name,
            text,
            False if placed and complete else None,
            "nothing here has this value",
        )

    def count(self, number: int) -> None:
        """The loop of this place runs `number` times."""
        runs = [(loop, run) for loop in self.loops for run in self.history.runs(loop)]
        if not runs:
            ran = any(loop.header in self.history.executed for loop in self.loops)
            self._record(
                "iterations", "loop", str(number), None if ran or number else True, "no loop ran"
            )
            return
        here = [r for loop, r in runs if self.stack and loop is self.stack[-1][0]]
        counts = [len(run.passes) for run in (here or [r for _, r in runs])]
        ok = number in counts
        self._record("iterations", "loop", str(number), ok if ok or len(set(counts)) == 1 or here else None,
                     f"iterations: {counts[:6]}")  # fmt: skip

    def returning(self) -> bool:
        """Whether the line of this place is a `return`."""
        layout = self.history.layout
        if layout is None or self.visit is None:
            return False
        return isinstance(layout.statements.get(self.history.line(self.visit)), ast.Return)

    def outcome(self, stated: bool) -> None:
        """The condition of this place (the latest `if` or `while` at or before it, else the next)
        comes out as stated."""
        layout = self.history.layout
        if layout is None:
            return
        here = self.visit if self.visit is not None else self.at
        window = self.window
        low = window.start if window is not None else 0
        found: list[tuple[int, ast.If | ast.While]] = []
        for index in range(here, low - 1, -1):
            statement = layout.statements.get(self.history.line(index))
            if self.history.steps[index].event == "line" and isinstance(
                statement, ast.If | ast.While
            ):
                found.append((index, statement))
                break
        if self.visit is None or not found:
            high = window.end if window is not None else len(self.history.steps) - 1
            for index in range(here + 1, high + 1):
                statement = layout.statements.get(self.history.line(index))
                if self.history.steps[index].event == "line" and isinstance(
                    statement, ast.If | ast.While
                ):
                    found.append((index, statement))
                    break
        verdicts = []
        for index, statement in found:
            actual = value_of(ast.unparse(statement.test), self.history.before(index))
            if actual is not MISSING and not isinstance(actual, Raises):
                verdicts.append(bool(actual) is stated)
        verdict = None if not verdicts else any(verdicts)
        self._record("branch", "condition", str(stated), verdict, "")

    def branch(self, which: str, *, taken: bool) -> None:
        """The `if` (or `else`) part of the condition at this place is (not) taken."""
        layout = self.history.layout
        if layout is None:
            return
        outcomes: list[bool] = []
        for visit in self._visits():
            statement = layout.statements.get(self.history.line(visit))
            if not isinstance(statement, ast.If):
                continue
            following = self.walk.next_line(visit)
            if following is None:
                continue
            line = self.history.line(following)
            body = statement.body[0].lineno <= line <= (statement.body[-1].end_lineno or 0)
            if which in ("if", "true", "then", "elif"):
                outcomes.append(body is taken)
            else:
                outcomes.append((not body) is taken)
            if self.visit is None and self.window is None:
                break
        if outcomes:
            self._record("branch", which, "taken" if taken else "not taken", any(outcomes), "")

    def known_call(self, code: str, text: str) -> bool:
        """Decide a call of the program's own function from the calls in the trace, if it is one."""
        stated = literal(text)
        frame = self._frame()
        if stated is None or frame is None:
            return False
        actual = value_of(code, State(self.history, frame, len(self.history.steps)))
        if actual is MISSING or isinstance(actual, Raises):
            return False
        self._record("return", code, text, equals(stated[0], actual, text), repr(actual)[:200])
        return True

    def holds(self, code: str, text: str) -> bool:
        """Whether `code` has the value somewhere in the run."""
        stated = literal(text)
        if stated is None or parse(code) is None:
            return False
        return bool(self._agrees(code, lambda actual: equals(stated[0], actual, text))[0])

    def _record(
        self, kind: str, subject: str, value: str, verdict: bool | None, evidence: str
    ) -> None:
        visit = self.visit if self.visit is not None else self.entered if self.window else None
        line = self.history.line(visit) if visit is not None else None
        if self.musing and verdict is False and (names_of(subject) or not parse(subject)):
            verdict = None  # a deduction tries out inputs that it drops again
        self.ledger.add(kind, subject, value, verdict, evidence, line=line, visit=visit)
        if (
            verdict
            and kind == "value"
            and not self.anytime
            and 0 <= self.at < len(self.history.steps)
        ):
            step = self.history.steps[self.at]
            if step.event == "line" and any(c.name == subject for c in step.changes):
                self.ledger.covered.add(self.history.line(self.at))


def _nobody(moments: Moments) -> Any:
    frame = moments.history.entry
    if frame is not None:
        return State(moments.history, frame, 0, moments.bound or None)
    from semcoder_lib.monologues.verify.evaluate import NO_NAMES

    return NO_NAMES


def _test_names(loop: Loop) -> tuple[str, ...]:
    if isinstance(loop.node, ast.While):
        return tuple(n.id for n in ast.walk(loop.node.test) if isinstance(n, ast.Name))
    return ()


def _own_expressions(statement: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement's own line, those of a body left out."""
    found: list[ast.expr] = []
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                found += [
                    n
                    for n in ast.walk(node)
                    if isinstance(n, ast.expr) and not isinstance(n, ast.Constant)
                ]
    return found[:40]
