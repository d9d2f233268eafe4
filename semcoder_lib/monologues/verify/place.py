"""Where in the trace free prose is (at a label's visit, in an iteration, or from here on), how its
sentences move that place, and what is so at the moments that it allows: a statement is supported
when it agrees with one of them, contradicted when it disagrees with every one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from semcoder_lib.monologues.evaluator import equal, literal, parse_expression
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Loop, target_names
from semcoder_lib.monologues.verify import patterns
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.history import Frame, History, Pass, Run, State
from semcoder_lib.monologues.verify.patterns import EQUATION, LABEL, Sentence
from semcoder_lib.monologues.verify.report import Ledger, Verdict
from semcoder_lib.monologues.verify.text import same_text

_MAX_STATES = 160
_FRAMES = 4


class Iteration(NamedTuple):
    """One iteration, its number counted from 1, with its steps."""

    number: int
    loop: Loop
    run: Run
    steps: Pass


class Place:
    """What reading a text has come to. `output` is what the function returns in it."""

    def __init__(
        self, history: History, ledger: Ledger, entry_point: str, output: Any, backward: bool
    ) -> None:
        self.history, self.ledger = history, ledger
        self.entry_point, self.output, self.backward = entry_point, output, backward
        self.loops = tuple(history.syntax.loops.values())
        self.zero_based: bool | None = None  # how the text counts iterations, once it is known
        self.begin("")

    def begin(self, kind: str) -> None:
        """Start a section: outside the simulation, what is said may be about any moment."""
        self.kind = kind or texts.SIMULATION
        self.anytime = self.kind in (texts.FUNCTION, texts.CONCLUSION)
        self.visit: int | None = None  # of the line that was named last
        self.stack: list[Iteration] = []
        self.called = False  # whether the last sentence spoke of another call
        self.at = 0  # the step that the text has come to

    @property
    def window(self) -> Pass | None:
        """The steps of the current iteration."""
        return self.stack[-1].steps if self.stack else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that may stand in prose without backticks: the program's."""
        nodes = ast.walk(self.history.syntax.tree)
        own = {getattr(node, "id", getattr(node, "arg", None)) or "" for node in nodes}
        return frozenset(n for n in own | self.history.variables if n.isidentifier())

    def enter(self, iteration: Iteration) -> None:
        """Go to the start of an iteration, out of those that it is not inside of."""
        start = iteration.steps.start
        self.stack = [
            outer
            for outer in self.stack
            if outer.loop is not iteration.loop and outer.steps.start <= start <= outer.steps.end
        ]
        self.stack.append(iteration)
        self.at, self.visit = start, None
        self.ledger.covered.add(iteration.loop.header)

    def leave(self, line: int | None = None) -> None:
        """Leave the iterations of loops that a line does not belong to, or the innermost loop."""
        while self.stack and (line is None or not _inside(self.stack[-1].loop, line)):
            left = self.stack.pop()
            end = left.steps.end if line is not None or left.run.exit is None else left.run.exit
            self.at, self.visit = max(self.at, end), None
            if line is None:
                break

    # --- claims -------------------------------------------------------------------------------

    def record(
        self, kind: str, subject: str, value: str, verdict: bool | None, evidence: str = ""
    ) -> None:
        """Enter a claim of this place. A deduction tries out inputs that it drops again, so that it
        is not contradicted about names."""
        if verdict is False and self.backward and kind in ("value", "branch", "iterations"):
            verdict = None if names_of(subject) or not parse_expression(subject) else False
        visit = self.visit if self.visit is not None else self.window.start if self.window else None
        self.ledger.add(kind, subject, value, verdict, evidence, visit)
        covers = verdict and not self.anytime and self.at < len(self.history.steps)
        if covers and subject in {c.name for c in self.history.steps[self.at].changes}:
            self.ledger.covered.add(self.history.line(self.at))

    def claim_value(self, code: str, text: str, *, after: bool = False, size: bool = False) -> None:
        """`code` (its `size`) is `text` here; `after` when the text says that it becomes so."""
        if text in ("True", "False") and re.search(r"\b(?:and|or)\b", code):
            code = f"bool({code})"  # the value may be that of a part
        whole = f"len({code})" if size else code
        verdict = self.decide(code, lambda state: state.fact(whole, text), after=after)
        self.record("value", whole, text, *verdict)

    def claim_count(self, number: int) -> None:
        """The loop of this place runs `number` times, or another one that the text may mean."""
        here = [run for i in self.stack[-1:] for run in self.history.runs(i.loop)]
        runs = [run for loop in self.loops for run in self.history.runs(loop)]
        every = {len(run.passes) for run in runs} or {0}
        counts = {len(run.passes) for run in here} or every
        certain = runs and (number not in every if here else len(counts) == 1)
        verdict = number in counts or (False if certain else None)
        self.record("iterations", "loop", str(number), verdict, f"iterations: {sorted(counts)[:6]}")

    def claim_returned(self, text: str) -> None:
        """The function (or a call that it made) returns the value."""
        stated, frames = literal(text), self.history.frames.values()
        results = [(self.output,), *(literal(f.returned or "") for f in frames if len(frames) > 1)]
        verdict = any(r and equal(stated[0], r[0]) for r in results) if stated else None
        if self.history.trace.result is not None and literal(self.history.trace.result) is None:
            verdict = verdict or None  # what was returned was not kept exactly
        self.record("return", self.entry_point, text, verdict, brief(self.output))

    # --- moments ------------------------------------------------------------------------------

    def truth(self, code: str, stated: bool) -> Verdict:
        """Whether the condition `code` comes out as stated here."""
        return self.decide(code, lambda state: state.holds(code, stated))

    def decide(
        self, code: str, look: Callable[[State], Verdict], *, after: bool = False
    ) -> Verdict:
        """What `look` finds at the moments that the place allows, the likeliest first: the first
        that agrees, else the first that disagrees, else none."""
        names = sorted(names_of(code))
        result: Verdict = (None, "cannot be decided")
        for frame in self._frames(code):
            seen: set[tuple[str | None, ...]] = set()
            for index in self._moments(code, frame, after):
                state = State(self.history, frame, index)
                key = tuple(state.text(n) for n in names)
                if key in seen or len(seen) >= _MAX_STATES:
                    continue
                seen.add(key)
                verdict, evidence = look(state)
                if verdict:
                    if code.isidentifier() and not self.anytime:
                        self.at = max(self.at, index)
                    return True, evidence
                if verdict is False and result[0] is None:
                    result = verdict, evidence
        return result

    def _frames(self, code: str) -> list[Frame]:
        """The calls that code may be about: a variable may be another's."""
        frames, at = self.history.frames, self.at if self.visit is None else self.visit
        here = frames[self.history.steps[at].frame]
        if self.stack and self.visit is None:
            here = frames[self.stack[-1].run.frame]
        if not code.isidentifier():
            return [here]
        others = [f for f in frames.values() if f is not here and code in f.names]
        return (others if others and code not in here.names else [here, *others])[:_FRAMES]

    def _moments(self, code: str, frame: Frame, after: bool) -> Iterator[int]:
        """Steps of the call that what is said of code may hold after."""
        window, visit = self.window, self.visit
        name = code in frame.names
        steps = [index for index, _ in frame.names[code]] if name else frame.steps
        if self.anytime:
            yield from steps
            return
        if visit is not None and self.history.steps[visit].frame == frame.number:
            yield from (visit,) if after else (visit, visit - 1)
            if not name and (window is None or not window.start <= visit <= window.end):
                return
        quoted = None if name else self._quoting(code, window)
        if quoted is not None:
            yield quoted - 1
        if window is None or self.stack[-1].run.frame != frame.number:
            yield self.at
            yield from sorted(steps, key=lambda i: (i < self.at, abs(i - self.at)))
        elif quoted is None:
            inside = [i for i in steps if window.start <= i <= window.end]
            if not after:
                yield self.at
            yield from sorted(inside, key=lambda i: i < self.at)
            if not (after and any(i > window.start or len(inside) == 1 for i in inside)):
                targets = names_of(code) & set(self.stack[-1].loop.targets)
                yield window.start if targets else window.start - 1
            if not name and (later := self._quoting(code)) is not None:
                # code that stands nowhere in this iteration: the text has gone on
                yield from (i for i in steps if i >= later - 1)

    def _quoting(self, code: str, window: Pass | None = None) -> int | None:
        """The next visit (in an iteration: the visit) of a line whose source contains the code."""
        syntax, short = self.history.syntax, _squeezed(code)
        if len(short) < 4:
            return None
        start = self.at - 1 if window is None else window.start - 1
        visits = [
            self.history.next_visit(line, start, window.end if window else None)
            for line in syntax.statements
            if short in _squeezed(syntax.text(line))
        ]
        return min((v for v in visits if v is not None), default=None)


