"""What a program returns, begins or starts costs its parent and its neighbours a bounded amount.

Single forged records are in `attacks/records.txt`; here is what takes several calls or sandboxes.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks.arena import at_level

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox

GOOD = Job("def f(x): return x * 2", "f", [(21,)])


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    limits = Limits(cpu_seconds=0.3, wall_seconds=5.0, memory_mb=256, grace=0.0)
    with at_level(request.param, limits, workers=1, dedupe=False) as box:
        yield box


def beside_good_ones(box: Sandbox, job: Job) -> list[Status]:
    """The statuses of a job's calls, run between five good ones in the same zygote."""
    zygote = box._workers[0].host
    start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    before, found, *after = box.map([GOOD, job, *[GOOD] * 4])
    assert [o.value for (o,) in (before, *after)] == [42] * 5
    assert box._workers[0].host is zygote  # nothing was lost
    assert time.process_time() - start < 12.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 300_000
    return [o.status for o in found]


BEGAN = """
import os, struct, time
nan, inf = float('nan'), float('inf')
def f(x):
    if x == 1:
        os.write(3, struct.pack('<cI', b'B', 16) + struct.pack('<dd', @))
        while True: pass
    return x
"""


@pytest.mark.parametrize(
    "clocks",
    ["nan, time.monotonic()", "0.0, nan", "nan, inf", "inf, inf", "-inf, -inf", "1e308, 1e308"],
)
def test_the_clocks_of_a_call_are_claims(box: Sandbox, clocks: str) -> None:
    job = Job(BEGAN.replace("@", clocks), "f", [(0,), (1,), (2,)], share=True)
    start = time.monotonic()
    assert beside_good_ones(box, job) == [Status.OK, Status.TIMEOUT, Status.OK]
    assert time.monotonic() - start < 30.0


def test_forged_beginnings_buy_no_more_than_each_later_call_may_have(box: Sandbox) -> None:
    source = BEGAN.replace("while True: pass", "f(1)")
    source = source.replace("@", "time.process_time(), time.monotonic()")
    source = source.replace("os.write", "time.sleep(0.01); os.write")
    job = Job(source, "f", [(1,)] * 3, share=True, give_up=1)
    assert Status.OK not in beside_good_ones(box, job)


@pytest.mark.parametrize(
    ("body", "calls", "share", "status"),
    [
        ("return 'x' * 1_900_000", 60, False, Status.OUTPUT_LIMIT),
        ("return 'x' * 1_900_000", 60, True, Status.OUTPUT_LIMIT),
        ("print('y' * 990_000)", 150, False, Status.OUTPUT_LIMIT),
        ("return [[] for _ in range(99_000)]", 12, False, Status.UNSERIALIZABLE),
        ("return {n: n for n in range(45_000)}", 12, False, Status.UNSERIALIZABLE),
    ],
)
def test_what_a_job_may_return_and_print_is_bounded_and_the_zygote_lives(
    box: Sandbox, body: str, calls: int, share: bool, status: Status
) -> None:
    limits = box.limits.but(cpu_seconds=3.0)
    job = Job(f"def f(x): {body}", "f", [(n,) for n in range(calls)], limits, share=share)
    statuses = beside_good_ones(box, job)
    assert statuses == sorted(statuses, key=[Status.OK, status].index)
    assert set(statuses) == {Status.OK, status}


PLUGIN = """
def call(function, arguments, options, emit):
    emit('z' * 15_000_000)
    return function(*arguments)
"""


def test_large_payloads_do_not_end_the_zygote(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bounds_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    limits = Limits(memory_mb=64, payload_bytes=16_000_000, cpu_seconds=3.0)
    calls = [(n,) for n in range(12)]
    job = Job("def f(x): return x", "f", calls, limits, "bounds_plugin", share=False)
    next(box.map([Job("def f(x): return x", "f", plugin="bounds_plugin")]))  # its zygote
    assert set(beside_good_ones(box, job)) == {Status.OK, Status.OUTPUT_LIMIT}


@pytest.mark.parametrize(
    ("size", "limits"),
    [(17_000_000, {}), (2_000_000, {"output_bytes": 1_000, "result_bytes": 100_000}), (1, {})],
)
def test_standard_input_is_whole(box: Sandbox, size: int, limits: dict[str, int]) -> None:
    source = "import sys\ndef f(x): return len(sys.stdin.buffer.read())"
    ((outcome,),) = box.map([Job(source, "f", [(1,)], Limits(**limits), stdin="x" * size)])
    assert outcome.value == size


HOG = """
import threading, time
def f(small):
    if small:
        threading.stack_size(32 * 1024)
    count = 0
    try:
        while count < 4_000:
            threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    time.sleep(1.5)
    return count
"""
THREADED = """
import threading
def f(n):
    seen = []
    threads = [threading.Thread(target=seen.append, args=(i,)) for i in range(n)]
    for t in threads: t.start()
    for t in threads: t.join()
    return sorted(seen)
"""


@pytest.mark.parametrize("small", [False, True])
def test_one_sandbox_cannot_use_up_the_threads_of_another(box: Sandbox, small: bool) -> None:
    limits = Limits(cpu_seconds=3.0, wall_seconds=8.0, memory_mb=2048)
    hogs = []
    with Sandbox(box.level, limits, workers=1) as other:
        assert other.layers
        hog = threading.Thread(target=lambda: hogs.append(other.call(HOG, "f", (small,))))
        hog.start()
        time.sleep(0.5)
        outcome = box.call(THREADED, "f", (16,), limits=limits)
        hog.join()
    assert outcome.value == list(range(16))
    assert hogs[0].status in (Status.OK, Status.MEMORY)
    assert hogs[0].value is None or hogs[0].value <= limits.threads + 2
