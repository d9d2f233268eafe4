"""What a deduction says about all visits of a line: what is added there, how often it runs, what
passes through it in turn."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.verify.evaluate import Cannot, Raises, equals, evaluate, literal, parse
from semcoder_lib.monologues.verify.runs import Runs
from semcoder_lib.monologues.verify.stated import same_text

_TURN = re.compile(r"(?P<l>.+?) must be (?P<v>.+) in turn$", re.S)
_HERE = re.compile(r"(?P<l>.+?) must be (?P<v>True|False) here$", re.S)
_ADD_UP = re.compile(r"what is added to (?P<n>\w+) must add up to (?P<v>.+)$", re.S)
_TIMES = re.compile(r"this must run (?P<v>\d+) times?$")
_END_AS = re.compile(r"(?:(?P<n>\w+) (?:gets|grows|collects) .*)?must end as (?P<v>.+)$", re.S)


def read_visits(runs: Runs, text: str, line: int) -> bool:
    """Whether one of the forms read the text of the line, which is then a claim."""
    for part in (text, text.rpartition(", so ")[2], text.rpartition(", and ")[2]):
        for pattern, read in _FORMS:
            match = pattern.search(part)
            if match and read(runs, match, text, line):
                return True
    return False


def _add_up(runs: Runs, match: re.Match[str], text: str, line: int) -> bool:
    name = match.group("n")
    grown = [_grown(runs, name, v) for v in runs.cursor.history.visits.get(line, [])]
    total = None if None in grown else sum(g for g in grown if g is not None)
    return _claim(runs, name, match.group("v"), total, line)


def _times(runs: Runs, match: re.Match[str], text: str, line: int) -> bool:
    count = len(runs.cursor.history.visits.get(line, []))
    return _claim(runs, f"[L{line}] runs", match.group("v"), count, line)


def _claim(runs: Runs, subject: str, value: str, actual: Any, line: int) -> bool:
    said = literal(value)
    verdict = None if said is None or actual is None else equals(said[0], actual, value)
    runs.ledger.add("constraint", subject, value, verdict, repr(actual), line=line)
    return True


def _here(runs: Runs, match: re.Match[str], text: str, line: int) -> bool:
    found = _through(runs, match, line)
    if found is None:
        return False
    wanted = match.group("v") == "True"
    verdict = None
    if found and None not in found:
        verdict = any(bool(f[0]) is wanted for f in found if f)
    runs.ledger.add("constraint", match.group("l"), match.group("v"), verdict, line=line)
    return True


def _turn(runs: Runs, match: re.Match[str], text: str, line: int) -> bool:
    found = _through(runs, match, line)
    if found is None:
        return False
    listed = literal(f"[{match.group('v')}]")
    verdict = None
    if listed is not None and None not in found:
        verdict = equals(listed[0], [f[0] for f in found if f is not None])
    runs.ledger.add("constraint", match.group("l"), match.group("v"), verdict, line=line)
    return True


def _through(runs: Runs, match: re.Match[str], line: int) -> list[tuple[Any] | None] | None:
    """The values of the left side just before each visit; None when it is no expression."""
    code = match.group("l")
    if parse(code) is None:
        return None
    history = runs.cursor.history
    return [_value(code, history.before(v)) for v in history.visits.get(line, [])]


def _end_as(runs: Runs, match: re.Match[str], text: str, line: int) -> bool:
    history = runs.cursor.history
    match = _END_AS.search(text) or match
    statement = history.layout.statements.get(line) if history.layout else None
    name = match.group("n") or _target(statement)
    frame = history.entry
    texts = frame.changes.get(name or "", ([], []))[1] if frame else []
    verdict = same_text(match.group("v"), texts[-1]) if texts else None
    shown = (texts[-1] or "")[:200] if texts else ""
    runs.ledger.add("constraint", name or "", match.group("v"), verdict, shown, line=line)
    return True


_FORMS: tuple[tuple[re.Pattern[str], Callable[[Runs, re.Match[str], str, int], bool]], ...] = (
    (_ADD_UP, _add_up),
    (_TIMES, _times),
    (_HERE, _here),
    (_TURN, _turn),
    (_END_AS, _end_as),
)


def _grown(runs: Runs, name: str, visit: int) -> Any:
    history = runs.cursor.history
    before = _value(name, history.before(visit))
    after = _value(name, history.state(history.settled(visit)))
    if before is None or after is None:
        return None
    try:
        return after[0] - before[0]
    except TypeError:
        return None


def _value(code: str, state: Any) -> tuple[Any] | None:
    try:
        return (evaluate(code, state),)
    except (Cannot, Raises):
        return None


def _target(statement: ast.stmt | None) -> str | None:
    """The variable whose value a statement stores into."""
    node: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        node = statement.targets[0]
    elif isinstance(statement, ast.AugAssign):
        node = statement.target
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
