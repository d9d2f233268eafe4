"""Statements about the result or an argument of any run ("the result is always sorted"): from words
to a test of one run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import (
    Cannot,
    Given,
    Raises,
    equals,
    evaluate,
    literal,
    parse,
)
from semcoder_lib.monologues.verify.properties.types import TYPES, has_type
from semcoder_lib.monologues.verify.runs import Run, Test

_RESULT = r"(?:the |its |this function's )?(?:result|output|return(?:ed)? value|returned \w+|answer|value returned|`result`)"
_ALWAYS = r"(?:(?:always|never|must|will|is guaranteed to|has to|should|can only) ?)*"


def _sorted(value: Any, descending: bool) -> bool | None:
    try:
        pairs = list(zip(value, list(value)[1:], strict=False))
        return all(a >= b for a, b in pairs) if descending else all(a <= b for a, b in pairs)
    except TypeError:
        return None


class Predicates:
    """Turns a sentence into a `Test`. `parameters` are the entry point's, in order."""

    def __init__(self, parameters: tuple[str, ...], entry_point: str) -> None:
        self.parameters = parameters
        self.entry_point = entry_point
        names = "|".join(map(re.escape, sorted(parameters, key=len, reverse=True))) or r"\Z"
        self.name = rf"(?:the )?(?:input |argument |parameter |list |string )?`?(?P<p>{names})`?"
        self.subject = rf"(?P<s>{_RESULT}|(?:the )?(?:input |argument |parameter )?`?(?:{names})`?)"

    def read(self, sentence: str) -> tuple[str, str, Test] | None:
        """(subject, what is said of it, the test), or None when the sentence is not understood."""
        text = sentence.strip().rstrip(".").strip()
        text = re.sub(r"\s*\(held on [\d,]+ inputs?\)$", "", text).rstrip(".")
        for build in (
            self._order, self._length, self._range, self._type, self._items, self._equal,
            self._code,
        ):  # fmt: skip
            found = build(text)
            if found is not None:
                return found
        return None

    def _of(self, subject: str) -> Callable[[Run], Any] | None:
        bare = subject.strip()
        if re.fullmatch(_RESULT, bare, re.I):
            return lambda run: run[2] if run[1] == "ok" else _SKIP
        name = re.sub(r"^(?:the )?(?:input |argument |parameter |list |string )?", "", bare).strip(
            "`"
        )
        if name in self.parameters:
            return lambda run: run[0].get(name, _SKIP)
        return None

    def _test(self, subject: str, check: Callable[[Any, Run], bool | None]) -> Test | None:
        get = self._of(subject)
        if get is None:
            return None

        def test(run: Run) -> bool | None:
            value = get(run)
            if value is _SKIP or run[1] != "ok":
                return None
            try:
                return check(value, run)
            except (TypeError, ValueError, IndexError, KeyError, ArithmeticError):
                return False

        return test

    def _made(
        self, subject: str, said: str, check: Callable[[Any, Run], bool | None]
    ) -> tuple[str, str, Test] | None:
        test = self._test(subject, check)
        return None if test is None else (subject, said, test)

    def _order(self, text: str) -> tuple[str, str, Test] | None:
        match = re.match(
            rf"{self.subject} (?:is|are|comes out|comes back|will be)? ?{_ALWAYS}(?:is |be |in )?(?:sorted|ordered)?(?: in| from)? ?(?P<o>(?:strictly )?ascending|increasing|descending|decreasing|sorted|smallest to largest|largest to smallest|non-decreasing|non-increasing)(?: order)?$",
            text,
            re.I,
        )
        if not match:
            return None
        down = bool(
            re.search(r"descend|decreas(?!.*non)|largest to", match.group("o"), re.I)
        ) and "non-decreas" not in match.group("o")
        down = down or "non-increas" in match.group("o")
        return self._made(match.group("s"), match.group("o"), lambda v, r: _sorted(v, down))

    def _length(self, text: str) -> tuple[str, str, Test] | None:
        match = re.match(
            rf"{self.subject} {_ALWAYS}(?:has|have|contains?|is|holds?)? ?{_ALWAYS}(?P<how>as many (?:items|characters|elements|entries) as|the same (?:number of \w+|length|size)(?: as)?|never more (?:items|characters|elements|entries) than|more (?:items|characters|elements|entries) than|at least as many (?:items|characters|elements|entries) as|at most as many (?:items|characters|elements|entries) as|no more (?:items|characters|elements|entries) than|as long as|no longer than|never longer than|at least as long as|never shorter than|no shorter than) {self.name}(?: has| does)?$",
            text,
            re.I,
        )
        if match:
            how, other = match.group("how").lower(), match.group("p")
            least = "at least" in how or "shorter" in how
            most = "no more" in how or "longer" in how or "at most" in how
            more = how.startswith(("more", "never more"))
            if more and re.search(r"\bnever\b", text, re.I):
                most = True

            def check(value: Any, run: Run) -> bool:
                a, b = len(value), len(run[0][other])
                return a <= b if most else a >= b if least else a > b if more else a == b

            return self._made(match.group("s"), how, check)
        match = re.match(
            rf"(?:the )?(?:length|size) of {self.subject} {_ALWAYS}(?:is|equals|be|stays) {_ALWAYS}(?:the same as|equal to)? ?(?:the )?(?:(?:length|size) of )?{self.name}(?: length)?$",
            text,
            re.I,
        )
        if match:
            other = match.group("p")
            return self._made(match.group("s"), "length", lambda v, r: len(v) == len(r[0][other]))
        match = re.match(
            rf"{self.subject} {_ALWAYS}(?:has|contains?|holds?) {_ALWAYS}(?:exactly )?(?P<n>\d+) (?:items?|characters?|elements?|entries|keys?)$",
            text,
            re.I,
        )
        if match:
            count = int(match.group("n"))
            return self._made(match.group("s"), f"{count} items", lambda v, r: len(v) == count)
        return None

    def _range(self, text: str) -> tuple[str, str, Test] | None:
        number = r"-?\d+(?:\.\d+)?"
        match = re.match(
            rf"{self.subject} (?:is|are|lies|stays|falls|must be|will be|can be)? ?{_ALWAYS}(?:be )?(?P<how>at least|at most|greater than|less than|more than|no less than|no more than|no greater than|between|larger than|smaller than|above|below|non-negative|positive|negative|not negative|zero or more|zero or greater|greater than or equal to|less than or equal to)(?: or equal to)?(?: `?(?P<a>{number})`?)?(?: (?:and|to) `?(?P<b>{number})`?)?$",
            text,
            re.I,
        )
        if not match:
            return None
        how = match.group("how").lower()
        said = f"{how} {match.group('a') or ''}"
        never = bool(re.search(r"\bnever\b", text)) and "negative" in how
        low = float(match.group("a") or 0)
        high = float(match.group("b") or 0)
        if "or equal to" in text and how in ("greater than", "less than", "more than"):
            how = "at least" if how != "less than" else "at most"
        tests: dict[str, Callable[[Any], bool]] = {
            "at least": lambda v: v >= low, "no less than": lambda v: v >= low,
            "greater than or equal to": lambda v: v >= low,
            "less than or equal to": lambda v: v <= low,
            "at most": lambda v: v <= low, "no more than": lambda v: v <= low,
            "no greater than": lambda v: v <= low, "greater than": lambda v: v > low,
            "more than": lambda v: v > low, "larger than": lambda v: v > low,
            "above": lambda v: v > low, "less than": lambda v: v < low,
            "smaller than": lambda v: v < low, "below": lambda v: v < low,
            "between": lambda v: low <= v <= high, "non-negative": lambda v: v >= 0,
            "not negative": lambda v: v >= 0, "zero or more": lambda v: v >= 0,
            "zero or greater": lambda v: v >= 0, "positive": lambda v: v > 0,
            "negative": lambda v: v >= 0 if never else v < 0,
        }  # fmt: skip
        act = tests[how]
        return self._made(match.group("s"), said, lambda v, r: bool(act(v)))

    def _type(self, text: str) -> tuple[str, str, Test] | None:
        kinds = "|".join(TYPES)
        match = re.match(
            rf"(?:every|each) (?:item|element|character|entry|member) (?:of|in) {self.subject} (?:is|must be|will be) {_ALWAYS}(?:an? )?(?P<t>(?:{kinds})(?:(?:,| or|, or) (?:an? )?(?:{kinds}))*)$",
            text,
            re.I,
        )
        if match:
            names = re.findall(rf"\b(?:{kinds})\b", match.group("t"))
            return self._made(
                match.group("s"), f"items {names}", lambda v, r: all(has_type(x, names) for x in v)
            )
        subject = (
            rf"(?:{self.subject}|(?P<f>(?:the |this )?function|`?{re.escape(self.entry_point)}`?))"
        )
        match = re.match(
            rf"{subject} (?:is|returns?|must be|will be|should be|are|produces|expects|takes|will return)? ?{_ALWAYS}(?:expected to be |assumed to be |be |is |returns? |return )?{_ALWAYS}(?:an? )?(?P<t>(?:{kinds})(?:(?:,| or|, or) (?:an? )?(?:{kinds}))*)(?: of (?P<inner>{kinds})s?)?$",
            text,
            re.I,
        )
        if match:
            names = re.findall(rf"\b(?:{kinds})\b", match.group("t"))
            inner = match.group("inner")
            subject_text = match.group("s") or "result"

            def check(value: Any, run: Run) -> bool:
                return has_type(value, names) and (
                    not inner or all(has_type(x, [inner]) for x in value)
                )

            if match.group("f") and not re.search(r"returns?\b", text):
                return None
            return self._made(subject_text, f"{names}", check)
        return None

    def _items(self, text: str) -> tuple[str, str, Test] | None:
        match = re.match(
            rf"{self.subject} (?:never repeats an? (?:item|element|character)|{_ALWAYS}(?:has|have|contains?|holds?) (?:no (?:duplicates?|repeated \w+|repeats)|only (?:unique|distinct) \w+)|has no duplicate \w+|{_ALWAYS}contains? unique \w+)$",
            text,
            re.I,
        )
        if match:
            return self._made(
                match.group("s"),
                "no repeats",
                lambda v, r: all(x not in list(v)[:i] for i, x in enumerate(v)),
            )
        match = re.match(
            rf"{self.subject} {_ALWAYS}(?:holds?|contains?|has|consists? of|is made of) only (?:the )?(?:items|elements|characters|letters|values|keys) (?:of|from|in|that (?:are|occur|appear) in) {self.name}$",
            text,
            re.I,
        ) or re.match(
            rf"(?:every|each) (?:item|element|character) (?:of|in) {self.subject} (?:is|comes from|is (?:taken )?from|occurs|appears)(?: also)?(?: an (?:item|element) of| in| one of the items of)? ?{self.name}$",
            text,
            re.I,
        )
        if match:
            other = match.group("p")
            return self._made(
                match.group("s"), f"items of {other}", lambda v, r: all(x in r[0][other] for x in v)
            )
        match = re.match(rf"{self.subject} is {_ALWAYS}(?:one of|either) (?P<v>.+)$", text, re.I)
        if match:
            listed = [
                literal(x.strip(" `"))
                for x in pieces.split(match.group("v"), ", ", " or ", " and ")
            ]
            if listed and all(x is not None for x in listed):
                options = [x[0] for x in listed if x is not None]
                return self._made(
                    match.group("s"),
                    match.group("v"),
                    lambda v, r: any(equals(o, v) for o in options),
                )
        return None

    def _equal(self, text: str) -> tuple[str, str, Test] | None:
        match = re.match(
            rf"{self.subject} (?:is )?{_ALWAYS}(?:equals|equal to|the same as|identical to|be equal to) {self.name}$",
            text,
            re.I,
        )
        if match:
            other = match.group("p")
            return self._made(
                match.group("s"), f"equals {other}", lambda v, r: equals(v, r[0][other])
            )
        match = re.match(
            rf"{self.subject} is {_ALWAYS}a (?:permutation|rearrangement|reordering) of {self.name}$",
            text,
            re.I,
        )
        if match:
            other = match.group("p")
            return self._made(
                match.group("s"),
                f"permutation of {other}",
                lambda v, r: sorted(map(repr, v)) == sorted(map(repr, r[0][other])),
            )
        return None

    def _code(self, text: str) -> tuple[str, str, Test] | None:
        """A condition in code over the parameters and `result`."""
        match = re.search(
            r"`([^`]+)`(?: always holds?| holds?| is always true)?$", text
        ) or re.match(r"(.*\S) (?:always )?holds$", text)
        if not match:
            return None
        code = match.group(1)
        node = parse(code)
        if node is None or "result" not in code or not re.search(r"[<>=!]=|[<>]|\bin\b", code):
            return None

        def check(value: Any, run: Run) -> bool | None:
            try:
                return bool(evaluate(code, Given({**run[0], "result": value})))
            except (Cannot, Raises):
                return None

        return self._made("the result", code, check)


_SKIP = object()
