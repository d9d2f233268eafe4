"""A program's syntax, prepared for telling and for checking: which statement a line belongs to, how
it reads, which loops there are. Facts only: nothing here is run, planned or decided."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import foreign
from semcoder_lib.core.errors import UserError

MAX_DEPTH = 150  # levels of a program's tree: what calls itself here takes five frames a level
QUOTE_CHARS = 70  # longest statement that is quoted
_BODIES = ("body", "orelse", "finalbody")
_AFTER_HEADER = re.compile(r"(?:[)\s\\]|#[^\n]*\n)*")
SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.MatMult: "@",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` or `while` whose body stands on lines of its own: `first` to `last`."""

    header: int
    first: int
    last: int
    targets: tuple[str, ...]
    node: ast.For | ast.While

    @property
    def is_for(self) -> bool:
        return isinstance(self.node, ast.For)


class Syntax:
    """See the module. `statements` has the innermost statement that starts on or whose header
    covers a line; `owner` the line on which that statement starts; `groups` the lines that hold
    several statements (`a = 1; b = 2`, `if x: return 1`), which are told as one."""

    def __init__(self, source: str) -> None:
        self.tree = foreign.parse(source, max_depth=MAX_DEPTH)
        self.source = source
        self.lines = source.split("\n")
        self.statements: dict[int, ast.stmt | ast.ExceptHandler] = {}
        self.owner: dict[int, int] = {}
        self.groups: dict[int, list[ast.stmt]] = {}
        self.loops: dict[int, Loop] = {}
        self.structural: dict[int, int] = {}  # line of `else:` or `finally:` -> first of its block
        self.functions: dict[str, ast.FunctionDef] = {}
        self.defined: set[str] = set()
        self._texts: dict[int, str] = {}
        self._expressions: dict[int, list[ast.expr]] = {}
        nodes = list(ast.walk(self.tree))
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                self.defined.add(node.name)
                if isinstance(node, ast.FunctionDef):
                    self.functions.setdefault(node.name, node)
        self._enter(self.tree.body)
        self.constants = _constants(self.tree, nodes)

    def _enter(self, block: list[ast.stmt]) -> None:
        for stmt in block:
            self._own(stmt, _header_end(stmt))
            for name in _BODIES:
                inner = getattr(stmt, name, None) or []
                if inner and name != "body":
                    self._block_word(stmt, inner[0].lineno)
                self._enter(inner)
            for handler in getattr(stmt, "handlers", ()):
                self._own(handler, handler.body[0].lineno - 1)
                self._enter(handler.body)
            for case in getattr(stmt, "cases", ()):
                self._enter(case.body)
            if isinstance(stmt, ast.For | ast.While) and stmt.body[0].lineno > stmt.lineno:
                self.loops[stmt.lineno] = _loop(stmt)

    def _own(self, stmt: Any, last: int) -> None:
        """Enter a statement under its lines; one that starts where another does joins its group."""
        first = self.owner.get(stmt.lineno, stmt.lineno)
        known = self.statements.get(first)
        if known is not None and not isinstance(known, ast.ExceptHandler):
            self.groups.setdefault(first, [known]).append(stmt)
        else:
            self.statements[first] = stmt
        decorators = [d.lineno for d in getattr(stmt, "decorator_list", ())]
        for line in range(min([stmt.lineno, *decorators]), max(stmt.lineno, last) + 1):
            self.owner.setdefault(line, first)

    def _block_word(self, stmt: ast.stmt, first: int) -> None:
        for line in range(first - 1, stmt.lineno, -1):
            if self.lines[line - 1].strip().startswith(("else", "finally")):
                self.structural[line] = first
                return

    def start(self, line: int) -> int:
        """The first line of the statement that a line belongs to."""
        line = self.structural.get(line, line)
        return self.owner.get(line, line)

    def statement(self, line: int) -> ast.stmt | ast.ExceptHandler | None:
        """The statement of a line; None for a group and for lines without code."""
        first = self.owner.get(line, line)
        return None if first in self.groups else self.statements.get(first)

    def expressions(self, line: int) -> list[ast.expr]:
        """Every expression, down to its parts, that a step at a line evaluates; of `x += 1` that
        is `x + 1`. Shared: not to be changed."""
        first = self.owner.get(line, line)
        known = self._expressions.get(first)
        if known is None:
            single = self.statements.get(first)
            stmts: list[ast.AST] = [*self.groups.get(first, ())] or ([single] if single else [])
            parts = [part for stmt in stmts for part in _own_parts(stmt)]
            known = [n for part in parts for n in ast.walk(part) if isinstance(n, ast.expr)]
            self._expressions[first] = known
        return known

    def stored(self, line: int) -> frozenset[str]:
        """Names that a step at a line binds or deletes."""
        context = ast.Store | ast.Del
        return frozenset(
            n.id
            for n in self.expressions(line)
            if isinstance(n, ast.Name) and isinstance(n.ctx, context)
        )

    def test(self, line: int) -> ast.expr | None:
        """The condition that a line begins with: of an `if`, `while` or `assert`."""
        stmt = self.statements.get(self.owner.get(line, line))
        return stmt.test if isinstance(stmt, ast.If | ast.While | ast.Assert) else None

    def text(self, line: int) -> str:
        """What stands on a line, on one line: a statement, the header of a compound one without
        its colon, a whole group. Empty where that is too long to be quoted."""
        first = self.owner.get(line, line)
        text = self._texts.get(first)
        if text is None:
            text = self._texts[first] = self._quoted(first)
        return text

    def _quoted(self, first: int) -> str:
        stmt: Any = self.statements.get(first)
        if stmt is None:
            return ""
        group = self.groups.get(first)
        end = _position(self.lines, group[-1] if group else stmt, end=True)
        if not group and _is_compound(stmt):
            end = self._colon(stmt)
        raw = self._between(_position(self.lines, stmt), end)
        if "\n" in raw:
            raw = ast.unparse(stmt).split("\n")[0].rstrip(":") if not group else ""
        return raw if len(raw) <= QUOTE_CHARS else ""

    def _colon(self, stmt: Any) -> tuple[int, int]:
        """Where the header of a compound statement ends: before its colon."""
        last = _last_of_header(stmt)
        if last is None:
            line, text = stmt.lineno, self.lines[stmt.lineno - 1]
            mark = "(" if isinstance(stmt, ast.FunctionDef | ast.ClassDef) and "(" in text else ":"
            return line, text.find(mark) if mark in text else len(text)
        line, column = _position(self.lines, last, end=True)
        rest = "\n".join([self.lines[line - 1][column:], *self.lines[line:]])
        closing = _AFTER_HEADER.match(rest)
        skipped = rest[: closing.end() if closing else 0].rstrip()
        down = skipped.count("\n")
        return line + down, len(skipped.split("\n")[-1]) + (0 if down else column)

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        lines = self.lines[start[0] - 1 : end[0]]
        if len(lines) == 1:
            return lines[0][start[1] : end[1]].strip()
        return "\n".join([lines[0][start[1] :], *lines[1:-1], lines[-1][: end[1]]])


