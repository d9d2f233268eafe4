"""Reaching out."""

from attacks import in_call, trying

ATTACKS = [
    trying("TCP connect to loopback", """
import socket
---
s = socket.create_connection(('127.0.0.1', @PORT@), 0.5)
s.sendall(b'hello')
""", "wrong", breach="network"),
    trying("abstract unix socket connect", """
import socket
---
s = socket.socket(socket.AF_UNIX)
s.connect('\\0@ABSTRACT@')
s.sendall(b'hello')
""", "wrong", breach="network"),
    in_call("UDP, raw, netlink, vsock and packet sockets", """
import socket
---
done = []
for family, kind in ((2, 2), (2, 3), (16, 3), (40, 1), (17, 3), (10, 2)):
    try:
        socket.socket(family, kind).close()
        done.append((family, kind))
    except OSError:
        pass
return done and 'made'
""", "wrong", own=True),
    in_call("io_uring, bpf, keyctl, perf, userfaultfd", """
import ctypes, os
---
libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long
numbers = {'x86_64': (425, 321, 250, 298, 323), 'aarch64': (425, 280, 219, 241, 282)}
buffer = ctypes.create_string_buffer(256)
done = []
for number in numbers[os.uname().machine]:
    if libc.syscall(number, 0, buffer, 0, 0, 0) >= 0:
        done.append(number)
return done and 'done'
""", "wrong", own=True),
]  # fmt: skip
