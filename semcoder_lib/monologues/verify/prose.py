"""Reads free prose: the released checkpoints' headings and bullets, a teacher's, anybody's.

It keeps a place in the trace (moved by labels, iteration headings and values that only fit later)
and decides what a sentence states at the moments that the place allows. What is left of a sentence
is text that nobody could read."""

from __future__ import annotations

import re

from semcoder_lib.monologues.evaluator import literal
from semcoder_lib.monologues.verify import patterns
from semcoder_lib.monologues.verify import text as sections
from semcoder_lib.monologues.verify.patterns import FRAGMENT, C, E, Sentence, V, last_of, shape
from semcoder_lib.monologues.verify.place import Place, read_anchors

_MAX_LINE = 20_000  # characters; a longer line is not read
_MAX_SENTENCE = 2_000  # characters, a value counting as one; likewise
_NEAR = 40  # characters before an equation that tell whether it states anything
_BULLET = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)]|\(?[a-z]\)|>)\s+)*")


def read(place: Place, text: str, start: int) -> None:
    """Read one line that has no form, and starts at `start` in the whole text. What of a sentence
    gave no claim is entered as not read."""
    ledger, skip = place.ledger, _BULLET.match(text[:_MAX_LINE]).end()  # type: ignore[union-attr]
    if len(text) > _MAX_LINE or not place.history.steps:
        ledger.unread(text.strip(), (start, start + len(text.rstrip())))
        return
    for sentence in shape(text[skip:], place.names, start + skip).parts():
        since = len(ledger.claims)
        if len(sentence.text) <= _MAX_SENTENCE:
            _read(place, sentence)
        claims = [claim.place for claim in ledger.claims[since:]]
        for begin, end in sentence.unclaimed(claims):
            ledger.unread(text[begin - start : end - start], (begin, end))


def read_at(place: Place, text: str, start: int, visit: int) -> None:
    """Read a sentence about the step `visit`. What of it is unread is left to the caller."""
    place.visit = place.at = visit
    claims, since = place.ledger.claims, len(place.ledger.claims)
    read(place, text, start)
    claims[since:] = [claim for claim in claims[since:] if claim.kind != "text"]


def _read(place: Place, s: Sentence) -> None:
    """Move the place, then decide what the sentence states."""
    hypothetical = bool(patterns.HYPOTHETICAL.search(s.text))
    if place.kind == sections.SIMULATION and (s.at or not hypothetical):
        read_anchors(place, s)
    if place.kind in (sections.FUNCTION, sections.PROPERTIES):
        return  # said of every run, which this one cannot decide
    if not hypothetical:
        for decide in (_relations, _returns, _values, _counts, _equations):
            decide(place, s)
    named = [token.text for token in s.at.values() if token.mark in (C, E)]
    other = "method" in s.text or bool(named and "(" in named[-1])
    place.called = other or (place.called and not named)


# --- the readers: the first that reads a mark keeps it, so the particular comes before the general


def _relations(place: Place, s: Sentence) -> None:
    """`x is greater than 3`, `x is not in y`. What is only checked states nothing."""
    for pattern, code in patterns.RELATIONS:
        for match in pattern.finditer(s.text):
            marks, lead = {match.start("a"), match.start("b")}, s.text[: match.start()]
            if marks & s.used:
                continue
            s.used |= marks
            place.ledger.place = s.place(match.start(), match.end())
            if not patterns.ASKED.search(lead) and not patterns.PART_OF.search(lead):
                code_here = code.format(
                    a=s.at[match.start("a")].code, b=s.at[match.start("b")].code
                )
                stated = not match["not"]
                place.record("branch", code_here, str(stated), *place.truth(code_here, stated))


def _values(place: Place, s: Sentence) -> None:
    """`x is V`, `x becomes V`."""
    for match in patterns.SUBJECT_VALUE.finditer(s.text):
        left, at = match.start("x"), match.start("v")
        code, text, between = s.at[left].code, s.at[at].text, s.text[left + 1 : at]
        indirect = _indirect(s, left)
        if at in s.used or code == text or indirect not in ("", "length", "size"):
            continue
        s.used |= {left, at}
        place.ledger.place = s.place(match.start(), match.end())
        if indirect:
            place.claim_value(code, text, size=True)
        elif not (
            patterns.ANOTHER_BEFORE.search(s.text[:left])
            or patterns.ANOTHER_INSIDE.search(between)
            or ("assigned to" in between and not code.isidentifier())
        ):
            _is(place, code, text, after=bool(patterns.BECOMES.search(between)))