def _position(lines: list[str], node: Any, *, end: bool = False) -> tuple[int, int]:
    """Line and column, in characters, where a node starts or ends."""
    line = node.end_lineno if end else node.lineno
    column = node.end_col_offset if end else node.col_offset
    return line, len(lines[line - 1].encode()[:column].decode(errors="replace"))


def _is_compound(stmt: Any) -> bool:
    return bool(getattr(stmt, "body", None)) or isinstance(stmt, ast.Match)


def _last_of_header(stmt: Any) -> ast.expr | None:
    if isinstance(stmt, ast.If | ast.While):
        return stmt.test
    if isinstance(stmt, ast.For):
        return stmt.iter
    if isinstance(stmt, ast.Match):
        return stmt.subject
    if isinstance(stmt, ast.With):
        return stmt.items[-1].optional_vars or stmt.items[-1].context_expr
    if isinstance(stmt, ast.ExceptHandler) and not stmt.name:
        return stmt.type
    return None


def _header_end(stmt: ast.stmt) -> int:
    """The last line of a statement, or of a compound one's header."""
    if isinstance(stmt, ast.Match):
        return stmt.subject.end_lineno or stmt.lineno
    body = getattr(stmt, "body", None)
    if isinstance(body, list) and body:
        last = _last_of_header(stmt)
        return (last.end_lineno if last is not None else None) or stmt.lineno
    return stmt.end_lineno or stmt.lineno


