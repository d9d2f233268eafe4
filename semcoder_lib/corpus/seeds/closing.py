"""Closes a function over its module: callees are inlined, constants and pure imports carried along,
until the source runs alone with the standard library. What has effects stays out, unrun."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import symtable
import types
from dataclasses import dataclass, field
from pathlib import Path

from semcoder_lib.corpus.files import table

MAX_LINES = 70
MAX_CHARACTERS = 3_000
MAX_PIECES = 10
MAX_CONSTANT = 800  # characters
MAX_LINKED = 60_000  # bytes of a module that is looked into for a callee
_DECORATORS_DROPPED = frozenset(
    {"lru_cache", "cache", "wraps", "overload", "deprecated", "memoize"}
)
_BUILTINS = frozenset(dir(builtins))


def words(kind: str) -> frozenset[str]:
    """The words of one kind in `packages.txt`."""
    rows = table(Path(__file__).with_name("packages.txt"), kind)
    return frozenset(word for (row,) in rows for word in row.split())


PURE_MODULES, _FORBIDDEN_NAMES, _FORBIDDEN_ATTRIBUTES = map(words, ("pure", "name", "attribute"))
_FORBIDDEN_NODES = (
    ast.AsyncFunctionDef, ast.ClassDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Global,
    ast.Import, ast.ImportFrom, ast.With,
)  # fmt: skip


IMPURE, REBOUND = "impure or third-party import", "is bound more than once"


class NotClosable(Exception):
    """The function, or something that it needs, cannot be carried along; the message is the reason,
    without names, so that the counts of a funnel add up."""


Definition = ast.FunctionDef | ast.Assign | ast.AnnAssign


@dataclass(slots=True)
class Module:
    """The top level of one file by name."""

    path: Path | None = None
    defined: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: (module, text)
    links: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # (module, level, name)
    rebound: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)  # pieces, made once

    @classmethod
    def of(cls, text: str, path: Path | None = None) -> Module:
        """Index a file's top level. Raises SyntaxError or ValueError as `ast.parse` does."""
        module = cls(path)
        for node in ast.parse(text).body:
            module._add(node)
        return module

    def _add(self, node: ast.stmt) -> None:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr())
            ):
                if name in self.defined:
                    self.rebound.add(name)  # often by version: not ours to choose
                self.defined[name] = node
            case ast.AugAssign(target=ast.Name(id=name)):
                self.rebound.add(name)
            case ast.Import():
                for alias in node.names:
                    if alias.asname or "." not in alias.name:
                        name = alias.asname or alias.name
                        self.imports[name] = (alias.name, ast.unparse(ast.Import([alias])))
            case ast.ImportFrom():
                for alias in node.names:
                    name = alias.asname or alias.name
                    if node.level == 0 and node.module:
                        line = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
                        self.imports[name] = (node.module, line)
                    self.links[name] = (node.module or "", node.level, alias.name)

    def functions(self) -> dict[str, ast.FunctionDef]:
        """The functions by name."""
        return {n: d for n, d in self.defined.items() if isinstance(d, ast.FunctionDef)}

    def piece(self, name: str) -> str:
        """The text of a function or constant. Raises NotClosable where it has effects."""
        if name not in self.texts:
            node = self.defined[name]
            text = _stripped(node) if isinstance(node, ast.FunctionDef) else _constant(name, node)
            self.texts[name] = text
        return self.texts[name]

    def home_of(self, name: str) -> Module:
        """The module of the same package from which a name is imported. Raises NotClosable."""
        target, level, original = self.links[name]
        if original != name:
            raise NotClosable("is imported under another name")
        file = self._file(target, level)
        module = _indexed(file) if file else None
        if module is None:
            raise NotClosable(IMPURE)
        return module

    def _file(self, target: str, level: int) -> Path | None:
        """The file of a module of the package, named from here (`level` dots) or from its top."""
        parents = self.path.parents if self.path else ()
        top = target.partition(".")[0]
        bases = (
            parents[level - 1 : level] if level else [p.parent for p in parents if p.name == top]
        )
        for base in bases[:1]:
            stem = base.joinpath(*filter(None, target.split(".")))
            for path in (stem.with_suffix(".py"), stem / "__init__.py"):
                if path.is_file() and path.stat().st_size <= MAX_LINKED:
                    return path
        return None


@functools.lru_cache(maxsize=400)
def _indexed(path: Path) -> Module | None:
    try:
        return Module.of(path.read_text(encoding="utf-8"), path)
    except (SyntaxError, ValueError, OSError, RecursionError):
        return None


