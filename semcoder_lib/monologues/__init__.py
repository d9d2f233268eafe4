"""Monologues: executions told in words, forwards and backwards, and checked (paper section 4.2)."""

from semcoder_lib.monologues.ablation import ablation
from semcoder_lib.monologues.backward import Question, Witness, backward, backward_many, witnesses
from semcoder_lib.monologues.derive import DIRECTIONS, chosen_cases, derive_many
from semcoder_lib.monologues.forward import call_text, forward, simulation
from semcoder_lib.monologues.hub import from_hub, to_hub
from semcoder_lib.monologues.properties import infer, infer_many
from semcoder_lib.monologues.property import Property
from semcoder_lib.monologues.style import COMPACT, FAITHFUL, TEACHER, Style
from semcoder_lib.monologues.taught import taught
from semcoder_lib.monologues.verify import Report, study, verify, verify_items, verify_rows

__all__ = [
    "COMPACT",
    "DIRECTIONS",
    "FAITHFUL",
    "TEACHER",
    "Property",
    "Question",
    "Report",
    "Style",
    "Witness",
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
    "simulation",
    "study",
    "taught",
    "to_hub",
    "verify",
    "verify_items",
    "verify_rows",
    "witnesses",
]
