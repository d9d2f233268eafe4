"""Builds PyX: seeds in batches through the steps, then duplicates, the split, the files."""

from __future__ import annotations

import collections
import copy
import functools
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import progress, records, scale, source, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.corpus.duplicates import Seen, drop_duplicates, split_families
from semcoder_lib.corpus.files import checked, write_checked
from semcoder_lib.corpus.grow import FAILING, choose_cases, grow_inputs, guess_types, run_again
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.prospect import Prospect
from semcoder_lib.corpus.seeds import methods, synthesiser
from semcoder_lib.corpus.seeds.packages import packages
from semcoder_lib.sandbox import Sandbox, own

BATCH = 24
MOST_AHEAD = 256  # batches, so that memory does not grow with the corpus


@dataclass(frozen=True, slots=True)
class Built:
    """Where the corpus is, and the counts at every step."""

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
    left = run_again(choose_cases(left, cases=cases), again)
    return keep_out_benchmarks(left, guard, box, cases=cases) if guard else left


def developed(
    batch: Sequence[Prospect],
    *,
    cases: int,
    seed: int,
    level: str,
    benchmarks: str,
    box: Sandbox | None = None,
    guard: Guard | None = None,
) -> list[dict[str, Any]]:
    """What comes of new prospects (`Prospect.to_row`), in order, those that are out included. In a
    process of its own it makes its own sandbox, at a `level`, and its own guard, whose key must be
    `benchmarks`; where that is empty there is none."""
    box = box or own(level)
    if benchmarks and guard is None:
        guard = _guard(benchmarks, box)
    prospects, again = copy.deepcopy(batch), own(level, hash_seed=1)
    develop(prospects, box, again, guard=guard, cases=cases, seed=seed)
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
    taught: Sequence[Prospect] = (),
    cases: int = 8,
    seed: int = 0,
    box: Sandbox,
    workers: int = 1,
    held_out: float = 0.1,
    benchmarks: bool = True,
    backend: str = "process",
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
    out = Path(out)
    guard = Guard.here(box) if benchmarks else None
    key = guard.key if guard else ""
    work = functools.partial(developed, cases=cases, seed=seed, level=box.level, benchmarks=key)
    depends = [cases, seed, box.level, key, source.library_hash("corpus", "core")]
    if workers <= 1 and backend == "process":
        work = functools.partial(work, box=box, guard=guard)
    spread = functools.partial(scale.mapped, work, workers=workers, chunk=1, backend=backend)
    scan, seen = collections.Counter(files=0, unparsable=0, functions=0), Seen()
    programs, seeded = (
        map(functools.partial(writer.program, seed), itertools.count())
        for writer in (synthesiser, methods)
    )
    sources: dict[str, tuple[int, Iterable[Prospect]]] = {
        "teacher": (len(taught), taught),
        "real": (real, packages(seed=seed, scan=scan)),
        "synthesised": (synthesised, map(Prospect, programs)),
        "method-seeded": (method_seeded, map(Prospect, seeded)),
    }
    out.mkdir(parents=True, exist_ok=True)
    files = {name: out / f"{name}.jsonl" for name in ("pyx", "dropped")}
    parts = {name: path.with_suffix(".part") for name, path in files.items()}
    funnel: dict[str, Any] = {"benchmarks": guard.report if guard else {}}
    errors: collections.Counter[str] = collections.Counter()
    with parts["pyx"].open("w") as kept_file, parts["dropped"].open("w") as dropped_file:
        for name, (target, prospects) in sources.items():
            counts = collections.Counter(kept=0)
            fates = _until(target, counts, prospects, spread, out / "cache_batches", depends)
            with progress.bar(f"PyX, {name}", target, "programs") as bar:
                for fate in fates:
                    prospect = Prospect.from_row(fate)
                    if not prospect.reason and drop_duplicates([prospect], seen):
                        split_families([prospect], seed=seed, held_out=held_out)
                    reason, row = prospect.reason, prospect.dropped()
                    if not reason:
                        row = {**fate["entry"], "program": records.to_row(prospect.program)}
                    if reason in FAILING:
                        errors[prospect.detail or "no exception, no usable value"] += 1
                    print(workspace.dumps(row), file=dropped_file if reason else kept_file)
                    counts["candidates"] += 1
                    counts[f"dropped: {reason}" if reason else "kept"] += 1
                    bar.set_postfix_str(f"{counts['candidates']} tried")
                    bar.update(0 if reason else 1)
            if target or name in ("real", "synthesised"):
                funnel[name] = dict(sorted(counts.items()))
    funnel["scan"] = dict(sorted(scan.items()))
    funnel["errors"] = dict(sorted(errors.items(), key=lambda kv: (-kv[1], kv[0])))
    for name, path in files.items():
        os.replace(parts[name], path)
    workspace.write_json(out / "funnel.json", funnel)
    return Built(files["pyx"], funnel, files["dropped"])


def _until(
    target: int,
    counts: collections.Counter[str],
    prospects: Iterable[Prospect],
    spread: Callable[[Iterable[Sequence[Prospect]]], Iterator[list[dict[str, Any]]]],
    folder: Path,
    depends: list[Any],
) -> Iterator[dict[str, Any]]:
    """What comes of prospects until `target` of them are counted as kept: as many batches at a time
    as would do if every prospect were kept, so that little work is thrown away. `folder` keeps the
    results under what they depend on, so that an interrupted build goes on where it was."""
    source = iter(prospects)
    while (missing := target - counts["kept"]) > 0:
        ahead = min(MOST_AHEAD, math.ceil(missing / BATCH))
        batches = [list(itertools.islice(source, BATCH)) for _ in range(ahead)]
        paths = [(b, folder / f"{_key(b, depends)}.json") for b in batches if b]
        new = {path for _, path in paths if checked(path) is None}
        fresh = spread(batch for batch, path in paths if path in new)
        for _, path in paths:
            if path in new:
                write_checked(path, next(fresh))
            for row in checked(path) or ():
                if counts["kept"] < target:
                    yield row
        if not paths:
            return


def _key(batch: Sequence[Prospect], depends: list[Any]) -> str:
    """What the result of a batch depends on, the code included."""
    examples = [
        [values.encode(e) for e in p.signature.examples] if p.signature else [] for p in batch
    ]
    programs = [[p.program.id, p.program.source] for p in batch]
    return workspace.content_key(depends, programs, examples)
