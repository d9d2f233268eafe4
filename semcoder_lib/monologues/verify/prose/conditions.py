"""Sentences about conditions: that one holds, how it comes out, which branch it leads to."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify import sections
from semcoder_lib.monologues.verify.place.control import claim_branch, claim_outcome
from semcoder_lib.monologues.verify.place.decisions import claim_truth
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.subjects import code_of, is_condition
from semcoder_lib.monologues.verify.prose.tokens import CODE, VALUE


def read_conditions(reading: Reading, s: Sentence) -> None:
    """`x is greater than 3`, `x > 3 holds`, `since x > 3`. What is only checked states nothing."""
    text = s.text
    check = patterns.CHECK.search(text)
    checked = check.start() if check else None
    for pattern, code in (*patterns.RELATIONS, *patterns.PREDICATES):
        for match in pattern.finditer(text):
            reading.mark(s, match.start(), match.end())
            _condition(reading, s, match, code, checked)
    for match in patterns.NOT_VALUE.finditer(text):
        reading.mark(s, match.start(), match.end())
        a, b = s.at[match.start(1)], s.at[match.start(2)]
        if match.start(1) not in s.used:
            if patterns.ASKED.search(text[: match.start()]):
                continue
            claim_truth(reading.place, f"({code_of(a)}) != ({code_of(b)})", True)
            s.used.update((match.start(1), match.start(2)))
    _holding(reading, s)


def _holding(reading: Reading, s: Sentence) -> None:
    text = s.text
    for match in patterns.HOLDS.finditer(text):
        reading.mark(s, match.start(), match.end())
        token = s.at[match.start(1)]
        if match.start(1) in s.used or not is_condition(token.text):
            continue
        word = match.group(2)
        positive = not re.search(r"not|n't|fail|fals|untrue", word)
        claim_truth(reading.place, code_of(token), positive)
        s.used.add(match.start(1))
    for match in patterns.SINCE.finditer(text):
        reading.mark(s, match.start(), match.end())
        at = match.start(1)
        token = s.at[at]
        if (
            at not in s.used
            and is_condition(token.text)
            and not text[match.end() :].lstrip().startswith(("is", "eval", "return"))
        ):
            claim_truth(reading.place, code_of(token), True)
            s.used.add(at)


def _condition(
    reading: Reading, s: Sentence, match: re.Match[str], code: str, checked: int | None
) -> None:
    groups = match.groupdict()
    places = [match.start(g) for g in ("a", "b") if groups.get(g)]
    if any(i in s.used for i in places):
        return
    lead = s.text[: match.start()]
    if patterns.NEITHER.search(lead) or patterns.PART_OF.search(lead):
        s.used.update(places)
        return
    negated = bool(groups.get("not"))
    tokens = [s.at[i] for i in places]
    filled = code.format(a=code_of(tokens[0]), b=code_of(tokens[-1]))
    asked = checked is not None and checked < match.start()
    asked = asked or bool(patterns.ASKED.search(lead))
    if asked:
        # "checks whether A is in B: False" states the outcome afterwards
        outcome = re.match(
            rf"\W*(?:(?:which|this|it|that|and|the condition|so|result)[ ,]*)*(?:is|evaluates to|returns?|gives|:|→|->|=>|=)*\W*({VALUE}|(?:true|false|yes|no|it is not|it does not|it is|it does)\b)",
            s.text[match.end() :], re.I,
        )  # fmt: skip
        if not outcome:
            s.used.update(places)
            return
        said = outcome.group(1)
        token = s.at.get(match.end() + outcome.start(1))
        if token is not None:
            if token.text not in ("True", "False"):
                return
            said = token.text
            s.used.add(match.end() + outcome.start(1))
        truth = said.lower() in ("true", "yes", "it is", "it does")
        claim_truth(reading.place, filled, truth is not negated)
    else:
        claim_truth(reading.place, filled, not negated)
    s.used.update(places)


def read_condition_outcomes(reading: Reading, s: Sentence) -> None:
    """`the condition is True`, without the condition."""
    for match in patterns.CONDITION.finditer(s.text):
        reading.mark(s, match.start(), match.end())
        at = match.start("v")
        if at not in s.used and s.at[at].text in ("True", "False"):
            s.used.add(at)
            _outcome(reading, s.at[at].text == "True")
            return
    if re.search(r"\b(?:neither|both|either|none)\b", s.text, re.I):
        return
    worded = patterns.CONDITION_WORDS.search(s.text)
    if worded:
        reading.mark(s, worded.start(), worded.end())
    if worded and not any(s.at[i].mark == CODE and i < worded.start() for i in s.at):
        word = worded.group("w").lower()
        stated = word in ("true", "met", "satisfied", "holds", "passes", "succeeds", "to true")
        _outcome(reading, stated, worded=True)


def _outcome(reading: Reading, stated: bool, *, worded: bool = False) -> None:
    """The condition that was named last, or that of this place, comes out so."""
    subject = reading.subject
    if subject is not None and subject.mark == CODE and is_condition(code_of(subject)):
        claim_outcome(reading.place, stated, code_of(subject))
    else:
        claim_outcome(reading.place, stated, worded=worded)


def read_branches(reading: Reading, s: Sentence) -> None:
    """`so the else branch is taken`."""
    match = patterns.ENTERS.search(s.text)
    if match:
        reading.mark(s, match.start(), match.end())
    if match and reading.kind == sections.SIMULATION:
        negated = bool(re.search(r"\b(?:not|never|skips?|skipping|without|n't)\b[^.,]*$", s.text[: match.start()])) or bool(
            re.search(r"^\W*(?:is|are) (?:not|skipped|never)", s.text[match.end() :])
        )  # fmt: skip
        which = match.group("which") or match.group("block")
        claim_branch(reading.place, which.lower(), taken=not negated)
