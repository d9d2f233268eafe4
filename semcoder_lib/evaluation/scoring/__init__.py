"""Numbers from verdicts: pass@k, intervals, paired tests, preflight, stability, comparison."""

from semcoder_lib.evaluation.scoring.compare import (
    Comparison,
    compare,
    compare_command,
    read_verdicts,
)
from semcoder_lib.evaluation.scoring.estimates import Interval, mean_interval, pass_at_k, task_rates
from semcoder_lib.evaluation.scoring.paired import McNemar, mcnemar, paired_difference
from semcoder_lib.evaluation.scoring.preflight import Preflight, preflight, require
from semcoder_lib.evaluation.scoring.stability import flip_rate

__all__ = [
    "Comparison",
    "Interval",
    "McNemar",
    "Preflight",
    "compare",
    "compare_command",
    "flip_rate",
    "mcnemar",
    "mean_interval",
    "paired_difference",
    "pass_at_k",
    "preflight",
    "read_verdicts",
    "require",
    "task_rates",
]
