"""Writes the rationale of a fault in the paper's form (section 3.3), derived from its evidence, and
reads such a text back.

The simulation of the failing call is monologues' own. After it come the place where the run parts
from the right one, the cause, the way to the wrong result, the edit, and the whole fixed program.
Nothing in it comes from anywhere but the two recorded runs and the edit.

The reader shares with the writer the rows of `forms.txt` alone: `Reader.truths` says of each row
what may stand in its slots. A text from a teacher is read the same way, and what no row reads
is an unverifiable claim with its place. The steps of the simulation are read by
`monologues.verify`.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Claim, Step, Trace
from semcoder_lib.faults.evidence import Evidence, last_values
from semcoder_lib.faults.mutate import PHRASES, altered, causes, normal
from semcoder_lib.faults.rows import CAUSE, FIX, FORMS, NEXT, SECTIONS, SIMULATION, refined_code
from semcoder_lib.monologues.forms import Form, Match, Slot, mask
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import STYLES, Style
from semcoder_lib.monologues.syntax import readable, syntax
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.monologues.verify.report import CONTRADICTED, SUPPORTED, UNVERIFIABLE, Ledger
from semcoder_lib.monologues.verify.steps import Steps
from semcoder_lib.monologues.verify.text import same_text

STYLE = STYLES["brief"].but(iterations=12, calls=12)
LONGEST_VALUE = 100  # characters of a value in a sentence


class TooLong(ValueError):
    """There is no rationale, for this reason: it does not fit (`long_row`), a value in it cannot be
    written out (`long_values`), or a generator runs (`generator`)."""


def write(evidence: Evidence, *, max_characters: int = 10_000, style: Style = STYLE) -> str:
    """The completion that follows a prompt of `prompts.refine`: sections, `[/MONOLOGUE]`,
    `[Refined]`, the fixed program. The run is told in full where there is room, else as the
    style's dials shorten it, at last without quotes and workings. Raises `TooLong`."""
    bug, trace = evidence.bug, evidence.trace
    call = values.show_call(bug.program.entry_point, evidence.case.arguments)
    wanted = _short(values.encode(evidence.case.output), 2 * LONGEST_VALUE)
    if trace.result is not None:
        end, wrong = "gives", {"v": _short(trace.result, 2 * LONGEST_VALUE)}
    else:
        end, wrong = "raises", {"k": (trace.exception or "").partition(":")[0]}
    first = _say("call.should", c=call, w=wanted)
    last = _say(f"call.{end}", c=call, **wrong)
    after = [
        SECTIONS[1], _parting(evidence), *_cause(evidence), *_chain(evidence),
        _say(f"so.{end}", **wrong, w=wanted),
        SECTIONS[2], edit_in_words(bug.buggy, bug.fixed),
        "[/MONOLOGUE]\n[Refined]\n```python\n" + bug.fixed.rstrip("\n") + "\n```\n[/Refined]",
    ]  # fmt: skip
    room = max_characters - len("\n".join([SECTIONS[0], first, last, *after])) - 1
    style = style.but(max_chars=max(room, 0) + 150)
    syntax = readable(bug.buggy, bug.program.entry_point)
    for shorter in (style, style.but(quotes=False), style.but(quotes=False, detail=0)):
        try:
            steps = simulation(syntax, trace, shorter)
        except UserError:
            raise TooLong("generator") from None
        text = "\n".join([SECTIONS[0], first, *steps, last, *after])
        if len(text) <= max_characters:
            return text
    raise TooLong("long_row")


def _say(form: str, **slots: str) -> str:
    return FORMS[form].say(**slots)


def _short(text: str | None, limit: int = LONGEST_VALUE) -> str:
    if text is None or len(text) > limit:
        raise TooLong("long_values")
    return text


def _parting(e: Evidence) -> str:
    d = e.divergence
    if d.form == "part.path":
        i, j = d.index or 0, d.fixed_index or 0
        at = f"[L{e.trace.steps[i - 1].line if i else 1}]"
        right = e.bug.fixed.splitlines()
        return _say("part.path", at=at, a=_next(e.trace, i), b=_next(e.fixed_trace, j, right))
    code = e.bug.fixed.splitlines()[(d.fixed_line or 1) - 1].strip()
    slots = {"at": f"[L{d.line}]", "x": d.name, "v": d.actual, "w": d.wanted, "q": code}
    return _say(d.form, **{name: _short(slots[name]) for name in FORMS[d.form].slots})


