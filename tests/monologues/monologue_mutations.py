"""Alters one fact of a correct monologue: the harness behind the verifier's error-catching test.

Works on the text alone. Each alteration names its kind; every one makes the text false.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

from semcoder_lib.core import values

_VALUE = re.compile(
    r"(?<![=<>!]) = (?P<v>-?\d+(?:\.\d+)?|'[^'\n]*'|True|False|None|\[[^\[\]\n]*\])(?=[,;.]|$| )",
    re.M,
)
_STEP = re.compile(r"^\[L(\d+)\] .*$", re.M)
_NEXT = re.compile(r"so \[L(\d+)\]")
_TRUTH = re.compile(r"\bis (True|False)\b")
_COUNT = re.compile(
    r"(?P<a>after |: )(?P<n>\d+)(?P<b> iterations?\b| items?\b)|(?P<i>iteration #)(?P<k>\d+)"
)
_RETURN = re.compile(r"returns (?P<v>\S.*)\.$", re.M)


def other(text: str, chance: random.Random) -> str | None:
    """The text of another value of the same type."""
    try:
        value = values.decode(text)
    except values.NotALiteral:
        return None
    return values.encode(_changed(value, chance))


def _changed(value: object, chance: random.Random) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice([-2, -1, 1, 2])
    if isinstance(value, float):
        return value + 1.5
    if isinstance(value, str):
        return value + "q" if not value or chance.random() < 0.5 else value[:-1]
    if isinstance(value, list) and value:
        at = chance.randrange(len(value))
        if chance.random() < 0.3:
            return [*value[:at], *value[at + 1 :]]
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    if isinstance(value, list):
        return [0]
    if isinstance(value, tuple) and value:
        return (*value[:-1], _changed(value[-1], chance))
    if isinstance(value, dict) and value:
        key = chance.choice(list(value))
        return {**value, key: _changed(value[key], chance)}
    if value is None:
        return 0
    return None


def _simulation(text: str) -> tuple[int, int]:
    start = text.index("### Execution Simulation")
    return start, text.index("### Conclusion", start)


def alterations(text: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, altered text), at most one for each kind of fact that the text has."""
    start, end = _simulation(text)
    body = text[start:end]

    def put(at: int, until: int, new: str) -> str:
        return text[: start + at] + new + text[start + until :]

    found = list(_VALUE.finditer(body))
    if found:
        match = chance.choice(found)
        new = other(match.group("v"), chance)
        if new is not None and new != match.group("v"):
            yield "value", put(match.start("v"), match.end("v"), new)
    found = list(_TRUTH.finditer(body))
    if found:
        match = chance.choice(found)
        new = "False" if match.group(1) == "True" else "True"
        yield "branch", put(match.start(1), match.end(1), new)
    found = list(_NEXT.finditer(body))
    labels = sorted(set(re.findall(r"\[L(\d+)\]", body)))
    if found and len(labels) > 1:
        match = chance.choice(found)
        new = chance.choice([n for n in labels if n != match.group(1)])
        yield "next", put(match.start(1), match.end(1), new)
    steps = list(_STEP.finditer(body))
    pairs = [(a, b) for a, b in itertools.pairwise(steps) if a.group(1) != b.group(1)]
    if pairs:
        a, b = chance.choice(pairs)
        yield "order", put(a.start(), b.end(), b.group() + "\n" + a.group())
    found = list(_COUNT.finditer(body))
    if found:
        match = chance.choice(found)
        group = "n" if match.group("n") else "k"
        new = str(int(match.group(group)) + chance.choice([1, 2]))
        yield "iterations", put(match.start(group), match.end(group), new)
    found = list(_RETURN.finditer(body))
    if found:
        match = found[-1]
        new = other(match.group("v"), chance)
        if new is not None and new != match.group("v"):
            yield "return", put(match.start("v"), match.end("v"), new)
    at = text.rindex(" == ") + 4
    until = text.index("\n", at)
    new = other(text[at:until], chance)
    if new is not None and new != text[at:until]:
        yield "answer", text[:at] + new + text[until:]


PROPERTY_CHANGES = (
    ("is always an int", "is always a str"),
    ("is always a str", "is always a list"),
    ("is always a list", "is always a tuple"),
    ("is always a bool", "is always a str"),
    ("is always at least 0", "is always at least 50"),
    ("as many items as", "more items than"),
    ("in ascending order", "in descending order"),
    ("is an int", "is a str"),
    ("does not matter", "matters never the result"),
)


def property_alterations(text: str) -> Iterator[tuple[str, str]]:
    """One altered text for each property bullet that has an opposite."""
    for old, new in PROPERTY_CHANGES[:-1]:
        at = text.find(old)
        if at >= 0:
            yield "property", text[:at] + new + text[at + len(old) :]
