"""Checks a monologue from anywhere, claim by claim, from its text alone.

Imports none of the writers (forward, backward, properties and what they use), so a mistake of
theirs cannot hide itself here. Shared are the table of sentences (`forms`) and the evaluator of
expressions.
"""

from semcoder_lib.monologues.verify.check import study, verify, verify_rows
from semcoder_lib.monologues.verify.fresh import Trials
from semcoder_lib.monologues.verify.report import Report

__all__ = ["Report", "Trials", "study", "verify", "verify_rows"]
