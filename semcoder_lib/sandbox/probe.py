"""Proof that a level holds: a program that tries to get out, run before anything else does."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import host, judge
from semcoder_lib.sandbox.model import Job, Limits
from semcoder_lib.sandbox.tickets import Ticket

_SOURCE = """
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


def prove(started: host.Host) -> None:
    """Run a program that tries to get out of `started`. Raises Refused when it does."""
    limits = Limits(cpu_seconds=2.0, wall_seconds=10.0)
    with _canary() as (path, expendable):
        ticket = Ticket(Job(_SOURCE, "probe", [(path, expendable, os.getpid())]), limits)
        try:
            started.send(ticket.request(0))
            ticket.take(judge.run_of(started.wait_message(20.0)))
        except (OSError, ValueError) as error:
            started.kill()
            raise host.Refused(f"it broke on its first program ({error})") from None
    (outcome,) = ticket.outcomes
    if outcome.status is not Status.OK or outcome.value != []:
        started.kill()
        why = ", ".join(map(str, outcome.value or [])) or f"{outcome.status} {outcome.note}"
        raise host.Refused(f"a program in it got out: {why}")


@contextlib.contextmanager
def _canary() -> Iterator[tuple[str, bool]]:
    """A file that anybody may read and write, so that only isolation protects it: its path, and
    whether it may come to harm."""
    try:
        handle, path = tempfile.mkstemp(prefix="sandbox-canary-")
    except OSError:  # a full disk, a missing folder: something that is everywhere, to read only
        yield "/etc/passwd", False
        return
    os.chmod(handle, 0o666)
    os.close(handle)
    try:
        yield path, True
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
