"""Self-refinement in rounds, with named feedback sources (sections 6.3 and C.1 of the paper).

A source of feedback is a row of `sources.SOURCES`, an acceptance rule one of `rounds.ACCEPT`.
"""

from semcoder_lib.refinement.checks import Check, from_assertions, from_docstring, run_checks
from semcoder_lib.refinement.curve import Curve, State, atlas, compare, curves_of
from semcoder_lib.refinement.rounds import ACCEPT, Plan, offered, refine, refine_all
from semcoder_lib.refinement.sources import SOURCES, feedbacks, shown_solution, visible
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
    "curves_of",
    "feedbacks",
    "from_assertions",
    "from_benchmark",
    "from_docstring",
    "from_entries",
    "from_faults",
    "offered",
    "refine",
    "refine_all",
    "run_checks",
    "shown_solution",
    "visible",
]
