"""Monologues: executions told in words, forwards and backwards, and checked (paper section 4.2)."""

from semcoder_lib.monologues.derive import (
    CONTROLS,
    DIRECTIONS,
    ablation,
    chosen_cases,
    derive_many,
    taught,
    to_hub,
)
from semcoder_lib.monologues.properties import infer
from semcoder_lib.monologues.search import Question
from semcoder_lib.monologues.style import STYLES, Property, Style
from semcoder_lib.monologues.verify import Report, study, verify, verify_rows
from semcoder_lib.monologues.writers import backward, backward_many, call_text, forward

__all__ = [
    "CONTROLS", "DIRECTIONS", "STYLES", "Property", "Question", "Report", "Style", "ablation",
    "backward", "backward_many", "call_text", "chosen_cases", "derive_many", "forward", "infer",
    "study", "taught", "to_hub", "verify", "verify_rows",
]  # fmt: skip
