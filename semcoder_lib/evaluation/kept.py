"""Preflights of slow benchmarks, kept between commands.

The references of MBPP+ take more than a minute; running them before every score would double its
time and tell nothing new. A stored report is used only where the tasks, the source of every room
that takes part, the Python version, the machine's name for its processor and the isolation layers
are all the same, and only if it passed.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib.core.workspace import code_hash, content_key, home, read_json, write_json
from semcoder_lib.evaluation.base import Benchmark, Task
from semcoder_lib.evaluation.calls import Ledger
from semcoder_lib.evaluation.scoring import Preflight

_ROOMS = ("evaluation", "sandbox", "core")


def checked(
    benchmark: Benchmark,
    tasks: Sequence[Task],
    scorer: str,
    box: Any,
    ledger: Ledger,
    folder: Path | None = None,
) -> Preflight:
    """The preflight's report, stored or new."""
    if not benchmark.keeps_preflight:
        return benchmark.check(tasks, scorer=scorer, box=box, ledger=ledger)
    base = folder if folder is not None else home() / "preflight"
    path = base / f"{_key(benchmark, tasks, scorer, box)}.json"
    if path.is_file():
        row = dict(read_json(path))
        row.pop("passed")
        print("preflight: stored report of the same data, code and machine", file=sys.stderr)
        return Preflight(**{**row, "failures": tuple(row["failures"])})
    report = benchmark.check(tasks, scorer=scorer, box=box, ledger=ledger)
    if report.passed:
        write_json(path, report.row())
    return report


def _key(benchmark: Benchmark, tasks: Sequence[Task], scorer: str, box: Any) -> str:
    content = [content_key(task.task_id, repr(sorted(task.data.items()))) for task in tasks]
    machine = [sys.version, platform.machine(), platform.processor(), platform.node()]
    return content_key(
        benchmark.name, scorer, content, code_hash(*_ROOMS), machine, list(box.layers)
    )
