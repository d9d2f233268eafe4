"""What the code behind a result says, as it parses: an edited comment or docstring changes nothing,
an edited statement or table does."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import json
import re
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from semcoder_lib.core import workspace

LIBRARY = Path(__file__).resolve().parents[1]
NAME = LIBRARY.name
_MODULE = re.compile(rf"{NAME}(\.\w+)+")  # also as text: what a sandbox's child is told to import


def code_behind(function: Callable[..., Any]) -> dict[str, str]:
    """{file or function: hash} of all that `function` can run: the library's modules that it
    imports, directly or not, the data files beside them, and functions that a notebook defines."""
    own: dict[str, str] = {}
    return own | _closure(frozenset(_start(function, own)))


@functools.lru_cache(maxsize=256)
def _closure(start: frozenset[Path]) -> dict[str, str]:
    waiting, seen = list(start), set[Path]()
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(path for name in _parsed(file)[1] for path in _files(name))
    tables = {
        path for folder in {file.parent for file in seen} for path in folder.iterdir()
        if path.is_file() and path.suffix != ".py"
    }  # fmt: skip
    return {str(f.relative_to(LIBRARY)): parsed_hash(f) for f in sorted(seen | tables)}


def library_hash(*places: str) -> str:
    """One hash over the library, or over its rooms and modules named (`corpus`, `core/values`).
    Raises ValueError for a name that has no files: its changes would go unseen."""
    files: set[Path] = set() if places else set(_all_files(LIBRARY))
    for name in places:
        module = LIBRARY / f"{name}.py"
        named = [module] if module.is_file() else _all_files(LIBRARY / name)
        if not named:
            raise ValueError(f"no source named {name!r}")
        files.update(named)
    return workspace.content_key(
        [[str(f.relative_to(LIBRARY)), parsed_hash(f)] for f in sorted(files)]
    )


def _all_files(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]


def packages_behind(files: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """Which of the packages `names` the files of `code_behind` import."""
    used: set[str] = set()
    for file in files:
        if file.endswith(".py"):
            used |= {name.partition(".")[0] for name in _parsed(LIBRARY / file)[1]}
    return [name for name in names if name in used]


def _start(function: Callable[..., Any], own: dict[str, str]) -> Iterator[Path]:
    """The library's files that a function is in or, for one of a notebook, that it names."""
    function = inspect.unwrap(getattr(function, "func", function))
    module = getattr(function, "__module__", "")
    if module.partition(".")[0] == NAME:
        yield from _files(module)
        return
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # a built-in: its name is all there is
        return
    own[f"{function.__name__}()"] = workspace.content_key(_dumped(ast.parse(source)))
    for name in _names(function.__code__):
        used = function.__globals__.get(name)
        if isinstance(used, types.ModuleType):
            yield from _files(used.__name__)
        elif isinstance(used, types.FunctionType) and f"{used.__name__}()" not in own:
            yield from _start(used, own)
        elif used is not None:
            with contextlib.suppress(TypeError, ValueError):  # a constant of the notebook
                own[name] = workspace.content_key(used)
            yield from _files(getattr(used, "__module__", None) or "")


def _names(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner)) if inner else set(code.co_names)


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


def _files(module: str) -> list[Path]:
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
