"""Sentences about what is returned: by the function, a call, or an expression."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.place.decisions import claim_implicit
from semcoder_lib.monologues.verify.place.variables import claim_value
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.subjects import (
    claim_is,
    claim_returned,
    code_of,
    is_call_of,
    name_of,
)
from semcoder_lib.monologues.verify.prose.tokens import CODE, FRAGMENT, VALUE, Token
from semcoder_lib.monologues.verify.stated import same_text


def read_returns(reading: Reading, s: Sentence) -> None:
    """`f returns V`, `the output is V`, `V is returned`."""
    for match in (*patterns.RETURNS.finditer(s.text), *patterns.RETURNED.finditer(s.text)):
        reading.mark(s, match.start(), match.end())
        at = match.start("v")
        if at in s.used or at not in s.at:
            continue
        token = s.at[at]
        if not _plainly(s, match, at):
            continue
        other = reading.backward and re.match(r"\W*(?:instead of|rather than)", s.text[at + 1 :])
        if other or patterns.NEGATED.search(s.text[: match.start()]):
            s.used.add(at)
            continue
        named = match.groupdict().get("named")
        right: bool | None = None
        who, subject = _who(reading, s, match)
        several = re.match(rf",? and ([{VALUE}])", s.text[at + 1 :])
        if several:
            _returned_pair(reading, token, s.at[at + 1 + several.start(1)])
            s.used.add(at + 1 + several.start(1))
        elif who == "function":
            right = claim_returned(reading, token)
        elif who == "expression" and subject is not None and not named:
            claim_is(reading, subject, token, after=False)
        elif who == "something" and not named:
            claim_implicit(reading.place, name_of(subject), token.text, stated=[])
        else:
            continue
        s.used.add(at)
        if named and not patterns.INDIRECT.search(s.text[: match.start("named")]):
            s.used.add(match.start("named"))
            _named_value(reading, s.at[match.start("named")], token, right)


def _plainly(s: Sentence, match: re.Match[str], at: int) -> bool:
    """Whether `output is V` speaks of the whole output: not of its length or of one part."""
    if re.match(r"[- ]*(?:characters?|elements?|items?|times|pairs?|key)", s.text[at + 1 :]):
        return False
    verb = match.groupdict().get("verb") or ""
    lead = s.text[: match.start()]
    if verb == "returned" and re.search(r"\b(?:of|in) (?:the |this |each )?$", lead):
        return False
    if "return" in verb and "value" not in verb:
        return True
    return not re.search(
        r"\b(?:in|of|from|input\b[^.]*)(?: the| desired| given| expected)* ?$",
        lead,
    )


def _returned_pair(reading: Reading, first: Token, second: Token) -> None:
    """`returns V and W`: a tuple of both, or prose that this cannot decide."""
    a, b = literal(first.text), literal(second.text)
    both = a is not None and b is not None and reading.expected is not None
    verdict = True if both and equals((a[0], b[0]), reading.expected[0]) else None  # type: ignore[index]
    reading.ledger.add("return", reading.entry_point, f"{first.text} and {second.text}", verdict)


def _named_value(reading: Reading, name: Token, value: Token, right: bool | None) -> None:
    """`returns the list output, which is V`: the variable, too. Where V is what is returned, "the
    modified `text`" need not be the variable."""
    code, entry = code_of(name), reading.history.entry
    if not code.isidentifier() or code == reading.entry_point:
        return
    texts = entry.changes.get(code, ([], []))[1] if entry is not None else []
    if not right or (texts and same_text(value.text, texts[-1])):
        claim_value(reading.place, code, value.text, after=False)


def _names_method(reading: Reading) -> bool:
    """Whether the code that was named last is a method's or a built-in's bare name."""
    name = reading.subject.text.removesuffix("()") if reading.subject is not None else ""
    known = (reading.entry_point, *reading.names, *reading.history.variables)
    return name.isidentifier() and name not in known


def _who(reading: Reading, s: Sentence, match: re.Match[str]) -> tuple[str, Token | None]:
    """Who is said to return: the function, an expression, or something named before."""
    verb = match.groupdict().get("verb") or "is returned"
    if not verb.startswith("return") or "value" in verb:
        return "function", None
    lead = s.text[: match.start()]
    marks = [i for i in sorted(s.at) if i < match.start() and s.at[i].mark in (CODE, FRAGMENT)]
    last = s.at[marks[-1]] if marks else None
    between = lead[marks[-1] + 1 :] if marks else lead
    if re.search(r"\b(?:they|these|those|both)(?: values)?\W*(?:\w+ly )?$", between, re.I):
        return "something", last
    if re.match(r"\W*for (?:the|this|that) (?:check|condition|test)\b", s.text[match.end("v") :]):
        return "something", last
    if re.search(
        r"\b(?:function|program|statement|code|we|recursion|execution|so)\b[^.]*$", between
    ):
        return "function", None
    if last is not None and (
        code_of(last) == reading.entry_point or is_call_of(reading.entry_point, code_of(last))
    ):
        return "function", None
    if last is not None and re.search(r"[(\[.]|==|[<>]", last.text):
        return "expression", last
    if last is not None and re.search(r"\bmethod\b|\bcall\b", between):
        return "something", last
    if last is None and _names_method(reading):
        return "something", reading.subject
    if re.search(
        r"\b(?:it|this|that|which|method|expression|condition|call)\W*(?:\w+ly )?$",
        between,
        re.I,
    ):
        if re.search(r"\bfunction\b", lead):
            return "function", None
        if reading.place.bound:  # inside a comprehension
            return "something", None
        if reading.subject is not None and "(" in reading.subject.text:
            return "something", reading.subject
        return "function", None
    return "function", None
