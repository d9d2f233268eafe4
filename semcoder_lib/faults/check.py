"""Reads a rationale back and decides every claim in it by the recorded runs and the edit.

The steps of the simulation are read by `monologues.verify`; the sentences around them by the rows
of `forms`, each decided here. A text from a teacher or from the hub is read the same way, and what
no row reads is an unverifiable claim with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Claim, Program, Step, Trace
from semcoder_lib.faults.divergence import Divergence, last_values, parting
from semcoder_lib.faults.forms import CAUSE, FIX, NEXT, SECTIONS, SIMULATION
from semcoder_lib.faults.mutate import PHRASES, altered, causes, normal
from semcoder_lib.faults.rows import refined_code
from semcoder_lib.monologues.syntax import in_body, syntax
from semcoder_lib.monologues.template import Form, Match, Slot, mask, plain
from semcoder_lib.monologues.verify.history import History
from semcoder_lib.monologues.verify.report import CONTRADICTED, SUPPORTED, UNVERIFIABLE, Ledger
from semcoder_lib.monologues.verify.steps import Steps
from semcoder_lib.monologues.verify.text import same_text


@dataclass(frozen=True, slots=True)
class RationaleReport:
    """What a rationale claims. `accepted` is true when all its sections are there, nothing is
    contradicted, at least one claim is supported and the refined program was found; else `problem`
    may say what is missing. `refined` is the program after `[Refined]`, or None; `forms` are the
    rows that were read, each with its slots as (text, start, end)."""

    supported: int
    contradicted: int
    unverifiable: int
    accepted: bool
    claims: tuple[Claim, ...]
    refined: str | None
    problem: str
    forms: list[tuple[str, dict[str, tuple[str, int, int]]]]


def check(
    text: str,
    program: Program,
    case: Case,
    trace: Trace,
    *,
    fixed: str | None = None,
    fixed_trace: Trace | None = None,
) -> RationaleReport:
    """Checks a rationale against the run of the buggy `program` on the failing case, and what it
    says of the right run against the fixed program and its trace where those are given. Whether
    the refined program passes is not checked here (see `validate`). Never raises on a text."""
    body, closed, _ = text.partition("[/MONOLOGUE]")
    refined = refined_code(text)
    places = [body.find(title) for title in SECTIONS]
    problem = ""
    if -1 in places:
        problem = f"no section {SECTIONS[places.index(-1)]!r}"
    elif places != sorted(places):
        problem = "the sections are out of order"
    elif not closed or refined is None:
        problem = "no refined program" if closed else "no [/MONOLOGUE]"
    elif fixed is not None and normal(refined) != normal(fixed):
        problem = "the refined program is another than the fix"
    reader = Reader(program, case, trace, fixed, fixed_trace, refined or "")
    if -1 not in places and refined is not None:
        reader.read(body, places)
    ledger = reader.ledger
    supported, contradicted, unverifiable = map(
        ledger.count, (SUPPORTED, CONTRADICTED, UNVERIFIABLE)
    )
    return RationaleReport(
        supported, contradicted, unverifiable,
        not problem and not contradicted and supported > 0,
        tuple(ledger.claims), refined, problem, ledger.forms,
    )  # fmt: skip


class Reader:
    """A reader of one rationale. `parting` is where the runs part; None where the right run is not
    known, and then nothing that is said of it can be decided."""

    def __init__(
        self,
        program: Program,
        case: Case,
        trace: Trace,
        fixed: str | None,
        right: Trace | None,
        refined: str,
    ) -> None:
        self.ledger = Ledger()
        self.buggy, self.fixed, self.trace, self.right = program.source, fixed, trace, right
        self.refined = refined
        self.lines = program.source.splitlines()
        self.call = values.show_call(program.entry_point, case.arguments)
        self.wanted = values.encode(case.output)
        self.history = History(trace, syntax(program.source))
        self.steps = Steps(self.history, self.ledger)
        self.ended = False
        self.parting: Divergence | None = None
        if fixed is not None and right is not None:
            self.parting = parting(program.source, fixed, trace, right)

    def read(self, body: str, places: list[int]) -> None:
        """Read the three sections, which start at `places`, and what stands before them."""
        before = body[: places[0]].strip()
        if before and before != "[MONOLOGUE]":
            self.ledger.unread(before, (0, places[0]))
        ends = [*places[1:], len(body)]
        groups = (SIMULATION, CAUSE, FIX)
        for title, group, place, end in zip(SECTIONS, groups, places, ends, strict=True):
            part = body[place + len(title) : end]
            # an edit may stand on several lines
            pieces = [part.strip()] if group is FIX else part.split("\n")
            at = place + len(title)
            for piece in filter(str.strip, pieces):
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
        DECIDERS[name](self, slots, name)
        self.ledger.forms.append((name, plain(slots)))
        return True

    def claim(
        self, kind: str, subject: str, slot: Slot, verdict: bool | None, why: str = ""
    ) -> None:
        """Enter a claim about a slot; `why` is the evidence where it is not true."""
        evidence = "" if verdict else why
        self.ledger.add(kind, subject, slot.text, verdict, evidence, place=(slot.start, slot.end))

    def value(self, subject: str, slot: Slot, recorded: str | None) -> None:
        """That a slot has the value that was recorded."""
        verdict = recorded is not None and same_text(slot.text, recorded)
        self.claim("value", subject, slot, verdict, recorded or "no value")

    def outcome(self, m: Match) -> None:
        """`gives 5` or `raises KeyError`: how the failing call ended."""
        if "v" in m:
            self.value("result", m["v"], self.trace.result)
            return
        kind = (self.trace.exception or "").partition(":")[0]
        ok = self.trace.result is None and m["k"].text == kind
        self.claim("exception", "result", m["k"], ok, kind or "it raises nothing")


def _row(text: str, start: int, group: dict[str, Form]) -> tuple[str, Match | None]:
    """The first row of the group that reads the text, and its slots; None where none does."""
    masked = mask(text)
    for name, form in group.items():
        slots = form.match(text, masked, start) if masked is not None else None
        if slots is not None:
            return name, slots
    return "", None


def _number(label: Slot) -> int:
    return int(label.text.strip("[]L"))


# --- the deciders: one for every row --------------------------------------------------------------

Decider = Callable[[Reader, Match, str], None]
DECIDERS: dict[str, Decider] = {}


def decides(*names: str) -> Callable[[Decider], Decider]:
    """Enters a function as the decider of these rows; it gets the row's name last."""

    def enter(decider: Decider) -> Decider:
        DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


