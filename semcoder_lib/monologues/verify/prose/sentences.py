"""What sentences state: conditions, values, results, equations, counts; and what a backward text
says that the input must or may be."""

from __future__ import annotations

import re

from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.moments import (
    claim_expression,
    claim_truth,
    claim_value,
    holds,
)
from semcoder_lib.monologues.verify.prose.place import squeezed
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.subjects import (
    claim_count,
    claim_is,
    claim_outcome,
    claim_returned,
    code_of,
    is_call_of,
    is_condition,
)
from semcoder_lib.monologues.verify.prose.tokens import (
    CODE,
    EQUATION,
    FRAGMENT,
    VALUE,
    Token,
    last_of,
)
from semcoder_lib.monologues.verify.stated import same_text


def read_conditions(reading: Reading, s: Sentence) -> None:
    """`x is greater than 3`, `x > 3 holds`, `since x > 3`. What is only checked states nothing."""
    text = s.text
    check = patterns.CHECK.search(text)
    checked = check.start() if check else None
    for pattern, code in patterns.RELATIONS:
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


def read_values(reading: Reading, s: Sentence) -> None:
    """`x is V`, `x becomes V`."""
    text = s.text
    for match in patterns.SUBJECT_VALUE.finditer(text):
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
    verdict = True if both and equal((a[0], b[0]), reading.expected[0]) else None  # type: ignore[index]
    reading.ledger.add("return", reading.entry_point, f"{first.text} and {second.text}", verdict)


def _named_value(reading: Reading, name: Token, value: Token, right: bool | None) -> None:
    """`returns the list output, which is V`: the variable, too. Where V is what is returned, "the
    modified `text`" need not be the variable."""
    code, entry = code_of(name), reading.history.entry
    if not code.isidentifier() or code == reading.entry_point:
        return
    series = entry.names.get(code) if entry is not None else None
    texts = series.texts if series else []
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
    cut = last_of(left, " = ")
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
    layout = reading.history.syntax
    if layout is None or literal(token.right) is not None:
        return False
    return squeezed(token.text) in {squeezed(layout.text(n)) for n in layout.statements}


def read_counts(reading: Reading, s: Sentence) -> None:
    """`the loop runs twice`, `after 3 iterations`, `its body never runs`."""
    for match in (*patterns.COUNT.finditer(s.text), *patterns.COUNT_AFTER.finditer(s.text)):
        reading.mark(s, match.start(), match.end())
        at = match.start("v") if match.group("v") else None
        if at is not None and (at in s.used or not s.at[at].text.isdigit()):
            continue
        if match.group("w"):
            count = patterns.NUMBERS[match.group("w").lower()]
            if not re.search(r"time|iteration|pass|round|turn|once|twice|thrice", match.group(0)):
                continue
        else:
            count = int(s.at[at].text)  # type: ignore[index]
            if not re.search(r"time|iteration|pass|round|turn", match.group(0)):
                continue
        if at is not None:
            s.used.add(at)
        claim_count(reading.place, count)
    never = patterns.NEVER_RUNS.search(s.text)
    if never and "loop" in s.text:
        reading.mark(s, never.start(), never.end())
        claim_count(reading.place, 0)


_DIRECT = re.compile(
    r"(?:^\W*|[,.:;]\s*|\b(?:the|that|then|so|thus|therefore|and|means|original|input|parameter"
    r"|argument|variable|hence|both)\s+)$",
    re.I,
)
_ADDED = re.compile(
    r"\b(?:added|appended|prepended|joined|compared|applied) (?:to|with) (?:the )?$", re.I
)


def read_deduced(reading: Reading, s: Sentence, *, hypothetical: bool) -> None:
    """`text must be V`, `choose n as V`: about the input that the text arrives at. A working
    input with another value refutes "must", unless it is one of several cases; "can" is only ever
    supported."""
    entry = reading.history.steps[0] if reading.history.steps else None
    given = {c.name: c.text or "" for c in entry.changes} if entry else {}
    for pattern in (patterns.MUST, patterns.CHOOSE):
        for match in pattern.finditer(s.text):
            reading.mark(s, match.start(), match.end())
            left, at = match.start(1), match.end(match.lastindex or 2) - 1
            if at in s.used or at not in s.at:
                continue
            subject, value = code_of(s.at[left]), s.at[at]
            lead = s.text[:left]
            indirect = patterns.INDIRECT.search(lead)
            if indirect and indirect.group("what").lower() in ("length", "size"):
                subject = f"len({subject})"
            elif pattern is patterns.MUST and (not _DIRECT.search(lead) or _ADDED.search(lead)):
                continue
            modal = match.groupdict().get("modal") or "can"
            s.used.update((left, at))
            verdict: bool | None = None
            if subject in given:
                verdict = same_text(value.text, given[subject])
            elif literal(value.text) is not None and reading.history.steps:
                reading.place.at = 0
                found = holds(reading.place, subject, value.text)
                verdict = True if found else None
            firm = modal in ("must", "has to") and not hypothetical and _works(reading)
            if verdict is False and not firm:
                verdict = None
            reading.ledger.add(
                "constraint", subject, value.text, verdict, given.get(subject, "")[:200]
            )


def _works(reading: Reading) -> bool:
    """Whether the chosen input gives the output that is asked for."""
    found = literal(reading.history.trace.result or "")
    return (
        found is not None and reading.expected is not None and equal(reading.expected[0], found[0])
    )
