"""Builds PyX-R: faults, minimal evidence, rationales, validated fixes (sections 3.3 and 3.4)."""

from semcoder_lib.faults.build import accept, build, from_completions, read_hub, repaired, validate
from semcoder_lib.faults.check import RationaleReport, check
from semcoder_lib.faults.divergence import Divergence, divergence
from semcoder_lib.faults.evidence import Evidence, Failing, failing, gather
from semcoder_lib.faults.mutate import Bug, altered, line_cause, line_map, mutate, normal_form
from semcoder_lib.faults.operators import OPERATORS
from semcoder_lib.faults.rationale import TooLong, write
from semcoder_lib.faults.rows import (
    example,
    failed_test,
    from_hub,
    opening,
    refined_code,
    shown_trace,
    signature,
    task_description,
    to_hub,
)
from semcoder_lib.faults.teacher import rewritten

__all__ = [
    "OPERATORS",
    "Bug",
    "Divergence",
    "Evidence",
    "Failing",
    "RationaleReport",
    "TooLong",
    "accept",
    "altered",
    "build",
    "check",
    "divergence",
    "example",
    "failed_test",
    "failing",
    "from_completions",
    "from_hub",
    "gather",
    "line_cause",
    "line_map",
    "mutate",
    "normal_form",
    "opening",
    "read_hub",
    "refined_code",
    "repaired",
    "rewritten",
    "shown_trace",
    "signature",
    "task_description",
    "to_hub",
    "validate",
    "write",
]
