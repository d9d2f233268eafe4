"""A program's syntax, prepared for telling: which statement a line belongs to, what it says."""

from __future__ import annotations

import ast
import functools
from typing import Any

from semcoder_lib.core.errors import UserError

_HEADS = (
    ast.For | ast.While | ast.If | ast.With | ast.FunctionDef | ast.Try | ast.Match | ast.ClassDef
)
STMT_CHARS = 70


class Reading:
    """Syntax of one program. `statement(line)` is the innermost statement whose text (for a
    compound one: whose header) covers the line."""

    def __init__(self, source: str, entry_point: str) -> None:
        try:
            self.tree = ast.parse(source)
        except (SyntaxError, ValueError) as error:
            raise UserError(f"program does not parse: {error}") from None
        self.lines = source.split("\n")
        self.entry_point = entry_point
        self.functions: dict[str, ast.FunctionDef] = {}
        self.defined: set[str] = set()
        self._by_line: dict[int, ast.stmt] = {}
        self._texts: dict[ast.stmt, str] = {}
        for stmt in self.tree.body:
            self._enter(stmt)
        nodes = list(ast.walk(self.tree))
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                self.defined.add(node.name)
                if isinstance(node, ast.FunctionDef):
                    self.functions.setdefault(node.name, node)
        if entry_point not in self.functions:
            raise UserError(f"the program defines no function {entry_point!r}")
        self.entry = self.functions[entry_point]
        self.constants = _constants(self.tree, nodes)

    def statement(self, line: int) -> ast.stmt | None:
        return self._by_line.get(line)

    def _enter(self, stmt: ast.stmt) -> None:
        last = stmt.end_lineno or stmt.lineno
        for line in range(stmt.lineno, last + 1):
            self._by_line[line] = stmt
        for name in ("body", "orelse", "finalbody"):
            for inner in getattr(stmt, name, ()):
                self._enter(inner)
        for handler in getattr(stmt, "handlers", ()):
            for line in range(handler.lineno, (handler.end_lineno or handler.lineno) + 1):
                self._by_line[line] = handler
            for inner in handler.body:
                self._enter(inner)
        for case in getattr(stmt, "cases", ()):
            for inner in case.body:
                self._enter(inner)

    def text(self, stmt: Any) -> str:
        """The statement as it stands in the source; of a compound one the header, without colon.
        Shortened to its first words when it is long."""
        made = self._texts.get(stmt)
        if made is None:
            made = self._texts[stmt] = self._made_text(stmt)
        return made

    def _made_text(self, stmt: Any) -> str:
        end_line, end_column = stmt.end_lineno, stmt.end_col_offset
        last = _header_end(stmt)
        if last is not None:
            end_line, end_column = last.end_lineno, last.end_col_offset
        elif isinstance(stmt, _HEADS | ast.ExceptHandler):
            words = self.lines[stmt.lineno - 1].strip()
            return (
                words.partition(":")[0]
                if not words.startswith(("def", "class"))
                else words.partition("(")[0].rstrip(":")
            )
        if end_line == stmt.lineno:
            raw = self.lines[stmt.lineno - 1].encode()[stmt.col_offset : end_column].decode()
        else:
            raw = ast.unparse(stmt).split("\n")[0].rstrip(":")
        return raw if len(raw) <= STMT_CHARS else ""


def _header_end(stmt: Any) -> ast.expr | None:
    if isinstance(stmt, ast.If | ast.While):
        return stmt.test
    if isinstance(stmt, ast.For):
        return stmt.iter
    if isinstance(stmt, ast.Match):
        return stmt.subject
    if isinstance(stmt, ast.With):
        return stmt.items[-1].optional_vars or stmt.items[-1].context_expr
    return None


def _constants(tree: ast.Module, nodes: list[ast.AST]) -> dict[str, Any]:
    """Module-level names bound once to a literal that nothing in the program can have changed."""
    found: dict[str, Any] = {}
    stored: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            stored[node.id] = stored.get(node.id, 0) + 1
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name):
            changes = isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load)
            if changes:
                stored[f"*{node.value.id}"] = 1
        elif isinstance(node, ast.arg):
            stored[node.arg] = stored.get(node.arg, 0) + 2
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
        immutable = isinstance(value, str | int | float | bytes | tuple | frozenset | type(None))
        if immutable or f"*{name}" not in stored:
            found[name] = value
    return found


@functools.lru_cache(maxsize=512)
def read(source: str, entry_point: str) -> Reading:
    """The reading of a program, cached. Raises `UserError` when it cannot be read."""
    return Reading(source, entry_point)


def parameters(function: ast.FunctionDef) -> list[str]:
    """Names of the positional parameters, in order."""
    return [a.arg for a in function.args.posonlyargs + function.args.args]
