"""`verify`: one monologue against one execution."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.monologues.verify import answer as answers
from semcoder_lib.monologues.verify import sections
from semcoder_lib.monologues.verify.deduction.reader import read_deduction
from semcoder_lib.monologues.verify.evaluate import literal
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.lockstep.reader import LINE, read_line
from semcoder_lib.monologues.verify.properties.reader import read_bullet
from semcoder_lib.monologues.verify.prose.reader import read_line as read_prose
from semcoder_lib.monologues.verify.prose.reading import Reading
from semcoder_lib.monologues.verify.report import (
    CONTRADICTED,
    SUPPORTED,
    UNVERIFIABLE,
    Ledger,
    Report,
)
from semcoder_lib.monologues.verify.runs import Runs
from semcoder_lib.monologues.verify.source import LABEL, Layout, labels_in, layout, strip_labels
from semcoder_lib.monologues.verify.trials import Trials

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

FORWARD_COVERAGE = 0.8


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

    Deterministic: the same text, program, case and versions give the same report. Promises nothing
    about claims it counts as unverifiable. Sections 3.3 and 8 of the facts on the paper.
    """
    parts = sections.cut(text)
    direction = direction or sections.direction_of(parts)
    source = strip_labels(program.source)
    trials = trials or Trials(Program(source, program.entry_point), box)
    trials.know(case.arguments if direction == "forward" else None)
    given = answers.read(parts.answer)
    backward = direction == "backward"
    arguments = given.arguments if backward else case.arguments
    if trace is None and arguments is not None:
        trace = trials.trace(arguments)
    shape = layout(source)
    history = History(trace or Trace(()), shape)
    offset = line_offset if line_offset is not None else find_offset(text, parts, history, shape)
    ledger = Ledger()
    expected = _expected(case, history, backward)
    trials.told(expected)
    cursor = Cursor(history, ledger, offset)
    reading = Reading(cursor, program.entry_point, expected, backward)
    runs = Runs(cursor, trials, program.entry_point, arguments, expected)
    for section in parts.sections:
        _read(section, cursor, reading, runs, backward)
    right, why = _judge_answer(given, case, history, backward, expected)
    ledger.add("answer", parts.answer[:200], given.value_text, right, why, place=parts.answer_place)
    return _report(ledger, history, right, why, direction, offset, minimum_coverage)


def _read(
    section: sections.Section, cursor: Cursor, reading: Reading, runs: Runs, backward: bool
) -> None:
    if section.kind == sections.PROPERTIES:
        for line in section.lines:
            cursor.ledger.place = (line.start, line.start + len(line.text))
            read_bullet(runs, line.text)
        return
    if section.kind == sections.DEDUCTION:
        read_deduction(runs, section.lines, reading)
        return
    led = section.kind == sections.SIMULATION and not backward and step_like(section)
    reading.begin(section.kind)
    for line in section.lines:
        match = LINE.match(line.text.replace("`", "")) if led else None
        place = (line.start, line.start + len(line.text))
        if match:
            read_line(cursor, int(match.group(1)), match.group(2), place)
        else:
            read_prose(reading, line.text, line.start)


_SECOND = re.compile(r"[.;] \[L\d+\] ")  # several steps on one line are prose


def step_like(section: sections.Section) -> bool:
    """Whether a section's lines start with bare labels, one step a line."""
    if not section.lines:
        return False
    led = sum(
        bool(LINE.match(line.text)) and not _SECOND.search(line.text) for line in section.lines
    )
    return led >= 0.8 * len(section.lines)


def find_offset(text: str, parts: sections.Parts, history: History, shape: Layout | None) -> int:
    """0 or 4: which reading of the cited labels names more of the lines that ran."""
    prompted = labels_in(parts.prompt)
    if prompted:
        line, label = next(iter(prompted.items()))
        return label - line
    cited = [int(n) for s in parts.sections for line in s.lines for n in LABEL.findall(line.text)]
    if not cited or shape is None:
        return 0
    known = set(history.executed) | set(shape.structural)
    first = history.steps[0].line if history.steps else 1
    known.add(first)

    def score(offset: int) -> float:
        return sum(shape.owner.get(n - offset, n - offset) in known for n in cited) + _quotes(
            parts, shape, offset
        )

    return 4 if score(4) > score(0) else 0


