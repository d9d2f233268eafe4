"""The compiled inner loop of the recorder, if `build` has made it from these very sources.

`native` is None without it, and `why` says why; the recorder then is Python throughout, and records
the same.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Mapping
from typing import Any

_FOLDER = os.path.dirname(__file__)
# what the compiled part is made from, and the Python that it works with hand in hand
_SOURCES = ("_native.c", "recorder.py", "describe.py")
_MOST_BYTES = 4_800  # of a value: above, the describer measures its short strings more closely


def path() -> str:
    """Where the build for this interpreter and these sources is, or would be."""
    text = b""
    for name in _SOURCES:
        with open(os.path.join(_FOLDER, name), "rb") as file:
            text += file.read()
    key = importlib.util.source_hash(text).hex()
    return os.path.join(
        _FOLDER, f"_native-{sys.implementation.cache_tag}-{sys.hexversion:x}-{key}.so"
    )


def _load() -> tuple[Any, str]:
    if sys.implementation.name != "cpython":
        return None, "not CPython"
    try:
        place = path()
        if not os.path.exists(place):
            return None, "not built"
        loader = importlib.machinery.ExtensionFileLoader("semcoder_lib.tracing._native", place)
        spec = importlib.util.spec_from_loader(loader.name, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except (OSError, ImportError) as error:
        return None, f"the build does not load: {error}"
    return module, ""


native, why = _load()
Bounds: Any = native.Bounds if native else object
follow: Any = native.follow if native else None
payload: Any = native.payload if native else None
start_callback: Any = native.start_callback if native else None
line_callback: Any = native.line_callback if native else None


def is_plain(code: Any) -> bool:
    """Whether the compiled part can follow the frames of this code."""
    return native is not None and native.is_plain(code)


def usable(limits: Mapping[str, Any]) -> bool:
    """Whether it is there, and is wanted for a call with these limits (`TraceLimits`)."""
    return (
        native is not None
        and limits["value_bytes"] <= _MOST_BYTES
        and limits.get("tracer") != "python"
    )
