"""Builds PyX: candidates in batches through `pipeline`, then duplicates, the split, the files."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import records, scale, values, workspace
from semcoder_lib.core.records import Entry
from semcoder_lib.corpus import guards, pipeline, quality
from semcoder_lib.corpus.duplicates import Seen
from semcoder_lib.corpus.seeds import synthesiser
from semcoder_lib.corpus.seeds.packages import Candidate, Scan, packages
from semcoder_lib.corpus.split import split_of

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

BATCH = 48
SECONDS_BETWEEN = 10.0  # lines of progress
# Shares of candidates that usually make it; only how far ahead to work depends on them.
EXPECTED = {"teacher": 1.0, "real": 0.45, "synthesised": 0.75}


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
        sources = [
            (c.program.id, c.program.source, *map(values.encode, _taught_calls(c)))
            for c in self.candidates
        ]
        return workspace.content_key(
            sources, self.start, self.stop, self.cases, self.seed, self.guard_key, _code()
        )


def _taught_calls(candidate: Candidate) -> tuple[tuple[Any, ...], ...]:
    """Calls that do not follow from the source: a teacher gave them."""
    return candidate.signature.examples if candidate.program.origin == "teacher" else ()


def build(
    out: Path | str,
    *,
    real: int,
    synthesised: int,
    taught: Sequence[Candidate] = (),
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
    `taught` are candidates that a teacher wrote; all of them are tried.

    Writes `pyx.jsonl` (rows of `records.Entry`; taught ones first, then real ones), `dropped.jsonl`
    (every program that was tried and left out, with the reason) and `funnel.json`. With
    `benchmarks`, programs and cases that repeat HumanEval, MBPP or CRUXEval items are removed; the
    funnel says which of the three were found on this machine. The same arguments, data and
    versions give the same bytes whatever `workers` and `backend` are, and when an interrupted build
    is started again, which takes up finished batches from `out/shards`. With more than one worker
    each runs its own sandbox at the level of `box`. Fewer programs than asked for come out where
    the installed packages hold no more; the funnel says so. Paper sections 3.1, 3.2.
    """
    out = Path(out)
    say = progress or _to_stderr
    seen = Seen()
    funnel: dict[str, Any] = {}
    errors: collections.Counter[str] = collections.Counter()
    totals = _Totals()
    path, left = out / "pyx.jsonl", out / "dropped.jsonl"
    kept_file, dropped_file = _Writer(path), _Writer(left)
    scan = Scan()
    guard, guard_key, found = guards.prepare(out, box) if benchmarks else ("", "", {})
    funnel["benchmarks"] = found
    streams: dict[str, tuple[int, Iterator[tuple[tuple[Candidate, ...], int, int]]]] = {
        "teacher": (len(taught), _batches_of(taught)),
        "real": (real, _real_batches(seed, scan)),
        "synthesised": (synthesised, _synthesised_batches()),
    }
    for name, (target, batches) in streams.items():
        if name == "teacher" and not taught:
            continue
        counts: collections.Counter[str] = collections.Counter()
        counts["kept"] = 0
        results = _results(
            name, target, batches, functools.partial(counts.__getitem__, "kept"), out, cases,
            seed, box, workers, backend, (guard, guard_key),
        )  # fmt: skip
        told, spoken = "", time.monotonic()
        for rows in results:
            for row in rows:
                if counts["kept"] >= target:
                    break
                counts["candidates"] += 1
                entry = _admit(row, seen, seed, held_out)
                if isinstance(entry, Entry):
                    counts["kept"] += 1
                    totals.add(entry)
                    kept_file.write(records.to_row(entry))
                else:
                    counts[f"dropped: {entry['reason']}"] += 1
                    if entry["reason"] in quality.FAILING:
                        errors[entry["detail"] or "no exception, no usable value"] += 1
                    dropped_file.write(entry)
            told = f"pyx {name}: {counts['kept']} of {target} kept, {counts['candidates']} tried"
            if time.monotonic() - spoken >= SECONDS_BETWEEN:
                spoken = time.monotonic()
                say(told)
        say(told or f"pyx {name}: nothing to try")
        funnel[name] = dict(sorted(counts.items()))
    funnel["scan"] = {
        "files": scan.files,
        "unparsable": scan.unparsable,
        "functions": scan.functions,
        **{f"left out: {why}": n for why, n in sorted(scan.dropped.items())},
    }
    funnel["errors"] = dict(sorted(errors.items(), key=lambda kv: (-kv[1], kv[0])))
    funnel["total"] = totals.row()
    kept_file.done()
    dropped_file.done()
    workspace.write_json(out / "funnel.json", funnel)
    return Built(path, funnel, left)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


class _Writer:
    """A JSONL file that grows beside its final name and takes it when it is complete."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.out = self.part.open("w", encoding="utf-8")

    def write(self, row: dict[str, Any]) -> None:
        self.out.write(workspace.dumps(row) + "\n")

    def done(self) -> None:
        self.out.close()
        os.replace(self.part, self.path)


@dataclass(slots=True)
class _Totals:
    programs: int = 0
    cases: int = 0
    held_out: int = 0
    lines: float = 0.0
    branches: float = 0.0

    def add(self, entry: Entry) -> None:
        self.programs += 1
        self.cases += len(entry.cases)
        self.held_out += entry.program.split == "held_out"
        self.lines += entry.line_coverage
        self.branches += entry.branch_coverage

    def row(self) -> dict[str, Any]:
        count = max(1, self.programs)
        return {
            "programs": self.programs,
            "cases": self.cases,
            "held_out": self.held_out,
            "line_coverage": round(self.lines / count, 4),
            "branch_coverage": round(self.branches / count, 4),
        }


def _batches_of(
    candidates: Sequence[Candidate],
) -> Iterator[tuple[tuple[Candidate, ...], int, int]]:
    for start in range(0, len(candidates), BATCH):
        yield tuple(candidates[start : start + BATCH]), 0, 0


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
        sent = itertools.count()

        def tasks(ahead: int = ahead, sent: Iterator[int] = sent) -> Iterator[Task]:
            for candidates, start, stop in itertools.islice(batches, ahead):
                next(sent)
                label = f"{name}-{next(number):05d}"
                shard = str(out / "shards" / f"{label}.jsonl")
                yield Task(label, candidates, start, stop, cases, seed, level, shard, *guard)

        if workers <= 1 and backend == "process":
            yield from (run_task(task, box) for task in tasks())
        else:
            yield from scale.mapped(run_task, tasks(), workers=workers, chunk=1, backend=backend)
        done = next(sent)
        if not done:
            return
        tried += BATCH * done


@functools.cache
def _code() -> str:
    """A batch is not taken up after the code that made it changed."""
    return workspace.code_hash("corpus", "core")


def run_task(task: Task, box: Sandbox | None = None) -> list[dict[str, Any]]:
    """A batch's rows: from its shard if that is there and fits, else made and stored."""
    path = Path(task.shard)
    key = task.key()
    if path.exists():
        rows = list(workspace.read_jsonl(path))
        if rows and rows[0].get("key") == key:
            return rows[1:]
    from semcoder_lib.sandbox import own

    made = pipeline.process(
        task.candidates or tuple(synthesiser.programs(task.seed, task.start, task.stop)),
        box or own(task.isolation),
        cases=task.cases,
        seed=task.seed,
        guard=guards.load(task.guard) if task.guard else None,
        second=own(task.isolation, hash_seed=1),
    )
    rows = [m.to_row() for m in made]
    workspace.write_jsonl(path, [{"key": key}, *rows])
    return rows


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
