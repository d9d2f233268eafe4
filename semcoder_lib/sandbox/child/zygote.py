"""The zygote: a warm interpreter that forks one isolated child per program.

Runs confined, in a clean environment, and reads requests from its one socket. It evaluates nothing
from a program and never looks into what a child writes: it passes bytes on. Imports little, since
every page it owns makes every fork dearer.
"""

from __future__ import annotations

import gc
import json
import marshal
import os
import signal
import socket
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import levels, plugins, process, runner

# Imported once here, so that a program that uses them does not pay for them.
_WARM = (
    "math re string typing collections collections.abc itertools functools operator "
    "random datetime heapq bisect copy"
)
_BATCH = 16


class Zygote:
    """Takes requests in order, answers in order; answers wait for each other a few milliseconds
    at most, so that the parent is not woken for each."""

    def __init__(self, channel: socket.socket, level: Any, loaded: dict[str, Any]) -> None:
        self.channel = channel
        self.inbox = bytearray()
        self.outbox: list[bytes] = []
        self.waiting = 0
        self.children = process.Children(level, loaded, channel.fileno(), self.flush)

    def serve(self) -> None:
        """Until the parent is gone."""
        try:
            while True:
                self.answer(self._request())
        except (EOFError, ConnectionError, process.ParentGone):
            os._exit(0)

    def answer(self, request: process.Request) -> None:
        firsts = (0,) if request[5] else range(len(request[3]))
        reply = [wire.REPLY.pack(request[0], len(firsts))]
        for first in firsts:
            reply += self.children.run(request, first)
        self.outbox.append(wire.LENGTH.pack(sum(map(len, reply))))
        self.outbox += reply
        self.waiting += 1
        if self.waiting >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self.outbox:
            self.channel.sendall(b"".join(self.outbox))
            self.outbox.clear()
            self.waiting = 0

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
        loaded = {n: plugins.load(n, p) for n, p in config["plugins"].items()}
        if fd == 3:  # children find their result file there
            channel = socket.socket(fileno=os.dup(channel.detach()))
        os.dup2(2, 3)  # nothing else may take the place
        runner.warm(loaded)
        before = os.getpid()
        level = levels.enter(config, channel.fileno())
        zygote = Zygote(channel, level, loaded)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        gc.collect()
        gc.freeze()
        ready = {
            "ready": True,
            "layers": level.layers,
            "missing": level.missing,
            "kept": os.getpid() != before,
        }
    except Exception as error:
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        reason = f"{type(error).__name__}: {error}{where}"
        ready = {"ready": False, "reason": reason}
    channel.sendall(wire.frame(json.dumps(ready).encode()))
    if ready["ready"]:
        zygote.serve()
