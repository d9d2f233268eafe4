"""Turns a line of prose into words with one mark for each piece of code, value, equation or label,
so that sentence patterns need not know what values look like; and these patterns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from semcoder_lib.monologues.evaluator import literal, parse_expression
from semcoder_lib.monologues.forms import mask

CODE, VALUE, EQUATION, LABEL, FRAGMENT = "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
MARKS = CODE + VALUE + EQUATION + LABEL + FRAGMENT
_MAX_VALUE = 4_000  # characters of a value without quotes round it
_MAX_DEPTH = 40
# what states something: marks, and words that do more than connect
_WORD = re.compile(
    rf"\b(?!(?:and|but|so|then|the|an?|which|that|this|therefore|thus|also|now|here|we|it)\b)[^\W\d_]+"
    rf"|[{CODE}{VALUE}{EQUATION}{FRAGMENT}]",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\s+[—–]\s+|;")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line that is not words. `left`, `right` split an equation."""

    mark: str
    text: str
    start: int
    end: int
    left: str = ""
    right: str = ""
    ticked: bool = False  # was in backticks

    @property
    def code(self) -> str:
        """The token as an expression."""
        if self.mark == EQUATION:
            return f"({self.left}) == ({self.right})"
        return self.left or self.text  # `if x > 3:` -> x > 3


@dataclass(slots=True)
class Sentence:
    """Words and marks: `at[i]` is the token whose mark is at place `i` of `text`, which stands at
    `origin[i]` in the whole text. `used` are marks that a claim was made of."""

    text: str
    at: dict[int, Token]
    origin: list[int]
    used: set[int] = field(default_factory=set)

    def add_words(self, words: str, start: int) -> None:
        """Put words that start at `start` at the end; marks of emphasis are left out."""
        self.text += words.replace("*", "")
        self.origin += [start + i for i, letter in enumerate(words) if letter != "*"]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of `text` stands in the whole text."""
        if start >= end:
            return (self.origin[0], self.origin[0]) if self.origin else (0, 0)
        last = self.at.get(end - 1)
        size = last.end - last.start if last else 1
        return self.origin[start], self.origin[end - 1] + size

    def parts(self) -> Iterator[Sentence]:
        """The sentences of a line."""
        begin = 0
        for end, after in [*(m.span() for m in _SENTENCE.finditer(self.text)), (len(self.text), 0)]:
            tokens = {i - begin: t for i, t in self.at.items() if begin <= i < end}
            yield Sentence(self.text[begin:end], tokens, self.origin[begin:end])
            begin = after

    def unclaimed(self, claims: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The places of stretches that stand outside the places of claims and state something."""
        claimed = {o for a, b in claims for o in range(a, b)}
        free = [o not in claimed for o in self.origin]
        begin = 0
        for inside, group in itertools.groupby(free):
            end = begin + len(list(group))
            part = self.text[begin:end]
            if inside and _WORD.search(part):
                yield self.place(begin + len(part) - len(part.lstrip()), begin + len(part.rstrip()))
            begin = end


_COPULA_AHEAD = (
    r"(?=\s*(?:=|:=|→|->)|\s+(?:is|was|becomes?|became|equals?|goes|remains?|stays?|gets|has|holds?"
    r"|starts?|ends?|now|turns|keeps|drops|rises|grows|and \w+ (?:are|become))\b)"
)
# Any name: whether it is one of the program's is looked up, since a pattern for each program's
# names takes longer to compile than a text to read.
_NAME = rf"(?<![\w.\[`'\"])[^\W\d]\w*\b(?:\[[\w'\":-]+\])?{_COPULA_AHEAD}".replace(" ", r"\ ")
_NUMBER = r"-?\d+(?:\.\d+)?"
_PATTERN = re.compile(
    rf"""
 (?P<tick>``[^`\n]+``|`[^`\n]+`)
 |(?P<label>\[L\d{{1,9}}\]|(?<!\w)L\d{{1,9}}(?![\w\]])|(?<!\w)[Ll]ines?\ \d{{1,9}}(?!\w))
 |(?P<value>(?<![\w\]\\])(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(?!\w))
 |(?P<bracket>(?<![\w`])[\[({{])
 |(?P<sum>(?<![\w.`\])]){_NUMBER}(?:\s*(?:\*\*|//|[-+*/%])\s*{_NUMBER})+\s*=\s*{_NUMBER}(?!\w|\.\d))
 |(?P<plain>(?<![\w.]){_NUMBER}(?:[eE]-?\d+)?(?![\w%]|\.\d)|\b(?:True|False|None)\b)
 |(?P<empty>\b(?:an\ )?empty\ (?:string|list|dict|tuple|set)(?:ionary)?\b
    (?!\s*[,:]?\s*[`"'(\[{{]|\ \w+\ `|\ called|\ named))
 |(?P<name>{_NAME})
""",
    re.X,
)
# `the current x is 3` is not about x
_ADJECTIVE = re.compile(
    r"\b(?:the|an?|its|each|this|that|first|second|last|next|new|final|original|current|previous|every"
    r"|input|output|same|other|another|of|in|only|one|no|any|some|more) $",
    re.I,
)
_EMPTY = {"string": "''", "list": "[]", "dict": "{}", "tuple": "()", "set": "set()"}


