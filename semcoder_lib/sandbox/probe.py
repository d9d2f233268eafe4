"""Proof that a level holds: a program that tries to get out, run before anything else does."""

from __future__ import annotations

import os
import tempfile

SOURCE = """
import os, sys

def probe(canary, expendable, victim):
    done = []
    def attempt(name, action):
        try:
            action()
        except OSError:
            return
        done.append(name)
    attempt("read a file outside", lambda: open(canary).read())
    if expendable:
        attempt("wrote a file outside", lambda: open(canary, "w").write("x"))
        attempt("deleted a file outside", lambda: os.unlink(canary))
    attempt("wrote into its folder", lambda: open("here", "w"))
    attempt("read the process list", lambda: os.listdir("/proc/1"))
    attempt("signalled the parent", lambda: os.kill(victim, 0))
    attempt("started a process", lambda: os.fork() or os._exit(0))
    attempt("started a program", lambda: os.execv(sys.executable or "/bin/sh", ["x"]))
    def connect():
        import socket
        socket.socket(socket.AF_UNIX)
    attempt("made a socket", connect)
    return done
"""


class Canary:
    """A file that anybody may read and write, so that only isolation protects it."""

    def __enter__(self) -> tuple[str, bool]:
        """Its path, and whether it may come to harm."""
        try:
            handle, self.path = tempfile.mkstemp(prefix="sandbox-canary-")
        except OSError:  # a full disk, a missing folder: something that is everywhere, to read only
            self.path = ""
            return "/etc/passwd", False
        os.chmod(handle, 0o666)
        os.close(handle)
        return self.path, True

    def __exit__(self, *_: object) -> None:
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)
