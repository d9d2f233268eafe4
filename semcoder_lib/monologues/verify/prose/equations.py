"""Equations in code (`p = 0 + 4 = 4`), where they are more than a quoted line."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import literal
from semcoder_lib.monologues.verify.place.decisions import claim_expression, claim_truth
from semcoder_lib.monologues.verify.place.variables import claim_value
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.tokens import EQUATION, VALUE, Token
from semcoder_lib.monologues.verify.source import squeezed


def read_equations(reading: Reading, s: Sentence) -> None:
    """Equations that no other pattern took."""
    for at, token in s.at.items():
        reading.mark(s, at, at + 1)
        if token.mark != EQUATION or at in s.used:
            continue
        s.used.add(at)
        if _quotes(reading, token) or _ends_range(s, at):
            continue
        if re.match(r"\W*(?:is|evaluates to|returns)\W*(?:" + VALUE + ")", s.text[at + 1 :]):
            follow = next((s.at[i] for i in sorted(s.at) if i > at), None)
            if follow is not None and follow.text in ("True", "False"):
                claim_truth(
                    reading.place, f"({token.left}) == ({token.right})", follow.text == "True"
                )
                continue
        _chain(reading, token)


def _chain(reading: Reading, token: Token) -> None:
    left, right = token.left, token.right
    cut = pieces.find(left, " = ", last=True)
    if cut > 0:  # p = 0 + 4 = 4
        first, left = left[:cut].strip(), left[cut + 3 :].strip()
        if first.isidentifier() and literal(right) is not None:
            claim_value(reading.place, first, right, after=True)
    if left.isidentifier():
        if literal(right) is not None:
            claim_value(reading.place, left, right, after=True)
        return
    if literal(right) is not None:
        claim_expression(reading.place, left, right)


def _ends_range(s: Sentence, at: int) -> bool:
    """`for v = 5 to v = 99`: the second states nothing of here."""
    before = s.text[:at]
    first = s.at.get(len(before.rstrip("`* ").removesuffix(" to").removesuffix(" through")) - 1)
    return (
        bool(re.search(r"\b(?:to|through) $", before))
        and first is not None
        and first.mark == EQUATION
        and first.left == s.at[at].left
    )


def _quotes(reading: Reading, token: Token) -> bool:
    """A line of the program that is only quoted states nothing about its value."""
    layout = reading.history.layout
    if layout is None or literal(token.right) is not None:
        return False
    return squeezed(token.text) in layout.texts.values()
