"""Tracing in this process, for functions that are trusted: tests, notebooks, measurements."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status, Trace
from semcoder_lib.tracing import child
from semcoder_lib.tracing.limits import DEFAULT, TraceLimits
from semcoder_lib.tracing.reading import read_payload
from semcoder_lib.tracing.recorder import FILENAME
from semcoder_lib.tracing.statements import layout


def load(source: str, entry_point: str) -> Callable[..., Any]:
    """Executes *trusted* source in this process and returns its function `entry_point`."""
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, FILENAME, "exec", dont_inherit=True), namespace)
    found: Callable[..., Any] = namespace[entry_point]
    return found


def record(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    *,
    source: str = "",
    limits: TraceLimits = DEFAULT,
) -> Trace:
    """The trace of one call of a *trusted* function that `load` made, run in this process without
    any isolation. An exception of the function ends the trace and is not raised."""
    held: list[str] = []
    status, result, error = Status.OK, None, None
    try:
        options = {**limits.as_options(), "beyond": layout(source).beyond}
        value = child.call(function, arguments, options, held.append)
        with contextlib.suppress(values.Unserializable):
            result = values.encode(value)
    except Exception as raised:
        status, error = Status.EXCEPTION, f"{type(raised).__name__}: {raised}"
    steps, cut, flags = read_payload(held[0], source)
    return Trace(steps, status, result, error, cut, flags=flags)
