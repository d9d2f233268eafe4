"""Draws typed expressions about a given value, in code and in English."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass

from semcoder_lib.corpus.seeds.synthesiser import names
from semcoder_lib.corpus.seeds.synthesiser.rules import LITERALS, RULES, Rule
from semcoder_lib.corpus.seeds.synthesiser.usage import WEIGHTS


class Stuck(Exception):
    """No production fits here; the caller draws something else."""


@dataclass(frozen=True, slots=True)
class Expr:
    """Code, what it says in English, its type, and the variables it reads. `atomic` means it needs
    no parentheses as an operand."""

    code: str
    english: str
    kind: str
    uses: frozenset[str] = frozenset()
    atomic: bool = True

    @property
    def operand(self) -> str:
        return self.code if self.atomic else f"({self.code})"


def variable(name: str, kind: str) -> Expr:
    """A variable as an expression."""
    return Expr(name, f"`{name}`", kind, frozenset((name,)))


def fits(value: Expr, kind: str) -> bool:
    """Whether a value can stand where this type is wanted; a character is a string."""
    return value.kind == kind or (kind == "str" and value.kind == "char")


def literal(value: object, kind: str) -> Expr:
    """A constant as an expression."""
    return Expr(repr(value), repr(value), kind)


class _Table:
    """Productions for one pair of types with their running weights."""

    __slots__ = ("rules", "weights")

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.weights = list(itertools.accumulate(WEIGHTS.get(r.key, 1.0) for r in rules))


def tables() -> dict[tuple[str, str], _Table]:
    """The productions by (operand type, result type), with the weights in force."""
    grouped: dict[tuple[str, str], list[Rule]] = {}
    for rule in RULES:
        grouped.setdefault((rule.operands[0], rule.result), []).append(rule)
        grouped.setdefault((rule.operands[0], ""), []).append(rule)
    return {key: _Table(rules) for key, rules in grouped.items()}


TABLES = tables()
RESULTS: dict[str, tuple[str, ...]] = {}
for _source, _result in TABLES:
    if _result:
        RESULTS[_source] = (*RESULTS.get(_source, ()), _result)

_THROUGH = frozenset({"int", "str", "list[int]", "list[str]", "float"})
_LETTERS = "aeiostrnlbcd"
_SEPARATORS = (" ", ",", "-", "_", ", ", ":", "/", ".", "|", ";")
_WORDS = ("high", "low", "big", "small", "yes", "no", "odd", "none", "many", "few", "ok", "long",
          "short", "other", "up", "down", "x", "ab")  # fmt: skip
_SETS = ("aeiou", "abc", "xyz", "aeiouAEIOU", " ,.", "0123456789", "!?.", "tr", "st")


class Draw:
    """Random choices of one program, from its own generator."""

    __slots__ = ("imports", "rng", "taken")

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.taken: set[str] = set()
        self.imports: set[str] = set()

    def chance(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.rng.random() < share

    def name(self, pool: Iterable[str]) -> str:
        """A name of the pool that is not taken yet, now taken."""
        free = [n for n in pool if n not in self.taken]
        if not free:
            raise Stuck
        chosen = free[min(int(self.rng.random() ** 1.5 * len(free)), len(free) - 1)]
        self.taken.add(chosen)
        return chosen

    def local(self, kind: str) -> str:
        """A fresh name for a local variable of this type."""
        pool = names.LOCALS.get(kind) or ()
        wider = names.LOCALS_WIDER.get(names.head(kind), ())
        return self.name((*pool, *wider))

    def literal(self, kind: str) -> Expr:
        """A literal of one of the kinds that rules name."""
        rng = self.rng
        if kind == "k":
            return literal(rng.choice((0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10)), "int")
        if kind == "p":
            return literal(rng.choice((1, 1, 2, 2, 3, 3, 4, 5)), "int")
        if kind == "m":
            return literal(rng.choice((2, 2, 2, 3, 3, 4, 5, 7, 10)), "int")
        if kind == "ch":
            return literal(
                rng.choice(_LETTERS) if rng.random() < 0.85 else rng.choice(" -."), "str"
            )
        if kind == "sep":
            return literal(rng.choice(_SEPARATORS), "str")
        if kind == "w":
            return literal(rng.choice(_WORDS), "str")
        if kind == "chs":
            return literal(rng.choice(_SETS), "str")
        if kind == "fl":
            return literal(rng.choice((0.5, 1.5, 2.0, 2.5, 10.0, 0.1, 5.0, 1.2)), "float")
        if kind == "width":
            return literal(rng.choice((4, 5, 6, 8, 10, 12)), "int")
        return literal(rng.choice(("*", "-", ".", "0", "#", "=", " ")), "str")

    def operand(self, kind: str, scope: list[Expr], main: Expr, depth: int) -> Expr:
        """A second operand: a variable in scope where there is one, else a literal."""
        if kind in LITERALS:
            if kind in ("k", "p", "m", "width") and self.chance(0.12):
                ints = [e for e in scope if e.kind == "int" and not e.uses & main.uses]
                if ints and kind == "k":
                    return self.rng.choice(ints)
            return self.literal(kind)
        bare = kind.rstrip("!")
        fitting = [e for e in scope if fits(e, bare) and e.code != main.code]
        if fitting and (bare != kind or self.chance(0.85)):
            return self.rng.choice(fitting)
        if bare != kind:
            raise Stuck
        if depth > 0 and scope and self.chance(0.35):
            made = self._from_scope(kind, scope, main)
            if made is not None:
                return made
        if kind == "int":
            return self.literal("k" if self.chance(0.7) else "p")
        if kind == "str":
            return self.literal(self.rng.choice(("ch", "w", "ch")))
        if kind == "float":
            return self.literal("fl")
        if fitting:
            return self.rng.choice(fitting)
        raise Stuck

    def _from_scope(self, kind: str, scope: list[Expr], main: Expr) -> Expr | None:
        others = [e for e in scope if e.code != main.code and (e.kind, kind) in TABLES]
        if not others:
            return None
        try:
            return self.about(self.rng.choice(others), kind, [], 0)
        except Stuck:
            return None

    def about(self, main: Expr, result: str, scope: list[Expr], depth: int = 1) -> Expr:
        """An expression of type `result` ("" for any) about `main`. Raises Stuck."""
        table = TABLES.get((main.kind, result))
        if table is None:
            raise Stuck
        for _ in range(6):
            rule = self.rng.choices(table.rules, cum_weights=table.weights)[0]
            try:
                return self._apply(rule, main, scope, depth)
            except Stuck:
                continue
        raise Stuck

    def _apply(self, rule: Rule, main: Expr, scope: list[Expr], depth: int) -> Expr:
        operands = [main]
        for kind in rule.operands[1:]:
            for _ in range(4):
                drawn = self.operand(kind, scope, main, depth)
                if all(drawn.code != o.code for o in operands):
                    break
            else:
                raise Stuck
            operands.append(drawn)
        if any(" if " in o.code for o in operands if not o.atomic):
            raise Stuck
        if not main.atomic and rule.code.count("{0}") + rule.code.count("{{{0}") > 1:
            raise Stuck
        if "{{{" in rule.code and any(not o.code.isidentifier() for o in operands):
            raise Stuck
        code = rule.code.format(*(o.operand for o in operands))
        english = rule.english.format(*(o.english for o in operands))
        if "Counter(" in code:
            self.imports.add("from collections import Counter")
        if "re." in code and "re.findall" in code:
            self.imports.add("import re")
        uses = frozenset().union(*(o.uses for o in operands))
        atomic = " " not in _outside_brackets(code)
        return Expr(code, english, rule.result, uses, atomic)

    def predicate(self, main: Expr, scope: list[Expr], depth: int = 1) -> Expr:
        """A condition about `main`: a rule, one about something derived, or two joined."""
        roll = self.rng.random()
        if (main.kind, "bool") not in TABLES or roll < 0.15:
            made = self._indirect(main, scope)
        else:
            made = self.about(main, "bool", scope, depth)
        if depth > 0 and self.chance(0.14):
            other = self.predicate(main, scope, 0)
            if other.code != made.code:
                word = "and" if self.chance(0.6) else "or"
                left = f"({made.code})" if " if " in made.code else made.code
                right = f"({other.code})" if " if " in other.code else other.code
                return Expr(
                    f"{left} {word} {right}",
                    f"{made.english} {word} {other.english}",
                    "bool",
                    made.uses | other.uses,
                    False,
                )
        return made

    def _indirect(self, main: Expr, scope: list[Expr]) -> Expr:
        for _ in range(4):
            kind = self.rng.choice(("int", "int", "str"))
            if (main.kind, kind) in TABLES and kind != main.kind:
                inner = self.about(main, kind, [], 0)
                if " if " not in inner.code:
                    return self.about(inner, "bool", scope, 0)
        return self.about(main, "bool", scope, 0)

    def reach(self, main: Expr, result: str, scope: list[Expr]) -> Expr:
        """An expression of type `result` about `main` in one or two steps. Raises Stuck."""
        direct = (main.kind, result) in TABLES
        if direct and self.chance(0.78):
            return self.about(main, result, scope)
        through = [
            m
            for m in RESULTS.get(main.kind, ())
            if (m, result) in TABLES and m in _THROUGH and m != result
        ]
        if through and main.atomic:
            for _ in range(3):
                inner = self.about(main, self.rng.choice(through), scope, 0)
                if len(inner.code) < 40 and " if " not in inner.code:
                    return self.about(inner, result, scope, 0)
        if direct:
            return self.about(main, result, scope)
        raise Stuck


def _outside_brackets(code: str) -> str:
    """The part of a code text that no bracket or quote encloses."""
    kept, depth, quote = [], 0, ""
    for sign in code:
        if quote:
            quote = "" if sign == quote else quote
            continue
        if sign in "'\"":
            quote = sign
            kept.append("q")
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0:
            kept.append(sign)
    return "".join(kept)
