"""Reads a backward section: what was asked, the input that is chosen, its check, other inputs.

A value that is said to be possible (`can be`, `must be`) is put where it is said to stand, and must
give what the sentences before asked for; the run of the chosen input decides the rest. `DECIDERS`
has a function for every row of `forms.DEDUCTION` and `forms.BOUNDS`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
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
    parse_expression,
)
from semcoder_lib.monologues.forms import BOUNDS, DEDUCTION
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.syntax import parameters
from semcoder_lib.monologues.template import Match, Slot, mask, plain, split
from semcoder_lib.monologues.verify.stated import parse_binds, same_text
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.trials import Trials

ONCE = {"choose", "choose.none", "check", "checking", "several", "counter"}
_WANT = re.compile(r"(?P<n>[^\W\d]\w*) (?P<w>must|can) be (?P<v>.+)", re.S)
_CALLS = re.compile(
    r"(?P<c>\w+\([^\n]*?\)(?:,? and \w+\([^\n]*?\))?),? (?:both |all |each )?"
    r"(?:returns?|gives) `?(?P<v>[^\n`]+?)`?(?=\.?$|[.;,] )"
)
MISSING = object()


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
        self.cursor, self.history, self.ledger = steps.cursor, steps.history, steps.ledger
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
        body, at = text.rstrip(), start
        self.line = 0
        if label is not None:
            self.line = self.cursor.line(label[1])
            body, at = body[label.end() :], start + label.end()
            body, quoted = self.steps.unquoted(self.line, body)
            at = end - len(body)
            if not quoted:
                return False
        masked = mask(body)
        for name, form in DEDUCTION.items():
            slots = form.match(body, masked, at) if masked is not None else None
            if slots is not None and DECIDERS[name](self, slots):
                if name in ONCE & self.once:
                    self.ledger.add("order", name, body, False, "that was said before")
                self.once.add(name)
                self.ledger.forms.append((name, plain(slots)))
                self.ledger.read_line((start, end), since)
                return True
        for match in _CALLS.finditer(body):  # anybody's words for it
            value = Slot(match["v"].rstrip("."), at + match.start("v"), at + match.end("v"))
            for call in split(match["c"].replace(" and ", ", "), ", "):
                place = Slot(call.text, at + match.start("c"), at + match.end("c"))
                self.run(place, value)
        return False

    # --- claims -------------------------------------------------------------------------------

    def claim(self, kind: str, subject: str, slot: Slot, verdict: bool | None, why: str) -> None:
        self.ledger.add(
            kind, subject, slot.text, verdict, "" if verdict else why, line=self.line or None,
            place=(slot.start, slot.end),
        )  # fmt: skip

    def reached(self, slot: Slot | None, line: int) -> None:
        """The line that a sentence is about runs when the chosen input does."""
        ran = bool(self.history.visits.get(line))
        if slot is not None:
            self.claim("order", "is reached", slot, ran, "it does not run")
        elif not ran:
            self.ledger.add(
                "order", self.cursor.label(line), "runs", False, "it does not", line=line
            )

    def names(self, given: dict[str, Any]) -> Given:
        """Given names, before those of the chosen input's run as it comes to the line."""
        visits = self.history.visits.get(self.line)
        return Given(given, self.history.before(visits[-1]) if visits else None)

    def wants(self, slot: Slot) -> dict[str, Any] | None:
        """`xs can be [1, 2], k must be 2.` as names and values; None for another text."""
        if not slot.text.endswith("."):
            return None
        wanted: dict[str, Any] = {}
        for part in split(slot.text[:-1], ", ", slot.start):
            match = _WANT.fullmatch(part.text)
            value = literal(match["v"]) if match else None
            if match is None or value is None:
                return None
            wanted[match["n"]] = value[0]
        return wanted

    def put(self, slot: Slot, node: ast.expr, goal: Any) -> bool:
        """Whether the wanted values, put where they are said to stand, give `goal`."""
        wanted = self.wants(slot)
        if wanted is None:
            return self.bound(Slot(slot.text.rstrip("."), slot.start, slot.end), node, goal)
        try:
            verdict: bool | None = equal(evaluate(node, self.names(wanted)), goal)
            why = "that gives another value"
        except Raises as error:
            verdict, why = False, f"that raises {error.kind}"
        except Cannot:
            verdict, why = None, "cannot be evaluated"
        self.claim("constraint", "gives", slot, verdict, why)
        own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if not wanted.keys() <= own:
            self.claim("constraint", "names", slot, False, "this step does not use them")
        word = "must" if is_determined(node) else "can"
        for part in split(slot.text[:-1], ", ", slot.start):
            match = _WANT.fullmatch(part.text)
            ok = match is not None and match["w"] == word
            self.claim("constraint", "is determined", part, ok, f"it {word} be")
        self.goals.update(wanted)
        return True

    def bound(self, slot: Slot, node: ast.expr, goal: Any) -> bool:
        """What an operation asks of what went in: a row of `forms.BOUNDS`."""
        masked = mask(slot.text)
        for name, form in BOUNDS.items():
            slots = form.match(slot.text, masked, slot.start) if masked is not None else None
            if slots is not None:
                return BOUND_DECIDERS[name](self, slots, node, goal)
        return False

    def stated(self, slot: Slot, goal: Any) -> None:
        """A value that must be the goal, whole or as `the output`."""
        if slot.text == "the output":
            self.claim("constraint", "asks", slot, equal(goal, self.output), "another value")
            return
        value = literal(slot.text)
        self.claim(
            "constraint", "asks", slot, value is not None and equal(value[0], goal), _shown(goal)
        )

    def source(self, slot: Slot, node: ast.expr | None) -> None:
        """The piece of the program that a bound speaks of."""
        ok = node is not None and ast.unparse(node) == slot.text
        self.claim("constraint", "of", slot, ok, ast.unparse(node) if node is not None else "")

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
        place = Slot(slot.text, slot.start, value.end)
        if status == "unknown":
            self.claim("constraint", "call", place, None, "could not be run")
        elif status == "exception":
            self.claim("constraint", "call", place, False, f"raises {result}")
        else:
            shown = _encoded(result)
            self.claim("constraint", "call", place, same_text(value.text, shown), shown)


