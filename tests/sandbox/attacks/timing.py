"""Outliving the time limit, or making the grader wait."""

from attacks import at_import, in_call

ATTACKS = [
    in_call("while True", "---\nwhile True: pass", "timeout"),
    in_call("loop that swallows BaseException", """
---
while True:
    try:
        while True: pass
    except BaseException:
        pass
""", "timeout"),
    in_call("all signals blocked/ignored, timer cancelled", """
import signal
---
signal.setitimer(signal.ITIMER_REAL, 0)
signal.alarm(0)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True: pass
""", "timeout"),
    in_call("cancel the alarm, right answer after the limit", """
import signal, time
---
signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
end = time.monotonic() + 1.4
while time.monotonic() < end or time.process_time() < 0.7: pass
return x * x
""", "timeout"),
    in_call("catch the timeout exception, then right answer", """
import time
---
end = time.monotonic() + 1.4
while time.monotonic() < end or time.process_time() < 0.7:
    try:
        while time.monotonic() < end or time.process_time() < 0.7: pass
    except BaseException:
        pass
return x * x
""", "timeout"),
    in_call("sleep(1000)", "import time\n---\ntime.sleep(1000)", "timeout"),
    in_call("9**9**9", "---\nreturn 9**9**9", "timeout", "memory"),
    in_call("str() of a 5-million-digit int, digit limit lifted", """
import sys
---
sys.set_int_max_str_digits(0)
return len(str(10**5_000_000 + 1))
""", "timeout"),
    in_call("catastrophic regex", """
import re
---
return bool(re.match('(a+)+b', 'a' * 60))
""", "timeout"),
    in_call("__del__ loops at exit", """
class Loop:
    def __del__(self):
        while True: pass
---
global keep
keep = Loop()
return 0
""", "wrong", "timeout"),
    in_call("non-daemon thread for ever", """
import threading, time
---
def forever():
    while True: time.sleep(0.1)
threading.Thread(target=forever).start()
return 0
""", "wrong"),
    at_import("loops at import", "while True: pass\ndef f(x): return x * x", "timeout", own=True),
    in_call("message of an exception that never ends", """
class Slow(Exception):
    def __str__(self):
        while True: pass
---
raise Slow()
""", "timeout", own=True),
    in_call("turns the clocks that it can see", """
import time
time.monotonic = time.time = time.perf_counter = time.process_time = lambda: 0.0
---
while True: pass
""", "timeout", own=True),
    in_call("threads that burn while the main one sleeps", """
import threading, time
def burn():
    while True: pass
---
for _ in range(4): threading.Thread(target=burn, daemon=True).start()
time.sleep(100)
""", "timeout", own=True),
]  # fmt: skip
