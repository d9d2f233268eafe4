"""Stage 08: rounds of self-refinement for every model, benchmark and feedback source."""

from __future__ import annotations

from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import faults as pyx_r
from semcoder_lib import refinement
from semcoder_lib.core import workspace
from semcoder_lib.run.stages import evaluation, models, s01_pyx
from semcoder_lib.run.stages.session import Session

Key = tuple[str, str, str, str, float]
"""Task set, model, feedback source, acceptance rule, temperature."""


def run(session: Session) -> dict[str, Any]:
    """Curves (figure 3, tables 3 and 4) on a code generation benchmark, from the model's own first
    solution, and on held-out PyX faults, from the given buggy program, for every feedback source,
    acceptance rule (`replace` is the paper's) and temperature of the profile. Every task's state
    after every round is in `rounds_*.jsonl`."""
    p = session.profile
    results: dict[str, Any] = {
        "curves": [], "changes": [], "atlas": [], "missing": {}, "differences": [],
    }  # fmt: skip
    broken = _faults(session)
    chosen = models.chosen(session, refined=True)
    forms = {_form(session, model) for model in chosen}
    problems = {form: _benchmark(session, results, form) for form in sorted(forms)}
    curves: dict[Key, refinement.Curve] = {}
    settings = [
        (source, accept, float(temperature))
        for source in p.names("refine_sources")
        for accept in p.names("refine_accept")
        for temperature in p.names("refine_temperatures")
    ]
    for model in chosen:
        sets = {**problems[_form(session, model)], **broken}
        with models.engine(session, model) as engine:
            plans: dict[Key, refinement.Plan] = {}
            for name, tasks in sets.items():
                for source, accept, temperature in settings:
                    if model.label == "traced" and source != "trace":
                        continue  # it was trained to be shown one
                    plans[name, model.label, source, accept, temperature] = refinement.Plan(
                        tasks,
                        rounds=p.refine_rounds, source=source, accept=accept,
                        temperature=temperature, max_new_tokens=p.refine_tokens,
                        first_tokens=p.codegen_tokens, seed=p.seed, style=p.style,
                    )  # fmt: skip
            made = refinement.refine_all(list(plans.values()), engine, session.box)
            for key, curve in zip(plans, made, strict=True):
                curves[key] = curve
                _add(results, key[0], model.label, curve)
                label = "_".join([key[0].replace("+", "_plus"), *key[1:4], f"T{key[4]:g}"])
                workspace.write_jsonl(session.path(f"rounds_{label}.jsonl"), curve.state_rows())
    results["differences"] = _between_models(curves)
    return results


Sets = dict[str, list[refinement.RefinementTask]]


def _form(session: Session, model: models.Model) -> str:
    """How a model is asked for its first solution."""
    return "instruction" if model.adapter else session.profile.codegen_forms[0]


def _benchmark(session: Session, results: dict[str, Any], form: str) -> Sets:
    """Tasks of the first benchmark, with the prompts of one form."""
    p = session.profile
    if not p.refine_tasks:
        return {}
    name = next(iter(p.names("codegen_benchmarks")), "humaneval")
    try:
        tasks = refinement.from_benchmark(
            name, session.box,
            limit=p.refine_tasks, seed=p.seed, style=p.style, reasoning=evaluation.CODE_FORMS[form],
        )  # fmt: skip
    except benchmarks.Missing as missing:
        results["missing"][name] = str(missing)
        return {}
    return {name: tasks}


def _faults(session: Session) -> Sets:
    """Faults of held-out programs."""
    p = session.profile
    count = p.refine_tasks
    if not count:
        return {}
    held_out = s01_pyx.split(s01_pyx.load(session.upstream(1)), "held_out")
    faults, _ = pyx_r.build(held_out, session.box, limit=4 * count, seed=p.seed)
    chosen = evaluation.sample_tasks(faults, count, p.seed)
    return {"pyx-r": refinement.from_faults(chosen, held_out)} if chosen else {}


def _add(results: dict[str, Any], name: str, model: str, curve: refinement.Curve) -> None:
    for measure in curve.measures:
        benchmark = name.removesuffix("+") + ("+" if measure == "plus" else "")
        row = {**curve.row(measure), "benchmark": benchmark, "model": model}
        common = {k: row[k] for k in ("benchmark", "model", "source", "accept", "temperature")}
        results["changes"] += [common | change for change in row.pop("changes")]
        results["curves"].append({**row, "label": f"{benchmark}, {_told(curve)}"})
    results["atlas"] += [
        {"benchmark": name, **row, "model": model} for row in refinement.atlas(curve)
    ]


def _told(curve: refinement.Curve) -> str:
    better = ", keep the better" if curve.accept == "keep_better" else ""
    warm = f", T = {curve.temperature:g}" if curve.temperature else ""
    return f"{curve.source}{better}{warm}"


def _between_models(
    curves: dict[Key, refinement.Curve],
) -> list[dict[str, Any]]:
    """After the last round: base against tuned, tuned against refined, refined against traced, on
    the same tasks."""
    rows = []
    for (name, model, source, accept, temperature), curve in curves.items():
        before = {"tuned": "base", "refined": "tuned", "traced": "refined"}.get(model, "")
        earlier = curves.get((name, before, source, accept, temperature))
        if earlier is None:
            continue
        interval, test = refinement.compare(earlier, curve)
        rows.append(
            {
                "benchmark": name, "source": source, "accept": accept,
                "temperature": temperature, "from": before, "to": model,
                "value": interval.value, "low": interval.low, "high": interval.high,
                "n": interval.n, "p_mcnemar": test.p_value,
            }
        )  # fmt: skip
    return rows