def _indirect(s: Sentence, at: int) -> str:
    """What of the code at `at` is spoken of, not the code itself: `the length of x`."""
    match = patterns.INDIRECT.search(s.text[:at])
    return match["what"].lower() if match else ""


def _is(place: Place, code: str, text: str, *, after: bool = False) -> None:
    """Code, or what the function returns where code is its name, is the value here."""
    if _is_function(place, code) and place.truth(f"{code} == {code}", True)[0] is None:
        place.claim_returned(text)
    else:
        place.claim_value(code, text, after=after)


def _is_function(place: Place, code: str) -> bool:
    """Whether code is the function that the text is about, or one call of it."""
    call = code.startswith(place.entry_point + "(") and code.endswith(")")
    return code == place.entry_point or call


def _returns(place: Place, s: Sentence) -> None:
    """`f returns V`, `the output is V`, `V is returned`."""
    functions = place.history.syntax.functions
    for match in patterns.RETURNS.finditer(s.text):
        at = max(match.start("v"), match.start("first"))
        begin = max(match.start("verb"), match.start("first"))
        lead, rest = s.text[:begin], s.text[at + 1 :]
        verb = (match["verb"] or "").lower()
        part = verb not in ("return", "returns", "returning") and patterns.PART_BEFORE.search(lead)
        named = s.at[match.start("named")].code if match["named"] else ""
        words = {named, *s.text[match.end("verb") : at].split()}  # `returns g 3` is no sentence
        other = words & {place.entry_point, *functions}
        if at in s.used or part or other or patterns.PART_AFTER.match(rest):
            continue
        place.ledger.place = s.place(match.start(), match.end())
        instead = place.backward and re.match(r"\W*(?:instead of|rather than)", rest)
        if instead or patterns.NOT_RETURNED.search(lead) or re.match(rf",? and {V}", rest):
            s.used.add(at)
            continue
        code = _who(place, s, lead, match) if verb.startswith("return") else place.entry_point
        if code == place.entry_point or (code and not named):
            _is(place, code, s.at[at].text)
            s.used |= {at, match.start("named")}


def _who(place: Place, s: Sentence, lead: str, match: re.Match[str]) -> str:
    """The code that is said to return: the function's name, or an expression; empty for something
    that was named before."""
    rest, before = s.text[match.end() :], [i for i in s.at if i < len(lead)]
    marks = [i for i in before if s.at[i].mark in (C, FRAGMENT)]
    last = s.at[max(marks)].code if marks else ""
    between = lead[max(marks) + 1 :] if marks else lead
    other = place.called or any(s.at[i].mark == E for i in before)
    if other and patterns.IT.search(between):
        return ""
    if patterns.OTHER.search(between) or patterns.FOR_CHECK.match(rest):
        return ""
    if patterns.FUNCTION.search(between) or _is_function(place, last):
        return place.entry_point
    return last if re.search(r"[(\[.]|==|[<>]", last) else place.entry_point


def _counts(place: Place, s: Sentence) -> None:
    """`the loop runs twice`, `after 3 iterations`, `its body never runs`."""
    for match in patterns.COUNT.finditer(s.text):
        token = s.at.get(match.start("v"))
        word = token.text if token else (match["v"] or match["w"] or "no").lower()
        number = int(word) if word.isdigit() else patterns.NUMBERS.get(word)
        entered = not match["never"] or "loop" in s.text
        if number is not None and match.start("v") not in s.used and entered:
            s.used |= {match.start("v")}
            place.ledger.place = s.place(match.start(), match.end())
            place.claim_count(number)


def _equations(place: Place, s: Sentence) -> None:
    """Equations that no other pattern took."""
    for at, token in s.at.items():
        lead = s.text[max(0, at - _NEAR) : at]
        if token.mark != E or at in s.used or re.search(rf"{E}\W* (?:to|through) $", lead):
            continue  # `for v = 5 to v = 99`: the second states nothing of here
        place.ledger.place = s.place(at, at + 1)
        judged = re.match(rf"\W*(?:is|evaluates to|returns)\W*({V})", s.text[at + 1 :])
        outcome = s.at[at + 1 + judged.start(1)].text if judged else ""
        left, cut = token.left, last_of(token.left, " = ")
        if outcome in ("True", "False"):
            place.claim_value(token.code, outcome)
        elif literal(token.right) is not None:
            if cut > 0 and left[:cut].strip().isidentifier():  # p = 0 + 4 = 4
                place.claim_value(left[:cut].strip(), token.right, after=True)
                left = left[cut + 3 :].strip()
            heading = patterns.ITERATION.search(s.text)  # there it is so at the start
            place.claim_value(left, token.right, after=left.isidentifier() and not heading)
