"""Reads a backward section: what was asked, the input that is chosen, its check, other inputs.

A value that is said to be possible (`can be`, `must be`) is put where it is said to stand, and must
give what the sentences before asked for; the run of the chosen input decides the rest. `DECIDERS`
has a function for every row of `forms.DEDUCTION`, `BOUND_DECIDERS` for every row of `forms.BOUNDS`.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import (
    Cannot,
    Given,
    Raises,
    equal,
    evaluate,
    literal,
)
from semcoder_lib.monologues.forms import BOUNDS, DEDUCTION
from semcoder_lib.monologues.show import brief, encoded
from semcoder_lib.monologues.syntax import as_load, is_determined, parameters
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.history import Trials
from semcoder_lib.monologues.verify.report import Deciders
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.text import parse_binds, same_text

ONCE = {"choose", "choose.none", "check", "checking", "several", "counter"}
_WANT = re.compile(r"(?P<n>[^\W\d]\w*) (?P<w>must|can) be (?P<v>.+)", re.S)
_CALLS = re.compile(
    r"(?P<c>\w+\([^\n]*?\)(?:,? and \w+\([^\n]*?\))?),? (?:both |all |each )?"
    r"(?:returns?|gives) `?(?P<v>[^\n`]+?)`?(?=\.?$|[.;,] )"
)
DECIDERS = decides = Deciders()
BOUND_DECIDERS = Deciders()


class Deduction:
    """A reader of one backward section. `goals` are the values that names must have by what was
    read so far, at the point that it has come back to."""

    def __init__(
        self, steps: Steps, trials: Trials, entry_point: str, arguments: Any, output: Any
    ) -> None:
        self.steps, self.history, self.ledger = steps, steps.history, steps.ledger
        self.trials, self.f, self.arguments, self.output = trials, entry_point, arguments, output
        self.function = self.history.syntax.functions.get(entry_point)
        self.goals: dict[str, Any] = {}
        self.line = 0
        self.checking = False
        self.once: set[str] = set()  # rows that a section holds once, and that were read

    def read(self, text: str, start: int) -> bool:
        """Read one line of the section. False where it is none of the forms."""
        label = LINE.match(text)
        if label and self.checking:
            return self.steps.read(text, start)
        since, end, body = len(self.ledger.claims), start + len(text.rstrip()), text.rstrip()
        self.ledger.place = (start, end)
        self.line = self.history.labelled(label[1]) if label else 0
        if label is not None:
            body, quoted = self.steps.unquoted(self.line, body[label.end() :])
            if not quoted:
                return False
        at = end - len(body)
        if row := DECIDERS.read(DEDUCTION, body, at, self):
            if row in ONCE & self.once:
                self.ledger.add("order", row, body, False, "that was said before")
            self.once.add(row)
            self.ledger.read_line((start, end), since)
            return True
        for match in _CALLS.finditer(body):  # anybody's words for it
            value = Slot(match["v"].rstrip("."), at + match.start("v"), at + match.end("v"))
            for call in split(match["c"].replace(" and ", ", "), ", "):
                self.run(Slot(call.text, at + match.start("c"), at + match.end("c")), value)
        return False

    def claim(
        self, subject: str, slot: Slot, verdict: bool | None, why: str = "", kind: str = ""
    ) -> None:
        """Record a claim about the line that is spoken of."""
        line = self.line or None
        self.ledger.add(kind or "constraint", subject, slot, verdict, why, line=line)

    def gives(self, m: Match, node: ast.expr, goal: Any) -> bool:
        """`xs can be [1, 2], k must be 2.` in {b}: put where these names stand, the values give
        `goal`; or a bound. Before it in {c}, there may be a bound, too."""
        if self.line not in self.history.visits:
            label = self.history.label(self.line)
            self.ledger.add("order", label, "runs", False, "it does not", line=self.line)
        rest = Slot(m["b"].text.removesuffix("."), m["b"].start, m["b"].end)
        if "c" in m and not self._bound(m["c"], node, goal):
            return False
        wants = [(part, _WANT.fullmatch(part.text)) for part in split(rest.text, ", ", rest.start)]
        stated = [(want["n"], literal(want["v"])) for _, want in wants if want]
        wanted = {name: value[0] for name, value in stated if value is not None}
        if rest == m["b"] or len(wanted) < len(wants):
            return self._bound(rest, node, goal)
        verdict = self._comes_to(goal, lambda: evaluate(node, self._names(wanted)))
        self.claim("gives", m["b"], verdict, f"it must give {brief(goal)}")
        if not wanted.keys() <= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}:
            self.claim("names", m["b"], False, "this step does not use them")
        word = "must" if is_determined(node) else "can"
        for part, want in wants:
            ok = want is not None and want["w"] == word
            self.claim("is determined", part, ok, f"it {word} be")
        self.goals.update(wanted)
        return True

    def _bound(self, slot: Slot, node: ast.expr, goal: Any) -> bool:
        return bool(BOUND_DECIDERS.read(BOUNDS, slot.text, slot.start, self, node, goal))

    def _names(self, given: dict[str, Any]) -> Given:
        """Given names, before those of the chosen input's run as it comes to the line."""
        visits = self.history.visits.get(self.line)
        return Given(given, self.history.before(visits[-1]) if visits else None)

    def _comes_to(self, goal: Any, work: Any) -> bool | None:
        try:
            return equal(work(), goal)
        except Raises:
            return False
        except Cannot:
            return None

    def source(self, slot: Slot, node: ast.expr | None) -> None:
        """The piece of the program that a sentence speaks of."""
        text = "" if node is None else ast.unparse(node)
        self.claim("of", slot, text == slot.text, text)

    def run(self, slot: Slot, value: Slot) -> None:
        """`f([4], 2) returns 10`: run it."""
        try:
            name, arguments, named = values.parse_call(slot.text)
        except values.NotALiteral:
            self.claim("call", slot, None, "not a call with literals")
            return
        if name != self.f or named:
            self.claim("call", slot, False, f"this is about {self.f}")
            return
        status, result = self.trials.run([arguments])[0]
        verdicts = {"ok": same_text(value.text, encoded(result)), "exception": False}
        place = Slot(slot.text, slot.start, value.end)
        self.claim("call", place, verdicts.get(status), f"{status}: {brief(result)}")


