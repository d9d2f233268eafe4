"""A program's syntax, prepared for telling and for checking: which statement a line belongs to, how
it reads, which loops there are. Facts only: nothing here is run, planned or decided."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import tokenize
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import foreign
from semcoder_lib.core.errors import UserError
from semcoder_lib.monologues.forms import say

MAX_DEPTH = 150  # levels of a program's tree: what calls itself here takes five frames a level
QUOTE_CHARS = 70  # longest statement that is quoted
_CLAUSE_CHARS, _CLAUSES = 48, 5  # longest expression of a summary, and how many statements it tells
_BODIES = ("body", "orelse", "finalbody")
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
        self.cleanups: set[int] = set()  # first lines of what an exception passes through
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
            self._own(stmt, _last_line(stmt))
            self.cleanups |= {stmt.lineno} if isinstance(stmt, ast.With) else set()
            for name in _BODIES:
                inner = getattr(stmt, name, None) or []
                if inner and name != "body":
                    self._block_word(stmt, inner[0].lineno)
                    self.cleanups |= {inner[0].lineno} if name == "finalbody" else set()
                self._enter(inner)
            for handler in getattr(stmt, "handlers", ()):
                self._own(handler, handler.body[0].lineno - 1)
                self._enter(handler.body)
            for case in getattr(stmt, "cases", ()):
                self._enter(case.body)
            if isinstance(stmt, ast.For | ast.While) and stmt.body[0].lineno > stmt.lineno:
                targets = tuple(target_names(stmt.target)) if isinstance(stmt, ast.For) else ()
                last = stmt.body[-1].end_lineno or stmt.body[-1].lineno
                loop = Loop(stmt.lineno, stmt.body[0].lineno, last, targets, stmt)
                self.loops[stmt.lineno] = loop

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

    def is_wrapped(self, name: str) -> bool:
        """Whether a decorator of the program's own may have put another function in place."""
        decorators = getattr(self.functions.get(name), "decorator_list", ())
        nodes = itertools.chain.from_iterable(map(ast.walk, decorators))
        return any(isinstance(n, ast.Name) and n.id in self.defined for n in nodes)

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

    def evaluated(self, line: int) -> list[ast.expr]:
        """What a step at a line evaluates one after the other, of what a working tells of."""
        match stmt := self.statement(line):
            case ast.Expr(value=ast.Call(func=func, args=nodes)):
                owner = getattr(func, "value", None)
                return [owner, *nodes] if isinstance(owner, ast.Call) else nodes
            case ast.AugAssign():
                return [as_load(stmt)]
            case ast.Assign(targets=[ast.Subscript(slice=key)], value=value):
                return [value, key]
        node = getattr(stmt, "value", None) or getattr(stmt, "test", None)
        return [node] if node else []

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
        stmt, group = self.statements.get(first), self.groups.get(first)
        if stmt is None:
            return ""
        parts: list[Any] = [*group] if group else [stmt]
        last = max(map(_last_line, parts))
        text = _without_comment(self.lines[stmt.lineno - 1].strip())
        if last > stmt.lineno:
            text = "" if group else ast.unparse(stmt).split("\n")[0]
        if not group and (hasattr(stmt, "body") or isinstance(stmt, ast.Match)):
            text = text.rstrip().removesuffix(":").rstrip()
        if not group and isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            text = text.partition("(")[0]
        return text if len(text) <= QUOTE_CHARS else ""


@functools.lru_cache(maxsize=512)
def summary(function: ast.FunctionDef | None) -> dict[str, str]:
    """What a function does, without an invented purpose, as the slots of a row of `forms.SUMMARY`:
    its name `f`, its parameters `p`, and what its statements do, `c`; the last two only where there
    are any. Shared: not to be changed."""
    if function is None:
        return {}
    branches = (s.body for s in function.body if isinstance(s, ast.If))
    stated = {*function.body, *itertools.chain.from_iterable(branches)}
    several = any(isinstance(n, ast.Return) and n not in stated for n in ast.walk(function))
    does = [clause for stmt in function.body if (clause := _clause(stmt, several))][:_CLAUSES]
    parts = {"p": parameters(function), "c": does}
    return {"f": function.name} | {slot: _listed(texts) for slot, texts in parts.items() if texts}


def _listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _clause(stmt: ast.stmt, several: bool) -> str:
    """What a statement of the body adds to a summary; with `several` it is not the only return."""
    form, without = "", ""  # the latter for an expression that is too long to be quoted
    match stmt:
        case ast.For(iter=node):
            form, without = "over", "loop"
        case ast.While(test=node):
            form, without = "while", "repeat"
        case ast.If(test=node) if any(isinstance(s, ast.Return | ast.Raise) for s in stmt.body):
            form = "early"
        case ast.Return(value=ast.expr() as node):
            form, without = "gives.last" if several else "gives", "result"
    text = ast.unparse(node) if form else ""
    form = form if len(text) <= _CLAUSE_CHARS else without
    return say(form, e=text) if form else ""


