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
import importlib
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, source, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.run import doctor
from semcoder_lib.run.content import code_of, content, digest, unbound

PACKAGES = ("torch", "transformers", "trl", "peft", "numpy", "safetensors", "datasketch")
HOW = ("workers", "cache", "backend")  # arguments that say how, not what


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
