"""How a line ends other than with a value: a branch, an exception, a `break`, a `yield`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from semcoder_lib.monologues.verify.evaluate import Raises, equals, literal
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.scene import MISSING, Scene, value_of

_OUTCOME = re.compile(r"it is (True|False)$")
_RAISES = re.compile(r"(?:so )?(?:(\w+) )?raises (\w+)$")
_CATCHES = re.compile(r"it catches (\w+)$")
_BREAK = re.compile(
    r"the loop of \[L(\d+)\] ends (after|in) (?:iteration #)?(\d+)(?: iterations?)?$"
)
_YIELDS = re.compile(r"(\w+) yields (.*)$", re.S)


def read_outcome(cursor: Cursor, rest: str, scene: Scene) -> bool:
    """Raising, catching, breaking, yielding, bare outcomes. True when the text was one."""
    head, _, last = rest.rpartition(", ") if ", " in rest else ("", "", rest)
    for part in (rest, last):
        for pattern, claim in _FORMS:
            match = pattern.match(part)
            if match:
                claim(cursor, match, scene)
                if pattern is _RAISES and part is last and head:
                    cursor.workings.read(head, scene, final_after=False)
                return True
    if rest.startswith("calls "):
        _calls(cursor, rest[6:].strip(), scene)
        return True
    return rest in ("the loop starts", "continue", "break", "pass", "try") or rest.endswith(
        "is defined"
    )


def _calls(cursor: Cursor, name: str, scene: Scene) -> None:
    steps, visit = cursor.history.steps, scene.visit
    step = steps[visit + 1] if visit + 1 < len(steps) else steps[visit]
    ok = step.frame != steps[visit].frame and step.function == name
    cursor.calls_told[visit] += 1
    if cursor.calls_told[visit] > 1:  # the line came back from a call: it must have made another
        made = steps[visit + 1 : cursor.call_end(visit) + 1]
        ok = ok and cursor.calls_told[visit] <= sum(s.event == "call" for s in made)
    cursor.ledger.add("order", name, "is called next", ok, "", line=scene.line, visit=visit)


def _catches(cursor: Cursor, match: re.Match[str], scene: Scene) -> None:
    kind = match.group(1)
    names = {
        s.value.split(":")[0].split("(")[0]
        for s in cursor.history.steps[: scene.visit + 1]
        if s.event == "exception" and s.value
    }
    cursor.ledger.add(
        "exception",
        "catches",
        kind,
        kind in names,
        str(sorted(names)),
        line=scene.line,
        visit=scene.visit,
    )


def _branch(cursor: Cursor, match: re.Match[str], scene: Scene) -> None:
    stated = match.group(1) == "True"
    statement = scene.statement
    verdict: bool | None = None
    if isinstance(statement, ast.If | ast.While):
        following = cursor.next_line(scene.visit)
        if following is not None:
            inside = statement.body[0].lineno <= cursor.history.line(following) <= (
                statement.body[-1].end_lineno or 0
            )  # fmt: skip
            verdict = inside is stated
        else:
            verdict = not stated
    cursor.ledger.add(
        "branch", "condition", str(stated), verdict, line=scene.line, visit=scene.visit
    )


def _raises(cursor: Cursor, match: re.Match[str], scene: Scene) -> None:
    function, kind = match.groups()
    history, visit = cursor.history, scene.visit
    found = ""
    for index in range(visit, len(history.steps)):
        step = history.steps[index]
        if step.event == "exception":
            found = (step.value or "").split("(")[0].split(":")[0].strip()
            break
        if index > visit and step.event == "line" and step.frame == history.steps[visit].frame:
            break
    cursor.ledger.add(
        "exception",
        function or "",
        kind,
        found == kind,
        found or "nothing raised",
        line=scene.line,
        visit=scene.visit,
    )


def _breaks(cursor: Cursor, match: re.Match[str], scene: Scene) -> None:
    target = cursor.loop_at(cursor.resolve(int(match.group(1))))
    verdict = False
    evidence = "no such loop"
    if target is not None:
        for run in cursor.history.runs(target):
            if run.start <= scene.visit <= run.end:
                verdict = len(run.passes) == int(match.group(3)) and run.exit is None
                evidence = f"{len(run.passes)} iterations"
    cursor.ledger.add(
        "iterations",
        f"[L{match.group(1)}]",
        match.group(3),
        verdict,
        evidence,
        line=scene.line,
        visit=scene.visit,
    )


def _yields(cursor: Cursor, match: re.Match[str], scene: Scene) -> None:
    value, visit = match.group(2), scene.visit
    node = scene.statement.value if isinstance(scene.statement, ast.Expr | ast.Assign) else None
    verdict: bool | None = None
    evidence = ""
    if isinstance(node, ast.Yield) and node.value is not None:
        actual = value_of(ast.unparse(node.value), scene.before)
        said = literal(value.strip())
        if actual is not MISSING and said is not None and not isinstance(actual, Raises):
            verdict, evidence = equals(said[0], actual, value), repr(actual)[:200]
    following = cursor.history.steps[visit + 1 : visit + 2]
    if following and following[0].event == "yield":
        cursor.at = max(cursor.at, visit + 1)
    cursor.ledger.add(
        "value", "yields", value.strip(), verdict, evidence, line=scene.line, visit=scene.visit
    )


_FORMS: tuple[tuple[re.Pattern[str], Callable[[Cursor, re.Match[str], Scene], None]], ...] = (
    (_OUTCOME, _branch),
    (_RAISES, _raises),
    (_CATCHES, _catches),
    (_BREAK, _breaks),
    (_YIELDS, _yields),
)
