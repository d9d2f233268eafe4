"""Builds PyX: seeds in batches through the steps, then duplicates (exact, near and semantic), the
split that keeps families together, and the files.

MinHash (datasketch) proposes near duplicates, edit similarity decides."""

from __future__ import annotations

import collections
import copy
import functools
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from datasketch import MinHash, MinHashLSH
from rapidfuzz import fuzz

from semcoder_lib.core import progress, records, scale, source, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.corpus.files import exact_key, keep, kept, tokens
from semcoder_lib.corpus.grow import FAILING, choose_cases, grow_inputs, guess_types, run_again
from semcoder_lib.corpus.guard import Guard, keep_out_benchmarks
from semcoder_lib.corpus.prospect import AROUND, DRILL, Prospect, alive
from semcoder_lib.corpus.seeds import packages, synthesiser
from semcoder_lib.sandbox import Sandbox, own

BATCH = 24
MOST_AHEAD = 256  # batches, so that memory does not grow with the corpus
PERMUTATIONS = 48
BANDS = (24, 2)  # of two values: proposes pairs above about 0.3 in Jaccard similarity of shingles
SHINGLE = 4  # tokens
NEAR = 92.0  # edit similarity, in percent, from which two programs count as one


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
    batch: Sequence[Prospect], *, cases: int, seed: int, level: str, benchmarks: str
) -> list[dict[str, Any]]:
    """What comes of new prospects (`Prospect.to_row`), in order, those that are out included, in
    this process's own sandboxes at a `level`, with its own guard, whose key must be `benchmarks`;
    where that is empty there is none."""
    box, again = own(level), own(level, hash_seed=1)
    guard = _guard(benchmarks, level) if benchmarks else None
    prospects = copy.deepcopy(batch)
    develop(prospects, box, again, guard=guard, cases=cases, seed=seed)
    return [prospect.to_row() for prospect in prospects]


