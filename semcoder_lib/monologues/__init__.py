"""Monologues: executions told in words, forwards and backwards, and checked (paper section 4.2)."""

from semcoder_lib.monologues.backward import Question, Witness, backward, backward_many, witnesses
from semcoder_lib.monologues.forward import call_text, forward, simulation
from semcoder_lib.monologues.properties import Property
from semcoder_lib.monologues.style import COMPACT, FAITHFUL, TEACHER, Style

__all__ = [
    "COMPACT",
    "FAITHFUL",
    "TEACHER",
    "Property",
    "Question",
    "Style",
    "Witness",
    "backward",
    "backward_many",
    "call_text",
    "forward",
    "simulation",
    "witnesses",
]
