from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semcoder_lib.core import scale


def square(x: int) -> tuple[int, int]:
    return x * x, os.getpid()


def fails(x: int) -> int:
    raise ValueError(f"item {x}")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    with scale.workers(workers) as mapped:
        results = [*mapped(square, range(50), chunk=7), *mapped(square, range(50, 100))]
    assert [result for result, _ in results] == [x * x for x in range(100)]
    processes = {process for _, process in results}
    assert processes == {os.getpid()} if workers == 1 else os.getpid() not in processes
    assert len(processes) <= workers, "they stay"


def test_workers_do_not_run_the_script_that_starts_them(tmp_path: Path) -> None:
    """A notebook's master is one: `python notebooks/01_pyx.py`."""
    code = "from semcoder_lib.core import scale\nprint('once')\nwith scale.workers(2) as mapped:\n"
    script = tmp_path / "script.py"
    script.write_text(f"{code}    print(*mapped(abs, [-1, -2, -3], chunk=1))\nprint(__file__)\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout == f"once\n1 2 3\n{script}\n", done.stderr


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    with pytest.raises(ValueError, match="item 0"), scale.workers(2) as mapped:
        list(mapped(fails, range(3)))
