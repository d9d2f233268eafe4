"""The JSON format: the trace as `records.to_row` writes it, for tools."""

from __future__ import annotations

import json

from semcoder_lib.core.records import Trace, from_row, to_row
from semcoder_lib.tracing.formats.reading import Unreadable


def render(trace: Trace) -> str:
    return json.dumps(to_row(trace), ensure_ascii=False)


def parse(text: str) -> Trace:
    """The trace. Raises `Unreadable`."""
    try:
        return from_row(Trace, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"not a trace in JSON: {error}") from None
