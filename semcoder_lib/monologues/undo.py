"""From an output back to the parameters: expressions are undone by a table, statements one by one.

`INVERSES` has what may have gone in for what came out of an operation; where an operation loses
information (`sorted`, `len`, a slice) these are guesses, the most natural first. `deduce` walks
back from each `return`. Where an earlier state is not determined, a bound says what is asked of it;
loops are not undone, what they give is left to the search. Whoever uses a solution runs the program
to check it; no code of the program is run here.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.monologues.evaluator import MUTATING, Given, equal, known
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.rules import UNFIT
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.syntax import SIGNS, Syntax, as_load, is_determined, parameters

Assignment = dict[str, Any]
_WIDTH = 4  # alternatives kept at every step
_MAX_STATES = 12
_MAX_DEDUCTIONS = 24
_TEXT = 80  # characters of a value or an expression that is told


def _number(text: str) -> list[Any]:
    return [int(text)] if text.lstrip("-").isdecimal() and len(text) < 18 else []


def sequences(value: Any) -> list[Any]:
    """The same items as a list, as a tuple, and as a string where they are characters."""
    items = list(value)
    letters = items and all(isinstance(x, str) and len(x) == 1 for x in items)
    return [items, *(["".join(items)] if letters else []), tuple(items)]


def _without(value: Any, part: Any, *, first: bool) -> list[Any]:
    """What a part was added to, as the first one or the last."""
    if not isinstance(value, str | list | tuple):
        return [value - part]
    cut = len(part) if first else len(value) - len(part)
    rest, own = (value[cut:], value[:cut]) if first else (value[:cut], value[cut:])
    return [rest] if own == part else []


# From the value `v` of an operation and its known operand, or first argument, `c` to values of `x`.
INVERSES: dict[str, Callable[[Any, Any], list[Any]]] = {
    "x + c": lambda v, c: _without(v, c, first=False),
    "x - c": lambda v, c: [v + c],
    "x * c": lambda v, c: [v / c] if isinstance(v, float) else [v // c] if v % c == 0 else [],
    "x // c": lambda v, c: [v * c],
    "c + x": lambda v, c: _without(v, c, first=True),
    "c - x": lambda v, c: [c - v],
    "x == c": lambda v, c: [c],
    "x is c": lambda v, c: [c],
    "x != c": lambda v, c: ["a" if c == "" else c * 2 if c else 1],
    "x < c": lambda v, c: [c - 1],
    "x > c": lambda v, c: [c + 1],
    "x <= c": lambda v, c: [c],
    "x >= c": lambda v, c: [c],
    "x in c": lambda v, c: list(c)[:_WIDTH],
    "str(x)": lambda v, c: [*_number(v), v],
    "int(x)": lambda v, c: [str(v), v],
    "len(x)": lambda v, c: ["a" * v, [*range(1, v + 1)], ["a"] * v] if 0 <= v < 1000 else [],
    "sorted(x)": lambda v, c: sequences(v),
    "list(x)": lambda v, c: sequences(v),
    "tuple(x)": lambda v, c: sequences(v),
    "set(x)": lambda v, c: [sorted(v)],
    "sum(x)": lambda v, c: [[v], [v, 0]],
    "max(x)": lambda v, c: [[v]],
    "min(x)": lambda v, c: [[v]],
    "abs(x)": lambda v, c: [v, -v],
    "x.upper()": lambda v, c: [v.lower(), v],
    "x.lower()": lambda v, c: [v, v.upper()],
    "x.strip()": lambda v, c: [v, f" {v} "],
    "x.split()": lambda v, c: [(" " if c is None else c).join(v)],
}
_NEGATED = {"==": "!=", "<": ">=", ">": "<=", "in": "not in", "is": "is not"}
_NEGATED |= {b: a for a, b in _NEGATED.items()}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Solver:
    """Solves for the names of an expression, over fixed `constants` of the program."""

    def __init__(self, constants: Assignment) -> None:
        self.constants = constants

    def known(self, node: ast.expr) -> tuple[Any] | None:
        """The value of an expression that depends on no input, in a 1-tuple."""
        return known(node, Given(self.constants))

    def solve(self, node: ast.expr, value: Any) -> list[Assignment]:
        """Assignments of the names in `node` under which it may have a value, the most natural
        first; empty when there is none or none is known."""
        fixed = self.known(node)
        if fixed is not None:
            return [{}] if equal(fixed[0], value) else []
        try:
            return self._solve(node, value)[:_WIDTH]
        except UNFIT:
            return []

    def _first(self, node: ast.expr, values: Iterable[Any]) -> list[Assignment]:
        """Solutions for any of several values of `node`."""
        return [solution for value in values for solution in self.solve(node, value)]

    def _all(self, wanted: Iterable[tuple[ast.expr, Any]]) -> list[Assignment]:
        """The first solutions under which expressions have their values."""
        options = [self.solve(node, value)[:1] for node, value in wanted]
        both = merged(option for each in options for option in each)
        return [both] if both is not None and all(options) else []

    def _solve(self, node: ast.expr, value: Any) -> list[Assignment]:
        match node:
            case ast.Name(id=name):
                return [{name: value}]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return self._all(zip(parts, value, strict=True))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.solve(inner, -value)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self.solve(inner, not value)
            case ast.BinOp():
                return self._binary(node, value)
            case ast.Subscript(value=box, slice=ast.Slice(lower=lower, step=step)):
                if step is not None and self.known(step) == (-1,):
                    return self.solve(box, value[::-1])
                start = self.known(lower) if lower else None
                filler = value[:1] or ("a" if isinstance(value, str) else [0])
                return self.solve(box, filler * start[0] + value if start else value)
            case ast.Subscript(value=box, slice=key):
                place = self.known(key)
                if place is None or type(place[0]) is not int:
                    return self._first(box, [{place[0]: value}] if place else [])
                many = max(-place[0], place[0] + 1)
                return self._first(box, [value * many] if isinstance(value, str) else []) + (
                    self._first(box, [[value] * many, (value,) * many])
                )
            case ast.Call(func=ast.Attribute(value=owner, attr="join"), args=[inner]):
                glue = self.known(owner)
                if glue is None:
                    return []
                return self.solve(inner, value.split(glue[0]) if glue[0] else list(value))
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args):
                c = self.known(args[0]) if args else None
                row = INVERSES[f"x.{name}()"]
                return self._first(owner, row(value, c[0] if c else None))
            case ast.Call(func=ast.Name(id=name), args=[inner]):
                return self._first(inner, INVERSES[f"{name}(x)"](value, None))
            case (
                ast.ListComp(elt=elt, generators=[loop])
                | ast.SetComp(elt=elt, generators=[loop])
                | ast.GeneratorExp(elt=elt, generators=[loop])
            ) if isinstance(loop.target, ast.Name):
                items = [a[0].get(loop.target.id) for x in value if (a := self.solve(elt, x))]
                return self._first(loop.iter, sequences(items)) if len(items) == len(value) else []
            case ast.Compare(left=left, ops=[op], comparators=[right]) if value in (True, False):
                sign = SIGNS[type(op)] if value else _NEGATED[SIGNS[type(op)]]
                c = self.known(right)
                if c is None:
                    left, c, sign = right, self.known(left), _MIRRORED.get(sign, sign)
                return self._first(left, INVERSES[f"x {sign} c"](value, c[0])) if c else []
        return []

    def _binary(self, node: ast.BinOp, value: Any) -> list[Assignment]:
        left, right, sign = self.known(node.left), self.known(node.right), SIGNS[type(node.op)]
        if right is not None:
            return self._first(node.left, INVERSES[f"x {sign} c"](value, right[0]))
        if left is not None:
            return self._first(node.right, INVERSES[f"c {sign} x"](value, left[0]))
        return []


def merged(parts: Iterable[Assignment]) -> Assignment | None:
    """One assignment that agrees with all, or None."""
    out: Assignment = {}
    for part in parts:
        if any(name in out and not equal(out[name], part[name]) for name in part):
            return None
        out |= part
    return out


# --- statements -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about `line`; it holds only of runs that reach the line `reached`, and not the
    line `avoided`."""

    line: int
    text: str
    reached: int
    avoided: int = 0


