"""Self-refinement in rounds, with named feedback sources (sections 6.3 and C.1 of the paper).

A source of feedback is a row of `sources.SOURCES`, an acceptance rule one of `rounds.ACCEPT`.
"""

from semcoder_lib.refinement.checks import Check, from_assertions, from_docstring
from semcoder_lib.refinement.curve import Curve, State, atlas, compare
from semcoder_lib.refinement.rounds import ACCEPT, Plan, refine, refine_all
from semcoder_lib.refinement.sources import SOURCES
from semcoder_lib.refinement.tasks import (
    RefinementTask,
    from_benchmark,
    from_entries,
    from_faults,
)

__all__ = [
    "ACCEPT",
    "SOURCES",
    "Check",
    "Curve",
    "Plan",
    "RefinementTask",
    "State",
    "atlas",
    "compare",
    "from_assertions",
    "from_benchmark",
    "from_docstring",
    "from_entries",
    "from_faults",
    "refine",
    "refine_all",
]
