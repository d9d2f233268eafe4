"""Python values as bounded literal text, and back, without ever evaluating anything.

The text is Python's own notation (`[1, 'a']`, `{2: None}`), extended by a few constructor names
(`set()`, `range(0, 3)`, `Counter({'a': 2})`, `Decimal('1.5')`, …) and by `nan` and `inf`. Only
*exact* built-in types are written, never a subclass, so text that came from an untrusted process
holds data and nothing else.

The room stands below `records`, whose JSON form needs it, and is imported by the sandbox's
children, so it imports little.
"""

from semcoder_lib.core.values.comparing import equal
from semcoder_lib.core.values.reading import NotALiteral, call_of, decode, parse_call, value_of
from semcoder_lib.core.values.writing import (
    MAX_BITS,
    Unserializable,
    encode,
    show_call,
)

__all__ = [
    "MAX_BITS",
    "NotALiteral",
    "Unserializable",
    "call_of",
    "decode",
    "encode",
    "equal",
    "parse_call",
    "show_call",
    "value_of",
]