def _own_parts(stmt: ast.AST) -> list[ast.AST]:
    """The expressions that a step of a statement evaluates: of a compound one, those of its
    header."""
    if isinstance(stmt, ast.AugAssign):
        load = ast.parse(ast.unparse(stmt.target), mode="eval").body
        return [ast.BinOp(load, stmt.op, stmt.value), stmt.target]
    if isinstance(stmt, ast.For):
        return [stmt.target, stmt.iter]
    if isinstance(stmt, ast.If | ast.While):
        return [stmt.test]
    if hasattr(stmt, "body"):
        return [n for n in ast.iter_child_nodes(stmt) if isinstance(n, ast.expr)]
    return [stmt]


def _loop(stmt: ast.For | ast.While) -> Loop:
    targets = tuple(target_names(stmt.target)) if isinstance(stmt, ast.For) else ()
    last = stmt.body[-1].end_lineno or stmt.body[-1].lineno
    return Loop(stmt.lineno, stmt.body[0].lineno, last, targets, stmt)


def target_names(target: ast.expr) -> list[str]:
    """The names that a target binds, in order."""
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]


def stored_names(stmt: Any) -> set[str]:
    """Names that a simple statement or a `for` header binds."""
    targets: list[ast.expr] = []
    if isinstance(stmt, ast.Assign):
        targets = stmt.targets
    elif isinstance(stmt, ast.For | ast.AugAssign | ast.AnnAssign):
        targets = [stmt.target]
    return {
        n.id
        for target in targets
        for n in ast.walk(target)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def parameters(function: ast.FunctionDef) -> list[str]:
    """Names of the positional parameters, in order."""
    return [a.arg for a in function.args.posonlyargs + function.args.args]


def in_body(node: ast.If | ast.While | ast.For | ast.ExceptHandler, line: int | None) -> bool:
    """Whether a line is in the first block of a compound statement."""
    last = node.body[-1].end_lineno or node.body[-1].lineno
    return line is not None and node.body[0].lineno <= line <= last


def _constants(tree: ast.Module, nodes: list[ast.AST]) -> dict[str, Any]:
    """Module-level names bound once to a literal that nothing in the program can have changed."""
    stored: dict[str, int] = {}
    touched: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            stored[node.id] = stored.get(node.id, 0) + 1
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name):
            if isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                touched.add(node.value.id)
        elif isinstance(node, ast.arg):
            stored[node.arg] = stored.get(node.arg, 0) + 2
    constants: dict[str, Any] = {}
    for stmt in tree.body:
        if not isinstance(stmt, ast.Assign) or not isinstance(stmt.targets[0], ast.Name):
            continue
        name = stmt.targets[0].id
        if len(stmt.targets) > 1 or stored.get(name) != 1:
            continue
        try:
            value = ast.literal_eval(stmt.value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        fixed = isinstance(value, str | int | float | bytes | tuple | frozenset | type(None))
        if fixed or name not in touched:
            constants[name] = value
    return constants


@functools.lru_cache(maxsize=512)
def syntax(source: str) -> Syntax | None:
    """The syntax of a source text, cached; None when Python cannot parse it or it is nested too
    deep for what calls itself here."""
    try:
        return Syntax(source)
    except foreign.Refused:
        return None


def readable(source: str, entry_point: str) -> Syntax:
    """The syntax of a program to be told. Raises UserError where it cannot be."""
    found = syntax(source)
    if found is None:
        raise UserError(f"program does not parse, or is nested deeper than {MAX_DEPTH} levels")
    if entry_point not in found.functions:
        raise UserError(f"the program defines no function {entry_point!r}")
    return found
