"""A reproduction of SemCoder (NeurIPS 2024): code language models that learn what programs do.

    begin                                        a notebook at work on a run

Each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "begin": "semcoder_lib.run.notebook",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
