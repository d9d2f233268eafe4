"""Builds PyX: seeds in batches through the steps, then duplicates, the split, the files."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, scale, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.corpus import files
from semcoder_lib.corpus.choose import FAILING, choose_cases, run_again
from semcoder_lib.corpus.duplicates import Seen, drop_duplicates, split_families
from semcoder_lib.corpus.grow import grow_inputs
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.guess import guess_types
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds import methods, synthesiser
from semcoder_lib.corpus.seeds.packages import Candidate, Scan, packages
from semcoder_lib.sandbox import Sandbox, own

BATCH = 24
MOST_AHEAD = 256  # batches, so that memory does not grow with the corpus
SECONDS_BETWEEN = 10.0  # lines of progress
METHOD_SEEDED = "method-seeded"


@dataclass(frozen=True, slots=True)
class Built:
    """Where the corpus is, and the counts at every stage."""

    path: Path
    funnel: dict[str, Any]
    dropped: Path


def develop(
    prospects: Iterable[Prospect],
    box: Sandbox,
    again: Sandbox,
    *,
    guard: Guard | None = None,
    cases: int = 8,
    seed: int = 0,
) -> list[Prospect]:
    """Takes prospects through all steps that run programs; those that are left. `again` is a
    sandbox with another seed of string hashes than `box`. Depends on the prospects alone, so they
    can be developed in batches, anywhere and in any order."""
    left = guess_types(prospects, box, seed=seed)
    left = grow_inputs(left, box, cases=cases, seed=seed)
    left = choose_cases(left, cases=cases)
    if guard is None:
        return run_again(left, again)
    left = run_again(left, again, guard.openings)
    return keep_out_benchmarks(left, guard, box, cases=cases)


@dataclass(frozen=True, slots=True)
class Batch:
    """Work for one process: candidates, or the numbers of the programs of a `writer`. `guard` is
    the key of the guard against benchmarks, empty where there is none."""

    cases: int
    seed: int
    isolation: str
    guard: str
    candidates: tuple[Candidate, ...] = ()
    writer: str = "synthesised"
    numbers: tuple[int, int] = (0, 0)

    def prospects(self) -> list[Prospect]:
        """The batch's prospects, new."""
        write = methods.programs if self.writer == METHOD_SEEDED else synthesiser.programs
        programs = write(self.seed, *self.numbers)
        return [*map(Prospect.of, self.candidates), *map(Prospect.of, programs)]

    def key(self) -> str:
        """What the result depends on, the code included."""
        candidates = [
            [c.program.id, c.program.source, *map(values.encode, c.signature.examples)]
            for c in self.candidates
        ]
        settings = [self.cases, self.seed, self.isolation, self.guard, self.writer, self.numbers]
        return workspace.content_key(settings, candidates, _code())


@functools.cache
def _code() -> str:
    return workspace.code_hash("corpus", "core")


def developed(
    batch: Batch, box: Sandbox | None = None, guard: Guard | None = None
) -> list[dict[str, Any]]:
    """The rows (`Prospect.to_row`) of a batch's prospects, in order, those that are out included.
    In a process of its own it makes its own sandbox and its own guard."""
    box = box or own(batch.isolation)
    if batch.guard and guard is None:
        guard = _guard(batch.guard, box)
    prospects, again = batch.prospects(), own(batch.isolation, hash_seed=1)
    develop(prospects, box, again, guard=guard, cases=batch.cases, seed=batch.seed)
    return [prospect.to_row() for prospect in prospects]


@functools.lru_cache(maxsize=1)
def _guard(key: str, box: Sandbox) -> Guard:
    """This process's guard."""
    guard = Guard.here(box)
    if guard.key != key:
        raise InfrastructureError("a machine's benchmark files differ from those of the run")
    return guard


