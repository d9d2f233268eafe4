"""The benchmarks: load, prompt, extract, score. See `docs/scoring.md`.

`evaluate(name, function)` scores any function from a prompt to a text; `get(name)` gives a
benchmark, `register` adds one of your own.
"""

from semcoder_lib.evaluation import codegen, execution, lcb
from semcoder_lib.evaluation.base import (
    SCORERS,
    Benchmark,
    Finding,
    Sample,
    Task,
    get,
    register,
)
from semcoder_lib.evaluation.data import Missing
from semcoder_lib.evaluation.score import Evaluation, evaluate, score_command
from semcoder_lib.models.extraction import Answer

for _benchmark in (
    codegen.HumanEval("humaneval"),
    *codegen.evalplus(),
    execution.cruxeval("input"),
    execution.cruxeval("output"),
    lcb.LcbLite("lcb-lite"),
    lcb.execution_v2(),
    execution.HeldOutPyx("pyx-i", direction="input"),
    execution.HeldOutPyx("pyx-o", direction="output"),
):
    register(_benchmark)

__all__ = [
    "SCORERS",
    "Answer",
    "Benchmark",
    "Evaluation",
    "Finding",
    "Missing",
    "Sample",
    "Task",
    "evaluate",
    "get",
    "register",
    "score_command",
]
