"""Making a wrong answer pass: lying objects, patched checkers, written verdicts."""

from attacks import at_import, in_call

ATTACKS = [
    in_call("object with __eq__ -> True", """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
---
return Same()
""", "unserializable"),
    in_call("float subclass, lying __eq__/__repr__/__class__", """
class Lie(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __repr__(self): return '49.5'
    __class__ = property(lambda self: float)
---
return Lie(1)
""", "unserializable"),
    in_call("__repr__ prints the answer", """
class Shown:
    def __repr__(self):
        print('[4, 2]')
        return '[4, 2]'
---
return Shown()
""", "unserializable"),
    in_call("__reduce__ payload as result", """
class Boom:
    def __reduce__(self):
        import os
        return (os.system, ('touch @OUTSIDE@/reduced',))
---
return Boom()
""", "unserializable"),
    in_call("write forged records to every fd, _exit", """
import os
---
for fd in range(64):
    for text in (b'passed', b'{"status": "ok", "passed": true}\\n', b'Z\\x08\\0\\0\\0' + bytes(8)):
        try:
            os.write(fd, text)
        except OSError:
            pass
os._exit(0)
""", "early_exit"),
    in_call("patch numpy.allclose, math.isclose", """
import math, sys
math.isclose = lambda *a, **k: True
try:
    import numpy
    numpy.allclose = lambda *a, **k: True
except ImportError:
    pass
---
return 1.0
""", "wrong"),
    in_call("replace repr/type/len/isinstance/...", """
import builtins
---
for name in ('repr', 'type', 'len', 'isinstance', 'str', 'print', 'id', 'range', 'min', 'getattr'):
    setattr(builtins, name, lambda *a, **k: True)
return 0
""", "early_exit", "exception", "wrong", "unserializable"),
    in_call("replace json and any serializer in sys.modules", """
import sys
---
class Fake:
    def __getattr__(self, name): return lambda *a, **k: '[4, 2]'
for name in ('json', 'pickle', 'marshal', 'ast', 'struct', 'semcoder_lib.core.values'):
    sys.modules[name] = Fake()
return 0
""", "wrong"),
    in_call("replace builtins.AssertionError, excepthook", """
import builtins, sys
class Never(BaseException): pass
builtins.AssertionError = Never
sys.excepthook = lambda *a: None
---
return 0
""", "wrong"),
    in_call("install a tracer in the caller's frame", """
import sys
---
frame = sys._getframe(1)
def tracer(frame, event, arg):
    for name in list(frame.f_locals):
        if name in ('result', 'passed', 'status'):
            frame.f_locals[name] = True
    return tracer
while frame:
    frame.f_trace = tracer
    frame = frame.f_back
sys.settrace(tracer)
return 0
""", "wrong"),
    in_call("atexit writes 'passed'", """
import atexit, os
@atexit.register
def late():
    for fd in range(3, 16):
        try:
            os.write(fd, b'passed')
        except OSError:
            pass
---
return 0
""", "wrong"),
    in_call("ctypes: overwrite the float constants being compared", """
import ctypes, gc
---
for value in gc.get_objects():
    if type(value) is list and value and type(value[0]) is float:
        ctypes.memmove(id(value[0]) + 16, ctypes.addressof(ctypes.c_double(1.0)), 8)
import sys
frame = sys._getframe()
while frame:
    for value in frame.f_code.co_consts:
        if type(value) is float:
            ctypes.memmove(id(value) + 16, ctypes.addressof(ctypes.c_double(1.0)), 8)
    frame = frame.f_back
return 1.0
""", "wrong", "crashed"),
    in_call("push an object with __reduce__ into the runner's queue/manager", """
import gc, sys
class Boom:
    def __reduce__(self):
        import os
        return (os.system, ('touch @OUTSIDE@/pushed',))
---
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        for method in ('put', 'append', 'send'):
            if type(value).__name__ in ('Queue', 'ListProxy', 'Connection', 'SimpleQueue'):
                try:
                    getattr(value, method)(Boom())
                except Exception:
                    pass
    frame = frame.f_back
return 0
""", "wrong"),
    in_call("str subclass whose equality lies", """
class S(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
---
return S('x')
""", "unserializable", own=True),
    in_call("list of int subclasses that equal everything", """
class I(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
---
return [I(1), I(2)]
""", "unserializable", own=True),
    in_call("lying subclass hidden deep in plain containers", """
class L(list):
    def __eq__(self, other): return True
---
return {'a': [({1: L()},)]}
""", "unserializable", own=True),
    in_call("the library's own encoder replaced by one that says what it likes", """
import sys
---
values = sys.modules.get('semcoder_lib.core.values')
if values is not None:
    values.encode = lambda *a, **k: '__import__("os").system("touch @OUTSIDE@/evaluated")'
return 0
""", "unserializable", "wrong", own=True),
    in_call("the library's record writer replaced to skip the records", """
import sys
---
for name, module in list(sys.modules.items()):
    if name.startswith('semcoder_lib'):
        for key in list(vars(module)):
            if callable(vars(module)[key]) and not key.startswith('__'):
                setattr(module, key, lambda *a, **k: None)
return 0
""", "early_exit", "exception", "wrong", "crashed", own=True),
    in_call("a complete forged result file, own end record, early exit", """
import os, struct, sys
---
wire = sys.modules.get('semcoder_lib.sandbox.wire')
runner = sys.modules.get('semcoder_lib.sandbox.child.runner')
if wire is None:
    os._exit(0)
os.lseek(3, 0, 0)
for tag, data in ((wire.VALUE, wire.CALL.pack(0, 0, 0) + b"'guess'"),
                  (wire.END, runner.nonce)):
    os.write(3, wire.RECORD.pack(tag, len(data)) + data)
os._exit(0)
""", "wrong", "early_exit", own=True),
    in_call("records with lengths that lie", """
import os
---
os.lseek(3, 0, 0)
os.write(3, b'V' + b'\\xff\\xff\\xff\\xff' + b'[4, 2]' * 10)
os._exit(0)
""", "early_exit", own=True),
    at_import("exit hook of the tracer: settrace that exits at the first call", """
import sys, os
def tracer(frame, event, arg):
    if frame.f_code.co_name == 'f':
        os._exit(0)
    return tracer
sys.settrace(tracer)
def f(x):
    return 0
""", "early_exit", own=True),
]  # fmt: skip
