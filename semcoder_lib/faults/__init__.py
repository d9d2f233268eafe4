"""Builds PyX-R: faults, minimal evidence, rationales, validated fixes (sections 3.3 and 3.4)."""

from semcoder_lib.faults.build import (
    accept,
    build,
    from_completions,
    read_hub,
    repaired,
    rewritten,
)
from semcoder_lib.faults.evidence import (
    Divergence,
    Evidence,
    divergence,
    failing,
    gather,
    shrunk,
)
from semcoder_lib.faults.mutate import Bug, altered, line_cause, line_map, mutate, normal_form
from semcoder_lib.faults.patterns import OPERATORS
from semcoder_lib.faults.rationale import TooLong, check, write
from semcoder_lib.faults.rows import (
    assertion,
    example,
    failed_test,
    from_assertions,
    from_hub,
    literal_test,
    refined_code,
    shown_trace,
    signature,
    task_description,
    to_hub,
)

__all__ = [
    "OPERATORS", "Bug", "Divergence", "Evidence", "TooLong",
    "accept", "altered", "assertion", "build", "check", "divergence", "example", "failed_test",
    "failing", "from_assertions", "from_completions", "from_hub", "gather", "line_cause",
    "line_map", "literal_test", "mutate", "normal_form", "read_hub", "refined_code",
    "repaired", "rewritten", "shown_trace", "shrunk", "signature", "task_description", "to_hub",
    "write",
]  # fmt: skip
