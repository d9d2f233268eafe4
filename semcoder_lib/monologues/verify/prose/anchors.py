"""Words that move the place: labels, iteration headings, values of a loop's variable."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.place.iterations import (
    enter_by_value,
    enter_iteration,
    item_name,
    leave_loop,
)
from semcoder_lib.monologues.verify.place.labels import at_label
from semcoder_lib.monologues.verify.place.states import comprehension_domain
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.tokens import EQUATION, LABEL, VALUE, Token

_LEADING = re.compile(
    rf"^\W*(?:(?:at|on|in|line|step|then|next|executing|execute|now|first|and|finally|start(?:ing)? at|back (?:at|to)|the)[ ,:]+)*(?:line )?{LABEL}",
    re.I,
)
_WITH_BINDING = re.compile(
    rf"^\W*(?:(?:for|when|with|at|if|case|now|then|next|take|consider|processing|the|element|item|character|key|index)[ ,:]+)*{EQUATION}",
    re.I,
)
_ITEM_HEAD = re.compile(
    rf"^\W*(?:for|processing|consider|take|next(?: is)?|when)[ ,:]+(?:the )?(?:element |item |character |letter |key |word |number |value )?({VALUE})\s*:",
    re.I,
)


def read_anchors(reading: Reading, s: Sentence) -> None:
    """Move the place as the sentence says, and claim that the execution can be there."""
    if patterns.AFTER_LOOP.search(s.text):
        leave_loop(reading.place)
    heading = patterns.ITERATION.search(s.text)
    bindings = [
        (i, t) for i, t in s.at.items() if t.mark == EQUATION and t.left in reading.place.loop_names
    ]
    if heading:
        reading.mark(s, heading.start(), max([heading.end(), *(i + 1 for i, _ in bindings)]))
    if heading and not patterns.SKIPS.search(s.text[: heading.start()]):
        _iteration(reading, s, heading, bindings)
    elif bindings and _ends_at(_WITH_BINDING, s.text) == bindings[0][0]:
        at, token = bindings[0]
        _by_value(reading, s, token, at)
    else:
        _comprehension(reading, s)
        item = _ITEM_HEAD.match(s.text)
        if item and reading.place.loop_names:
            token = s.at[item.start(1)]
            name = item_name(reading.place)
            if (
                name
                and literal(token.text) is not None
                and enter_by_value(reading.place, name, token.text)
            ):
                s.used.add(item.start(1))
    _label(reading, s)


def _label(reading: Reading, s: Sentence) -> None:
    labels = [i for i, t in s.at.items() if t.mark == LABEL]
    if labels:
        s.used.update(labels)
        at = labels[0]
        reading.mark(s, at, at + 1)
        line = reading.cursor.resolve(int(s.at[at].text))
        skipped = bool(patterns.SKIPS.search(s.text)) or bool(re.search(r"\bnot\b", s.text))
        at_label(
            reading.place,
            line,
            leading=_ends_at(_LEADING, s.text) == at,
            skipped=skipped,
        )


def _iteration(
    reading: Reading, s: Sentence, heading: re.Match[str], bindings: list[tuple[int, Token]]
) -> None:
    word = heading.group("word")
    number: int | None = None
    from_zero = False
    if word:
        low = word.lower()
        number = (
            -1
            if low in ("last", "final")
            else patterns.ORDINALS.get(low) or int(re.sub(r"\D", "", low))
        )
    else:
        at = heading.start("number")
        token = s.at[at]
        s.used.add(at)
        if not re.fullmatch(r"\d+", token.text):
            return
        number = int(token.text)
        if reading.zero_based is None:
            reading.zero_based = number == 0
        from_zero = reading.zero_based
    bound = [(t.left, t.right) for _, t in bindings]
    s.used.update(i for i, _ in bindings)
    step = heading.group(0).lower().startswith(("step", "round")) and not bindings
    if step and not reading.place.loops:
        return
    enter_iteration(
        reading.place,
        number + 1 if from_zero and number >= 0 else number,
        bound,
        certain=not step,
    )


def _by_value(reading: Reading, s: Sentence, token: Token, at: int) -> None:
    s.used.add(at)
    reading.mark(s, at, at + 1)
    found = enter_by_value(reading.place, token.left, token.right)
    if found is None:
        return
    reading.ledger.add(
        "value",
        token.left,
        token.right,
        found,
        "" if found else "no such iteration follows",
        visit=reading.place.entered,
    )


def _comprehension(reading: Reading, s: Sentence) -> None:
    """`For c = 'l'` about a variable of a comprehension."""
    for at, token in s.at.items():
        reading.mark(s, at, at + 1)
        if token.mark != EQUATION or not token.left.isidentifier():
            continue
        if token.left in reading.history.variables:
            continue
        found = literal(token.right)
        domain = comprehension_domain(reading.place, token.left)
        if found is None or domain is None:
            continue
        ok = any(equals(found[0], v) for v in domain)
        reading.ledger.add("value", token.left, token.right, ok, repr(domain)[:120])
        s.used.add(at)
        if ok:
            reading.place.bound[token.left] = found[0]


def _ends_at(pattern: re.Pattern[str], text: str) -> int:
    """The place of the last character that the pattern matches at the start, or -1."""
    match = pattern.match(text)
    return match.end() - 1 if match else -1
