"""What this machine is good for: device, number format, threads."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass
from typing import Any

from semcoder_lib.core import scale
from semcoder_lib.core.errors import UserError

DTYPES = ("auto", "float32", "bfloat16", "float16", "int8")


@dataclass(frozen=True, slots=True)
class Hardware:
    """`dtype` is the fastest format with exact enough arithmetic; `threads` the CPU threads."""

    device: str
    dtype: str
    threads: int
    instructions: str

    def row(self) -> dict[str, Any]:
        """For cards."""
        return asdict(self)


def cores() -> int:
    """The cores this process may use: affinity, container quota and `OMP_NUM_THREADS`, whichever
    is least."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    stated = [int(asked)] if asked.isdigit() and int(asked) > 0 else []
    return min([scale.cores(), *stated])


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
        kind = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        name = torch.cuda.get_device_name(0)
        return Hardware("cuda", kind if dtype == "auto" else dtype, count, name)
    amx = torch.cpu._is_amx_tile_supported()
    native = amx or torch.cpu._is_avx512_bf16_supported()
    extra = " AMX" if amx else " BF16" if native else ""
    kind = "bfloat16" if native else "float32"
    shown = torch.backends.cpu.get_cpu_capability() + extra
    return Hardware("cpu", kind if dtype == "auto" else dtype, count, shown)


def use_threads(count: int) -> None:
    """Set torch's CPU threads, and keep freed memory for reuse instead of giving it back to the
    system after every large tensor."""
    import torch

    torch.set_num_threads(count)
    _keep_memory()


def give_back() -> None:
    """Return freed memory to the system, of which kept pieces of ever other sizes pile up."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _keep_memory() -> None:
    import ctypes

    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError):  # not glibc; only speed is lost
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
