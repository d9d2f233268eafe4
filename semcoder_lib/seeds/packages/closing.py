"""Closes a function over its module: callees are inlined, constants and pure imports carried along,
until the source runs alone with the standard library."""

from __future__ import annotations

import ast
import builtins
import symtable
from dataclasses import dataclass, field

from semcoder_lib.seeds.packages import purity

MAX_LINES = 70
MAX_CHARACTERS = 3_000
MAX_PIECES = 10
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
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: (module, text)
    rebound: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> Module:
        """Index a file's top level. Raises SyntaxError or ValueError as `ast.parse` does."""
        module = cls(text)
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
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                name = alias.asname or alias.name
                shown = f" as {alias.asname}" if alias.asname else ""
                line = f"from {node.module} import {alias.name}{shown}"
                self.imports[name] = (node.module, line)

    def _bind(self, name: str) -> None:
        if name in self.functions or name in self.constants:
            self.rebound.add(name)  # defined twice, often by version: not ours to choose


def close(module: Module, name: str) -> Closed:
    """The function `name` and all it needs, in the module's order, docstrings and annotations
    removed. Raises NotClosable."""
    wanted = [name]
    pieces: dict[str, str] = {}
    imports: dict[str, str] = {}
    inlined: list[str] = []
    constants: list[str] = []
    while wanted:
        current = wanted.pop()
        if current in pieces or current in imports:
            continue
        if current in module.rebound:
            raise NotClosable(f"{current} is bound more than once")
        if current in module.functions:
            function = module.functions[current]
            text = stripped(function)
            if current != name:
                if why := purity.reason_in_tree(function):
                    raise NotClosable(f"{current} {why}")
                inlined.append(current)
        elif current in module.constants:
            text = _constant(module.constants[current], current)
            constants.append(current)
        elif current in module.imports:
            origin, line = module.imports[current]
            if origin not in purity.PURE_MODULES:
                raise NotClosable(f"needs {origin}")
            imports[current] = line
            continue
        else:
            raise NotClosable(f"{current} is not defined in the module")
        pieces[current] = text
        if len(pieces) > MAX_PIECES:
            raise NotClosable("needs too many other functions")
        wanted.extend(free_names(text) - _BUILTINS)
    return _joined(module, name, pieces, imports, inlined, constants)


def _joined(
    module: Module,
    name: str,
    pieces: dict[str, str],
    imports: dict[str, str],
    inlined: list[str],
    constants: list[str],
) -> Closed:
    def place(piece: str) -> tuple[bool, int]:
        node = module.functions.get(piece) or module.constants[piece]
        return piece == name, node.lineno

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
