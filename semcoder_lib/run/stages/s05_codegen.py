"""Stage 05: code generation, base and tuned, on HumanEval and its kin."""

from __future__ import annotations

from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core.profile import Profile
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.run.stages import evaluation, models
from semcoder_lib.run.stages.session import Session


def run(session: Session) -> dict[str, Any]:
    """pass@1 of each model on each benchmark that is at hand; the others are named with where
    they were looked for. An untuned model is asked in several forms and its best one counts. The
    score stops when the preflight does not give the known answers."""
    p = session.profile
    results: dict[str, Any] = {"scores": [], "differences": [], "missing": {}, "preflight": {}}
    found = {}
    for name in p.names("codegen_benchmarks"):
        benchmark = benchmarks.get(name)
        try:
            tasks = evaluation.sample_tasks(benchmark.load(), p.codegen_tasks, p.seed)
        except benchmarks.Missing as missing:
            results["missing"][name] = str(missing)
            continue
        found[name] = (benchmark, tasks)
        results["preflight"][name] = benchmark.preflight(tasks, box=session.box)
    best: dict[str, evaluation.Evaluated] = {}
    for model in models.chosen(session):
        if not found:
            break
        tuned = model.label != "base"
        plans = [
            (benchmark, tasks, setting)
            for benchmark, tasks in found.values()
            for setting in settings(p, benchmark, tasks[0], tuned=tuned)
        ]
        with models.engine(session, model) as engine:
            evaluation.prefetch(session, engine, plans)
            for benchmark, tasks, setting in plans:
                one = evaluation.evaluate(session, engine, model.label, benchmark, tasks, setting)
                results["scores"].append(one.row)
                before = best.get(benchmark.name)
                if tuned and before is not None:
                    results["differences"].append(evaluation.difference_row(before, one, p.seed))
                elif before is None or one.row["value"] > before.row["value"]:
                    best[benchmark.name] = one
    return results


def settings(
    p: Profile, benchmark: benchmarks.Benchmark, task: benchmarks.Task, *, tuned: bool
) -> list[evaluation.Setting]:
    """How a model is asked: as it was trained, or, never trained, in each form of the
    profile that differs on this benchmark."""
    names = ["instruction"] if tuned else p.codegen_forms
    asked: dict[tuple[Prompt, bool], evaluation.Setting] = {}
    for name in sorted(names):  # a benchmark with one form calls it instruction
        form = evaluation.CODE_FORMS[name]
        prompt, chat = benchmark.prompt(task, style=p.style, reasoning=form), name == "chat"
        asked[prompt, chat] = evaluation.Setting(name, form, 0, p.codegen_tokens, chat=chat)
    return list(asked.values())
