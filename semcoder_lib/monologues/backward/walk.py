"""From an output back to the parameters: a walk along a route, undoing one statement at a time."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from semcoder_lib.monologues.backward.constraints import constraint, exact
from semcoder_lib.monologues.backward.invert import Assignment, Inverter, merged
from semcoder_lib.monologues.backward.loops import Undoing
from semcoder_lib.monologues.backward.routes import Before, Inside, Route, leaves_early, routes
from semcoder_lib.monologues.reading import Reading, parameters
from semcoder_lib.monologues.show import NotShown, show

MAX_STATES = 12
_TEXT = 80


class Note(NamedTuple):
    """A sentence about `line`; it holds only for runs that reach the line `reached`."""

    line: int
    text: str
    reached: int


@dataclass(slots=True)
class State:
    """What must hold at one point: values of names. `notes` come latest first; `guessed` says that
    some step could have been undone in other ways."""

    goals: Assignment
    notes: list[Note] = field(default_factory=list)
    guessed: bool = False

    def but(
        self, goals: Assignment, line: int, note: str, sure: bool = True, reached: int = 0
    ) -> State:
        notes = [*self.notes, Note(line, note, reached or line)] if note else self.notes
        return State(goals, notes, self.guessed or not sure)


@dataclass(frozen=True, slots=True)
class Deduction:
    """Values of some parameters that should lead to the output, and the sentences that say why."""

    assignment: Assignment
    notes: tuple[Note, ...]
    guessed: bool


def deduce(reading: Reading, output: Any) -> list[Deduction]:
    """Deductions over every route, the most promising first. None of them has been run."""
    walker = Walker(reading)
    names = set(parameters(reading.entry))
    found: list[Deduction] = []
    for route in routes(reading.entry):
        for state in walker.walk(route, output):
            kept = {n: v for n, v in state.goals.items() if n in names}
            found.append(Deduction(kept, tuple(state.notes), state.guessed))
    found.sort(key=lambda d: -len(d.assignment))  # stable: earlier routes first
    return found[:24]


class Walker:
    """Undoes statements of one program."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.inverter = Inverter(reading.constants)
        self.f = reading.entry_point
        self.undoing = Undoing(self.inverter, reading)

    def walk(self, route: Route, output: Any) -> list[State]:
        states = self._start(route, output)
        for move in route.back:
            following: list[State] = []
            for state in states:
                following += self._undo(move, state)
            states = following[:MAX_STATES]
        return states

    def _start(self, route: Route, output: Any) -> list[State]:
        end = route.end
        if end is None or end.value is None:
            return [State({})] if output is None else []
        known = self.inverter.known(end.value)
        shown = _shown(output)
        place = f"[L{end.lineno}]"
        head = f"{self.reading.text(end) or 'return'}: {self.f} returns {shown}"
        if known is not None:
            if known[0] != output or type(known[0]) is not type(output):
                return []
            return [
                State({}, [Note(end.lineno, f"{head}, so {place} must be reached.", end.lineno)])
            ]
        sure = exact(end.value)
        out = []
        for goals in self.inverter.solve(end.value, output):
            told = self._told(end.value, output, goals)
            out.append(
                State(goals, [Note(end.lineno, f"{head}, so {told}.", end.lineno)], not sure)
            )
        if not out:
            told = f"{head}, so {_source(end.value)} must be {shown}."
            out.append(State({}, [Note(end.lineno, told, end.lineno)], True))
        return out

    def _told(self, node: ast.expr, value: Any, goals: Assignment) -> str:
        """`s must be 'ab'`, or the constraint in words and one value that meets it."""
        shown = ", ".join(f"{n} {{}} be {_shown(v)}" for n, v in goals.items())
        if exact(node):
            return shown.replace("{}", "must")
        abstract = constraint(node, value) or f"{_source(node)} must be {_shown(value)}"
        return f"{abstract}; {shown.replace('{}', 'can')}" if goals else abstract

    def _undo(self, move: Before | Inside, state: State) -> list[State]:
        stmt = move.stmt
        if isinstance(move, Inside):
            return self._inside(move, state)
        if isinstance(stmt, ast.Assign):
            return self._assign(stmt, state)
        if isinstance(stmt, ast.AugAssign):
            return self._augmented(stmt, state)
        if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call):
            return self._call(stmt, stmt.value, state)
        if isinstance(stmt, ast.For):
            return self._loop(stmt, state)
        if isinstance(stmt, ast.If):
            return self._skipped_if(stmt, state)
        changed = _stored(stmt)
        return [
            State({n: v for n, v in state.goals.items() if n not in changed}, state.notes, True)
        ]

    def _inside(self, move: Inside, state: State) -> list[State]:
        stmt = move.stmt
        if isinstance(stmt, ast.For):
            names = {n.id for n in ast.walk(stmt.target) if isinstance(n, ast.Name)}
            own = {n: v for n, v in state.goals.items() if n in names}
            rest = {n: v for n, v in state.goals.items() if n not in names}
            if not own:
                return [State(rest, state.notes, state.guessed)]
            return self._over(stmt, [own], rest, state)
        line = stmt.lineno
        test = _source(stmt.test)
        note = f"{self.reading.text(stmt) or test}: {test} must be {move.taken} here."
        branch = stmt.body if move.taken else stmt.orelse
        reached = branch[0].lineno if branch else line
        out = []
        for goals in self.inverter.condition(stmt.test, move.taken) or [{}]:
            told = merged((state.goals, goals))
            if told is not None:
                out.append(state.but(told, line, note, False, reached))
        return out[:2] or [state.but(state.goals, line, note, False, reached)]

    def _over(
        self, stmt: ast.For, items: list[Assignment], rest: Assignment, state: State
    ) -> list[State]:
        """States in which the loop went over `items`."""
        out = []
        for told in self.undoing.iterables(stmt, items):
            goals = merged((rest, told))
            if goals is not None:
                shown = ", ".join(f"{n} can be {_shown(v)}" for n, v in told.items())
                said = f"{self.reading.text(stmt)}: so {shown}." if shown else ""
                out.append(state.but(goals, stmt.lineno, said, sure=False))
        return out or [State(rest, state.notes, True)]

    def _assign(self, stmt: ast.Assign, state: State) -> list[State]:
        target = stmt.targets[0]
        if isinstance(target, ast.Tuple):
            return self._unpack(target, stmt, state)
        if not isinstance(target, ast.Name) or target.id not in state.goals:
            changed = _stored(stmt)
            if not changed & state.goals.keys():
                return [state]
            rest = {n: v for n, v in state.goals.items() if n not in changed}
            return [State(rest, state.notes, True)]
        rest = dict(state.goals)
        value = rest.pop(target.id)
        return self._solved(stmt, stmt.value, target.id, value, rest, state)

    def _solved(
        self, stmt: ast.stmt, node: ast.expr, name: str, value: Any, rest: Assignment, state: State
    ) -> list[State]:
        sure = exact(node)
        text = self.reading.text(stmt)
        out = []
        for goals in self.inverter.solve(node, value):
            told = merged((rest, goals))
            if told is None:
                continue
            note = f"{text}: so {self._told(node, value, goals)}." if goals and text else ""
            out.append(state.but(told, stmt.lineno, note, sure))
        return out[:3] or [State(rest, state.notes, True)]

    def _unpack(self, target: ast.Tuple, stmt: ast.Assign, state: State) -> list[State]:
        names = [e.id if isinstance(e, ast.Name) else "" for e in target.elts]
        rest = {n: v for n, v in state.goals.items() if n not in names}
        if not isinstance(stmt.value, ast.Tuple) or len(stmt.value.elts) != len(names):
            return [State(rest, state.notes, True)]
        parts = [rest]
        for name, node in zip(names, stmt.value.elts, strict=True):
            if name in state.goals:
                parts += self.inverter.solve(node, state.goals[name])[:1]
        told = merged(parts)
        return [State(told if told is not None else rest, state.notes, True)]

    def _augmented(self, stmt: ast.AugAssign, state: State) -> list[State]:
        if not isinstance(stmt.target, ast.Name) or stmt.target.id not in state.goals:
            return [state]
        rest = dict(state.goals)
        value = rest.pop(stmt.target.id)
        whole = ast.BinOp(stmt.target, stmt.op, stmt.value)
        return self._solved(stmt, whole, stmt.target.id, value, rest, state)

    def _call(self, stmt: ast.Expr, call: ast.Call, state: State) -> list[State]:
        func = call.func
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
            return [state]
        name = func.value.id
        if name not in state.goals:
            return [state]
        out = []
        for before, argument in self.undoing.method(func.attr, state.goals[name], call):
            goals: list[Assignment] = [{**state.goals, name: before}]
            if argument is not None and call.args:
                rest = {n: v for n, v in state.goals.items() if n != name}
                more = self.inverter.solve(call.args[-1], argument[0])[:1] or [{}]
                goals = [g for m in more if (g := merged((rest, {name: before}, m))) is not None]
            note = f"{self.reading.text(stmt)}: so before it {name} can be {_shown(before)}."
            out += [state.but(g, stmt.lineno, note, sure=False) for g in goals]
        return out or [
            State({n: v for n, v in state.goals.items() if n != name}, state.notes, True)
        ]

    def _loop(self, stmt: ast.For, state: State) -> list[State]:
        changed = _stored(stmt) & state.goals.keys()
        if not changed:
            return [state]
        rest = {n: v for n, v in state.goals.items() if n not in changed}
        out: list[State] = []
        for name in sorted(changed):
            for way in self.undoing.loop(stmt, name, state.goals[name]):
                reached = way.line if way.items else stmt.lineno
                noted = state.but(rest, way.line, way.note, False, reached)
                goals = {**rest, **({name: way.before[0]} if way.before else {})}
                out += self._over(stmt, way.items, goals, noted)
        return out or [State(rest, state.notes, True)]

    def _skipped_if(self, stmt: ast.If, state: State) -> list[State]:
        if leaves_early(stmt):
            for goals in self.inverter.condition(stmt.test, False):
                told = merged((state.goals, {}))
                if told is not None and not goals.keys() & told.keys():
                    return [State({**goals, **told}, state.notes, True), state]
            return [state]
        changed = _stored(stmt) & state.goals.keys()
        if not changed:
            return [state]
        out = []
        for block, taken in ((stmt.body, True), (stmt.orelse, False)):
            states = [state]
            for inner in reversed(block):
                states = [s for old in states for s in self._undo(Before(inner), old)][:4]
            for made in states:
                out += self._inside(Inside(stmt, taken), made)
        return out[:MAX_STATES]


def _shown(value: Any) -> str:
    try:
        return show(value, _TEXT)
    except NotShown:
        return f"a {type(value).__name__} like the output"


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


def _stored(stmt: ast.stmt) -> set[str]:
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
