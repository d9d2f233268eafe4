"""Leaving early, so that a missing verdict might count as a good one."""

from attacks import at_import, in_call

ATTACKS = [
    at_import("sys.exit(0) at import", "import sys\nsys.exit(0)", "load_error"),
    at_import("os._exit(0) at import", "import os\nos._exit(0)", "early_exit"),
    in_call("os._exit(0) in the call", "import os\n---\nos._exit(0)", "early_exit"),
    in_call("raise SystemExit(0) in the call", "---\nraise SystemExit(0)", "exception"),
    in_call("walk frames, set the runner's own verdict, _exit", """
import os, sys
---
frame = sys._getframe(1)
while frame:
    for name, value in list(frame.f_locals.items()):
        if name in ('result', 'results', 'details', 'stat') and hasattr(value, 'append'):
            value.append('passed')
        if type(value).__name__ == 'Synchronized':
            value.value = 1
    frame = frame.f_back
os._exit(0)
""", "early_exit"),
    in_call("close every fd", """
import os
---
os.closerange(0, 256)
return 0
""", "early_exit", "exception", "crashed"),
    in_call("kill itself", "import os\n---\nos.kill(os.getpid(), 9)", "crashed", "memory",
            "wrong", own=True),
    in_call("raise KeyboardInterrupt", "---\nraise KeyboardInterrupt", "exception", own=True),
    in_call("raise a BaseException of its own whose text exits", """
import os
class Bye(BaseException):
    def __str__(self): os._exit(0)
---
raise Bye()
""", "early_exit", own=True),
    at_import("exit through the C library, running its handlers", """
import ctypes
def f(x):
    ctypes.CDLL(None).exit(0)
""", "early_exit", own=True),
]  # fmt: skip
