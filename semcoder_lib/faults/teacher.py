"""Rationales asked of a model, with rejection sampling (section 3.3 of the paper)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from semcoder_lib.core.records import Entry, Fault, Program
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.check import RationaleReport, check
from semcoder_lib.faults.evidence import Funnel
from semcoder_lib.faults.mutate import normal
from semcoder_lib.faults.rows import failed_test
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace_many

TEMPERATURE, TOP_P, NEW_TOKENS = 0.8, 0.95, 768


class Writer(Protocol):
    """What is needed of an engine of `generation` or `teachers`."""

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]: ...


def rewritten(
    faults: Sequence[Fault],
    entries: Iterable[Entry],
    writer: Writer,
    box: Sandbox,
    *,
    attempts: int = 4,
    seed: int = 0,
) -> tuple[list[Fault], dict[str, int]]:
    """The faults with a rationale and a fix in the model's own words, where one of its `attempts`
    samples is accepted: its program passes all cases of the entry, and no claim that can be read is
    contradicted by the recorded run. The first accepted sample is taken. Each prompt shows an
    accepted rationale of another program first. Returns them and the funnel (`asked`, `samples`,
    `incomplete`, `fix_fails`, `contradicted`, `accepted`)."""
    from semcoder_lib.models import Request  # loads torch

    known = {e.program.id: e for e in entries}
    asked = [f for f in faults if f.program_id in known]
    requests = []
    for n, fault in enumerate(asked):
        prompt = _prompt(fault, [*asked[n + 1 :], *asked[:n]])
        requests.append(
            Request(fault.id, prompt.text, prompt.stop, n=attempts, seed=seed,
                    max_new_tokens=NEW_TOKENS, temperature=TEMPERATURE, top_p=TOP_P)
        )  # fmt: skip
    groups = [[c.text for c in group] for group in writer.generate(requests)] if requests else []
    funnel = Funnel(asked=len(asked))
    jobs = []
    samples: list[tuple[Fault, str, str, RationaleReport]] = []
    pairs = [(Program(f.buggy, f.entry_point), f.case) for f in asked]
    traces = trace_many(pairs, box)
    for fault, (program, case), texts, trace in zip(asked, pairs, groups, traces, strict=True):
        for text in texts:
            funnel["samples"] += 1
            whole = text if text.rstrip().endswith("[/Refined]") else text + "\n[/Refined]"
            report = check(whole, program, case, trace)
            fixed = normal(report.refined)
            if report.problem or fixed is None:
                funnel["incomplete"] += 1
            elif report.contradicted:
                funnel["contradicted"] += 1
            else:
                cases = known[fault.program_id].cases
                samples.append((fault, text, fixed, report))
                jobs.append(runs.job(fixed, fault.entry_point, [c.arguments for c in cases]))
    accepted: dict[str, Fault] = {}
    for (fault, text, fixed, report), outcomes in zip(samples, box.map(iter(jobs)), strict=True):
        if not runs.passes(outcomes, known[fault.program_id].cases):
            funnel["fix_fails"] += 1
        elif fault.id not in accepted:
            better = replace(fault, fixed=fixed, rationale=text, claims=report.claims)
            accepted[fault.id] = better
    funnel["accepted"] = len(accepted)
    return [*accepted.values()], dict(sorted(funnel.items()))


def _prompt(fault: Fault, others: Sequence[Fault]) -> prompts.Prompt:
    prompt = prompts.refine(fault.description, fault.buggy, failed_test(fault))
    shown = [o for o in others if o.rationale and o.program_id != fault.program_id][:1]
    worked = "".join(
        prompts.refine(o.description, o.buggy, failed_test(o)).text + o.rationale + "\n\n"
        for o in shown
    )
    return replace(prompt, text=worked + prompt.text)
