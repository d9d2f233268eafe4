"""Stage 05: code generation, base and tuned, on HumanEval and its kin."""

from __future__ import annotations

from typing import Any

from semcoder_lib import benchmarks
from semcoder_lib.stages import evaluation, models
from semcoder_lib.stages.session import Session


def run(session: Session) -> dict[str, Any]:
    """pass@1 of each model on each benchmark that is at hand; the others are named with where
    they were looked for. The score stops when the preflight does not give the known answers."""
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
    setting = evaluation.Setting("greedy", "direct", 0, p.codegen_tokens)
    done: dict[str, evaluation.Evaluated] = {}
    for model in models.chosen(session):
        if not found:
            break
        with models.engine(session, model) as engine:
            evaluation.prefetch(session, engine, [(b, t, setting) for b, t in found.values()])
            for name, (benchmark, tasks) in found.items():
                one = evaluation.evaluate(session, engine, model.label, benchmark, tasks, setting)
                results["scores"].append(one.row)
                if name in done:
                    results["differences"].append(
                        evaluation.difference_row(done[name], one, p.seed)
                    )
                done.setdefault(name, one)
    return results
