"""Leaving something behind for the next program, or taking what others need."""

from attacks import in_call

ATTACKS = [
    in_call("flags and locks on the standard descriptors", """
import fcntl, os
---
for fd in range(3):
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND | os.O_ASYNC)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
return 0
""", "wrong", own=True),
    in_call("a lock on what every program opens", """
import fcntl, os
---
for path in ('/dev/null', os.__file__):
    try:
        fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
return 0
""", "wrong", own=True),
    in_call("limits, priority, mask, session, timers", """
import os, resource, signal
---
for action in (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5)), lambda: os.nice(19),
               lambda: os.umask(0o777), lambda: os.setsid(), lambda: signal.alarm(1),
               lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1)), lambda: os.chdir('/dev')):
    try:
        action()
    except (OSError, ValueError):
        pass
return 0
""", "wrong", own=True),
    in_call("thousands of threads with small stacks", """
import threading, time
threading.stack_size(32 * 1024)
---
count = 0
try:
    while count < 6000:
        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
        count += 1
except RuntimeError:
    pass
return 'leaked' if count > 3000 else 0
""", "wrong", "memory", own=True),
    in_call("a flood of warnings", """
import sys, warnings
warnings.simplefilter('always')
---
for n in range(20_000):
    warnings.warn(f'leaked {n}', SyntaxWarning)
compile("'\\\\d'\\n" * 1000, 'leaked', 'exec')
return 0
""", "wrong", "timeout", own=True),
    in_call("standard input that is put back", """
import os
---
for fd in (0, 2):
    try:
        os.write(fd, b'leaked')
        os.lseek(fd, 0, 0)
    except OSError:
        pass
return 0
""", "wrong", own=True),
]  # fmt: skip
