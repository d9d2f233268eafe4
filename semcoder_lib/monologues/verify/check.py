"""Checks monologues: one against one execution, and files of them (our rows, hub rows, raw texts of
the released checkpoints), summed up."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.monologues.evaluator import literal
from semcoder_lib.monologues.forms import CONCLUSION, PROPERTIES, SUMMARY, heading
from semcoder_lib.monologues.show import encoded
from semcoder_lib.monologues.syntax import syntax
from semcoder_lib.monologues.verify import lines, prose  # noqa: F401  (enters deciders)
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.fresh import Trials
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.monologues.verify.place import Place
from semcoder_lib.monologues.verify.report import (
    CONTRADICTED,
    SUPPORTED,
    UNVERIFIABLE,
    Ledger,
    Report,
)
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.whole import Whole
from semcoder_lib.sandbox import Sandbox

FORWARD_COVERAGE = 0.8
_ROWS = {texts.FUNCTION: SUMMARY, texts.PROPERTIES: PROPERTIES, texts.CONCLUSION: CONCLUSION}
_SECOND = re.compile(r"[.;] \[L\d{1,9}\] ")  # several steps on one line are prose
_COMMENT = re.compile(r"(?<![ \t])[ \t]*#[ \t]*\[L(\d{1,9})\][ \t]*$", re.M)
_CITED = re.compile(r"\[L(\d{1,9})\](?::?\s*`?(.+))?")


def verify(
    text: str,
    program: Program,
    case: Case,
    box: Sandbox | None,
    *,
    direction: str | None = None,
    line_offset: int | None = None,
    trace: Trace | None = None,
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
    direction = direction or parts.direction
    backward = direction == "backward"
    source = strip_labels(program.source)
    trials = trials or Trials(Program(source, program.entry_point), box)
    trials.know(None if backward else case.arguments)
    given = texts.read_answer(parts.answer)
    arguments = given.arguments if backward else case.arguments
    if trace is None and arguments is not None:
        trace = trials.trace(arguments)
    history = History(trace or Trace(()), syntax(source))
    history.offset = line_offset if line_offset is not None else find_offset(parts, history)
    output = case.output if backward else _returned(history, case)
    ledger = _read(parts, history, program.entry_point, trials, arguments, output, backward)
    if given.rest:
        ledger.unread(given.rest, parts.answer_place)
    wrong = _wrong(given, case, history, backward)
    right = None if given.problem else not wrong  # what is no value says nothing that is false
    ledger.add("answer", parts.answer, given.value_text, right, wrong, place=parts.answer_place)
    executed = history.executed
    coverage = len(ledger.covered & executed) / len(executed) if executed else 1.0
    first = next((c for c in ledger.claims if c.status == CONTRADICTED), None)
    reason = ""
    if wrong:
        reason = f"wrong answer: {wrong}"
    elif first is not None:
        stated = f"{first.subject[:60]} {first.value[:60]}".strip()
        reason = f"contradicted {first.kind}: {stated} ({first.evidence[:80]})"
    elif not backward and coverage < FORWARD_COVERAGE:
        reason = f"tells {coverage:.0%} of the executed lines, needs {FORWARD_COVERAGE:.0%}"
    return Report(
        ledger.count(SUPPORTED), ledger.count(CONTRADICTED), ledger.count(UNVERIFIABLE),
        not wrong, coverage, ledger.coverage(), ledger.count(CONTRADICTED, "order"), not reason,
        reason, direction, history.offset, ledger.claims, ledger.forms,
    )  # fmt: skip


def _read(
    parts: texts.Parts, history: History, f: str, trials: Trials,
    arguments: tuple[Any, ...] | None, output: Any, backward: bool,
) -> Ledger:  # fmt: skip
    """The claims of a text, each section read by the reader of its kind. A line of no form goes to
    the reader of prose, which enters what is left of it as unread."""
    ledger = Ledger(history.line)
    place = Place(history, ledger, f, output, backward)
    steps = Steps(history, ledger, functools.partial(prose.read_at, place))
    whole = Whole(steps, trials, f, arguments, output)
    for section in parts.sections:
        title, kind = section.title, section.kind
        if kind == texts.ASIDE:
            quotable = {*map(str.strip, history.syntax.lines)}
            for line in (line for line in section.lines if line.text.strip() not in quotable):
                ledger.unread(line.text.strip(), (line.start, line.end))
            continue
        if title is not None and title.text.strip() != heading(kind or "function").strip():
            ledger.unread(title.text, (title.start, title.end))
        place.begin(kind)
        led = kind == texts.SIMULATION and not backward and is_led(section)
        for line in section.lines:
            ledger.place = line.start, line.end
            if kind in _ROWS:
                known = whole.read(line.text, line.start, _ROWS[kind])
            elif kind == texts.DEDUCTION:
                known = whole.deduce(line.text, line.start)
            else:
                known = led and steps.read(line.text, line.start)
            if not known:
                since, span = len(ledger.claims), (line.start, line.start + len(line.text.rstrip()))
                prose.read(place, line.text, line.start)
                if len(ledger.claims) == since:
                    ledger.unread(line.text.strip(), span)
                if kind in (texts.SIMULATION, texts.DEDUCTION, ""):
                    ledger.read_line(span, since, whole=False)
    return ledger


def strip_labels(source: str) -> str:
    """The source without the `# [Lk]` comments of a prompt."""
    return _COMMENT.sub("", source) if "[L" in source else source


def is_led(section: texts.Section) -> bool:
    """Whether a section's lines start with labels, one step a line."""
    sentences = [line.text for line in section.lines]
    led = sum(LINE.match(text) is not None and not _SECOND.search(text) for text in sentences)
    return led >= 0.8 * len(sentences) > 0


