"""Candidates that a teacher wrote: proposed from snippets, repaired until they run, with the calls
that the teacher gave for them (paper section 3.1)."""

from __future__ import annotations

import ast
import collections
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import workspace
from semcoder_lib.core.records import Program
from semcoder_lib.corpus.alternate import alternate
from semcoder_lib.corpus.propose import propose
from semcoder_lib.corpus.seeds.packages import Candidate, hints
from semcoder_lib.corpus.seeds.packages.hints import Hint
from semcoder_lib.corpus.seeds.snippets import Seed, snippets
from semcoder_lib.models.teachers import Teacher, Usage

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox


@dataclass(slots=True)
class Taught:
    """The candidates; the fate of every snippet, in order; how the first solutions failed; how
    many ran after how many repairs."""

    candidates: list[Candidate] = field(default_factory=list)
    fates: list[dict[str, str]] = field(default_factory=list)
    errors: collections.Counter[str] = field(default_factory=collections.Counter)
    by_round: collections.Counter[int] = field(default_factory=collections.Counter)

    def row(self) -> dict[str, Any]:
        """The counts, for a funnel."""
        general = collections.Counter(f["fate"].partition(":")[0] for f in self.fates)
        return {
            "snippets": len(self.fates),
            "fates": dict(sorted(general.items())),
            "first_errors": dict(self.errors.most_common()),
            "ran_after_repairs": {str(k): n for k, n in sorted(self.by_round.items())},
        }


def taught(
    count: int,
    teacher: Teacher,
    box: Sandbox,
    *,
    seed: int = 0,
    repairs: int = 3,
    wanted: int = 30,
    cache: workspace.ItemCache | None = None,
    usage: Usage | None = None,
    sources: Iterable[Seed] | None = None,
) -> Taught:
    """What the teacher makes of `count` snippets of installed packages (or of `sources`).

    A solution that fails goes back with its error up to `repairs` times; then the teacher's inputs
    and mutations of them `alternate` until `wanted` of them run, and the teacher's become the first
    inputs of the corpus's own growth.
    Resumable through `cache`. Raises InfrastructureError when the teacher is gone (`teachers.ask`).
    """
    found = snippets(seed=seed) if sources is None else sources
    asked = list(itertools.islice(found, count))
    made = propose(asked, teacher, box, rounds=repairs, seed=seed, cache=cache, usage=usage)
    calls = alternate(
        made.programs, teacher, box, wanted=wanted, seed=seed, cache=cache, usage=usage
    )
    candidates = [
        candidate(program, (*some, *(e for e in examples if e not in some)))
        for (program, examples), some in zip(made.programs, calls, strict=True)
    ]
    return Taught(candidates, made.fates, made.errors, made.by_round)


def candidate(program: Program, examples: tuple[tuple[Any, ...], ...]) -> Candidate:
    """A teacher's program with its examples where a real function has its doctests: their types
    come first, what the text says of the arguments after them."""
    tree = ast.parse(program.source)
    function = next(
        n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == program.entry_point
    )
    read = hints.read(function, program.entry_point)
    seen = tuple(
        Hint((kind, *(t for t in hint.types if t != kind)), "doctest")
        for kind, hint in zip(program.argument_types, read.hints, strict=False)
    )
    signature = replace(read, hints=seen + read.hints[len(seen) :], examples=examples)
    return Candidate(replace(program, argument_types=(), types_from=""), signature)
