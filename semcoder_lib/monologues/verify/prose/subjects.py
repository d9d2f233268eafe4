"""What a sentence says of a subject: a variable, an expression, a condition, the function's output."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.place.decisions import (
    claim_expression,
    claim_known_call,
    claim_truth,
)
from semcoder_lib.monologues.verify.place.variables import claim_value
from semcoder_lib.monologues.verify.prose.reading import Reading
from semcoder_lib.monologues.verify.prose.tokens import CODE, EQUATION, Token


def claim_is(reading: Reading, subject: Token, value: Token, *, after: bool) -> None:
    """`subject` is `value` here; `after` when the text says that it becomes so."""
    code = code_of(subject)
    if code == reading.entry_point or is_call_of(reading.entry_point, code):
        if code == reading.entry_point or not claim_known_call(reading.place, code, value.text):
            claim_returned(reading, value)
    elif code.isidentifier():
        claim_value(reading.place, code, value.text, after=after)
    elif value.text in ("True", "False") and is_condition(code):
        claim_truth(reading.place, code, value.text == "True")
    else:
        claim_expression(reading.place, code, value.text)


def claim_returned(reading: Reading, token: Token) -> bool | None:
    """The function (or a call that it made) returns the value. Gives the verdict."""
    stated = literal(token.text)
    if stated is None:
        return None
    verdict, evidence = None, "no returned value"
    if reading.expected is not None:
        verdict = equals(stated[0], reading.expected[0], token.text)
        verdict = verdict or _returned_elsewhere(reading, stated[0])
        evidence = repr(reading.expected[0])[:200]
    return reading.ledger.add("return", reading.entry_point, token.text, verdict, evidence)


def _returned_elsewhere(reading: Reading, value: Any) -> bool:
    if len(reading.history.frames) < 2:
        return False
    for frame in reading.history.frames.values():
        found = literal(frame.returned or "")
        if found is not None and equals(value, found[0]):
            return True
    return False


def name_of(subject: Token | None) -> str | None:
    """What a subject is called: the left side, where it is an equation."""
    return None if subject is None else subject.left or subject.text


def code_of(token: Token) -> str:
    """A token as an expression."""
    if token.mark == CODE and token.left:
        return token.left  # `if x > 3:` -> x > 3
    if token.mark == EQUATION:
        return f"({token.left}) == ({token.right})"
    return token.text


def is_condition(code: str) -> bool:
    """Whether code looks like something that is true or false."""
    return bool(
        re.search(
            r"[<>=!]=|[<>]|\bin\b|\bnot\b|\band\b|\bor\b|\bis\b|\.(?:is\w+|startswith|endswith)\(",
            code,
        )
    )


def is_call_of(name: str, code: str) -> bool:
    """Whether code is one call of the function `name`."""
    return code.startswith(name + "(") and code.endswith(")")