@functools.lru_cache(maxsize=1)
def _guard(key: str, level: str) -> Guard:
    """This process's guard."""
    guard = Guard.here(own(level))
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
) -> dict[str, Any]:
    """Builds a corpus of `real` functions of installed packages, `synthesised` programs and
    `method_seeded` ones (two in five of them drills), each with up to `cases` cases (at least
    five, or `cases` if that is less), into the folder `out`; returns the funnel, the counts at
    every step. `taught` are candidates that a teacher wrote; all of them are tried.

    Writes `pyx.jsonl` (rows of `records.Entry`; taught ones first, then real ones), `dropped.jsonl`
    (every program that was tried and left out, with the reason) and `funnel.json`. With
    `benchmarks`, what repeats HumanEval, MBPP or CRUXEval is removed, as far as they are on this
    machine. The same arguments, data and versions give the same bytes whatever `workers` and
    `backend` (see `scale.workers`) are, and when an interrupted build is started again, which takes
    up finished batches. Fewer programs than asked for come out where the installed packages hold no
    more. Paper sections 3.1, 3.2.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    guard = Guard.here(box) if benchmarks else None
    key = guard.key if guard else ""
    work = functools.partial(developed, cases=cases, seed=seed, level=box.level, benchmarks=key)
    depends = [cases, seed, box.level, key, source.code_behind(source.files_of(__name__))]
    scan = collections.Counter(files=0, unparsable=0, functions=0)
    drafts, seeded = (
        map(Prospect, map(functools.partial(numbered, seed), itertools.count()))
        for numbered in (synthesiser.program, synthesiser.seeded_program)
    )
    sources: dict[str, tuple[int, Iterable[Prospect]]] = {
        "teacher": (len(taught), taught),
        "real": (real, packages(seed=seed, scan=scan)),
        "synthesised": (synthesised, drafts),
        "method-seeded": (method_seeded, seeded),
    }
    seen = Seen()
    funnel: dict[str, Any] = {"benchmarks": guard.report if guard else {}}
    errors: collections.Counter[str] = collections.Counter()
    paths = [out / "pyx.jsonl", out / "dropped.jsonl"]
    parts = [path.with_suffix(".part") for path in paths]
    with (
        parts[0].open("w") as corpus_file,
        parts[1].open("w") as dropped_file,
        scale.workers(workers, backend) as mapped,
    ):
        spread = functools.partial(mapped, work, chunk=1)
        for name, (target, prospects) in sources.items():
            counts = collections.Counter(kept=0)
            fates = _until(target, counts, prospects, spread, out / "cache_batches", depends)
            with progress.bar(f"PyX, {name}", target, "programs") as bar:
                for fate in fates:
                    prospect = Prospect.from_row(fate)
                    if not prospect.reason and drop_duplicates([prospect], seen):
                        split_families([prospect], seed=seed, held_out=held_out)
                    reason = prospect.reason
                    if reason:
                        print(workspace.dumps(prospect.dropped()), file=dropped_file)
                    else:
                        row = {**fate["entry"], "program": records.to_row(prospect.program)}
                        print(workspace.dumps(row), file=corpus_file)
                    if reason in FAILING:
                        errors[prospect.detail or "no exception, no usable value"] += 1
                    counts["candidates"] += 1
                    counts[f"dropped: {reason}" if reason else "kept"] += 1
                    bar.set_postfix_str(f"{counts['candidates']} tried", refresh=False)
                    bar.update(0 if reason else 1)
            if target or name in ("real", "synthesised"):
                funnel[name] = dict(sorted(counts.items()))
    funnel["scan"] = dict(sorted(scan.items()))
    funnel["errors"] = dict(sorted(errors.items(), key=lambda kv: (-kv[1], kv[0])))
    for part, path in zip(parts, paths, strict=True):
        os.replace(part, path)
    workspace.write_json(out / "funnel.json", funnel)
    return funnel


def _until(
    target: int,
    counts: collections.Counter[str],
    prospects: Iterable[Prospect],
    spread: Callable[..., Iterator[list[dict[str, Any]]]],
    folder: Path,
    depends: list[Any],
) -> Iterator[dict[str, Any]]:
    """What comes of prospects until `target` of them are counted as kept: as many batches at a time
    as would do if the share kept so far were kept again (at first, all).
    `folder` keeps results by what they depend on, so that an interrupted build goes on."""
    stream = iter(prospects)
    while (missing := target - counts["kept"]) > 0:
        share = max(1, counts["kept"]) / counts["candidates"] if counts["candidates"] else 1.0
        ahead = min(MOST_AHEAD, math.ceil(missing / share / BATCH))
        batches = [b for _ in range(ahead) if (b := list(itertools.islice(stream, BATCH)))]
        if not batches:
            return
        paths = [folder / f"{_key(batch, depends)}.json.gz" for batch in batches]
        new = [kept(path) is None for path in paths]
        fresh = spread(itertools.compress(batches, new))
        for path, is_new in zip(paths, new, strict=True):
            if is_new:
                keep(path, next(fresh))
            for row in kept(path) or ():
                if counts["kept"] < target:
                    yield row


def _key(batch: Sequence[Prospect], depends: list[Any]) -> str:
    """What the result of a batch depends on, the code included."""
    programs = [
        [p.program.id, p.program.source, values.encode(p.signature.examples if p.signature else ())]
        for p in batch
    ]
    return workspace.content_key(depends, programs)


# ---- duplicates and the split


class Seen:
    """What is in the corpus already: texts, keys of behaviour, and for near duplicates MinHash
    bands, a few kB a program."""

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._bands = MinHashLSH(num_perm=PERMUTATIONS, params=BANDS)
        self._texts: list[str] = []

    def repeats(self, source: str, behaviour: str = "", *, exactly: bool = False) -> str:
        """Why a program is a duplicate, or an empty string; then it is remembered. `behaviour` is a
        key that programs share which compute the same; empty says nothing. With `exactly` only the
        same code counts, and nothing else is remembered."""
        exact = exact_key(source)
        if exact in self._keys:
            return "exact duplicate"
        if not exactly:
            if behaviour in self._keys:
                return "semantic duplicate"
            words = tokens(source)
            runs = (words[i : i + SHINGLE] for i in range(max(1, len(words) - SHINGLE + 1)))
            shingles = {"\0".join(run).encode("utf-8", "surrogatepass") for run in runs}
            text, sketch = " ".join(words), MinHash(num_perm=PERMUTATIONS)
            sketch.update_batch(list(shingles))
            for place in self._bands.query(sketch):
                if fuzz.ratio(text, self._texts[place], score_cutoff=NEAR) >= NEAR:
                    return "near duplicate"
            self._keys |= {behaviour} - {""}
            self._bands.insert(len(self._texts), sketch)
            self._texts.append(text)
        self._keys.add(exact)
        return ""


def drop_duplicates(prospects: Iterable[Prospect], seen: Seen) -> list[Prospect]:
    """Step 6. Drops the prospects that repeat one that was seen: the same code, nearly the same
    code, or the same outputs on the inputs that all programs of a signature share; the prospects
    that are left. Of drills, which are all nearly the same, only the same code counts."""
    prospects = list(prospects)
    for prospect in prospects:
        program = prospect.program
        if why := seen.repeats(program.source, prospect.behaviour, exactly=DRILL in program.tags):
            prospect.drop(why)
    return alive(prospects)


def split_families(
    prospects: Iterable[Prospect], *, seed: int = 0, held_out: float = 0.1
) -> list[Prospect]:
    """Step 7. Puts the prospects of about the share `held_out` of all families into the split
    "held_out", so that near variants never straddle it, and with them those of the same share of
    the pairs of methods that functions are seeded with; the prospects. A program's side depends on
    these names and the seed alone, so it is the same in a corpus of any size."""
    prospects = list(prospects)
    for prospect in prospects:
        tags = prospect.program.tags
        pairs = [tag for tag in tags if tag.startswith(AROUND) and DRILL not in tags]
        splits = [_is_held_out(g, seed, held_out) for g in (prospect.program.family, *pairs)]
        prospect.revise(split="held_out" if any(splits) else "train")
    return prospects


def _is_held_out(group: str, seed: int, share: float) -> bool:
    digest = hashlib.blake2b(f"{seed}:split:{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64
