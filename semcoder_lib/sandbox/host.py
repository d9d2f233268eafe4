"""The parent's end of one zygote: start it, shake hands, send, receive, end it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import judge, wire
from semcoder_lib.sandbox.model import Job, Limits

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARY = os.path.dirname(os.__file__)
# What the base interpreter imports from; packages installed in it are hidden.
_INTERPRETER = [_LIBRARY, os.path.join(sys.base_prefix, "lib"), os.path.dirname(_LIBRARY)]
_START_SECONDS = 30.0
_ZYGOTE = "semcoder_lib.sandbox.child.zygote"  # named whole, so that its code counts as used here
# Bare packages: the zygote must not import what their __init__ imports for the parent.
_BOOT = """
import sys, types
for name, path in (("semcoder_lib", {root!r}), ("semcoder_lib.sandbox", {root!r} + "/sandbox")):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [path]
__import__("importlib").import_module({zygote!r}).main({fd})
"""
_CLEAN = {
    "PYTHONUTF8": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
}


class Refused(Exception):
    """The zygote could not set up the level asked for; the message says which step failed."""


class Host:
    """A running zygote. `ready` is what it said about its layers, `plugins` what it has loaded.
    Raises Refused where the level cannot be set up."""

    def __init__(self, level: str, plugins: dict[str, str], hash_seed: int = 0) -> None:
        self.plugins = plugins
        # Without isolation a program can at least litter its own folder only, unless it means to.
        self.folder = (
            tempfile.TemporaryDirectory(prefix="sandbox-", ignore_cleanup_errors=True)
            if level == "portable"
            else None
        )
        self.channel, theirs = socket.socketpair()
        self.inbox = bytearray()
        self.outbox = bytearray()
        # the mark of what a sandbox started, so that leftovers can be found
        seed = {"PYTHONHASHSEED": str(hash_seed), "SANDBOX_OF": str(os.getpid())}
        boot = _BOOT.format(root=str(_PACKAGE), zygote=_ZYGOTE, fd=theirs.fileno())
        try:
            self.process = subprocess.Popen(
                [sys._base_executable, "-S", "-s", "-P", "-B", "-c", boot],  # type: ignore[attr-defined]
                env={**_CLEAN, **seed},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self.folder.name if self.folder else "/",
                start_new_session=True,
            )
        finally:
            theirs.close()
        self.channel.setblocking(False)
        config = {
            "level": level,
            "plugins": plugins,
            "interpreter": _INTERPRETER,
            "parent": os.getpid(),
        }
        try:
            self.send(json.dumps(config).encode())
            self.ready: dict[str, Any] = json.loads(self.wait_message(_START_SECONDS))
        except (OSError, ValueError) as error:
            self.ready = {"reason": f"no READY from the zygote ({error or type(error).__name__})"}
        if not self.ready.get("ready"):
            self.close()
            raise Refused(str(self.ready.get("reason", "no reason given")))

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self.channel.fileno()

    def send(self, message: bytes) -> None:
        """Queue a message and write what the socket takes."""
        self.outbox += wire.LENGTH.pack(len(message))
        self.outbox += message
        self.flush()

    def flush(self) -> None:
        """Write what the socket takes now. Raises ConnectionError when the zygote is gone."""
        while self.outbox:
            try:
                done = self.channel.send(self.outbox[: 1 << 18])
            except BlockingIOError:
                return
            del self.outbox[:done]

    def messages(self) -> list[bytes]:
        """The complete messages that have arrived. Raises ConnectionError when the zygote is gone
        and left none."""
        gone = False
        while not gone:
            try:
                part = self.channel.recv(1 << 18)
            except BlockingIOError:
                break
            except ConnectionError:
                part = b""
            gone = not part
            self.inbox += part
            if len(part) < 1 << 16:
                break
        messages, place = [], 0
        while len(self.inbox) >= place + 4:
            (length,) = wire.LENGTH.unpack_from(self.inbox, place)
            if len(self.inbox) < place + 4 + length:
                break
            messages.append(bytes(memoryview(self.inbox)[place + 4 : place + 4 + length]))
            place += 4 + length
        del self.inbox[:place]
        if gone and not messages:
            raise ConnectionError("the zygote is gone")
        return messages

    def wait_message(self, seconds: float) -> bytes:
        """The next message. Raises OSError when there is none in time or the zygote is gone."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            wait_any([self], end - time.monotonic())
            self.flush()
            messages = self.messages()
            if messages:
                return messages[0]
        raise OSError("no answer in time")

    def close(self) -> None:
        """End the zygote and everything below it, and wait until it is gone."""
        self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        self.kill()

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        self.channel.close()
        if self.folder:
            self.folder.cleanup()


def plugin_file(name: str) -> str:
    """The file of a plug-in module. Raises UserError when there is no such module."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise UserError(f"sandbox plug-in {name!r}: no such module; give its importable name")
    return spec.origin


def wait_any(hosts: list[Host], seconds: float) -> list[Host]:
    """Those of `hosts` that can be read, or written where something waits to be."""
    poller = select.poll()
    for host in hosts:
        poller.register(host, select.POLLIN | (select.POLLOUT if host.outbox else 0))
    ready = dict(poller.poll(max(0, int(seconds * 1000))))
    return [host for host in hosts if host.fileno() in ready]


# --- proof that a level holds: a program that tries to get out, run before anything else does ---

_PROBE = """
import os, sys

def probe(canary, victim):
    done = []
    def attempt(name, action):
        try:
            action()
        except OSError:
            return
        done.append(name)
    attempt("read a file outside", lambda: open(canary).read())
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


def prove(started: Host) -> None:
    """Run a program that tries to get out of `started`. Raises Refused when it does."""
    limits = Limits(cpu_seconds=2.0, wall_seconds=10.0)
    try:
        with tempfile.TemporaryDirectory(prefix="sandbox-canary-") as folder:
            canary = Path(folder, "canary")
            canary.touch()
            for path in (canary, canary.parent):  # so that only isolation protects them
                path.chmod(0o777)
            ticket = judge.Ticket(Job(_PROBE, "probe", [(str(canary), os.getpid())]), limits)
            started.send(ticket.request(0))
            ticket.take(judge.run_of(started.wait_message(20.0)))
    except (OSError, ValueError) as error:
        started.kill()
        raise Refused(
            f"it broke on its first program, or has no temporary folder ({error})"
        ) from None
    (outcome,) = ticket.outcomes
    if outcome.status is not Status.OK or outcome.value != []:
        started.kill()
        why = ", ".join(map(str, outcome.value or [])) or f"{outcome.status} {outcome.note}"
        raise Refused(f"a program in it got out: {why}")
