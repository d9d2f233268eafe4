"""Runs untrusted programs: isolated, bounded, and unable to forge a verdict.

See `docs/sandbox.md` for what is and is not protected.
"""

from semcoder_lib.sandbox.box import Sandbox
from semcoder_lib.sandbox.model import Job, Limits, Outcome, Raised

__all__ = ["Job", "Limits", "Outcome", "Raised", "Sandbox"]
