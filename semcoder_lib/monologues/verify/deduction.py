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
    apply_method,
    equal,
    evaluate,
    literal,
)
from semcoder_lib.monologues.forms import BOUNDS, DEDUCTION
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import parameters
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.report import Deciders
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.text import encoded, parse_binds, same_text
from semcoder_lib.monologues.verify.trials import Trials

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
        self,
        steps: Steps,
        trials: Trials,
        entry_point: str,
        arguments: tuple[Any, ...] | None,
        output: Any,
    ) -> None:
        self.steps = steps
        self.history, self.ledger = steps.history, steps.ledger
        self.trials = trials
        self.f = entry_point
        self.arguments = arguments
        self.output = output
        self.goals: dict[str, Any] = {}
        self.line = 0
        self.checking = False
        self.once: set[str] = set()  # rows that a section holds once, and that were read

    def read(self, text: str, start: int) -> bool:
        """Read one line of the section. False where it is none of the forms."""
        label = LINE.match(text)
        if label and self.checking:
            return self.steps.read(text, start)
        since, end = len(self.ledger.claims), start + len(text.rstrip())
        self.ledger.place = (start, end)
        body = text.rstrip()
        self.line = 0
        if label is not None:
            self.line = self.history.labelled(label[1])
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
                place = Slot(call.text, at + match.start("c"), at + match.end("c"))
                self.run(place, value)
        return False

    # --- claims -------------------------------------------------------------------------------

    def claim(
        self, kind: str, subject: str, slot: Slot, verdict: bool | None, why: str = ""
    ) -> None:
        """Record a claim about the line that is spoken of."""
        self.ledger.add(kind, subject, slot, verdict, why, line=self.line or None)

    def names(self, given: dict[str, Any]) -> Given:
        """Given names, before those of the chosen input's run as it comes to the line."""
        visits = self.history.visits.get(self.line)
        return Given(given, self.history.before(visits[-1]) if visits else None)

    def gives(self, m: Match, node: ast.expr, goal: Any) -> bool:
        """`xs can be [1, 2], k must be 2.` in {b}: put where these names stand, the values give
        `goal`; or a bound. Before it in {c}, there may be a bound, too."""
        rest = Slot(m["b"].text.removesuffix("."), m["b"].start, m["b"].end)
        if "c" in m and not BOUND_DECIDERS.read(
            BOUNDS, m["c"].text, m["c"].start, self, node, goal
        ):
            return False
        parts = split(rest.text, ", ", rest.start)
        wants = [(part, _WANT.fullmatch(part.text)) for part in parts]
        stated = [(want["n"], literal(want["v"])) for _, want in wants if want]
        wanted = {name: value[0] for name, value in stated if value is not None}
        if rest == m["b"] or len(wanted) < len(parts):
            return bool(BOUND_DECIDERS.read(BOUNDS, rest.text, rest.start, self, node, goal))
        try:
            verdict: bool | None = equal(evaluate(node, self.names(wanted)), goal)
            why = "that gives another value"
        except Raises as error:
            verdict, why = False, f"that raises {error.kind}"
        except Cannot:
            verdict, why = None, "cannot be evaluated"
        self.claim("constraint", "gives", m["b"], verdict, why)
        own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if not wanted.keys() <= own:
            self.claim("constraint", "names", m["b"], False, "this step does not use them")
        word = "must" if is_determined(node) else "can"
        for part, want in wants:
            ok = want is not None and want["w"] == word
            self.claim("constraint", "is determined", part, ok, f"it {word} be")
        self.goals.update(wanted)
        return True

    def source(self, slot: Slot, node: ast.expr | None) -> None:
        """The piece of the program that a sentence speaks of."""
        text = "" if node is None else ast.unparse(node)
        self.claim("constraint", "of", slot, text == slot.text, text)

    def run(self, slot: Slot, value: Slot) -> None:
        """`f([4], 2) returns 10`: run it."""
        try:
            name, arguments, named = values.parse_call(slot.text)
        except values.NotALiteral:
            self.claim("constraint", "call", slot, None, "not a call with literals")
            return
        if name != self.f or named:
            self.claim("constraint", "call", slot, False, f"this is about {self.f}")
            return
        status, result = self.trials.run([arguments])[0]
        verdicts = {"ok": same_text(value.text, encoded(result)), "exception": False}
        place = Slot(slot.text, slot.start, value.end)
        self.claim("constraint", "call", place, verdicts.get(status), f"{status}: {brief(result)}")


