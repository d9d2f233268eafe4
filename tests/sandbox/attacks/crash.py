"""Crashing the interpreter or its parser."""

from attacks import at_import, in_call

ATTACKS = [
    in_call("ctypes null read", "import ctypes\n---\nreturn ctypes.string_at(0)", "crashed"),
    in_call("ctypes: overwrite None/True", """
import ctypes
---
for value in (None, True):
    ctypes.memset(id(value), 255, 24)
return 0
""", "crashed", "wrong"),
    at_import("5,000 nested parentheses",
              "x = " + "(" * 5000 + ")" * 5000 + "\ndef f(x): return 0", "load_error"),
    at_import("200,000 unary minus signs",
              "x = " + "-" * 200_000 + "1\ndef f(x): return 0", "load_error", "crashed"),
    in_call("replaced bytecode", """
---
def g(): pass
g.__code__ = g.__code__.replace(co_code=bytes([90, 255] * 50))
return g()
""", "crashed", "exception", "wrong", "timeout", own=True),
    at_import("null bytes in the source", "def f(x): return 0\n#\0\n", "load_error", own=True),
    in_call("abort", "import os\n---\nos.abort()", "crashed", own=True),
]  # fmt: skip