@decides("call.should", "call.gives", "call.raises")
def _call(r: Reader, m: Match, row: str) -> None:
    r.claim("answer", "call", m["c"], m["c"].text == r.call, r.call)
    if row == "call.should":
        r.value("right result", m["w"], r.wanted)
        r.claim("order", "first", m["c"], r.steps.at < 0, "the run has begun")
        return
    r.outcome(m)
    r.claim("order", "last", m["c"], not r.steps.skips(len(r.trace.steps)), "the run goes on")
    r.ended = True


@decides("so.gives", "so.raises")
def _so(r: Reader, m: Match, row: str) -> None:
    r.outcome(m)
    r.value("right result", m["w"], r.wanted)


@decides("part.loop", "part.stays", "part.changes", "part.value", "part.extra", "part.missing")
def _part(r: Reader, m: Match, row: str) -> None:
    """`The runs part at [L3]: n becomes 5, it should become 4.` A row without a value says that
    nothing is changed."""
    d, missing = r.parting, row == "part.missing"
    if d is None:
        _ours(r, m, None if missing else _number(m["at"]))
        return
    ok = d.kind == (row[5:] if row in ("part.extra", "part.missing") else "value")
    ok = ok and (missing or ("v" in m, "w" in m) == (d.got is not None, d.wanted is not None))
    r.claim("order", "the runs part", m["at"], ok and _number(m["at"]) == d.line, f"[L{d.line}]")
    if row == "part.loop":
        r.claim("iterations", "the loop ends", m["at"], _loop_ends(r, d), "it goes on")
    if missing:
        right = (r.fixed or "").splitlines()[(d.fixed_line or 1) - 1].strip()
        r.claim("order", "the right run", m["q"], m["q"].text == right, right)
    r.claim("value", "variable", m["x"], m["x"].text == d.name, d.name)
    for name, recorded in (("v", d.got), ("w", d.wanted)):
        if name in m:
            r.value(m["x"].text, m[name], recorded)


def _loop_ends(r: Reader, d: Divergence) -> bool:
    loop = r.history.syntax.loops.get(d.line or 0) if r.history.syntax else None
    ahead = r.history.next_line(d.index or 0)
    inside = ahead is not None and loop is not None and in_body(loop.node, r.history.line(ahead))
    return loop is not None and loop.is_for and not inside


def _ours(r: Reader, m: Match, line: int | None) -> None:
    """What is said of the buggy run alone: a step (of the line) gives the variable this value."""
    name = m["x"].text
    steps = [s for s in r.trace.steps if line in (None, s.line)]
    changes = [{c.name: c.text for c in step.changes} for step in steps]
    if "v" in m:
        ok = any(name in c and same_text(m["v"].text, c[name]) for c in changes)
        r.claim("value", name, m["v"], ok, "it never becomes this here")
    else:
        r.claim("value", name, m["x"], any(name not in c for c in changes), "it changes here")
    if "w" in m:
        r.claim("value", name, m["w"], None, "the right run is not known")


