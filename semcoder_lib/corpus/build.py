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
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import records, scale, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Entry
from semcoder_lib.corpus import files
from semcoder_lib.corpus.choose import FAILING, choose_cases, run_again
from semcoder_lib.corpus.draft import Draft
from semcoder_lib.corpus.duplicates import Seen, drop_duplicates, split_families
from semcoder_lib.corpus.grow import grow_inputs
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.guess import guess_types
from semcoder_lib.corpus.seeds import synthesiser
from semcoder_lib.corpus.seeds.packages import Candidate, Scan, packages

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

BATCH = 48
MOST_AHEAD = 256  # batches, so that memory does not grow with the corpus
SECONDS_BETWEEN = 10.0  # lines of progress
# Shares of candidates that usually make it; only how far ahead to work depends on them.
EXPECTED = {"teacher": 1.0, "real": 0.45, "synthesised": 0.75}


@dataclass(frozen=True, slots=True)
class Built:
    """Where the corpus is, and the counts at every stage."""

    path: Path
    funnel: dict[str, Any]
    dropped: Path


def develop(
    drafts: Iterable[Draft],
    box: Sandbox,
    again: Sandbox,
    *,
    guard: Guard | None = None,
    cases: int = 8,
    seed: int = 0,
) -> list[Draft]:
    """Takes drafts through all steps that run programs; those that are left. `again` is a sandbox
    with another seed of string hashes than `box`. Depends on the drafts alone, so they can be
    developed in batches, anywhere and in any order."""
    left = guess_types(drafts, box, seed=seed)
    left = grow_inputs(left, box, cases=cases, seed=seed)
    left = choose_cases(left, cases=cases)
    if guard is None:
        return run_again(left, again)
    left = run_again(left, again, guard.openings)
    return keep_out_benchmarks(left, guard, box, cases=cases)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What all batches of a build share. `guard` is the key of the guard against benchmarks, empty
    where there is none."""

    cases: int
    seed: int
    isolation: str
    guard: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Work for one process: candidates, or the numbers of synthesised programs."""

    recipe: Recipe
    candidates: tuple[Candidate, ...] = ()
    numbers: tuple[int, int] = (0, 0)

    def drafts(self) -> list[Draft]:
        """The batch's drafts, new."""
        synthesised = synthesiser.programs(self.recipe.seed, *self.numbers)
        return [Draft.of(seed) for seed in (*self.candidates, *synthesised)]

    def key(self) -> str:
        """What the result depends on, the code included."""
        candidates = [
            (c.program.id, c.program.source, *map(values.encode, c.signature.examples))
            for c in self.candidates
        ]
        return workspace.content_key(candidates, records.to_row(self.recipe), self.numbers, _code())


@functools.cache
def _code() -> str:
    return workspace.code_hash("corpus", "core")


def developed(
    batch: Batch, box: Sandbox | None = None, guard: Guard | None = None
) -> list[dict[str, Any]]:
    """The rows (`Draft.to_row`) of a batch's drafts, in order, those that are out included. In a
    process of its own it makes its own sandbox and its own guard."""
    from semcoder_lib.sandbox import own

    recipe = batch.recipe
    box = box or own(recipe.isolation)
    if recipe.guard and guard is None:
        guard = _guard(recipe.guard, box)
    drafts = batch.drafts()
    again = own(recipe.isolation, hash_seed=1)
    develop(drafts, box, again, guard=guard, cases=recipe.cases, seed=recipe.seed)
    return [draft.to_row() for draft in drafts]


