"""Child-side plug-in: returns the text of a value, or a hash of it where it is large.

Some tasks of HumanEval+ and MBPP+ return tens of megabytes; a hash is all that has to cross to the
parent to see that they are right. The parent treats what comes as a claim, as always: to claim the
right hash a program must know the right value. Values whose hashes differ may still be equal (the
order of a dict, a float in place of an int), so the parent asks for the whole text then.
"""

from __future__ import annotations

import hashlib
import marshal
from typing import Any

from semcoder_lib.core import values

_encode = values.encode
_Unserializable = values.Unserializable
_sha256 = hashlib.sha256
_dumps = marshal.dumps
OPAQUE = "?"  # no value's text is "?" or begins with "#"


def call(function: Any, arguments: tuple[Any, ...], options: dict[str, Any], emit: Any) -> str:
    """`options`: `long`, the size from which a hash is returned (0: never); `nodes` and `bytes`,
    the bounds of a text. Values without an exact text give `OPAQUE`."""
    value = function(*arguments)
    limit = options["long"]
    if limit:
        try:
            # exact built-in types only, at C speed; version 2 has no references between objects
            blob = _dumps(value, 2)
        except ValueError:
            blob = b""
        if len(blob) > limit:
            return "#" + _sha256(blob).hexdigest()
    try:
        return _encode(value, max_nodes=options["nodes"], max_bytes=options["bytes"])
    except _Unserializable:
        return OPAQUE
