"""What this machine is good for: device, number format, threads."""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from dataclasses import dataclass

from semcoder_lib.core import scale
from semcoder_lib.core.errors import UserError

DTYPES = ("auto", "float32", "bfloat16", "float16")
_LOOK_EVERY = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Hardware:
    """`dtype` is the fastest format with exact enough arithmetic; `threads` the CPU threads."""

    device: str
    dtype: str
    threads: int
    instructions: str


def cores() -> int:
    """The cores this process may use: affinity, container quota and `OMP_NUM_THREADS`, whichever
    is least."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(scale.cores(), int(asked)) if asked.isdigit() and int(asked) else scale.cores()


def free_cores(seconds: float = 0.3) -> int:
    """`scale.free_cores`; where `OMP_NUM_THREADS` states a number, `cores()`. A thread that waits
    for another's core costs more than it gives: two threads on two busy cores were measured to be
    half as fast as one."""
    return cores() if os.environ.get("OMP_NUM_THREADS") else scale.free_cores(seconds)


def probe(*, dtype: str = "auto", threads: int | None = None) -> Hardware:
    """The device (CUDA where there is one), the format and the threads.

    On a CPU bf16 is taken only where AMX or AVX512-BF16 exist; elsewhere it is emulated and more
    than 100 times slower than fp32. Raises UserError for an unknown `dtype`.
    """
    import torch

    if dtype not in DTYPES:
        raise UserError(f"dtype {dtype!r}: choose from {', '.join(DTYPES)}")
    count = threads or free_cores()
    if torch.cuda.is_available():
        native = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        device, shown = "cuda", torch.cuda.get_device_name(0)
    else:
        amx = torch.cpu._is_amx_tile_supported()
        bf16 = amx or torch.cpu._is_avx512_bf16_supported()
        device, native = "cpu", "bfloat16" if bf16 else "float32"
        shown = torch.backends.cpu.get_cpu_capability()
        shown += " AMX" if amx else " BF16" if bf16 else ""
    return Hardware(device, native if dtype == "auto" else dtype, count, shown)


class Threads:
    """torch's CPU threads during a training or a generation: a stated number stays; otherwise it
    begins with `count` and follows the cores that are free, so that a busy moment at the start
    does not slow down what runs for hours."""

    def __init__(self, count: int, *, stated: bool) -> None:
        import torch

        self._stated = stated or bool(os.environ.get("OMP_NUM_THREADS"))
        torch.set_num_threads(count)
        _keep_memory()
        self.restart()

    def restart(self) -> None:
        """What was computed until now says nothing of what follows."""
        self._before = self._now()

    def look(self) -> None:
        """Choose anew, at most every few seconds; a look costs microseconds. What this process
        computed on and what was idle since the last one is what it can have."""
        if self._stated or time.perf_counter() - self._before[0] < _LOOK_EVERY:
            return
        import torch

        now = self._now()
        seconds, own, idle = (b - a for a, b in zip(self._before, now, strict=True))
        self._before = now
        count = max(1, min(cores(), round((own + idle) / seconds)))
        if count != torch.get_num_threads():
            torch.set_num_threads(count)

    @staticmethod
    def _now() -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), scale.idle_seconds()


def give_back() -> None:
    """Return freed memory to the system, of which kept pieces of ever other sizes pile up."""
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _keep_memory() -> None:
    """Keep freed memory for reuse instead of giving it back after every large tensor."""
    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError):  # not glibc; only speed is lost
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
