"""Builds PyX-R: faults, minimal evidence, rationales, validated fixes (sections 3.3 and 3.4)."""

from semcoder_lib.faults.build import accept, build
from semcoder_lib.faults.check import RationaleReport, check
from semcoder_lib.faults.completions import code_of, from_completions, repaired
from semcoder_lib.faults.divergence import Divergence, divergence
from semcoder_lib.faults.evidence import Dropped
from semcoder_lib.faults.hub import from_hub, to_hub
from semcoder_lib.faults.mutate import Mutant, altered, line_cause, line_map, mutate, normal_form
from semcoder_lib.faults.operators import OPERATORS
from semcoder_lib.faults.rationale import Evidence, TooLong, write
from semcoder_lib.faults.teacher import Budget, rewritten
from semcoder_lib.faults.text import (
    example,
    failed_test,
    opening,
    refined_code,
    shown_trace,
    signature,
    task_description,
)
from semcoder_lib.faults.validate import validate

__all__ = [
    "OPERATORS",
    "Budget",
    "Divergence",
    "Dropped",
    "Evidence",
    "Mutant",
    "RationaleReport",
    "TooLong",
    "accept",
    "altered",
    "build",
    "check",
    "code_of",
    "divergence",
    "example",
    "failed_test",
    "from_completions",
    "from_hub",
    "line_cause",
    "line_map",
    "mutate",
    "normal_form",
    "opening",
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
