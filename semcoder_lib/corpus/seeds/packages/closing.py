"""Closes a function over its module: callees are inlined, constants and pure imports carried along,
until the source runs alone with the standard library."""

from __future__ import annotations

import ast
import builtins
import functools
import symtable
from dataclasses import dataclass, field
from pathlib import Path

from semcoder_lib.corpus.seeds.packages import purity

MAX_LINES = 70
MAX_CHARACTERS = 3_000
MAX_PIECES = 10
MAX_LINKED = 60_000  # bytes of a module that is looked into for a callee
_DECORATORS_DROPPED = frozenset(
    {"lru_cache", "cache", "wraps", "overload", "deprecated", "memoize"}
)
_BUILTINS = frozenset(dir(builtins))


class NotClosable(Exception):
    """The function needs something that cannot be carried along; the message says what."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A source that runs alone. `inlined` names the functions that were carried along."""

    source: str
    inlined: tuple[str, ...]
    constants: tuple[str, ...]


@dataclass(slots=True)
class Module:
    """The top level of one file by name."""

    text: str
    path: Path | None = None
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: (module, text)
    links: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # (module, level, name)
    rebound: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)  # stripped sources, made once

    @classmethod
    def of(cls, text: str, path: Path | None = None) -> Module:
        """Index a file's top level. Raises SyntaxError or ValueError as `ast.parse` does."""
        module = cls(text, path)
        for node in ast.parse(text).body:
            module._add(node)
        return module

    def _add(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef):
            self._bind(node.name)
            self.functions[node.name] = node
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                self._bind(target.id)
                self.constants[target.id] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            self._bind(node.target.id)
            self.constants[node.target.id] = node
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.rebound.add(node.target.id)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname or "." not in alias.name:
                    name = alias.asname or alias.name
                    shown = f" as {alias.asname}" if alias.asname else ""
                    self.imports[name] = (alias.name, f"import {alias.name}{shown}")
        elif isinstance(node, ast.ImportFrom):
            self._add_from(node)

    def _add_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or alias.name
            shown = f" as {alias.asname}" if alias.asname else ""
            if node.level == 0 and node.module:
                line = f"from {node.module} import {alias.name}{shown}"
                self.imports[name] = (node.module, line)
            self.links[name] = (node.module or "", node.level, alias.name)

    def _bind(self, name: str) -> None:
        if name in self.functions or name in self.constants:
            self.rebound.add(name)  # defined twice, often by version: not ours to choose

    def home_of(self, name: str, hops: int = 4) -> tuple[Module, str]:
        """The module of the same package that defines an imported name, and its name there.
        Follows re-exports. Raises NotClosable."""
        target, level, original = self.links[name]
        file = self._file(target, level)
        if file is None:
            raise NotClosable(f"needs {target}")
        other = _indexed(file)
        if other is None:
            raise NotClosable(f"needs {target}")
        if original in other.functions or original in other.constants:
            return other, original
        if original in other.links and hops:
            return other.home_of(original, hops - 1)
        raise NotClosable(f"{original} is not defined in the module")

    def _file(self, target: str, level: int) -> Path | None:
        if self.path is None:
            return None
        if level:
            base = self.path.parents[level - 1]
        else:
            top = target.partition(".")[0]
            base = next((p.parent for p in self.path.parents if p.name == top), Path())
            if base == Path():
                return None
        stem = base.joinpath(*target.split(".")) if target else base
        for path in (stem.with_suffix(".py") if target else stem, stem / "__init__.py"):
            if path.is_file() and path.stat().st_size <= MAX_LINKED:
                return path
        return None


@functools.lru_cache(maxsize=400)
def _indexed(path: Path) -> Module | None:
    try:
        return Module.of(path.read_text(encoding="utf-8"), path)
    except (SyntaxError, ValueError, OSError, RecursionError):
        return None


