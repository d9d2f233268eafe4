"""`verify`: one monologue against one execution."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.monologues.evaluator import literal
from semcoder_lib.monologues.forms import CONCLUSION, SUMMARY, heading
from semcoder_lib.monologues.syntax import syntax
from semcoder_lib.monologues.verify import loops, workings  # noqa: F401  (they enter deciders)
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.around import Around
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.deduction import Deduction
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.monologues.verify.properties import Bullets
from semcoder_lib.monologues.verify.prose import Prose
from semcoder_lib.monologues.verify.report import (
    CONTRADICTED,
    SUPPORTED,
    UNVERIFIABLE,
    Ledger,
    Report,
)
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.trials import Trials
from semcoder_lib.sandbox import Sandbox

FORWARD_COVERAGE = 0.8
_SECOND = re.compile(r"[.;] \[L\d{1,9}\] ")  # several steps on one line are prose
_COMMENT = re.compile(r"[ \t]*#[ \t]*\[L(\d{1,9})\][ \t]*$", re.M)
_CITED = re.compile(r"\[L(\d{1,9})\]")


def verify(
    text: str,
    program: Program,
    case: Case,
    box: Sandbox | None,
    *,
    direction: str | None = None,
    line_offset: int | None = None,
    trace: Trace | None = None,
    minimum_coverage: float | None = None,
    trials: Trials | None = None,
) -> Report:
    """Check a monologue from anywhere, claim by claim, from its text alone.

    Forward: `case.arguments` is the call that is told. Backward: `case.output` is the output that
    it starts from; the call that it arrives at is run. `trace` saves tracing the call again (of a
    backward text: of the call it arrives at). `line_offset` is what the text's `[Lk]` labels are
    ahead of the source's lines; None finds it (0 or 4). `trials` carries the fresh runs of one
    program from one call to the next. Without a `box` whatever needs a run stays unverifiable.

    Deterministic: the same text, program, case and versions give the same report. Never raises on a
    text, program or value. Promises nothing about claims it counts as unverifiable.
    """
    parts = texts.cut(text)
    direction = direction or texts.direction_of(parts)
    backward = direction == "backward"
    source = strip_labels(program.source)
    trials = trials or Trials(Program(source, program.entry_point), box)
    trials.know(None if backward else case.arguments)
    given = texts.read_answer(parts.answer)
    arguments = given.arguments if backward else case.arguments
    if trace is None and arguments is not None:
        trace = trials.trace(arguments)
    history = History(trace or Trace(()), syntax(source))
    offset = line_offset if line_offset is not None else find_offset(parts, history)
    reading = _Reading(history, offset, program.entry_point, trials, arguments, case, backward)
    for section in parts.sections:
        reading.section(section)
    ledger = reading.ledger
    wrong = _wrong(given, case, history, backward)
    ledger.add("answer", parts.answer, given.value_text, not wrong, wrong, place=parts.answer_place)
    executed = history.executed
    coverage = len(ledger.covered & executed) / len(executed) if executed else 1.0
    least = 0.0 if backward else FORWARD_COVERAGE
    least = least if minimum_coverage is None else minimum_coverage
    first = next((c for c in ledger.claims if c.status == CONTRADICTED), None)
    reason = ""
    if wrong:
        reason = f"wrong answer: {wrong}"
    elif first is not None:
        stated = f"{first.subject[:60]} {first.value[:60]}".strip()
        reason = f"contradicted {first.kind}: {stated} ({first.evidence[:80]})"
    elif coverage < least:
        reason = f"tells {coverage:.0%} of the executed lines, needs {least:.0%}"
    return Report(
        ledger.count(SUPPORTED), ledger.count(CONTRADICTED), ledger.count(UNVERIFIABLE),
        not wrong, coverage, ledger.count(CONTRADICTED, "order"), not reason, reason,
        ledger.claims, direction, offset, ledger.coverage(), ledger.forms,
    )  # fmt: skip


class _Reading:
    """The readers of one text, each for its kind of section."""

    def __init__(
        self, history: History, offset: int, entry_point: str, trials: Trials,
        arguments: tuple[Any, ...] | None, case: Case, backward: bool,
    ) -> None:  # fmt: skip
        self.ledger = Ledger()
        self.backward = backward
        cursor = Cursor(history, self.ledger, offset)
        output = case.output if backward else _returned(history, case)
        self.prose = Prose(cursor, entry_point, output, backward)
        self.steps = Steps(cursor, self.prose.read_at)
        self.deduction = Deduction(self.steps, trials, entry_point, arguments, output)
        self.around = Around(self.ledger, history.syntax, entry_point, arguments, output)
        self.bullets = Bullets(self.ledger, history.syntax, trials, entry_point, arguments, output)

    def section(self, section: texts.Section) -> None:
        title = section.title
        if title is not None and title.text.strip() != heading(section.kind or "function").strip():
            self.ledger.unread(title.text, (title.start, title.start + len(title.text)))
        self.prose.begin(section.kind)
        led = section.kind == texts.SIMULATION and not self.backward and is_led(section)
        for line in section.lines:
            self.ledger.place = (line.start, line.start + len(line.text))
            text, start, kind = line.text, line.start, section.kind
            if kind == texts.PROPERTIES:
                known = self.bullets.read(text, start)
            elif kind == texts.DEDUCTION:
                known = self.deduction.read(text, start)
            elif kind in (texts.FUNCTION, texts.CONCLUSION):
                rows = SUMMARY if kind == texts.FUNCTION else CONCLUSION
                known = self.around.read(text, start, rows)
            else:
                known = led and self.steps.read(text, start)
            if not known:
                self._prose(section.kind, line)

    def _prose(self, kind: str, line: texts.Line) -> None:
        """A line of no form: what prose says of it, which enters what is left of it as unread."""
        since = len(self.ledger.claims)
        self.prose.read(line.text, line.start)
        span = (line.start, line.start + len(line.text.rstrip()))
        if len(self.ledger.claims) == since:
            self.ledger.unread(line.text.strip(), span)
        if kind in (texts.SIMULATION, texts.DEDUCTION, ""):
            self.ledger.total += span[1] - span[0]
            decided = [c for c in self.ledger.claims[since:] if c.status != UNVERIFIABLE]
            self.ledger.spans += [c.place for c in decided]


def strip_labels(source: str) -> str:
    """The source without the `# [Lk]` comments of a prompt."""
    return _COMMENT.sub("", source)


def is_led(section: texts.Section) -> bool:
    """Whether a section's lines start with labels, one step a line."""
    led = sum(
        LINE.match(line.text) is not None and not _SECOND.search(line.text)
        for line in section.lines
    )
    return led >= 0.8 * len(section.lines) > 0


