"""Runs untrusted programs: isolated, bounded, and unable to forge a verdict.

See `docs/sandbox.md` for what is and is not protected.
"""

from semcoder_lib.sandbox.box import LEVELS, Sandbox, doctor_report, own
from semcoder_lib.sandbox.model import Job, Limits, Outcome, Raised
from semcoder_lib.sandbox.split import Test, run_many

__all__ = [
    "LEVELS",
    "Job",
    "Limits",
    "Outcome",
    "Raised",
    "Sandbox",
    "Test",
    "doctor_report",
    "own",
    "run_many",
]
