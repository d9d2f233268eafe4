"""How near the parts of a corpus come to the benchmarks' solutions (the paper's figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz, process, utils

from semcoder_lib.core.records import Entry
from semcoder_lib.evaluation.answers import sample_tasks
from semcoder_lib.evaluation.base import get
from semcoder_lib.evaluation.data import Missing

BENCHMARKS = {"humaneval": "HumanEval", "mbpp": "MBPP"}


def similarity(
    parts: Mapping[str, Sequence[Entry]], sample: int = 32
) -> dict[str, dict[str, list[float]]]:
    """For each benchmark at hand, and each part of the corpus, the edit similarity of up to
    `sample` programs to the reference solution that is nearest to each: the paper's
    `partial_token_sort_ratio`, from 0 to 1."""
    panels = {}
    for name, title in BENCHMARKS.items():
        try:
            tasks = get(name).load()
        except Missing:
            continue
        solutions = [
            utils.default_process(f"{t.data.get('prompt', '')}{t.data['canonical_solution']}")
            for t in tasks
        ]
        panels[title] = {
            part: [_nearest(e.program.source, solutions) for e in sample_tasks(entries, sample, 0)]
            for part, entries in parts.items()
        }
    return panels


def _nearest(source: str, solutions: Sequence[str]) -> float:
    found = process.extractOne(
        utils.default_process(source), solutions, scorer=fuzz.partial_token_sort_ratio
    )
    return float(found[1]) / 100
