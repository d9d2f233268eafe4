from __future__ import annotations

import os

import pytest

from semcoder_lib.core import scale


def square(x: int) -> tuple[int, int]:
    return x * x, os.getpid()


def fails(x: int) -> int:
    raise ValueError(f"item {x}")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    results = list(scale.mapped(square, range(100), workers=workers, chunk=7))
    assert [result for result, _ in results] == [x * x for x in range(100)]
    assert all((process == os.getpid()) == (workers == 1) for _, process in results)


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="item 0"):
        list(scale.mapped(fails, range(3), workers=2))


def test_there_is_always_a_free_core() -> None:
    assert 1 <= scale.free_cores() <= (os.cpu_count() or 1)
