"""Calls that a deduction names, decided by running them, and the input that it chooses."""

from __future__ import annotations

import re

from semcoder_lib.core import values
from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.runs import Runs, encoded
from semcoder_lib.monologues.verify.stated import same_text


def read_calls(runs: Runs, calls: str, value: str) -> bool:
    """`f(1) and f(2) both return 3`: run them. False when none of it is a call."""
    found = [c for c in pieces.split(calls, ", ", " and ") if re.match(r"\w+\(", c)]
    if not found:
        return False
    for call in found:
        read_call(runs, call, value)
    return True


def read_call(runs: Runs, call: str, value: str) -> None:
    """`f([4], 2) returns 10`: run it."""
    try:
        name, arguments, named = values.parse_call(call)
    except values.NotALiteral:
        runs.ledger.add("constraint", call[:100], value, None, "not a call with literals")
        return
    if name != runs.entry_point or named:
        runs.ledger.add("constraint", call[:100], value, None, "another function")
        return
    status, result = runs.trials.run([arguments])[0]
    value = value.rstrip(".")
    raised = re.match(r"(?:raises |an? )?(\w+Error|\w+Exception)", value)
    if status == "unknown":
        runs.ledger.add("constraint", call[:100], value, None, "could not be run")
    elif status == "exception":
        ok = bool(raised) and raised.group(1) == result  # type: ignore[union-attr]
        runs.ledger.add("constraint", call[:100], value, ok, f"raises {result}")
    else:
        stated = literal(value)
        verdict = (
            same_text(value, encoded(result))
            if stated is None
            else equals(stated[0], result, value)
        )
        runs.ledger.add("constraint", call[:100], value, verdict, encoded(result)[:200])


def read_choice(runs: Runs, text: str) -> bool:
    """`Choose nums = [10], k = 2`: the arguments of the answer."""
    if runs.arguments is None:
        return False
    given = dict(zip(runs.parameters, runs.arguments, strict=False))
    handled = False
    for part in pieces.split(text, ", ", " and "):
        cut = pieces.find(part, " = ")
        name = part[:cut].strip() if cut > 0 else ""
        if name in given:
            verdict = same_text(part[cut + 3 :].strip(), encoded(given[name]))
            runs.ledger.add(
                "value", name, part[cut + 3 :].strip(), verdict, encoded(given[name])[:200]
            )
            handled = True
    return handled
