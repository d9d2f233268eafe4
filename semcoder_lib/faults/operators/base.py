"""What a mutation operator is, and how the places it can be used at are found.

An operator is a generator of `Edit`s for one `Place` of a program's syntax tree. It never changes
the tree: an edit carries the new node (or the statements that take a statement's place) and may
share parts with the old one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the node's place, and the bug in words: a sentence about the *buggy* program."""

    new: ast.AST | list[ast.stmt]
    cause: str
    takes: int = 1  # how many statements of the block the new ones replace


@dataclass(slots=True)
class Scope:
    """The function around a place: its parameters, the names it assigns, all names it reads."""

    node: Function | None
    parameters: tuple[str, ...] = ()
    assigned: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.parameters, *self.assigned)))


@dataclass(slots=True)
class Place:
    """A node, where it hangs (`parent.field`, or `parent.field[index]`), and what is around it."""

    node: ast.AST
    parent: ast.AST
    name: str
    index: int | None
    scope: Scope
    loops: tuple[ast.For | ast.While, ...] = ()
    above: tuple[ast.AST, ...] = ()

    @property
    def block(self) -> list[ast.stmt]:
        """The statement list that a statement is in (empty for an expression)."""
        if isinstance(self.node, ast.stmt) and self.index is not None:
            return list(getattr(self.parent, self.name))
        return []

    @property
    def after(self) -> list[ast.stmt]:
        """The statements that follow in the same block."""
        return self.block[(self.index or 0) + 1 :]


Operator = Callable[[Place], Iterator[Edit]]


@dataclass(frozen=True, slots=True)
class Named:
    """An operator in the registry. `about` says in a few words what it breaks."""

    name: str
    kinds: tuple[type[ast.AST], ...]
    make: Operator
    about: str


REGISTRY: dict[str, Named] = {}


def operator(name: str, *kinds: type[ast.AST]) -> Callable[[Operator], Operator]:
    """Registers a function as the operator `name` for nodes of these types."""

    def register(make: Operator) -> Operator:
        if name in REGISTRY:
            raise ValueError(f"two operators are called {name!r}")
        about = (make.__doc__ or "").strip().splitlines()[0].rstrip(".")
        REGISTRY[name] = Named(name, kinds, make, about)
        return make

    return register


def code(node: ast.AST) -> str:
    """A node as source, in backticks."""
    return f"`{ast.unparse(node)}`"


def is_int(node: ast.AST | None) -> bool:
    """An integer literal, negative ones included (not True or False)."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) is int


def int_of(node: ast.AST) -> int:
    """The value of an integer literal (see `is_int`)."""
    if isinstance(node, ast.UnaryOp):
        return -int_of(node.operand)
    assert isinstance(node, ast.Constant)
    return int(node.value)  # type: ignore[arg-type]


def number(value: int) -> ast.expr:
    """The literal of an integer."""
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def moved(node: ast.expr, by: int) -> ast.expr:
    """`node + by`, written the way a person would: `n` -> `n - 1`, `n + 1` -> `n`, `3` -> `4`."""
    if is_int(node):
        return number(int_of(node) + by)
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and is_int(node.right)
    ):
        old = int_of(node.right) if isinstance(node.op, ast.Add) else -int_of(node.right)
        return moved(node.left, old + by) if old + by else node.left
    op: ast.operator = ast.Add() if by > 0 else ast.Sub()
    return ast.BinOp(node, op, ast.Constant(abs(by)))


def places(tree: ast.Module) -> Iterator[Place]:
    """Every node with its surroundings, in source order of its parents. Annotations, decorators,
    docstrings and import statements are left out: a change there is no bug."""
    yield from _walk(tree, Scope(None), (), (tree,))


_SKIPPED = {"annotation", "returns", "decorator_list", "type_params", "ctx", "type_comment"}


def _walk(
    node: ast.AST, scope: Scope, loops: tuple[ast.For | ast.While, ...], above: tuple[ast.AST, ...]
) -> Iterator[Place]:
    for name, value in ast.iter_fields(node):
        if name in _SKIPPED:
            continue
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children):
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            index = i if isinstance(value, list) else None
            yield Place(child, node, name, index, scope, loops, above)
            inside, around = scope, loops
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inside, around = _scope(child), ()
            elif isinstance(child, ast.For | ast.While):
                around = (*loops, child)
            yield from _walk(child, inside, around, (*above, child))


def _scope(function: Function) -> Scope:
    a = function.args
    parameters = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    inner = {
        id(n)
        for c in ast.walk(function)
        if isinstance(c, ast.comprehension)
        for n in ast.walk(c.target)
    }
    assigned = [
        n.id
        for n in ast.walk(function)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and id(n) not in inner
        if n.id not in parameters
    ]
    return Scope(function, tuple(parameters), tuple(dict.fromkeys(assigned)))