def find_offset(parts: texts.Parts, history: History) -> int:
    """0 or 4: which reading of the cited labels names more of the lines that ran."""
    for number, line in enumerate(parts.prompt.split("\n"), 1):
        labelled = _COMMENT.search(line)
        if labelled:
            return int(labelled[1]) - number
    known = {*history.executed, *history.syntax.structural}
    known.add(history.line(0) if history.steps else 1)
    stated = [line.text for section in parts.sections for line in section.lines]
    cited = [(int(label), rest) for text in stated for label, rest in _CITED.findall(text)]

    def score(offset: int) -> int:
        """Of the labels those of lines that ran, and those with what stands there after them."""
        total = 0
        for number, rest in cited:
            source = history.syntax.text(number - offset)
            total += history.start(number - offset) in known
            total += source != "" and rest.startswith(source)
        return total

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
    returned = trace.status is Status.OK and trace.result is not None
    if given.problem:
        return given.problem
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
    arguments, named = given.arguments or (), given.named or {}
    if not named and values.equal(arguments, case.arguments):
        return True
    if not history.steps or history.steps[0].event != "call":
        return False
    frame = history.frame(0)
    complete = len(arguments) + len(named) == len(frame.given)
    return complete and history.called_with(frame, arguments, named)


CHUNK = 64
_PROGRAMS_KEPT = 256
_ID_KEYS = ("id", "task_id", "index", "program_id")
_UNCHECKED = {
    "supported": 0, "contradicted": 0, "unverifiable": 0, "answer_right": False,
    "line_coverage": 0.0, "order_errors": 0, "accepted": False,
}  # fmt: skip
_FOREIGN = (
    "row is no monologue: it needs the texts source, entry_point, text and call (or output), or "
    "the hub's fwd_mnl/bwd_mnl and response"
)


class Item(NamedTuple):
    """One monologue to check."""

    text: str
    program: Program
    case: Case
    direction: str = "forward"

    def call(self) -> tuple[Program, Case] | None:
        """What is to be traced: the call that is told, or that the text arrives at; None where
        there is none."""
        arguments: tuple[Any, ...] | None = self.case.arguments
        if self.direction == "backward":
            arguments = texts.read_answer(texts.cut(self.text).answer).arguments
        if arguments is None or not encoded(arguments):
            return None
        return self.program, Case(arguments)


def read_row(row: Any) -> Item | str:
    """A row as an item: `{"source", "entry_point", "call" or "output", "text"}`, a hub row
    (`fwd_mnl` or `bwd_mnl` with `response`), or a raw text that still holds its prompt; of another
    row why it is none. Never raises."""
    try:
        return _item(row if isinstance(row, dict) else {})
    except (values.NotALiteral, UserError) as error:
        return str(error)
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        return f"{_FOREIGN} ({type(error).__name__})"