def _next(trace: Trace, index: int, lines: list[str] | None = None) -> str:
    """What a run does at a step; a line by its label, or, of the program given, as it reads."""
    if index >= len(trace.steps):
        raise TooLong("no_divergence")
    step: Step = trace.steps[index]
    if step.event == "yield":
        raise TooLong("generator")
    if step.event == "return":
        return _say("next.returns", v=_short(step.value), f=step.function)
    if step.event == "exception":
        return _say("next.raises", k=(step.value or "").partition(":")[0])
    if step.event == "call":
        return _say("next.calls", f=step.function)
    if lines is None:
        return _say("next.line", at=f"[L{step.line}]")
    return _say("next.code", q=lines[step.line - 1].strip())


def _cause(e: Evidence) -> list[str]:
    if not e.bug.cause:
        return []
    line, old, _ = altered(e.bug.buggy, e.bug.fixed)
    phrase, code, rest = e.bug.cause.partition("; `")
    wrong, _, right = rest.removesuffix("`").partition("` should be `")
    form = "cause.before" if not old else "cause.code" if code else "cause"
    return [_say(form, at=f"[L{line}]", p=phrase, a=wrong, b=right)]


def _chain(e: Evidence) -> list[str]:
    """The last values of a variable on the way to the result: one that the entry point's return
    reads where there is one, else the one that went wrong first."""
    actual, wanted = last_values(e.trace), last_values(e.fixed_trace)
    last = e.trace.steps[-1]
    line = e.bug.buggy.splitlines()[last.line - 1] if last.event == "return" else ""
    returned = [name for name in actual if re.search(rf"\b{re.escape(name)}\b", line)]
    for name in (*returned, e.divergence.name):
        v, w = actual.get(name), wanted.get(name)
        if v and w and v != w and max(len(v), len(w)) <= LONGEST_VALUE:
            return [_say("so.ends", x=name, v=v, w=w)]
    return []


def edit_in_words(buggy: str, fixed: str) -> str:
    """The edit that makes `fixed` of `buggy`, as it can be applied."""
    line, old, new = altered(buggy, fixed)
    at, to, block = f"[L{line}]", f"[L{line + len(old) - 1}]", "\n".join(new)
    if not old:
        return _say("fix.insert", at=at, b=block)
    if not new:
        return _say("fix.removed" if len(old) > 1 else "fix.remove", at=at, to=to)
    a, b = old[0].strip(), new[0].strip()
    if len(old) == len(new) == 1 and old[0].removesuffix(a) == new[0].removesuffix(b):
        return _say("fix.line", at=at, a=a, b=b)
    return _say("fix.lines" if len(old) > 1 else "fix.more", at=at, to=to, b=block)


# --- the reader -----------------------------------------------------------------------------------

Truth = dict[str, str | None]
"""True texts of slots, by name: None where nothing is true, no entry where nobody knows."""

# kinds of claims by the type of the slot; the others are properties
_KINDS = {"value": "value", "label": "order", "kind": "exception", "calls": "answer"}


@dataclass(frozen=True, slots=True)
class RationaleReport:
    """What a rationale claims. `accepted` is true when all its sections are there, nothing is
    contradicted, at least one claim is supported and the refined program is the fix; else `problem`
    may say what is missing. `forms` are the rows that were read, each with its slots as
    (text, start, end)."""

    supported: int
    contradicted: int
    unverifiable: int
    accepted: bool
    claims: tuple[Claim, ...]
    problem: str
    forms: list[tuple[str, Match]]


