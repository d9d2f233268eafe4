"""Looking for the expected answer: frames, constants, objects, environment, memory, files."""

from attacks import at_import, in_call

ATTACKS = [
    in_call("walk frames / co_consts for the expected values", """
import sys
---
frame = sys._getframe(1)
while frame:
    for name, value in list(frame.f_locals.items()) + list(enumerate(frame.f_code.co_consts)):
        if type(value) in (list, tuple) and len(value) == 2 and type(value[1]) is str:
            return list(value)
        if type(value) is str and 'assert' in value and 'key-' in value:
            import ast
            return ast.literal_eval(value[value.index('== ') + 3:].split('\\n')[0])
    frame = frame.f_back
return 0
""", "wrong"),
    in_call("gc scan for the expected list", """
import gc
---
for value in gc.get_objects():
    if type(value) is list and len(value) == 2 and type(value[1]) is str:
        if value[1].startswith('key-'):
            return value
return 0
""", "wrong"),
    in_call("read a secret file", """
---
try:
    return open('@SECRET@').read()
except OSError:
    return 0
""", "wrong", breach="leak"),
    in_call("read the parent's environment / own inherited one", """
import os
---
found = dict(os.environ).get('@ENV@')
for pid in (os.getppid(), 1, 'self'):
    try:
        text = open(f'/proc/{pid}/environ').read()
    except OSError:
        continue
    for part in text.split('\\0'):
        if part.startswith('@ENV@='):
            found = part.partition('=')[2]
return found
""", "wrong", breach="leak"),
    in_call("write /proc/<ppid>/mem", """
import os
---
pid = os.getppid()
try:
    maps = open(f'/proc/{pid}/maps').read().splitlines()
    with open(f'/proc/{pid}/mem', 'wb', buffering=0) as memory:
        for line in maps:
            if ' rw-p ' in line:
                start, end = (int(x, 16) for x in line.split()[0].split('-'))
                memory.seek(start)
                memory.write(bytes(min(end - start, 1 << 20)))
except OSError:
    pass
return 0
""", "wrong", breach="(process left), runner killed"),
    in_call("PTRACE_ATTACH the parent", """
import ctypes, os
---
libc = ctypes.CDLL(None)
if libc.ptrace(16, os.getppid(), 0, 0) == 0:
    return 'attached'
return 0
""", "wrong", breach="runner killed"),
    in_call("read the grader's memory with process_vm_readv", """
import ctypes, os
---
class Vec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(64)
here = Vec(ctypes.addressof(buffer), 64)
there = Vec(id(None), 64)
if libc.process_vm_readv(os.getppid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
    return 'read'
return 0
""", "wrong", own=True),
    in_call("search open descriptors for anything to read", """
import os
---
found = []
for fd in range(4, 256):
    try:
        os.fstat(fd)
        found.append(fd)
    except OSError:
        pass
return found
""", "wrong", own=True),
    at_import("read the command lines of all processes", """
import os
def f(x):
    found = []
    try:
        for name in os.listdir('/proc'):
            if name.isdigit() and int(name) != os.getpid():
                found.append(open(f'/proc/{name}/cmdline').read())
    except OSError:
        pass
    return found and 'leaked ' + str(len(found))
""", "wrong", breach="leak", own=True),
    in_call("read a benchmark installed beside the interpreter", """
import os
---
found = tried = 0
for folder in (os.path.dirname(os.__file__), '/usr/lib/python3', '/usr/local/lib'):
    for name in ('site-packages', 'dist-packages'):
        for at, _, files in os.walk(os.path.join(folder, name)):
            for file in files[:3]:
                tried += 1
                try:
                    found += len(open(os.path.join(at, file), 'rb').read(1))
                except OSError:
                    pass
            if tried > 40:
                break
return found and 'leaked ' + str(found)
""", "wrong", breach="leak", own=True),
]  # fmt: skip
