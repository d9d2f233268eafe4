"""From an output back to the parameters: a walk along a route, undoing one statement at a time.

What a statement does is undone where it can be (`inverses`); where the earlier state is not
determined, a bound says what is asked of it. Loops are not undone: what they give is left to the
search. No code of the program is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.monologues.backward.inverses import Assignment, Inverter, merged
from semcoder_lib.monologues.evaluator import MUTATING, Cannot, Given, Raises, equal, evaluate
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.syntax import Syntax, parameters

_MAX_STATES = 12
_MAX_DEDUCTIONS = 24
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
        sure: bool = False,
        unsaid: Iterable[str] = (),
    ) -> Goals:
        notes = self.notes if note is None else (*self.notes, note)
        return Goals(values, notes, self.guessed or not sure, self.unsaid.union(unsaid))

    def without(self, names: Collection[str]) -> Goals:
        """The goals that are left where a statement sets these names in an unknown way."""
        left = {n: v for n, v in self.values.items() if n not in names}
        return self if len(left) == len(self.values) else replace(self, values=left, guessed=True)


@dataclass(frozen=True, slots=True)
class Inside:
    """The route lies in a branch of an `if` or `while` whose test was `taken`, or in a loop."""

    stmt: ast.If | ast.While | ast.For
    taken: bool = True


Back = tuple[ast.stmt | Inside, ...]  # what ran before an end, latest first


def deduce(syntax: Syntax, entry_point: str, output: Any) -> list[Goals]:
    """Goals for the parameters over every route, the most promising first. None was run."""
    function = syntax.functions[entry_point]
    names = set(parameters(function))
    walker = _Walker(syntax, entry_point)
    deductions: list[Goals] = []
    routes = list(_routes(function.body, ()))[::-1] or [(None, tuple(reversed(function.body)))]
    for end, back in routes:
        states = walker.start(end, output)
        for move in back:
            states = walker.undo(move, states)
        for goals in states:
            kept = {n: v for n, v in goals.values.items() if n in names}
            deductions.append(Goals(kept, goals.notes, goals.guessed))
    deductions.sort(key=lambda goals: -len(goals.values))  # stable: earlier routes first
    return deductions[:_MAX_DEDUCTIONS]


def _routes(block: list[ast.stmt], back: Back) -> Iterator[tuple[ast.Return | None, Back]]:
    """The ways that end in a `return`, in the order of the returns."""
    for stmt in block:
        if isinstance(stmt, ast.Return):
            yield stmt, back
            return
        if isinstance(stmt, ast.If):
            yield from _routes(stmt.body, (Inside(stmt, True), *back))
            yield from _routes(stmt.orelse, (Inside(stmt, False), *back))
        elif isinstance(stmt, ast.For | ast.While):
            yield from _routes(stmt.body, (Inside(stmt), *back))
        elif isinstance(stmt, ast.Try | ast.With):
            for inner in (stmt, *getattr(stmt, "handlers", ())):
                yield from _routes(inner.body, back)
        back = (stmt, *back)


class _Walker:
    def __init__(self, syntax: Syntax, entry_point: str) -> None:
        self.syntax = syntax
        self.f = entry_point
        self.inverter = Inverter(syntax.constants)

    def start(self, end: ast.Return | None, output: Any) -> list[Goals]:
        """What an output asks where a route ends."""
        if end is None or end.value is None:
            return [Goals({})] if output is None else []
        line, slots = end.lineno, {"f": self.f, "v": _shown(output)}
        known = self.inverter.known(end.value)
        if known is not None:
            if known[0] != output or type(known[0]) is not type(output):
                return []
            text = say("goal.reach", to=f"[L{line}]", **slots)
            return [Goals({}, (Note(line, text, line),))]
        solved = self.inverter.solve(end.value, output)
        found = []
        for values in solved or [{}]:
            text, given = self._sentence(("goal", "goal.bound"), end.value, output, values, **slots)
            sure = bool(solved) and exact(end.value)
            unsaid = frozenset() if given else frozenset(values)
            found.append(Goals(values, (Note(line, text, line),), not sure, unsaid))
        return found

    def _sentence(
        self, forms: tuple[str, str], node: ast.expr, value: Any, goals: Assignment, **slots: str
    ) -> tuple[str, bool]:
        """What a value asks: values of the names in `node` that meet it, the bound that it puts on
        what `node` is made of where those are not determined, or both; and whether values are
        given. A guess that does not give the value, or depends on other names, is not stated."""
        sure, given = exact(node), ""
        try:
            worth = evaluate(node, Given({**self.syntax.constants, **goals}))
            if equal(worth, value):
                word = "must" if sure else "can"
                given = ", ".join(f"{n} {word} be {_shown(v)}" for n, v in goals.items())
        except (Cannot, Raises):
            pass
        asked = "" if sure and given else bound(node, value)
        if asked and given:
            return say(forms[1], c=asked, b=f"{given}.", **slots), True
        return say(forms[0], b=f"{asked or given}.", **slots), bool(given)

    def undo(self, move: ast.stmt | Inside, states: list[Goals], most: int = 12) -> list[Goals]:
        """What had to hold before a move for goals after it."""
        return [goals for after in states for goals in self._undo(move, after)][:most]

    def _undo(self, move: ast.stmt | Inside, goals: Goals) -> list[Goals]:
        match move:
            case Inside():
                return self._inside(move, goals)
            case ast.Assign(targets=[ast.Name(id=name), *_], value=value):
                return self._solved(move, name, value, goals)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                whole = ast.BinOp(ast.Name(name, ast.Load()), op, value)
                return self._solved(move, name, whole, goals)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                return self._unpacked(names, values, goals)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name())) as call):
                return self._method(move, call, goals)
            case ast.Expr(value=ast.Call()):
                return [goals]
            case ast.If():
                return self._passed(move, goals)
        return [goals.without(changed_names(move))]

    def _inside(self, move: Inside, goals: Goals) -> list[Goals]:
        stmt = move.stmt
        if isinstance(stmt, ast.For):
            return [goals.without(changed_names(stmt))]
        branch = stmt.body if move.taken else stmt.orelse
        reached = branch[0].lineno if branch else stmt.lineno
        test, note = _source(stmt.test), None
        if test:
            note = Note(stmt.lineno, say("test", e=test, t=str(move.taken)), reached)
        options = (
            merged((goals.values, m)) for m in self.inverter.condition(stmt.test, move.taken)
        )
        found = [goals.but(values, note) for values in options if values is not None]
        return found[:2] or [goals.but(goals.values, note)]

    def _passed(self, stmt: ast.If, goals: Goals) -> list[Goals]:
        """An `if` that the route went past: either branch may have set a goal."""
        if isinstance(stmt.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
            for more in self.inverter.condition(stmt.test, False):
                if not more.keys() & goals.values.keys():
                    return [goals.but({**more, **goals.values}), goals]
            return [goals]
        if not changed_names(stmt) & goals.values.keys():
            return [goals]
        found = []
        for block, taken in ((stmt.body, True), (stmt.orelse, False)):
            states = [goals]
            for inner in reversed(block):
                states = self.undo(inner, states, 4)
            found += self.undo(Inside(stmt, taken), states)
        return found[:_MAX_STATES]

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
            note, given = None, False
            if solution and name not in goals.unsaid:
                text, given = self._sentence(("must", "bound"), node, value, solution)
                note = Note(stmt.lineno, text, stmt.lineno)
            unsaid = set() if given else set(solution)
            found.append(goals.but(values, note, sure=exact(node), unsaid=unsaid))
        return found[:3] or [goals.without({name})]

    def _unpacked(self, names: list[ast.expr], nodes: list[ast.expr], goals: Goals) -> list[Goals]:
        """`a, b = b, a + b`."""
        given = {t.id: v for t, v in zip(names, nodes, strict=False) if isinstance(t, ast.Name)}
        rest = goals.without(given.keys())
        parts = [rest.values]
        for name in (n for n in given if n in goals.values):
            parts += self.inverter.solve(given[name], goals.values[name])[:1]
        values = merged(parts)
        if values is None:
            return [rest]
        return [goals.but(values, unsaid=values.keys() - goals.values.keys())]

    def _method(self, stmt: ast.stmt, call: ast.Call, goals: Goals) -> list[Goals]:
        """A list's method that is called for its effect: what the list was before it."""
        name, method = ast.unparse(call.func).split(".")
        if name not in goals.values:
            return [goals]
        rest = {n: v for n, v in goals.values.items() if n != name}
        found = []
        undone = [] if call.keywords else _undone(method, goals.values[name])
        for before, *items in undone:
            values: Assignment | None = {**goals.values, name: before}
            if items and call.args:
                more = self.inverter.solve(call.args[-1], items[0])[:1] or [{}]
                values = merged((rest, {name: before}, more[0]))
            if values is not None:
                text = say("before", x=name, v=_shown(before))
                note = None if name in goals.unsaid else Note(stmt.lineno, text, stmt.lineno)
                found.append(goals.but(values, note))
        return found or [goals.without({name})]


