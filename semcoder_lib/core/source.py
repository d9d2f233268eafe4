"""What the code behind a result says, as it parses: an edited comment or docstring changes nothing,
an edited statement or table does."""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import json
import re
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from semcoder_lib.core import workspace

LIBRARY = Path(__file__).resolve().parents[1]
NAME = LIBRARY.name
_MODULE = re.compile(rf"{NAME}(\.\w+)+")  # also as text: what a sandbox's child is told to import


def code_behind(files: Iterable[Path]) -> dict[str, str]:
    """{file: hash} of all that code in these files of the library can run: the modules that they
    import, directly or not, and the data files beside them."""
    return _closure(frozenset(files))


@functools.lru_cache(maxsize=256)
def _closure(start: frozenset[Path]) -> dict[str, str]:
    waiting, seen = list(start), set[Path]()
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(path for name in _parsed(file)[1] for path in files_of(name))
    tables = {
        path for folder in {file.parent for file in seen} for path in folder.iterdir()
        if path.is_file() and path.suffix != ".py"
    }  # fmt: skip
    return {str(f.relative_to(LIBRARY)): parsed_hash(f) for f in sorted(seen | tables)}


def packages_behind(files: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """Which of the packages `names` the files of `code_behind` import, or stand among them."""
    used: set[str] = set()
    for file in files:
        imported = _parsed(LIBRARY / file)[1] if file.endswith(".py") else {file}
        used |= {name.partition(".")[0] for name in imported}
    return [name for name in names if name in used]


def used_by(function: types.FunctionType) -> dict[str, Any]:
    """The values that a function reads: globals, variables of the functions around it, defaults."""
    names, known = _names(function.__code__), function.__globals__
    parameters = inspect.signature(function).parameters.values()
    return (
        {name: known[name] for name in sorted(names) if name in known}
        | dict(inspect.getclosurevars(function).nonlocals)
        | {p.name: p.default for p in parameters if p.default is not p.empty}
    )


def _names(code: types.CodeType) -> set[str]:
    loads = [i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return {i.argval for i in loads}.union(*map(_names, inner))


def text_of(function: types.FunctionType) -> tuple[str, set[Path]]:
    """What a function says, without docstrings, and the library's files that it imports or names.
    Raises TypeError where its text cannot be found."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function.__code__)))
    except (OSError, SyntaxError):
        raise TypeError(f"the text of {function.__qualname__} cannot be found") from None
    return _dumped(tree), {file for name in _imported(tree) for file in files_of(name)}


def installed(module: str) -> bool:
    """Whether a module is Python's or a package's, and changes with its version alone."""
    top, file = module.partition(".")[0], getattr(sys.modules.get(module), "__file__", None)
    standard = top in sys.stdlib_module_names and top != "__main__"
    return standard or "-packages" in (file or "")


def _imported(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported, or named as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and _MODULE.fullmatch(str(node.value)):
            yield str(node.value)


def files_of(module: str) -> list[Path]:
    """The file of a module of the library, if it is one, and those of the packages it is in."""
    parts = module.split(".")
    if parts[0] != NAME:
        return []
    base = LIBRARY.joinpath(*parts[1:])
    folders = [base, *base.parents][: len(parts)]
    files = [base.with_suffix(".py"), *(folder / "__init__.py" for folder in folders)]
    return [file for file in files if file.is_file() and file != LIBRARY / "__init__.py"]


def parsed_hash(file: Path) -> str:
    """A hash of what a file says; of a Python file without comments and docstrings."""
    return _parsed(file)[0]


def _parsed(file: Path) -> tuple[str, frozenset[str]]:
    """The hash of a file, and the modules that it imports."""
    modified = file.stat()
    return _parsed_once(file, modified.st_mtime_ns, modified.st_size)


@functools.lru_cache(maxsize=2048)
def _parsed_once(file: Path, modified: int, size: int) -> tuple[str, frozenset[str]]:
    if file.suffix == ".py":
        tree = ast.parse(file.read_bytes())
        names = frozenset(_imported(tree))
        return workspace.content_key(_dumped(tree)), names
    text = file.read_bytes()
    if file.suffix in (".yaml", ".json"):
        read = yaml.safe_load if file.suffix == ".yaml" else json.loads
        return workspace.content_key(read(text)), frozenset()
    return workspace.content_key(text), frozenset()


def _dumped(tree: ast.AST) -> str:
    """The tree as text, without docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