def is_determined(node: ast.expr) -> bool:
    """Whether the value of `node` leaves its names one value each: names, reversals of them, and
    displays of these."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(is_determined, node.elts))
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return is_determined(node.value)
    return isinstance(node, ast.Name)


# --- the deciders: one for every row of forms.DEDUCTION -------------------------------------------


@decides("goal", "goal.bound", "goal.reach")
def _goal(d: Deduction, m: Match) -> bool | None:
    """`f returns 10, so total must be 10.`: of the return that the chosen input reaches."""
    stmt = d.history.syntax.statement(d.line)
    if not isinstance(stmt, ast.Return):
        return False
    output = encoded(d.output)
    d.claim("return", "function", m["f"], m["f"].text == d.f, f"this is {d.f}")
    whole = m["v"].text != "the output"
    verdict = same_text(m["v"].text, output) if whole else len(output) > 80
    d.claim("return", "returns", m["v"], verdict, "another output")
    if "to" in m:
        ok = d.history.labelled(m["to"].text) == d.line and d.line in d.history.visits
        d.claim("order", "is reached", m["to"], ok, "it does not run")
        return None
    _runs(d)
    return stmt.value is not None and d.gives(m, stmt.value, d.output)


def _runs(d: Deduction) -> None:
    """The line that a sentence is about runs when the chosen input does."""
    if d.line not in d.history.visits:
        d.ledger.add("order", d.history.label(d.line), "runs", False, "it does not", line=d.line)


@decides("must", "bound")
def _must(d: Deduction, m: Match) -> bool:
    """`so n must be 4.`: of a statement that sets a name with a goal."""
    stmt = d.history.syntax.statement(d.line)
    if isinstance(stmt, ast.Assign):
        target, node = stmt.targets[0], stmt.value
    elif isinstance(stmt, ast.AugAssign) and isinstance(stmt.target, ast.Name):
        target = stmt.target
        node = ast.BinOp(ast.Name(stmt.target.id, ast.Load()), stmt.op, stmt.value)
        ast.fix_missing_locations(ast.copy_location(node, stmt))
    else:
        return False
    if not isinstance(target, ast.Name) or target.id not in d.goals:
        return False
    _runs(d)
    return d.gives(m, node, d.goals.pop(target.id))


@decides("before")
def _before(d: Deduction, m: Match) -> bool | None:
    """`so before it out can be [1].`: put there, the method gives the goal."""
    stmt = d.history.syntax.statement(d.line)
    call = stmt.value if isinstance(stmt, ast.Expr) else None
    name, value = m["x"].text, literal(m["v"].text)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or value is None:
        return False
    if ast.unparse(call.func.value) != name or name not in d.goals:
        d.claim("constraint", "before", m["x"], False, "this step does not change it")
        return None
    goal = d.goals[name]
    verdict: bool | None
    try:
        arguments = [evaluate(a, d.names({name: value[0]})) for a in call.args]
        verdict = equal(apply_method(value[0], call.func.attr, tuple(arguments))[1], goal)
    except Raises:
        verdict = False
    except Cannot:
        verdict = None
    d.claim("constraint", "before", m["v"], verdict, f"it must become {brief(goal)}")
    d.goals[name] = value[0]
    return None


@decides("test")
def _test(d: Deduction, m: Match) -> bool | None:
    """`n % k == 0 must be True here.`: the condition of this line, at a visit of it."""
    test = d.history.syntax.test(d.line)
    if test is None:
        return False
    d.source(m["e"], test)
    outcomes = {d.steps.branch(visit) for visit in d.history.visits.get(d.line, ())} - {None}
    verdict = (m["t"].text == "True") in outcomes if outcomes else None
    d.claim("constraint", "here", m["t"], verdict, str(outcomes))
    return None


@decides("choose", "choose.none")
def _choose(d: Deduction, m: Match) -> bool | None:
    """`Choose n = 4, k = 2.`: the arguments of the answer, and what was found of them before."""
    pairs = parse_binds(m["b"]) if "b" in m else []
    if d.arguments is None or pairs is None:
        return False
    function = d.history.syntax.functions.get(d.f)
    names = parameters(function) if function else []
    more = [f"argument {at + 1}" for at in range(len(names), len(d.arguments))]
    given = dict(zip([*names, *more], d.arguments, strict=False))
    if [n.text for n, _ in pairs] != list(given):
        place = m.get("b") or Slot("", *d.ledger.place)
        d.claim("value", "choice", place, False, f"the answer gives {', '.join(given)}")
    stored = {
        n.id
        for n in (ast.walk(function) if function else ())
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    for name, value in pairs:
        if value is not None and name.text in given:
            shown = encoded(given[name.text])
            place = Slot(value.text, name.start, value.end)
            d.claim("value", name.text, place, same_text(value.text, shown), shown)
            known = name.text in d.goals and name.text not in stored
            if known and not equal(d.goals[name.text], given[name.text]):
                d.claim("constraint", name.text, place, False, "it was said to be another value")
    return None


@decides("checking")
def _checking(d: Deduction, m: Match) -> None:
    d.checking = True


def _calls(d: Deduction, m: Match, *, other: bool) -> None:
    """Calls and what they return: the output that is asked about, or an`other` one."""
    for name in ("c", "d"):
        if name in m:
            d.run(m[name], m["v"])
    if "d" in m and d.arguments is not None:
        own = values.show_call(d.f, d.arguments)
        d.claim("constraint", "chosen", m["c"], m["c"].text == own, own)
    value = literal(m["v"].text)
    if value is not None and equal(value[0], d.output) is other:
        d.claim("constraint", "output", m["v"], False, f"asked about: {brief(d.output)}")


decides("check", "several")(functools.partial(_calls, other=False))
decides("counter")(functools.partial(_calls, other=True))


# --- bounds: one for every row of forms.BOUNDS ----------------------------------------------------

_OPERATIONS = {
    "bound.order": ("sorted",), "bound.length": ("len",), "bound.sum": ("sum",),
    "bound.largest": ("max",), "bound.smallest": ("min",), "bound.set": ("set",),
    "bound.abs": ("abs",), "bound.some": ("any",), "bound.case": ("upper", "lower"),
    "bound.space": ("strip",),
}  # fmt: skip


def _parts(row: str, node: ast.expr) -> dict[str, ast.expr]:
    """The pieces of the program that a bound must speak of, where `node` is what it is about."""
    if row == "bound.value":
        return {"x": node}
    if row == "bound.item":
        return {"e": node, "x": node.value} if isinstance(node, ast.Subscript) else {}
    if row == "bound.rest":
        modulo = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)
        return {"x": node.left, "y": node.right} if modulo else {}  # type: ignore[attr-defined]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return {"x": node.func.value} if node.func.attr in _OPERATIONS[row] else {}
    named = isinstance(node, ast.Call) and ast.unparse(node.func) in _OPERATIONS[row]
    return {"x": node.args[0]} if named and node.args else {}  # type: ignore[attr-defined]


def _bound(row: str, d: Deduction, node: ast.expr, goal: Any, m: Match) -> None:
    """What an operation asks of what went in: its slots, and the goal (or `the output`)."""
    parts = _parts(row, node)
    for name in {"x", "y", "e"} & m.keys():
        if m[name].text != "it":
            d.source(m[name], parts.get(name))
    if "v" in m:
        value = (d.output,) if m["v"].text == "the output" else literal(m["v"].text)
        d.claim("constraint", "asks", m["v"], bool(value) and equal(value[0], goal), brief(goal))


for _row in BOUNDS:
    BOUND_DECIDERS(_row)(functools.partial(_bound, _row))