@dataclass(frozen=True, slots=True)
class Goals:
    """What must hold at one point: values of names. `notes` come latest first; when they do not
    give all the values (`given`), what follows from them is tried, and not told."""

    values: Assignment
    notes: tuple[Note, ...] = ()
    given: bool = True

    def without(self, names: Collection[str]) -> Goals:
        """The goals that are left where a statement sets these names in an unknown way."""
        return replace(self, values={n: v for n, v in self.values.items() if n not in names})


Test = tuple[ast.If | ast.While, bool]  # a test that the route passes, and how it came out
Back = tuple[ast.stmt | Test, ...]  # what ran before an end, latest first


def deduce(syntax: Syntax, entry_point: str, output: Any) -> list[Goals]:
    """Goals for the parameters over every route, the most promising first. None was run."""
    function = syntax.functions[entry_point]
    names, walker = set(parameters(function)), _Walker(syntax, entry_point)
    deductions: list[Goals] = []
    routes = list(_routes(function.body, ()))[::-1] or [(None, tuple(reversed(function.body)))]
    for end, back in routes:
        states = walker.start(end, output)
        for move in back:
            states = [goals for after in states for goals in walker.undo(move, after)][:_MAX_STATES]
        deductions += [goals.without(goals.values.keys() - names) for goals in states]
    deductions.sort(key=lambda goals: -len(goals.values))  # stable: earlier routes first
    return deductions[:_MAX_DEDUCTIONS]


def _routes(block: list[ast.stmt], back: Back) -> Iterator[tuple[ast.Return | None, Back]]:
    """The ways that end in a `return`, in the order of the returns."""
    for stmt in block:
        if isinstance(stmt, ast.Return):
            yield stmt, back
            return
        if isinstance(stmt, ast.If | ast.While):
            yield from _routes(stmt.body, ((stmt, True), *back))
            yield from _routes(stmt.orelse, ((stmt, False), *back))
        elif isinstance(stmt, ast.For | ast.Try | ast.With):
            yield from _routes(stmt.body, back)
        back = (stmt, *back)


