"""Turns a line of prose into a shape: words, with one character for each piece of code, value,
equation or label, so that sentence patterns need not know what values look like."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from semcoder_lib.monologues.evaluator import literal, parse_expression
from semcoder_lib.monologues.template import mask

CODE, VALUE, EQUATION, LABEL, FRAGMENT = "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
MARKS = CODE + VALUE + EQUATION + LABEL + FRAGMENT


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


@dataclass(frozen=True, slots=True)
class Shape:
    """A line's words and marks; `at[i]` is the token whose mark is at place `i` of `text`."""

    text: str
    at: dict[int, Token]
    begin: int = 0  # where the text starts in the line

    def origin(self, place: int) -> int:
        """The place in the line of a place in `text`."""
        if place in self.at:
            return self.at[place].start
        before = max((i for i in self.at if i < place), default=None)
        if before is None:
            return self.begin + place
        return self.at[before].end + place - before - 1


_NAME_BEFORE = r"(?<![\w.\[`'\"])(?<!the )(?<!The )(?<!a )(?<!an )(?<!its )(?<!each )(?<!this )"
_COPULA_AHEAD = (
    r"(?=\s*(?:=|:=|→|->)|\s+(?:is|was|becomes?|became|equals?|goes|remains?|stays?|gets|has|holds?"
    r"|starts?|ends?|now|turns|keeps|drops|rises|grows|and \w+ (?:are|become))\b)"
)
_BASE = r"""
 (?P<double>``[^`\n]+``)
 |(?P<tick>`[^`\n]+`)
 |(?P<label>\[L\d+\]|(?<!\w)L\d+(?![\w\]])|(?<!\w)[Ll]ines?\ \d+(?!\w))
 |(?P<string>(?<![\w\]])(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(?!\w))
 |(?P<bracket>(?<![\w`])[\[({])
 |(?P<sum>(?<![\w.`\])])-?\d+(?:\.\d+)?(?:\s*(?:\*\*|//|[-+*/%])\s*-?\d+(?:\.\d+)?)+\s*=\s*-?\d+(?:\.\d+)?(?!\w|\.\d))
 |(?P<number>(?<![\w.])-?\d+(?:\.\d+)?(?:[eE]-?\d+)?(?![\w%]|\.\d))
 |(?P<constant>\b(?:True|False|None)\b)
 |(?P<empty>\b(?:an\ )?empty\ (?:string|list|dictionary|dict|tuple|set)\b(?!\s*[,:]?\s*[`"'(\[{]|\ \w+\ `|\ called|\ named))
"""


# any name: whether it is one of the program's is looked up, since a pattern for each program's names
# takes longer to compile than a text to read
_NAME = rf"{_NAME_BEFORE}[^\W\d]\w*\b(?:\[[\w'\":-]+\])?{_COPULA_AHEAD}".replace(" ", r"\ ")
_PATTERN = re.compile(rf"{_BASE}|(?P<name>{_NAME})", re.X)


def shape(line: str, names: frozenset[str]) -> Shape:
    """The shape of a line. `names` are variables that may stand without backticks."""
    out: list[str] = []
    at: dict[int, Token] = {}
    length = 0
    done = 0
    position = 0
    while True:
        match = _PATTERN.search(line, position)
        if match is None:
            break
        if match.lastgroup == "name" and match.group().partition("[")[0] not in names:
            position = match.start() + 1
            continue
        token = _token(line, match)
        if token is None:
            position = match.start() + 1
            continue
        words = line[done : token.start].replace("*", "")
        if out and not token.ticked and token.mark == VALUE and _joins(at, length, words):
            previous = at.pop(length - 1)  # `n = 1` without backticks
            out.pop()
            length -= 1
            token = Token(EQUATION, line[previous.start : token.end], previous.start, token.end,
                          previous.text, token.text)  # fmt: skip
            words = ""
        out.append(words)
        length += len(words)
        out.append(token.mark)
        at[length] = token
        length += 1
        done = position = token.end
    out.append(line[done:].replace("*", ""))
    return Shape("".join(out), at)


