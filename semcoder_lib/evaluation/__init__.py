"""The benchmarks: load, prompt, extract, score. See `docs/scoring.md`."""

from semcoder_lib.evaluation import cruxeval, evalplus, humaneval, lcb, pyx
from semcoder_lib.evaluation.base import (
    Answer,
    Benchmark,
    Missing,
    Probe,
    Sample,
    Task,
    get,
    names,
    register,
)
from semcoder_lib.evaluation.command import score_command

for _benchmark in (
    humaneval.HumanEval("humaneval"),
    *evalplus.benchmarks(),
    *cruxeval.benchmarks(),
    *lcb.benchmarks(),
    *pyx.benchmarks(),
):
    register(_benchmark)

__all__ = [
    "Answer",
    "Benchmark",
    "Missing",
    "Probe",
    "Sample",
    "Task",
    "get",
    "names",
    "register",
    "score_command",
]
