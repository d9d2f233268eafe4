"""Eating memory."""

from attacks import at_import, in_call

ATTACKS = [
    in_call("one 20 GB allocation", "---\nreturn len(bytearray(20 << 30))", "memory"),
    in_call("growing list of 1 MB strings", """
---
kept = []
while True: kept.append('x' * (1 << 20))
""", "memory", "timeout"),
    in_call("unbounded recursion", "---\nreturn f(x)", "exception"),
    in_call("recursion limit lifted, nested repr", """
import sys
---
sys.setrecursionlimit(10**9)
nest = []
for _ in range(10**6): nest = [nest]
return len(repr(nest))
""", "crashed", "timeout", "memory", "exception"),
    in_call("2,000 threads", """
import threading, time
---
for _ in range(2000): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
return 0
""", "exception", "memory", "wrong", "timeout"),
    in_call("swallows MemoryError for ever", """
---
kept = []
while True:
    try:
        kept.append(bytearray(1 << 24))
    except MemoryError:
        pass
""", "timeout", "memory", own=True),
    in_call("maps memory outside the heap", """
import mmap
---
kept = []
for _ in range(200):
    m = mmap.mmap(-1, 1 << 27)
    for i in range(0, 1 << 27, 4096): m[i] = 1
    kept.append(m)
return 0
""", "exception", "memory", "timeout", own=True),
    in_call("files in memory", """
import os
---
kept = []
try:
    while True:
        fd = os.memfd_create('x')
        os.write(fd, bytes(1 << 20))
        kept.append(fd)
except OSError:
    return len(kept)
""", "wrong", own=True),
    at_import("a constant expression that the compiler would fold to gigabytes", """
def f(x):
    return len(((((1 << 20) * 'ab') * 1024) * 64))
""", "memory", "exception", "wrong", "timeout", own=True),
]  # fmt: skip
