"""Where code comes from. Here: functions of installed packages and of the standard library as
programs, each closed over its module until it runs alone. Files are read as text; nothing is
imported or run. In `synthesiser`: programs that nobody wrote."""

from __future__ import annotations

import ast
import builtins
import collections
import importlib.metadata
import platform
import random
import re
import symtable
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from semcoder_lib.core.records import Program, Provenance
from semcoder_lib.corpus import hints
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds.synthesiser import method_seeded, synthesise

__all__ = ["method_seeded", "packages", "synthesise"]

MIN_WEIGHT = 14  # syntax nodes of a function's body
MAX_PARAMETERS = 5
MAX_LINES = 70  # of a program
MAX_CHARACTERS = 3_000
MAX_PIECES = 10
MAX_CONSTANT = 800  # characters
LARGEST_FILE = 400_000

_TABLE = Path(__file__).with_name("packages.txt")
SOURCES = table(_TABLE, "source")


def _words(kind: str) -> frozenset[str]:
    return frozenset(word for (row,) in table(_TABLE, kind) for word in row.split())


_SKIPPED_FOLDERS, _CALLABLE_PARAMETERS = _words("skipped"), _words("parameter")
_PURE_MODULES, _FORBIDDEN_NAMES, _FORBIDDEN_ATTRIBUTES = map(_words, ("pure", "name", "attribute"))
_FORBIDDEN_NODES = (
    ast.AsyncFunctionDef, ast.ClassDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Global,
    ast.Import, ast.ImportFrom, ast.With,
)  # fmt: skip
_CACHES = _words("cache")
_BUILTINS = frozenset(dir(builtins))


# ---- files


def _files_of(
    distribution: str, package: str, licence: str, only: list[str]
) -> list[tuple[Path, Provenance]]:
    """The Python files of one source by name; none where it is not installed. The distribution "-"
    is the standard library."""
    top = base = Path(sysconfig.get_path("stdlib"))
    version = platform.python_version()
    if distribution != "-":
        try:
            installed = importlib.metadata.distribution(distribution)
        except importlib.metadata.PackageNotFoundError:
            return []
        base, version = Path(str(installed.locate_file(package))), installed.version
        top = base.parent
    files = []
    for root in [base / part for part in only] or [base]:
        for path in sorted([root] if root.is_file() else root.rglob("*.py")):
            name = path.relative_to(top)
            if _SKIPPED_FOLDERS.isdisjoint(name.parts[:-1]) and not name.name.startswith("test_"):
                files.append((path, Provenance(package, version, licence, name.as_posix())))
    return files


def _texts(seed: int, scan: collections.Counter[str]) -> Iterator[tuple[str, Provenance]]:
    """The text of every file of all sources, in an order that depends on the seed and on the
    installed versions alone; packages are interleaved by their share, so that a short prefix holds
    every package."""
    piles, shares = {}, {}
    for distribution, package, share, licence, *only in SOURCES:
        piles[package] = _files_of(distribution, package, licence, " ".join(only).split())
        shares[package] = float(share)
        random.Random(f"{seed}:files:{package}").shuffle(piles[package])
    draw = random.Random(f"{seed}:packages")
    while names := [n for n, pile in piles.items() if pile]:
        path, provenance = piles[draw.choices(names, [shares[n] for n in names])[0]].pop()
        if path.stat().st_size <= LARGEST_FILE:
            scan["files"] += 1
            try:
                yield path.read_text(encoding="utf-8"), provenance
            except (OSError, ValueError):
                scan["unparsable"] += 1


# ---- functions as programs


class NotClosable(Exception):
    """The function, or something that it needs, cannot be carried along; the message is the reason,
    without names, so that the counts of a funnel add up."""


def packages(*, seed: int = 0, scan: collections.Counter[str] | None = None) -> Iterator[Prospect]:
    """Every closable function of the installed packages once, lazily, in a stable order that
    interleaves the packages. Each program carries package, version, licence, file and line; its
    family is its module, so that functions that share helpers stay together in a split. `scan`
    counts what was read and why functions were left out."""
    scan = scan if scan is not None else collections.Counter()
    for text, provenance in _texts(seed, scan):
        try:
            module = Module.of(text)
        except (SyntaxError, ValueError, RecursionError):
            scan["unparsable"] += 1
            continue
        for name, function in module.functions().items():
            scan["functions"] += 1
            try:
                yield _prospect(module, name, function, provenance)
            except NotClosable as error:
                scan[f"left out: {error}"] += 1
            except RecursionError:
                scan["left out: nested too deep"] += 1


def _prospect(
    module: Module, name: str, function: ast.FunctionDef, provenance: Provenance
) -> Prospect:
    """The function as a program. Raises NotClosable with the reason where it cannot be one."""
    if why := _reason_against(function):
        raise NotClosable(why)
    source, pieces = close(module, name)
    stem = provenance.file.removesuffix(".py").replace("/", ".")
    program = Program(
        source=source,
        entry_point=name,
        id=f"{provenance.package}:{stem}.{name}",
        description=description(ast.get_docstring(function) or "", name),
        origin="package",
        family=stem,
        provenance=replace(
            provenance, line=function.lineno, method="function" if len(pieces) == 1 else "inlined"
        ),
    )
    return Prospect(program, hints.read(function, name))


def _reason_against(function: ast.FunctionDef) -> str:
    """Why a function cannot be a corpus program, whatever it calls, or an empty string."""
    arguments = function.args
    names = [a.arg for a in arguments.posonlyargs + arguments.args]
    required = len(names) - len(arguments.defaults)
    if not names and not arguments.vararg:
        return "no parameters"
    if not _CALLABLE_PARAMETERS.isdisjoint(names[:required]):
        return "takes a function, a class or an object"
    if None in arguments.kw_defaults:
        return "required keyword-only parameter"
    documented = ast.get_docstring(function, clean=False) is not None
    if sum(1 for part in function.body[documented:] for _ in ast.walk(part)) < MIN_WEIGHT:
        return "trivial"
    if function.name.startswith(("test", "__")):
        return "a test or a special method"
    return "too many parameters" if required > MAX_PARAMETERS else ""


