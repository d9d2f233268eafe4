"""From an output back to the parameters: a walk along a route, undoing one statement at a time.

What a statement does is undone where it can be (`invert`); where the earlier state is not
determined, a bound says what is asked of it. Loops are not undone: what they give is left to the
search. No code of the program is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib.monologues.backward.inverses import Assignment, Inverter, merged
from semcoder_lib.monologues.evaluator import Cannot, Given, Raises, equal, evaluate
from semcoder_lib.monologues.forms import BOUNDS, DEDUCTION
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.syntax import Syntax, parameters

MAX_STATES = 12
MAX_DEDUCTIONS = 24
_TEXT = 80

# What an operation that loses information asks of its argument or of the object of its method.
_ASKED = {
    "sorted": "bound.order", "len": "bound.length", "sum": "bound.sum", "max": "bound.largest",
    "min": "bound.smallest", "set": "bound.set", "abs": "bound.abs", "any": "bound.some",
    ".upper": "bound.case", ".lower": "bound.case", ".strip": "bound.space",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about `line`; it holds only of runs that reach the line `reached`."""

    line: int
    text: str
    reached: int


@dataclass(frozen=True, slots=True)
class Goals:
    """What must hold at one point: values of names; `notes` come latest first, `guessed` says that
    some step could have been undone in other ways, `unsaid` are names whose values no note gives:
    what follows from them is tried, and not told."""

    values: Assignment
    notes: tuple[Note, ...] = ()
    guessed: bool = False
    unsaid: frozenset[str] = frozenset()

    def but(
        self,
        values: Assignment,
        note: Note | None = None,
        *,
        sure: bool = True,
        unsaid: Iterable[str] = (),
    ) -> Goals:
        notes = self.notes if note is None else (*self.notes, note)
        return Goals(values, notes, self.guessed or not sure, self.unsaid.union(unsaid))

    def without(self, names: set[str]) -> Goals:
        """The goals that are left where a statement sets these names in an unknown way."""
        if not names & self.values.keys():
            return self
        left = {n: v for n, v in self.values.items() if n not in names}
        return Goals(left, self.notes, True, self.unsaid)


@dataclass(frozen=True, slots=True)
class Inside:
    """The route lies in a branch of an `if` or `while` whose test was `taken`, or in a loop."""

    stmt: ast.If | ast.While | ast.For
    taken: bool = True


Route = tuple[ast.Return | None, tuple[ast.stmt | Inside, ...]]  # the end; latest first before it


def deduce(syntax: Syntax, entry_point: str, output: Any) -> list[Goals]:
    """Goals for the parameters over every route, the most promising first. None was run."""
    function = syntax.functions[entry_point]
    names = set(parameters(function))
    walker = _Walker(syntax, entry_point)
    found: list[Goals] = []
    for route in routes(function):
        for goals in walker.walk(route, output):
            kept = {n: v for n, v in goals.values.items() if n in names}
            found.append(Goals(kept, goals.notes, goals.guessed))
    found.sort(key=lambda goals: -len(goals.values))  # stable: earlier routes first
    return found[:MAX_DEDUCTIONS]


def routes(function: ast.FunctionDef) -> list[Route]:
    """The ways that end in a `return`, the last return of the body first, then the earlier ones."""
    found = list(_routes(function.body, ()))
    return found[::-1] or [(None, tuple(reversed(function.body)))]


def _routes(block: list[ast.stmt], back: tuple[ast.stmt | Inside, ...]) -> Iterator[Route]:
    for stmt in block:
        if isinstance(stmt, ast.Return):
            yield stmt, back
            return
        if isinstance(stmt, ast.If):
            yield from _routes(stmt.body, (Inside(stmt, True), *back))
            yield from _routes(stmt.orelse, (Inside(stmt, False), *back))
        elif isinstance(stmt, ast.For | ast.While):
            yield from _routes(stmt.body, (Inside(stmt), *back))
        elif isinstance(stmt, ast.Try):
            yield from _routes(stmt.body, back)
            for handler in stmt.handlers:
                yield from _routes(handler.body, back)
        elif isinstance(stmt, ast.With):
            yield from _routes(stmt.body, back)
        back = (stmt, *back)


