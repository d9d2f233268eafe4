"""Reads free prose: the released checkpoints' headings and bullets, a teacher's, anybody's.

It keeps a place in the trace (moved by labels, iteration headings and values that only fit later)
and decides what a sentence states in the states that the place allows.
"""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.monologues.verify import patterns as p
from semcoder_lib.monologues.verify import sections
from semcoder_lib.monologues.verify.answer import Answer
from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.place.control import claim_branch, claim_count, claim_outcome
from semcoder_lib.monologues.verify.place.decisions import (
    claim_expression,
    claim_implicit,
    claim_known_call,
    claim_truth,
    holds,
)
from semcoder_lib.monologues.verify.place.iterations import (
    enter_by_value,
    enter_iteration,
    item_name,
    leave_loop,
)
from semcoder_lib.monologues.verify.place.labels import at_label
from semcoder_lib.monologues.verify.place.place import Place
from semcoder_lib.monologues.verify.place.states import comprehension_domain
from semcoder_lib.monologues.verify.place.variables import claim_value
from semcoder_lib.monologues.verify.source import squeezed
from semcoder_lib.monologues.verify.stated import same_text
from semcoder_lib.monologues.verify.tokens import (
    CODE,
    EQUATION,
    FRAGMENT,
    LABEL,
    VALUE,
    Shape,
    Token,
    shape,
)

_BULLET = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)]|\(?[a-z]\)|>)\s+)*")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\s+[—–]\s+|;")
_DIRECT = re.compile(
    r"(?:^\W*|[,.:;]\s*|\b(?:the|that|then|so|thus|therefore|and|means|original|input|parameter"
    r"|argument|variable|hence|both)\s+)$",
    re.I,
)
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