# --- the deciders: one for every row of forms.DEDUCTION -------------------------------------------


@decides("goal", "goal.bound", "goal.reach")
def _goal(d: Deduction, m: Match) -> bool | None:
    """`f returns 10, so total must be 10.`: of the return that the chosen input reaches."""
    stmt = d.history.syntax.statement(d.line)
    if not isinstance(stmt, ast.Return):
        return False
    output, whole = encoded(d.output), m["v"].text != "the output"
    d.claim("function", m["f"], m["f"].text == d.f, f"this is {d.f}", "return")
    verdict = same_text(m["v"].text, output) if whole else len(output) > 80
    d.claim("returns", m["v"], verdict, "another output", "return")
    if "to" in m:
        ok = d.history.labelled(m["to"].text) == d.line and d.line in d.history.visits
        d.claim("is reached", m["to"], ok, "it does not run", "order")
        return None
    return stmt.value is not None and d.gives(m, stmt.value, d.output)


@decides("must", "bound")
def _must(d: Deduction, m: Match) -> bool:
    """`so n must be 4.`: of a statement that sets a name with a goal."""
    match d.history.syntax.statement(d.line):
        case ast.Assign([ast.Name(name), *_], node):
            pass
        case ast.AugAssign(ast.Name(name)) as stmt:
            node = as_load(stmt)
        case _:
            return False
    return name in d.goals and d.gives(m, node, d.goals.pop(name))


@decides("test")
def _test(d: Deduction, m: Match) -> bool | None:
    """`n % k == 0 must be True here.`: the condition of this line, at a visit of it."""
    test = d.history.syntax.test(d.line)
    if test is None:
        return False
    d.source(m["e"], test)
    outcomes = {d.steps.branch(visit) for visit in d.history.visits.get(d.line, ())} - {None}
    verdict = (m["t"].text == "True") in outcomes if outcomes else None
    d.claim("here", m["t"], verdict, str(outcomes))
    return None


@decides("choose", "choose.none")
def _choose(d: Deduction, m: Match) -> bool | None:
    """`Choose n = 4, k = 2.`: the arguments of the answer, and what was found of them before."""
    pairs = parse_binds(m["b"]) if "b" in m else []
    if d.arguments is None or pairs is None:
        return False
    names = parameters(d.function) if d.function else []
    names += [f"argument {at + 1}" for at in range(len(names), len(d.arguments))]
    given = dict(zip(names, d.arguments, strict=False))
    if [n.text for n, _ in pairs] != list(given):
        place = m.get("b") or Slot("", *d.ledger.place)
        d.claim("choice", place, False, f"the answer gives {', '.join(given)}", "value")
    nodes = ast.walk(d.function) if d.function else ()
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for name, value in pairs:
        if value is not None and name.text in given:
            shown = encoded(given[name.text])
            place = Slot(value.text, name.start, value.end)
            d.claim(name.text, place, same_text(value.text, shown), shown, "value")
            known = d.goals.get(name.text, given[name.text])
            if name.text not in stored and not equal(known, given[name.text]):
                d.claim(name.text, place, False, "it was said to be another value")
    return None


@decides("checking")
def _checking(d: Deduction, m: Match) -> None:
    d.checking = True


def _calls(d: Deduction, m: Match, *, other: bool) -> None:
    """Calls and what they return: the output that is asked about, or an`other` one."""
    for name in [n for n in m if n != "v"]:
        d.run(m[name], m["v"])
    if not other and d.arguments is not None:
        own = values.show_call(d.f, d.arguments)
        d.claim("chosen", m["c"], m["c"].text == own, own)
    value = literal(m["v"].text)
    if value is not None and equal(value[0], d.output) is other:
        d.claim("output", m["v"], False, f"asked about: {brief(d.output)}")


decides("check", "several")(functools.partial(_calls, other=False))
decides("counter")(functools.partial(_calls, other=True))


@BOUND_DECIDERS("bound.value")
def _bound(d: Deduction, node: ast.expr, goal: Any, m: Match) -> None:
    """What an operation asks of what went in: its piece, and the goal (or `the output`)."""
    if m["x"].text != "it":
        d.source(m["x"], node)
    value = (d.output,) if m["v"].text == "the output" else literal(m["v"].text)
    d.claim("asks", m["v"], bool(value) and equal(value[0], goal), brief(goal))
