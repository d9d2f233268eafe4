"""A function body under construction: its lines, what they say, and which values still wait to be
used, so that nothing is computed in vain."""

from __future__ import annotations

from dataclasses import dataclass, field

from semcoder_lib.corpus.seeds.synthesiser.expressions import Draw, Expr, variable


@dataclass(slots=True)
class Body:
    """`pending` are values that nothing has read yet, oldest first; a finished body has none."""

    draw: Draw
    scope: list[Expr] = field(default_factory=list)
    pending: list[Expr] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    owned: set[str] = field(default_factory=set)  # lists and dicts made here, free to be changed

    def line(self, text: str, indent: int = 0) -> None:
        """Adds one line at a nesting depth (of the function's body)."""
        self.lines.append("    " * (indent + 1) + text)

    def say(self, sentence: str) -> None:
        """Adds a sentence to the description."""
        self.sentences.append(sentence[:1].upper() + sentence[1:])

    def used(self, *expressions: Expr) -> None:
        """Takes the variables that expressions read off the pending ones."""
        read = frozenset().union(*(e.uses for e in expressions))
        self.pending = [p for p in self.pending if p.code not in read]

    def made(self, name: str, kind: str, *, owned: bool = False) -> Expr:
        """A new or changed variable, pending."""
        value = variable(name, kind)
        self.scope = [e for e in self.scope if e.code != name] + [value]
        self.pending = [p for p in self.pending if p.code != name] + [value]
        if owned:
            self.owned.add(name)
        return value

    def others(self, *without: Expr) -> list[Expr]:
        """Second operands for an expression: pending values twice, so that they are likelier."""
        names = {e.code for e in without}
        pending = [p for p in self.pending if p.code not in names]
        return pending + [e for e in self.scope if e.code not in names]
