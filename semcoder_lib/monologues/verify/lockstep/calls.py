"""Lines about calls: a function is called, its frame ends, it returned a value, calls told together."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import Raises, equals, literal, parse
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.scene import MISSING, Scene, value_of
from semcoder_lib.monologues.verify.stated import same_text

_LABELS = re.compile(r"\[L(\d+)\]")


def enter_call(cursor: Cursor, line: int, called: re.Match[str]) -> int | None:
    """`f is called with x = 1`: the next call of f, with its parameters' values."""
    history = cursor.history
    found = None
    for index in range(cursor.at + 1, len(history.steps)):
        step = history.steps[index]
        if step.event == "call" and step.function == called.group(1):
            found = index
            break
    evidence = "" if found is not None else "no such call"
    cursor.ledger.add(
        "order", called.group(1), "is called", found is not None, evidence, line=line, visit=found
    )
    if found is None:
        return None
    cursor.at = found
    scene = cursor.scene(line, found)
    for part in pieces.split(called.group(2) or "", ", ", " and "):
        cut = pieces.find(part, " = ")
        if cut > 0:
            state_value(cursor, part[:cut], part[cut + 3 :], scene.after, line, found)
    return found


def state_value(
    cursor: Cursor, name: str, value: str, state: State, line: int, visit: int | None
) -> None:
    """`name = value`, in the state of a moment that is known."""
    name = name.strip()
    recorded = state.text(name)
    verdict = same_text(value.strip(), recorded)
    if recorded is None and parse(name) is not None:
        actual = value_of(name, state)
        said = literal(value.strip())
        if actual is not MISSING and said is not None and not isinstance(actual, Raises):
            verdict, recorded = equals(said[0], actual, value), repr(actual)
    cursor.ledger.add(
        "value", name, value.strip(), verdict, (recorded or "unknown")[:200], line=line, visit=visit
    )


def end_call(cursor: Cursor, line: int, match: re.Match[str]) -> None:
    """`f ends and returns None`, said of the last line that f ran."""
    history = cursor.history
    name, value = match.group(1), match.group(2).strip()
    open_frames = [
        f for f in history.frames.values()
        if f.function == name and f.steps[0] <= cursor.at < f.steps[-1]
    ]  # fmt: skip
    if not open_frames:
        cursor.ledger.add("return", name, value, False, "it is not running", line=line)
        return
    frame = open_frames[-1]
    left = [i for i in frame.steps if i > cursor.at and history.steps[i].event == "line"]
    lines = [history.line(i) for i in frame.steps if history.steps[i].event == "line"]
    ok = not left and (not lines or lines[-1] == line)
    cursor.ledger.add("order", name, "ends", ok, "" if ok else "more lines run", line=line)
    verdict = same_text(value, frame.returned)
    cursor.ledger.add("return", name, value, verdict, (frame.returned or "")[:200], line=line)
    cursor.at = max(cursor.at, frame.steps[-1])


def summarize_calls(cursor: Cursor, line: int, match: re.Match[str]) -> None:
    """`2 calls of g go the same way through [L2], [L3]; returned: 2, 4`."""
    history = cursor.history
    count = int(match.group("n") or 1)
    frames = []
    end = cursor.at
    for index in range(cursor.at + 1, len(history.steps)):
        step = history.steps[index]
        if index > end and step.event == "call" and step.function == match.group("f"):
            frames.append(history.frames[step.frame])
            end = frames[-1].steps[-1]
            if len(frames) == count:
                break
    ok = len(frames) == count
    cursor.ledger.add(
        "order", match.group("f"), f"{count} calls", ok, f"{len(frames)} calls", line=line
    )
    if not ok:
        return
    ran = {
        history.line(i)
        for frame in frames
        for i in range(frame.steps[0], frame.steps[-1] + 1)
        if history.steps[i].event == "line"
    }
    if match.group("l"):
        named = {cursor.resolve(int(n)) for n in _LABELS.findall(match.group("l"))}
        cursor.ledger.add(
            "order", match.group("l"), "run in them", named == ran, str(sorted(ran)), line=line
        )
    if match.group("v"):
        told = pieces.split(match.group("v"), ", ")
        verdict: bool | None = len(told) == len(frames)
        for text, frame in zip(told, frames, strict=False):
            one = same_text(text, frame.returned)
            verdict = one if not one else verdict
        shown = ", ".join(f.returned or "" for f in frames)[:200]
        cursor.ledger.add(
            "return", match.group("f"), match.group("v")[:200], verdict, shown, line=line
        )
    cursor.ledger.covered |= ran
    cursor.at = end


def go_on(cursor: Cursor, line: int, match: re.Match[str]) -> None:
    """`f goes on`: the next step is of f."""
    following = cursor.history.steps[cursor.at + 1 : cursor.at + 2]
    ok = bool(following) and following[0].function == match.group(1)
    cursor.ledger.add("order", match.group(1), "goes on", ok, line=line)


def claim_next(cursor: Cursor, visit: int, label: int) -> None:
    """`so [L6]`: the line that this frame runs next."""
    line = cursor.resolve(label)
    following = cursor.next_line(visit)
    actual = None if following is None else cursor.history.line(following)
    ok = actual == line
    evidence = "the frame ends" if actual is None else f"{cursor.label(actual)} runs next"
    cursor.ledger.add(
        "order", f"[L{label}]", "next", ok, evidence, line=cursor.history.line(visit), visit=visit
    )


def claim_frame_ends(cursor: Cursor, visit: int, name: str) -> None:
    """`so f ends`: nothing of this frame runs after the line."""
    following = cursor.next_line(visit)
    ok = following is None and cursor.history.steps[visit].function == name
    cursor.ledger.add("order", name, "ends", ok, "", line=cursor.history.line(visit), visit=visit)


def claim_returned(cursor: Cursor, name: str, value: str, scene: Scene) -> None:
    """`f returns 10`, said at a step of the frame that returns."""
    line, visit = scene.line, scene.visit
    frame = cursor.history.frames[cursor.history.steps[visit].frame]
    value = value.strip()
    if frame.function != name:
        other = next((f for f in cursor.history.frames.values() if f.function == name), None)
        if other is None:
            cursor.ledger.add(
                "return", name, value, None, "unknown function", line=line, visit=visit
            )
            return
        cursor.ledger.add(
            "return", name, value, False, f"this is {frame.function}", line=line, visit=visit
        )
        return
    verdict = same_text(value, frame.returned)
    statement = cursor.history.layout.statements.get(line) if cursor.history.layout else None
    ended = isinstance(statement, ast.Return) or cursor.next_line(visit) is None
    cursor.ledger.add(
        "return",
        name,
        value,
        verdict if ended or not verdict else False,
        (frame.returned or "")[:200],
        line=line,
        visit=visit,
    )
    if cursor.next_line(visit) is None:  # no `finally` runs after it
        cursor.at = max(cursor.at, frame.steps[-1])
