"""Loading plug-ins into the zygote."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from typing import Any


def load(name: str, path: str) -> Any:
    """A plug-in by name, from its file, with bare packages above it: importing the real ones
    would fill the zygote with what only the parent needs. The plug-in may import light modules
    of its own package."""
    parent, _, _ = name.rpartition(".")
    folder = os.path.dirname(path)
    while parent:
        if parent not in sys.modules:
            package = types.ModuleType(parent)
            package.__path__ = [folder]
            sys.modules[parent] = package
        parent, _, _ = parent.rpartition(".")
        folder = os.path.dirname(folder)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"plug-in {name}: {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