def close(module: Module, name: str) -> Closed:
    """The function `name` and all it needs, from its module and from others of its package, in
    their order, docstrings and annotations removed. Raises NotClosable."""
    wanted = [(module, name)]
    homes: dict[str, Module] = {}
    pieces: dict[str, str] = {}
    imports: dict[str, str] = {}
    inlined: list[str] = []
    constants: list[str] = []
    while wanted:
        home, current = wanted.pop()
        if current in home.links and not (current in home.functions or current in home.constants):
            if current in home.imports and home.imports[current][0] in purity.PURE_MODULES:
                _agree(imports, current, home.imports[current][1])
                continue
            home, original = home.home_of(current)
            if original != current:
                raise NotClosable(f"{current} is imported under another name")
        if current in pieces:
            if homes[current] is not home:
                raise NotClosable(f"{current} is bound more than once")
            continue
        if current in home.rebound:
            raise NotClosable(f"{current} is bound more than once")
        if current in home.functions:
            function = home.functions[current]
            if current != name and (why := purity.reason_in_tree(function)):
                raise NotClosable(f"{current} {why}")
            text = home.texts.get(current) or stripped(function)
            home.texts[current] = text
            if current != name:
                inlined.append(current)
        elif current in home.constants:
            text = _constant(home.constants[current], current)
            constants.append(current)
        elif current in home.imports:
            origin, line = home.imports[current]
            if origin not in purity.PURE_MODULES:
                raise NotClosable(f"needs {origin}")
            _agree(imports, current, line)
            continue
        else:
            raise NotClosable(f"{current} is not defined in the module")
        pieces[current] = text
        homes[current] = home
        if len(pieces) > MAX_PIECES:
            raise NotClosable("needs too many other functions")
        wanted.extend((home, n) for n in sorted(free_names(text) - _BUILTINS))
    if imports.keys() & pieces.keys():
        raise NotClosable("a name is bound more than once")
    return _joined(homes, name, pieces, imports, inlined, constants)


def _agree(imports: dict[str, str], name: str, line: str) -> None:
    if imports.setdefault(name, line) != line:
        raise NotClosable(f"{name} is bound more than once")


def _joined(
    homes: dict[str, Module],
    name: str,
    pieces: dict[str, str],
    imports: dict[str, str],
    inlined: list[str],
    constants: list[str],
) -> Closed:
    def place(piece: str) -> tuple[bool, bool, str, int]:
        home = homes[piece]
        node = home.functions.get(piece) or home.constants[piece]
        return piece == name, home is homes[name], str(home.path), node.lineno

    blocks = []
    if imports:
        blocks.append("\n".join(sorted(set(imports.values()))))
    ordered = sorted(pieces, key=place)
    flat = [pieces[p] for p in ordered if p in constants and not _calls_own(pieces, p)]
    if flat:
        blocks.append("\n".join(flat))
    blocks.extend(pieces[p] for p in ordered if pieces[p] not in flat)
    source = "\n\n\n".join(blocks) + "\n"
    if source.count("\n") > MAX_LINES or len(source) > MAX_CHARACTERS:
        raise NotClosable("too long")
    try:
        compile(source, "<candidate>", "exec")
    except (SyntaxError, ValueError):
        raise NotClosable("does not compile alone") from None
    return Closed(source, tuple(sorted(inlined)), tuple(sorted(constants)))


def _calls_own(pieces: dict[str, str], constant: str) -> bool:
    return bool(free_names(pieces[constant]) & set(pieces))


def _constant(node: ast.Assign | ast.AnnAssign, name: str) -> str:
    value = node.value
    if value is None or isinstance(value, ast.Lambda):
        raise NotClosable(f"constant {name} is not a value")
    if why := purity.reason_in_tree(value):
        raise NotClosable(f"constant {name} {why}")
    text = f"{name} = {ast.unparse(value)}"
    if len(text) > 800:
        raise NotClosable(f"constant {name} is too long")
    return text


def stripped(function: ast.FunctionDef) -> str:
    """The function's source without docstring, annotations and caching decorators. Raises
    NotClosable for any other decorator."""
    for decorator in function.decorator_list:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        last = bare.attr if isinstance(bare, ast.Attribute) else getattr(bare, "id", "")
        if last not in _DECORATORS_DROPPED:
            raise NotClosable(f"decorated with {ast.unparse(bare)}")
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
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=node.value)


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
