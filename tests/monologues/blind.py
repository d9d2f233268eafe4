"""Alterations of texts by a tokenizer that knows words, numbers, strings, labels and clauses, and
nothing of the forms that the verifier reads."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+|[A-Za-z_]+|'[^'\n]*'")
_LABEL = re.compile(r"\[?L\d+\]?")
_CLAUSE = re.compile(r"[^;,.\n]+[;,.]")
_WORDS = [
    "is", "not", "nothing", "changes", "total", "value", "item", "True", "False", "None", "so",
    "the", "last", "returns", "begins", "break", "continue", "at", "and", "0", "1", "can", "must",
    "every", "no",
]  # fmt: skip


@dataclass(frozen=True)
class Alteration:
    """One altered text: what stood at `start`, and what stands there now."""

    text: str
    how: str
    start: int
    old: str
    new: str

    @property
    def line(self) -> str:
        """The altered line, for a person to look at."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        return self.text[begin:].partition("\n")[0]


def alterations(text: str, rng: random.Random, count: int) -> Iterator[Alteration]:
    """Up to `count` alterations before the text's answer, each of one place."""
    body = text.partition("[/MONOLOGUE]")[0]
    tokens = list(_TOKEN.finditer(body))
    numbers = [t for t in tokens if t[0].isdigit()]
    words = [t for t in tokens if t[0][0].isalpha() or t[0][0] == "_"]
    strings = [t for t in tokens if t[0][0] == "'" and len(t[0]) > 2]
    labels, clauses = list(_LABEL.finditer(body)), list(_CLAUSE.finditer(body))
    vocabulary = [w[0] for w in words] + _WORDS
    pools = {
        "number": numbers,
        "word": words,
        "string": strings,
        "label": labels,
        "clause": clauses,
    }
    for _ in range(count):
        how = rng.choice([*pools, "swap"])
        if how == "swap":
            if len(words) > 1:
                at = rng.randrange(len(words) - 1)
                a, b = words[at], words[at + 1]
                new = b[0] + body[a.end() : b.start()] + a[0]
                yield from _made(text, how, a.start(), b.end(), new)
            continue
        if not pools[how]:
            continue
        token = rng.choice(pools[how])
        old = token[0]
        if how == "number":
            n = int(old) if len(old) < 16 else 0
            new = str(rng.choice([n + 1, max(0, n - 1), 2 * n + 3, n + 10]))
        elif how == "word":
            new = rng.choice(vocabulary)
        elif how == "string":
            at = rng.randrange(1, len(old) - 1)
            new = old[:at] + rng.choice("abcxyz019") + old[at + 1 :]
        elif how == "label":
            shift = rng.choice([-2, -1, 1, 2, 3])
            new = re.sub(r"\d+", lambda m: str(max(1, int(m[0]) + shift)), old)  # noqa: B023
        else:
            new = rng.choice(clauses)[0]
        yield from _made(text, how, token.start(), token.end(), new)


def _made(text: str, how: str, start: int, end: int, new: str) -> Iterator[Alteration]:
    old = text[start:end]
    if new != old:
        yield Alteration(text[:start] + new + text[end:], how, start, old, new)