def find_offset(parts: texts.Parts, history: History) -> int:
    """0 or 4: which reading of the cited labels names more of the lines that ran."""
    for number, line in enumerate(parts.prompt.split("\n"), 1):
        labelled = _COMMENT.search(line)
        if labelled:
            return int(labelled[1]) - number
    lines = [line.text for s in parts.sections for line in s.lines]
    cited = [int(n) for line in lines for n in _CITED.findall(line)]
    shape = history.syntax
    known = set(history.executed) | set(shape.structural)
    known.add(history.start(history.steps[0].line) if history.steps else 1)

    def score(offset: int) -> float:
        quoted = 0.0
        for line in lines:
            match = re.match(r"\s*[-*]?\s*\[L(\d{1,9})\]:?\s*`?(.+)", line)
            if match:
                source = shape.text(int(match[1]) - offset)
                quoted += bool(source) and match[2].startswith(source)
        return sum(history.start(n - offset) in known for n in cited) + quoted

    return 4 if score(4) > score(0) else 0


def _returned(history: History, case: Case) -> Any:
    """The output of the told call: as it was recorded, else as the case has it."""
    if history.trace.status is Status.OK and history.trace.result is not None:
        value = literal(history.trace.result)
        return value[0] if value else None
    return case.output


def _wrong(given: texts.Answer, case: Case, history: History, backward: bool) -> str:
    """Why the assertion does not hold; empty where it does."""
    trace = history.trace
    if given.problem:
        return given.problem
    returned = trace.status is Status.OK and trace.result is not None
    if not backward:
        if not returned and (history.steps or case.output is None):
            return f"the call does not return a value ({trace.status.value})"
        if not values.equal(given.value, _returned(history, case)):
            return "the assertion states another output"
        return "" if _same_call(given, case, history) else "the assertion is about another call"
    if not values.equal(given.value, case.output):
        return "the assertion states another output"
    if not returned:
        kind = (trace.exception or trace.status.value).split(":")[0]
        return f"the call does not give the output ({kind})"
    actual = literal(trace.result or "")
    if actual is None:
        return "the call's output was not kept exactly"
    return "" if values.equal(actual[0], case.output) else "the call gives another output"


def _same_call(given: texts.Answer, case: Case, history: History) -> bool:
    """The same call, defaults and names of arguments written out or not."""
    first = history.steps[0] if history.steps else None
    if given.arguments is None:
        return False
    if not given.named and values.equal(given.arguments, case.arguments):
        return True
    if first is None or first.event != "call":
        return False
    bound = {c.name: literal(c.text or "") for c in first.changes}
    stated = [*zip(bound.values(), given.arguments, strict=False)]
    stated += [(bound.get(k), v) for k, v in (given.named or {}).items()]
    complete = len(given.arguments) + len(given.named or {}) == len(bound)
    return complete and all(b is not None and values.equal(b[0], v) for b, v in stated)