def close(module: Module, name: str) -> tuple[str, tuple[str, ...]]:
    """The function `name` and all it needs, from its module and from others of its package, in
    their order, docstrings and annotations removed; and the names of these pieces. Raises
    NotClosable."""
    wanted = [(module, name)]
    homes: dict[str, Module] = {}
    pieces: dict[str, str] = {}
    imports: dict[str, str] = {}
    while wanted:
        home, current = wanted.pop()
        origin, line = home.imports.get(current, ("", ""))
        pure = origin in PURE_MODULES
        if current in home.links and current not in home.defined and not pure:
            home = home.home_of(current)
        if current not in home.defined and pure and current not in pieces:
            if imports.setdefault(current, line) != line:
                raise NotClosable(REBOUND)
        elif current in pieces and homes[current] is home:
            continue
        elif current in pieces or current in home.rebound:
            raise NotClosable(REBOUND)
        elif current not in home.defined:
            raise NotClosable(IMPURE if origin else "is not defined in the module")
        else:
            pieces[current], homes[current] = home.piece(current), home
            if len(pieces) > MAX_PIECES:
                raise NotClosable("needs too many functions")
            wanted.extend((home, n) for n in sorted(free_names(pieces[current]) - _BUILTINS))
    if imports.keys() & pieces.keys():
        raise NotClosable(REBOUND)

    def place(piece: str) -> tuple[bool, bool, str, int]:
        home = homes[piece]
        return piece == name, home is module, str(home.path), home.defined[piece].lineno

    ordered = sorted(pieces, key=place)
    flat = [
        pieces[p]
        for p in ordered
        if p not in homes[p].functions() and not free_names(pieces[p]) & pieces.keys()
    ]
    blocks = ["\n".join(sorted(set(imports.values()))), "\n".join(flat)]
    blocks += [pieces[p] for p in ordered if pieces[p] not in flat]
    source = "\n\n\n".join(block for block in blocks if block) + "\n"
    if source.count("\n") > MAX_LINES or len(source) > MAX_CHARACTERS:
        raise NotClosable("too long")
    try:
        compile(source, "<candidate>", "exec")
    except (SyntaxError, ValueError):
        raise NotClosable("does not compile alone") from None
    return source, tuple(ordered)


def _constant(name: str, node: ast.Assign | ast.AnnAssign) -> str:
    assert node.value is not None
    text = f"{name} = {ast.unparse(node.value)}"
    if isinstance(node.value, ast.Lambda) or _effects(node.value) or len(text) > MAX_CONSTANT:
        raise NotClosable("constant that cannot be carried")
    return text


def _stripped(function: ast.FunctionDef) -> str:
    """The function's source without docstring, annotations and caching decorators. Raises
    NotClosable for any other decorator, and where it has effects."""
    if _effects(function):
        raise NotClosable("has effects")
    for decorator in function.decorator_list:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        last = bare.attr if isinstance(bare, ast.Attribute) else getattr(bare, "id", "")
        if last not in _DECORATORS_DROPPED:
            raise NotClosable("decorated")
    copy = _Stripper().visit(ast.parse(ast.unparse(function)))
    return ast.unparse(ast.fix_missing_locations(copy))


class _Stripper(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list = []
        node.returns = None
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return ast.Assign(targets=[node.target], value=node.value) if node.value else None


def free_names(source: str) -> set[str]:
    """Names that a piece of top-level code needs from outside itself."""
    top = symtable.symtable(source, "<piece>", "exec")
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    free: set[str] = set()
    stack = [top]
    while stack:
        table = stack.pop()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (table is top or symbol.is_global()):
                free.add(symbol.get_name())
        stack.extend(table.get_children())
    return free - bound


def _effects(tree: ast.AST) -> bool:
    """Whether a piece of code has effects, or a meaning, that the corpus leaves out."""
    return any(
        isinstance(node, _FORBIDDEN_NODES)
        or (isinstance(node, ast.Name) and node.id in _FORBIDDEN_NAMES)
        or (isinstance(node, ast.Attribute) and node.attr in _FORBIDDEN_ATTRIBUTES)
        for node in ast.walk(tree)
    )


def is_generator(source: str, name: str) -> bool:
    """Whether calling the function makes a generator."""
    return any(
        isinstance(code, types.CodeType)
        and code.co_name == name
        and bool(code.co_flags & inspect.CO_GENERATOR)
        for code in compile(source, "<candidate>", "exec").co_consts
    )
