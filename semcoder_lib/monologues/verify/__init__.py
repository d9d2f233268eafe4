"""Checks a monologue from anywhere, claim by claim, from its text alone.

Shares no code with the writers (`forward`, `backward`, `properties`) and imports none of them, so
a mistake of theirs cannot hide itself here.
"""

from semcoder_lib.monologues.verify.check import verify
from semcoder_lib.monologues.verify.report import Report

__all__ = ["Report", "verify"]
