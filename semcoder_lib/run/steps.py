"""A step of a notebook: one call whose result is kept in one file.

    forward, funnel = run.step("forward.jsonl", derive, train, seed=p.seed, box=run.box)

calls `derive(train, seed=…, box=…)` the first time. Beside the file it notes all that the result
depends on: what the arguments say, the code that the function can run, the packages which that
imports, and the bytes that came out. As long as these are the same the file is read back;
otherwise the step is done again, and a line says why. What a step writes on its way (caches of
items, checkpoints of a training) is its own, so a step that was killed goes on from there.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import re
import sys
import time
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, source, values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets
from semcoder_lib.run import doctor
from semcoder_lib.sandbox import Sandbox

PACKAGES = ("torch", "transformers", "trl", "peft", "numpy", "safetensors", "datasketch")
HOW = ("workers", "cache", "backend")  # arguments that say how, not what
SCRATCH = (".", "checkpoints", "logs", "cache")  # how names begin of what is no step's result


class Steps:
    """The steps whose files are in one folder; `say` gets one line for each."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say

    def step(
        self, name: str, function: Callable[..., Any], *inputs: Any, **settings: Any
    ) -> Any:  # fmt: skip
        """What `function` returns, from the file `name` if it is still right.

        `name` ends in `.jsonl` (the function returns records or dicts, alone or in a pair with
        JSON data), in `.json` (JSON data), or in `/` (the function is given the folder as
        `folder=…` and returns JSON data about what it left there). Whether the result is fresh or
        read back, it is the same. Raises TypeError for an argument whose content cannot be
        compared."""
        path = self.folder / name
        note = _note(path)
        basis = _basis(function, inputs, settings)
        changed = _changed(note, basis, path)
        if not changed:
            self.say(f"{name}: read back")
            return read(path)
        if note.exists():
            self.say(f"{name}: done again, since {changed}")
            note.unlink()
        began = time.monotonic()
        value = function(*inputs, **settings, **({"folder": path} if name.endswith("/") else {}))
        facts = {"basis": basis, **_write(path, name, value)}
        workspace.write_json(note, facts | {"bytes": digest(path)})
        self.say(f"{name}: done in {time.monotonic() - began:.1f} s")
        return read(path)


def read(path: Path) -> Any:
    """What the step that wrote `path` returned. Raises UserError where no step did, or where its
    bytes are others now."""
    facts = workspace.read_json(_note(path))
    if digest(path) != facts["bytes"]:
        raise UserError(f"{path}: not the bytes that its step wrote; run its notebook again")
    if facts["kind"] == "data":
        return workspace.read_json(path)
    if facts["kind"] == "folder":
        return facts["facts"]
    rows: list[Any] = list(workspace.read_jsonl(path))
    if facts["record"]:
        module, _, name = facts["record"].partition(":")
        record = getattr(importlib.import_module(module), name)
        rows = [records.from_row(record, row) for row in rows]
    return (rows, facts["facts"]) if facts["kind"] == "pair" else rows


def _note(path: Path) -> Path:
    return path.parent / "steps" / f"{path.name}.json"


def _write(path: Path, name: str, value: Any) -> dict[str, Any]:
    if name.endswith("/"):
        return {"kind": "folder", "facts": value}
    if not name.endswith(".jsonl"):
        workspace.write_json(path, value)
        return {"kind": "data"}
    rows, facts = value if isinstance(value, tuple) else (value, None)
    rows = list(rows)
    record = type(rows[0]) if rows and dataclasses.is_dataclass(rows[0]) else None
    workspace.write_jsonl(path, map(records.to_row, rows) if record else rows)
    return {
        "kind": "pair" if isinstance(value, tuple) else "rows",
        "record": f"{record.__module__}:{record.__qualname__}" if record else "",
        "facts": facts,
    }