def _undone(method: str, after: Any) -> list[tuple[Any, ...]]:
    """(what a list was before, the argument if any) for methods that change it."""
    if not isinstance(after, list):
        return []
    if method == "append" and after:
        return [(after[:-1], after[-1])]
    if method == "extend":
        return [(after[:-1], after[-1:]), ([], after)]
    if method == "insert" and after:
        return [(after[1:], after[0])]
    return {"reverse": [(after[::-1],)], "sort": [(after,)]}.get(method, [])


def exact(node: ast.expr) -> bool:
    """Whether only one value of the names in `node` gives a value: a name, a reversal."""
    match node:
        case ast.Name():
            return True
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.expr())):
            return ast.unparse(node.slice) == "::-1" and exact(value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return bool(parts) and all(exact(part) for part in parts)
    return False


def bound(node: ast.expr, value: Any) -> str:
    """In words, what a value asks of what went in."""
    shown, name, inner = _shown(value), "", node
    match node:
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            pass
        case ast.Call(func=ast.Attribute(value=inner, attr=attribute)):
            name = f".{attribute}"
        case ast.BinOp(left=left, op=ast.Mod(), right=right) if type(value) is int:
            return say("bound.rest", x=_source(left), v=shown, y=_source(right))
        case ast.Subscript(value=box, slice=part) if not isinstance(part, ast.Slice):
            return say("bound.item", e=_source(node), v=shown, x=_source(box))
    form = _ASKED.get(name)
    if form and len(_source(inner)) <= 40 and (form != "bound.some" or value):
        return say(form, x=_source(inner), v=shown)
    return say("bound.value", x=_source(node), v=shown)


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
