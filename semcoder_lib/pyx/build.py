"""Builds PyX: candidates in batches through `pipeline`, then duplicates, the split, the files."""

from __future__ import annotations

import atexit
import collections
import functools
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder_lib import records, scale, workspace
from semcoder_lib.pyx import guards, pipeline
from semcoder_lib.pyx.duplicates import Seen
from semcoder_lib.pyx.split import split_of
from semcoder_lib.records import Entry
from semcoder_lib.seeds import synthesiser
from semcoder_lib.seeds.packages import Candidate, Scan, packages

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

BATCH = 48
# Shares of candidates that usually make it; only how far ahead to work depends on them.
EXPECTED = {"real": 0.45, "synthesised": 0.75}


@dataclass(frozen=True, slots=True)
class Built:
    """Where the corpus is, and the counts at every stage."""

    path: Path
    funnel: dict[str, Any]
    dropped: Path


@dataclass(frozen=True, slots=True)
class Task:
    """One batch for a worker: the candidates themselves, or a range of synthesised programs."""

    name: str
    candidates: tuple[Candidate, ...]
    start: int
    stop: int
    cases: int
    seed: int
    isolation: str
    shard: str
    guard: str = ""  # the file of `decontaminate` references, or empty
    guard_key: str = ""

    def key(self) -> str:
        """What the batch's result depends on, apart from the code."""
        sources = [(c.program.id, c.program.source) for c in self.candidates]
        return workspace.content_key(
            sources, self.start, self.stop, self.cases, self.seed, self.guard_key, _code()
        )


def build(
    out: Path | str,
    *,
    real: int,
    synthesised: int,
    cases: int = 8,
    seed: int = 0,
    box: Sandbox,
    workers: int = 1,
    held_out: float = 0.1,
    benchmarks: bool = True,
    backend: str = "process",
    progress: Callable[[str], None] | None = None,
) -> Built:
    """Builds a corpus of `real` functions of installed packages and `synthesised` programs, each
    with up to `cases` cases (at least five, or `cases` if that is less), into the folder `out`.

    Writes `pyx.jsonl` (rows of `records.Entry`, real ones first), `dropped.jsonl` (every program
    that was tried and left out, with the reason) and `funnel.json`. With `benchmarks`, programs and
    cases that repeat HumanEval, MBPP or CRUXEval items are removed; the funnel says which of the
    three were found on this machine. The same arguments, data and
    versions give the same bytes whatever `workers` and `backend` are, and when an interrupted build
    is started again, which takes up finished batches from `out/shards`. With more than one worker
    each runs its own sandbox at the level of `box`. Fewer programs than asked for come out where
    the installed packages hold no more; the funnel says so. Paper sections 3.1, 3.2.
    """
    out = Path(out)
    say = progress or _to_stderr
    seen = Seen()
    funnel: dict[str, Any] = {}
    kept: list[Entry] = []
    dropped: list[dict[str, Any]] = []
    scan = Scan()
    guard, guard_key, found = guards.prepare(out, box) if benchmarks else ("", "", {})
    funnel["benchmarks"] = found
    streams: dict[str, tuple[int, Iterator[tuple[tuple[Candidate, ...], int, int]]]] = {
        "real": (real, _real_batches(seed, scan)),
        "synthesised": (synthesised, _synthesised_batches()),
    }
    for name, (target, batches) in streams.items():
        counts: collections.Counter[str] = collections.Counter()
        accepted: list[Entry] = []
        results = _results(
            name, target, batches, lambda a=accepted: len(a), out, cases, seed, box, workers,
            backend, (guard, guard_key),
        )  # fmt: skip
        for rows in results:
            for row in rows:
                if len(accepted) >= target:
                    break
                counts["candidates"] += 1
                entry = _admit(row, seen, seed, held_out)
                if isinstance(entry, Entry):
                    accepted.append(entry)
                else:
                    counts[f"dropped: {entry['reason']}"] += 1
                    dropped.append(entry)
            say(f"pyx {name}: {len(accepted)} of {target} kept, {counts['candidates']} tried")
        counts["kept"] = len(accepted)
        funnel[name] = dict(counts)
        kept.extend(accepted)
    funnel["scan"] = {
        "files": scan.files,
        "unparsable": scan.unparsable,
        "functions": scan.functions,
        **{f"left out: {why}": n for why, n in sorted(scan.dropped.items())},
    }
    funnel["total"] = _totals(kept)
    path = out / "pyx.jsonl"
    workspace.write_jsonl(path, (records.to_row(e) for e in kept))
    workspace.write_jsonl(out / "dropped.jsonl", dropped)
    workspace.write_json(out / "funnel.json", funnel)
    return Built(path, funnel, out / "dropped.jsonl")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