def check(text: str, evidence: Evidence) -> RationaleReport:
    """Checks a rationale against the two runs and the fix of the evidence. Whether the fix passes
    is not checked here. Never raises on a text."""
    body, closed, _ = text.partition("[/MONOLOGUE]")
    places = [body.find(title) for title in SECTIONS]
    refined = refined_code(text)
    problem = ""
    if -1 in places:
        problem = f"no section {SECTIONS[places.index(-1)]!r}"
    elif places != sorted(places):
        problem = "the sections are out of order"
    elif not closed or refined is None:
        problem = "no refined program" if closed else "no [/MONOLOGUE]"
    elif normal(refined) != evidence.bug.fixed:
        problem = "the refined program is another than the fix"
    reader = Reader(evidence, refined or "")
    if not problem:
        reader.read(body, places)
    count = reader.ledger.count
    supported, contradicted = count(SUPPORTED), count(CONTRADICTED)
    accepted = not problem and not contradicted and supported > 0
    return RationaleReport(
        supported, contradicted, count(UNVERIFIABLE), accepted, tuple(reader.ledger.claims),
        problem, reader.ledger.forms,
    )  # fmt: skip


class Reader:
    """A reader of one rationale."""

    def __init__(self, evidence: Evidence, refined: str) -> None:
        self.evidence, self.refined = evidence, refined
        self.lines = evidence.bug.buggy.splitlines()
        self.fixed_lines = evidence.bug.fixed.splitlines()
        history = History(evidence.trace, syntax(evidence.bug.buggy))
        self.ledger = Ledger(history.line)
        self.steps = Steps(history, self.ledger)
        self.ended = False

    def read(self, body: str, places: list[int]) -> None:
        """Read the three sections, which start at `places`, and what stands before them."""
        before = body[: places[0]].strip()
        if before and before != "[MONOLOGUE]":
            self.ledger.unread(before, (0, places[0]))
        ends = [*places[1:], len(body)]
        groups = (SIMULATION, CAUSE, FIX)
        for title, group, place, end in zip(SECTIONS, groups, places, ends, strict=True):
            at = place + len(title)
            part = body[at:end]
            # an edit may stand on several lines
            for piece in filter(str.strip, [part.strip()] if group is FIX else part.split("\n")):
                at = body.index(piece, at)
                if not self.sentence(piece, at, group):
                    self.ledger.unread(piece, (at, at + len(piece)))
                at += len(piece)

    def sentence(self, text: str, start: int, group: dict[str, Form]) -> bool:
        """Read a sentence of the group's rows, or a step of the simulation."""
        self.ledger.place = (start, start + len(text))
        if group is SIMULATION and self.ended:
            self.ledger.add("order", text, "", False, "the run is over")
        name, slots = _row(text, start, group)
        if slots is None:
            return group is SIMULATION and self.steps.read(text, start)
        if any(name == known for known, _ in self.ledger.forms):
            self.ledger.add("order", text, "", False, "said before")
        if name == "call.should":
            self.ledger.add("order", "first", "", self.steps.at < 0, "the run has begun")
        elif group is SIMULATION:
            skips = self.steps.skips(len(self.evidence.trace.steps))
            self.ledger.add("order", "last", "", not skips, "the run goes on")
            self.ended = True
        self.ledger.forms.append((name, slots))
        self.decide(name, slots, self.truths(name, slots))
        return True

    def decide(self, name: str, slots: Match, truths: list[Truth]) -> None:
        """Enter a claim for every slot: supported where its text and those before it are of one of
        the truths."""
        for key, slot in slots.items():
            kind = FORMS[name].slots[key]
            verdicts = [_agrees(kind, slot.text, truth, key) for truth in truths]
            verdict = True in verdicts or (None if None in verdicts else False)
            if name == "part.path" and kind == "clauses":
                clause, inner = _row(slot.text, slot.start, NEXT)
                verdict = None if inner is None else verdict
                self.ledger.forms += [] if inner is None else [(clause, inner)]
            recorded = truths[0].get(key) if truths else None
            why = "not read" if verdict is None else "the runs and the edit say otherwise"
            evidence = "" if verdict else recorded or why
            self.ledger.add(_KINDS.get(kind, "property"), name, slot, verdict, evidence)
            if verdict:
                truths = [t for t, same in zip(truths, verdicts, strict=True) if same]

    def truths(self, name: str, slots: Match) -> list[Truth]:
        """What may stand in the slots of a row; nothing where the row is not so."""
        e, group = self.evidence, name.partition(".")[0]
        if name == "so.ends":
            actual, wanted = last_values(e.trace), last_values(e.fixed_trace)
            return [{"x": x, "v": actual[x], "w": wanted[x]} for x in actual if x in wanted]
        if group in ("call", "so"):
            call = values.show_call(e.bug.program.entry_point, e.case.arguments)
            kind = None if e.trace.exception is None else e.trace.exception.partition(":")[0]
            output = values.encode(e.case.output)
            return [{"c": call, "w": output, "v": e.trace.result, "k": kind}]
        if name == "part.path":
            return self.paths()
        if group == "part":
            d = e.divergence
            right = self.fixed_lines[(d.fixed_line or 1) - 1].strip()
            truth = {"at": f"[L{d.line}]", "x": d.name, "v": d.actual, "w": d.wanted, "q": right}
            return [truth] if name == d.form else []
        return self.causes(name, slots) if group == "cause" else self.edits(name, slots)

    def paths(self) -> list[Truth]:
        """Where the two runs go from the same place."""
        e, d = self.evidence, self.evidence.divergence
        if d.form != "part.path":
            return []
        steps, right = e.trace.steps, e.fixed_trace.steps
        index, there = d.index or 0, d.fixed_index or 0
        at = f"[L{steps[index - 1].line if index else 1}]"
        ours = _clauses(steps[index : index + 1], self.lines)
        theirs = _clauses(right[there : there + 1], self.fixed_lines)
        return [{"at": at, "a": a, "b": b} for a, b in itertools.product(ours, theirs)]

    def causes(self, name: str, slots: Match) -> list[Truth]:
        """The edits that, made to the right program, give the buggy one."""
        bug = self.evidence.bug
        line, old, _ = altered(bug.buggy, bug.fixed)
        at, phrase = f"[L{line}]", slots["p"].text
        if (name == "cause.before") is not (not old):
            return []
        if phrase not in PHRASES:
            return [{"at": at}]
        truths: list[Truth] = []
        for cause in causes(bug.buggy, bug.fixed, phrase):
            a, _, b = cause.partition("; `")[2][:-1].partition("` should be `")
            truths.append({"at": at, "p": phrase, "a": a, "b": b})
        return truths or [{"at": at, "p": None, "a": None, "b": None}]

    def edits(self, name: str, slots: Match) -> list[Truth]:
        """The edit that the sentence says, if it makes the refined program of the buggy one."""
        top, lines = _number(slots["at"]), self.lines
        end = _number(slots["to"]) if "to" in slots else top - (name == "fix.insert")
        new = slots["b"].text.split("\n") if "b" in slots else []
        old = lines[top - 1 : end]
        if "a" in slots:
            if [line.strip() for line in old] != [slots["a"].text]:
                return []
            new = [old[0].removesuffix(slots["a"].text) + new[0]]
        edited = [*lines[: top - 1], *new, *lines[end:]]
        applies = [t.rstrip() for t in edited] == [t.rstrip() for t in self.refined.splitlines()]
        return [{key: slot.text for key, slot in slots.items()}] if applies and top > 0 else []