@decides("part.path")
def _part_after(r: Reader, m: Match, row: str) -> None:
    """Where the runs go from the same place; without the right run, from any visit of it."""
    d, steps, at = r.parting, r.trace.steps, _number(m["at"])
    if d is None:
        own = [i for i in range(len(steps)) if (steps[i - 1].line if i else 1) == at]
        _goes(r, m["a"], [steps[i] for i in own], r.lines)
        _goes(r, m["b"], None, [])
        return
    index, there = d.index or 0, d.fixed_index or 0
    line = steps[index - 1].line if index else 1
    kinds = ("path", "return", "exception", "end")
    r.claim("order", "the runs part", m["at"], d.kind in kinds and at == line, f"[L{line}]")
    right = r.right.steps if r.right else ()
    _goes(r, m["a"], list(steps[index : index + 1]), r.lines)
    _goes(r, m["b"], list(right[there : there + 1]), (r.fixed or "").splitlines())


def _goes(r: Reader, slot: Slot, steps: list[Step] | None, lines: list[str]) -> None:
    """A clause of what a run does next, true of one of these steps. An unknown run gives no
    verdict, and neither does a clause of no row."""
    name, m = _row(slot.text, slot.start, NEXT)
    if m is None:
        r.claim("order", "next", slot, None, "not read")
        return
    verdict = None if steps is None else any(_does(name, m, s, lines) for s in steps)
    r.claim("order", "next", slot, verdict, "the run goes on otherwise")
    r.ledger.forms.append((name, plain(m)))


def _does(row: str, m: Match, step: Step, lines: list[str]) -> bool:
    if row in ("next.returns", "next.yields"):
        same = step.event + "s" == row[5:] and step.function == m["f"].text
        return same and bool(same_text(m["v"].text, step.value))
    if row == "next.raises":
        return step.event == "exception" and (step.value or "").partition(":")[0] == m["k"].text
    if row == "next.calls":
        return step.event == "call" and step.function == m["f"].text
    if step.event != "line":
        return False
    if row == "next.line":
        return step.line == _number(m["at"])
    return lines[step.line - 1].strip() == m["q"].text


@decides("so.ends")
def _last(r: Reader, m: Match, row: str) -> None:
    for slot, trace in ((m["v"], r.trace), (m["w"], r.right)):
        if trace is None:
            r.claim("value", m["x"].text, slot, None, "the right run is not known")
        else:
            r.value(m["x"].text, slot, last_values(trace).get(m["x"].text))


@decides("cause", "cause.code", "cause.before")
def _cause(r: Reader, m: Match, row: str) -> None:
    """The phrase and the code of an edit that, made to the right program, gives the buggy one."""
    phrase, buggy = m["p"], normal(r.buggy)
    fixed = normal(r.fixed)
    if fixed is None or buggy is None:
        for slot in m.values():
            r.claim("property", "cause", slot, None, "the right program is not known")
        return
    line, old, _ = altered(buggy, fixed)
    here = _number(m["at"]) == line and (row == "cause.before") is (not old)
    r.claim("property", "place", m["at"], here, f"[L{line}]")
    if phrase.text not in PHRASES:
        r.claim("property", "phrase", phrase, None, "not read")
        return
    known = [cause.partition("; ") for cause in causes(buggy, fixed, phrase.text)]
    r.claim("property", "phrase", phrase, bool(known), "no such edit makes this bug")
    if row == "cause.code":
        codes = [code[1:-1].partition("` should be `") for _, _, code in known]
        pairs = [(a, b) for a, _, b in codes]
        a, b = m["a"], m["b"]
        r.claim("property", "wrong code", a, any(a.text == old for old, _ in pairs), "other code")
        r.claim("property", "right code", b, (a.text, b.text) in pairs, "other code")


@decides(*FIX)
def _fix(r: Reader, m: Match, row: str) -> None:
    """The edit, made to the buggy program's lines, must give the refined program."""
    top, lines = _number(m["at"]), r.lines
    end = _number(m["to"]) if "to" in m else top - (row == "fix.insert")
    new = m["b"].text.split("\n") if "b" in m else []
    old = lines[top - 1 : end]
    if "a" in m:
        stands = [line.strip() for line in old] == [m["a"].text]
        r.claim("property", "replaced", m["a"], stands, "not what stands there")
        depth = len(old[0]) - len(old[0].lstrip()) if old else 0
        new = [" " * (int(m["d"].text) if "d" in m else depth) + new[0]]
    edited = [*lines[: top - 1], *new, *lines[end:]]
    ok = [t.rstrip() for t in edited] == [t.rstrip() for t in r.refined.splitlines()]
    place = Slot("", *r.ledger.place)
    r.claim("property", "the edit", place, ok, "it does not give the refined program")
