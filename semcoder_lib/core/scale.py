"""One function over many items: in this process, over a process pool, or over Ray.

The results come in the order of the items whatever the number of workers, so a step writes the
same bytes on a laptop and on a cluster.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from semcoder_lib.core.errors import InfrastructureError

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """The cores this process may use: affinity and container quota, whichever is less."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [count or 1]
    with contextlib.suppress(OSError, ValueError):  # of "max", too
        quota, period = map(int, Path("/sys/fs/cgroup/cpu.max").read_text().split())
        limits.append(max(1, quota // period))
    return min(limits)


def memory() -> int:
    """Bytes of memory this process may ever use: the machine's or the container's, whichever is
    less. Not what is free, so the same from one moment to the next."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits)


def free_cores(seconds: float = 0.3) -> int:
    """Those of `cores()` that nobody computes on; at least one. Looks for `seconds`, and while a
    core is taken up to five times, since what has just ended is still being cleared away. (The load
    average would count it for minutes.)"""
    free = allowed = cores()
    for _ in range(5 if allowed > 1 else 0):
        before, started = idle_seconds(), time.perf_counter()
        time.sleep(seconds)
        free = round((idle_seconds() - before) / (time.perf_counter() - started))
        if free >= allowed:
            break
    return max(1, min(allowed, free))


def idle_seconds() -> float:
    """Seconds that the machine's cores were idle, all together, since it started."""
    import psutil  # tracing, which stands on this file, needs no package

    times = psutil.cpu_times()
    return float(times.idle) + float(getattr(times, "iowait", 0.0))


@contextlib.contextmanager
def workers(count: int = 1, backend: str = "process") -> Iterator[Callable[..., Iterator[Any]]]:
    """Workers that stay while the block lasts, as a function to give them work with:
    `mapped(function, items, chunk=16)` is `function(item)` for every item, in order, lazily; at
    most `4 * count` chunks are in flight, so memory does not grow with the number of items.

    `function` must be importable (module level) for more than one worker. `backend` is "process"
    or "ray" (extra `ray`): the cluster that `RAY_ADDRESS` names, else one on this machine. An
    exception in `function` is raised by `mapped`.
    """
    if backend == "ray":
        ray = _ray(count)
        yield functools.partial(_in_order, ray.remote(_apply).remote, ray.get, 4 * count)
    elif count <= 1:
        yield lambda function, items, chunk=16: map(function, items)
    else:
        # "spawn" would import the caller's main module again; "forkserver" starts a clean process
        context = multiprocessing.get_context("forkserver")
        main = vars(sys.modules["__main__"])
        file = main.pop("__file__", None)  # where it is known, each worker runs it first
        try:
            with ProcessPoolExecutor(count, mp_context=context) as pool:
                start = lambda f, batch: pool.submit(_apply, f, batch)  # noqa: E731
                yield functools.partial(_in_order, start, Future.result, 4 * count)
        finally:
            main |= {"__file__": file} if file else {}


def _in_order(
    submit: Callable[[Callable[[T], R], list[T]], Any],
    result: Callable[[Any], list[R]],
    most: int,
    function: Callable[[T], R],
    items: Iterable[T],
    chunk: int = 16,
) -> Iterator[R]:
    iterator = iter(items)
    waiting: collections.deque[Any] = collections.deque()
    while batch := list(itertools.islice(iterator, chunk)):
        waiting.append(submit(function, batch))
        if len(waiting) >= most:
            yield from result(waiting.popleft())
    while waiting:
        yield from result(waiting.popleft())


def _apply(function: Callable[[Any], Any], batch: list[Any]) -> list[Any]:
    return [function(item) for item in batch]


def _ray(workers: int) -> Any:
    try:
        import ray
    except ImportError:
        raise InfrastructureError(
            "Ray is not installed: pip install 'semcoder-lib[ray]', or unset RAY_ADDRESS"
        ) from None
    if not ray.is_initialized():
        there = bool(os.environ.get("RAY_ADDRESS"))  # a cluster that is there has its own size
        size = {} if there else {"num_cpus": workers, "include_dashboard": False}
        ray.init(log_to_driver=False, **size)
    return ray
