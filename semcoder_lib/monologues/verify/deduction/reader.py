"""Reads a backward section: what must have been, other inputs that fit, the choice, the check."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.deduction.calls import read_call, read_calls, read_choice
from semcoder_lib.monologues.verify.deduction.constraints import (
    read_must,
    read_must_hold,
    read_only_when,
)
from semcoder_lib.monologues.verify.deduction.visits import read_visits
from semcoder_lib.monologues.verify.lockstep.reader import LINE, read_line
from semcoder_lib.monologues.verify.properties.reader import unmarked
from semcoder_lib.monologues.verify.prose.reader import read_line as read_prose
from semcoder_lib.monologues.verify.prose.reading import Reading
from semcoder_lib.monologues.verify.runs import Runs, encoded
from semcoder_lib.monologues.verify.sections import Line
from semcoder_lib.monologues.verify.stated import same_text

_CALLS_RETURN = re.compile(
    r"(?P<calls>\w+\(.*\))(?:,)? (?:both |all |each )?returns? (?P<v>.+)$", re.S
)
_MUST = re.compile(
    r"(?P<l>.+?) (?:must(?: have)?(?: also)?|has to|have to|needs? to|should) (?:be|been|equal|start out as) (?P<r>.+?)(?: (?P<w>before|after) \[L(?P<n>\d+)\])?$",
    re.S,
)
_HOLD = re.compile(r"(?P<l>\S+) must (?:hold|contain|include) (?P<r>.+)$", re.S)
_RETURNED = re.compile(r"(?:so )?(?P<f>\w+) returns (?P<v>.+)$", re.S)
_CHOOSE = re.compile(
    r"(?:so |let us |we )?(?:choose|pick|take|try|set|say|use)\s+(?P<b>.+)$", re.I | re.S
)
_CHECK = re.compile(
    r"(?:check|test|verify|to check|checking)\s*:?\s*(?P<c>\w+\(.*\)) (?:returns?|gives) (?P<v>.+)$",
    re.I | re.S,
)


def read_deduction(runs: Runs, lines: Sequence[Line], reading: Reading) -> None:
    """The lines of a backward section; what its own patterns do not read goes to
    the reader of prose."""
    checking = False
    reading.begin("deduction")
    for line in lines:
        runs.ledger.place = (line.start, line.start + len(line.text))
        bare = unmarked(line.text).replace("`", "").strip()
        match = LINE.match(bare)
        if checking and match:
            read_line(runs.cursor, int(match.group(1)), match.group(2), runs.ledger.place)
            continue
        if match and re.match(r"\[L\d+\] runs only when", match.group(2)):
            read_only_when(runs, match.group(2))
            continue
        body = match.group(2) if match else bare
        if body.rstrip().lower().rstrip(":") in ("check", "checking"):
            checking = True
            continue
        known = _sentence(runs, body, int(match.group(1)) if match else None)
        if _CHECK.match(body):
            checking = True
        if not known:
            read_prose(reading, line.text, line.start)


def _sentence(runs: Runs, text: str, label: int | None) -> bool:
    """Whether one of the deduction's own forms read the sentence."""
    body = text.strip()
    if body.endswith("."):
        body = body[:-1]
    match = _CHECK.match(body)
    if match:
        read_call(runs, match.group("c"), match.group("v"))
        return True
    choose = _CHOOSE.match(body)
    if choose and read_choice(runs, choose.group("b")):
        return True
    _, _, rest = body.partition(": ")
    for part in (body, rest):
        match = _CALLS_RETURN.match(part)
        if match and read_calls(runs, match.group("calls"), match.group("v")):
            return True
    if read_only_when(runs, body):
        return True
    line = None if label is None else runs.cursor.resolve(label)
    if line is not None and read_visits(runs, rest or body, line):
        return True
    parts = pieces.split(rest or body, ", so ", "; ", ", and so ")
    handled = [_part(runs, re.sub(r"^(?:so|then|thus) ", "", part), line) for part in parts]
    return any(handled)


def _part(runs: Runs, part: str, line: int | None) -> bool:
    returned = _RETURNED.match(part)
    must = _MUST.match(part)
    hold = _HOLD.match(part)
    if returned and returned.group("f") == runs.entry_point:
        value, verdict = returned.group("v"), None
        if runs.expected is not None:
            verdict = same_text(value, encoded(runs.expected[0]))
        runs.ledger.add("return", runs.entry_point, value, verdict, line=line)
        return True
    if must:
        return read_must(runs, must, line)
    return read_must_hold(runs, hold, line) if hold else False
