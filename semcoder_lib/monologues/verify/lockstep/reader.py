"""Reads label-led lines (`[L5] total += n: 4 + 2 = 6, so total = 6.`) in step with the trace.

Each line must be a step that the execution took next; what it states is decided in the states
before and after that step."""

from __future__ import annotations

import re
from collections.abc import Callable

from semcoder_lib.monologues.verify.lockstep.calls import (
    claim_frame_ends,
    claim_next,
    end_call,
    enter_call,
    go_on,
    summarize_calls,
)
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.lockstep.loops import read_loop_line
from semcoder_lib.monologues.verify.lockstep.statements import read_statement, resume
from semcoder_lib.monologues.verify.scene import MISSING

LINE = re.compile(r"\s*\[L(\d+)\]\s+(\S.*?)\s*$", re.S)
_TAIL = re.compile(r"(?:,|:|;)?\s*so (?:back to )?\[L(\d+)\]\.?$")
_ENDS = re.compile(r"(?:,|:|;)?\s*so (?:the call of )?(\w+) ends\.?$")
_CALLED = re.compile(r"(\w+) is called(?: with (.*))?$", re.S)
_ENDS_WITH = re.compile(r"(\w+) ends and returns (.*)$", re.S)
_GOES_ON = re.compile(r"(\w+) goes on$")
_BACK = re.compile(r"back in (\w+)(?::\s*(.*))?$", re.S)
_SKIPPED = re.compile(
    r"(?:the|(?P<n>\d+)) calls? of (?P<f>\w+) go(?:es)? the same way"
    r"(?: through (?P<l>(?:\[L\d+\](?:, | and )?)+))?(?:; returned: (?P<v>.*))?$",
    re.S,
)


def read_line(cursor: Cursor, label: int, text: str, place: tuple[int, int]) -> None:
    """Read one label-led line (without its label)."""
    cursor.ledger.place = place
    text = text.rstrip()
    if text.endswith(".") and not text.endswith("..."):
        text = text[:-1]
    line = cursor.resolve(label)
    follows: int | None = None
    ends = ""
    tail = _TAIL.search(text)
    if tail:
        follows = int(tail.group(1))
        text = text[: tail.start()].rstrip()
    else:
        ended = _ENDS.search(text)
        if ended:
            ends = ended.group(1)
            text = text[: ended.start()].rstrip()
    visit = _content(cursor, line, text)
    if visit is not None and follows is not None:
        claim_next(cursor, visit, follows)
    elif visit is not None and ends:
        claim_frame_ends(cursor, visit, ends)


def _content(cursor: Cursor, line: int, text: str) -> int | None:
    """Read a line without its label and tail; gives the visit that it told, if one."""
    for pattern, claim in _CALL_FORMS:
        match = pattern.match(text)
        if match:
            return claim(cursor, line, match)
    loop = cursor.loop_at(line)
    if loop is not None:
        visit = read_loop_line(cursor, loop, line, text)
        if visit is not MISSING:
            return visit if isinstance(visit, int) else None
    for pattern, claim in _RESUMED_FORMS:
        match = pattern.match(text)
        if match:
            return claim(cursor, line, match)
    told = cursor.advance(line)
    if told is not None:
        read_statement(cursor, line, told, text)
    return told


_Claim = Callable[[Cursor, int, re.Match[str]], int | None]
_CALL_FORMS: tuple[tuple[re.Pattern[str], _Claim], ...] = (
    (_CALLED, enter_call),
    (_ENDS_WITH, end_call),
    (_GOES_ON, go_on),
)
# at a loop's header these words would be an iteration's
_RESUMED_FORMS: tuple[tuple[re.Pattern[str], _Claim], ...] = (
    (_BACK, resume),
    (_SKIPPED, summarize_calls),
)
