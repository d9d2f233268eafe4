"""Supervised fine-tuning on TRL and PEFT that cannot fail silently (paper, sections 4 and 5)."""

from __future__ import annotations

from semcoder_lib.training.guards import same_prompt
from semcoder_lib.training.rows import Config, Example, Result, TrainingStopped
from semcoder_lib.training.train import train

__all__ = [
    "Config",
    "Example",
    "Result",
    "TrainingStopped",
    "same_prompt",
    "train",
]
