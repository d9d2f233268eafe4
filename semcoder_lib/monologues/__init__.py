"""Monologues: executions told in words, forwards and backwards, and checked (paper section 4.2)."""

from semcoder_lib.monologues.ablation import CONTROLS, ablation
from semcoder_lib.monologues.backward import Question, backward, backward_many
from semcoder_lib.monologues.derive import DIRECTIONS, chosen_cases, derive_many
from semcoder_lib.monologues.hub import from_hub, to_hub
from semcoder_lib.monologues.properties import infer, infer_many
from semcoder_lib.monologues.style import (
    COMPACT,
    DENSE,
    FAITHFUL,
    STYLES,
    TEACHER,
    TERSE,
    Property,
    Style,
)
from semcoder_lib.monologues.taught import taught
from semcoder_lib.monologues.verify import Report, study, verify, verify_rows
from semcoder_lib.monologues.write.forward import call_text, forward

__all__ = [
    "COMPACT",
    "CONTROLS",
    "DENSE",
    "DIRECTIONS",
    "FAITHFUL",
    "STYLES",
    "TEACHER",
    "TERSE",
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
    "from_hub",
    "infer",
    "infer_many",
    "study",
    "taught",
    "to_hub",
    "verify",
    "verify_rows",
]