@functools.lru_cache(maxsize=1)
def _guard(key: str, box: Sandbox) -> Guard:
    """This process's guard."""
    guard = Guard.here(box)
    if guard.key != key:
        raise InfrastructureError(
            "the benchmark files of this machine differ from those of the run"
        )
    return guard


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where batches are developed: here, in processes or over Ray. `folder` keeps the results, so
    that an interrupted build goes on where it was."""

    folder: Path
    box: Sandbox
    guard: Guard | None
    workers: int
    backend: str

    def developed(self, batches: Iterable[Batch]) -> Iterator[list[Draft]]:
        """The drafts of every batch, in order."""
        paths = ((batch, self.folder / f"{batch.key()}.json") for batch in batches)
        known, asked = itertools.tee((b, path, files.checked(path) is None) for b, path in paths)
        fresh = self._fresh(batch for batch, _, missing in asked if missing)
        for _, path, missing in known:
            if missing:
                files.write_checked(path, next(fresh))
            yield [Draft.from_row(row) for row in files.checked(path) or ()]

    def _fresh(self, batches: Iterator[Batch]) -> Iterator[list[dict[str, Any]]]:
        if self.workers <= 1 and self.backend == "process":
            return (developed(batch, self.box, self.guard) for batch in batches)
        options = {"workers": self.workers, "backend": self.backend}
        return scale.mapped(developed, batches, chunk=1, **options)

    def enough(
        self, batches: Iterator[Batch], target: int, kept: Callable[[], int], rate: float
    ) -> Iterator[Draft]:
        """Drafts until `kept()` reaches the target, only as far ahead of it as that seems to need,
        so that little work is thrown away. `rate` is the share of drafts that are expected to be
        kept."""
        tried = 0
        while (missing := target - kept()) > 0:
            if tried > 4 * BATCH:
                rate = max(0.1, kept() / tried)
            ahead = min(MOST_AHEAD, max(1, math.ceil(missing / rate / BATCH)))
            done = 0
            for drafts in self.developed(itertools.islice(batches, ahead)):
                done += 1
                yield from drafts
            if not done:
                return
            tried += BATCH * done


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
    funnel says which of the three were found on this machine. The same arguments, data and versions
    give the same bytes whatever `workers` and `backend` are, and when an interrupted build is
    started again, which takes up finished batches. With more than one worker each runs its own
    sandbox at the level of `box`. Fewer programs than asked for come out where the installed
    packages hold no more; the funnel says so. Paper sections 3.1, 3.2.
    """
    out, say = Path(out), progress or functools.partial(print, file=sys.stderr)
    guard = Guard.here(box) if benchmarks else None
    recipe = Recipe(cases, seed, box.level, guard.key if guard else "")
    workshop = Workshop(out / "cache_batches", box, guard, workers, backend)
    scan, seen = Scan(), Seen()
    numbers = ((start, start + BATCH) for start in itertools.count(0, BATCH))
    sources = {
        "teacher": (len(taught), _batches(recipe, taught)),
        "real": (real, _batches(recipe, _functions(seed, scan))),
        "synthesised": (synthesised, (Batch(recipe, numbers=pair) for pair in numbers)),
    }
    kept_file, dropped_file = files.Writer(out / "pyx.jsonl"), files.Writer(out / "dropped.jsonl")
    funnel: dict[str, Any] = {"benchmarks": guard.report if guard else {}}
    errors: collections.Counter[str] = collections.Counter()
    totals: collections.Counter[str] = collections.Counter()
    for name, (target, batches) in sources.items():
        counts = collections.Counter(kept=0)
        line, spoken = f"pyx {name}: nothing to try", time.monotonic()
        kept = functools.partial(counts.__getitem__, "kept")
        for draft in workshop.enough(batches, target, kept, EXPECTED[name]):
            if not draft.reason and drop_duplicates([draft], seen):
                split_families([draft], seed=seed, held_out=held_out)
            counts["candidates"] += 1
            counts[f"dropped: {draft.reason}" if draft.reason else "kept"] += 1
            if draft.reason:
                errors[draft.detail or "no exception, no usable value"] += draft.reason in FAILING
                dropped_file.write(draft.dropped())
            else:
                entry = draft.entry()
                _add(totals, entry)
                kept_file.write(records.to_row(entry))
            line = f"pyx {name}: {kept()} of {target} kept, {counts['candidates']} tried"
            if time.monotonic() - spoken >= SECONDS_BETWEEN:
                spoken = time.monotonic()
                say(line)
            if kept() >= target:
                break
        if target or name != "teacher":
            say(line)
            funnel[name] = dict(sorted(counts.items()))
    funnel["scan"] = {
        "files": scan.files,
        "unparsable": scan.unparsable,
        "functions": scan.functions,
        **{f"left out: {why}": n for why, n in sorted(scan.dropped.items())},
    }
    funnel["errors"] = dict((+errors).most_common())
    funnel["total"] = _shares(totals)
    kept_file.done()
    dropped_file.done()
    workspace.write_json(out / "funnel.json", funnel)
    return Built(kept_file.path, funnel, dropped_file.path)


def _batches(recipe: Recipe, candidates: Iterable[Candidate]) -> Iterator[Batch]:
    source = iter(candidates)
    while batch := tuple(itertools.islice(source, BATCH)):
        yield Batch(recipe, batch)


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


def _add(totals: collections.Counter[str], entry: Entry) -> None:
    totals.update(programs=1, cases=len(entry.cases), held_out=entry.program.split == "held_out")
    totals.update(line_coverage=entry.line_coverage, branch_coverage=entry.branch_coverage)


def _shares(totals: collections.Counter[str]) -> dict[str, float]:
    """The totals with the coverages as means."""
    means = {
        name: round(totals[name] / max(1, totals["programs"]), 4)
        for name in ("line_coverage", "branch_coverage")
    }
    return {"programs": 0, "cases": 0, "held_out": 0, **totals, **means}
