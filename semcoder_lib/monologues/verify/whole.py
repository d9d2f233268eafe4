"""Reads what is not told in step with the trace: a backward section (what was asked, the input that
is chosen, its check), and what is said of a function as a whole (summary, bullets, conclusion).

A value that is said to be possible (`can be`, `must be`) is put where it is said to stand, and must
give what the sentences before asked for; the run of the chosen input decides the rest. Bullets are
decided by runs of the verifier's own: a property that no run contradicts and some run exercises is
supported, which is evidence, not proof."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import Cannot, Given, Raises, equal, evaluate, literal
from semcoder_lib.monologues.forms import GROUPS, Match, Rows, Slot, split
from semcoder_lib.monologues.show import brief, encoded
from semcoder_lib.monologues.syntax import as_load, is_determined, parameters, summary
from semcoder_lib.monologues.verify.fresh import Arguments, Ran, Trials
from semcoder_lib.monologues.verify.report import Deciders, Verdict
from semcoder_lib.monologues.verify.steps import LINE, Steps
from semcoder_lib.monologues.verify.text import parse_binds, same_text

ONCE = {"choose", "choose.none", "check", "checking"}
_WANT = re.compile(r"(?P<n>[^\W\d]\w*) (?P<w>must|can) be (?P<v>.+)", re.S)
_CALLS = re.compile(
    r"(?P<c>\w+\([^\n]*?\)(?:,? and \w+\([^\n]*?\))?),? (?:both |all |each )?"
    r"(?:returns?|gives) `?(?P<v>[^\n`]+?)`?(?=\.?$|[.;,] )"
)
_BULLET = re.compile(r"\s*[-*•]\s+")
DECIDERS = decides = Deciders()


class Whole:
    """A reader of the sections around the steps of one text, whose run is that of `arguments` and
    gives `output`. `goals` are the values that names must have by what was read so far of a
    deduction, at the point that it has come back to."""

    def __init__(
        self, steps: Steps, trials: Trials, entry_point: str, arguments: Any, output: Any
    ) -> None:
        self.steps, self.history, self.ledger = steps, steps.history, steps.ledger
        self.trials, self.f, self.arguments, self.output = trials, entry_point, arguments, output
        self.function = self.history.syntax.functions.get(entry_point)
        self.parameters = parameters(self.function) if self.function else []
        self.summary = summary(self.function)
        self.own: list[Ran] = [] if arguments is None else [(arguments, "ok", output)]
        self.bullet = ""
        self.goals: dict[str, Any] = {}
        self.line = 0
        self.checking = False
        self.once: set[str] = set()  # rows that a section holds once, and that were read

    def read(self, text: str, start: int, rows: Rows) -> bool:
        """Read a line of the rows' forms, without its bullet; False where it is none."""
        bullet = _BULLET.match(text) if rows is GROUPS["properties"] else None
        begin = bullet.end() if bullet else 0
        self.bullet, self.line = text[begin:].rstrip(), 0
        self.ledger.place = (start, start + len(text.rstrip()))
        return bool(DECIDERS.read(rows, self.bullet, start + begin, self))

    def deduce(self, text: str, start: int) -> bool:
        """Read one line of a deduction. False where it is none of the forms."""
        label = LINE.match(text)
        if label and self.checking:
            return self.steps.read(text, start)
        since, end, body = len(self.ledger.claims), start + len(text.rstrip()), text.rstrip()
        self.ledger.place = (start, end)
        self.line = self.history.labelled(label[1]) if label else 0
        if label is not None:
            body, quoted = self.steps.unquoted(self.line, body[label.end() :])
            if not quoted and self.history.syntax.text(self.line):  # a long one is not quoted
                return False
        at = end - len(body)
        if row := DECIDERS.read(GROUPS["deduction"], body, at, self):
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
        self,
        subject: str,
        slot: Slot,
        verdict: bool | None,
        why: str = "",
        kind: str = "constraint",
    ) -> None:
        """Record a claim about the line that is spoken of, if one is."""
        self.ledger.add(kind, subject, slot, verdict, why, line=self.line or None)

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
        visits = self.history.visits.get(self.line)  # of the chosen input's run
        names = Given(wanted, self.history.before(visits[-1]) if visits else None)
        try:
            name = ast.unparse(node)  # a value that is only named need be none to compute with
            value = wanted[name] if name in wanted else evaluate(node, names)
            verdict: bool | None = equal(value, goal)
        except (Cannot, Raises) as error:
            verdict = None if isinstance(error, Cannot) else False
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
        return bool(DECIDERS.read(GROUPS["bounds"], slot.text, slot.start, self, node, goal))

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

    def always(self, test: Callable[[Arguments, Any], bool | None]) -> Verdict:
        """Whether a test of arguments and result (None: it says nothing) holds of the text's own
        run and of fresh ones."""
        held = 0
        for arguments, status, value in (*self.own, *self.trials.fresh):
            try:
                outcome = test(arguments, value) if status == "ok" else None
            except (TypeError, ValueError, LookupError):
                outcome = False
            if outcome is False:
                return False, f"not for {brief(arguments)}"
            held += outcome is True
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")


# --- the deciders: one for every row of forms.DEDUCTION -------------------------------------------


@decides("goal", "goal.bound", "goal.reach")
def _goal(d: Whole, m: Match) -> bool | None:
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
def _must(d: Whole, m: Match) -> bool:
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
def _test(d: Whole, m: Match) -> bool | None:
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
def _choose(d: Whole, m: Match) -> bool | None:
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
    changed = {c.name for step in d.history.steps[1:] for c in step.changes}
    for name, value in pairs:
        if value is not None and name.text in given:
            shown = encoded(given[name.text])
            place = Slot(value.text, name.start, value.end)
            d.claim(name.text, place, same_text(value.text, shown), shown, "value")
            known = d.goals.get(name.text, given[name.text])
            if name.text not in changed and not equal(known, given[name.text]):
                d.claim(name.text, place, False, "it was said to be another value")
    return None