def _basis(
    function: Callable[..., Any], inputs: Iterable[Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """All that the result depends on, in small pieces, so that a change can be named."""
    function, first, named = unbound(function)
    code = code_of(function)
    arguments = {f"input {n}": content(v) for n, v in enumerate((*first, *inputs), 1)}
    arguments |= {n: content(v) for n, v in {**named, **settings}.items() if n not in HOW}
    return {
        "argument": {name: _short(data) for name, data in arguments.items()},
        "code": code,
        "package": doctor.versions(source.packages_behind(code, PACKAGES)),
    }


def _short(data: Any) -> Any:
    """Small data as they are, for a message; others as a hash."""
    plain = isinstance(data, str | int | float | None) and len(str(data)) < 60
    return data if plain else workspace.content_key(data)


def _changed(note: Path, basis: dict[str, Any], path: Path) -> str:
    """Why the step is to be done, in words; empty where it is not."""
    try:
        before = workspace.read_json(note)
        if before["bytes"] != digest(path):
            return f"{path.name} is not what it wrote"
    except (UserError, KeyError, TypeError):
        return "it was not done before"
    for kind, parts in basis.items():
        known = before["basis"].get(kind, {})
        for name in parts.keys() | known.keys():
            if parts.get(name) != known.get(name):
                return f"{kind} {name} changed"
    return ""


# --- what arguments, files and packages hold, in a form in which equal content is equal ----------


def content(value: Any) -> Any:
    """JSON data that are equal where two arguments say the same. Raises TypeError for what has no
    content, such as an open engine."""
    if isinstance(value, enum.Enum):
        return content(value.value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        if not value.exists():
            return str(value)
        model = value.is_dir() and any(value.glob("*.safetensors"))
        return assets.weights_hash(str(value)) if model else digest(value)
    if isinstance(value, Sandbox):
        return f"sandbox, {value.level}"
    if isinstance(value, Mapping):
        return {str(name): content(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [content(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((content(item) for item in value), key=workspace.dumps)
    if isinstance(value, re.Pattern):
        return [value.pattern, value.flags]
    if type(value).__module__ == records.__name__:  # a tuple is no list there
        return [type(value).__name__, records.to_row(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
        return [type(value).__name__, *([name, content(item)] for name, item in fields)]
    function, inputs, settings = unbound(value)
    if name := getattr(function, "__name__", ""):
        bound = map(content, (*inputs, *settings.items()))
        return [getattr(function, "__qualname__", name), code_of(function), *bound]
    try:
        return values.encode(value)
    except values.Unserializable:
        raise TypeError(
            f"a step's argument of type {type(value).__name__} has no content"
        ) from None


def unbound(function: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """A function without what a `functools.partial` or a method binds, and these arguments."""
    if isinstance(function, functools.partial):
        inner, inputs, settings = unbound(function.func)
        return inner, (*inputs, *function.args), settings | function.keywords
    owner = getattr(function, "__self__", None)
    if callable(function) and owner is not None and not isinstance(owner, types.ModuleType):
        return getattr(function, "__func__", function), (owner,), {}
    return function, (), {}


def code_of(function: Any) -> dict[str, str]:
    """{what: hash} of all that a function can run: the library's files, the functions of a
    notebook, and the constants that these use. Raises TypeError for what cannot be compared."""
    own: dict[str, str] = {}
    files, seen, waiting = set[Path](), set[int](), [function]

    def note(name: str, data: Any) -> None:
        key = workspace.content_key(data)  # two of one name, such as lambdas, both count
        own[name] = workspace.content_key(own[name], key) if name in own else key

    while waiting:
        definition = waiting.pop()
        if id(definition) in seen:
            continue
        seen.add(id(definition))
        name = definition.__name__
        is_module = isinstance(definition, types.ModuleType)
        module = name if is_module else getattr(definition, "__module__", None) or "builtins"
        if here := source.files_of(module):
            files.update(here)
        elif source.installed(module):
            note(module if is_module else f"{module}.{name}", "installed")
        elif hasattr(definition, "__code__"):
            text, imported = source.text_of(definition)
            note(f"{name}()", text)
            files.update(imported)
            for variable, used in source.used_by(definition).items():
                if hasattr(used, "__name__") and not unbound(used)[1]:
                    waiting.append(used)
                else:
                    note(variable, _constant(variable, used, name))
                    files.update(source.files_of(type(used).__module__))
        elif wrapped := getattr(definition, "__wrapped__", None):
            waiting.append(wrapped)
        elif file := getattr(sys.modules.get(module), "__file__", None):  # beside the notebook
            note(module, source.parsed_hash(Path(file)))
        else:
            raise TypeError(f"a step cannot follow the class {name}: move it into a module")
    return own | source.code_behind(files)


def _constant(name: str, value: Any, user: str) -> Any:
    try:
        return content(value)
    except (TypeError, RecursionError):
        raise TypeError(
            f"{user}() uses {name}, of type {type(value).__name__}, which a step "
            "cannot compare; give the function what it needs of it as an argument"
        ) from None


def digest(path: Path) -> str:
    """A hash of a file's bytes, or of all files of a folder but a step's scratch; "absent" where
    there is neither."""
    if not path.is_dir():
        return workspace.file_hash(path) if path.is_file() else "absent"
    return workspace.content_key(
        [[str(f.relative_to(path)), workspace.file_hash(f)] for f in results_of(path)]
    )


def weights(name: str) -> str:
    """A hash of the user's own model, adapter or file; empty for a name that is no path."""
    path = Path(name)
    if path.is_dir():
        return assets.weights_hash(name)
    return workspace.file_hash(path) if path.is_file() else ""


def results_of(folder: Path) -> list[Path]:
    """The files of a folder, in order, but for what is hidden, notes, caches, checkpoints."""
    parts = {f: f.relative_to(folder).parts for f in sorted(folder.rglob("*")) if f.is_file()}
    return [f for f in parts if not any(p == "steps" or p.startswith(SCRATCH) for p in parts[f])]