def is_determined(node: ast.expr) -> bool:
    """Whether the value of `node` leaves its names one value each: names, reversals of them, and
    displays of these."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(is_determined, node.elts))
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return is_determined(node.value)
    return isinstance(node, ast.Name)


def _shown(value: Any) -> str:
    try:
        return show(value, 200)
    except NotShown:
        return f"a {type(value).__name__}"


def _encoded(value: Any) -> str:
    try:
        return values.encode(value)
    except values.Unserializable:
        return f"a {type(value).__name__}"


# --- the deciders: one for every row of forms.DEDUCTION and forms.BOUNDS --------------------------

Decider = Callable[[Deduction, Match], bool]
BoundDecider = Callable[[Deduction, Match, ast.expr, Any], bool]
DECIDERS: dict[str, Decider] = {}
BOUND_DECIDERS: dict[str, BoundDecider] = {}


def decides(*names: str) -> Callable[[Decider], Decider]:
    def enter(decider: Decider) -> Decider:
        DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


@decides("goal", "goal.bound", "goal.reach")
def _goal(d: Deduction, m: Match) -> bool:
    """`f returns 10, so total must be 10.`: of the return that the chosen input reaches."""
    stmt = d.history.syntax.statement(d.line)
    if not isinstance(stmt, ast.Return):
        return False
    d.claim("return", "function", m["f"], m["f"].text == d.f, f"this is {d.f}")
    if m["v"].text == "the output":
        d.claim("return", "returns", m["v"], len(_encoded(d.output)) > 80, "it can be shown")
    else:
        d.claim(
            "return",
            "returns",
            m["v"],
            same_text(m["v"].text, _encoded(d.output)),
            "another output",
        )
    d.reached(m.get("to"), d.line)
    if "to" in m:
        ok = d.cursor.line(m["to"].text) == d.line
        d.claim("order", "this line", m["to"], ok, "another line")
        return True
    if stmt.value is None:
        return False
    if "c" in m and not d.bound(m["c"], stmt.value, d.output):
        return False
    return d.put(m["b"], stmt.value, d.output)


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
    goal = d.goals.pop(target.id)
    d.reached(None, d.line)
    if "c" in m and not d.bound(m["c"], node, goal):
        return False
    return d.put(m["b"], node, goal)


@decides("before")
def _before(d: Deduction, m: Match) -> bool:
    """`so before it out can be [1].`: put there, the method gives the goal."""
    stmt = d.history.syntax.statement(d.line)
    call = stmt.value if isinstance(stmt, ast.Expr) else None
    name, value = m["x"].text, literal(m["v"].text)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or value is None:
        return False
    if ast.unparse(call.func.value) != name or name not in d.goals:
        d.claim("constraint", "before", m["x"], False, "this step does not change it")
        return True
    goal = d.goals[name]
    verdict: bool | None
    try:
        arguments = [evaluate(a, d.names({name: value[0]})) for a in call.args]
        verdict = equal(apply_method(value[0], call.func.attr, tuple(arguments))[1], goal)
    except (Raises, Cannot):
        verdict = _could_be(call.func.attr, value[0], goal)
    if verdict is False:
        verdict = _could_be(call.func.attr, value[0], goal)
    d.claim("constraint", "before", m["v"], verdict, f"it must become {_shown(goal)}")
    d.goals[name] = value[0]
    return True


def _could_be(method: str, before: Any, after: Any) -> bool | None:
    """Whether some argument makes `after` of `before`."""
    if type(before) is not type(after) or not isinstance(before, list):
        return False
    if method == "append":
        return len(after) == len(before) + 1 and equal(after[:-1], before)
    if method == "insert":
        return any(equal(after[:i] + after[i + 1 :], before) for i in range(len(after)))
    if method == "extend":
        return equal(after[: len(before)], before)
    return False


@decides("test")
def _test(d: Deduction, m: Match) -> bool:
    """`n % k == 0 must be True here.`: the condition of this line, at a visit of it."""
    test = d.history.syntax.test(d.line)
    if test is None:
        return False
    d.source(m["e"], test)
    actual: list[bool] = []
    for visit in d.history.visits.get(d.line, ()):
        try:
            actual.append(bool(evaluate(test, d.history.before(visit))))
        except (Cannot, Raises):
            outcome = d.steps.branch(visit)
            actual += [outcome] if outcome is not None else []
    verdict = (m["t"].text == "True") in actual if actual else None
    d.claim("constraint", "here", m["t"], verdict, str(actual))
    return True


@decides("choose", "choose.none")
def _choose(d: Deduction, m: Match) -> bool:
    if d.arguments is None:
        return False
    syntax = d.history.syntax
    function = syntax.functions.get(d.f)
    names = parameters(function) if function else []
    given = {
        names[at] if at < len(names) else f"argument {at + 1}": value
        for at, value in enumerate(d.arguments)
    }
    pairs = parse_binds(m["b"]) if "b" in m else []
    if pairs is None:
        return False
    if [n.text for n, _ in pairs] != list(given):
        place = m.get("b") or Slot("", *d.ledger.place)
        d.claim("value", "choice", place, False, f"the answer gives {', '.join(given)}")
    for name, value in pairs:
        if value is not None and name.text in given:
            shown = _encoded(given[name.text])
            place = Slot(value.text, name.start, value.end)
            d.claim("value", name.text, place, same_text(value.text, shown), shown)
            goal = d.goals.get(name.text, MISSING)
            again = function is not None and any(
                isinstance(n, ast.Name) and n.id == name.text and isinstance(n.ctx, ast.Store)
                for n in ast.walk(function)
            )
            if not again and goal is not MISSING and not equal(goal, given[name.text]):
                d.claim("constraint", name.text, place, False, "it was said to be another value")
    return True


@decides("checking")
def _checking(d: Deduction, m: Match) -> bool:
    d.checking = True
    return True


@decides("check", "counter", "several")
def _calls(d: Deduction, m: Match) -> bool:
    for name in ("c", "d"):
        if name in m:
            d.run(m[name], m["v"])
    if "d" in m and d.arguments is not None:
        own = values.show_call(d.f, d.arguments)
        d.claim("constraint", "chosen", m["c"], m["c"].text == own, own)
    value = literal(m["v"].text)
    if value is not None and not m["c"].text.startswith("Check"):
        same = equal(value[0], d.output)
        form_is_counter = d.ledger.place and "d" not in m and _is_counter(d, m)
        if same is form_is_counter:
            d.claim("constraint", "output", m["v"], False, "the output asked about is another"
                    if not same else "this is the output asked about")  # fmt: skip
    return True


def _is_counter(d: Deduction, m: Match) -> bool:
    """Whether the sentence begins with the words of a counterexample, not of a check."""
    return m["c"].start - d.ledger.place[0] > len("Check: ")


# --- bounds --------------------------------------------------------------------------------------


def bounds(*names: str) -> Callable[[BoundDecider], BoundDecider]:
    def enter(decider: BoundDecider) -> BoundDecider:
        BOUND_DECIDERS.update(dict.fromkeys(names, decider))
        return decider

    return enter


_OPERATIONS = {
    "bound.order": ("sorted",), "bound.length": ("len",), "bound.sum": ("sum",),
    "bound.largest": ("max",), "bound.smallest": ("min",), "bound.set": ("set",),
    "bound.abs": ("abs",), "bound.some": ("any",), "bound.case": ("upper", "lower"),
    "bound.space": ("strip",),
}  # fmt: skip


def _of_operation(names: tuple[str, ...]) -> BoundDecider:
    """A bound of a call: it speaks of the call's argument (or object), and of the goal."""

    def decide(d: Deduction, m: Match, node: ast.expr, goal: Any) -> bool:
        inner: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            inner = node.args[0] if node.args else None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            inner = node.func.value if node.func.attr in names else None
        d.source(m["x"], inner)
        if "v" in m:
            d.stated(m["v"], goal)
        return True

    return decide


for _name, _operations in _OPERATIONS.items():
    bounds(_name)(_of_operation(_operations))


@bounds("bound.rest")
def _rest(d: Deduction, m: Match, node: ast.expr, goal: Any) -> bool:
    modulo = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod)
    d.source(m["x"], node.left if modulo else None)  # type: ignore[attr-defined]
    d.source(m["y"], node.right if modulo else None)  # type: ignore[attr-defined]
    d.stated(m["v"], goal)
    return True


@bounds("bound.item")
def _item(d: Deduction, m: Match, node: ast.expr, goal: Any) -> bool:
    d.source(m["e"], node)
    d.source(m["x"], node.value if isinstance(node, ast.Subscript) else None)
    d.stated(m["v"], goal)
    return True


@bounds("bound.value")
def _value(d: Deduction, m: Match, node: ast.expr, goal: Any) -> bool:
    if parse_expression(m["x"].text) is None and m["x"].text != "it":
        return False
    if m["x"].text != "it":
        d.source(m["x"], node)
    d.stated(m["v"], goal)
    return True
