"""Touching other processes, or leaving some behind."""

from attacks import at_import, in_call, trying

ATTACKS = [
    trying("kill -9 the parent", """
import posix as os
---
os.kill(os.getppid(), 9)
""", "wrong", breach="runner killed"),
    trying("kill(-1, 9)", """
import posix as os
---
os.kill(-1, 9)
""", "wrong", "crashed", "memory", breach="runner killed"),
    in_call("fork bomb (300)", """
import posix as os, time
---
for _ in range(300):
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        break
return 0
""", "wrong"),
    in_call("double fork + setsid daemon", """
import posix as os, time
---
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
except OSError:
    pass
time.sleep(0.05)
return 0
""", "wrong", breach="process left"),
    in_call("posix_spawn a shell", """
import posix as os
---
try:
    os.posix_spawn('/bin/sh', ['sh', '-c', 'echo > @OUTSIDE@/spawned'], {})
except OSError:
    pass
import time
time.sleep(0.1)
return 0
""", "wrong", breach="file outside"),
    in_call("prctl games (dumpable, pdeathsig, subreaper)", """
import ctypes
---
libc = ctypes.CDLL(None)
for option, value in ((4, 1), (1, 0), (36, 1), (38, 0), (15, 0)):
    libc.prctl(option, value, 0, 0, 0)
return 0
""", "wrong"),
    in_call("unshare(user+mount) inside", """
import ctypes
---
libc = ctypes.CDLL(None)
if libc.unshare(0x10000000 | 0x00020000) == 0:
    try:
        return open('@SECRET@').read()
    except OSError:
        return 'unshared'
return 0
""", "wrong", breach="leak"),
    at_import("env, sys.path, seed, builtins, recursion limit", """
import os, sys, random, builtins
os.environ.clear()
os.environ['LC_ALL'] = 'klingon'
sys.path.clear()
sys.modules.clear()
random.seed(99)
builtins.len = None
sys.setrecursionlimit(50)
def f(x): return 0
""", "wrong", "early_exit", "exception", "load_error"),
    in_call("stop the parent and the whole group", """
import os, signal
---
for target in (os.getppid(), 0, -os.getppid(), 1):
    try:
        os.kill(target, signal.SIGSTOP) if target else None
    except OSError:
        pass
return 0
""", "wrong", breach="runner killed", own=True),
    in_call("raw clone, vfork and clone3 system calls", """
import ctypes, os
---
libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long
number = {'x86_64': (56, 58, 435), 'aarch64': (220, 1079, 435)}[os.uname().machine]
done = []
pid = libc.syscall(number[0], 17, 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
if pid > 0:
    done.append('clone')
args = ctypes.create_string_buffer(88)
pid = libc.syscall(number[2], args, 88)
if pid == 0:
    os._exit(0)
if pid > 0:
    done.append('clone3')
return done or 0
""", "wrong", own=True),
    in_call("raise limits, then fork", """
import os, resource
---
done = []
for which in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        done.append(which)
    except (OSError, ValueError):
        pass
return done and 'raised'
""", "wrong", own=True),
    in_call("signals to itself through SIGIO ownership of the parent", """
import fcntl, os
---
r, w = os.pipe()
try:
    fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(w, b'x')
except OSError:
    pass
return 0
""", "wrong", breach="runner killed", own=True),
    in_call("system calls of the other ABIs", """
import ctypes, os
---
libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long
if libc.syscall(0x40000000 | 57) == 0:
    os._exit(0)
return 0
""", "wrong", own=True),
]  # fmt: skip
