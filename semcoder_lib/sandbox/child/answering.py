"""Plug-in of the sandbox that holds a solution: answers calls that a test made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semcoder_lib import values

_MUTABLE = (list, dict, set, bytearray)


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Call with `arguments` = (positional, named). If the call changed its positional arguments,
    emit what they are now, so that the test can see it."""
    positional, named = arguments
    if any(type(a) in _MUTABLE for a in positional):
        before = values.encode(positional)
        result = function(*positional, **named)
        after = values.encode(positional)
        if after != before:
            emit(after)
        return result
    return function(*positional, **named)
