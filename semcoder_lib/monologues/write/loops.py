"""Loops, and what is not told in full: later iterations as rows of state, then elided; calls that
are told together."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semcoder_lib.monologues.evaluator import Cannot, Raises
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.write.plan import Activation, Leaf, Loop, Node, Turn
from semcoder_lib.monologues.write.workings import SPELL_UP_TO, as_list

if TYPE_CHECKING:
    from semcoder_lib.monologues.write.frame import Frame
    from semcoder_lib.monologues.write.simulation import Narrator

ROW_VALUE_CHARS = 40
_ITEM_CHARS = 60


def tell(n: Narrator, loop: Loop, act: Activation, frame: Frame) -> None:
    """The head, the iterations (in full, as rows, elided), the end."""
    if loop.syntax.is_for:
        _for_head(n, loop, frame)
    full, rows = _split(n, loop)
    for number, turn in enumerate(loop.turns[:full], 1):
        _turn(n, loop, turn, number, act, frame)
    if full < len(loop.turns):
        ends_inside = loop.end is None
        _rest(n, loop, full, rows, frame, len(loop.turns) - ends_inside)
        if ends_inside:  # by a break, a return or an exception, which has to be told
            _turn(n, loop, loop.turns[-1], len(loop.turns), act, frame)
    if loop.end is not None:
        _end(n, loop, loop.end, act, frame)


def _for_head(n: Narrator, loop: Loop, frame: Frame) -> None:
    stmt = loop.syntax.node
    assert isinstance(stmt, ast.For)
    first = loop.turns[0].head if loop.turns else loop.end
    frame.calls = []
    if first is None or first.raised:
        return
    if first.calls:
        n.calls(first, frame)
    if not loop.turns:
        return
    head = n.quoted(stmt.lineno) or ("" if n.style.dense else "the loop: ")
    count = len(loop.turns)
    try:
        items: list[Any] = n.working(as_list(stmt.iter), frame)[1]  # type: ignore[assignment]
    except (Cannot, Raises):
        items = []
    if len(items) < count:
        n.say(stmt.lineno, head, "loop.start")
        return
    many = {"n": str(len(items)), "s": "" if len(items) == 1 else "s"}
    try:
        listing = _listing(items, _is_range(stmt.iter))
    except NotShown:
        n.say(stmt.lineno, head, "loop.count", **many)
        return
    n.say(stmt.lineno, head, "loop.items", l=listing, **many)


def _is_range(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"
    )


def _listing(items: list[Any], ranged: bool) -> str:
    """`#1 'a', #2 'b'`, of a range `0, 1, 2`; a long one as its first three and its last."""
    shown = [show(x, _ITEM_CHARS) for x in items[: SPELL_UP_TO + 1]]
    if not ranged:
        shown = [f"#{i} {text}" for i, text in enumerate(shown, 1)]
    if len(items) > SPELL_UP_TO:
        mark = "" if ranged else f"#{len(items)} "
        shown = [*shown[:3], "...", mark + show(items[-1], _ITEM_CHARS)]
    return ", ".join(shown)


def _turn(n: Narrator, loop: Loop, turn: Turn, number: int, act: Activation, frame: Frame) -> None:
    head, stmt = turn.head, loop.syntax.node
    if isinstance(stmt, ast.For):
        if number > 1 and head.calls:
            n.calls(head, frame)
        _iteration(n, loop, head, number, frame)
    else:
        intro = n.calls(head, frame) if head.calls else n.quoted(stmt.lineno)
        n.condition(head, f"iteration #{number}: {intro}", stmt.test, frame, True)
    frame.apply(head.changes)
    frame.apply(head.beyond)
    n.nodes(turn.body, act, frame)


def _iteration(n: Narrator, loop: Loop, head: Leaf, number: int, frame: Frame) -> None:
    changed = {c.name: c for c in head.changes}
    pairs: list[tuple[str, str | None]] = []
    for name in loop.syntax.targets:
        change = changed.get(name) or frame.texts.get(name)
        if change is not None and change.text is not None:
            pairs.append((name, n.value(change.text)))
    n.say(head.line, "", "loop.turn", k=str(number), b=binds(pairs))


def _end(n: Narrator, loop: Loop, end: Leaf, act: Activation, frame: Frame) -> None:
    count, stmt = len(loop.turns), loop.syntax.node
    if end.raised:
        n.leaf(end, act, frame)
        return
    if isinstance(stmt, ast.While):
        head = n.calls(end, frame)
        n.condition(end, head, stmt.test, frame, False, count)
    else:
        if count and end.calls:
            n.calls(end, frame)
        to = n.onward(end, frame)
        if count == 0:
            n.say(end.line, n.quoted(end.line), "loop.none", to=to)
        else:
            s = "" if count == 1 else "s"
            n.say(end.line, "", "loop.over", n=str(count), s=s, to=to)
    frame.apply(end.changes)
    frame.apply(end.beyond)


# --- what is not told in full ---------------------------------------------------------------------


def _split(n: Narrator, loop: Loop) -> tuple[int, int]:
    """How many iterations are told in full, and how many more as rows."""
    style, count = n.style, len(loop.turns)
    if count <= style.iterations + 1:
        return count, 0
    full = max(1, style.iterations)
    return full, min(style.rows, count - full)


def _rest(n: Narrator, loop: Loop, full: int, rows: int, frame: Frame, until: int) -> None:
    later = loop.turns[full:until]
    shown, gone = later[:rows], later[rows:]
    if len(gone) == 1:
        shown, gone = later, []
    line = loop.syntax.header
    if shown:
        parts: list[str] = []
        lines: set[int] = set()
        for number, turn in enumerate(shown, full + 1):
            names: dict[str, None] = {}
            _run(turn, frame, names, lines)
            state = _state(names, frame, ROW_VALUE_CHARS)
            parts.append(f"#{number} {state or ('goes on' if names else 'no change')}")
        slots = {"a": str(full + 1), "ls": _labels(n, lines), "r": "; ".join(parts)}
        if len(shown) == 1:
            n.say(line, "", "rows.one", **slots)
        else:
            n.say(line, "", "rows", z=str(full + len(shown)), **slots)
    if gone:
        names, lines = {}, set()
        for turn in gone:
            _run(turn, frame, names, lines)
        slots = {"a": str(full + len(shown) + 1), "z": str(until), "ls": _labels(n, lines)}
        state = _state(names, frame, n.style.value_chars)
        if state:
            n.say(line, "", "same.after", b=state, **slots)
        else:
            n.say(line, "", "same", **slots)


def tell_skipped(n: Narrator, leaf: Leaf, skipped: list[Activation]) -> None:
    """Calls that are told together, with the lines that they ran and what they returned."""
    lines: set[int] = set()
    for act in skipped:
        for inner in act.leaves:
            _visit(inner, None, {}, lines)
    labels = _labels(n, lines)
    names = list(dict.fromkeys(a.call.function for a in skipped))
    if not lines:
        return
    if any(a.resumed for a in skipped):  # a generator: how often it is asked is not a count
        n.say(leaf.line, "", "resumed.same", g=" and ".join(names), ls=labels)
        return
    results = [a.result.value or "None" for a in skipped if a.result is not None]
    gave = ", ".join(results)
    told = len(results) == len(skipped) and len(gave) < 80
    if len(skipped) == 1:
        form, slots = "calls.one", {"g": names[0], "ls": labels}
        slots |= {"v": gave} if told else {}
    else:
        form, slots = "calls.same", {"n": str(len(skipped)), "g": " and ".join(names), "ls": labels}
        slots |= {"vs": gave} if told else {}
    n.say(leaf.line, "", form + (".gave" if told else ""), **slots)


def _run(turn: Turn, frame: Frame, names: dict[str, None], lines: set[int]) -> None:
    _visit(turn.head, frame, names, lines, own=False)
    for node in turn.body:
        _through(node, frame, names, lines)


def _through(node: Node, frame: Frame, names: dict[str, None], lines: set[int]) -> None:
    if isinstance(node, Loop):
        for turn in node.turns:
            _visit(turn.head, frame, names, lines)
            for inner in turn.body:
                _through(inner, frame, names, lines)
        if node.end is not None:
            _visit(node.end, frame, names, lines)
    else:
        _visit(node, frame, names, lines)


def _visit(
    leaf: Leaf, frame: Frame | None, names: dict[str, None], lines: set[int], own: bool = True
) -> None:
    """What one skipped step did: its line, those of the calls it made, and what it changed."""
    if own:
        lines.add(leaf.line)
    for act in leaf.calls:
        for inner in act.leaves:
            _visit(inner, None, {}, lines)
    if frame is not None:
        frame.apply(leaf.changes)
        frame.apply(leaf.beyond)
        for change in leaf.changes:
            names[change.name] = None


def binds(pairs: Sequence[tuple[str, str | None]]) -> str:
    """`a = 1, b is gone`."""
    return ", ".join(f"{n} is gone" if v is None else f"{n} = {v}" for n, v in pairs)


def _labels(n: Narrator, lines: set[int]) -> str:
    return ", ".join(n.style.label(k) for k in sorted(lines))


def _state(names: dict[str, None], frame: Frame, limit: int) -> str:
    parts = []
    for name in names:
        change = frame.texts.get(name)
        if change is not None and change.text is not None and len(change.text) <= limit:
            parts.append(f"{name} = {change.text}")
    return ", ".join(parts)
