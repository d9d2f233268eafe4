"""The simulation: a sentence for each step of a planned trace, in execution order.

Of a long loop the first iterations are told in full, the next as rows of state, the rest as one
line with the state after them; of many calls the first. The narrator fills the rows of `forms`.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from semcoder_lib.core.records import Change, Trace
from semcoder_lib.monologues.evaluator import Cannot, Raises
from semcoder_lib.monologues.forms import say
from semcoder_lib.monologues.plan import Activation, Frame, Leaf, Loop, Node, Turn, plan
from semcoder_lib.monologues.show import NotShown, long_text, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import (
    Syntax,
    as_list,
    as_load,
    in_body,
    source_of,
    stored_names,
)
from semcoder_lib.monologues.workings import SPELL_UP_TO, Working

_WORKED_UP_TO = 4_000  # characters of a value that a working may arrive at
_SOURCE_CHARS = 60  # of a condition that is told as a whole
_ROW_VALUE_CHARS = 40
_ITEM_CHARS = 60
_SHORTEST_STEP = 20  # characters
_LADDER = ((8, 12), (4, 12), (3, 6), (2, 3), (1, 1), (1, 0))
_TAKING = ("pop", "popitem", "setdefault")  # their result matters beside their effect

Say = Callable[..., None]  # of one step: a form and its slots


def simulation(syntax: Syntax, trace: Trace, style: Style) -> list[str]:
    """The steps of a trace, one a line, also of an execution that raised; told in full if that
    fits into the style's length, else with shorter loops and fewer calls. Raises UserError where
    the execution has generators or threads."""
    room = style.max_chars - (150 if style.brief else 400)
    root = plan(trace, syntax)
    own = (style.iterations, style.rows)
    rungs = [own, *[rung for rung in _LADDER if rung[0] < own[0]]]
    if len(trace.steps) * _SHORTEST_STEP > room and style.iterations < 100:
        rungs = rungs[1:] or rungs  # it cannot fit in full
    lines: list[str] = []
    for iterations, rows in rungs:
        calls = max(1, style.calls * iterations // max(1, style.iterations))
        narrator = Narrator(syntax, trace, style.but(iterations=iterations, rows=rows, calls=calls))
        if root is not None:
            narrator.activation(root)
        lines = narrator.lines
        if sum(map(len, lines)) + len(lines) <= room:
            break
    return lines


class Narrator:
    """Tells one activation tree; `lines` are the finished sentences."""

    def __init__(self, syntax: Syntax, trace: Trace, style: Style) -> None:
        self.syntax = syntax
        self.style = style
        self.lines: list[str] = []
        self.calls_told = 0
        self.outer: dict[str, Change] = {}
        self.sees_all = "beyond:cut" not in trace.flags

    def say(self, line: int, head: str, form: str, **slots: str) -> None:
        self.lines.append(f"{self.style.label(line)} {head}{say(form, **slots)}")

    def sayer(self, leaf: Leaf, frame: Frame, head: str) -> Say:
        """`say` about one step; where it goes on (`to`) and its function (`f`) are filled in."""
        to = (
            f"{frame.function} ends" if leaf.next_line is None else self.style.label(leaf.next_line)
        )
        return functools.partial(self.say, leaf.line, head, to=to, f=frame.function)

    def value(self, text: str | None) -> str:
        return long_text(text or "None", self.style.value_chars)

    def binds(self, changes: Iterable[Change]) -> str:
        """`a = 1, b is gone`."""
        return ", ".join(
            f"{c.name} is gone" if c.text is None else f"{c.name} = {self.value(c.text)}"
            for c in changes
        )

    def worked(self, node: ast.expr, frame: Frame, changing: str = "") -> tuple[list[str], Any]:
        """Pieces and value of an expression; raises Cannot or Raises."""
        return Working(frame, self.style).of(node, changing)

    def quoted(self, line: int) -> str:
        """What the source has on a line, and a colon; empty where it is not quoted."""
        return self.style.quote(self.syntax.text(line)) if self.style.quotes else ""

    # --- activations and calls ----------------------------------------------------------------

    def activation(self, act: Activation) -> None:
        frame = Frame(self.syntax, act.call.function, self.outer)
        frame.apply(act.call)
        f, start = frame.function, self.syntax.start(act.call.line)
        self.calls_told += 1
        form = "call.with" if act.call.changes else "call"
        self.say(start, "", form, f=f, b=self.binds(act.call.changes))
        self.nodes(act.body, act, frame)
        last = act.leaves[-1] if act.leaves else None
        said = last is not None and (last.stmt is None or isinstance(last.stmt, ast.Return))
        if act.result is not None and not said:
            line = last.line if last else start
            self.say(line, "", "ends", f=f, v=self.value(act.result.value))

    def nodes(self, nodes: list[Node], act: Activation, frame: Frame) -> None:
        for node in nodes:
            if isinstance(node, Loop):
                self.loop(node, act, frame)
            else:
                self.leaf(node, act, frame)

    def calls(self, leaf: Leaf, frame: Frame) -> str:
        """Tells the calls that a step makes; gives the head of the sentence that follows them."""
        frame.calls = leaf.calls
        if not leaf.calls:
            return self.quoted(leaf.line)
        names = " and ".join(dict.fromkeys(a.call.function for a in leaf.calls))
        self.say(leaf.line, self.quoted(leaf.line), "calls", g=names)
        for number, act in enumerate(leaf.calls):
            if self.calls_told >= self.style.calls or number >= self.style.iterations:
                self.skipped(leaf, leaf.calls[number:])
                break
            self.activation(act)
        return f"back in {frame.function}: "

    def skipped(self, leaf: Leaf, skipped: list[Activation]) -> None:
        """Calls that are told together, with the lines that they ran and what they returned."""
        lines = set().union(*(_lines(act.leaves) for act in skipped))
        if not lines:
            return
        names = " and ".join(dict.fromkeys(a.call.function for a in skipped))
        results = [a.result.value or "None" for a in skipped if a.result is not None]
        gave = ", ".join(results)
        form = "calls.one" if len(skipped) == 1 else "calls.same"
        if len(results) == len(skipped) and len(gave) < 80:
            form += ".gave"
        slots = {"n": str(len(skipped)), "g": names, "ls": self.labels(lines)}
        self.say(leaf.line, "", form, v=gave, vs=gave, **slots)

    # --- one statement ------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, act: Activation, frame: Frame) -> None:
        """One step, with the calls that it makes before what comes of it."""
        stmt, head = leaf.stmt, self.calls(leaf, frame)
        if isinstance(stmt, ast.Pass | ast.Break | ast.Continue):
            head = ""
        tell = self.sayer(leaf, frame, head)
        if leaf.raised and not isinstance(stmt, ast.ExceptHandler):
            tell(
                "raises.out" if leaf.next_line is None else "raises", k=leaf.raised, k2=leaf.raised
            )
        elif stmt is None:  # several statements: what all of them came to
            changed = bool(leaf.changes or leaf.beyond)
            if leaf.next_line is None and act.result is not None:
                form = "set.returns" if changed else "returns"
                tell(form, b=self.changed(leaf), v=self.value(act.result.value))
            else:
                self._onward(leaf, tell)
        elif isinstance(stmt, ast.If | ast.While | ast.Assert):
            went: bool | None = isinstance(stmt, ast.Assert) or in_body(stmt, leaf.next_line)
            if leaf.next_line is None and not isinstance(stmt, ast.Assert) and stmt.orelse:
                went = None
            self.condition(tell, stmt.test, frame, went)
        elif isinstance(stmt, ast.Return):
            self._return(leaf, stmt, act, frame, tell)
        elif isinstance(stmt, ast.Pass):
            tell("pass")
        elif isinstance(stmt, ast.Break | ast.Continue):
            tell("jump", j=type(stmt).__name__.lower())
        elif isinstance(stmt, ast.ExceptHandler):
            tell("handler.takes" if in_body(stmt, leaf.next_line) else "handler.leaves")
        elif isinstance(stmt, ast.Try | ast.With | ast.Match):
            self._onward(leaf, tell)
        elif isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            tell("defined", f=stmt.name)
        else:
            self._effect(leaf, frame, head, tell)
        frame.apply(leaf)

    def changed(self, leaf: Leaf) -> str:
        """What a step changed, as the record has it: `total = 6, seen is gone`. An object whose
        attributes are told is not shown whole as well."""
        owners = {c.name.partition(".")[0] for c in leaf.beyond if c.scope == "attribute"}
        own = [c for c in leaf.changes if c.exact or c.text is None or c.name not in owners]
        return self.binds([*own, *leaf.beyond])

    def condition(
        self, tell: Say, test: ast.expr, frame: Frame, went: bool | None, ended: int | None = None
    ) -> None:
        """A condition with its outcome: worked out where that agrees with what ran next; `ended`
        is how many iterations it ends."""
        pieces: list[str] = []
        try:
            pieces, value = self.worked(test, frame)
            truth = bool(value)
            if went is None:
                went = truth
            elif truth is not went:
                pieces = []
            elif not isinstance(value, bool):
                shown = long_text(show(value, _WORKED_UP_TO), 60)
                pieces = [*pieces, say("counts", v=shown, b=str(went))]
            elif pieces and not pieces[-1].endswith(f" is {went}"):
                source = source_of(test)
                whole = say("truth", e=f"({source})", b=str(went))
                pieces = [*pieces, whole] if len(source) <= _SOURCE_CHARS else []
        except (Cannot, Raises, NotShown):
            pieces = []
        forms = ("branch", "branch.bare") if ended is None else ("while.over", "while.end")
        tell(forms[not pieces], w="; ".join(pieces), t=str(went), **_many(ended or 0))

    def _return(
        self, leaf: Leaf, stmt: ast.Return, act: Activation, frame: Frame, tell: Say
    ) -> None:
        agrees = act.leaves[-1] is leaf  # else a `finally` runs, and may return something else
        pieces: list[str] = []
        try:
            if stmt.value is not None:
                worked, value = self.worked(stmt.value, frame)
                if act.result is not None and show(value, _WORKED_UP_TO) == act.result.value:
                    pieces, agrees = worked, True
        except (Cannot, Raises, NotShown):
            pass
        if act.result is None or not agrees:
            tell("returns.later")
        else:
            form = "returns.worked" if pieces else "returns"
            tell(form, w="; ".join(pieces), v=self.value(act.result.value))

    def _onward(self, leaf: Leaf, tell: Say) -> None:
        changed = bool(leaf.changes or leaf.beyond)
        tell("set.onward" if changed else "onward", b=self.changed(leaf))

    # --- assignments, and calls for their effect ----------------------------------------------

    def _effect(self, leaf: Leaf, frame: Frame, head: str, tell: Say) -> None:
        stmt = leaf.stmt
        after = self.changed(leaf) or self._same(stmt, frame)
        if not after and self.sees_all:
            tell("unchanged")
        elif not after:
            self._onward(leaf, tell)
        elif head.replace("`", "") == f"{after}: " or (_is_literal(stmt) and not leaf.calls):
            self.say(leaf.line, "", "set", b=after)
        else:
            try:
                pieces = self._pieces(stmt, leaf, frame)
            except (Cannot, Raises, NotShown):
                pieces = []
            tell("set.worked" if pieces else "set", w="; ".join(pieces), b=after)

    def _same(self, stmt: ast.AST | None, frame: Frame) -> str:
        """An assignment that leaves a variable what it was still says what it is."""
        known = [frame.texts[name] for name in sorted(stored_names(stmt)) if name in frame.texts]
        return self.binds(known[:1])

    def _pieces(self, stmt: ast.AST | None, leaf: Leaf, frame: Frame) -> list[str]:
        """How what a statement stores, or the arguments of its call, come about."""
        match stmt:
            case ast.Expr(value=ast.Call() as call):
                return self._arguments(call, frame)
            case ast.Assign(targets=[target, *_], value=node):
                pass
            case ast.AugAssign(target=target):
                node = as_load(stmt)
            case ast.AnnAssign(target=target, value=ast.expr() as node):
                pass
            case _:
                return []
        items = isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name)
        box = source_of(target.value) if items else ""  # type: ignore[attr-defined]
        pieces, value = self.worked(node, frame, box)
        several = isinstance(stmt, ast.Assign) and len(stmt.targets) > 1
        if isinstance(target, ast.Name) and not several:
            stored = {c.name: c for c in leaf.changes}.get(target.id) or frame.texts.get(target.id)
            same = stored is not None and show(value, _WORKED_UP_TO) == stored.text
            return pieces if same else []
        if isinstance(stmt, ast.AugAssign) or several or isinstance(target, ast.Tuple | ast.List):
            return pieces
        if not isinstance(target, ast.Subscript):
            return []
        if box and not isinstance(target.slice, ast.Slice):
            keys, key = self.worked(target.slice, frame)
            slots = {"e": f"{box}[{show(key)}]", "v": show(value, self.style.value_chars)}
            pieces = [*pieces, *keys, say("equal", **slots)]
        return pieces

    def _arguments(self, call: ast.Call, frame: Frame) -> list[str]:
        """Of a call for its effect: how its arguments come about."""
        pieces: list[str] = []
        if isinstance(call.func, ast.Attribute):
            owner = call.func.value
            if isinstance(owner, ast.Call):
                pieces += self._arguments(owner, frame)
            if self.style.dense and isinstance(owner, ast.Name) and call.func.attr in _TAKING:
                return self.worked(call, frame)[0]
        for argument in call.args:
            added, value = self.worked(argument, frame)
            pieces += added
            if isinstance(argument, ast.Name) and frame.text(argument.id):
                pieces.append(say("equal", e=argument.id, v=show(value, 60)))
        return pieces

    # --- loops --------------------------------------------------------------------------------

    def loop(self, loop: Loop, act: Activation, frame: Frame) -> None:
        """The head, the iterations (in full, as rows, elided), the end."""
        count = len(loop.turns)
        full, rows = count, 0
        if count > self.style.iterations + 1:
            full = max(1, self.style.iterations)
            rows = min(self.style.rows, count - full)
        if isinstance(loop.syntax.node, ast.For):
            self._for_head(loop, loop.syntax.node, frame)
        for number, turn in enumerate(loop.turns[:full], 1):
            self._turn(loop, turn, number, act, frame)
        if full < count:
            ends_inside = loop.end is None
            self._rest(loop, full, rows, frame, count - ends_inside)
            if ends_inside:  # by a break, a return or an exception, which has to be told
                self._turn(loop, loop.turns[-1], count, act, frame)
        if loop.end is not None:
            self._end(loop, loop.end, act, frame)

    def _for_head(self, loop: Loop, stmt: ast.For, frame: Frame) -> None:
        first = loop.turns[0].head if loop.turns else loop.end
        if first is not None and not first.raised:
            self.calls(first, frame)
        if not loop.turns:
            return
        head = self.quoted(stmt.lineno) or ("" if self.style.dense else "the loop: ")
        try:
            items: list[Any] = self.worked(as_list(stmt.iter), frame)[1]
        except (Cannot, Raises):
            items = []
        form, listing = "loop.items", ""
        try:
            listing = _listing(items, source_of(stmt.iter).startswith("range("))
        except NotShown:
            form = "loop.count"
        if len(items) < len(loop.turns):
            form = "loop.start"
        self.say(stmt.lineno, head, form, l=listing, **_many(len(items)))

    def _turn(self, loop: Loop, turn: Turn, number: int, act: Activation, frame: Frame) -> None:
        head, stmt = turn.head, loop.syntax.node
        if isinstance(stmt, ast.For):
            if number > 1 and head.calls:
                self.calls(head, frame)
            changed = {c.name: c for c in head.changes}
            now = [changed.get(n) or frame.texts.get(n) for n in loop.syntax.targets]
            bound = self.binds(c for c in now if c is not None and c.text is not None)
            self.say(head.line, "", "loop.turn", k=str(number), b=bound)
        else:
            intro = self.calls(head, frame)
            tell = self.sayer(head, frame, f"iteration #{number}: {intro}")
            self.condition(tell, stmt.test, frame, True)
        frame.apply(head)
        self.nodes(turn.body, act, frame)

    def _end(self, loop: Loop, end: Leaf, act: Activation, frame: Frame) -> None:
        count, stmt = len(loop.turns), loop.syntax.node
        if end.raised:
            self.leaf(end, act, frame)
            return
        if isinstance(stmt, ast.While):
            tell = self.sayer(end, frame, self.calls(end, frame))
            self.condition(tell, stmt.test, frame, False, count)
        else:
            if count and end.calls:
                self.calls(end, frame)
            tell = self.sayer(end, frame, "" if count else self.quoted(end.line))
            tell("loop.over" if count else "loop.none", **_many(count))
        frame.apply(end)

    def _rest(self, loop: Loop, full: int, rows: int, frame: Frame, until: int) -> None:
        """Iterations that are not told in full."""
        later, line = loop.turns[full:until], loop.syntax.header
        shown, gone = later[:rows], later[rows:]
        if len(gone) == 1:
            shown, gone = later, []
        if shown:
            parts: list[str] = []
            lines: set[int] = set()
            for number, turn in enumerate(shown, full + 1):
                names = _ran([turn], frame, lines)
                state = _state(names, frame, _ROW_VALUE_CHARS)
                parts.append(f"#{number} {state or ('goes on' if names else 'no change')}")
            form, z = "rows" if len(shown) > 1 else "rows.one", str(full + len(shown))
            slots = {"a": str(full + 1), "z": z, "ls": self.labels(lines), "r": "; ".join(parts)}
            self.say(line, "", form, **slots)
        if gone:
            lines = set()
            state = _state(_ran(gone, frame, lines), frame, self.style.value_chars)
            slots = {"a": str(full + len(shown) + 1), "z": str(until), "ls": self.labels(lines)}
            self.say(line, "", "same.after" if state else "same", b=state, **slots)

    def labels(self, lines: set[int]) -> str:
        return ", ".join(self.style.label(k) for k in sorted(lines))


def _many(count: int) -> dict[str, str]:
    """A count and its plural."""
    return {"n": str(count), "s": "" if count == 1 else "s"}


def _listing(items: list[Any], ranged: bool) -> str:
    """`#1 'a', #2 'b'`, of a range `0, 1, 2`; a long one as its first three and its last."""
    shown = [show(x, _ITEM_CHARS) for x in items[: SPELL_UP_TO + 1]]
    if not ranged:
        shown = [f"#{i} {text}" for i, text in enumerate(shown, 1)]
    if len(items) > SPELL_UP_TO:
        mark = "" if ranged else f"#{len(items)} "
        shown = [*shown[:3], "...", mark + show(items[-1], _ITEM_CHARS)]
    return ", ".join(shown)


def _steps(nodes: Iterable[Node]) -> Iterator[Leaf]:
    """The steps of nodes, in execution order."""
    for node in nodes:
        if isinstance(node, Leaf):
            yield node
        else:
            for turn in node.turns:
                yield turn.head
                yield from _steps(turn.body)
            yield from () if node.end is None else (node.end,)


def _lines(steps: Iterable[Leaf]) -> set[int]:
    """The lines that steps ran, and those of the calls that they made."""
    lines: set[int] = set()
    for step in steps:
        lines.add(step.line)
        for act in step.calls:
            lines |= _lines(act.leaves)
    return lines


def _ran(turns: Iterable[Turn], frame: Frame, lines: set[int]) -> dict[str, None]:
    """Goes through iterations: the names that they changed; the lines that they ran below the
    loop's header are added to `lines`."""
    names: dict[str, None] = {}
    for turn in turns:
        body = list(_steps(turn.body))
        lines |= _lines(body).union(*(_lines(act.leaves) for act in turn.head.calls))
        for step in (turn.head, *body):
            frame.apply(step)
            names |= dict.fromkeys(c.name for c in step.changes)
    return names


def _state(names: Iterable[str], frame: Frame, limit: int) -> str:
    known = [frame.texts[name] for name in names if name in frame.texts]
    return ", ".join(f"{c.name} = {c.text}" for c in known if c.text and len(c.text) <= limit)


def _is_literal(stmt: ast.AST | None) -> bool:
    """`total = 0`, which says all."""
    return (
        isinstance(stmt, ast.Assign)
        and isinstance(stmt.value, ast.Constant)
        and all(isinstance(t, ast.Name) for t in stmt.targets)
    )