_SECTIONS = (">>>", ":param", ":return", "Args:", "Parameters", "Returns", "@", "..")


def description(doc: str, name: str) -> str:
    """The first paragraph of a docstring as one line of plain text; words made from the function's
    name when there is none."""
    lines = []
    for line in doc.strip().split("\n\n")[0].splitlines():
        if line.strip().startswith(_SECTIONS):
            break
        lines.append(line)
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", " ".join(lines)).replace("``", "`")
    text = " ".join(text.split())
    words = name.strip("_").replace("_", " ")
    return text[:600] if len(text) >= 12 else f"{words[:1].upper()}{words[1:]}."


@dataclass(slots=True)
class Module:
    """The top level of one file by name."""

    defined: dict[str, ast.FunctionDef | ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)  # the line; "" for what is not pure
    rebound: set[str] = field(default_factory=set)  # often by version: not ours to choose

    @classmethod
    def of(cls, text: str) -> Module:
        """Indexes a file's top level. Raises SyntaxError or ValueError as `ast.parse` does."""
        module = cls()
        for node in ast.parse(text).body:
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.Assign(targets=[ast.Name(id=name)])
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr())
                ):
                    if name in module.defined:
                        module.rebound.add(name)
                    module.defined[name] = node
                case ast.AugAssign(target=ast.Name(id=name)):
                    module.rebound.add(name)
                case ast.Import():
                    for alias in node.names:
                        if alias.asname or "." not in alias.name:
                            line = ast.unparse(ast.Import([alias]))
                            pure = alias.name in _PURE_MODULES
                            module.imports[alias.asname or alias.name] = line if pure else ""
                case ast.ImportFrom():
                    for alias in node.names:
                        line = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
                        pure = node.level == 0 and node.module in _PURE_MODULES
                        module.imports[alias.asname or alias.name] = line if pure else ""
        return module

    def functions(self) -> dict[str, ast.FunctionDef]:
        return {n: d for n, d in self.defined.items() if isinstance(d, ast.FunctionDef)}

    def piece(self, name: str) -> str:
        """The text of a function or constant. Raises NotClosable where it has effects."""
        node = self.defined[name]
        if isinstance(node, ast.FunctionDef):
            return _stripped(node)
        assert node.value is not None
        text = f"{name} = {ast.unparse(node.value)}"
        if isinstance(node.value, ast.Lambda) or _effects(node.value) or len(text) > MAX_CONSTANT:
            raise NotClosable("constant that cannot be carried")
        return text


def close(module: Module, name: str) -> tuple[str, tuple[str, ...]]:
    """The function `name` and all that it needs of its module, in the module's order, docstrings
    and annotations removed, until the source runs alone; and the names of these pieces. Raises
    NotClosable."""
    wanted, pieces, imports = [name], dict[str, str](), dict[str, str]()
    while wanted:
        current = wanted.pop()
        if current in pieces or current in imports:
            continue
        if current in module.rebound:
            raise NotClosable("is bound more than once")
        if current in module.defined:
            pieces[current] = module.piece(current)
            if len(pieces) > MAX_PIECES:
                raise NotClosable("needs too many functions")
            wanted.extend(sorted(free_names(pieces[current]) - _BUILTINS))
        elif line := module.imports.get(current):
            imports[current] = line
        elif current in module.imports:
            raise NotClosable("impure or third-party import")
        else:
            raise NotClosable("is not defined in the module")

    def place(piece: str) -> tuple[bool, int]:
        return piece == name, module.defined[piece].lineno

    ordered = sorted(pieces, key=place)
    constants = [p for p in ordered if not isinstance(module.defined[p], ast.FunctionDef)]
    flat = [pieces[p] for p in constants if not free_names(pieces[p]) & pieces.keys()]
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


def _stripped(function: ast.FunctionDef) -> str:
    """The function's source without docstring, annotations and caching decorators. Raises
    NotClosable for any other decorator, and where it has effects."""
    if _effects(function):
        raise NotClosable("has effects")
    for decorator in function.decorator_list:
        bare = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(bare, "attr", getattr(bare, "id", "")) not in _CACHES:
            raise NotClosable("decorated")
    copy = _Stripper().visit(ast.parse(ast.unparse(function)))
    return ast.unparse(ast.fix_missing_locations(copy))


class _Stripper(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.decorator_list, node.returns = [], None
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return ast.Assign(targets=[node.target], value=node.value) if node.value else None


def free_names(source: str) -> set[str]:
    """Names that a piece of top-level code needs from outside itself."""
    tables = [top := symtable.symtable(source, "<piece>", "exec")]
    free: set[str] = set()
    for each in tables:  # which grows
        symbols = [s for s in each.get_symbols() if s.is_referenced()]
        free |= {s.get_name() for s in symbols if each is top or s.is_global()}
        tables += each.get_children()
    return free - {s.get_name() for s in top.get_symbols() if s.is_assigned()}


def _effects(tree: ast.AST) -> bool:
    """Whether a piece of code has effects, or a meaning, that the corpus leaves out."""
    return any(
        isinstance(node, _FORBIDDEN_NODES)
        or (isinstance(node, ast.Name) and node.id in _FORBIDDEN_NAMES)
        or (isinstance(node, ast.Attribute) and node.attr in _FORBIDDEN_ATTRIBUTES)
        for node in ast.walk(tree)
    )
