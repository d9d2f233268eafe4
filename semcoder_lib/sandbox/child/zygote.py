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
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import runner

# Imported once here, so that a program that uses them does not pay for them.
_WARM = (
    "math re string typing collections collections.abc itertools functools operator random "
    "datetime heapq bisect copy"
).split()

_MONOTONIC = time.monotonic


class Zygote:
    """The loop, and what one child costs: fork, wait, judge its time, collect its files."""

    def __init__(self, channel: socket.socket, level: Any, plugins: dict[str, Any]) -> None:
        self.channel = channel
        self.level = level
        self.plugins = plugins
        self.poller = select.poll()
        self.base_kb = _address_space_kb()

    def serve(self) -> None:
        while True:
            head = self._read(4)
            (length,) = wire.LENGTH.unpack(head)
            request = marshal.loads(self._read(length))
            reply = self.handle(request)
            self.channel.sendall(wire.LENGTH.pack(sum(map(len, reply))))
            for part in reply:
                self.channel.sendall(part)

    def _read(self, length: int) -> bytes:
        parts = []
        while length:
            part = self.channel.recv(min(length, 1 << 20))
            if not part:
                os._exit(0)  # the parent is gone
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def handle(self, request: tuple[Any, ...]) -> list[bytes]:
        number, first, calls, share = request[0], 0, request[3], request[5]
        runs: list[bytes] = []
        count = 0
        firsts = [0] if share else range(first, len(calls))
        for first in firsts:
            runs.extend(self.one(request, first))
            count += 1
        return [wire.REPLY.pack(number, count), *runs]

    def one(self, request: tuple[Any, ...], first: int) -> list[bytes]:
        limits = request[4]
        later = len(request[3]) - 1 if request[5] else 0
        out = os.memfd_create("out")
        res = os.memfd_create("result")
        nonce = os.urandom(8)
        stdin = None
        if request[9]:
            stdin = os.memfd_create("stdin")
            os.write(stdin, request[9].encode("utf-8", "surrogatepass"))
            os.lseek(stdin, 0, 0)
        try:
            self.level.before_fork()
            start = _MONOTONIC()
            pid = os.fork()
            if pid == 0:
                try:
                    self._become(out, res, stdin, limits)
                    runner.run(request, first, nonce, self.plugins)
                finally:
                    os._exit(70)
            how, value, usage = self._wait(pid, limits, start, res, later)
            wall = _MONOTONIC() - start
            self.level.after_child(pid)
            out_size = os.fstat(out).st_size
            output = os.pread(out, min(out_size, limits["output_bytes"] + 1), 0)
            results = os.pread(res, limits["result_bytes"] + 4096, 0)
        finally:
            os.close(out)
            os.close(res)
            if stdin is not None:
                os.close(stdin)
        cpu = usage.ru_utime + usage.ru_stime
        header = wire.RUN.pack(
            how, value, cpu, wall, usage.ru_maxrss, first, len(results) + 8, len(output)
        )
        return [header, nonce, results, output]

    @staticmethod
    def _begun(res: int) -> tuple[float, float] | None:
        """When the call that a shared child is in began, by its own word: (cpu, monotonic).
        A lie buys it no more than the limit of each later call, which `resets` counts."""
        size = os.fstat(res).st_size
        need = wire.RECORD.size + wire.CLOCKS.size
        last = os.pread(res, need, max(0, size - need))
        if len(last) == need and last[:1] == wire.BEGUN:
            return wire.CLOCKS.unpack_from(last, wire.RECORD.size)
        return None

    def _become(self, out: int, res: int, stdin: int | None, limits: dict[str, Any]) -> None:
        """In the child: descriptors, limits, rights."""
        high = os.dup(res) if res < 4 else res
        if stdin is not None:
            os.dup2(stdin, 0)
        os.dup2(out, 1)
        os.dup2(high, 3)
        os.closerange(4, 1 << 20)
        cpu = int(limits["cpu_seconds"] * (1 + limits["grace"]) * self._scale) + 2
        size = max(limits["output_bytes"], limits["result_bytes"]) + 4096
        space = (self.base_kb << 10) + (limits["memory_mb"] << 20)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits["open_files"], limits["open_files"]))
        self.level.in_child(limits)

    _scale = 1

    def _wait(
        self, pid: int, limits: dict[str, Any], start: float, res: int, later: int
    ) -> tuple[int, int, Any]:
        how = wire.ENDED_EXIT
        clock = (~pid << 3) | 2  # the processor clock of another process, see clock_getcpuclockid
        cpu_limit = limits["cpu_seconds"] * (1 + limits["grace"])
        wall_limit = limits["wall_seconds"]
        handle = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.register(self.channel, 0)  # only hang-up
            call_cpu, call_wall, resets = 0.0, start, 0
            pause = min(cpu_limit, wall_limit)
            while True:
                events = poller.poll(max(1, int(pause * 1000) + 1))
                if any(fd == handle for fd, _ in events):
                    break
                if events:  # the parent is gone
                    self.level.kill(pid)
                    os._exit(0)
                now = _MONOTONIC()
                cpu = time.clock_gettime(clock)
                if resets < later:
                    begun = self._begun(res)
                    if begun is not None and begun[1] > call_wall:  # a later call's own limits
                        call_cpu, call_wall = min(begun[0], cpu), min(begun[1], now)
                        resets += 1
                if cpu - call_cpu >= cpu_limit:
                    how = wire.ENDED_CPU
                    break
                if now - call_wall >= wall_limit:
                    how = wire.ENDED_WALL
                    break
                pause = max(
                    0.002, min(cpu_limit - (cpu - call_cpu), wall_limit - (now - call_wall))
                )
        finally:
            os.close(handle)
        if how != wire.ENDED_EXIT:
            self.level.kill(pid)
        _, status, usage = os.wait4(pid, 0)
        if how == wire.ENDED_EXIT:
            if os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
                if number == signal.SIGXCPU:
                    return wire.ENDED_CPU, number, usage
                return wire.ENDED_SIGNAL, number, usage
            return how, os.WEXITSTATUS(status), usage
        return how, 0, usage


