"""What is trained on and how: examples, token rows, batches of even length, and what came of it."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from semcoder_lib.core.errors import SemcoderError, UserError
from semcoder_lib.models import tokens

IGNORED = -100
_MICRO_TOKENS = {"cpu": 2048, "cuda": 16_384}


class TrainingStopped(SemcoderError):
    """A guard rail ended the training; the message says which and why."""

    exit_status = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One row: the loss is on `completion` (and the end token after it), never on `prompt`.
    `prompt` is to be the very string that evaluation gives the model."""

    id: str
    task: str
    prompt: str
    completion: str


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Config:
    """How to train. The paper's values are in the profile `paper` (section 5).

    `steps`: optimiser steps; 0 takes them from `epochs`. A step sees about `batch_tokens` tokens
    (padding included) in pieces of `micro_tokens` (0: chosen for the device); with `batch_rows` it
    sees so many rows instead, as the paper counts. `lora_rank` 0 trains all weights.
    `overlong`: rows longer than `max_length` are dropped (`drop`) or cut at the end as the
    authors' code does (`cut`); both are counted. The last block holds the guard rails' limits.
    """

    steps: int = Field(default=0, ge=0)
    epochs: float = Field(default=1.0, gt=0)
    learning_rate: float = 5e-4
    min_learning_rate: float = Field(default=5e-5, ge=0)
    warmup_share: float = 0.05
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    batch_tokens: int = 2048
    batch_rows: int = 0
    micro_tokens: int = 0
    max_length: int = Field(default=1024, ge=8)
    overlong: Literal["drop", "cut"] = "drop"
    lora_rank: int = Field(default=16, ge=0)
    lora_alpha: int = 32
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: int | None = None
    gradient_checkpointing: bool | None = None
    save_steps: int = 0
    seed: int = 0
    # guard rails
    min_trained_share: float = 0.02
    max_overlong_share: float = 0.3
    uniform_after: int = 5
    max_norm_seen: float = 1e4
    stop_check: int = 16
    whole_kind: int = 20  # rows of one task that are not all lost by chance

    def __post_init__(self) -> None:
        for rule, holds in {
            "min_learning_rate <= learning_rate": self.min_learning_rate <= self.learning_rate,
            "max_length <= batch_tokens": self.batch_rows or self.batch_tokens >= self.max_length,
        }.items():
            if not holds:
                raise UserError(f"training: it must hold that {rule}")


@dataclass(frozen=True, slots=True)
class Result:
    """What a training did, over all of it however often it was resumed. `adapter` is the folder to
    load (of a full model where all weights were trained). Tokens are real ones, without padding;
    `trained_tokens` are those with loss; `losses` are [step, loss] pairs; `seconds` is the wall
    time of the steps."""

    adapter: str
    steps: int
    loss_first: float
    loss_last: float
    tokens: int
    trained_tokens: int
    seconds: float
    rows: int
    dropped: dict[str, int] = field(default_factory=dict)
    resumed_at: int = 0
    stopped_by_itself: float | None = None
    held_out_loss: float | None = None
    losses: list[list[float]] = field(default_factory=list)
    hardware: dict[str, Any] = field(default_factory=dict)

    def outcome(self) -> dict[str, Any]:
        """What was learned, with the curve: the same whenever, and however fast, it was trained."""
        varying = ("adapter", "seconds", "resumed_at", "hardware")
        return {name: value for name, value in asdict(self).items() if name not in varying}


@dataclass(frozen=True, slots=True)
class Job:
    """What to train: `folder` has the base's weights, `start` is the adapter to go on from, and
    `key` names all that decides the result."""

    base: str
    folder: str
    start: Path | None
    out: Path
    config: Config
    key: str

    @property
    def base_name(self) -> str:
        """The base as others may call it: of a file or folder of this machine the name alone."""
        return Path(self.base).name if Path(self.base).exists() else self.base

    @property
    def checkpoints(self) -> Path:
        return self.out / "checkpoints"


# --- from text to token rows, and from rows to batches ---


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
    """Tokenised examples, and what became of the others. `kinds` counts for each task how many
    were given and how many are left."""

    rows: list[Row] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    overlong: int = 0
    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def trained_share(self) -> float:
        """Tokens with loss, of all tokens."""
        total = sum(len(r.ids) for r in self.rows)
        return sum(len(r.ids) - r.prompt for r in self.rows) / total if total else 0.0


def tokenise(examples: Sequence[Example], tokenizer: Any, config: Config) -> Rows:
    """Prompt and completion tokenised apart and joined, an end token after the completion (paper,
    section 4, and the authors' `dataset.py`). The name of a special token in a completion is text
    like any other; in a prompt an end token may stand, as it does after each turn of a chat.
    Dropped and counted are rows with a lone surrogate (no tokenizer takes it), and those longer
    than `max_length`, which `overlong="cut"` cuts at the end instead, end token and all. Raises
    UserError for an example without prompt or completion."""
    result = Rows()
    for example in examples:
        if not example.prompt or not example.completion:
            raise UserError(f"training row {example.id!r}: prompt and completion must not be empty")
        fate, row = _row(example, tokenizer, config)
        result.overlong += fate in ("overlong", "prompt_overlong", "cut")
        if fate:
            result.dropped[fate] = result.dropped.get(fate, 0) + 1
        given, left = result.kinds.get(example.task, (0, 0))
        result.kinds[example.task] = given + 1, left + (row is not None)
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
    if end in completion[:-1]:
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


@dataclass(frozen=True, slots=True)
class Plan:
    """The `batches` of a whole training, as indices of rows. An optimiser step takes `accumulate`
    of them in each process, and none is left with fewer; a batch has at most `micro_tokens`."""

    batches: list[list[int]]
    steps: int
    accumulate: int
    micro_tokens: int


def planned(rows: Sequence[Row], config: Config, device: str, processes: int = 1) -> Plan:
    """The plan of a training. With `batch_rows` a batch has the most rows that divide a step evenly
    and fit with any of these rows among them; one at least."""
    step, most = config.batch_tokens, config.micro_tokens or _MICRO_TOKENS[device]
    micro = step // math.ceil(step / most)  # so that the pieces are equal and make a whole step
    fit = max(1, micro // max((len(row.ids) for row in rows), default=1))
    counts = range(1, min(fit, config.batch_rows) + 1)
    micro_rows = max((n for n in counts if config.batch_rows % n == 0), default=0)
    share = config.batch_rows / micro_rows if micro_rows else step / micro
    accumulate = max(1, round(share / processes))
    pieces = accumulate * processes
    epochs = (
        batches(rows, micro, seed=config.seed, epoch=epoch, micro_rows=micro_rows)
        for epoch in itertools.count()
    )
    result = next(epochs)
    # at least one step, even where the data do not fill it
    wanted = config.steps * pieces if config.steps else round(len(result) * config.epochs)
    wanted = max(pieces, wanted // pieces * pieces)
    while len(result) < wanted:
        result += next(epochs)
    return Plan(result[:wanted], wanted // pieces, accumulate, micro)