def _joins(at: dict[int, Token], length: int, words: str) -> bool:
    previous = at.get(length - 1)
    return (
        previous is not None
        and previous.mark == CODE
        and not previous.ticked
        and words.strip() in ("=", "==", ":=")
    )


def _token(line: str, match: re.Match[str]) -> Token | None:
    kind = match.lastgroup
    start, end = match.span()
    text = match.group()
    if kind == "double":
        return _ticked(text[2:-2].strip(), start, end)
    if kind == "tick":
        return _ticked(text[1:-1], start, end)
    if kind == "label":
        return Token(LABEL, re.sub(r"\D", "", text), start, end)
    if kind == "sum":
        mark, left, right = classify(text)
        return Token(mark, text, start, end, left, right)
    if kind == "bracket":
        end = _closing(line, start)
        if end < 0:
            return None
        text = line[start:end]
        if literal(text) is None or (
            text[0] == "(" and not text.endswith(",)") and "," not in text
        ):
            return None
        return Token(VALUE, text, start, end)
    if kind == "empty":
        return Token(VALUE, _EMPTY[text.rsplit(" ", 1)[1]], start, end)
    if kind == "name" and _ADJECTIVE.search(line[:start]):
        return None
    if kind == "name":
        return Token(CODE, text, start, end)
    if kind == "string":
        return Token(VALUE, text, start, end) if literal(text) is not None else None
    return Token(VALUE, text, start, end)


_STRING_OR_BRACKET = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[\[\](){}]")


def _closing(line: str, start: int) -> int:
    """The place after the bracket that closes the one at `start`, or -1."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(line, start):
        if token[0] in "[({":
            depth += 1
        elif token[0] in "])}":
            depth -= 1
            if depth == 0:
                return token.end()
    return -1


def last_of(text: str, separator: str) -> int:
    """The last place of a separator outside quotes and brackets, or -1."""
    return (mask(text) or "").rfind(separator)


_ADJECTIVE = re.compile(
    r"\b(?:first|second|third|last|next|new|final|original|current|previous|input|output|every|same|other"
    r"|another|that|of|in|left|right|remaining|whole|entire|longest|only|one|no|any|some|more) $",
    re.I,
)
_EMPTY = {
    "string": "''", "list": "[]", "dictionary": "{}", "dict": "{}", "tuple": "()", "set": "set()",
}  # fmt: skip


def _ticked(code: str, start: int, end: int) -> Token:
    mark, left, right = classify(code)
    return Token(mark, code.strip(), start, end, left, right, True)


_EQUALS = (" = ", " == ", " → ", " -> ", " := ", "=")


@lru_cache(maxsize=16384)
def classify(code: str) -> tuple[str, str, str]:
    """What a piece of code is: a literal, an expression, an equation (with its two sides) or a
    fragment."""
    bare = code.strip()
    if not bare:
        return VALUE if code else FRAGMENT, "", ""
    if literal(bare) is not None:
        return VALUE, "", ""
    node = parse_expression(bare)
    if node is not None and not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)):
        return CODE, "", ""
    if isinstance(node, ast.Compare):
        return CODE, "", ""
    for sign in _EQUALS:
        cut = last_of(bare, sign)
        if cut > 0 and bare[cut - 1] not in "<>!+-*/%&|^=:" and bare[cut + 1 : cut + 2] != "=":
            return EQUATION, bare[:cut].strip(), bare[cut + len(sign) :].strip()
    head = re.match(r"(?:el)?(?:if|while)\s+(.*?):?$|return\s+(.*)$|else:?$", bare, re.S)
    if head and head.group(1) and parse_expression(head.group(1)) is not None:
        return CODE, head.group(1), ""
    return FRAGMENT, "", ""
