"""Stage 06: execution reasoning on held-out PyX (always) and CRUXEval (where present)."""

from __future__ import annotations

import collections
import math
import re
from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import monologues
from semcoder_lib.core import records
from semcoder_lib.run.stages import evaluation, models, released, s01_pyx
from semcoder_lib.run.stages.evaluation import Evaluated, Setting
from semcoder_lib.run.stages.session import Session

_METHOD = re.compile(r"\.(" + "|".join(m for m in dir(str) if m.isalpha()) + r")\(")


def run(session: Session) -> dict[str, Any]:
    """Base models are asked directly and with a chain of thought, two worked examples each, and
    their best form counts; tuned models are asked for a monologue, and directly (table 5)."""
    p = session.profile
    held_out = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "held_out"), p)
    results: dict[str, Any] = {
        "scores": [], "differences": [], "missing": {}, "parts": [], "faithfulness": [],
        "claims": [],
    }  # fmt: skip
    tasks = _all_tasks(session, held_out, results)
    done: list[Evaluated] = []
    for model in models.chosen(session):
        settings = _settings(p, tuned=model.label != "base")
        with models.engine(session, model) as engine:
            plans = [
                (benchmark, evaluation.sample_tasks(items, setting.items, p.seed), setting)
                for benchmark, items in tasks.values()
                for setting in settings
            ]
            evaluation.prefetch(session, engine, plans)
            for benchmark, items, setting in plans:
                one = evaluation.evaluate(session, engine, model.label, benchmark, items, setting)
                done.append(one)
                results["scores"].append(one.row)
    origins = {
        entry.program.id: name for name, part in s01_pyx.parts(held_out).items() for entry in part
    }
    for name in tasks:
        mine = [one for one in done if one.benchmark == name]
        base = max((o for o in mine if o.model == "base"), key=lambda o: o.row["value"])
        for one in mine:
            if one.model != "base":
                results["differences"].append(evaluation.difference_row(base, one, p.seed))
        if name.startswith("pyx"):
            results["parts"] += _parts(mine, tasks[name][1], origins, p.seed)
    results["faithfulness"], results["claims"] = _faithfulness(session, done, tasks)
    if p.released_texts:
        limit = 0 if p.released_texts < 0 else p.released_texts
        results["released"] = released.scores(session, results["missing"])
        results["faithfulness"] += released.faithfulness(session, limit, p.seed)
    return results


def _settings(p: Any, *, tuned: bool) -> list[Setting]:
    if tuned:
        return [
            Setting("monologue", "monologue", 0, p.reasoning_tokens, p.reasoning_items),
            Setting("direct", "direct", 0, p.baseline_tokens),
        ]
    lengths = {"direct": p.baseline_tokens, "cot": p.reasoning_tokens}
    return [Setting(f"{form}_2shot", form, 2, lengths[form]) for form in p.reasoning_forms]


def _all_tasks(
    session: Session, held_out: list[records.Entry], results: dict[str, Any]
) -> dict[str, tuple[benchmarks.Benchmark, list[Any]]]:
    p = session.profile
    tasks: dict[str, tuple[benchmarks.Benchmark, list[Any]]] = {}
    chosen = balanced(held_out, p.held_out_items, p.seed)
    for name in ("pyx-o", "pyx-i"):
        benchmark = benchmarks.get(name)
        tasks[name] = (benchmark, benchmark.from_entries(chosen))  # type: ignore[attr-defined]
    for name in ("cruxeval-o", "cruxeval-i"):
        benchmark = benchmarks.get(name)
        try:
            items = evaluation.sample_tasks(benchmark.load(), p.cruxeval_items, p.seed)
        except benchmarks.Missing as missing:
            results["missing"][name] = str(missing)
            continue
        tasks[name] = (benchmark, items)
    return tasks


def balanced(entries: list[records.Entry], count: int, seed: int) -> list[records.Entry]:
    """`count` held-out entries in equal numbers of real, synthesised and method-seeded ones where
    there are enough of each; drills are left out."""
    parts = s01_pyx.parts([e for e in entries if "drill" not in e.program.tags])
    chosen: list[records.Entry] = []
    for place, part in enumerate(sorted(parts.values(), key=len)):
        share = math.ceil((count - len(chosen)) / (len(parts) - place))
        chosen += evaluation.sample_tasks(part, share, seed) if share else []
    return chosen


def _parts(
    done: list[Evaluated], items: list[Any], origins: dict[str, str], seed: int
) -> list[dict[str, Any]]:
    """The held-out scores of real, synthesised and method-seeded programs apart."""
    rows = []
    for part in dict.fromkeys(origins.values()):
        names = {t.task_id for t in items if origins.get(t.data["program_id"]) == part}
        for one in done:
            verdicts = [v for v in one.verdicts if v.task_id in names]
            if not verdicts:
                continue
            row = evaluation.score_row(
                one.benchmark, one.model, one.setting, verdicts,
                [c for c in one.completions if c.task_id in names], one.row["scorer"], seed,
            )  # fmt: skip
            rows.append({**row, "part": part})
    return rows


def _faithfulness(
    session: Session, done: list[Evaluated], tasks: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the verifier says of the tuned model's own forward monologues on held-out programs: in
    all, and for each kind of step."""
    rows, by_kind = [], []
    for one in done:
        if one.setting != "monologue" or one.benchmark != "pyx-o":
            continue
        totals = {"supported": 0, "contradicted": 0, "unverifiable": 0}
        kinds: dict[str, collections.Counter[str]] = {}
        right_by_wrong = 0
        by_id = {task.task_id: task for task in tasks[one.benchmark][1]}
        for completion, verdict in zip(one.completions, one.verdicts, strict=True):
            task = by_id[verdict.task_id]
            program, case = task.data["program"], task.data["case"]
            report = monologues.verify(
                completion.text + "\n[/ANSWER]", program, case, session.box, direction="forward"
            )
            for key in totals:
                totals[key] += getattr(report, key)
            for claim in report.claims:
                kinds.setdefault(_step(claim, completion.text), collections.Counter())[
                    claim.status
                ] += 1
            right_by_wrong += verdict.passed and report.contradicted > 0
        rows.append(
            {
                "benchmark": one.benchmark,
                "model": one.model,
                "n": len(one.verdicts),
                "right": sum(v.passed for v in one.verdicts),
                "right_on_a_contradicted_step": right_by_wrong,
                **totals,
            }
        )
        for kind, counts in sorted(kinds.items()):
            decided = counts["supported"] + counts["contradicted"]
            by_kind.append(
                {
                    "benchmark": one.benchmark, "model": one.model, "step": kind,
                    **{status: counts[status] for status in totals},
                    "true": counts["supported"] / decided if decided else None,
                }
            )  # fmt: skip
    return rows, by_kind


def _step(claim: records.Claim, text: str) -> str:
    """The kind of step that a claim belongs to: the claim's own, or `string method` for the value
    of an expression that calls one."""
    start = text.rfind("\n", 0, claim.place[0]) + 1
    line = text[start : claim.place[1]].partition("\n")[0]
    return "string method" if claim.kind == "value" and _METHOD.search(line) else claim.kind