def _squeezed(code: str) -> str:
    """Code without spaces and with one kind of quotes, to compare what two people typed."""
    return re.sub(r"\s+", "", code).replace('"', "'").rstrip(":;")


def _inside(loop: Loop, line: int) -> bool:
    return loop.header <= line <= loop.last


def names_of(code: str) -> set[str]:
    """The names in a piece of code; none in what is no expression."""
    node = parse_expression(code)
    return set(target_names(node)) if node is not None else set()


def names_of_loop(loop: Loop) -> tuple[str, ...]:
    """The targets of a `for`, or the names in the test of a `while`."""
    return loop.targets if isinstance(loop.node, ast.For) else (*target_names(loop.node.test),)


# --- how sentences move the place -----------------------------------------------------------------


def read_anchors(place: Place, s: Sentence) -> None:
    """Move the place as the sentence says, by an iteration's heading, the value of a loop's
    variable or a label, and claim that the execution can be there."""
    if patterns.AFTER_LOOP.search(s.text):
        place.leave()
    names = {name for loop in place.loops for name in names_of_loop(loop)}
    bound = [i for i, t in s.at.items() if t.mark == EQUATION and t.left in names]
    heading = patterns.ITERATION.search(s.text)
    if heading and not patterns.IDLE.search(s.text[: heading.start()]):
        place.ledger.place = s.place(heading.start(), max([heading.end(), *(i + 1 for i in bound)]))
        _heading(place, s, heading, bound)
    elif bound and _binds(place, s, bound[0]):
        s.used.add(bound[0])
        place.ledger.place = s.place(bound[0], bound[0] + 1)
        name, text = s.at[bound[0]].left, s.at[bound[0]].right
        verdict = _enter_with(place, name, text)
        if verdict is not None:
            evidence = "" if verdict else "no such iteration follows"
            place.record("value", name, text, verdict, evidence)
    labels = [i for i, t in s.at.items() if t.mark == LABEL]
    if labels:
        _label(place, s, min(labels))


