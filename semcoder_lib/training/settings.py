"""What to train on, how, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from semcoder_lib.core.errors import SemcoderError, UserError


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


@dataclass(frozen=True, slots=True)
class Config:
    """How to train. The paper's values are in the profile `paper` (section 5).

    `method`: `lora` or `full`. `steps`: optimiser steps; 0 takes them from `epochs`. A step sees
    about `batch_tokens` tokens (padding included) in pieces of `micro_tokens` (0: chosen for the
    device); with `batch_rows` it sees so many rows instead, as the paper counts.
    `overlong`: rows longer than `max_length` are dropped (`drop`) or cut at the end as the
    authors' code does (`cut`); both are counted. `report_to`: `none`, `tensorboard`,
    `trackio`. The last block holds the guard rails' limits.
    """

    method: str = "lora"
    steps: int = 0
    epochs: float = 1.0
    learning_rate: float = 5e-4
    min_learning_rate: float = 5e-5
    warmup_share: float = 0.05
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    batch_tokens: int = 2048
    batch_rows: int = 0
    micro_tokens: int = 0
    max_length: int = 1024
    overlong: str = "drop"
    lora_rank: int = 16
    lora_alpha: int = 32
    dtype: str = "auto"
    threads: int | None = None
    gradient_checkpointing: bool | None = None
    save_steps: int = 0
    report_to: str = "none"
    seed: int = 0
    # guard rails
    min_trained_share: float = 0.02
    max_overlong_share: float = 0.3
    uniform_after: int = 5
    max_norm_seen: float = 1e4
    stop_check: int = 16

    def __post_init__(self) -> None:
        for name, known in (
            ("method", ("lora", "full")),
            ("overlong", ("drop", "cut")),
            ("report_to", ("none", "tensorboard", "trackio")),
            ("dtype", ("auto", "float32", "bfloat16")),
        ):
            if (value := getattr(self, name)) not in known:
                raise UserError(f"training: {name} {value!r}: choose from {', '.join(known)}")
        if self.steps < 0 or self.epochs <= 0:
            raise UserError("training: steps must not be negative and epochs must be positive")
        if not 0 <= self.min_learning_rate <= self.learning_rate:
            raise UserError(
                f"training: min_learning_rate {self.min_learning_rate} must lie between 0 and "
                f"learning_rate {self.learning_rate}"
            )
        if self.max_length < 8 or (self.batch_tokens < self.max_length and not self.batch_rows):
            raise UserError(
                f"training: batch_tokens {self.batch_tokens} must be at least max_length "
                f"{self.max_length}, and that at least 8"
            )


@dataclass(frozen=True, slots=True)
class Result:
    """What a training did, over all of it however often it was resumed. `adapter` is the folder to
    load (of a full model when `method` is `full`). Tokens are real ones, without padding;
    `trained_tokens` are those with loss; `losses` are [step, loss] pairs; `seconds` is the wall
    time of the steps."""

    adapter: str
    steps: int
    loss_first: float
    loss_last: float
    tokens: int
    trained_tokens: int
    padded_tokens: int
    seconds: float
    rows: int
    dropped: dict[str, int] = field(default_factory=dict)
    resumed_at: int = 0
    stopped_by_itself: float | None = None
    held_out_loss: float | None = None
    losses: list[list[float]] = field(default_factory=list)
    peak_mb: float = 0.0
    hardware: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_per_second(self) -> float:
        """Real tokens, prompt and completion, per wall second of the steps."""
        return self.tokens / max(self.seconds, 1e-3)

    def summary(self) -> dict[str, Any]:
        """Everything but the place of the files and the curve, for cards and tables."""
        row = asdict(self)
        del row["adapter"], row["losses"]
        return {**row, "tokens_per_second": self.tokens_per_second}

    def outcome(self) -> dict[str, Any]:
        """What was learned, with the curve: the same whenever, and however fast, it was trained."""
        varying = ("adapter", "seconds", "resumed_at", "peak_mb", "hardware")
        return {name: value for name, value in asdict(self).items() if name not in varying}
