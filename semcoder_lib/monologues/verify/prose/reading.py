"""The sentence that is read, and the state of reading that sentences share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from semcoder_lib.monologues.verify import text as sections
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.prose.place import Place
from semcoder_lib.monologues.verify.prose.tokens import Shape, Token


@dataclass(slots=True)
class Sentence:
    """A sentence's words and marks, and which marks a claim was made of already."""

    text: str
    at: dict[int, Token]
    shape: Shape
    base: int  # where its line starts in the whole text
    used: set[int] = field(default_factory=set)


class Reading:
    """What is being read, and what was read before that the next sentence may refer to."""

    def __init__(
        self,
        cursor: Cursor,
        entry_point: str,
        expected: tuple[Any] | None,
        backward: bool,
    ) -> None:
        self.cursor = cursor
        self.ledger = cursor.ledger
        self.history = cursor.history
        self.entry_point = entry_point
        self.expected = expected
        self.backward = backward
        self.place = Place(cursor)
        self.kind = sections.SIMULATION
        self.subject: Token | None = None  # the code that was named last
        self.zero_based: bool | None = None  # how the text counts iterations, once it is known

    def begin(self, kind: str) -> None:
        """Start a section: outside the simulation, what is said may be about any moment."""
        self.kind = kind or sections.SIMULATION
        self.place.anytime = self.kind in (sections.FUNCTION, sections.CONCLUSION)
        self.place.musing = self.backward
        self.place.leave()
        self.subject = None

    def mark(self, s: Sentence, start: int, end: int) -> None:
        """The claims that follow are about these words."""
        last = s.at[end - 1].end if end - 1 in s.at else s.shape.origin(end)
        self.ledger.place = (s.base + s.shape.origin(start), s.base + last)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that may stand in prose without backticks: the program's."""
        known = set(self.history.variables)
        for node in ast.walk(self.history.syntax.tree) if self.history.syntax else ():
            known.add(getattr(node, "id", getattr(node, "arg", None)) or "")
        return frozenset(n for n in known if n.isidentifier())
