"""Monologues: executions told in words, forwards and backwards, and checked (paper section 4.2)."""

from semcoder_lib.monologues.backward import Question, backward, backward_many
from semcoder_lib.monologues.derive import (
    CONTROLS,
    DIRECTIONS,
    ablation,
    chosen_cases,
    derive_many,
    taught,
    to_hub,
)
from semcoder_lib.monologues.forward import call_text, forward
from semcoder_lib.monologues.properties import infer
from semcoder_lib.monologues.style import STYLES, Property, Style
from semcoder_lib.monologues.verify import Report, study, verify, verify_rows

__all__ = [
    "CONTROLS",
    "DIRECTIONS",
    "STYLES",
    "Property",
    "Question",
    "Report",
    "Style",
    "ablation",
    "backward",
    "backward_many",
    "call_text",
    "chosen_cases",
    "derive_many",
    "forward",
    "infer",
    "study",
    "taught",
    "to_hub",
    "verify",
    "verify_rows",
]
