"""The project's notation for argument types (`list[int]`, `dict[str, list[int]]`,
`tuple[int, ...]`, `any`) as a small tree."""

from __future__ import annotations

import functools
from dataclasses import dataclass

PLAIN = frozenset({"int", "float", "str", "bool", "bytes", "None", "any", "range"})
CONTAINERS = frozenset(
    {"list", "set", "frozenset", "tuple", "dict", "deque", "Counter", "defaultdict", "OrderedDict"}
)


@dataclass(frozen=True, slots=True)
class Type:
    """A type's name and the types inside; `many` marks `tuple[int, ...]`."""

    name: str
    inner: tuple[Type, ...] = ()
    many: bool = False

    def __str__(self) -> str:
        if not self.inner:
            return self.name
        parts = [str(t) for t in self.inner] + (["..."] if self.many else [])
        return f"{self.name}[{', '.join(parts)}]"


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """The tree of a type's text; an unknown name becomes `any`."""
    made, end = _parse(text.strip(), 0)
    if end != len(text.strip()):
        raise ValueError(f"not a type: {text!r}")
    return made


def _parse(text: str, at: int) -> tuple[Type, int]:
    start = at
    while at < len(text) and (text[at].isalnum() or text[at] in "_."):
        at += 1
    name = text[start:at]
    inner: list[Type] = []
    many = False
    if at < len(text) and text[at] == "[":
        at += 1
        while True:
            while at < len(text) and text[at] == " ":
                at += 1
            if text.startswith("...", at):
                many, at = True, at + 3
            else:
                part, at = _parse(text, at)
                inner.append(part)
            if at >= len(text):
                raise ValueError(f"not a type: {text!r}")
            at += 1
            if text[at - 1] == "]":
                break
    if name not in PLAIN and name not in CONTAINERS:
        return Type("any"), at
    return Type(name, tuple(inner), many), at
