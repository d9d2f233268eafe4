"""Writes a function from the templates, step by step, in code and in English."""

from __future__ import annotations

import collections
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from semcoder_lib.corpus.seeds.templates import Grammar, Slot, Template, Text, is_type, names

_THROUGH = frozenset({"int", "str", "list[int]", "list[str]", "float"})
_TRIES = 6
_SAME = re.compile(r"=(\w+)")
_WORD = re.compile(r"(?<![\w.'])[a-z_]\w*")
# The kinds of literals that stand for a value of a type.
_CONSTANTS = {"int": ("k", "k", "p"), "str": ("ch", "w", "ch"), "float": ("fl",)}


class Stuck(Exception):
    """No template fits here; the caller draws something else."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A filled template: code, what it says in English, its type ("" for statements), and the
    variables it reads. `atomic` code needs no parentheses as an operand, nor does English of level
    0; English of level 1 needs none at the end of a phrase. `gives` is what a header binds or a
    step leaves behind, `templates` are those in it."""

    code: str
    english: str
    kind: str = ""
    uses: frozenset[str] = frozenset()
    atomic: bool = True
    level: int = 0
    gives: tuple[Piece, ...] = ()
    templates: frozenset[Template] = frozenset()

    def fits(self, kind: str) -> bool:
        """Whether it can stand where this type is wanted; a character is a string."""
        return self.kind == kind or (kind == "str" and self.kind == "char")

    def as_value(self) -> Piece:
        """A condition as something that can be returned or kept: "whether …"."""
        if self.kind != "bool" or not self.level or self.english.startswith("whether "):
            return self
        return replace(self, english=f"whether {self.english}", level=2)


def variable(name: str, kind: str) -> Piece:
    return Piece(name, f"`{name}`", kind, frozenset((name,)))


@dataclass(slots=True)
class _Frame:
    """The slots of one template while it is filled, with the second operands there are (`scope`)
    and what headers have bound. What it lacks, the enclosing one has."""

    template: Template
    values: dict[str, Piece]
    scope: list[Piece]
    depth: int
    parent: _Frame | None
    bound: tuple[Piece, ...]


