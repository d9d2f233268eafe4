"""Expected values of HumanEval+ and MBPP+: what the reference solutions return, computed once in
the sandbox and kept.

The cache holds texts (long ones as a hash only: the two largest tasks return 237 MB), keyed by the
task's own content, the Python version and this file's version, so a changed task is computed anew.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Status
from semcoder_lib.core.workspace import content_key, home, write_bytes
from semcoder_lib.evaluation.base import Task

VERSION = 1
OPAQUE = "?"  # what `child` says of a value without exact text
PLUGIN = "semcoder_lib.evaluation.child"
OPTIONS = {"long": 4_096, "nodes": 5_000_000, "bytes": 50_000_000}
# the reference solutions may take long on a slow machine; what they take sets everyone's limit
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Expected:
    """The values of one set of inputs of a task, as texts (or `#` and a hash, where long), and the
    processor seconds of the slowest call."""

    texts: tuple[str, ...]
    slowest: float


def reference(task: Task) -> str:
    """The task's reference program."""
    return f"{task.data['prompt']}{task.data['canonical_solution']}"


def expected(
    tasks: Sequence[Task], which: str, box: Any, folder: Path | None = None
) -> dict[str, Expected]:
    """Expected values of `which` inputs ("base_input", "plus_input") by task id. Raises
    InfrastructureError when a reference solution does not return a value."""
    base = folder if folder is not None else home() / "truth"
    found: dict[str, Expected] = {}
    missing = {}
    for task in tasks:
        path = base / f"{_key(task, which)}.json.gz"
        row = _read(path)
        if row is None:
            missing[task.task_id] = (task, path)
        else:
            found[task.task_id] = row
    for name, row in _computed([task for task, _ in missing.values()], which, box):
        found[name] = row
        data = {"texts": row.texts, "slowest": row.slowest}
        write_bytes(missing[name][1], gzip.compress(json.dumps(data).encode(), 4, mtime=0))
    return found


def _key(task: Task, which: str) -> str:
    # inputs are hashed as the release has them, before shapes are restored
    version = ".".join(map(str, sys.version_info[:3]))
    return content_key(
        VERSION, version, task.task_id, which, reference(task), repr(task.data[which])
    )


def _read(path: Path) -> Expected | None:
    try:
        data = json.loads(gzip.decompress(path.read_bytes()))
        return Expected(tuple(data["texts"]), data["slowest"])
    except (OSError, EOFError, ValueError, KeyError, TypeError):  # absent or damaged: make it anew
        return None


def _computed(tasks: Sequence[Task], which: str, box: Any) -> Iterator[tuple[str, Expected]]:
    jobs = [job(reference(task), task, task.data[which], SECONDS) for task in tasks]
    for task, outcomes in zip(tasks, box.map(jobs), strict=True):
        for number, outcome in enumerate(outcomes):
            if outcome.status is not Status.OK:
                raise InfrastructureError(
                    f"{task.task_id}: the reference solution fails on {which} {number}: "
                    f"{outcome.status}{f' ({outcome.exception.type})' if outcome.exception else ''}"
                )
        slowest = max((o.cpu_seconds for o in outcomes), default=0.0)
        yield task.task_id, Expected(tuple(o.value for o in outcomes), round(slowest, 3))


def whole(source: str, task: Task, arguments: tuple[Any, ...], seconds: float, box: Any) -> Any:
    """The outcome of one call with the whole text of its value, however long."""
    options = {**OPTIONS, "long": 0}
    return next(box.map([job(source, task, [arguments], seconds, options)]))[0]


def job(
    source: str,
    task: Task,
    calls: Sequence[tuple[Any, ...]],
    seconds: float,
    options: dict[str, Any] = OPTIONS,
) -> Any:
    """One process that makes all calls on one loaded module, as EvalPlus does;
    what it says of each call is a text (see `child`). After a timeout or crash the remaining
    calls are not made. EvalPlus allows 4 GB."""
    from semcoder_lib.sandbox import Job, Limits

    return Job(
        source,
        task.data["entry_point"],
        calls=calls,
        limits=Limits(
            cpu_seconds=seconds,
            wall_seconds=4 * seconds + 10,
            memory_mb=4096,
            result_bytes=64_000_000,
            value_bytes=60_000_000,
        ),
        plugin=PLUGIN,
        options=options,
        share=True,
        reload=False,
        give_up=1,
    )