class _Walker(Solver):
    def __init__(self, syntax: Syntax, entry_point: str) -> None:
        super().__init__(syntax.constants)
        self.f = entry_point

    def start(self, end: ast.Return | None, output: Any) -> list[Goals]:
        """What an output asks where a route ends."""
        if end is None or end.value is None:
            return [Goals({})] if output is None else []
        line, slots = end.lineno, {"f": self.f, "v": _shown(output)}
        fixed = self.known(end.value)
        if fixed is not None:
            text = say("goal.reach", to=f"[L{line}]", **slots)
            return [Goals({}, (Note(line, text, line),))] if equal(fixed[0], output) else []
        states = []
        for solution in self.solve(end.value, output) or [{}]:
            forms = ("goal", "goal.bound")
            text, given = self._sentence(forms, end.value, output, solution, **slots)
            # that a long expression must be the output says nothing
            notes = (Note(line, text, line),) if given or _source(end.value) != "it" else ()
            states.append(Goals(solution, notes, given))
        return states

    def _sentence(
        self, forms: tuple[str, str], node: ast.expr, value: Any, goals: Assignment, **slots: str
    ) -> tuple[str, bool]:
        """What a value asks: values of the names in `node` that give it, what `node` must be where
        those are not determined, or both; and whether values are given. A guess that does not give
        the value, or depends on other names, is not stated."""
        exact, given = is_determined(node), ""
        result = known(node, Given({**self.constants, **goals}))
        if result is not None and equal(result[0], value):
            word = "must" if exact else "can"
            with contextlib.suppress(NotShown):
                given = ", ".join(f"{n} {word} be {show(v, _TEXT)}" for n, v in goals.items())
        if exact and given:
            return say(forms[0], b=f"{given}.", **slots), True
        asked = say("bound.value", x=_source(node), v=_shown(value))
        if given:
            return say(forms[1], c=asked, b=f"{given}.", **slots), True
        return say(forms[0], b=f"{asked}.", **slots), False

    def undo(self, move: ast.stmt | Test, goals: Goals) -> list[Goals]:
        """What had to hold before a move for goals after it."""
        match move:
            case (stmt, taken):
                return self._passed(stmt, taken, goals)
            case ast.Assign(targets=[ast.Name(id=name), *_], value=value):
                return self._solved(move, name, value, goals)
            case ast.AugAssign(target=ast.Name(id=name)):
                return self._solved(move, name, as_load(move), goals)
            case ast.If(body=[*_, ast.Return() | ast.Raise()]):  # not taken
                return [goals]
            case ast.If() if changed_names(move) & goals.values.keys():  # in either branch
                states: list[Goals] = []
                for block, taken in ((move.body, True), (move.orelse, False)):
                    branch = [goals]
                    for inner in reversed(block):
                        branch = [before for after in branch for before in self.undo(inner, after)]
                    states += [g for after in branch[:4] for g in self._passed(move, taken, after)]
                return states
        return [goals.without(changed_names(move))]

    def _passed(self, stmt: ast.If | ast.While, taken: bool, goals: Goals) -> list[Goals]:
        test, branch = stmt.test, stmt.body if taken else stmt.orelse
        reached = branch[0].lineno if branch else stmt.lineno
        avoided = 0 if branch or isinstance(stmt, ast.While) else stmt.body[0].lineno
        text = say("test", e=_source(test), t=str(taken))
        if _source(test) != "it":
            note = Note(stmt.lineno, text, reached, avoided)
            goals = replace(goals, notes=(*goals.notes, note))
        options = [merged((goals.values, more)) for more in self.solve(test, taken)]
        return [
            replace(goals, values=v, given=goals.given and v.keys() == goals.values.keys())
            for v in options
            if v is not None
        ][:2] or [goals]

    def _solved(self, stmt: ast.stmt, name: str, node: ast.expr, goals: Goals) -> list[Goals]:
        """Goals before an assignment: what gives the name its value, in place of the name."""
        if name not in goals.values:
            return [goals]
        rest, states = goals.without({name}), []
        for solution in self.solve(node, goals.values[name])[:3]:
            values = merged((rest.values, solution))
            if values is not None and goals.given and solution:
                text, given = self._sentence(("must", "bound"), node, goals.values[name], solution)
                notes = (*goals.notes, Note(stmt.lineno, text, stmt.lineno))
                states.append(Goals(values, notes, given))
            elif values is not None:
                states.append(replace(goals, values=values))
        return states or [rest]


def _shown(value: Any) -> str:
    try:
        return show(value, _TEXT)
    except NotShown:
        return "the output"


def _source(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _TEXT else "it"


def changed_names(stmt: ast.AST) -> set[str]:
    """Names that a statement may change, by assignment or through a method."""
    names = set()
    for node in ast.walk(stmt):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
                if attribute in MUTATING:
                    names.add(name)
    return names
