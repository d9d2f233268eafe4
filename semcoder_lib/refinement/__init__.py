"""Self-refinement in rounds, with named feedback sources (sections 6.3 and C.1 of the paper).

A source of feedback is a row of `rounds.SOURCES`, an acceptance rule one of `rounds.ACCEPT`.
"""

from semcoder_lib.refinement.curve import Curve, State, atlas, curves_of
from semcoder_lib.refinement.rounds import (
    ACCEPT,
    SOURCES,
    Plan,
    feedbacks,
    offered,
    refine,
    refine_all,
    shown_solution,
    visible,
)
from semcoder_lib.refinement.tasks import (
    RefinementTask,
    from_benchmark,
    from_docstring,
    from_faults,
    run_checks,
)

__all__ = [
    "ACCEPT", "SOURCES", "Curve", "Plan", "RefinementTask", "State", "atlas", "curves_of",
    "feedbacks", "from_benchmark", "from_docstring", "from_faults",
    "offered", "refine", "refine_all", "run_checks", "shown_solution", "visible",
]  # fmt: skip
