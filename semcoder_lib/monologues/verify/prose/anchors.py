"""Words that move the place: labels, iteration headings, values of a loop's variable."""

from __future__ import annotations

import re

from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.moments import claim_value, comprehension_domain
from semcoder_lib.monologues.verify.prose.place import (
    at_label,
    enter_by_value,
    enter_iteration,
    enter_nth,
    item_name,
    leave_loop,
)
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
    rf"^\W*(?:for|processing|consider|take|next(?: is)?|when)[ ,:]+(?:the )?(?:element |item |character |letter |key |word |number |value )?(?P<v>{VALUE})\s*:",
    re.I,
)
_NTH_ITEM = re.compile(
    rf"^\W*(?:for (?:the )?|the )?(?P<word>{patterns.ORDINAL}|last|final) (?:character|element|item|letter|word|number|digit|string|value|key|entry)\W*\(?(?P<v>{VALUE})\W*(?=:|$|\))",
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
    elif bindings and _binds(reading, s, *bindings[0]):
        at, token = bindings[0]
        _by_value(reading, s, token, at)
    else:
        _comprehension(reading, s)
        _item(reading, s)
    _label(reading, s)


def _item(reading: Reading, s: Sentence) -> None:
    """`Processing 'a':`, `Second character: 'b'`."""
    item, nth = _ITEM_HEAD.match(s.text), _NTH_ITEM.match(s.text)
    name = item_name(reading.place)
    if not name or not (item or nth):
        return
    at = (item or nth).start("v")  # type: ignore[union-attr]
    text = s.at[at].text
    if literal(text) is None:
        return
    if item:
        entered = enter_by_value(reading.place, name, text)
    else:
        number = number_of(nth.group("word"))  # type: ignore[union-attr]
        entered = enter_nth(reading.place, number, name, text)
    if entered:
        s.used.add(at)


def number_of(word: str) -> int:
    """`first` or `1st` as 1; -1 is the last."""
    low = word.lower()
    if low in ("last", "final"):
        return -1
    return patterns.ORDINALS.get(low) or int(re.sub(r"\D", "", low))


def _binds(reading: Reading, s: Sentence, at: int, token: Token) -> bool:
    """Whether the sentence begins with the value of a loop's variable, as the head of an iteration.
    A name in the test of a `while` alone needs a word for it: `i = 0` may only set it."""
    if _ends_at(_WITH_BINDING, s.text) != at:
        return False
    target = any(token.left in loop.targets for loop in reading.place.loops)
    return (
        target or bool(re.search(r"[a-z]", s.text[:at], re.I)) or s.text[at + 1 :].startswith(":")
    )


def _label(reading: Reading, s: Sentence) -> None:
    labels = [i for i, t in s.at.items() if t.mark == LABEL]
    if labels:
        s.used.update(labels)
        at = labels[0]
        reading.mark(s, at, at + 1)
        line = reading.cursor.line(s.at[at].text)
        at_label(
            reading.place,
            line,
            leading=_ends_at(_LEADING, s.text) == at,
            skipped=bool(patterns.SKIPS.search(s.text)),
            idle=bool(patterns.NO_EFFECT.search(s.text)),
        )


def _iteration(
    reading: Reading, s: Sentence, heading: re.Match[str], bindings: list[tuple[int, Token]]
) -> None:
    word = heading.group("word")
    number: int | None = None
    from_zero = False
    if word:
        number = number_of(word)
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
    _state_at_start(reading, s, heading.end())


def _state_at_start(reading: Reading, s: Sentence, end: int) -> None:
    """`Second iteration (i = 2)`, of a variable that the loop does not bind: its value then, not
    one that it gets."""
    inside = re.match(r"\W*\(([^()]*)\)", s.text[end:])
    if not inside:
        return
    for at in range(end + inside.start(1), end + inside.end(1)):
        token = s.at.get(at)
        if token is None or token.mark != EQUATION or at in s.used:
            continue
        if token.left.isidentifier() and literal(token.right) is not None:
            reading.mark(s, at, at + 1)
            claim_value(reading.place, token.left, token.right, after=False)
            s.used.add(at)


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
        ok = any(equal(found[0], v) for v in domain)
        reading.ledger.add("value", token.left, token.right, ok, brief(domain))
        s.used.add(at)
        if ok:
            reading.place.bound[token.left] = found[0]


def _ends_at(pattern: re.Pattern[str], text: str) -> int:
    """The place of the last character that the pattern matches at the start, or -1."""
    match = pattern.match(text)
    return match.end() - 1 if match else -1
