"""Undoing what loops and changing methods did: which items a loop must have gone over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib.monologues.backward.invert import Assignment, Inverter, merged, targets
from semcoder_lib.monologues.reading import Reading
from semcoder_lib.monologues.show import NotShown, show

MAX_ITEMS = 60


@dataclass(frozen=True, slots=True)
class Way:
    """One way that a loop may have built a value: the loop variables' values in turn, what the
    value was before the loop (in a 1-tuple, or None for unknown), and a sentence that says so."""

    items: list[Assignment]
    before: tuple[Any] | None
    line: int
    note: str


class Undoing:
    """Undoes loops and methods with the help of an `Inverter`."""

    def __init__(self, inverter: Inverter, reading: Reading) -> None:
        self.inverter = inverter
        self.reading = reading

    def iterables(self, stmt: ast.For, items: list[Assignment]) -> list[Assignment]:
        """Assignments under which the loop goes over these items."""
        out: list[Assignment] = []
        iterable = stmt.iter
        target: ast.expr = stmt.target
        if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name):
            name, args = iterable.func.id, iterable.args
            if isinstance(target, ast.Tuple) and args:
                if name == "enumerate" and len(target.elts) == 2:
                    iterable, target = args[0], target.elts[1]
                elif name == "zip" and len(args) == len(target.elts):
                    return self._zipped(iterable, target, items)
        for value in targets(target, items):
            out += self.inverter.solve(iterable, value)
        return out[:4]

    def _zipped(
        self, call: ast.Call, target: ast.Tuple, items: list[Assignment]
    ) -> list[Assignment]:
        parts = []
        for arg, part in zip(call.args, target.elts, strict=True):
            known = [v for v in targets(part, items)[:1] for _ in (0,)]
            for value in known:
                parts += self.inverter.solve(arg, value)[:1]
        told = merged(parts)
        return [told] if told else []

    def loop(self, stmt: ast.For, name: str, value: Any) -> Iterator[Way]:
        """Ways in which the loop may have given `name` this value."""
        inner = list(_inner_statements(stmt.body, ()))
        alone = sum(_changes(s, name) for s, _ in inner) == 1
        for part, tests in inner:
            for way in self._statement(stmt, part, tests, name, value):
                # with other changes to the name beside it, what the sentence says need not hold
                yield way if alone else Way(way.items, way.before, way.line, "")

    def _statement(
        self, loop: ast.For, stmt: ast.stmt, tests: tuple[ast.If, ...], name: str, value: Any
    ) -> Iterator[Way]:
        if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call):
            func = stmt.value.func
            if (
                isinstance(func, ast.Attribute)
                and isinstance(func.value, ast.Name)
                and func.value.id == name
                and func.attr in ("append", "add")
                and stmt.value.args
            ):
                yield from self._one_each(stmt, stmt.value.args[0], tests, name, value)
        elif isinstance(stmt, ast.AugAssign) and _is(stmt.target, name):
            if isinstance(stmt.op, ast.Add):
                yield from self._added(loop, stmt, stmt.value, tests, name, value)
        elif isinstance(stmt, ast.Assign):
            target = stmt.targets[0]
            if _is(target, name) and isinstance(stmt.value, ast.BinOp):
                if isinstance(stmt.value.op, ast.Add):
                    if _is(stmt.value.left, name):
                        yield from self._added(loop, stmt, stmt.value.right, tests, name, value)
                    elif _is(stmt.value.right, name) and isinstance(value, str | list):
                        turned = value[::-1]
                        yield from self._added(loop, stmt, stmt.value.left, tests, name, turned)
            elif isinstance(target, ast.Subscript) and _is(target.value, name):
                yield from self._stores(stmt, target, name, value)

    def _one_each(
        self, stmt: ast.stmt, node: ast.expr, tests: tuple[ast.If, ...], name: str, value: Any
    ) -> Iterator[Way]:
        """`out.append(E)`: one item of the value for each run."""
        if not isinstance(value, list | set) or len(value) > MAX_ITEMS:
            return
        wanted = sorted(value, key=repr) if isinstance(value, set) else value
        items = self._items(node, wanted, tests)
        note = (
            f"{self.reading.text(stmt)}: each run adds one item to {name}, so {_text(node)} must "
            f"be {_turns(wanted)}."
        )
        if items is not None:
            yield Way(items, (type(value)(),), stmt.lineno, note)

    def _added(
        self,
        loop: ast.For,
        stmt: ast.stmt,
        node: ast.expr,
        tests: tuple[ast.If, ...],
        name: str,
        value: Any,
    ) -> Iterator[Way]:
        """`total += E`, `out += E`."""
        text = self.reading.text(stmt)
        if isinstance(value, str):
            items = self._items(node, list(value), tests)
            note = f"{text}: each run adds a piece to {name}, which together must give {value!r}."
            if items is not None and len(value) <= MAX_ITEMS:
                yield Way(items, ("",), stmt.lineno, note)
        elif isinstance(value, bool):
            return
        elif isinstance(value, int | float):
            start = self._start(name)
            rest = value - start
            known = self.inverter.known(node)
            if known is not None:
                yield from self._counted(loop, stmt, known[0], tests, name, rest, start)
                return
            note = f"{text}: what is added to {name} must add up to {rest}."
            items = self._items(node, [rest] if rest else [], tests)
            if items is not None:
                yield Way(items, (start,), stmt.lineno, note)
        elif isinstance(value, list):
            items = self._items(node, [[x] for x in value], tests)
            note = f"{text}: the lists added to {name} must together give {value!r}."
            if items is not None and len(value) <= MAX_ITEMS:
                yield Way(items, ([],), stmt.lineno, note)

    def _counted(
        self,
        loop: ast.For,
        stmt: ast.stmt,
        each: Any,
        tests: tuple[ast.If, ...],
        name: str,
        rest: Any,
        start: Any,
    ) -> Iterator[Way]:
        """`count += 1`: only the number of runs matters."""
        if not each or rest < 0 or rest % each or rest // each > MAX_ITEMS:
            return
        runs = int(rest // each)
        times = "once" if runs == 1 else f"{runs} times"
        note = f"{self.reading.text(stmt)}: {name} grows by {each}, so this must run {times}."
        chosen: Assignment = {}
        for test in tests:
            chosen.update(next(iter(self.inverter.condition(test.test, True)), {}))
        names = [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
        if not any(n in chosen for n in names):
            chosen.update(dict.fromkeys(names, 1))
        own = {n: chosen[n] for n in names if n in chosen}
        yield Way([own] * runs, (start,), stmt.lineno, note)
        text = {n: "a" if v == 1 else v for n, v in own.items()}
        if text != own:
            yield Way([text] * runs, (start,), stmt.lineno, note)

    def _stores(
        self, stmt: ast.stmt, target: ast.Subscript, name: str, value: Any
    ) -> Iterator[Way]:
        """`d[k] = E` in a loop; counting loops repeat their keys."""
        assert isinstance(stmt, ast.Assign)
        if not isinstance(value, dict) or len(value) > MAX_ITEMS:
            return
        counting = any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(stmt.value))
        items: list[Assignment] = []
        for key, kept in value.items():
            for goals in self.inverter.solve(target.slice, key)[:1]:
                if counting and type(kept) is int and 0 < kept <= MAX_ITEMS:
                    items += [goals] * kept
                else:
                    more = self.inverter.solve(stmt.value, kept)[:1] or [{}]
                    items += [g for m in more if (g := merged((goals, m))) is not None]
        what = "one key of each pair for each count" if counting else "one pair for each run"
        note = f"{self.reading.text(stmt)}: {name} gets {what}, and must end as {_short(value)}."
        if items or not value:
            yield Way(items, ({},), stmt.lineno, note)

    def _items(
        self, node: ast.expr, wanted: list[Any], tests: tuple[ast.If, ...]
    ) -> list[Assignment] | None:
        items: list[Assignment] = []
        for value in wanted:
            options = self.inverter.solve(node, value)
            if not options:
                return None
            items.append(options[0])
        return items

    def _start(self, name: str) -> Any:
        """The constant that the function first gives to a name; 0 when it gives none."""
        for stmt in self.reading.entry.body:
            if isinstance(stmt, ast.Assign) and _is(stmt.targets[0], name):
                known = self.inverter.known(stmt.value)
                return known[0] if known and isinstance(known[0], int | float) else 0
        return 0

    def method(
        self, name: str, after: Any, call: ast.Call
    ) -> Iterator[tuple[Any, tuple[Any] | None]]:
        """(value before, argument in a 1-tuple) for a method that changed its object."""
        if isinstance(after, list):
            if name in ("append", "insert") and after:
                at = 0 if name == "insert" else len(after) - 1
                yield after[:at] + after[at + 1 :], (after[at],)
            elif name == "extend":
                yield [], (after,)
                yield after, ([],)
            elif name == "sort":
                yield after, None
            elif name == "reverse":
                yield after[::-1], None
            elif name in ("pop", "remove"):
                filler = after[0] if after else 1
                yield [*after, filler], (filler,)
            elif name == "clear":
                yield [1], None
        elif isinstance(after, set) and name == "add":
            for item in sorted(after, key=repr)[:1]:
                yield after - {item}, (item,)
        elif isinstance(after, dict) and name == "update":
            yield {}, (after,)


def _inner_statements(
    block: list[ast.stmt], tests: tuple[ast.If, ...]
) -> Iterator[tuple[ast.stmt, tuple[ast.If, ...]]]:
    for stmt in block:
        if isinstance(stmt, ast.If):
            yield from _inner_statements(stmt.body, (*tests, stmt))
            yield from _inner_statements(stmt.orelse, tests)
        else:
            yield stmt, tests


def _changes(stmt: ast.stmt, name: str) -> bool:
    for node in ast.walk(stmt):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            return True
        if not isinstance(node, ast.Attribute | ast.Subscript):
            continue
        mine = isinstance(node.value, ast.Name) and node.value.id == name
        if mine and (isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load)):
            return True
    return False


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) < 60 else "it"


def _short(value: Any) -> str:
    try:
        return show(value, 80)
    except NotShown:
        return "the output"


def _turns(values: list[Any]) -> str:
    try:
        shown = [show(v, 40) for v in values[:12]]
    except NotShown:
        return "the items of the output in turn"
    if not shown:
        return "reached by nothing"
    return (
        ", ".join(shown)
        + (", ..." if len(values) > 12 else "")
        + (" in turn" if len(shown) > 1 else "")
    )
