"""Hundreds of programs in a row, thousands with SEMCODER_SOAK=20000: nothing leaks, no verdict
flips."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import psutil

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox

COUNT = int(os.environ.get("SEMCODER_SOAK", "600"))
LIMITS = Limits(cpu_seconds=0.5, wall_seconds=20.0, memory_mb=256, output_bytes=100_000)
TAME = [
    ("def f(x): return x * 2", Status.OK, lambda x: x * 2),
    ("def f(x): return [x] * 50", Status.OK, lambda x: [x] * 50),
    ("def f(x): return {}[x]", Status.EXCEPTION, lambda x: None),
    ("import re\ndef f(x): return re.sub('a', 'b', 'banana')", Status.OK, lambda x: "bbnbnb"),
]
WILD = [
    ("import os\ndef f(x): os._exit(0)", Status.EARLY_EXIT),
    ("def f(x): return 'a' * 10**10", Status.MEMORY),
    ("import ctypes\ndef f(x): ctypes.string_at(0)", Status.CRASHED),
    ("def f(x):\n    while True: print('x' * 9999)", Status.OUTPUT_LIMIT),
    ("import os\ndef f(x): os.fork()", Status.EXCEPTION),
    ("def f(x): return open('/etc/passwd').read()", Status.EXCEPTION),
    ("def f(x): return f", Status.UNSERIALIZABLE),
    ("def f(", Status.LOAD_ERROR),
]
LOOP = ("def f(x):\n    while True: pass", Status.TIMEOUT)


def work(count: int) -> Iterator[tuple[Job, Status, Any]]:
    """One in fifty hostile, one in ten of these into its time limit; with what a quiet run says."""
    chance = random.Random("soak")
    for number in range(count):
        value = None
        if number % 500 == 499:
            source, status = LOOP
        elif number % 50 == 49:
            source, status = chance.choice(WILD)
        else:
            source, status, expected = chance.choice(TAME)
            value = expected(number)
        yield Job(source, "f", [(number,)]), status, value


def test_many_programs() -> None:
    with Sandbox(limits=LIMITS, workers=1, dedupe=False) as box:
        assert box.call("def f(x): return x", "f", (1,)).value == 1
        host = box._workers[0].host
        keeper = psutil.Process(host.process.pid)
        running = [psutil.Process(), keeper, *keeper.children()]
        before = [process.num_fds() for process in running]
        warm: list[int] = []
        ran = box.map(job for job, _, _ in work(COUNT))
        pairs = zip(ran, work(COUNT), strict=True)
        for number, ((outcome,), (_, status, value)) in enumerate(pairs):
            assert (outcome.status, outcome.value) == (status, value), (number, outcome)
            if number == COUNT // 4:
                warm = [process.memory_info().rss for process in running]
        assert box._workers[0].host is host  # no zygote was lost
        for process, files, memory in zip(running, before, warm, strict=True):
            assert process.num_fds() <= files + 1
            assert process.memory_info().rss < memory + 6_000_000
        assert running[-1].children() == []
