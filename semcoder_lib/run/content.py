"""What arguments, files and packages hold, in a form in which equal content is equal."""

from __future__ import annotations

import dataclasses
import enum
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, source, values, workspace
from semcoder_lib.models import assets
from semcoder_lib.sandbox import Sandbox

SCRATCH = ("checkpoints", "logs", "cache")  # what a step's folder holds beside its result


def content(value: Any) -> Any:
    """JSON data that are equal where two arguments say the same. Raises TypeError for what has no
    content, such as an open engine."""
    if value is None or isinstance(value, str | int | float):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, Path):
        model = value.is_dir() and any(value.glob("*.safetensors"))
        return assets.weights_hash(str(value)) if model else digest(value)
    if isinstance(value, Sandbox):
        return f"sandbox, {value.level}"
    if isinstance(value, Mapping):
        return {str(name): content(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [content(item) for item in value]
    if type(value).__module__ == records.__name__:  # a tuple is no list there
        return [type(value).__name__, records.to_row(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
        return [type(value).__name__, *([name, content(item)] for name, item in fields)]
    if callable(value):
        return [getattr(value, "__qualname__", ""), source.code_behind(value)]
    try:
        return values.encode(value)
    except values.Unserializable:
        raise TypeError(
            f"a step's argument of type {type(value).__name__} has no content"
        ) from None


def digest(path: Path) -> str:
    """A hash of a file's bytes, or of all files of a folder but a step's scratch."""
    if path.is_file():
        return workspace.file_hash(path)
    return workspace.content_key(
        [[str(f.relative_to(path)), workspace.file_hash(f)] for f in results_of(path)]
    )


def results_of(folder: Path) -> list[Path]:
    """The files of a folder that are no scratch, in order."""
    return [f for f in sorted(folder.rglob("*")) if f.is_file() and not scratch(f, folder)]


def scratch(file: Path, folder: Path) -> bool:
    """Whether a file under `folder` is no result: hidden, a note, a cache, a checkpoint."""
    parts = file.relative_to(folder).parts
    return any(part.startswith((".", *SCRATCH)) or part == "steps" for part in parts)


def versions(names: Iterable[str]) -> dict[str, str]:
    """Python's version and those of packages."""
    known = {"python": platform.python_version()}
    for name in names:
        try:
            known[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            known[name] = "absent"
    return known
