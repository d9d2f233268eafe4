"""What the verifier reads off a program's source without running it: lines, loops, branches."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Loop:
    """A `for` or `while`: its header's line, the lines of its body, and the names it binds."""

    header: int
    first: int
    last: int
    end: int  # last line of the whole statement, `else` included
    targets: tuple[str, ...]
    is_for: bool
    node: ast.For | ast.While | ast.AsyncFor


@dataclass(frozen=True, slots=True)
class Layout:
    """A program's lines by number (from 1), each with the statement that starts there."""

    lines: tuple[str, ...]
    statements: dict[int, ast.stmt]
    loops: tuple[Loop, ...]
    structural: dict[int, int]  # `else:`, `finally:` -> first line of its block
    functions: dict[str, ast.FunctionDef]
    owner: dict[int, int]  # line -> first line of the statement that it belongs to
    constants: dict[str, ast.expr]
    texts: dict[int, str] = field(default_factory=dict)  # squeezed header or statement of a line
    names: frozenset[str] = frozenset()


_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"\s*#\s*\[L\d+\]\s*$")


@lru_cache(maxsize=65536)
def squeezed(code: str) -> str:
    """Code without spaces and with one kind of quotes, to compare what two people typed."""
    return _SPACE.sub("", code).replace('"', "'").rstrip(":;")


@lru_cache(maxsize=512)
def layout(source: str) -> Layout | None:
    """The structure of a source text, or None when it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = tuple(source.split("\n"))
    statements: dict[int, ast.stmt] = {}
    loops: list[Loop] = []
    structural: dict[int, int] = {}
    functions: dict[str, ast.FunctionDef] = {}
    owner: dict[int, int] = {}
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        if not isinstance(node, ast.stmt):
            continue
        statements.setdefault(node.lineno, node)
        if isinstance(node, ast.FunctionDef):
            functions.setdefault(node.name, node)
        if isinstance(node, ast.For | ast.While | ast.AsyncFor):
            loops.append(_loop(node))
        _structural(node, lines, structural)
    for start, statement in sorted(statements.items()):
        for line in range(start, _head_end(statement) + 1):
            owner[line] = start
    texts = {start: squeezed(_head(s, lines)) for start, s in statements.items()}
    constants = {
        t.id: s.value
        for s in tree.body
        if isinstance(s, ast.Assign)
        for t in s.targets
        if isinstance(t, ast.Name)
    }
    return Layout(
        lines,
        statements,
        tuple(sorted(loops, key=lambda loop: loop.header)),
        structural,
        functions,
        owner,
        constants,
        texts,
        frozenset(names),
    )


def _loop(node: ast.For | ast.While | ast.AsyncFor) -> Loop:
    targets: tuple[str, ...] = ()
    if not isinstance(node, ast.While):
        targets = tuple(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
    last = node.body[-1].end_lineno or node.body[-1].lineno
    return Loop(
        node.lineno,
        node.body[0].lineno,
        last,
        node.end_lineno or last,
        targets,
        not isinstance(node, ast.While),
        node,
    )


def _structural(node: ast.stmt, lines: tuple[str, ...], into: dict[int, int]) -> None:
    for name, word in (("orelse", "else"), ("finalbody", "finally")):
        block = getattr(node, name, None)
        if not block:
            continue
        first = block[0].lineno
        for number in range(first, node.lineno, -1):
            if lines[number - 1].strip().startswith(word):
                if number != first or not isinstance(block[0], ast.If):
                    into[number] = first
                break


def _head_end(statement: ast.stmt) -> int:
    if isinstance(statement, ast.Match):
        return statement.subject.end_lineno or statement.lineno
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno


def _head(statement: ast.stmt, lines: tuple[str, ...]) -> str:
    end = _head_end(statement)
    text = "\n".join(lines[statement.lineno - 1 : end])
    text = "\n".join(line.partition("  #")[0] for line in text.split("\n"))
    return _COMMENT.sub("", text)


@lru_cache(maxsize=4096)
def stored_names(statement: ast.stmt | None) -> tuple[str, ...]:
    """The names in what a statement stores into."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.For | ast.AugAssign | ast.AnnAssign):
        targets = [statement.target]
    return tuple(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


@lru_cache(maxsize=4096)
def stored_base(statement: ast.stmt | None) -> str:
    """`d[` for a statement that stores into an item of `d`."""
    target: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif isinstance(statement, ast.AugAssign):
        target = statement.target
    if isinstance(target, ast.Subscript):
        return ast.unparse(target.value) + "["
    return ""


def expression_of(statement: ast.stmt | None) -> ast.expr | None:
    """The expression whose value a simple statement uses."""
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr | ast.AugAssign):
        return statement.value
    return None


def strip_labels(source: str) -> str:
    """The source without the `# [Lk]` comments of a prompt."""
    return "\n".join(_COMMENT.sub("", line) for line in source.split("\n"))


LABEL = re.compile(r"\[L(\d+)\]")


def labels_in(source: str) -> dict[int, int]:
    """Label of each labelled line of a prompt's source: {line: label}."""
    found = {}
    for number, line in enumerate(source.split("\n"), 1):
        match = re.search(r"#\s*\[L(\d+)\]\s*$", line)
        if match:
            found[number] = int(match.group(1))
    return found
