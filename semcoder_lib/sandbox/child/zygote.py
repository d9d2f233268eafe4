"""The zygote: a warm interpreter that forks one isolated child per program, and watches it.

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
import select
import signal
import socket
import sys
import time
import types
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import layers, runner

# Imported once here, so that a program that uses them does not pay for them.
_WARM = (
    "math re string typing collections collections.abc itertools functools operator "
    "random datetime heapq bisect copy"
)
_BATCH = 16
_BATCH_BYTES = 1 << 18  # what is kept here is in the address space of every child
_FLUSH_MS = 5
_COUNT_MS = 10  # between two looks at the number of threads
_PAUSES = (0.01, 0.1, 0.5, 0.0)  # where the machine is out of processes for a moment
_monotonic = time.monotonic
Request = tuple[Any, ...]


class Zygote:
    """Takes requests in order, answers in order, one message for each process. Messages wait for
    each other a few milliseconds at most, so that the parent is not woken for each."""

    def __init__(
        self, channel: socket.socket, level: layers.Level, plugins: dict[str, Any]
    ) -> None:
        self.channel = channel
        self.level = level
        self.plugins = plugins
        self.inbox = bytearray()
        self.outbox: list[bytes] = []
        self.messages = self.bytes = 0

    def serve(self) -> None:
        """Until the parent is gone."""
        try:
            while True:
                request = self._request()
                # the calls run in one process if it is shared, else in one each
                firsts = (0,) if request[5] else range(len(request[3]))
                for first in firsts:
                    self._answer(self._run(request, first, first != firsts[-1]))
        except (EOFError, ConnectionError):
            os._exit(0)

    def _request(self) -> Request:
        while True:
            if len(self.inbox) >= 4:
                (length,) = wire.LENGTH.unpack_from(self.inbox)
                if len(self.inbox) >= 4 + length:
                    request: Request = marshal.loads(memoryview(self.inbox)[4 : 4 + length])
                    del self.inbox[: 4 + length]
                    return request
            self._flush()
            part = self.channel.recv(1 << 18)
            if not part:
                raise EOFError
            self.inbox += part

    def _answer(self, message: list[bytes]) -> None:
        size = sum(map(len, message))
        self.outbox += [wire.LENGTH.pack(size), *message]
        self.messages += 1
        self.bytes += size
        if self.messages >= _BATCH or self.bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self.outbox:
            self.channel.sendall(b"".join(self.outbox))
            self.outbox.clear()
            self.messages = self.bytes = 0

    # --- one child: fork, wait, judge its time, collect what it wrote ---

    def _run(self, request: Request, first: int, more: bool) -> list[bytes]:
        """Run the calls of `request` from `first` on in one child: all of them if it is shared,
        else one. Returns its message to the parent, without the length, as byte strings."""
        number, limits = request[0], request[4]
        later = len(request[3]) - 1 if request[5] else 0
        try:
            _open_files(request[9])
            calls = self.level.before_fork(limits)
            start = _monotonic()
            pid = _fork()
        except OSError as error:
            reason = f"{error.filename or ''} {error.strerror}".encode()
            return _message(number, more, wire.ENDED_BROKEN, 0, None, 0.0, reason, b"")
        if pid == 0:
            try:
                if not any(function(*arguments) for function, arguments in calls):
                    os.closerange(4, 1 << 20)
                    runner.run(request, first, self.plugins)
            finally:
                os._exit(70)
        ended, value, usage = self._until_gone(pid, limits, start, later)
        wall = _monotonic() - start
        self.level.after_child(pid)
        output = _read(1, limits["output_bytes"] + 1)
        results = _read(3, limits["result_bytes"] + 4096)
        for place in (0, 2):  # what the program had there is everybody's: its lock ends with it
            os.dup2(1, place)
        return _message(number, more, ended, value, usage, wall, results, output)

    def _until_gone(
        self, pid: int, limits: dict[str, Any], start: float, later: int
    ) -> tuple[int, int, Any]:
        """(how it ended, exit status or signal, resource usage)."""
        how = wire.ENDED_LOST
        try:
            how = self._watch(pid, limits, start, later)
        except (EOFError, ConnectionError):  # the parent is gone
            raise
        except Exception:
            pass
        finally:
            if how != wire.ENDED_EXIT:
                self.level.kill(pid)
        _, status, usage = os.wait4(pid, 0)
        if how != wire.ENDED_EXIT:
            return how, 0, usage
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            how = wire.ENDED_CPU if number == signal.SIGXCPU else wire.ENDED_SIGNAL
            return how, number, usage
        return how, os.WEXITSTATUS(status), usage

    def _watch(self, pid: int, limits: dict[str, Any], start: float, later: int) -> int:
        """Wait for a child's end or a limit; how it ended. Processor time is read from the kernel's
        account of the child, wall time from our clock: nothing inside can stop either."""
        cpu_limit = limits["cpu_seconds"] * (1 + limits["grace"])
        wall_limit = limits["wall_seconds"]
        clock = (~pid << 3) | 2  # another process's processor clock, see clock_getcpuclockid(3)
        call_cpu, call_wall = 0.0, start
        handle = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.register(self.channel.fileno(), 0)  # only hang-up
            patience = _FLUSH_MS
            while not (events := poller.poll(patience)):
                self._flush()
                now, cpu = _monotonic(), time.clock_gettime(clock)
                begun = _begun(cpu, now) if later else None
                if begun is not None and begun[1] > call_wall:  # a later call's own limits
                    call_cpu, call_wall = begun
                    later -= 1
                cpu_left = cpu_limit - (cpu - call_cpu)
                wall_left = wall_limit - (now - call_wall)
                if cpu_left <= 0:
                    return wire.ENDED_CPU
                if wall_left <= 0:
                    return wire.ENDED_WALL
                patience = max(2, int(min(cpu_left, wall_left) * 1000) + 1)
                if not self.level.own_user:  # else the kernel counts them
                    if _threads(pid) > limits["threads"] + 2:
                        return wire.ENDED_THREADS
                    patience = min(patience, _COUNT_MS)
            if all(fd != handle for fd, _ in events):
                raise EOFError
            return wire.ENDED_EXIT
        finally:
            os.close(handle)


def _message(
    number: int, more: bool, ended: int, value: int, usage: Any, wall: float,
    results: bytes, output: bytes,
) -> list[bytes]:  # fmt: skip
    cpu, peak = (usage.ru_utime + usage.ru_stime, usage.ru_maxrss) if usage else (0.0, 0)
    size = wire.NONCE_BYTES + len(results)
    header = wire.RUN.pack(number, more, ended, value, cpu, wall, peak, size, len(output))
    return [header, runner.nonce, results, output]


def _begun(cpu: float, now: float) -> tuple[float, float] | None:
    """When the call that a shared child is in began, by its own word: (cpu, monotonic). A lie
    buys it no more than the limit of each later call, since those are counted."""
    need = wire.RECORD.size + wire.CLOCKS.size
    last = _read(3, need, max(0, os.fstat(3).st_size - need))
    if len(last) != need or last[:1] != wire.BEGUN:
        return None
    began_cpu, began = wire.CLOCKS.unpack_from(last, wire.RECORD.size)
    if not (began_cpu >= 0.0 and began >= 0.0):  # nan is neither
        return None
    return min(began_cpu, cpu), min(began, now)


def _threads(pid: int) -> int:
    """How many threads a child has; 0 where the kernel does not tell."""
    try:  # the folder has a link for each, and two of its own
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0


def _open_files(stdin: str) -> None:
    """Fresh files where the child expects them, so that no lock or flag on one outlives it: 0 its
    input, 1 its output, 2 nothing, 3 its results. Those in memory need no reader and take no disk,
    and a flood ends at the file-size limit."""
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    files = [(nothing, 2), (os.memfd_create("output"), 1), (os.memfd_create("results"), 3)]
    if stdin:
        files.append((os.memfd_create("input"), 0))
    for file, place in files:
        os.dup2(file, place)
        os.close(file)
    data = memoryview(stdin.encode("utf-8", "surrogatepass"))
    while data:
        data = data[os.write(0, data) :]
    os.lseek(0, 0, 0)


def _read(file: int, most: int, start: int = 0) -> bytes:
    """Up to `most` bytes of a file that a child wrote; a hole that it left costs what it claims."""
    return os.pread(file, min(os.fstat(file).st_size - start, most), start)


def _fork() -> int:
    for pause in _PAUSES:
        try:
            return os.fork()
        except BlockingIOError:
            if not pause:
                raise
            time.sleep(pause)
    raise AssertionError


# --- the start ---


def _load_plugin(name: str, path: str) -> Any:
    """A plug-in by name, from its file, with bare packages above it: importing the real ones
    would fill the zygote with what only the parent needs. The plug-in may import light modules
    of its own package."""
    parent, folder = name.rpartition(".")[0], os.path.dirname(path)
    while parent:
        if parent not in sys.modules:
            package = sys.modules[parent] = types.ModuleType(parent)
            package.__path__ = [folder]
        parent, folder = parent.rpartition(".")[0], os.path.dirname(folder)
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
        plugins = {n: _load_plugin(n, p) for n, p in config["plugins"].items()}
        if fd == 3:  # children find their result file there
            channel = socket.socket(fileno=os.dup(channel.detach()))
        os.dup2(2, 3)  # nothing else may take the place
        runner.warm(plugins)
        level = layers.Level(config, channel.fileno())
        zygote = Zygote(channel, level, plugins)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        gc.collect()
        gc.freeze()
        ready = {"ready": True, "layers": level.names, "missing": level.missing}
    except Exception as error:
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        ready = {"ready": False, "reason": f"{type(error).__name__}: {error}{where}"}
    message = json.dumps(ready).encode()
    channel.sendall(wire.LENGTH.pack(len(message)) + message)
    if ready["ready"]:
        zygote.serve()