_QUOTED = re.compile(r"\[L(\d+)\][^`\n]{0,40}`([^`\n]+)`")


def _quotes(parts: sections.Parts, shape: Layout, offset: int) -> float:
    score = 0.0
    for section in parts.sections:
        for line in section.lines:
            for label, code in _QUOTED.findall(line.text):
                at = int(label) - offset
                if 1 <= at <= len(shape.lines) and code.strip() in shape.lines[at - 1]:
                    score += 1
    return score


def _expected(case: Case, history: History, backward: bool) -> tuple[object] | None:
    """The value that the assertion must state, in a 1-tuple; None when there is none."""
    if backward:
        return (case.output,)
    if history.trace.status == Status.OK and history.trace.result is not None:
        try:
            return (values.decode(history.trace.result),)
        except values.NotALiteral:
            return None
    if not history.steps and case.output is not None:
        return (case.output,)
    return None


def _judge_answer(
    given: answers.Answer,
    case: Case,
    history: History,
    backward: bool,
    expected: tuple[object] | None,
) -> tuple[bool, str]:
    if given.problem:
        return False, given.problem
    if expected is None:
        return False, f"the call does not return a value ({history.trace.status.value})"
    if not same(given.value, expected[0]):
        return False, "the assertion states another output"
    if not backward:
        if given.arguments is not None and not _same_call(given.arguments, case, history):
            return False, "the assertion is about another call"
        return True, ""
    trace = history.trace
    if trace.status != Status.OK or trace.result is None:
        kind = (trace.exception or trace.status.value).split(":")[0]
        return False, f"the call does not give the output ({kind})"
    try:
        actual = values.decode(trace.result)
    except values.NotALiteral:
        return False, "the call's output was not kept exactly"
    if not same(actual, expected[0]):
        return False, "the call gives another output"
    return True, ""


def _same_call(arguments: tuple[object, ...], case: Case, history: History) -> bool:
    """The same call, defaults written out or not."""
    if same(arguments, case.arguments):
        return True
    first = history.steps[0] if history.steps else None
    if first is None or first.event != "call":
        return False
    bound = [literal(c.text or "") for c in first.changes]
    return all(b is not None for b in bound) and same(
        arguments, tuple(b[0] for b in bound if b is not None)
    )


def same(a: object, b: object) -> bool:
    """Equal as values, with bool apart from int."""
    return isinstance(a, bool) == isinstance(b, bool) and values.equal(a, b)


def _report(
    ledger: Ledger,
    history: History,
    right: bool,
    why: str,
    direction: str,
    offset: int,
    minimum: float | None,
) -> Report:
    executed = history.executed
    coverage = len(ledger.covered & executed) / len(executed) if executed else 1.0
    contradicted = ledger.count(CONTRADICTED)
    least = (0.0 if direction == "backward" else FORWARD_COVERAGE) if minimum is None else minimum
    reason = ""
    if not right:
        reason = f"wrong answer: {why}"
    elif contradicted:
        first = next(c for c in ledger.claims if c.status == CONTRADICTED)
        reason = f"contradicted {first.kind}: {first.subject[:60]} {first.value[:60]} ({first.evidence[:80]})"
    elif coverage < least:
        reason = f"tells {coverage:.0%} of the executed lines, needs {least:.0%}"
    return Report(
        ledger.count(SUPPORTED),
        contradicted,
        ledger.count(UNVERIFIABLE),
        right,
        coverage,
        ledger.count(CONTRADICTED, "order"),
        not reason,
        reason,
        ledger.claims,
        direction,
        offset,
    )