def _binds(place: Place, s: Sentence, at: int) -> bool:
    """Whether the sentence begins with the value of a loop's variable, as the head of an iteration.
    A name in the test of a `while` alone needs a word for it: `i = 0` may only set it."""
    word = re.search(r"[a-z]", s.text[:at], re.I) or s.text[at + 1 :].startswith(":")
    target = any(s.at[at].left in loop.targets for loop in place.loops)
    return _begins(patterns.WITH_BINDING, s.text, at) and bool(word or target)


def _begins(pattern: re.Pattern[str], text: str, at: int) -> bool:
    """Whether the mark at `at` ends what the pattern matches at the start."""
    match = pattern.match(text)
    return match is not None and match.end() - 1 == at


def _iterations(place: Place, names: list[str]) -> list[Iteration]:
    """All iterations of the loops that bind one of the names (or of any loop), in order. Many tell
    as one more the test that ends a `while`, and that a `for` has nothing to go over."""
    loops = [loop for loop in place.loops if not names or {*names} & {*names_of_loop(loop)}]
    iterations = []
    for loop in [loop for loop in loops if {*names} & {*loop.targets}] or loops:
        for run in place.history.runs(loop):
            whole = loop.is_for and (run.passes or names)
            last = [] if run.exit is None or whole else [Pass(run.exit, run.exit)]
            iterations += [
                Iteration(n, loop, run, p) for n, p in enumerate([*run.passes, *last], 1)
            ]
    return sorted(iterations, key=lambda i: i.steps.start)


