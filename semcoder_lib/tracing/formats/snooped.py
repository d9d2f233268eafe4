"""Values as PySnooper logs them and as the authors' converter reads them there."""

from __future__ import annotations

import collections
import contextlib
import json
import re
from typing import Any

from semcoder_lib.core import values

_CUT = 100
_CALL = re.compile(r"<\w+\(.*\)>$")  # slices, views, exceptions: as their repr, in brackets


def logged(text: str, exact: bool) -> str:
    """The text of a value in the log: Python's `repr` on one line, cut to 100 characters."""
    if exact:
        with contextlib.suppress(values.NotALiteral):
            text = _repr(values.decode(text))
    elif _CALL.match(text):
        text = text[1:-1]
    return cut(text.replace("\r", "").replace("\n", ""))


def cut(text: str) -> str:
    """PySnooper's way: the middle goes."""
    if len(text) <= _CUT:
        return text
    left = (_CUT - 3) // 2
    return f"{text[:left]}...{text[-(_CUT - 3 - left) :]}"


def _repr(value: Any) -> str:
    """`repr` of a decoded value, with the elements of sets in a fixed order."""
    kind = type(value)
    if kind is list:
        return f"[{', '.join(map(_repr, value))}]"
    if kind is tuple:
        return f"({', '.join(map(_repr, value))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        return f"{{{', '.join(f'{_repr(k)}: {_repr(v)}' for k, v in value.items())}}}"
    if kind is set or kind is frozenset:
        return values.encode(value)
    if kind is collections.defaultdict:
        return f"defaultdict({value.default_factory!r}, {_repr(dict(value))})"
    try:
        return repr(value)
    except ValueError:  # an int too long for decimal text
        return "REPR FAILED"


def read_value(text: str) -> Any:
    """A logged `repr` as the JSON-like value that the converter takes it for."""
    if text.startswith("[") and text.endswith("]"):
        text = text.replace("'", '"')
    with contextlib.suppress(ValueError):
        return json.loads(text)
    plain: dict[str, Any] = {"None": None, "True": True, "False": False, "''": ""}
    if text in plain:
        return plain[text]
    return text[1:-1] if text.startswith("'") else text


def output_text(value: Any) -> str:
    """The text of a return value: strings in double quotes, unless they look enclosed."""
    if value is None or isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return json.dumps(value)
    for opening, closing in ('""', "''", "()", "{}"):
        if value.startswith(opening) and value.endswith(closing):
            return value
    return f'"{value}"'
