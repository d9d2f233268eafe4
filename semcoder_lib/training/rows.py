"""From text to token rows, and from rows to batches of even length."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.models import tokens
from semcoder_lib.training.settings import Config, Example

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Row:
    """The ids of prompt and completion; the first `prompt` of them carry no loss."""

    id: str
    ids: list[int]
    prompt: int

    def labels(self) -> list[int]:
        """The ids again, `IGNORED` where there is no loss."""
        return [IGNORED] * self.prompt + self.ids[self.prompt :]


@dataclass(slots=True)
class Rows:
    """Tokenised examples, and what became of the others."""

    rows: list[Row] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    overlong: int = 0

    @property
    def trained_share(self) -> float:
        """Tokens with loss, of all tokens."""
        total = sum(len(r.ids) for r in self.rows)
        return sum(len(r.ids) - r.prompt for r in self.rows) / total if total else 0.0


def tokenise(examples: Sequence[Example], tokenizer: Any, config: Config) -> Rows:
    """Prompt and completion tokenised apart and joined, an end token after the completion (paper,
    section 4, and the authors' `dataset.py`). The name of a special token in a completion is text
    like any other. Dropped and counted are rows with a lone surrogate (no tokenizer takes it), with
    an end token in the prompt, and those longer than `max_length`, which `overlong="cut"` cuts at
    the end instead, end token and all. Raises UserError for an example without prompt or
    completion."""
    result = Rows()
    for example in examples:
        if not example.prompt or not example.completion:
            raise UserError(f"training row {example.id!r}: prompt and completion must not be empty")
        fate, row = _row(example, tokenizer, config)
        result.overlong += fate in ("overlong", "prompt_overlong", "cut")
        if fate:
            result.dropped[fate] = result.dropped.get(fate, 0) + 1
        if row is not None:
            result.rows.append(row)
    return result


def _row(example: Example, tokenizer: Any, config: Config) -> tuple[str, Row | None]:
    """What is to be counted of an example, and its row if it has one."""
    try:
        (example.prompt + example.completion).encode()
    except UnicodeEncodeError:
        return "lone_surrogate", None
    prompt = tokens.encode_prompt(tokenizer, example.prompt)
    completion = tokens.encode_completion(tokenizer, example.completion)
    end = tokenizer.eos_token_id
    if end in prompt[1:] or end in completion[:-1]:  # some tokenizers begin texts with it
        return "end_token_inside", None
    row = Row(example.id, prompt + completion, len(prompt))
    if len(row.ids) <= config.max_length:
        return "", row
    if len(prompt) >= config.max_length:
        return "prompt_overlong", None  # nothing of its completion would be left to learn
    if config.overlong == "drop":
        return "overlong", None
    return "cut", Row(row.id, row.ids[: config.max_length], row.prompt)


def batches(
    rows: Sequence[Row], micro_tokens: int, *, seed: int, epoch: int, micro_rows: int = 0
) -> list[list[int]]:
    """Every row once, as batches of indices whose padded size is at most `micro_tokens` (one row
    at least), or of `micro_rows` rows each; rows of like length together, in random order. The
    same seed and epoch give the same batches."""
    rng = random.Random(f"{seed}:batches:{epoch}")
    order = list(range(len(rows)))
    rng.shuffle(order)  # so that rows of equal length meet different neighbours every epoch
    order.sort(key=lambda i: len(rows[i].ids) // 8)
    result: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for i in order:
        longest = max(longest, len(rows[i].ids))
        full = len(current) == micro_rows if micro_rows else (
            longest * (len(current) + 1) > micro_tokens
        )  # fmt: skip
        if current and full:
            result.append(current)
            current, longest = [], len(rows[i].ids)
        current.append(i)
    if current:
        result.append(current)
    rng.shuffle(result)
    return result


def rows_at_once(rows: Sequence[Row], micro_tokens: int, batch_rows: int) -> int:
    """The most rows that divide a batch of `batch_rows` evenly and fit in `micro_tokens` with any
    of these rows among them; one at least, and 0 where batches are counted in tokens."""
    fit = max(1, micro_tokens // max((len(row.ids) for row in rows), default=1))
    return max((n for n in range(1, min(fit, batch_rows) + 1) if batch_rows % n == 0), default=0)


def plan(
    rows: Sequence[Row], micro_tokens: int, config: Config, *, pieces: int, micro_rows: int = 0
) -> tuple[list[list[int]], int]:
    """The batches of a whole training and its number of optimiser steps; a step takes `pieces`
    batches, and no step is left with fewer."""
    result: list[list[int]] = []
    epoch = 0
    first = batches(rows, micro_tokens, seed=config.seed, epoch=0, micro_rows=micro_rows)
    # at least one step, even where the data do not fill it
    wanted = config.steps * pieces if config.steps else round(len(first) * config.epochs)
    wanted = max(pieces, wanted // pieces * pieces)
    while len(result) < wanted:
        result += batches(rows, micro_tokens, seed=config.seed, epoch=epoch, micro_rows=micro_rows)
        epoch += 1
    return result[:wanted], wanted // pieces
