"""The JSON format: the trace as `records.to_row` writes it, for tools."""

from __future__ import annotations

import json

from semcoder_lib.core.records import Trace, from_row, to_row
from semcoder_lib.tracing.formats.reading import Unreadable


def render(trace: Trace) -> str:
    """Fields that most steps do not need are left out where they are empty: `beyond`, and the
    scope of a local variable."""
    row = to_row(trace)
    for step in row["steps"]:
        for change in (*step["changes"], *step["beyond"]):
            if change["scope"] == "local":
                del change["scope"]
        if not step["beyond"]:
            del step["beyond"]
    return json.dumps(row, ensure_ascii=False)


def parse(text: str) -> Trace:
    """The trace. Raises `Unreadable`."""
    try:
        return from_row(Trace, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"not a trace in JSON: {error}") from None
