"""Plug-in of the sandbox that holds a solution: answers calls that a test made elsewhere."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

from semcoder_lib.core import values

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
        before = _mark(positional)
        result = function(*positional, **named)
        if _mark(positional) != before:
            emit(values.encode(positional))
        return result
    return function(*positional, **named)


def _mark(arguments: tuple[Any, ...]) -> bytes | str:
    """Equal for equal arguments."""
    try:
        data = marshal.dumps(arguments, 2)
    except ValueError:
        return values.encode(arguments)
    # `s` may be the mark of bytes, which marshal does not tell from a bytearray
    return values.encode(arguments) if b"s" in data else data
