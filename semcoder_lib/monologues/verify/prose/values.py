"""Sentences about values: a subject is, becomes, has a length, results in one."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.place.decisions import claim_expression, claim_implicit
from semcoder_lib.monologues.verify.place.variables import claim_value
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.subjects import claim_is, code_of, name_of
from semcoder_lib.monologues.verify.prose.tokens import CODE, EQUATION, FRAGMENT, Token


def read_values(reading: Reading, s: Sentence) -> None:
    """`x is V`, `x goes from V to W`."""
    text = s.text
    for match in patterns.FROM_TO.finditer(text):
        reading.mark(s, match.start(), match.end())
        name, old, new = (s.at[match.start(g)] for g in (1, 2, 3))
        if (
            match.start(3) in s.used
            or name.text not in reading.names
            or re.search(
                r"\b(?:range|loop|iterat|runs|goes|sequence|numbers|count(?:s|ing) from)",
                text[: match.start(2)],
            )
            or not name.text.isidentifier()
        ):
            continue
        claim_value(reading.place, name.text, old.text, after=False)
        claim_value(reading.place, name.text, new.text, after=True)
        s.used.update((match.start(1), match.start(2), match.start(3)))
    for match in (*patterns.SUBJECT_VALUE.finditer(text), *patterns.WHICH.finditer(text)):
        reading.mark(s, match.start(), match.end())
        left, at = match.start(1), match.start(2)
        if at in s.used:
            continue
        subject, value = s.at[left], s.at[at]
        if subject.text == value.text:
            continue
        between = text[left + 1 : at]
        if re.search(r"\bnot\b|n't|\bin\b(?! (?:total|place))|\bindex\b|\bcalled\b", between):
            continue
        if _of_another(text[:left], subject, between) or _AMOUNT.match(text[at + 1 :]):
            s.used.update((left, at))
            continue
        indirect = patterns.INDIRECT.search(text[:left])
        if indirect:
            if indirect.group("what").lower() in ("length", "size"):
                s.used.update((left, at))
                claim_expression(reading.place, f"len({code_of(subject)})", value.text)
            continue
        s.used.update((left, at))
        claim_is(reading, subject, value, after=bool(patterns.BECOMES.search(between)))


_SIZED = (
    r"\b(?:list|tuple|string|array|dictionary|set|sequence) (?:of|with|containing) $"  # 3 zeros
)


_AMOUNT = re.compile(
    rf" (?:(?:spaces?|zeros|ones|times|copies|digits?|letters?|words?)\b|(?:to|through) {patterns.ANY})"
)
_MADE_INTO = re.compile(
    r"\b(?:is|are|was|gets?) (?:\w+ly |then |now )*(?:join|convert|turn|transform|split|combin|concatenat|pass"
    r"|chang|format|encod|decod)\w*ed\b|\b(?:is|are|was) (?:then )?split\b"
)
_COMBINED = re.compile(
    r"\b(?:multiply|multipli|divid|add|subtract|concatenat|combin)\w*\b[^,.;]*\b(?:by|to|with|and|from) (?:the )?$",
    re.I,
)


def _of_another(lead: str, subject: Token, between: str) -> bool:
    """Whether the value is not said of this subject: it is only asked for, it is the amount of a
    change or a size, it is what
    comes of several or is made of it, the subject ends a range of places, or it is what is stored somewhere."""
    if patterns.ASKED.search(lead) or re.search(r"\bby $|" + _SIZED, between):
        return True
    if _COMBINED.search(lead) or _MADE_INTO.search(between):
        return True
    if re.search(
        r"\b(?:substring|slice|portion|part|characters?|items?|elements?)\b.*\bto $", lead
    ):
        return True
    return not code_of(subject).isidentifier() and bool(re.search(r"\bassigned to\b", between))


def read_measures(reading: Reading, s: Sentence) -> None:
    """`the length of x is V`, `the sum of x and y is V` and the like."""
    for pattern, code in patterns.MEASURES:
        for match in pattern.finditer(s.text):
            reading.mark(s, match.start(), match.end())
            groups = match.groupdict()
            places = [match.start(g) for g in ("a", "b", "c") if groups.get(g)]
            at_value = match.start("v")
            if at_value in s.used or any(i in s.used for i in places):
                continue
            a = s.at[match.start("a")]
            other = next((s.at[match.start(g)] for g in ("b", "c") if groups.get(g)), None)
            if "{b}" in code and other is None:
                continue
            if code.startswith("len") and not s.at[at_value].text.isdigit():
                continue
            filled = code.format(a=code_of(a), b=code_of(other) if other else "")
            claim_expression(reading.place, filled, s.at[at_value].text)
            s.used.update((*places, at_value))


def read_inputs(reading: Reading, s: Sentence) -> None:
    """`the input list is [1, 2]`: one of the arguments."""
    for match in patterns.INPUT.finditer(s.text):
        reading.mark(s, match.start(), match.end())
        at = match.start("v")
        found = literal(s.at[at].text)
        if at in s.used or found is None or not reading.history.steps:
            continue
        if re.search(r"\b(?:of|in|from) (?:the )?$", s.text[: match.start()]):
            continue
        given = [literal(c.text or "") for c in reading.history.steps[0].changes]
        if not given or any(g is None for g in given):
            continue
        verdict = any(equals(found[0], g[0], s.at[at].text) for g in given if g is not None)
        s.used.add(at)
        reading.ledger.add(
            "value", "input", s.at[at].text, verdict if verdict or len(given) == 1 else None
        )


_PAIRED = re.compile(r"\bkeys?\b[^.;:]*\bvalues? (?:is|are|becomes) $", re.I)  # of a dictionary


def read_implicit(reading: Reading, s: Sentence) -> None:
    """`..., resulting in V`: a value whose subject has to be found."""
    for match in patterns.IMPLICIT.finditer(s.text):
        reading.mark(s, match.start(), match.end())
        at = match.start(1)
        if at in s.used or at not in s.at or _PAIRED.search(s.text[:at]):
            continue
        s.used.add(at)
        before = [
            t for i, t in sorted(s.at.items()) if i < at and t.mark in (CODE, EQUATION, FRAGMENT)
        ]
        subject = before[-1] if before else reading.subject
        claim_implicit(
            reading.place,
            name_of(subject),
            s.at[at].text,
            stated=[t.text for i, t in s.at.items() if i < at],
        )