def _without_comment(line: str) -> str:
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(iter([line]).__next__) if "#" in line else ():
            if token.type == tokenize.COMMENT:
                return line[: token.start[1]].rstrip().rstrip(";").rstrip()
    return line.rstrip(";").rstrip()


def _last_line(stmt: Any) -> int:
    """The last line of a statement, or of a compound one's header."""
    if isinstance(stmt, ast.Match):
        return max(stmt.lineno, stmt.cases[0].pattern.lineno - 1)
    body = getattr(stmt, "body", None)
    if not isinstance(body, list):
        return stmt.end_lineno or stmt.lineno
    begins = [body[0], *getattr(body[0], "decorator_list", ())]
    header = getattr(stmt, "test", None) or getattr(stmt, "iter", None)
    known = header.end_lineno if header is not None else None
    return known or max(stmt.lineno, min(b.lineno for b in begins) - 1)


def _own_parts(stmt: ast.AST) -> list[ast.AST]:
    """The expressions that a step of a statement evaluates: of a compound one, those of its
    header."""
    if isinstance(stmt, ast.AugAssign):
        return [as_load(stmt), stmt.target]
    if isinstance(stmt, ast.For):
        return [stmt.target, stmt.iter]
    if isinstance(stmt, ast.If | ast.While):
        return [stmt.test]
    if hasattr(stmt, "body"):
        return [n for n in ast.iter_child_nodes(stmt) if isinstance(n, ast.expr)]
    return [stmt]


def target_names(target: ast.expr) -> list[str]:
    """The names that a target binds, in order."""
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]


def stored_names(stmt: Any) -> set[str]:
    """Names that a simple statement or a `for` header binds."""
    targets = getattr(stmt, "targets", None) or [getattr(stmt, "target", None)]
    nodes = [n for target in targets if target is not None for n in ast.walk(target)]
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def parameters(function: ast.FunctionDef) -> list[str]:
    """Names of the positional parameters, in order."""
    return [a.arg for a in function.args.posonlyargs + function.args.args]


def links(node: ast.expr) -> list[Any]:
    """The comparisons of a chain; any other expression itself."""
    if not isinstance(node, ast.Compare) or len(node.ops) == 1:
        return [node]
    sides = [node.left, *node.comparators]
    return [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]


def is_determined(node: ast.expr) -> bool:
    """Whether the value of `node` leaves its names one value each: names, reversals of them, and
    displays of these."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(is_determined, node.elts))
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return is_determined(node.value)
    return isinstance(node, ast.Name)


def in_body(node: ast.If | ast.While | ast.For | ast.ExceptHandler, line: int | None) -> bool:
    """Whether a line is in the first block of a compound statement."""
    last = node.body[-1].end_lineno or node.body[-1].lineno
    return line is not None and node.body[0].lineno <= line <= last


def _constants(tree: ast.Module, nodes: list[ast.AST]) -> dict[str, Any]:
    """Module-level names bound once to a literal that nothing in the program can have changed."""
    bound = [n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
    bound += [n.arg for n in nodes if isinstance(n, ast.arg) for _ in range(2)]
    touched = {
        n.value.id
        for n in nodes
        if isinstance(n, ast.Attribute | ast.Subscript) and isinstance(n.value, ast.Name)
        if isinstance(n, ast.Attribute) or not isinstance(n.ctx, ast.Load)
    }
    constants: dict[str, Any] = {}
    for stmt in tree.body:
        match stmt:
            case ast.Assign(targets=[ast.Name(id=name)], value=node) if bound.count(name) == 1:
                with contextlib.suppress(ValueError, SyntaxError, TypeError, RecursionError):
                    value = ast.literal_eval(node)
                    if name not in touched or isinstance(value, str | int | float | tuple):
                        constants[name] = value
    return constants


@functools.lru_cache(maxsize=8192)
def source_of(node: ast.AST) -> str:
    """The source of a node."""
    return ast.unparse(node)


@functools.lru_cache(maxsize=8192)
def as_list(node: ast.expr) -> ast.expr:
    """`list(node)`."""
    return ast.Call(ast.Name("list", ast.Load()), [node], [])


@functools.lru_cache(maxsize=8192)
def as_load(stmt: ast.AugAssign) -> ast.BinOp:
    """`x + y` of `x += y`."""
    target = ast.parse(source_of(stmt.target), mode="eval").body
    return ast.BinOp(target, stmt.op, stmt.value)


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
    shape = syntax(source)
    if shape is None:
        raise UserError(f"program does not parse, or is nested deeper than {MAX_DEPTH} levels")
    if entry_point not in shape.functions:
        raise UserError(f"the program defines no function {entry_point!r}")
    return shape