def _address_space_kb() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * (resource.getpagesize() >> 10)
    except (OSError, ValueError, IndexError):
        return 64 << 10


def main(fd: int) -> None:
    """Start from the parent's configuration (the first message), confine, say READY, serve."""
    channel = socket.socket(fileno=fd)
    length = wire.LENGTH.unpack(channel.recv(4, socket.MSG_WAITALL))[0]
    config = json.loads(channel.recv(length, socket.MSG_WAITALL))
    try:
        for name in _WARM:
            __import__(name)
        import random

        random.seed(0)
        plugins = {n: _load(n, p) for n, p in config["plugins"].items()}
        from semcoder_lib.sandbox.child import levels

        level = levels.enter(config, fd)
        zygote = Zygote(channel, level, plugins)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        gc.collect()
        gc.freeze()
        ready = {
            "ready": True,
            "layers": level.layers,
            "missing": level.missing,
            "pid": os.getpid(),
        }
    except Exception as error:
        ready = {"ready": False, "reason": f"{type(error).__name__}: {error}"}
    channel.sendall(wire.frame(json.dumps(ready).encode()))
    if ready["ready"]:
        zygote.serve()


def _load(name: str, path: str) -> Any:
    """A plug-in by name, from its file, with bare packages above it: importing the real ones
    would fill the zygote with what only the parent needs."""
    import importlib.util
    import types

    parent, _, _ = name.rpartition(".")
    folder = os.path.dirname(path)
    while parent:
        if parent not in sys.modules:
            package = types.ModuleType(parent)
            package.__path__ = [folder]
            sys.modules[parent] = package
        parent, _, _ = parent.rpartition(".")
        folder = os.path.dirname(folder)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