def build(
    out: Path | str,
    *,
    real: int,
    synthesised: int,
    method_seeded: int = 0,
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
    """Builds a corpus of `real` functions of installed packages, `synthesised` programs and
    `method_seeded` ones (two in five of them drills), each with up to `cases` cases (at least
    five, or `cases` if that is less), into the folder `out`.
    `taught` are candidates that a teacher wrote; all of them are tried.

    Writes `pyx.jsonl` (rows of `records.Entry`; taught ones first, then real ones), `dropped.jsonl`
    (every program that was tried and left out, with the reason) and `funnel.json`. With
    `benchmarks`, programs and cases that repeat HumanEval, MBPP or CRUXEval items are removed; the
    funnel says which of the three were found on this machine. The same arguments, data and versions
    give the same bytes whatever `workers` and `backend` are, and when an interrupted build is
    started again, which takes up finished batches. With more than one worker each runs its own
    sandbox at the level of `box`. Fewer programs than asked for come out where the installed
    packages hold no more; the funnel says so. Paper sections 3.1, 3.2.
    """
    out, say = Path(out), progress or functools.partial(print, file=sys.stderr)
    guard = Guard.here(box) if benchmarks else None
    empty = Batch(cases, seed, box.level, guard.key if guard else "")
    alone = workers <= 1 and backend == "process"
    function = functools.partial(developed, box=box, guard=guard) if alone else developed
    spread = functools.partial(scale.mapped, function, workers=workers, chunk=1, backend=backend)
    scan, seen = Scan(), Seen()
    sources = {
        "teacher": (len(taught), _batches(empty, taught)),
        "real": (real, _batches(empty, _functions(seed, scan))),
        "synthesised": (synthesised, _numbered(empty, "synthesised")),
        METHOD_SEEDED: (method_seeded, _numbered(empty, METHOD_SEEDED)),
    }
    kept_file, dropped_file = files.Writer(out / "pyx.jsonl"), files.Writer(out / "dropped.jsonl")
    funnel: dict[str, Any] = {"benchmarks": guard.report if guard else {}}
    errors: collections.Counter[str] = collections.Counter()
    for name, (target, batches) in sources.items():
        counts = collections.Counter(kept=0)
        line, spoken = f"pyx {name}: nothing to try", time.monotonic()
        for prospect in _until(target, counts, batches, spread, out / "cache_batches"):
            if not prospect.reason and drop_duplicates([prospect], seen):
                split_families([prospect], seed=seed, held_out=held_out)
            counts["candidates"] += 1
            counts[f"dropped: {prospect.reason}" if prospect.reason else "kept"] += 1
            if prospect.reason:
                dropped_file.write(prospect.dropped())
                if prospect.reason in FAILING:
                    errors[prospect.detail or "no exception, no usable value"] += 1
            else:
                kept_file.write(records.to_row(prospect.entry()))
            line = f"pyx {name}: {counts['kept']} of {target} kept, {counts['candidates']} tried"
            if time.monotonic() - spoken >= SECONDS_BETWEEN:
                spoken = time.monotonic()
                say(line)
        if target or name in ("real", "synthesised"):
            say(line)
            funnel[name] = dict(sorted(counts.items()))
    funnel["scan"] = {
        "files": scan.files,
        "unparsable": scan.unparsable,
        "functions": scan.functions,
        **{f"left out: {why}": n for why, n in sorted(scan.dropped.items())},
    }
    funnel["errors"] = dict(sorted(errors.items(), key=lambda kv: (-kv[1], kv[0])))
    kept_file.done()
    dropped_file.done()
    workspace.write_json(out / "funnel.json", funnel)
    return Built(kept_file.path, funnel, dropped_file.path)


def _until(
    target: int,
    counts: collections.Counter[str],
    batches: Iterator[Batch],
    spread: Callable[[Iterable[Batch]], Iterator[list[dict[str, Any]]]],
    folder: Path,
) -> Iterator[Prospect]:
    """Developed prospects until `target` of them are counted as kept: as many batches at a time as
    would do if every prospect were kept, so that little work is thrown away. `folder` keeps their
    results, so that an interrupted build goes on where it was."""
    while (missing := target - counts["kept"]) > 0:
        ahead = itertools.islice(batches, min(MOST_AHEAD, math.ceil(missing / BATCH)))
        paths = [(batch, folder / f"{batch.key()}.json") for batch in ahead]
        new = {path for _, path in paths if files.checked(path) is None}
        fresh = spread(batch for batch, path in paths if path in new)
        for _, path in paths:
            if path in new:
                files.write_checked(path, next(fresh))
            for row in files.checked(path) or ():
                if counts["kept"] < target:
                    yield Prospect.from_row(row)
        if not paths:
            return


def _batches(empty: Batch, candidates: Iterable[Candidate]) -> Iterator[Batch]:
    source = iter(candidates)
    while batch := tuple(itertools.islice(source, BATCH)):
        yield replace(empty, candidates=batch)


def _numbered(empty: Batch, writer: str) -> Iterator[Batch]:
    batch = replace(empty, writer=writer)
    return (replace(batch, numbers=(n, n + BATCH)) for n in itertools.count(0, BATCH))


def _functions(seed: int, scan: Scan) -> Iterator[Candidate]:
    """The functions of installed packages, each once, with an id made of where it comes from."""
    known: set[str] = set()
    for candidate in packages(seed=seed, scan=scan):
        program = candidate.program
        stem = program.provenance.file.removesuffix(".py").replace("/", ".")
        name = f"{program.provenance.package}:{stem}.{program.entry_point}"
        if name not in known:
            known.add(name)
            yield replace(candidate, program=replace(program, id=name))
