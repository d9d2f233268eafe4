"""One child, as its zygote sees it: fork, wait, judge its time, collect what it wrote."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from semcoder_lib.sandbox import wire
from semcoder_lib.sandbox.child import runner

_monotonic = time.monotonic
_FLUSH_MS = 5
Request = tuple[Any, ...]


def _address_space_kb() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * (resource.getpagesize() >> 10)
    except (OSError, ValueError, IndexError):
        return 64 << 10


_BASE_KB = _address_space_kb()  # read before the view hides /proc


class ParentGone(Exception):
    """The parent closed its end while a child ran."""


class Children:
    """Runs one child after another. `flush` is called when a child takes its time, so that
    finished replies do not wait for it."""

    def __init__(
        self, level: Any, plugins: dict[str, Any], channel_fd: int, flush: Callable[[], None]
    ) -> None:
        self.level = level
        self.plugins = plugins
        self.flush = flush
        self.limits: Any = None  # those of the last request, inherited by the next child
        self.waiting = Waiting(level, channel_fd)

    def run(self, request: Request, first: int) -> list[bytes]:
        """Run the calls of `request` from `first` on in one child: all of them if it is shared,
        else one. Returns a run of the reply, as byte strings."""
        limits = request[4]
        later = len(request[3]) - 1 if request[5] else 0
        try:
            if limits != self.limits:
                self._inherit(limits)
            _open_files(request[9])
            self.level.before_fork()
            start = _monotonic()
            pid = _fork()
        except OSError as error:
            reason = f"{error.filename or ''} {error.strerror}".encode()
            return [_header(wire.ENDED_BROKEN, 0, 0.0, 0.0, 0, first, 8 + len(reason), 0),
                    bytes(8), reason]  # fmt: skip
        if pid == 0:
            try:
                self._become(limits)
                runner.run(request, first, self.plugins)
            finally:
                os._exit(70)
        how, value, usage = self.waiting.until_gone(pid, limits, start, later, self.flush)
        wall = _monotonic() - start
        self.level.after_child(pid)
        size = os.fstat(1).st_size
        output = os.pread(1, min(size, limits["output_bytes"] + 1), 0)
        size = os.fstat(3).st_size
        results = os.pread(3, min(size, limits["result_bytes"] + 4096), 0)
        cpu = usage.ru_utime + usage.ru_stime
        header = _header(
            how, value, cpu, wall, usage.ru_maxrss, first, 8 + len(results), len(output)
        )
        return [header, runner.nonce, results, output]

    def _inherit(self, limits: dict[str, Any]) -> None:
        """Set limits here, once, for all children with the same: cheaper than in each. Children
        cannot raise them again, since the filter refuses any change."""
        size = max(limits["output_bytes"], limits["result_bytes"]) + 4096
        space = (_BASE_KB << 10) + (limits["memory_mb"] << 20)
        self._in_child = []
        wanted = [
            (resource.RLIMIT_AS, space),
            (resource.RLIMIT_FSIZE, size),
            (resource.RLIMIT_NOFILE, max(limits["open_files"], 16)),
        ]
        if self.level.own_user:  # else it would count processes of others
            wanted.append((resource.RLIMIT_NPROC, limits["threads"] + 2))
        for which, value in wanted:
            if not self.level.changes_refused:
                self._in_child.append((which, value))
                continue
            ceiling = resource.getrlimit(which)[1]
            if ceiling != resource.RLIM_INFINITY:
                value = min(value, ceiling)
            resource.setrlimit(which, (value, ceiling))
        self.limits = limits

    def _become(self, limits: dict[str, Any]) -> None:
        """In the child: descriptors, limits, rights."""
        os.closerange(4, 1 << 20)
        for which, value in self._in_child:
            resource.setrlimit(which, (value, value))
        self.level.in_child(limits)


class Waiting:
    """Waits for a child and ends it when its time is up. Processor time is read from the child's
    clock by the kernel's account, wall time from ours: nothing inside can stop either."""

    def __init__(self, level: Any, channel_fd: int) -> None:
        self.level = level
        self.channel_fd = channel_fd

    def until_gone(
        self,
        pid: int,
        limits: dict[str, Any],
        start: float,
        later: int,
        flush: Callable[[], None],
    ) -> tuple[int, int, Any]:
        """(how it ended, exit status or signal, resource usage)."""
        cpu_limit = limits["cpu_seconds"] * (1 + limits["grace"])
        wall_limit = limits["wall_seconds"]
        how = wire.ENDED_EXIT
        handle = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.register(self.channel_fd, 0)  # only hang-up
            events = poller.poll(_FLUSH_MS)
            if not events:
                flush()
                how = self._watch(poller, handle, pid, cpu_limit, wall_limit, start, later)
            elif all(fd != handle for fd, _ in events):
                raise ParentGone
        except ParentGone:
            self.level.kill(pid)
            raise
        finally:
            os.close(handle)
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

    def _watch(
        self,
        poller: select.poll,
        handle: int,
        pid: int,
        cpu_limit: float,
        wall_limit: float,
        start: float,
        later: int,
    ) -> int:
        clock = (~pid << 3) | 2  # another process's processor clock, see clock_getcpuclockid(3)
        call_cpu, call_wall = 0.0, start
        while True:
            now, cpu = _monotonic(), time.clock_gettime(clock)
            if later:
                begun = _begun()
                if begun is not None and begun[1] > call_wall:  # a later call's own limits
                    call_cpu, call_wall = min(begun[0], cpu), min(begun[1], now)
                    later -= 1
            cpu_left = cpu_limit - (cpu - call_cpu)
            wall_left = wall_limit - (now - call_wall)
            if cpu_left <= 0:
                return wire.ENDED_CPU
            if wall_left <= 0:
                return wire.ENDED_WALL
            events = poller.poll(max(2, int(min(cpu_left, wall_left) * 1000) + 1))
            if any(fd == handle for fd, _ in events):
                return wire.ENDED_EXIT
            if events:
                raise ParentGone


def _begun() -> tuple[float, float] | None:
    """When the call that a shared child is in began, by its own word: (cpu, monotonic). A lie
    buys it no more than the limit of each later call, since those are counted."""
    size = os.fstat(3).st_size
    need = wire.RECORD.size + wire.CLOCKS.size
    last = os.pread(3, need, max(0, size - need))
    if len(last) == need and last[:1] == wire.BEGUN:
        cpu, wall = wire.CLOCKS.unpack_from(last, wire.RECORD.size)
        return cpu, wall
    return None


def _open_files(stdin: str) -> None:
    """Fresh files in memory where the child expects them: 1 its output, 3 its results. They need
    no reader and take no disk, and a flood ends at the file-size limit."""
    for place, name in ((1, "output"), (3, "results")):
        made = os.memfd_create(name)
        os.dup2(made, place)
        os.close(made)
    if stdin:
        made = os.memfd_create("input")
        os.write(made, stdin.encode("utf-8", "surrogatepass"))
        os.lseek(made, 0, 0)
        os.dup2(made, 0)
        os.close(made)
    else:
        os.dup2(2, 0)  # 2 is /dev/null


def _fork() -> int:
    for pause in (0.01, 0.1, 0.5, 0.0):
        try:
            return os.fork()
        except BlockingIOError:  # the machine is out of processes for a moment
            if not pause:
                raise
            time.sleep(pause)
    raise AssertionError


_header = wire.RUN.pack
