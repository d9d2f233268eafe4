"""The zygote: a warm interpreter that forks one isolated child per program.

Runs confined, in a clean environment, and reads requests from its one socket. It evaluates nothing
from a program and never looks into what a child writes: it passes bytes on. Imports little, since
every page it owns makes every fork dearer.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import marshal
import os
import signal
import socket
import sys
import types
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import layers, process, runner

# Imported once here, so that a program that uses them does not pay for them.
_WARM = (
    "math re string typing collections collections.abc itertools functools operator "
    "random datetime heapq bisect copy"
)
_BATCH = 16
_BATCH_BYTES = 1 << 18  # what is kept here is in the address space of every child


class Zygote:
    """Takes requests in order, answers in order, one message for each process. Messages wait for
    each other a few milliseconds at most, so that the parent is not woken for each."""

    def __init__(
        self, channel: socket.socket, level: layers.Level, plugins: dict[str, Any]
    ) -> None:
        self.channel = channel
        self.inbox = bytearray()
        self.outbox: list[bytes] = []
        self.messages = self.bytes = 0
        self.children = process.Children(level, plugins, channel.fileno(), self.flush)

    def serve(self) -> None:
        """Until the parent is gone."""
        try:
            while True:
                self.answer(self._request())
        except (EOFError, ConnectionError, process.ParentGone):
            os._exit(0)

    def answer(self, request: process.Request) -> None:
        """Run the calls of `request`: in one process if it is shared, else in one each."""
        firsts = (0,) if request[5] else range(len(request[3]))
        for first in firsts:
            message = self.children.run(request, first, more=first != firsts[-1])
            size = sum(map(len, message))
            self.outbox += [wire.LENGTH.pack(size), *message]
            self.messages += 1
            self.bytes += size
            if self.messages >= _BATCH or self.bytes >= _BATCH_BYTES:
                self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self.outbox:
            self.channel.sendall(b"".join(self.outbox))
            self.outbox.clear()
            self.messages = self.bytes = 0

    def _request(self) -> process.Request:
        while True:
            if len(self.inbox) >= 4:
                (length,) = wire.LENGTH.unpack_from(self.inbox)
                if len(self.inbox) >= 4 + length:
                    request: process.Request = marshal.loads(memoryview(self.inbox)[4 : 4 + length])
                    del self.inbox[: 4 + length]
                    return request
            self.flush()
            part = self.channel.recv(1 << 18)
            if not part:
                raise EOFError
            self.inbox += part


def load_plugin(name: str, path: str) -> Any:
    """A plug-in by name, from its file, with bare packages above it: importing the real ones
    would fill the zygote with what only the parent needs. The plug-in may import light modules
    of its own package."""
    parent, folder = name.rpartition(".")[0], os.path.dirname(path)
    while parent:
        if parent not in sys.modules:
            package = sys.modules[parent] = types.ModuleType(parent)
            package.__path__ = [folder]
        parent, folder = parent.rpartition(".")[0], os.path.dirname(folder)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"plug-in {name}: {path} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _warm_up() -> None:
    register = os.register_at_fork
    os.register_at_fork = lambda **_: None  # or `random` would seed itself anew in every child
    try:
        for name in _WARM.split():
            __import__(name)
        import random

        random.seed(0)
    finally:
        os.register_at_fork = register


def main(fd: int) -> None:
    """Start from the parent's configuration (the first message), confine, say READY, serve."""
    channel = socket.socket(fileno=fd)
    (length,) = wire.LENGTH.unpack(channel.recv(4, socket.MSG_WAITALL))
    config = json.loads(channel.recv(length, socket.MSG_WAITALL))
    try:
        _warm_up()
        plugins = {n: load_plugin(n, p) for n, p in config["plugins"].items()}
        if fd == 3:  # children find their result file there
            channel = socket.socket(fileno=os.dup(channel.detach()))
        os.dup2(2, 3)  # nothing else may take the place
        runner.warm(plugins)
        before = os.getpid()
        level = layers.Level(config, channel.fileno())
        zygote = Zygote(channel, level, plugins)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        gc.collect()
        gc.freeze()
        kept = os.getpid() != before
        ready = {"ready": True, "layers": level.names, "missing": level.missing, "kept": kept}
    except Exception as error:
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        ready = {"ready": False, "reason": f"{type(error).__name__}: {error}{where}"}
    channel.sendall(wire.frame(json.dumps(ready).encode()))
    if ready["ready"]:
        zygote.serve()
