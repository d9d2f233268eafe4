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
        every = sum(len(r.ids) for r in self.rows)
        return sum(len(r.ids) - r.prompt for r in self.rows) / every if every else 0.0


def tokenise(examples: Sequence[Example], tokenizer: Any, config: Config) -> Rows:
    """Prompt and completion tokenised apart and joined, an end token after the completion (paper,
    section 4, and the authors' `dataset.py`). A row longer than `max_length` is dropped, or with
    `overlong="cut"` cut at its end, which takes the end token away. Raises UserError for an
    example without prompt or completion."""
    made = Rows()
    for example in examples:
        if not example.prompt or not example.completion:
            raise UserError(f"training row {example.id!r}: prompt and completion must not be empty")
        prompt = tokens.encode_prompt(tokenizer, example.prompt)
        ids = prompt + tokens.encode_completion(tokenizer, example.completion)
        if len(ids) > config.max_length:
            made.overlong += 1
            reason = "overlong" if config.overlong == "drop" else "cut"
            if len(prompt) >= config.max_length:
                reason = "prompt_overlong"  # nothing of its completion would be left to learn
            made.dropped[reason] = made.dropped.get(reason, 0) + 1
            if reason != "cut":
                continue
            ids = ids[: config.max_length]
        made.rows.append(Row(example.id, ids, len(prompt)))
    return made


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
    made: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for i in order:
        longest_now = max(longest, len(rows[i].ids))
        full = longest_now * (len(current) + 1) > micro_tokens
        if current and (len(current) == micro_rows if micro_rows else full):
            made.append(current)
            current, longest_now = [], len(rows[i].ids)
        current.append(i)
        longest = longest_now
    if current:
        made.append(current)
    rng.shuffle(made)
    return made


def rows_at_once(rows: Sequence[Row], micro_tokens: int, batch_rows: int) -> int:
    """The most rows that divide a batch of `batch_rows` evenly and fit in `micro_tokens` with any
    of these rows among them; one at least, and 0 where batches are counted in tokens."""
    fit = micro_tokens // max((len(row.ids) for row in rows), default=1)
    return max((n for n in range(1, min(max(1, fit), batch_rows) + 1) if batch_rows % n == 0),
               default=0)  # fmt: skip


def plan(
    rows: Sequence[Row], micro_tokens: int, config: Config, *, pieces: int, micro_rows: int = 0
) -> tuple[list[list[int]], int]:
    """The batches of a whole training and its number of optimiser steps; a step takes `pieces`
    batches, and no step is left with fewer."""
    made: list[list[int]] = []
    epoch = 0
    first = batches(rows, micro_tokens, seed=config.seed, epoch=0, micro_rows=micro_rows)
    # at least one step, even where the data do not fill it
    wanted = config.steps * pieces if config.steps else round(len(first) * config.epochs)
    wanted = max(pieces, wanted // pieces * pieces)
    while len(made) < wanted:
        made += batches(rows, micro_tokens, seed=config.seed, epoch=epoch, micro_rows=micro_rows)
        epoch += 1
    return made[:wanted], wanted // pieces


class Collator:
    """Pads the rows of one planned batch on the right."""

    def __init__(self, rows: Sequence[Row], pad: int) -> None:
        self.rows = rows
        self.pad = pad

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch

        chosen = [self.rows[i] for item in items for i in item["rows"]]
        width = max(len(row.ids) for row in chosen)
        ids = [row.ids + [self.pad] * (width - len(row.ids)) for row in chosen]
        mask = [[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in chosen]
        labels = [row.labels() + [IGNORED] * (width - len(row.ids)) for row in chosen]
        return {
            "input_ids": torch.tensor(ids),
            "attention_mask": torch.tensor(mask),
            "labels": torch.tensor(labels),
        }
