"""One child, as its zygote sees it: fork, wait, judge its time, collect what it wrote."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import layers, runner

_monotonic = time.monotonic
_FLUSH_MS = 5
_COUNT_MS = 10  # between two looks at the number of threads
_PAUSES = (0.01, 0.1, 0.5, 0.0)  # where the machine is out of processes for a moment
Request = tuple[Any, ...]


class ParentGone(Exception):
    """The parent closed its end while a child ran."""


class Children:
    """Runs one child after another. `flush` is called when a child takes its time, so that
    finished replies do not wait for it."""

    def __init__(
        self,
        level: layers.Level,
        plugins: dict[str, Any],
        channel_fd: int,
        flush: Callable[[], None],
    ) -> None:
        self.level = level
        self.plugins = plugins
        self.channel_fd = channel_fd
        self.flush = flush

    def run(self, request: Request, first: int, more: bool) -> list[bytes]:
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
            return _message(number, more, (wire.ENDED_BROKEN, 0, None), 0.0, reason, b"")
        if pid == 0:
            try:
                if not any(function(*arguments) for function, arguments in calls):
                    os.closerange(4, 1 << 20)
                    runner.run(request, first, self.plugins)
            finally:
                os._exit(70)
        ended = self._until_gone(pid, limits, start, later)
        wall = _monotonic() - start
        self.level.after_child(pid)
        output = _read(1, limits["output_bytes"] + 1)
        results = _read(3, limits["result_bytes"] + 4096)
        return _message(number, more, ended, wall, results, output)

    def _until_gone(
        self, pid: int, limits: dict[str, Any], start: float, later: int
    ) -> tuple[int, int, Any]:
        """(how it ended, exit status or signal, resource usage). Processor time is read from the
        kernel's account of the child, wall time from our clock: nothing inside can stop either."""
        how = wire.ENDED_LOST
        try:
            how = self._watch(pid, limits, start, later)
        except Exception as error:
            if isinstance(error, ParentGone | ConnectionError):
                raise
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
        cpu_limit = limits["cpu_seconds"] * (1 + limits["grace"])
        wall_limit = limits["wall_seconds"]
        clock = (~pid << 3) | 2  # another process's processor clock, see clock_getcpuclockid(3)
        call_cpu, call_wall = 0.0, start
        handle = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.register(self.channel_fd, 0)  # only hang-up
            patience = _FLUSH_MS
            while not (events := poller.poll(patience)):
                self.flush()
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
                if not self.level.counts_threads:
                    if _threads(pid) > limits["threads"] + 2:
                        return wire.ENDED_THREADS
                    patience = min(patience, _COUNT_MS)
            if all(fd != handle for fd, _ in events):
                raise ParentGone
            return wire.ENDED_EXIT
        finally:
            os.close(handle)


def _message(
    number: int, more: bool, ended: tuple[int, int, Any], wall: float, results: bytes, output: bytes
) -> list[bytes]:
    how, value, usage = ended
    cpu, peak = (usage.ru_utime + usage.ru_stime, usage.ru_maxrss) if usage else (0.0, 0)
    size = wire.NONCE_BYTES + len(results)
    header = wire.RUN.pack(number, more, how, value, cpu, wall, peak, size, len(output))
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
    files = [os.open("/dev/null", os.O_RDWR), *map(os.memfd_create, ("output", "results"))]
    for file, places in zip(files, ((0, 2), (1,), (3,)), strict=True):
        for place in places:
            os.dup2(file, place)
        os.close(file)
    if stdin:
        data = memoryview(stdin.encode("utf-8", "surrogatepass"))
        file = os.memfd_create("input")
        while data:
            data = data[os.write(file, data) :]
        os.lseek(file, 0, 0)
        os.dup2(file, 0)
        os.close(file)


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