def _totals(kept: list[Entry]) -> dict[str, Any]:
    count = max(1, len(kept))
    return {
        "programs": len(kept),
        "cases": sum(len(e.cases) for e in kept),
        "held_out": sum(e.program.split == "held_out" for e in kept),
        "line_coverage": round(sum(e.line_coverage for e in kept) / count, 4),
        "branch_coverage": round(sum(e.branch_coverage for e in kept) / count, 4),
    }


def _real_batches(seed: int, scan: Scan) -> Iterator[tuple[tuple[Candidate, ...], int, int]]:
    known: set[str] = set()

    def fresh() -> Iterator[Candidate]:
        for candidate in packages(seed=seed, scan=scan):
            named = pipeline.identified(candidate)
            if named.program.id not in known:
                known.add(named.program.id)
                yield named

    source = fresh()
    while batch := tuple(itertools.islice(source, BATCH)):
        yield batch, 0, 0


def _synthesised_batches() -> Iterator[tuple[tuple[Candidate, ...], int, int]]:
    for start in itertools.count(0, BATCH):
        yield (), start, start + BATCH


def _results(
    name: str,
    target: int,
    batches: Iterator[tuple[tuple[Candidate, ...], int, int]],
    reached: Callable[[], int],
    out: Path,
    cases: int,
    seed: int,
    box: Sandbox,
    workers: int,
    backend: str,
    guard: tuple[str, str],
) -> Iterator[list[dict[str, Any]]]:
    """Rows of one batch after the other, only as far ahead as the target seems to need, so that
    little work is thrown away."""
    number = itertools.count()
    level = box.level
    tried = 0
    while (missing := target - reached()) > 0:
        rate = max(0.1, reached() / tried) if tried > 4 * BATCH else EXPECTED[name]
        ahead = max(1, math.ceil(missing / rate / BATCH))
        tasks = []
        for candidates, start, stop in itertools.islice(batches, ahead):
            label = f"{name}-{next(number):05d}"
            shard = str(out / "shards" / f"{label}.jsonl")
            tasks.append(Task(label, candidates, start, stop, cases, seed, level, shard, *guard))
        if not tasks:
            return
        tried += BATCH * len(tasks)
        if workers <= 1 and backend == "process":
            yield from (run_task(task, box) for task in tasks)
        else:
            yield from scale.mapped(run_task, tasks, workers=workers, chunk=1, backend=backend)


@functools.cache
def _code() -> str:
    """A batch is not taken up after the code that made it changed."""
    return workspace.code_hash("pyx", "seeds", "records", "values")


def run_task(task: Task, box: Sandbox | None = None) -> list[dict[str, Any]]:
    """A batch's rows: from its shard if that is there and fits, else made and stored."""
    path = Path(task.shard)
    key = task.key()
    if path.exists():
        rows = list(workspace.read_jsonl(path))
        if rows and rows[0].get("key") == key:
            return rows[1:]
    made = pipeline.process(
        task.candidates or tuple(synthesiser.programs(task.seed, task.start, task.stop)),
        box or _own_box(task.isolation),
        cases=task.cases,
        seed=task.seed,
        guard=guards.load(task.guard) if task.guard else None,
    )
    rows = [m.to_row() for m in made]
    workspace.write_jsonl(path, [{"key": key}, *rows])
    return rows


_boxes: dict[str, Sandbox] = {}


def _own_box(isolation: str) -> Sandbox:
    """This worker process's sandbox."""
    from semcoder_lib.sandbox import Limits, Sandbox

    if isolation not in _boxes:
        _boxes[isolation] = Sandbox(isolation, Limits(), workers=1)
        atexit.register(_boxes[isolation].close)
    return _boxes[isolation]


def _admit(row: dict[str, Any], seen: Seen, seed: int, held_out: float) -> Entry | dict[str, Any]:
    if "entry" not in row:
        return _dropped(row["reason"], row["program"], row["detail"])
    program = row["entry"]["program"]
    why = seen.reason(row["exact"], row["minhash"], program["source"], row["behaviour"])
    if why:
        return _dropped(why, program)
    entry = records.from_row(Entry, row["entry"])
    split = split_of(entry.program.family, seed=seed, held_out=held_out)
    return replace(entry, program=replace(entry.program, split=split))


def _dropped(reason: str, program: dict[str, Any], detail: str = "") -> dict[str, Any]:
    return {
        "id": program["id"],
        "reason": reason,
        "detail": detail,
        "entry_point": program["entry_point"],
        "source": program["source"],
        "provenance": program["provenance"],
    }
