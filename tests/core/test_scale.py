from __future__ import annotations

import os

import pytest

from semcoder_lib.core import scale


def square(x: int) -> int:
    return x * x


def process(_: int) -> int:
    return os.getpid()


def fails(x: int) -> int:
    raise ValueError(f"item {x}")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    with scale.workers(workers) as mapped:
        assert list(mapped(square, range(100), chunk=7)) == [x * x for x in range(100)]


def test_two_workers_are_other_processes_that_stay() -> None:
    with scale.workers(2) as mapped:
        processes = {*mapped(process, range(8), chunk=1), *mapped(process, range(8), chunk=1)}
    assert os.getpid() not in processes
    assert len(processes) <= 2


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="item 0"), scale.workers(2) as mapped:
        list(mapped(fails, range(3)))


def test_there_is_always_a_free_core() -> None:
    assert 1 <= scale.free_cores() <= (os.cpu_count() or 1)
