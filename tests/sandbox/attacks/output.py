"""Flooding."""

from attacks import in_call

ATTACKS = [
    in_call("print 1 MB for ever", "---\nwhile True: print('x' * (1 << 20))", "output_limit"),
    in_call("10 GB through os.write(1)", """
import os
---
for _ in range(10 << 10): os.write(1, bytes(1 << 20))
return 0
""", "output_limit"),
    in_call("input()", "---\nreturn input()", "exception"),
    in_call("print for ever, swallowing every exception", """
import signal
---
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
while True:
    try:
        print('x' * 65536, flush=True)
    except BaseException:
        pass
""", "output_limit", "timeout", own=True),
    in_call("a flood into the result file", """
import os
---
while True:
    for fd in range(3, 10):
        try:
            os.write(fd, bytes(1 << 20))
        except OSError:
            pass
""", "output_limit", "timeout", own=True),
    in_call("bytes that are no text", """
import os
---
os.write(1, bytes(range(256)) * 4)
return 0
""", "wrong", own=True),
]  # fmt: skip