def _text_at(place: Place, name: str, iteration: Iteration) -> str | None:
    return place.history.state(iteration.steps.start).text(name)


def _enter_with(place: Place, name: str, text: str) -> bool | None:
    """Go to the next iteration where the loop's variable has the value. True when there is one (or
    this is it), False when it never has the value, None when only earlier."""
    window = place.window
    after = window.start if window and place.at != window.start else place.at - 1
    fitting = [i for i in _iterations(place, [name]) if same_text(text, _text_at(place, name, i))]
    ahead = next((i for i in fitting if i.steps.start > after), None)
    if ahead is not None:
        place.enter(ahead)
        return True
    if fitting:
        return None if window else True
    return False if any(name in loop.targets for loop in place.loops) else None


def _heading(place: Place, s: Sentence, heading: re.Match[str], bound: list[int]) -> None:
    """`Second iteration (n = 3)`: go there, and claim that it is so."""
    at, word = heading.start("number"), heading["word"]
    s.used.update(bound, [at])
    if word:
        number = patterns.ORDINALS.get(word.lower()) or int(re.sub(r"\D", "", word))
    elif s.at[at].text.isdigit():
        number = int(s.at[at].text)
        place.zero_based = number == 0 if place.zero_based is None else place.zero_based
        number += place.zero_based
    else:
        return
    # `Step 2:` may count anything
    certain = bool(bound) or (heading["kind"] or "").lower() not in ("step", "round")
    after = place.window.start if place.window else place.at - 1
    place.visit = None
    numbered = [
        i
        for i in _iterations(place, [s.at[i].left for i in bound])
        if i.number == (number if number > 0 else len(i.run.passes))
    ]
    iteration = next(
        (i for i in numbered if i.steps.start > after), numbered[-1] if numbered else None
    )
    subject = f"iteration {number}"
    if iteration is not None:
        place.enter(iteration)
        verdicts = []
        for name, text in [(s.at[i].left, s.at[i].right) for i in bound]:
            recorded = _text_at(place, name, iteration)
            verdicts.append(same_text(text, recorded))
            place.record("value", name, text, verdicts[-1], f"{subject}: {recorded}")
        if certain and False not in verdicts:
            ends = iteration.number > len(iteration.run.passes)
            place.record("iterations", subject, "", None if ends else True)
    elif certain and any(place.history.runs(loop) for loop in place.loops):
        place.ledger.add("iterations", subject, "", False, "there are fewer iterations")
        place.stack = []


def _label(place: Place, s: Sentence, at: int) -> None:
    """The text names a line; at the start of a sentence that says the line runs now, unless nothing
    is said to be done there."""
    place.ledger.place = s.place(at, at + 1)
    history, line = place.history, place.history.labelled(s.at[at].text)
    leading = _begins(patterns.LEADING_LABEL, s.text, at)
    if leading:
        place.leave(line)
    named = place.visit is not None and history.line(place.visit) == line
    start = place.at - 1 if place.at != place.visit else place.at
    until = place.window.end if place.window else None
    visit = place.visit if named else history.next_visit(line, start, until)
    earlier = history.last_visit(line, place.at)
    idle = patterns.IDLE.search(s.text)
    if visit is not None:
        place.visit = visit
        place.at = max(place.at, visit) if leading else place.at
    elif leading and not idle:
        place.visit = earlier
    if visit is not None or (earlier is not None and not idle):
        place.ledger.covered.add(line)
    looped = any(_inside(loop, line) for loop in place.loops)
    known = not history.syntax.text(line)
    open_ = visit is None and not idle and (looped if earlier is not None else known)
    if leading and not named and not open_:
        runs = visit is not None or idle is not None
        label = history.label(line)
        place.ledger.add("order", label, "runs", runs, "it does not", visit, line=line)
