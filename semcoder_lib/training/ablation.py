"""The rows of the ablation of formats (paper, section 6.2, table 2): the same executions in every
format, and how many of them each arm of the comparison gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.core.records import Monologue, Program, Trace
from semcoder_lib.models import tokens
from semcoder_lib.training.rows import tokenise
from semcoder_lib.training.settings import Config, Example

Pools = dict[str, list[Example]]
"""Rows by format; the n-th row of every format tells the same execution."""


def rows_by_format(
    executions: Sequence[tuple[Program, Monologue, Trace]],
    formats: Sequence[str],
    *,
    tokenizer: Any,
    config: Config,
    seed: int = 0,
    style: str = "clean",
) -> Pools:
    """Every execution as a row in each of the formats. An execution whose row would be too long for
    the training in one of them is left out of all, so that the arms differ in form only."""
    pools: Pools = {format: [] for format in formats}
    for program, monologue, trace in executions:
        rows = []
        for format in formats:
            prompt, completion = monologues.ablation(
                program, monologue.case, trace, format,
                monologue=monologue, seed=seed, prompt_style=style,
            )  # fmt: skip
            rows.append(Example(f"{program.id}:{format}", "forward", prompt, completion))
        if len(tokenise(rows, tokenizer, config).rows) == len(formats):
            for format, row in zip(formats, rows, strict=True):
                pools[format].append(row)
    return pools


def equal_examples(pools: Pools, format: str, count: int, seed: int) -> list[Example]:
    """`count` rows of a format: the same executions for every format, others for every seed, where
    the pool is large enough."""
    return _turned(pools[format], count, seed)[:count]


def equal_tokens(
    pools: Pools, format: str, count: int, seed: int, tokenizer: Any
) -> tuple[list[Example], float]:
    """Rows of a format with as many trained tokens as the longest format has in `count` rows, and
    how often they are to be gone through (more than once where the pool is too small)."""

    def trained(rows: Sequence[Example]) -> Iterator[int]:
        for row in rows:
            yield len(tokens.encode_completion(tokenizer, row.completion))

    turned: Mapping[str, list[Example]] = {f: _turned(p, count, seed) for f, p in pools.items()}
    budget = max(sum(trained(rows[:count])) for rows in turned.values())
    taken = reached = 0
    for size in trained(turned[format]):
        taken, reached = taken + 1, reached + size
        if reached >= budget:
            break
    return turned[format][:taken], max(1.0, budget / reached)


def _turned(pool: list[Example], count: int, seed: int) -> list[Example]:
    start = seed * count % max(len(pool), 1)
    return [*pool[start:], *pool[:start]]