def _item(row: Any) -> Item:
    text, prompt = row.get("text"), row.get("fwd_mnl") or row.get("bwd_mnl")
    if isinstance(text, str) and isinstance(row.get("source"), str):
        source, name = row["source"], row.get("entry_point", "")
        call, output = row.get("call"), row.get("output")
        known = isinstance(name, str) and isinstance(call or output, str)
    else:
        if isinstance(prompt, str) and isinstance(row.get("response"), str):
            text = prompt + row["response"]
        block = texts.cut(text).prompt if isinstance(text, str) else ""
        source, _, asserted = f"\n{block}".rpartition("\nassert ")
        source, named = source[1:], re.match(r"\s*(\w+)\(", asserted)
        call = "" if "(??)" in asserted else asserted.rpartition("==")[0].strip()
        name, output = named[1] if named else "", asserted.partition("==")[2].strip()
        known = named is not None
    if not known:
        raise values.NotALiteral(_FOREIGN)
    source = strip_labels(source)
    try:
        if not call:
            return Item(
                text, Program(source, name or "f"), Case((), values.decode(output)), "backward"
            )
        called, case = tracing.program_and_case(source, call)
        return Item(text, Program(source, name or called.entry_point), case)
    except (values.NotALiteral, UserError) as error:
        raise UserError(f"{'call' if call else 'output'}: {error}") from None


def verify_rows(rows: Iterable[Any], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For each row its report as JSON data (`Report.row`), with the row's own `id`, `task_id` and
    `index`; a row that cannot be checked gets `accepted: false` and its `reason`. Streams: traces
    are made in batches, and memory stays bounded."""
    trials_of = functools.lru_cache(_PROGRAMS_KEPT)(lambda program: Trials(program, box))
    stream = iter(rows)
    while chunk := [(row, read_row(row)) for row in itertools.islice(stream, CHUNK)]:
        calls = [None if isinstance(item, str) else item.call() for _, item in chunk]
        traces = tracing.trace_many([call for call in calls if call], box)
        for (row, item), call in zip(chunk, calls, strict=True):
            named = {k: row[k] for k in _ID_KEYS if k in row} if isinstance(row, dict) else {}
            if isinstance(item, str):
                yield {**named, **_UNCHECKED, "claims": [], "reason": f"not checked: {item}"}
                continue
            report = verify(
                item.text, item.program, item.case, box, direction=item.direction,
                trace=next(traces) if call else None, trials=trials_of(item.program),
            )  # fmt: skip
            yield {**named, **report.row()}


def study(rows: Iterable[dict[str, Any]], box: Sandbox) -> dict[str, Any]:
    """Verify all rows and sum up; limitation 1 of the paper (appendix A) as numbers.

    Counts: `monologues`, `checked`, `right` and `wrong` (answers), `..._with_contradiction` of
    those with at least one contradicted claim besides the answer, `accepted`, and of all claims
    `supported`, `contradicted`, `unverifiable`; `by_kind` has the last three for each kind of
    claim. A contradicted claim is a statement that the execution disagrees with, not a proof that
    the model reasoned wrongly.
    """
    counts: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    for row in verify_rows(rows, box):
        counts["monologues"] += 1
        if "direction" not in row:
            continue
        wrong_step = False
        for claim in row["claims"]:
            kinds.setdefault(claim["kind"], Counter())[claim["status"]] += 1
            wrong_step |= claim["status"] == "contradicted" and claim["kind"] != "answer"
        right = "right" if row["answer_right"] else "wrong"
        counts.update({"checked": 1, right: 1, "accepted": row["accepted"]})
        counts[f"{right}_with_contradiction"] += wrong_step
    counts.update(sum(kinds.values(), Counter()))
    names = ("monologues", "checked", "accepted", "right", "right_with_contradiction", "wrong",
             "wrong_with_contradiction", "supported", "contradicted", "unverifiable")  # fmt: skip
    by_kind = {kind: dict(sorted(of.items())) for kind, of in sorted(kinds.items())}
    return {name: counts[name] for name in names} | {"by_kind": by_kind}