class _Walker:
    def __init__(self, syntax: Syntax, entry_point: str) -> None:
        self.syntax = syntax
        self.f = entry_point
        self.inverter = Inverter(syntax.constants)

    def walk(self, route: Route, output: Any) -> list[Goals]:
        end, back = route
        states = self._start(end, output)
        for move in back:
            states = [g for old in states for g in self._undo(move, old)][:MAX_STATES]
        return states

    def _start(self, end: ast.Return | None, output: Any) -> list[Goals]:
        if end is None or end.value is None:
            return [Goals({})] if output is None else []
        line, said = end.lineno, {"f": self.f, "v": _shown(output)}
        known = self.inverter.known(end.value)
        if known is not None:
            if known[0] != output or type(known[0]) is not type(output):
                return []
            text = DEDUCTION["goal.reach"].say(to=f"[L{line}]", **said)
            return [Goals({}, (Note(line, text, line),))]
        solved = self.inverter.solve(end.value, output)
        found = []
        for values in solved or [{}]:
            bound, rest = self._asked(end.value, output, values)
            if bound and rest:
                text = DEDUCTION["goal.bound"].say(c=bound, b=f"{rest}.", **said)
            else:
                text = DEDUCTION["goal"].say(b=f"{bound or rest}.", **said)
            sure = bool(solved) and exact(end.value)
            unsaid = frozenset() if rest else frozenset(values)
            found.append(Goals(values, (Note(line, text, line),), not sure, unsaid))
        return found

    def _asked(self, node: ast.expr, value: Any, goals: Assignment) -> tuple[str, str]:
        """The bound that a value puts on what `node` is made of (empty where that is determined),
        and values of its names that meet it."""
        word = "must" if exact(node) else "can"
        rest = ""
        if self._gives(node, value, goals):
            rest = ", ".join(f"{n} {word} be {_shown(v)}" for n, v in goals.items())
        return ("" if exact(node) and rest else bound(node, value)), rest

    def _gives(self, node: ast.expr, value: Any, goals: Assignment) -> bool:
        """Whether these values alone, put there, give the value: a guess that does not, or that
        depends on other names, is tried but not stated."""
        try:
            return equal(evaluate(node, Given({**self.syntax.constants, **goals})), value)
        except (Cannot, Raises):
            return False

    def _undo(self, move: ast.stmt | Inside, goals: Goals) -> list[Goals]:
        if isinstance(move, Inside):
            return self._inside(move, goals)
        if isinstance(move, ast.Assign) and isinstance(move.targets[0], ast.Name):
            return self._solved(move, move.targets[0].id, move.value, goals)
        if isinstance(move, ast.AugAssign) and isinstance(move.target, ast.Name):
            load = ast.BinOp(ast.Name(move.target.id, ast.Load()), move.op, move.value)
            return self._solved(move, move.target.id, ast.fix_missing_locations(load), goals)
        if isinstance(move, ast.Assign) and isinstance(move.targets[0], ast.Tuple):
            return self._unpacked(move.targets[0], move, goals)
        if isinstance(move, ast.Expr) and isinstance(move.value, ast.Call):
            return self._method(move, move.value, goals)
        if isinstance(move, ast.If):
            return self._passed(move, goals)
        return [goals.without(changed_names(move))]

    def _inside(self, move: Inside, goals: Goals) -> list[Goals]:
        stmt = move.stmt
        if isinstance(stmt, ast.For):
            return [goals.without(changed_names(stmt))]
        branch = stmt.body if move.taken else stmt.orelse
        reached = branch[0].lineno if branch else stmt.lineno
        test = _source(stmt.test)
        note = None
        if test:
            text = DEDUCTION["test"].say(e=test, t=str(move.taken))
            note = Note(stmt.lineno, text, reached)
        found = []
        for more in self.inverter.condition(stmt.test, move.taken):
            values = merged((goals.values, more))
            if values is not None:
                found.append(goals.but(values, note, sure=False))
        return found[:2] or [goals.but(goals.values, note, sure=False)]

    def _passed(self, stmt: ast.If, goals: Goals) -> list[Goals]:
        """An `if` that the route went past: either branch may have set a goal."""
        if isinstance(stmt.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
            for more in self.inverter.condition(stmt.test, False):
                if not more.keys() & goals.values.keys():
                    return [goals.but({**more, **goals.values}, sure=False), goals]
            return [goals]
        if not changed_names(stmt) & goals.values.keys():
            return [goals]
        found = []
        for block, taken in ((stmt.body, True), (stmt.orelse, False)):
            states = [goals]
            for inner in reversed(block):
                states = [g for old in states for g in self._undo(inner, old)][:4]
            for state in states:
                found += self._inside(Inside(stmt, taken), state)
        return found[:MAX_STATES]

    def _solved(self, stmt: ast.stmt, name: str, node: ast.expr, goals: Goals) -> list[Goals]:
        if name not in goals.values:
            return [goals]
        rest = {n: v for n, v in goals.values.items() if n != name}
        value = goals.values[name]
        found = []
        for solution in self.inverter.solve(node, value):
            values = merged((rest, solution))
            if values is None:
                continue
            note, unsaid = None, set(solution)
            if solution and name not in goals.unsaid:
                bound_text, asked = self._asked(node, value, solution)
                text = DEDUCTION["must"].say(b=f"{asked or bound_text}.")
                if bound_text and asked:
                    text = DEDUCTION["bound"].say(c=bound_text, b=f"{asked}.")
                note = Note(stmt.lineno, text, stmt.lineno)
                unsaid = set() if asked else unsaid
            found.append(goals.but(values, note, sure=exact(node), unsaid=unsaid))
        return found[:3] or [goals.without({name})]

    def _unpacked(self, target: ast.Tuple, stmt: ast.Assign, goals: Goals) -> list[Goals]:
        names = [e.id if isinstance(e, ast.Name) else "" for e in target.elts]
        rest = goals.without(set(names))
        if not isinstance(stmt.value, ast.Tuple) or len(stmt.value.elts) != len(names):
            return [rest]
        parts = [rest.values]
        for name, node in zip(names, stmt.value.elts, strict=True):
            if name in goals.values:
                parts += self.inverter.solve(node, goals.values[name])[:1]
        values = merged(parts)
        unsaid = values.keys() - goals.values.keys() if values else ()
        return [rest if values is None else goals.but(values, sure=False, unsaid=unsaid)]

    def _method(self, stmt: ast.Expr, call: ast.Call, goals: Goals) -> list[Goals]:
        """A list's method that is called for its effect: what the list was before it."""
        func = call.func
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
            return [goals]
        name = func.value.id
        if name not in goals.values:
            return [goals]
        if call.keywords:
            return [goals.without({name})]
        found = []
        for before, item in _undone(func.attr, goals.values[name]):
            values: Assignment | None = {**goals.values, name: before}
            if item is not None and call.args:
                more = self.inverter.solve(call.args[-1], item[0])[:1] or [{}]
                rest = {n: v for n, v in goals.values.items() if n != name}
                values = merged((rest, {name: before}, more[0]))
            if values is not None:
                text = DEDUCTION["before"].say(x=name, v=_shown(before))
                note = None if name in goals.unsaid else Note(stmt.lineno, text, stmt.lineno)
                found.append(goals.but(values, note, sure=False))
        return found or [goals.without({name})]


def _undone(method: str, after: Any) -> list[tuple[Any, tuple[Any] | None]]:
    """(what a list was before, the argument that it was called with) for methods that change it."""
    if not isinstance(after, list):
        return []
    if method == "append" and after:
        return [(after[:-1], (after[-1],))]
    if method == "extend":
        return [(after[:-1], (after[-1:],)), ([], (after,))]
    if method == "insert" and after:
        return [(after[1:], (after[0],))]
    if method == "reverse":
        return [(after[::-1], None)]
    if method == "sort":
        return [(after, None)]
    return []


def exact(node: ast.expr) -> bool:
    """Whether only one value of the names in `node` gives a value: a name, a reversal."""
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        s = node.slice
        backwards = not s.lower and not s.upper and s.step is not None
        return backwards and ast.unparse(s.step or node) == "-1" and exact(node.value)
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(exact(e) for e in node.elts)
    return False


def bound(node: ast.expr, value: Any) -> str:
    """In words, what a value asks of what went in."""
    shown, name, inner = _shown(value), "", None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        name, inner = node.func.id, node.args[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name, inner = f".{node.func.attr}", node.func.value
    form = _ASKED.get(name)
    if form and inner is not None and len(_source(inner)) <= 40 and (form != "bound.some" or value):
        return BOUNDS[form].say(x=_source(inner), v=shown)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and type(value) is int:
        return BOUNDS["bound.rest"].say(x=_source(node.left), v=shown, y=_source(node.right))
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        return BOUNDS["bound.item"].say(e=_source(node), v=shown, x=_source(node.value))
    return BOUNDS["bound.value"].say(x=_source(node), v=shown)


def _shown(value: Any) -> str:
    try:
        return show(value, _TEXT)
    except NotShown:
        return "the output"


def _source(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _TEXT else "it"


_CHANGING = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "add",
        "discard",
        "update",
        "setdefault",
    ]
)


def changed_names(stmt: ast.AST) -> set[str]:
    """Names that a statement may change, by assignment or through a method."""
    names = set()
    for node in ast.walk(stmt):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if isinstance(node.value, ast.Name):
                names.add(node.value.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if node.func.attr in _CHANGING and isinstance(owner, ast.Name):
                names.add(owner.id)
    return names
