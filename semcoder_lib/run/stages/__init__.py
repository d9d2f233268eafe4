"""The ten stages: what each notebook does, callable without Jupyter.

A notebook and `python -m semcoder_lib stage NN` run the same code:

    session = stages.begin(2, profile="laptop", run_name="mine")
    results = stages.work(session)
    session.finish()
"""

from __future__ import annotations

import importlib
import shlex
import sys
from typing import Any

from semcoder_lib.core import profile as profiles
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.run.stages.session import Session, Stage, force

__all__ = [
    "STAGES",
    "Session",
    "Stage",
    "begin",
    "configured",
    "force",
    "number_of",
    "run_alone",
    "work",
]

_CORE = ("sandbox", "tracing")
_MODEL = ("models", "run/stages/models")
_ENGINE = ("model", "backend", "style")
_TAUGHT = ("models/teachers", "run/stages/teaching")
_CODE = ("HumanEval", "Mbpp")
_SCORE = ("evaluation", "models/prompts", "sandbox", "tracing", "run/stages/evaluation")

STAGES: dict[int, Stage] = {
    s.number: s
    for s in (
        Stage(0, "tour", "A tour: one program from source to training example",
              ("model", "style", "monologue_"), (*_CORE, "monologues", "models/prompts"), (),
              "s00_tour:run"),
        Stage(1, "pyx", "PyX: executable programs from real code",
              ("pyx_",), (*_CORE, "corpus", *_TAUGHT), (), "s01_pyx:run",
              (*_CODE, "cruxeval.jsonl"), "teacher"),
        Stage(2, "monologues", "Monologues, forwards and backwards, verified",
              ("monologue_", "style"), (*_CORE, "corpus", "monologues", *_TAUGHT),
              (1,), "s02_monologues:run", (), "teacher"),
        Stage(3, "pyx_r", "PyX-R: faults, rationales, validated fixes",
              ("fault", *_ENGINE, "codegen_tokens", "max_length", "monologue_chars"),
              (*_CORE, *_MODEL, "corpus", "faults", *_TAUGHT), (1,), "s03_pyx_r:run", (),
              "teacher"),
        Stage(4, "sft", "Fine-tuning on all tasks together, then on PyX-R",
              ("model", "style", "train_", "refine_steps", "refine_sources", "batch_", "max_length",
               "learning_rate", "lora_rank", "held_out_items", "monologue_"),
              ("training", "models", "monologues", "faults", "refinement",
               "run/stages/training_rows"), (1, 2, 3), "s04_sft:run"),
        Stage(5, "codegen", "Code generation: HumanEval and its kin",
              (*_ENGINE, "adapter", "scorer", "codegen_", "baseline_"), (*_SCORE, *_MODEL), (4,),
              "s05_codegen:run", _CODE),
        Stage(6, "reasoning", "Execution reasoning: held-out PyX and CRUXEval",
              (*_ENGINE, "adapter", "scorer", "held_out_", "cruxeval_", "reasoning_",
               "baseline_", "monologue_chars"),
              (*_SCORE, *_MODEL, "monologues", "run/stages/released"), (1, 4), "s06_reasoning:run",
              ("cruxeval.jsonl", "semcoder_s_1030")),
        Stage(7, "ablation", "Which format teaches execution best?",
              (*_ENGINE, "scorer", "ablation_", "batch_", "max_length", "learning_rate",
               "lora_rank", "reasoning_tokens", "monologue_"),
              (*_SCORE, *_MODEL, "training", "monologues", "run/stages/s04_sft",
               "run/stages/s06_reasoning", "run/stages/chains", "run/stages/parts"), (1, 2),
              "s07_ablation:run", ("cruxeval.jsonl",)),
        Stage(8, "refinement", "Self-refinement, with the feedback named",
              (*_ENGINE, "adapter", "codegen_benchmarks", "codegen_tokens", "baseline_forms",
               "refine_tasks", "refine_rounds", "refine_sources", "refine_accept",
               "refine_temperatures"),
              (*_SCORE, *_MODEL, "refinement", "faults"), (1, 3, 4, 5),
              "s08_refinement:run", _CODE),
        Stage(9, "report", "The paper's tables and figures beside this run's",
              (), ("report",), (0, 1, 2, 3, 4, 5, 6, 7, 8), "s09_report:run"),
    )
}  # fmt: skip


def number_of(text: str | int) -> int:
    """The number of a stage from "3", "03" or "03_pyx_r". Raises UserError for any other."""
    head = str(text).split("_")[0].removesuffix(".ipynb")
    if head.isdigit() and int(head) in STAGES:
        return int(head)
    raise UserError(f"there is no notebook {text!r}; they are 00 to {max(STAGES):02d}")


def configured(profile: str, settings: str = "") -> profiles.Profile:
    """The profile with settings applied; `settings` is "key=value key=value"."""
    return profiles.load(profile, profiles.parse_set(shlex.split(settings)))


def begin(
    number: int | str, profile: str = "smoke", run_name: str = "", settings: str = ""
) -> Session:
    """Start a stage. Stages that it reads and that the run lacks are worked on first, with a line
    that says so, so that every notebook can be run alone."""
    stage = STAGES[number_of(number)]
    effective = configured(profile, settings)
    run = workspace.Run(run_name or profile)
    for needed in stage.needs:
        if stage.number == 9 or _needs_nothing(stage, needed, effective):
            continue
        if not (run.path / STAGES[needed].label / "card.json").exists():
            print(f"stage {STAGES[needed].label} has not run yet: doing it first", file=sys.stderr)
            run_alone(needed, profile, run_name, settings)
    return Session(stage, effective, run)


def work(session: Session) -> dict[str, Any]:
    """Do the stage's work (or read its results back) and return the results."""
    module, _, name = session.stage.run.partition(":")
    function = getattr(importlib.import_module(f"semcoder_lib.run.stages.{module}"), name)
    return session.compute(function)


def run_alone(
    number: int | str, profile: str = "smoke", run_name: str = "", settings: str = ""
) -> dict[str, Any]:
    """One stage without Jupyter; returns its card."""
    session = begin(number, profile, run_name, settings)
    try:
        work(session)
        return session.finish()
    except BaseException:
        session.close()
        raise


def _needs_nothing(stage: Stage, needed: int, profile: profiles.Profile) -> bool:
    """Evaluating a given adapter (or none) does not need training."""
    return bool(profile.adapter) and stage.number in (5, 6, 8) and needed in (3, 4)
