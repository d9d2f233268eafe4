"""Builds PyX-R: faults, minimal evidence, rationales, validated fixes (sections 3.3 and 3.4)."""

from semcoder_lib.pyx_r.align import line_map
from semcoder_lib.pyx_r.build import accept, build
from semcoder_lib.pyx_r.check import RationaleReport, check
from semcoder_lib.pyx_r.completions import code_of, from_completions, repaired
from semcoder_lib.pyx_r.divergence import Divergence, divergence
from semcoder_lib.pyx_r.fix import refined_code
from semcoder_lib.pyx_r.hub import from_hub, to_hub
from semcoder_lib.pyx_r.mutate import Mutant, altered, mutate, normal_form
from semcoder_lib.pyx_r.operators import OPERATORS
from semcoder_lib.pyx_r.rationale import Evidence, TooLong, write
from semcoder_lib.pyx_r.teacher import Budget, rewritten
from semcoder_lib.pyx_r.text import example, failed_test, signature, task_description
from semcoder_lib.pyx_r.validate import validate

__all__ = [
    "OPERATORS",
    "Budget",
    "Divergence",
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
    "line_map",
    "mutate",
    "normal_form",
    "refined_code",
    "repaired",
    "rewritten",
    "signature",
    "task_description",
    "to_hub",
    "validate",
    "write",
]
