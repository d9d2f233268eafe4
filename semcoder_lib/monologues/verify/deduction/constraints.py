"""What a deduction says must hold: of a value at a moment, or for a line to run."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import (
    Cannot,
    Raises,
    equals,
    evaluate,
    literal,
    names_of,
    parse,
)
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.runs import Runs, Verdict, encoded

_ONLY_WHEN = re.compile(r"\[L(\d+)\] runs only when (?P<c>.+)$", re.S)


_BOUNDS = (
    (re.compile(r"(?:at least|greater than or equal to|no less than) (.+)"), ">="),
    (re.compile(r"(?:at most|less than or equal to|no more than) (.+)"), "<="),
    (re.compile(r"(?:greater|larger|more|bigger) than (.+)"), ">"),
    (re.compile(r"(?:less|smaller|fewer) than (.+)"), "<"),
    (re.compile(r"equal to (.+)"), "=="),
    (re.compile(r"(?:in|one of) (.+)"), "in"),
)
_ADJECTIVES = {
    "empty": "len({0}) == 0",
    "even": "({0}) % 2 == 0",
    "odd": "({0}) % 2 == 1",
    "positive": "({0}) > 0",
    "negative": "({0}) < 0",
    "sorted": "sorted({0}) == list({0})",
}


def read_must(runs: Runs, match: re.Match[str], line: int | None) -> bool:
    """`total must be 10 [after [L5]]`: holds when the chosen input runs."""
    left, right = match.group("l").strip(), match.group("r").strip()
    left = re.sub(r"^(?:the (?:input|argument|value of|parameter) )", "", left)
    if parse(left) is None:
        return False
    if literal(right) is not None:
        verdict, evidence = _somewhere(runs, left, right, match, line)
    else:
        code = _bound_words(left, right) if names_of(left) else None
        if code is None:
            return False
        verdict, evidence = _somewhere(runs, code, None, match)
    runs.ledger.add("constraint", left, right, verdict, evidence, line=line)
    return True


def _bound_words(left: str, right: str) -> str | None:
    """`at least 3`, `even`, said of `left`, as code."""
    for pattern, sign in _BOUNDS:
        found = pattern.fullmatch(right)
        if found and parse(found.group(1)) is not None:
            return f"({left}) {sign} ({found.group(1)})"
    code = _ADJECTIVES.get(right)
    return None if code is None else code.format(left)


def read_must_hold(runs: Runs, match: re.Match[str], line: int | None) -> bool:
    """`items must hold 3 and 4`."""
    left = match.group("l")
    parts = [literal(p) for p in pieces.split(match.group("r"), ", ", " and ")]
    if parse(left) is None or any(p is None for p in parts):
        return False
    code = " and ".join(f"({p[0]!r}) in ({left})" for p in parts if p is not None)
    verdict, evidence = _somewhere(runs, code, None, match)
    runs.ledger.add("constraint", left, match.group("r"), verdict, evidence, line=line)
    return True


def _somewhere(
    runs: Runs, code: str, value: str | None, match: re.Match[str], line: int | None = None
) -> Verdict:
    """Whether `code` is true (or has the value) at the place that is named, in the run of the
    chosen input."""
    stated = literal(value) if value is not None else (True,)
    assert stated is not None
    if not runs.cursor.history.steps:
        return None, "no run of the chosen input"
    last = ""
    for state in _states(runs, code, match.groupdict(), line):
        try:
            actual = evaluate(code, state)
        except (Cannot, Raises):
            continue
        if equals(stated[0], actual, value or "") if value is not None else bool(actual):
            return True, encoded(actual)[:200]
        last = encoded(actual)[:200]
    return (False, last) if last else (None, "cannot be evaluated")


def _states(runs: Runs, code: str, named: dict[str, str | None], line: int | None) -> list[State]:
    """The states that "must be" speaks of: at the label that is named, else at that of the line,
    else the arguments, else anywhere."""
    history = runs.cursor.history
    if named.get("n"):
        visits = history.visits.get(runs.cursor.resolve(int(named["n"] or 0)), [])
        before = named["w"] == "before"
        found = [history.before(v) if before else history.state(history.settled(v)) for v in visits]
    else:
        visits = history.visits.get(line, []) if line is not None else []
        found = [s for v in visits for s in (history.before(v), history.state(history.settled(v)))]
    if found:
        return found
    if names_of(code) <= set(runs.parameters) and history.entry is not None:
        return [history.state(history.entry.steps[0])]
    return [history.state(i) for i in range(len(history.steps))][:400]


def read_only_when(runs: Runs, text: str) -> bool:
    """`[L5] runs only when COND`: at every visit of that line the condition held just before
    its branch was taken."""
    match = _ONLY_WHEN.search(text)
    if not match:
        return False
    code = match.group("c").rstrip(".").strip()
    history = runs.cursor.history
    line = runs.cursor.resolve(int(match.group(1)))
    if parse(code) is None or history.layout is None:
        runs.ledger.add("constraint", match.group(0)[:100], "", None, "not a condition")
        return True
    verdict: bool | None = None
    evidence = f"[L{match.group(1)}] does not run"
    for visit in history.visits.get(line, ()):
        try:
            held = bool(evaluate(code, history.before(visit)))
        except (Cannot, Raises):
            continue
        verdict = held if verdict is None else verdict and held
        evidence = ""
    if verdict is None:
        verdict = _guards(runs, code, line)
    runs.ledger.add(
        "constraint", f"[L{match.group(1)}] only when", code, verdict, evidence, line=line
    )
    return True


def _guards(runs: Runs, code: str, line: int) -> bool | None:
    """Whether the program's own text guards the line by this very condition."""
    layout = runs.cursor.history.layout
    wanted = parse(code)
    if layout is None or wanted is None:
        return None
    for statement in layout.statements.values():
        if isinstance(statement, ast.If | ast.While) and ast.dump(statement.test) == ast.dump(
            wanted
        ):
            last = statement.body[-1].end_lineno or 0
            if statement.body[0].lineno <= line <= last:
                return True
    return None