class Draft:
    """A function that is being written. `scope` are its variables, `pending` those that nothing has
    read yet, oldest first; a finished function has none, so that nothing is computed in vain.
    While a method is `wanted`, the templates that call it are taken before all others."""

    def __init__(self, rng: random.Random, grammar: Grammar) -> None:
        self.rng = rng
        self.grammar = grammar
        self.wanted = ""
        self.taken: set[str] = set()
        self.scope: list[Piece] = []
        self.pending: list[Piece] = []
        self.lines: list[str] = []
        self.sentences: list[str] = []
        self.templates: set[Template] = set()
        self._slots: dict[str, Piece] = {}

    def chance(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.rng.random() < share

    def name(self, pool: Iterable[str]) -> str:
        """A name of the pool that is not taken yet, now taken; early ones are likelier."""
        free = [n for n in pool if n not in self.taken]
        if not free:
            raise Stuck
        chosen = free[int(self.rng.random() ** 1.5 * len(free))]
        self.taken.add(chosen)
        return chosen

    def start(self, kinds: list[str]) -> list[Piece]:
        """Gives the function parameters of these types; returns them."""
        parameters = [variable(self.name(names()[f"parameter {k}"]), k) for k in kinds]
        self.scope, self.pending = list(parameters), list(parameters)
        return parameters

    def subject(self, symbol: str) -> Piece:
        """A pending value that a step can be about. Numbers are gone over only where nothing else
        is there to go over."""
        fitting = [p for p in self.pending if self.grammar.fitting(symbol, p.kind)]
        if symbol == "loop":
            fitting = [p for p in fitting if p.kind != "int"] or fitting
        if not fitting:
            raise Stuck
        return self.rng.choice(fitting)

    def write(
        self,
        step: str | Template,
        x: Piece,
        good: Callable[[Piece], bool] = bool,
        **slots: Piece,
    ) -> str:
        """Adds the statements of one step about `x`, if they are `good`, and says the type that it
        returns, if it does. Nothing changes where it raises Stuck."""
        taken = set(self.taken)
        self._slots = slots
        others = [e for e in (*self.pending, *self.scope) if e.code != x.code]  # pending ones twice
        try:
            template = self._pick(step, x.kind) if isinstance(step, str) else step
            piece = self.fill(template, {"x": x}, others, 1)
            if not good(piece) or _unread(piece, self.taken - taken):
                raise Stuck
        except Stuck:
            self.taken = taken
            raise
        self.lines += ["    " + line for line in piece.code.split("\n")]
        self.sentences.append(piece.english[:1].upper() + piece.english[1:] + ".")
        self.pending = [p for p in self.pending if p.code not in piece.uses]
        self.templates |= piece.templates
        returned = ""
        for value in piece.gives:
            if value.code == "return":
                returned = value.kind
                continue
            left = variable(value.code, "str" if value.kind == "char" else value.kind)
            self.scope = [e for e in self.scope if e.code != left.code] + [left]
            self.pending = [p for p in self.pending if p.code != left.code] + [left]
        return returned

    # ---- templates

    def _pick(self, symbol: str, subject: str) -> Template:
        templates = self.grammar.fitting(symbol, subject)
        if not templates:
            raise Stuck
        if self.wanted and (good := [t for t in templates if self.wanted in t.methods]):
            return self.rng.choice(good)
        return self.rng.choices(templates, [t.weight for t in templates])[0]

    def _drawn(
        self, symbol: str, x: Piece, scope: list[Piece], depth: int, parent: _Frame | None = None
    ) -> Piece:
        """A symbol about `x`: one of its templates that can be filled."""
        for _ in range(_TRIES):
            template, taken = self._pick(symbol, x.kind), self.taken.copy()
            try:
                return self.fill(template, {"x": x}, scope, depth, parent)
            except Stuck:
                self.taken = taken
        raise Stuck

    def fill(
        self,
        template: Template,
        values: dict[str, Piece],
        scope: list[Piece],
        depth: int,
        parent: _Frame | None = None,
    ) -> Piece:
        """The template with all slots filled. `values` are given, the others are drawn in the order
        of the code, headers first. Raises Stuck."""
        frame = _Frame(template, values, scope, depth, parent, parent.bound if parent else ())
        taken = self.taken.copy() if template.local else None
        for name in template.headers:
            self._slot(frame, name)
        code, english = self._code(frame, template.code), self._english(frame)
        if taken is not None:
            self.taken = taken  # the variables of a comprehension are its own
        gives = tuple(self._left_behind(frame, text, kind) for text, kind in template.gives)
        pieces = frame.values.values()
        uses = frozenset().union(*[v.uses for v in pieces])
        if not template.own.isdisjoint(uses):
            raise Stuck
        only = template.code[0] if len(template.code) == 1 else ""
        if isinstance(only, Slot):  # nothing but another piece
            piece = frame.values[only.name]
            piece = replace(piece, kind=template.kind or piece.kind, gives=gives or piece.gives)
        else:
            atomic, level = template.atomic, template.level
            piece = Piece(code, "", template.kind, uses, atomic, level, gives)
        templates = frozenset((template,)).union(*[v.templates for v in pieces])
        return replace(piece, english=english, templates=templates)

    def _code(self, frame: _Frame, text: Text) -> str:
        parts = []
        for part in text:
            if isinstance(part, Slot):
                piece = self._slot(frame, part.name)
                if part.bare and not piece.code.isidentifier():
                    raise Stuck
                if not piece.kind or piece.atomic:
                    part = piece.code.replace("\n", "\n" + " " * part.indent)
                elif frame.template.kind and " if " in piece.code:
                    raise Stuck  # a condition inside an expression is hard to read
                else:
                    part = f"({piece.code})"
            parts.append(part)
        return "".join(parts)

    def _english(self, frame: _Frame) -> str:
        """The words, with parentheses where a phrase inside a phrase could be misread: the ends of
        phrases are freer than their middles, statements freer than expressions, conditions free."""
        text, specs, parts = frame.template.english, frame.template.specs, []
        for place, part in enumerate(text, 1):
            if isinstance(part, Slot):
                piece = self._slot(frame, part.name)
                limit = (place == len(text)) + (not is_type(frame.template.symbol))
                free = len(text) == 1 or specs.get(part.name, "").startswith(("test", "bool"))
                free = free or piece.level <= limit or not piece.kind
                part = piece.english if free else f"({piece.english})"
            parts.append(part)
        return "".join(parts)

    def _left_behind(self, frame: _Frame, text: Text, kind: str) -> Piece:
        slots = [self._slot(frame, t.name) for t in text if isinstance(t, Slot)]
        code = "".join(t if isinstance(t, str) else self._slot(frame, t.name).code for t in text)
        kind = _SAME.sub(lambda m: self._slot(frame, m[1]).kind, kind) if kind else slots[0].kind
        return Piece(code, f"`{code}`", kind, frozenset(s.code for s in slots))

    def _slot(self, frame: _Frame, name: str) -> Piece:
        """The piece in a slot of this template or of one around it, drawn when it is first used."""
        holder: _Frame | None = frame
        while holder and name not in frame.values:
            template = holder.template
            if name in template.specs and name not in holder.values:
                holder.values[name] = self._specified(holder, template.specs[name])
            if name in holder.values:
                frame.values[name] = holder.values[name]
            elif name in template.lets:
                x = {"x": self._slot(frame, "x")}
                piece = self.fill(template.lets[name], x, frame.scope, frame.depth, frame)
                frame.values.setdefault(name, piece)
            holder = holder.parent
        if name not in frame.values:
            if name not in self._slots:
                raise Stuck
            frame.values[name] = self._slots[name]
        return frame.values[name]

    def _specified(self, frame: _Frame, spec: str) -> Piece:
        """What a slot's specification asks for."""
        kind, _, about = spec.partition("<")
        match kind[0]:
            case "~":
                return self._fresh(frame, kind[1:])
            case "/":
                text = self.rng.choice(spec[1:].split("/"))
                return Piece(text, text)
            case "@":
                return self._part(frame, kind, about)
            case "=":
                if kind[1:] in ("each", "last"):
                    if not frame.bound:
                        raise Stuck
                    same = frame.bound[0 if kind == "=each" else -1]
                else:
                    same = self._slot(frame, kind[1:])
                if not about:
                    return same
                kind = same.kind
        around: set[str] = set()
        outer: _Frame | None = frame
        while outer:
            around |= {v.code for v in outer.values.values() if v.kind}
            outer = outer.parent
        for _ in range(4):
            if not about:
                piece = self._operand(kind, frame.scope, self._slot(frame, "x"), frame.depth)
            elif about == "each":
                piece = self._about_each(frame, kind)
            else:
                piece = self.about(self._slot(frame, about), kind, frame.scope)
            if piece.code not in around:  # nothing is said twice
                return piece
        raise Stuck

    def _fresh(self, frame: _Frame, role: str) -> Piece:
        if role[0] == "=":
            role = self._slot(frame, role[1:]).kind.replace("char", "str")
        pools = names()
        if is_type(role):
            head = role.partition("[")[0]
            pool = (*pools.get(f"local {role}", ()), *pools.get(f"wider {head}", ()))
            return variable(self.name(pool), role)
        word, _, kind = role.partition(" ")
        pool = pools.get(f"role {role}") or pools.get(role) or pools[f"role {word}"]
        return variable(self.name(pool), kind)

    def _part(self, frame: _Frame, symbol: str, about: str) -> Piece:
        """A part, about `x` or about another slot, which then comes first among what is bound."""
        x, bound = self._slot(frame, about or "x"), frame.bound
        if about:
            frame.bound = (x, *bound)
        try:
            piece = self._drawn(symbol, x, frame.scope, frame.depth, frame)
        finally:
            frame.bound = bound
        frame.bound = piece.gives or bound
        return piece

    # ---- expressions

    def _about_each(self, frame: _Frame, kind: str) -> Piece:
        """An expression about a loop's variables; the bare variable at times, if it fits."""
        order = list(frame.bound)
        if len(order) > 1 and self.chance(0.3):
            order.reverse()
        for x in order:
            if x.fits(kind) and self.chance(0.35):
                return x
            try:
                return self.about(x, kind, [b for b in order if b is not x] + frame.scope)
            except Stuck:
                if x.fits(kind):
                    return x
        raise Stuck

    def about(self, x: Piece, kind: str, scope: list[Piece]) -> Piece:
        """An expression of a type (`?` for any, `test` for a condition) about `x`, in one or two
        steps. Raises Stuck."""
        if kind == "test":
            return self._test(x, scope, 1)
        results = self.grammar.results.get(x.kind, [])
        if kind == "?":
            kinds = [k for k in results if k != "bool" or self.chance(0.25)]
            drawn = self.rng.choice(kinds) if kinds and not self.wanted and self.chance(0.5) else ""
            return self._drawn(drawn, x, scope, 1).as_value()
        if kind not in results or (kind != "bool" and self.chance(0.1)):
            through = [k for k in results if k in _THROUGH and k != kind]
            through = [k for k in through if kind in self.grammar.results.get(k, ())]
            for _ in range(3 if through and x.atomic else 0):
                inner = self._drawn(self.rng.choice(through), x, scope, 0)
                if len(inner.code) < 40 and " if " not in inner.code:
                    return self._drawn(kind, inner, scope, 0)
        if kind not in results:
            raise Stuck
        return self._drawn(kind, x, scope, 1)

    def _test(self, x: Piece, scope: list[Piece], depth: int) -> Piece:
        """A condition about `x`: a rule, one about something derived, or two joined."""
        results = self.grammar.results.get(x.kind, [])
        through = [k for k in ("int", "int", "str") if k != x.kind and k in results]
        if through and ("bool" not in results or self.chance(0.15)):
            inner = self._drawn(self.rng.choice(through), x, [], 0)
            first = self._drawn("bool", inner, scope, 0)
        else:
            first = self._drawn("bool", x, scope, depth)
        second = self._test(x, scope, 0) if depth and self.chance(0.14) else first
        if second.code == first.code:
            return first
        word = "and" if self.chance(0.6) else "or"
        sides = [p.code if p.atomic else f"({p.code})" for p in (first, second)]
        return Piece(
            f"{sides[0]} {word} {sides[1]}", f"{first.english} {word} {second.english}", "bool",
            first.uses | second.uses, False, 2, templates=first.templates | second.templates,
        )  # fmt: skip

    def _operand(self, kind: str, scope: list[Piece], x: Piece, depth: int) -> Piece:
        """A second operand: a variable in scope where there is one, else a literal."""
        free = [e for e in scope if x.uses.isdisjoint(e.uses)]
        if kind in self.grammar.literals:
            ints = [e for e in free if e.kind == "int"] if kind == "k" and self.chance(0.12) else []
            return self.rng.choice(ints) if ints else self._literal(kind)
        wanted = kind.rstrip("!")
        fitting = [e for e in free if e.fits(wanted)]
        if fitting and (wanted != kind or self.chance(0.85)):
            return self.rng.choice(fitting)
        if wanted != kind:
            raise Stuck
        others = [e for e in free if kind in self.grammar.results.get(e.kind, ())]
        if depth and others and self.chance(0.35):
            return self._drawn(kind, self.rng.choice(others), [], 0)
        if kind in _CONSTANTS:
            return self._literal(self.rng.choice(_CONSTANTS[kind]))
        if not fitting:
            raise Stuck
        return self.rng.choice(fitting)

    def _literal(self, kind: str) -> Piece:
        value = self.rng.choice(self.grammar.literals[kind])
        return Piece(repr(value), repr(value), type(value).__name__)


def _unread(piece: Piece, fresh: set[str]) -> bool:
    """Whether something is bound and not read, apart from the sole variable of a loop and what the
    step leaves behind."""
    counts = collections.Counter(_WORD.findall(piece.code))
    left = {value.code for value in piece.gives}
    return any(counts[n] < 2 and f"for {n} in" not in piece.code for n in fresh - left)
