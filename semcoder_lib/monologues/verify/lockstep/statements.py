"""A line about an ordinary statement: its quoted source, its workings, what it returns."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.lockstep.calls import claim_returned
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.lockstep.outcomes import read_outcome
from semcoder_lib.monologues.verify.scene import Scene
from semcoder_lib.monologues.verify.source import squeezed

_RETURNS = re.compile(r"(?:so )?(\w+) (?:ends and )?returns (.*)$", re.S)


def without_head(cursor: Cursor, line: int, text: str) -> str:
    """The text after the statement's own source, where it begins with that."""
    layout = cursor.history.layout
    if layout is None:
        return text
    source = layout.texts.get(line, "")
    if not source:
        return text
    shown = squeezed(text)
    if shown == source:
        return ""
    if not shown.startswith(source):
        return text
    # the place in `text` where as many visible characters have passed as the source has
    left = len(source)
    for at, char in enumerate(text):
        if left == 0:
            rest = text[at:].lstrip()
            if rest.startswith(":"):
                return rest[1:].lstrip()
            return rest if rest.startswith((",", ";")) else text
        if not char.isspace():
            left -= 1
    return ""


def read_statement(cursor: Cursor, line: int, visit: int, text: str) -> None:
    """A line of the text that told the visit of an ordinary statement."""
    scene = cursor.scene(line, visit)
    rest = without_head(cursor, line, text)
    if rest == "":
        _plain(cursor, scene)
        return
    if rest is text:
        _misquoted(cursor, line, visit, text)
    read_workings(cursor, rest, scene)


def _plain(cursor: Cursor, scene: Scene) -> None:
    """The line says no more than its source: that it ran, with the effect that it names."""
    layout = cursor.history.layout
    source = layout.texts.get(scene.line, "") if layout else ""
    cursor.ledger.add(
        "value", source, "runs", True, "quotes the source", line=scene.line, visit=scene.visit
    )


def _misquoted(cursor: Cursor, line: int, visit: int, text: str) -> None:
    """A statement that is quoted at a label must be the one that stands there."""
    layout = cursor.history.layout
    if layout is None or line not in layout.statements:
        return
    cut = pieces.find(text, ": ")
    quoted = squeezed(text[:cut] if cut > 0 else text)
    others = {t for n, t in layout.texts.items() if n != line}
    if (quoted in others and len(quoted) > 4) or (cut > 0 and _is_statement(text[:cut])):
        cursor.ledger.add(
            "order",
            text[:60],
            "at this line",
            False,
            "another line reads so",
            line=line,
            visit=visit,
        )


def read_workings(cursor: Cursor, rest: str, scene: Scene) -> None:
    """What a line says beside its source: what is returned, how it ends, or how it is worked out."""
    match = _RETURNS.search(rest)
    if match and (match.start() == 0 or rest[: match.start()].rstrip().endswith((",", ":", ";"))):
        head = rest[: match.start()].rstrip(" ,;:")
        if head:
            cursor.workings.read(head, scene, final_after=False)
        claim_returned(cursor, match.group(1), match.group(2), scene)
        return
    if read_outcome(cursor, rest, scene):
        return
    statement = scene.statement
    assigns = isinstance(
        statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Delete
    )
    assigns = assigns or isinstance(statement, ast.For | ast.With | ast.Import | ast.Assert)
    cursor.workings.read(rest, scene, final_after=assigns)


def resume(cursor: Cursor, line: int, back: re.Match[str]) -> int | None:
    """`back in f: y = 4`: the rest of a line that called something."""
    history = cursor.history
    visits = history.visits.get(line, ())
    for index in reversed([v for v in visits if v <= cursor.at]):
        # the call that just returned was made by a frame that is still open
        step = history.steps[index]
        open_still = history.frames[step.frame].steps[-1] > cursor.at
        if step.function == back.group(1) and open_still:
            following = history.next_in_frame(index)
            if following is not None and following <= cursor.at:
                break
            end = cursor.call_end(index)
            cursor.at = max(cursor.at, end)
            scene = cursor.scene(line, index)
            cursor.ledger.add("order", back.group(1), "goes on", True, "", line=line, visit=index)
            if back.group(2):
                read_workings(cursor, back.group(2), scene)
            return index
    cursor.ledger.add(
        "order", back.group(1), "goes on", False, "it never called anything here", line=line
    )
    return None


def _is_statement(text: str) -> bool:
    """Whether a text can only be meant as a line of code: a computed assignment, a header."""
    for code in (text, text + ": pass"):
        try:
            node = ast.parse(code).body[0]
        except (SyntaxError, ValueError, IndexError):
            continue
        if isinstance(node, ast.AugAssign | ast.If | ast.While | ast.For):
            return True
        return isinstance(node, ast.Assign) and not isinstance(node.value, ast.Constant | ast.Name)
    return False