def shape(line: str, names: frozenset[str], start: int) -> Sentence:
    """A line, which starts at `start` in the whole text, as words and marks. `names` are variables
    that may stand without backticks."""
    sentence = Sentence("", {}, [])
    done = position = 0
    while match := _PATTERN.search(line, position):
        token = _token(line, match, names)
        position = match.start() + 1 if token is None else token.end
        if token is None:
            continue
        name, between = sentence.at.get(len(sentence.text) - 1), line[done : token.start]
        bare = name and name.mark == CODE and token.mark == VALUE
        if name and bare and not (name.ticked or token.ticked) and between.strip("* ") in _SIGNS:
            # `n = 1` without backticks
            whole = line[name.start : token.end]
            token = Token(EQUATION, whole, name.start, token.end, name.text, token.text)
            sentence.text = sentence.text[:-1]
            sentence.origin.pop()
        else:
            sentence.add_words(between, start + done)
        sentence.at[len(sentence.text)] = token
        sentence.add_words(token.mark, start + token.start)
        done = token.end
    sentence.add_words(line[done:], start + done)
    return sentence


_SIGNS = ("=", "==", ":=")


def _token(line: str, match: re.Match[str], names: frozenset[str]) -> Token | None:
    kind, text, (start, end) = match.lastgroup, match.group(), match.span()
    if kind in ("tick", "sum"):
        text = text.strip("`").strip() if kind == "tick" else text
        mark, left, right = classify(text)
        return Token(mark, text, start, end, left, right, kind == "tick")
    if kind == "label":
        return Token(LABEL, re.sub(r"\D", "", text), start, end)
    if kind == "name":
        before = line[max(0, start - 20) : start]
        known = text.partition("[")[0] in names and not _ADJECTIVE.search(before)
        return Token(CODE, text, start, end) if known else None
    if kind == "bracket":
        end = _closing(line, start)
        text = line[start:end] if end > 0 else ""
        if text[:1] == "(" and not text.endswith(",)") and "," not in text:
            return None
    elif kind == "empty":
        text = _EMPTY[text.rsplit(" ", 1)[1].removesuffix("ionary")]
    return Token(VALUE, text, start, end) if literal(text) is not None else None


_STRING_OR_BRACKET = re.compile(
    r"(?<!\\)'(?:[^'\\\n]|\\.)*'|(?<!\\)\"(?:[^\"\\\n]|\\.)*\"|[\[\](){}]"
)


def _closing(line: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`, or -1."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(line, start, start + _MAX_VALUE):
        depth += (token[0] in "[({") - (token[0] in "])}")
        if depth == 0:
            return token.end()
        if depth > _MAX_DEPTH:
            break
    return -1


def last_of(text: str, separator: str) -> int:
    """The last place of a separator outside quotes and brackets, or -1."""
    return (mask(text) or "").rfind(separator)


@lru_cache(maxsize=16384)
def classify(code: str) -> tuple[str, str, str]:
    """What a piece of code is: a literal, an expression, an equation (with its two sides) or a
    fragment."""
    if not code:
        return FRAGMENT, "", ""
    if literal(code) is not None:
        return VALUE, "", ""
    if parse_expression(code) is not None:
        return CODE, "", ""
    for sign in (" = ", " → ", " -> ", " := ", "="):
        cut = last_of(code, sign)
        if cut > 0 and code[cut - 1] not in "<>!+-*/%&|^=:" and code[cut + 1 : cut + 2] != "=":
            return EQUATION, code[:cut].strip(), code[cut + len(sign) :].strip()
    head = re.match(r"(?:el)?(?:if|while)\s+(.*?):?$", code, re.S)
    if head and parse_expression(head.group(1)) is not None:
        return CODE, head.group(1), ""
    return FRAGMENT, "", ""


C, V, E, L = CODE, VALUE, EQUATION, LABEL
ANY = f"[{C}{V}]"
_BLOCKS = re.findall(
    r"^([A-Z_]+)\n((?:    .*\n)+)", Path(__file__).with_suffix(".txt").read_text("utf-8"), re.M
)
_TEXTS = {name: body[4:-1].replace("\n    ", "") for name, body in _BLOCKS}
_TEXTS |= {"C": C, "V": V, "E": E, "L": L, "ANY": ANY, "MARKS": MARKS}
NUMBERS = {word: n for n, word in enumerate(_TEXTS["COUNTED"].split("|"))}
NUMBERS |= {"once": 1, "twice": 2, "thrice": 3}
ORDINALS = dict(zip(_TEXTS["ORDERED"].split("|"), range(1, 21), strict=True), last=-1, final=-1)
_TEXTS |= {"ORDINALS": "|".join(ORDINALS), "NUMBERS": "|".join(NUMBERS)}


def _text(name: str) -> str:
    return re.sub(r"\{([A-Z]+)\}", lambda part: _text(part[1]), _TEXTS[name])


def __getattr__(name: str) -> re.Pattern[str]:
    """The pattern of a name in `patterns.txt`, compiled when it is first asked for."""
    if name not in _TEXTS:
        raise AttributeError(name)
    return globals().setdefault(name, re.compile(_text(name), re.I))


def _relation(row: str) -> tuple[re.Pattern[str], str]:
    code, words, verbs = (cell.strip() for cell in row.replace("V)", f"{V})").split(" ;"))
    stated = (
        r"(?:is|are|was|were|does|do|did)(?P<not> not|n't| never| no longer)?"
        rf" (?:(?:already|yet|also|currently|even) )?(?:{words})"
    )
    verb = f"(?:{stated}|{verbs})" if verbs else stated
    words = rf"(?P<a>{ANY})(?: \([^()]*\))?,? {verb} (?:the )?(?:\w+ )?(?P<b>{ANY})"
    return re.compile(words, re.I), code


RELATIONS = [_relation(row) for row in dict(_BLOCKS)["RELATIONS"].splitlines()]