@decides("checking")
def _checking(d: Whole, m: Match) -> None:
    d.checking = True


@decides("check")
def _check(d: Whole, m: Match) -> None:
    """`Check: f(4) returns 10.`: the call that was chosen, and the output that is asked about."""
    d.run(m["c"], m["v"])
    own = "" if d.arguments is None else values.show_call(d.f, d.arguments)
    d.claim("chosen", m["c"], m["c"].text == own if own else None, own)
    value = literal(m["v"].text)
    if value is not None and not equal(value[0], d.output):
        d.claim("output", m["v"], False, f"asked about: {brief(d.output)}")


@decides("bound.value")
def _bound(d: Whole, node: ast.expr, goal: Any, m: Match) -> None:
    """What an operation asks of what went in: its piece, and the goal (or `the output`)."""
    if m["x"].text != "it":
        d.source(m["x"], node)
    value = (d.output,) if m["v"].text == "the output" else literal(m["v"].text)
    d.claim("asks", m["v"], bool(value) and equal(value[0], goal), brief(goal))


# --- bullets --------------------------------------------------------------------------------------

Test = Callable[[Match, Any, Any], bool | None]  # of the slots, the argument {x} and the result


def _property(row: str, test: Test) -> None:
    """Enters as a row's decider that its test always holds."""

    def decide(b: Whole, m: Match) -> None:
        verdict: Verdict = (False, "no such parameter")
        if "x" not in m:
            verdict = b.always(lambda given, v: test(m, None, v))
        elif m["x"].text in b.parameters:
            at = b.parameters.index(m["x"].text)
            verdict = b.always(lambda given, v: test(m, given[at], v))
        b.ledger.add("property", row, b.bullet, *verdict)

    decides(row)(decide)


def _counts(items: Any) -> Counter[str]:
    return Counter(map(encoded, items))


def _permuted(m: Match, x: Any, v: Any) -> bool | None:
    if isinstance(x, str) and isinstance(v, str):
        return sorted(x) == sorted(v)
    same = isinstance(x, list | tuple) and isinstance(v, list | tuple) and _counts(x) == _counts(v)
    return same and (True if len(x) > 1 else None)


def _drawn(m: Match, x: Any, v: Any) -> bool | None:
    both = isinstance(x, list | tuple) and isinstance(v, list | tuple)
    return both and not _counts(v).keys() - _counts(x).keys() and (bool(v) or None)


def _sorted(m: Match, x: Any, v: Any) -> bool | None:
    down = m["o"].text == "descending"
    pairs = list(zip(v, list(v)[1:], strict=False))
    return all(a >= c if down else a <= c for a, c in pairs) and (bool(pairs) or None)


def _one_of(m: Match, x: Any, v: Any) -> bool:
    known = [literal(p.text) for p in split(m["vs"].text, ", ")]
    return any(k is not None and equal(v, k[0]) for k in known)


def _least(m: Match, x: Any, v: Any) -> bool:
    low = literal(m["v"].text)
    return low is not None and v >= low[0]


def _is_of(types: str, value: Any) -> bool:
    """Whether a value is of one of the types named, as in `a list or None`."""
    words = [part.removeprefix("an ").removeprefix("a ") for part in types.split(" or ")]
    return type(value).__name__.replace("NoneType", "None") in words


def _items(m: Match, x: Any, v: Any) -> bool | None:
    return all(_is_of(m["t"].text, item) for item in v) and (bool(v) or None)


_TESTS: dict[str, Test] = {
    "identity": lambda m, x, v: equal(x, v),
    "permutation": _permuted,
    "sorted": _sorted,
    "distinct": lambda m, x, v: max(_counts(v).values(), default=1) == 1,
    "length.same": lambda m, x, v: len(v) == len(x),
    "length.most": lambda m, x, v: len(v) <= len(x),
    "length.least": lambda m, x, v: len(v) >= len(x),
    "subset": _drawn,
    "range.of": _one_of,
    "range.least": _least,
    "type": lambda m, x, v: _is_of(m["t"].text, v),
    "items": _items,
}
for _row, _test in _TESTS.items():
    _property(_row, _test)


# --- summary and conclusion -----------------------------------------------------------------------


@decides(*GROUPS["summary"])
def _takes(a: Whole, m: Match) -> None:
    """A summary, slot by slot: what a function takes and does is known from its syntax."""
    known = a.summary
    stated = m.get("p", m["f"])
    a.claim("takes", stated, ("p" in m) is ("p" in known), known.get("p", "nothing"), "property")
    for name, slot in m.items():
        closed = name != "c" or any(c.pattern.match(slot.text) for c in GROUPS["clauses"].values())
        same = slot.text == known.get(name)
        a.claim(
            "function", slot, same or (False if closed else None), known.get(name, ""), "property"
        )


@decides(*GROUPS["conclusion"])
def _concludes(a: Whole, m: Match) -> bool | None:
    """`f(4) returns 10.`: the call that is told (or arrived at) and its output."""
    if "c" in m:
        if "(" not in m["c"].text:
            return False
        try:
            name, arguments, _ = values.parse_call(m["c"].text)
        except values.NotALiteral:
            return False
        ok = name == a.f and a.arguments is not None and equal(tuple(arguments), tuple(a.arguments))
        a.claim("call", m["c"], ok, "another call", "property")
    else:
        a.claim("function", m["f"], m["f"].text == a.f, a.f, "property")
    shown = encoded(a.output)
    a.ledger.add("return", a.f, m["v"], same_text(m["v"].text, shown), shown)
    return None
