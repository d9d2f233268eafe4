"""Several schedulers side by side, a few cores each, over one copy of the weights.

Writing a token multiplies a few dozen rows, too little work for a thread that must wait for the
others at every layer: on two cores two lanes of one thread wrote 1.4 times the tokens of one lane
of two threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import torch

from semcoder_lib.models.engine import Written
from semcoder_lib.models.scheduler import Job

Deliver = Callable[[str, Written], None]
ROWS = 8  # with fewer texts to a lane, reading the weights once a lane costs more than it gives


def count(jobs: int, threads: int) -> int:
    """How many lanes are worth their while for so many texts."""
    return max(1, min(threads, jobs // ROWS))


def deal(jobs: Sequence[Job], lanes: int) -> list[list[Job]]:
    """Share the jobs out, the longest first, the samples of one prompt (which is read once a
    lane) together, up to `ROWS` of them. Depends on the set of jobs alone, so that batches are
    composed alike every time."""
    samples: dict[tuple[int, ...], list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.key):
        samples.setdefault(tuple(job.ids), []).append(job)
    groups = [g[i : i + ROWS] for g in samples.values() for i in range(0, len(g), ROWS)]
    hands: list[list[Job]] = [[] for _ in range(lanes)]
    loads = [0] * lanes
    for group in sorted(groups, key=lambda g: (-sum(j.room for j in g), g[0].key)):
        least = loads.index(min(loads))
        hands[least] += group
        loads[least] += sum(job.room for job in group)
    return [hand for hand in hands if hand]


def run(
    hands: Sequence[list[Job]],
    work: Callable[[list[Job], Deliver, threading.Event], None],
    deliver: Deliver,
    *,
    threads: int,
) -> None:
    """`work(hand, deliver, ended)` for every hand at once, `threads` shared between them. The
    first exception ends the other lanes and is raised here; so does an interrupt."""
    each = max(1, threads // len(hands))
    lock, ended = threading.Lock(), threading.Event()
    failed = False

    def one_at_a_time(key: str, written: Written) -> None:
        nonlocal failed
        with lock:
            if failed:  # a lane that is just done with a text does not deliver it after the end
                return
            try:
                deliver(key, written)
            except BaseException:
                failed = True
                ended.set()
                raise

    def lane(hand: list[Job]) -> None:
        torch.set_num_threads(each)  # of this thread
        work(hand, one_at_a_time, ended)

    try:
        with ThreadPoolExecutor(len(hands), "generation") as pool:
            futures = [pool.submit(lane, hand) for hand in hands]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                ended.set()
            for future in futures:
                future.result()
    finally:
        torch.set_num_threads(threads)  # what later threads begin with