class Prose:
    """A reader of sentences. `begin` at each section, then `line` for each line."""

    def __init__(
        self,
        walk: Cursor,
        entry_point: str,
        expected: tuple[object] | None,
        given: Answer,
        backward: bool,
    ) -> None:
        self.walk = walk
        self.ledger = walk.ledger
        self.history = walk.history
        self.entry_point = entry_point
        self.expected = expected
        self.given = given
        self.backward = backward
        self.names = frozenset(
            n for n in self.history.variables | (self.history.layout.names if self.history.layout else frozenset())
            if n.isidentifier()
        )  # fmt: skip
        self.place = Place(walk)
        self.kind = sections.SIMULATION
        self.subject: Token | None = None
        self._base = 0
        self.zero_based: bool | None = None

    def begin(self, kind: str) -> None:
        """Start a section: outside the simulation, what is said may be about any moment."""
        self.kind = kind or sections.SIMULATION
        self.place.anytime = self.kind in (sections.FUNCTION, sections.CONCLUSION)
        self.place.musing = self.backward
        self.place.leave()
        self.subject = None

    def line(self, text: str, start: int) -> None:
        """Read one line of the text, which starts at `start` in the whole."""
        bullet = _BULLET.match(text)
        skip = bullet.end() if bullet else 0
        body = text[skip:]
        self.place.indent = skip
        whole = shape(body, self.names)
        if not whole.at and not re.search(r"\b(?:iteration|loop|pass|branch|block)\b", whole.text):
            return
        position = 0
        for piece in _SENTENCE.split(whole.text):
            if piece is None:
                continue
            begin = whole.text.find(piece, position)
            position = begin + len(piece)
            tokens = {i - begin: t for i, t in whole.at.items() if begin <= i < position}
            self.sentence(Shape(piece, tokens, whole.origin(begin)), start + skip)

    # --- one sentence -----------------------------------------------------------------------

    def sentence(self, s: Shape, base: int) -> None:
        """Move the place, then decide what the sentence states."""
        if not s.text.strip() or not self.history.steps:
            return
        self._base = base
        self._mark(s, 0, len(s.text))
        used: set[int] = set()
        hypothetical = bool(p.HYPOTHETICAL.search(s.text))
        before = len(self.ledger.claims)
        self.place.final = bool(p.FINALLY.search(s.text))
        if self.kind == sections.SIMULATION and not (hypothetical and not s.at):
            self._anchors(s, used)
        if self.kind == sections.FUNCTION:
            return
        if self.backward and self.kind in (sections.DEDUCTION, sections.CONCLUSION):
            self._deduced(s, used)
        if hypothetical:
            return
        checked = p.CHECK.search(s.text)
        self._conditions(s, used, checked.start() if checked else None)
        self._measures(s, used)
        self._inputs(s, used)
        self._condition_outcomes(s, used)
        self._returns(s, used)
        self._values(s, used)
        self._implicit(s, used)
        self._counts(s, used)
        self._branches(s, used)
        self._equations(s, used)
        for at in sorted(s.at, reverse=True):
            if s.at[at].mark in (CODE, EQUATION):
                self.subject = s.at[at]
                break
        self._mark(s, 0, len(s.text))
        if len(self.ledger.claims) == before and self._asserts(s, used):
            self.ledger.add(
                "value", s.text.strip()[:80].translate(_READABLE), "", None, "not understood"
            )

    def _mark(self, s: Shape, start: int, end: int) -> None:
        """The claims that follow are about these words."""
        last = s.at[end - 1].end if end - 1 in s.at else s.origin(end)
        self.ledger.place = (self._base + s.origin(start), self._base + last)

    def _asserts(self, s: Shape, used: set[int]) -> bool:
        """Whether a sentence that gave no claim still states something about a value."""
        if s.text.rstrip().endswith(":") and not re.search(
            r"\b(?:is|are|becomes?|returns?|gives)\b", s.text
        ):
            return False  # a heading
        return any(t.mark == VALUE for i, t in s.at.items() if i not in used) and self.kind in (
            sections.SIMULATION, sections.DEDUCTION,
        )  # fmt: skip

    # --- anchors ----------------------------------------------------------------------------

    def _anchors(self, s: Shape, used: set[int]) -> None:
        if p.AFTER_LOOP.search(s.text):
            leave_loop(self.place)
        heading = p.ITERATION.search(s.text)
        bindings = [
            (i, t)
            for i, t in s.at.items()
            if t.mark == EQUATION and t.left in self.place.loop_names
        ]
        if heading:
            self._mark(s, heading.start(), max([heading.end(), *(i + 1 for i, _ in bindings)]))
        if heading and not p.SKIPS.search(s.text[: heading.start()]):
            self._iteration(s, heading, bindings, used)
        elif bindings and _ends_at(_WITH_BINDING, s.text) == bindings[0][0]:
            at, token = bindings[0]
            self._by_value(s, token, used, at)
        else:
            self._comprehension(s, used)
            item = _ITEM_HEAD.match(s.text)
            if item and self.place.loop_names:
                token = s.at[item.start(1)]
                name = item_name(self.place)
                if (
                    name
                    and literal(token.text) is not None
                    and enter_by_value(self.place, name, token.text)
                ):
                    used.add(item.start(1))
        labels = [i for i, t in s.at.items() if t.mark == LABEL]
        if labels:
            used.update(labels)
            at = labels[0]
            self._mark(s, at, at + 1)
            line = self.walk.resolve(int(s.at[at].text))
            skipped = bool(p.SKIPS.search(s.text)) or bool(re.search(r"\bnot\b", s.text))
            at_label(
                self.place,
                line,
                leading=_ends_at(_LEADING, s.text) == at,
                skipped=skipped,
            )

    def _iteration(
        self, s: Shape, heading: re.Match[str], bindings: list[tuple[int, Token]], used: set[int]
    ) -> None:
        word = heading.group("word")
        number: int | None = None
        from_zero = False
        if word:
            low = word.lower()
            number = (
                -1
                if low in ("last", "final")
                else p.ORDINALS.get(low) or int(re.sub(r"\D", "", low))
            )
        else:
            at = heading.start("number")
            token = s.at[at]
            used.add(at)
            if not re.fullmatch(r"\d+", token.text):
                return
            number = int(token.text)
            if self.zero_based is None:
                self.zero_based = number == 0
            from_zero = self.zero_based
        bound = [(t.left, t.right) for _, t in bindings]
        used.update(i for i, _ in bindings)
        step = heading.group(0).lower().startswith(("step", "round")) and not bindings
        if step and not self.place.loops:
            return
        enter_iteration(
            self.place,
            number + 1 if from_zero and number >= 0 else number,
            bound,
            certain=not step,
        )

    def _by_value(self, s: Shape, token: Token, used: set[int], at: int) -> None:
        used.add(at)
        self._mark(s, at, at + 1)
        found = enter_by_value(self.place, token.left, token.right)
        if found is None:
            return
        self.ledger.add("value", token.left, token.right, found, "" if found else "no such iteration follows",
                        visit=self.place.entered)  # fmt: skip

    def _comprehension(self, s: Shape, used: set[int]) -> None:
        """`For c = 'l'` about a variable of a comprehension."""
        for at, token in s.at.items():
            self._mark(s, at, at + 1)
            if token.mark != EQUATION or not token.left.isidentifier():
                continue
            if token.left in self.history.variables:
                continue
            found = literal(token.right)
            domain = comprehension_domain(self.place, token.left)
            if found is None or domain is None:
                continue
            ok = any(equals(found[0], v) for v in domain)
            self.ledger.add("value", token.left, token.right, ok, repr(domain)[:120])
            used.add(at)
            if ok:
                self.place.bound[token.left] = found[0]

    # --- statements about values ------------------------------------------------------------

    def _conditions(self, s: Shape, used: set[int], checked: int | None) -> None:
        text = s.text
        for pattern, code in (*p.RELATIONS, *p.PREDICATES):
            for match in pattern.finditer(text):
                self._mark(s, match.start(), match.end())
                self._condition(s, match, code, used, checked)
        for match in p.NOT_VALUE.finditer(text):
            self._mark(s, match.start(), match.end())
            a, b = s.at[match.start(1)], s.at[match.start(2)]
            if match.start(1) not in used:
                self._truth(f"({_code(a)}) != ({_code(b)})", True)
                used.update((match.start(1), match.start(2)))
        for match in p.HOLDS.finditer(text):
            self._mark(s, match.start(), match.end())
            token = s.at[match.start(1)]
            if match.start(1) in used or not _condition_like(token.text):
                continue
            word = match.group(2)
            positive = not re.search(r"not|n't|fail|fals|untrue", word)
            self._truth(_code(token), positive)
            used.add(match.start(1))
        for match in p.SINCE.finditer(text):
            self._mark(s, match.start(), match.end())
            at = match.start(1)
            token = s.at[at]
            if (
                at not in used
                and _condition_like(token.text)
                and not text[match.end() :].lstrip().startswith(("is", "eval", "return"))
            ):
                self._truth(_code(token), True)
                used.add(at)

    def _condition(
        self, s: Shape, match: re.Match[str], code: str, used: set[int], checked: int | None
    ) -> None:
        groups = match.groupdict()
        places = [match.start(g) for g in ("a", "b") if groups.get(g)]
        if any(i in used for i in places):
            return
        negated = bool(groups.get("not"))
        tokens = [s.at[i] for i in places]
        filled = code.format(a=_code(tokens[0]), b=_code(tokens[-1]))
        asked = checked is not None and checked < match.start()
        asked = asked or bool(
            re.search(r"\b(?:if|whether|where|when)\b[^,.:]*$", s.text[: match.start()])
        )
        if asked:
            # "checks whether A is in B: False" states the outcome afterwards
            outcome = re.match(
                rf"\W*(?:(?:which|this|it|that|and|the condition|so|result)[ ,]*)*(?:is|evaluates to|returns?|gives|:|→|->|=>|=)*\W*({VALUE}|true|false|yes|no|it is not|it does not|it is|it does)",
                s.text[match.end() :], re.I,
            )  # fmt: skip
            if not outcome:
                used.update(places)
                return
            said = outcome.group(1)
            token = s.at.get(match.end() + outcome.start(1))
            if token is not None:
                if token.text not in ("True", "False"):
                    return
                said = token.text
                used.add(match.end() + outcome.start(1))
            truth = said.lower() in ("true", "yes", "it is", "it does")
            self._truth(filled, truth is not negated)
        else:
            self._truth(filled, not negated)
        used.update(places)

    def _truth(self, code: str, stated: bool) -> None:
        claim_truth(self.place, code, stated)

    def _measures(self, s: Shape, used: set[int]) -> None:
        for pattern, code in p.MEASURES:
            for match in pattern.finditer(s.text):
                self._mark(s, match.start(), match.end())
                groups = match.groupdict()
                places = [match.start(g) for g in ("a", "b", "c") if groups.get(g)]
                at_value = match.start("v")
                if at_value in used or any(i in used for i in places):
                    continue
                a = s.at[match.start("a")]
                other = next((s.at[match.start(g)] for g in ("b", "c") if groups.get(g)), None)
                if "{b}" in code and other is None:
                    continue
                if code.startswith("len") and not s.at[at_value].text.isdigit():
                    continue
                filled = code.format(a=_code(a), b=_code(other) if other else "")
                claim_expression(self.place, filled, s.at[at_value].text)
                used.update((*places, at_value))

    def _returns(self, s: Shape, used: set[int]) -> None:
        for match in (*p.RETURNS.finditer(s.text), *p.RETURNED.finditer(s.text)):
            self._mark(s, match.start(), match.end())
            at = match.start("v")
            if at in used or at not in s.at:
                continue
            token = s.at[at]
            if not self._plainly(s, match, at):
                continue
            named = match.groupdict().get("named")
            who, subject = self._who(s, match)
            several = re.match(rf",? and ([{VALUE}])", s.text[at + 1 :])
            if several:
                self._returned_pair(token, s.at[at + 1 + several.start(1)])
                used.add(at + 1 + several.start(1))
            elif who == "function":
                self._returned(token)
            elif who == "expression" and subject is not None and not named:
                self._is(subject, token, after=False)
            elif who == "something" and not named:
                claim_implicit(self.place, _named(subject), token.text, stated=[])
            else:
                continue
            used.add(at)
            if named and not p.INDIRECT.search(s.text[: match.start("named")]):
                used.add(match.start("named"))
                self._named_value(s.at[match.start("named")], token)

    def _plainly(self, s: Shape, match: re.Match[str], at: int) -> bool:
        """Whether `output is V` speaks of the whole output: not of its length or of one part."""
        if re.match(r"[- ]*(?:characters?|elements?|items?|times|pairs?|key)", s.text[at + 1 :]):
            return False
        verb = match.groupdict().get("verb") or ""
        if "return" in verb and "value" not in verb:
            return True
        return not re.search(
            r"\b(?:in|of|from|input\b[^.]*)(?: the| desired| given| expected)* ?$",
            s.text[: match.start()],
        )

    def _returned_pair(self, first: Token, second: Token) -> None:
        """`returns V and W`: a tuple of both, or prose that this cannot decide."""
        a, b = literal(first.text), literal(second.text)
        both = a is not None and b is not None and self.expected is not None
        verdict = True if both and equals((a[0], b[0]), self.expected[0]) else None  # type: ignore[index]
        self.ledger.add("return", self.entry_point, f"{first.text} and {second.text}", verdict)

    def _named_value(self, name: Token, value: Token) -> None:
        """`returns the list output, which is V`: the variable, too."""
        if _code(name).isidentifier() and _code(name) != self.entry_point:
            claim_value(self.place, _code(name), value.text, after=False)

    def _who(self, s: Shape, match: re.Match[str]) -> tuple[str, Token | None]:
        """Who is said to return: the function, an expression, or something named before."""
        verb = match.groupdict().get("verb") or "is returned"
        if not verb.startswith("return") or "value" in verb:
            return "function", None
        lead = s.text[: match.start()]
        marks = [i for i in sorted(s.at) if i < match.start() and s.at[i].mark in (CODE, FRAGMENT)]
        last = s.at[marks[-1]] if marks else None
        between = lead[marks[-1] + 1 :] if marks else lead
        if re.search(
            r"\b(?:function|program|statement|code|we|recursion|execution|so)\b[^.]*$", between
        ):
            return "function", None
        if last is not None and (
            _code(last) == self.entry_point or _calls_of(self.entry_point, _code(last))
        ):
            return "function", None
        if last is not None and re.search(r"[(\[.]|==|[<>]", last.text):
            return "expression", last
        if last is not None and re.search(r"\bmethod\b|\bcall\b", between):
            return "something", last
        if re.search(
            r"\b(?:it|this|that|which|method|expression|condition|call)\W*(?:\w+ly )?$",
            between,
            re.I,
        ):
            if re.search(r"\bfunction\b", lead):
                return "function", None
            if self.place.bound:  # inside a comprehension
                return "something", None
            if self.subject is not None and "(" in self.subject.text:
                return "something", self.subject
            return "function", None
        return "function", None

    def _returned(self, token: Token) -> None:
        stated = literal(token.text)
        if stated is None:
            return
        if self.expected is None:
            self.ledger.add("return", self.entry_point, token.text, None, "no returned value")
            return
        verdict = equals(stated[0], self.expected[0], token.text)
        if not verdict and self._returned_elsewhere(stated[0]):
            verdict = True
        self.ledger.add(
            "return", self.entry_point, token.text, verdict, repr(self.expected[0])[:200]
        )

    def _returned_elsewhere(self, value: Any) -> bool:
        if len(self.history.frames) < 2:
            return False
        for frame in self.history.frames.values():
            found = literal(frame.returned or "")
            if found is not None and equals(value, found[0]):
                return True
        return False

    def _values(self, s: Shape, used: set[int]) -> None:
        text = s.text
        for match in p.FROM_TO.finditer(text):
            self._mark(s, match.start(), match.end())
            name, old, new = (s.at[match.start(g)] for g in (1, 2, 3))
            if (
                match.start(3) in used
                or re.search(
                    r"\b(?:range|loop|iterat|runs|goes|count(?:s|ing) from)", text[: match.start()]
                )
                or not name.text.isidentifier()
            ):
                continue
            claim_value(self.place, name.text, old.text, after=False)
            claim_value(self.place, name.text, new.text, after=True)
            used.update((match.start(1), match.start(2), match.start(3)))
        for match in (*p.SUBJECT_VALUE.finditer(text), *p.WHICH.finditer(text)):
            self._mark(s, match.start(), match.end())
            left, at = match.start(1), match.start(2)
            if at in used:
                continue
            subject, value = s.at[left], s.at[at]
            if subject.text == value.text:
                continue
            between = text[left + 1 : at]
            if re.search(r"\bnot\b|n't|\bin\b(?! (?:total|place))|\bindex\b", between):
                continue
            indirect = p.INDIRECT.search(text[:left])
            if indirect:
                if indirect.group("what").lower() in ("length", "size"):
                    used.update((left, at))
                    claim_expression(self.place, f"len({_code(subject)})", value.text)
                continue
            used.update((left, at))
            self._is(subject, value, after=bool(p.BECOMES.search(between)))

    def _is(self, subject: Token, value: Token, *, after: bool) -> None:
        code = _code(subject)
        if code == self.entry_point or code in _calls_of(self.entry_point, code):
            if code == self.entry_point or not claim_known_call(self.place, code, value.text):
                self._returned(value)
        elif code.isidentifier():
            claim_value(self.place, code, value.text, after=after)
        elif value.text in ("True", "False") and _condition_like(code):
            self._truth(code, value.text == "True")
        else:
            claim_expression(self.place, code, value.text)

    def _deduced(self, s: Shape, used: set[int]) -> None:
        """`text must be V`, `choose n as V`: about the input that the text arrives at. A working
        input with another value refutes "must"; "can" is only ever supported."""
        entry = self.history.steps[0] if self.history.steps else None
        given = {c.name: c.text or "" for c in entry.changes} if entry else {}
        for pattern in (p.MUST, p.CHOOSE):
            for match in pattern.finditer(s.text):
                self._mark(s, match.start(), match.end())
                left, at = match.start(1), match.end(match.lastindex or 2) - 1
                if at in used or at not in s.at:
                    continue
                subject, value = _code(s.at[left]), s.at[at]
                lead = s.text[:left]
                indirect = p.INDIRECT.search(lead)
                if indirect and indirect.group("what").lower() in ("length", "size"):
                    subject = f"len({subject})"
                elif pattern is p.MUST and not _DIRECT.search(lead):
                    continue
                modal = match.groupdict().get("modal") or "can"
                used.update((left, at))
                verdict: bool | None = None
                if subject in given:
                    verdict = same_text(value.text, given[subject])
                elif literal(value.text) is not None and self.history.steps:
                    self.place.at = 0
                    found = holds(self.place, subject, value.text)
                    verdict = True if found else None
                if verdict is False and not (modal in ("must", "has to") and self._works()):
                    verdict = None
                self.ledger.add(
                    "constraint", subject, value.text, verdict, given.get(subject, "")[:200]
                )

    def _works(self) -> bool:
        """Whether the chosen input gives the output that is asked for."""
        found = literal(self.history.trace.result or "")
        return (
            found is not None and self.expected is not None and equals(self.expected[0], found[0])
        )

    def _inputs(self, s: Shape, used: set[int]) -> None:
        """`the input list is [1, 2]`: one of the arguments."""
        for match in p.INPUT.finditer(s.text):
            self._mark(s, match.start(), match.end())
            at = match.start("v")
            found = literal(s.at[at].text)
            if at in used or found is None or not self.history.steps:
                continue
            if re.search(r"\bof the $", s.text[: match.start()]):
                continue
            given = [literal(c.text or "") for c in self.history.steps[0].changes]
            if not given or any(g is None for g in given):
                continue
            verdict = any(equals(found[0], g[0], s.at[at].text) for g in given if g is not None)
            used.add(at)
            self.ledger.add(
                "value", "input", s.at[at].text, verdict if verdict or len(given) == 1 else None
            )

    def _condition_outcomes(self, s: Shape, used: set[int]) -> None:
        """`the condition is True`, without the condition."""
        for match in p.CONDITION.finditer(s.text):
            self._mark(s, match.start(), match.end())
            at = match.start("v")
            if at not in used and s.at[at].text in ("True", "False"):
                used.add(at)
                self._outcome(s.at[at].text == "True")
                return
        if re.search(r"\b(?:neither|both|either|none)\b", s.text, re.I):
            return
        worded = p.CONDITION_WORDS.search(s.text)
        if worded:
            self._mark(s, worded.start(), worded.end())
        if worded and not any(s.at[i].mark == CODE and i < worded.start() for i in s.at):
            word = worded.group("w").lower()
            self._outcome(
                word in ("true", "met", "satisfied", "holds", "passes", "succeeds", "to true")
            )

    def _outcome(self, stated: bool) -> None:
        """The condition that was named last, or that of this place, comes out so."""
        if self.subject is not None and _condition_like(_code(self.subject)):
            self._truth(_code(self.subject), stated)
        else:
            claim_outcome(self.place, stated)

    def _implicit(self, s: Shape, used: set[int]) -> None:
        for match in p.IMPLICIT.finditer(s.text):
            self._mark(s, match.start(), match.end())
            at = match.start(1)
            if at in used or at not in s.at:
                continue
            used.add(at)
            before = [
                t
                for i, t in sorted(s.at.items())
                if i < at and t.mark in (CODE, EQUATION, FRAGMENT)
            ]
            subject = before[-1] if before else self.subject
            claim_implicit(
                self.place,
                _named(subject),
                s.at[at].text,
                stated=[t.text for i, t in s.at.items() if i < at],
            )

    def _counts(self, s: Shape, used: set[int]) -> None:
        for match in (*p.COUNT.finditer(s.text), *p.COUNT_AFTER.finditer(s.text)):
            self._mark(s, match.start(), match.end())
            at = match.start("v") if match.group("v") else None
            if at is not None and (at in used or not s.at[at].text.isdigit()):
                continue
            if match.group("w"):
                count = p.NUMBERS[match.group("w").lower()]
                if not re.search(
                    r"time|iteration|pass|round|turn|once|twice|thrice", match.group(0)
                ):
                    continue
            else:
                count = int(s.at[at].text)  # type: ignore[index]
                if not re.search(r"time|iteration|pass|round|turn", match.group(0)):
                    continue
            if at is not None:
                used.add(at)
            claim_count(self.place, count)
        never = p.NEVER_RUNS.search(s.text)
        if never and "loop" in s.text:
            self._mark(s, never.start(), never.end())
            claim_count(self.place, 0)

    def _branches(self, s: Shape, used: set[int]) -> None:
        match = p.ENTERS.search(s.text)
        if match:
            self._mark(s, match.start(), match.end())
        if match and self.kind == sections.SIMULATION:
            negated = bool(re.search(r"\b(?:not|never|skips?|skipping|without|n't)\b[^.,]*$", s.text[: match.start()])) or bool(
                re.search(r"^\W*(?:is|are) (?:not|skipped|never)", s.text[match.end() :])
            )  # fmt: skip
            which = match.group("which") or match.group("block")
            claim_branch(self.place, which.lower(), taken=not negated)

    def _equations(self, s: Shape, used: set[int]) -> None:
        for at, token in s.at.items():
            self._mark(s, at, at + 1)
            if token.mark != EQUATION or at in used:
                continue
            used.add(at)
            if self._quotes(token):
                continue
            if re.match(r"\W*(?:is|evaluates to|returns)\W*(?:" + VALUE + ")", s.text[at + 1 :]):
                follow = next((s.at[i] for i in sorted(s.at) if i > at), None)
                if follow is not None and follow.text in ("True", "False"):
                    self._truth(f"({token.left}) == ({token.right})", follow.text == "True")
                    continue
            self._chain(token)

    def _chain(self, token: Token) -> None:
        from semcoder_lib.monologues.verify.pieces import find

        left, right = token.left, token.right
        cut = find(left, " = ", last=True)
        if cut > 0:  # p = 0 + 4 = 4
            first, left = left[:cut].strip(), left[cut + 3 :].strip()
            if first.isidentifier() and literal(right) is not None:
                claim_value(self.place, first, right, after=True)
        if left.isidentifier():
            if literal(right) is not None:
                claim_value(self.place, left, right, after=True)
            return
        if literal(right) is not None:
            claim_expression(self.place, left, right)

    def _quotes(self, token: Token) -> bool:
        """A line of the program that is only quoted states nothing about its value."""
        layout = self.history.layout
        if layout is None or literal(token.right) is not None:
            return False
        return squeezed(token.text) in layout.texts.values()


_READABLE = {
    ord(CODE): "`",
    ord(VALUE): "V",
    ord(EQUATION): "=",
    ord(LABEL): "L",
    ord(FRAGMENT): "~",
}


def _ends_at(pattern: re.Pattern[str], text: str) -> int:
    """The place of the last character that the pattern matches at the start, or -1."""
    match = pattern.match(text)
    return match.end() - 1 if match else -1


def _named(subject: Token | None) -> str | None:
    return None if subject is None else subject.left or subject.text


def _code(token: Token) -> str:
    if token.mark == CODE and token.left:
        return token.left  # `if x > 3:` -> x > 3
    if token.mark == EQUATION:
        return f"({token.left}) == ({token.right})"
    return token.text


def _condition_like(code: str) -> bool:
    return bool(
        re.search(
            r"[<>=!]=|[<>]|\bin\b|\bnot\b|\band\b|\bor\b|\bis\b|\.(?:is\w+|startswith|endswith)\(",
            code,
        )
    )


def _calls_of(entry_point: str, code: str) -> tuple[str, ...]:
    return (code,) if code.startswith(entry_point + "(") and code.endswith(")") else ()
