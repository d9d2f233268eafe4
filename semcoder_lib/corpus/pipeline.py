"""One batch of candidates on its way into the corpus: types, inputs, cases, checks. A pure function
of the batch, so batches can be made anywhere and in any order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import records, values
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.corpus import decontaminate, duplicates, execute, grow, quality, trial
from semcoder_lib.corpus.execute import Failed, Ran, Request
from semcoder_lib.corpus.grow import Growing
from semcoder_lib.corpus.seeds.packages import Candidate

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

MIN_CASES = 5


@dataclass(frozen=True, slots=True)
class Made:
    """The fate of one candidate: an entry with its keys, or the reason why there is none."""

    program: Program
    reason: str = ""
    detail: str = ""
    entry: Entry | None = None
    exact: str = ""
    minhash: tuple[int, ...] = ()
    behaviour: str = ""

    def to_row(self) -> dict[str, Any]:
        """JSON data for a shard."""
        if self.entry is None:
            return {
                "reason": self.reason,
                "detail": self.detail,
                "program": records.to_row(self.program),
            }
        return {
            "entry": records.to_row(self.entry),
            "exact": self.exact,
            "minhash": list(self.minhash),
            "behaviour": self.behaviour,
        }


def process(
    candidates: Sequence[Candidate | Program],
    box: Sandbox,
    *,
    cases: int,
    seed: int,
    guard: Guard | None = None,
    second: Sandbox | None = None,
) -> list[Made]:
    """Takes a batch through trial, growth, choice and the second run; the fates in order. The
    second run is made in `second`, a sandbox with another seed of string hashes, if given."""
    fates: dict[int, Made] = {}
    programs: dict[int, Program] = {}
    examples: dict[int, tuple[tuple[Any, ...], ...]] = {}
    _find_types(candidates, box, seed, programs, examples, fates)
    growing = {place: Growing.of(program) for place, program in programs.items()}
    _grow(growing, examples, box, cases, seed, fates)
    picked: dict[int, list[int]] = {}
    for place, state in growing.items():
        if place in fates:
            continue
        picks = grow.chosen(state, cases)
        why = quality.reason_against(state, picks, min(cases, MIN_CASES))
        if why:
            error = execute.commonest_error(state.ran) if why in quality.FAILING else ""
            fates[place] = Made(state.program, why, detail=error)
        else:
            picked[place] = picks
    openings = guard.openings(growing, picked) if guard is not None else {}
    opened = _run_again(growing, picked, second or box, fates, openings)
    made = {p: _made(growing[p], picks) for p, picks in picked.items() if p not in fates}
    if guard is not None:
        made = guard.filter(made, box, min(cases, MIN_CASES), fates, opened)
    fates.update(made)
    return [fates[place] for place in range(len(candidates))]


@dataclass(frozen=True, slots=True)
class Guard:
    """Benchmark items, indexed by text and by behaviour."""

    index: decontaminate.Index
    references: decontaminate.References

    def openings(
        self, growing: dict[int, Growing], picked: dict[int, list[int]]
    ) -> dict[int, list[str]]:
        """The inputs on which programs are compared with benchmark functions first."""
        made = {}
        for place, picks in picked.items():
            state = growing[place]
            kinds = decontaminate.kinds_of(values.decode(state.ran[i].text) for i in picks)
            some = decontaminate.suspects(state.program, kinds, self.references)
            made[place] = decontaminate.openings(some)
        return made

    def filter(
        self,
        made: dict[int, Made],
        box: Sandbox,
        least: int,
        fates: dict[int, Made],
        opened: dict[int, dict[str, Ran]],
    ) -> dict[int, Made]:
        """The entries that repeat no benchmark item; the others go to `fates` with the reason.
        `opened` is what programs gave on their `openings`, where that is known."""
        clean: dict[int, Made] = {}
        for place, one in made.items():
            assert one.entry is not None
            why = self.index.reason(one.program)
            if why:
                fates[place] = Made(one.program, "benchmark text", detail=why)
                continue
            cases = tuple(c for c in one.entry.cases if not self.index.known_pair(c))
            if len(cases) < least:
                fates[place] = Made(one.program, "benchmark cases")
                continue
            clean[place] = replace(one, entry=replace(one.entry, cases=cases))
        asked = [
            (m.program, decontaminate.kinds_of(c.output for c in m.entry.cases))
            for m in clean.values()
            if m.entry is not None
        ]
        known = [opened.get(place, {}) for place in clean]
        found = decontaminate.matches(asked, self.references, box, known)
        for place, name in zip(list(clean), found, strict=True):
            if name:
                one = clean.pop(place)
                fates[place] = Made(one.program, "benchmark behaviour", detail=f"computes {name}")
        return clean


def _find_types(
    candidates: Sequence[Candidate | Program],
    box: Sandbox,
    seed: int,
    programs: dict[int, Program],
    examples: dict[int, tuple[tuple[Any, ...], ...]],
    fates: dict[int, Made],
) -> None:
    asked: list[tuple[int, Candidate]] = []
    for place, candidate in enumerate(candidates):
        if isinstance(candidate, Program):
            programs[place] = candidate
        else:
            asked.append((place, candidate))
    while asked:
        again: list[tuple[int, Candidate]] = []
        trials = [trial.request(candidate, seed) for _, candidate in asked]
        answers = execute.run(box, (request for request, _ in trials))
        for (place, candidate), (_, tried), ran in zip(asked, trials, answers, strict=True):
            lazy = trial.materialised(candidate, ran)
            if lazy is not None:
                again.append((place, lazy))
                continue
            decided = trial.decide(candidate, tried, ran)
            if isinstance(decided, str):
                error = execute.commonest_error(ran)
                fates[place] = Made(candidate.program, decided, detail=error)
                continue
            programs[place] = decided
            arity = len(decided.argument_types)
            examples[place] = tuple(e for e in candidate.signature.examples if len(e) == arity)
        asked = again


def _grow(
    growing: dict[int, Growing],
    examples: dict[int, tuple[tuple[Any, ...], ...]],
    box: Sandbox,
    cases: int,
    seed: int,
    fates: dict[int, Made],
) -> None:
    waiting = [
        (place, grow.first_round(state, examples.get(place, ()), seed))
        for place, state in growing.items()
    ]
    while waiting:
        requests = (Request(growing[place].program, calls) for place, calls in waiting)
        again = []
        for (place, _), ran in zip(waiting, execute.run(box, requests), strict=True):
            state = growing[place]
            if isinstance(ran, Failed):
                fates[place] = Made(state.program, f"run: {ran.status.value}")
                continue
            state.ran.extend(ran)
            if state.rounds == 0 and not any(r.ok for r in ran):
                continue
            if grow.wants_more(state, cases):
                calls = grow.next_round(state, seed)
                if calls:
                    again.append((place, calls))
        waiting = again


def _run_again(
    growing: dict[int, Growing],
    picked: dict[int, list[int]],
    box: Sandbox,
    fates: dict[int, Made],
    openings: dict[int, list[str]],
) -> dict[int, dict[str, Ran]]:
    """Runs the chosen inputs in a fresh process, in reverse order and untraced: a program that
    keeps state, is random or depends on the order of hashes gives something else. The `openings`
    run after them in the same process, which saves one; returns what they gave. Where the two
    together exceed its limits, they run apart."""
    chosen = {p: [growing[p].texts[i] for i in reversed(picks)] for p, picks in picked.items()}
    asked = {p: openings.get(p, []) for p in picked}
    both = [decontaminate.request(growing[p].program, [*chosen[p], *asked[p]]) for p in picked]
    again: dict[int, list[Ran] | Failed] = {}
    opened: dict[int, dict[str, Ran]] = {}
    for place, ran in zip(picked, execute.run(box, both), strict=True):
        if not isinstance(ran, Failed):
            size = len(chosen[place])
            again[place] = ran[:size]
            opened[place] = dict(zip(asked[place], ran[size:], strict=True))
    apart = [p for p in picked if p not in again]
    alone = [Request(growing[p].program, chosen[p], coverage=False) for p in apart]
    again |= zip(apart, execute.run(box, alone), strict=True)
    singly = [decontaminate.request(growing[p].program, asked[p]) for p in apart]
    for place, parts in zip(apart, execute.one_by_one(box, singly), strict=True):
        opened[place] = dict(zip(asked[place], parts, strict=True))
    for place, ran in again.items():
        state = growing[place]
        if isinstance(ran, Failed):
            fates[place] = Made(state.program, f"second run: {ran.status.value}")
        elif not _equal(ran, [state.ran[i] for i in reversed(picked[place])]):
            fates[place] = Made(state.program, "second run differs")
    return opened


def _equal(again: Iterable[Ran], first: Iterable[Ran]) -> bool:
    return [(r.status, r.text) for r in again] == [(r.status, r.text) for r in first]


def _made(state: Growing, picks: list[int]) -> Made:
    program = state.program
    line, branch = state.coverage(picks)
    shared = [(r.status, r.text) for r in state.ran[: grow.PROBES]]
    cases = tuple(
        Case(
            state.tried[i],
            values.decode(state.ran[i].text),
            program_id=program.id,
            source=state.sources[i],
        )
        for i in picks
    )
    return Made(
        program,
        entry=Entry(program, cases, round(line, 4), round(branch, 4)),
        exact=duplicates.exact_key(program.source),
        minhash=tuple(duplicates.signature(program.source)),
        behaviour=duplicates.behaviour_key(program.argument_types, shared),
    )


def identified(candidate: Candidate) -> Candidate:
    """The candidate with an id made of where it comes from."""
    p = candidate.program.provenance
    stem = p.file.removesuffix(".py").replace("/", ".")
    name = f"{p.package}:{stem}.{candidate.program.entry_point}"
    return replace(candidate, program=replace(candidate.program, id=name))
