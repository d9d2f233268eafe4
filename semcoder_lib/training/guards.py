"""Guard rails: each ends a training that would fail silently, with one line that says why."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from semcoder_lib.training.rows import Config, Example, Row, Rows, TrainingStopped


def check_rows(rows: Rows, tokenizer: Any, config: Config, total: int) -> str:
    """Before the first step: rows there are, few overlong ones, an end token that is trained and is
    not the padding, enough tokens with loss. Returns what to print: the share of trained tokens
    and one decoded example. Raises TrainingStopped."""
    if config.overlong == "drop" and rows.overlong > config.max_overlong_share * total:
        raise TrainingStopped(
            f"{rows.overlong} of {total} rows are longer than max_length {config.max_length}, more "
            f"than the allowed share {config.max_overlong_share:.0%}: raise max_length or shorten "
            "the answers"
        )
    if not rows.rows:
        raise TrainingStopped(f"no rows to train on: {total} given, dropped {rows.dropped}")
    for kind, (given, left) in rows.kinds.items():
        if given >= config.whole_kind and not left:
            raise TrainingStopped(f"none of the {given} rows {kind!r} is left: {rows.dropped}")
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise TrainingStopped(
            f"the padding token is the end token ({tokenizer.eos_token}): the model would never "
            "learn to stop; give the tokenizer another pad_token"
        )
    unended = sum(row.ids[-1] != tokenizer.eos_token_id for row in rows.rows)
    if unended > config.max_overlong_share * len(rows.rows):
        raise TrainingStopped(
            f"{unended} of {len(rows.rows)} rows have no end token: their answers are cut off"
        )
    if rows.trained_share < config.min_trained_share:
        raise TrainingStopped(
            f"only {rows.trained_share:.1%} of the tokens carry loss, less than the floor "
            f"{config.min_trained_share:.1%}: the prompts are too long for their answers"
        )
    if all(row.prompt >= len(row.ids) - 1 for row in rows.rows):
        raise TrainingStopped("no row has a completion with tokens in it")
    dropped = f" (dropped: {rows.dropped})" if rows.dropped else ""
    share = f"{rows.trained_share:.1%} of {len(rows.rows)} rows' tokens are trained{dropped}"
    return f"{share}; one of them:\n{highlighted(rows.rows[0], tokenizer)}"


def highlighted(row: Row, tokenizer: Any) -> str:
    """A row decoded, its trained part between ⟦ and ⟧ (the end token shown)."""
    prompt, trained = row.ids[: row.prompt], row.ids[row.prompt :]
    return f"{tokenizer.decode(prompt)}⟦{tokenizer.decode(trained)}⟧"


def check_step(
    step: int, losses: Sequence[float], norm: float | None, vocabulary: int, config: Config
) -> None:
    """After every optimiser step: `losses` are the mean losses per trained token, in nats, of all
    steps so far, `norm` is the last one's gradient norm. Raises TrainingStopped on what cannot
    be."""
    loss, uniform = losses[-1], math.log(vocabulary)
    if not math.isfinite(loss):
        raise TrainingStopped(f"step {step}: the loss is {loss}; lower the learning rate")
    if norm is not None and not math.isfinite(norm):
        raise TrainingStopped(f"step {step}: the gradient norm is {norm}; lower learning_rate")
    if norm is not None and norm > config.max_norm_seen:
        raise TrainingStopped(
            f"step {step}: the gradient norm {norm:.3g} is above {config.max_norm_seen:g}"
        )
    if norm == 0.0:
        raise TrainingStopped(f"step {step}: the gradient is zero, nothing is being trained")
    if len(losses) >= config.uniform_after and min(losses[-3:]) >= uniform:
        raise TrainingStopped(
            f"step {step}: the loss {loss:.2f} is not below that of guessing evenly "
            f"({uniform:.2f} nats) after {len(losses)} steps: wrong tokenizer, wrong labels or too "
            "high a learning rate"
        )


def same_prompt(example: Example, asked: Sequence[str]) -> None:
    """Raises TrainingStopped where the prompt of a row is, byte for byte, none of those that the
    evaluation asks about its program; shows where it parts from the first of them."""
    if example.prompt not in asked:
        same = os.path.commonprefix([example.prompt, asked[0]])  # noqa: RUF071  (by character)
        place = len(same)
        ours, theirs = example.prompt[place : place + 20], asked[0][place : place + 20]
        raise TrainingStopped(
            f"{example.id}: the training prompt differs from the evaluation prompt at character "
            f"{place}: {ours!r} and {theirs!r}"
        )