def _row(text: str, start: int, group: dict[str, Form]) -> tuple[str, Match | None]:
    """The first row of the group that reads the text, and its slots; None where none does."""
    masked = mask(text)
    for name, form in group.items():
        slots = form.match(text, masked, start) if masked is not None else None
        if slots is not None:
            return name, slots
    return "", None


def _agrees(kind: str, stated: str, truth: Truth, key: str) -> bool | None:
    """Whether a slot says the truth; None where nobody knows, or it says no value."""
    if truth.get(key) is None:
        return False if key in truth else None
    return same_text(stated, truth[key]) if kind == "value" else stated == truth[key]


def _number(label: Slot) -> int:
    return int(label.text.strip("[]L"))


def _clauses(steps: tuple[Step, ...], lines: list[str]) -> list[str]:
    """What a run does at a step, in the words of every row that says it."""
    if not steps or steps[0].event == "yield":  # generators have no rationale
        return []
    step = steps[0]
    if step.event == "return":
        return [NEXT["next.returns"].say(v=step.value or "", f=step.function)]
    if step.event == "exception":
        return [NEXT["next.raises"].say(k=(step.value or "").partition(":")[0])]
    if step.event == "call":
        return [NEXT["next.calls"].say(f=step.function)]
    code = NEXT["next.code"].say(q=lines[step.line - 1].strip())
    return [NEXT["next.line"].say(at=f"[L{step.line}]"), code]
