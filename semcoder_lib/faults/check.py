"""Reads a rationale back and checks every claim in it against the recorded runs.

The checker knows the sentence forms, not the writer: a text from a teacher or from the hub is read
the same way, and what it does not understand counts as unverifiable.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from semcoder_lib.core import values
from semcoder_lib.core.records import Claim, Trace
from semcoder_lib.faults.fix import edited, refined_code
from semcoder_lib.faults.mutate import altered
from semcoder_lib.faults.reading import States, enters, folded, layout

SECTIONS = ("### Execution Simulation", "### Root Cause Analysis", "### Bug Fixing")


@dataclass(frozen=True, slots=True)
class RationaleReport:
    """What a rationale claims. `accepted` is true when all its sections are there, nothing is
    contradicted, at least one claim is supported and the refined program was found. `refined` is
    the program after `[Refined]`, or None."""

    supported: int
    contradicted: int
    unverifiable: int
    accepted: bool
    claims: tuple[Claim, ...]
    refined: str | None
    problem: str = ""


def check(
    text: str,
    buggy: str,
    *,
    call: str,
    expected: str,
    actual: str,
    buggy_trace: Trace,
    fixed: str | None = None,
    fixed_trace: Trace | None = None,
) -> RationaleReport:
    """Checks a rationale against the run of the buggy program, and what it says about the right
    run against the fixed program and its trace where those are given. Whether the refined program
    passes the cases is not checked here (see `validate`)."""
    reader = _Reader(buggy, call, expected, actual, buggy_trace, fixed, fixed_trace)
    body = text.partition("[/MONOLOGUE]")[0]
    problem = _missing_section(body) or ("" if "[/MONOLOGUE]" in text else "no [/MONOLOGUE]")
    refined = refined_code(text)
    if refined is None:
        problem = problem or "no refined program"
    if not problem:
        simulation, _, rest = body.partition(SECTIONS[1])
        cause, _, fixing = rest.partition(SECTIONS[2])
        reader.simulation(simulation.partition(SECTIONS[0])[2])
        reader.cause(cause)
        reader.fixing(fixing, refined or "")
    counts = dict.fromkeys(("supported", "contradicted", "unverifiable"), 0)
    for claim in reader.claims:
        counts[claim.status] += 1
    accepted = not problem and not counts["contradicted"] and counts["supported"] > 0
    return RationaleReport(
        **counts,
        accepted=accepted,
        claims=tuple(reader.claims),
        refined=refined,
        problem=problem,
    )


def _missing_section(body: str) -> str:
    places = [body.find(name) for name in SECTIONS]
    for name, place in zip(SECTIONS, places, strict=True):
        if place < 0:
            return f"no section {name!r}"
    return "" if places == sorted(places) else "the sections are out of order"


_STEP = re.compile(r"\[L(\d+)\] (.*)", re.DOTALL)
_CALLED = re.compile(r"([\w.<>]+) is called(?: with (.*))?\.$", re.DOTALL)
_RETURNS = re.compile(r"([\w.<>]+) (return|yield)s(?: (.*))?\.$", re.DOTALL)
_SKIP = re.compile(r"\.\.\. (\d+) steps later: (.*)", re.DOTALL)
_BRANCH = re.compile(r"(.*) is (True|False)\.$", re.DOTALL)


def pairs(text: str) -> dict[str, str] | None:
    """`a = 1, b = [2]` as names with the texts of their values, or None."""
    try:
        node = ast.parse(f"f({text})", mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(node, ast.Call) or node.args or any(k.arg is None for k in node.keywords):
        return None
    source = f"f({text})"
    return {str(k.arg): ast.get_source_segment(source, k.value) or "" for k in node.keywords}


def _equal(a: str | None, b: str | None) -> bool | None:
    """Whether two texts stand for the same value; None when one of them is no value."""
    if a is None or b is None:
        return a is b
    if a == b:
        return True
    try:
        return values.encode(values.decode(a)) == values.encode(values.decode(b))
    except (values.NotALiteral, values.Unserializable):
        return None


class _Reader:
    def __init__(
        self,
        buggy: str,
        call: str,
        expected: str,
        actual: str,
        trace: Trace,
        fixed: str | None,
        right: Trace | None,
    ) -> None:
        self.buggy, self.fixed = buggy, fixed
        self.call, self.expected, self.actual = call, expected, actual
        self.trace, self.right = trace, right
        self.plan = layout(buggy)
        self.states = States(trace)
        self.next = 0
        self.claims: list[Claim] = []

    def add(
        self, kind: str, ok: bool | None, said: str, evidence: str = "", line: int | None = None
    ) -> None:
        status = {True: "supported", False: "contradicted", None: "unverifiable"}[ok]
        self.claims.append(Claim(kind, "", said, line, status=status, evidence=evidence))

    # --- the simulation ----------------------------------------------------------------------

    def simulation(self, text: str) -> None:
        for line in text.strip().splitlines():
            step = _STEP.match(line)
            skip = _SKIP.match(line)
            if step:
                self._step(int(step[1]), step[2], line)
            elif skip:
                self._skip(int(skip[1]), skip[2], line)
            else:
                self._result(line)

    def _result(self, line: str) -> None:
        for words, truth in (
            (f"{self.call} should give ", self.expected),
            (f"{self.call} gives ", self.actual),
            (f"{self.call} raises ", self.actual.removeprefix("raises ")),
        ):
            if line.startswith(words):
                said = line[len(words) :].removesuffix(", which is wrong.").removesuffix(".")
                truth = truth.removesuffix(".") if "raises" in words else truth
                self.add("answer", _equal(said, truth) or said == truth, line, truth)
                return
        self.add("property", None, line)

    def _skip(self, count: int, said: str, line: str) -> None:
        self.next += count
        steps = self.trace.steps
        if self.next >= len(steps):
            self.add("order", False, line, "the run is shorter")
            return
        frame = steps[self.next].frame
        last = next((i for i in range(self.next - 1, -1, -1) if steps[i].frame == frame), None)
        state = {} if last is None else self.states.after(last)
        for name, text in (pairs(said) or {}).items():
            self.add("value", _equal(text, state.get(name)), line, f"{name} = {state.get(name)}")

    def _step(self, number: int, said: str, line: str) -> None:
        index = self.next
        while index < len(self.trace.steps) and folded(self.trace, index):
            index += 1
        if index >= len(self.trace.steps):
            self.add("order", False, line, "the run has ended", number)
            return
        self.next = index + 1
        step = self.trace.steps[index]
        if step.line != number:
            self.add("order", False, line, f"the run is at [L{step.line}]", number)
            return
        called, returns, branch = _CALLED.match(said), _RETURNS.match(said), _BRANCH.match(said)
        if step.event == "call" and called:
            self.add("order", called[1] == step.function, line, step.function, number)
            self._changes(index, called[2] or "", line)
        elif returns and step.event == returns[2]:
            ok = returns[1] == step.function and (
                returns[3] is None or _equal(returns[3], step.value)
            )
            self.add("return", ok, line, f"{step.event}s {step.value}", number)
        elif said.startswith("raises "):
            ok = step.event == "exception" and said == f"raises {step.value}."
            self.add("exception", ok, line, f"{step.event} {step.value}", number)
        elif said == "the loop ends.":
            ok = number in self.plan.targets and enters(self.trace, index, self.plan) is False
            self.add("iterations", ok, line, "", number)
        elif branch and number in self.plan.tests:
            ok = (
                branch[1] == self.plan.tests[number]
                and str(enters(self.trace, index, self.plan)) == branch[2]
            )
            self.add("branch", ok, line, f"{enters(self.trace, index, self.plan)}", number)
        elif said.startswith("runs "):
            ok = step.event == "line" and said[5:] == self.plan.text(number)
            self.add("order", ok, line, self.plan.text(number), number)
        elif step.event == "line":
            self._changes(index, said, line)
        else:
            self.add("order", False, line, f"a {step.event} step", number)

    def _changes(self, index: int, said: str, line: str) -> None:
        if not said:
            return
        claimed = pairs(said)
        if claimed is None:
            self.add("value", None, line, "", self.trace.steps[index].line)
            return
        state = self.states.after(index)
        for name, text in claimed.items():
            truth = state.get(name)
            ok = False if truth is None else _equal(text, truth)
            self.add("value", ok, line, f"{name} = {truth}", self.trace.steps[index].line)

    # --- the root cause ----------------------------------------------------------------------

    def cause(self, text: str) -> None:
        for line in text.strip().splitlines():
            self._cause_line(line)

    def _cause_line(self, line: str) -> None:
        for form, method in _CAUSES:
            match = form.match(line)
            if match:
                method(self, match, line)
                return
        self.add("property", None, line)

    def _becomes(self, m: re.Match[str], line: str) -> None:
        number, name, got, wanted = int(m[1]), m[2], m[3], m[4]
        self.add("value", self._set(self.trace, name, got, number), line, "", number)
        self._should(name, wanted, line)

    def _stops(self, m: re.Match[str], line: str) -> None:
        number = int(m[1])
        ends = any(
            step.line == number and enters(self.trace, i, self.plan) is False
            for i, step in enumerate(self.trace.steps)
        )
        self.add("iterations", number in self.plan.targets and ends, line, "", number)
        self.add("value", self._set(self.right, m[2], m[3], None), line)

    def _should(self, name: str, wanted: str, line: str) -> None:
        verb, _, text = wanted.partition(" ")
        if verb in ("become", "stay") and text != "as it is":
            self.add("value", self._set(self.right, name, text, None), line)

    def _still(self, m: re.Match[str], line: str) -> None:
        name, got, setter, wanted = m[1], m[2], m[3], m[4]
        self.add("value", self._set(self.trace, name, got, None), line)
        if self.fixed is None:
            self.add("value", None, line)
        else:
            there = setter in [text.strip() for text in self.fixed.splitlines()]
            ok = there and bool(self._set(self.right, name, wanted, None))
            self.add("value", ok, line)

    def _goes(self, m: re.Match[str], line: str) -> None:
        self.add("order", self._does(m[2], int(m[1]), self.trace, self.buggy), line)
        if self.right is None or self.fixed is None:
            self.add("order", None, line)
        else:
            self.add("order", self._does(m[3], None, self.right, self.fixed), line)

    def _does(self, said: str, after: int | None, trace: Trace, source: str) -> bool:
        lines = [text.strip() for text in source.splitlines()]
        steps = trace.steps
        for i, step in enumerate(steps):
            if after is not None and i and steps[i - 1].line != after:
                continue
            if step.event in ("return", "yield"):
                if said == f"{step.event}s {step.value} from {step.function}":
                    return True
            elif step.event == "exception":
                if said == f"raises {step.value}":
                    return True
            elif step.event == "call":
                if said == f"calls {step.function}":
                    return True
            elif said in (f"goes to [L{step.line}]", f"goes to `{lines[step.line - 1]}`"):
                return True
        return said == "ends" and (after is None or not steps or steps[-1].line == after)

    def _ends(self, m: re.Match[str], line: str) -> None:
        name, got, wanted = m[1], m[2], m[3]
        self.add("value", self._last(self.trace, name, got), line)
        self.add("value", self._last(self.right, name, wanted), line)

    def _last(self, trace: Trace | None, name: str, text: str) -> bool | None:
        if trace is None:
            return None
        last: dict[int, str | None] = {}
        for step in trace.steps:
            for change in step.changes:
                if change.name == name:
                    last[step.frame] = change.text
        return any(_equal(text, found) for found in last.values())

    def _blames(self, m: re.Match[str], line: str) -> None:
        if self.fixed is None:
            self.add("property", None, line)
            return
        number, _, height, _ = altered(self.buggy, self.fixed)
        ok = int(m[2]) == number and bool(m[1]) is (height == 0)
        self.add("property", ok, line, f"[L{number}]", number)

    def _so(self, m: re.Match[str], line: str) -> None:
        ok = line == f"So the call {_wrong(self.actual)} instead of {self.expected}."
        self.add("answer", ok, line, f"{self.actual}; {self.expected}")

    def _set(self, trace: Trace | None, name: str, text: str, number: int | None) -> bool | None:
        """Whether some step (on that line) sets the variable to that value, or leaves it alone."""
        if trace is None:
            return None
        for step in trace.steps:
            if number is not None and step.line != number:
                continue
            changed = {c.name: c.text for c in step.changes}
            if text == "as it is":
                if name not in changed:
                    return True
            elif name in changed and _equal(text, changed[name]):
                return True
        return False

    # --- the fix -----------------------------------------------------------------------------

    def fixing(self, text: str, refined: str) -> None:
        lines = self.buggy.splitlines()
        made = edited(lines, text.strip())
        if made is None:
            self.add("property", None, text.strip())
            return
        ok = [t.rstrip() for t in made] == [t.rstrip() for t in refined.splitlines()]
        self.add("property", ok, text.strip())


def _wrong(actual: str) -> str:
    return actual if actual.startswith("raises ") else f"gives {actual}"


_CAUSES = (
    (
        re.compile(r"At \[L(\d+)\] the loop ends, but it should go on with (\w+) = (.*)\.$"),
        _Reader._stops,
    ),
    (
        re.compile(r"At \[L(\d+)\] (\w+) (?:becomes|stays) (.*), but it should (.*)\.$"),
        _Reader._becomes,
    ),
    (
        re.compile(
            r"Before (?:\[L\d+\]|the end) (\w+) is still (.*), but `(.*)` should make it (.*)\.$"
        ),
        _Reader._still,
    ),
    (
        re.compile(r"After \[L(\d+)\] the run (.*), but the right run (.*)\.$"),
        _Reader._goes,
    ),
    (re.compile(r"In the end (\w+) is (.*) instead of (.*)\.$"), _Reader._ends),
    (re.compile(r"The cause is (the place before )?\[L(\d+)\]: .*"), _Reader._blames),
    (re.compile(r"So (.*) instead of (.*)\.$"), _Reader._so),
)
