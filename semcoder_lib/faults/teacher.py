"""Rationales asked of a model, with rejection sampling (section 3.3 of the paper)."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from semcoder_lib.core.records import Entry, Fault, Program
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.build import Funnel
from semcoder_lib.faults.check import RationaleReport, check
from semcoder_lib.faults.mutate import normal
from semcoder_lib.faults.text import failed_test
from semcoder_lib.models import prompts
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace_many


class Writer(Protocol):
    """What is needed of an engine of `generation` or `teachers`."""

    def generate(self, requests: Sequence[Any]) -> list[list[Any]]: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """How a rationale is asked for: `attempts` samples at this temperature, with `shots` accepted
    rationales of other faults shown first."""

    attempts: int = 4
    temperature: float = 0.8
    top_p: float = 0.95
    max_new_tokens: int = 768
    shots: int = 1
    seed: int = 0


def rewritten(
    faults: Sequence[Fault],
    entries: Iterable[Entry],
    writer: Writer,
    box: Sandbox,
    *,
    budget: Budget = Budget(),
    strict: bool = False,
) -> tuple[list[Fault], Funnel]:
    """The faults with a rationale and a fix in the model's own words, where one of its samples is
    accepted: its program passes all cases of the entry, and no claim that can be read is
    contradicted by the recorded run (with `strict`, none is unverifiable either). The first
    accepted sample is taken. Returns them and the funnel (`asked`, `samples`, `incomplete`,
    `fix_fails`, `contradicted`, `unverifiable`, `accepted`)."""
    from semcoder_lib.models import Request

    known = {e.program.id: e for e in entries}
    asked = [f for f in faults if f.program_id in known]
    requests = []
    for n, fault in enumerate(asked):
        prompt = _prompt(fault, asked, n, budget.shots)
        requests.append(
            Request(fault.id, prompt.text, prompt.stop, n=budget.attempts, seed=budget.seed,
                    max_new_tokens=budget.max_new_tokens, temperature=budget.temperature,
                    top_p=budget.top_p)
        )  # fmt: skip
    groups = [[c.text for c in group] for group in writer.generate(requests)] if requests else []
    return _accepted(asked, groups, known, box, strict)


def _prompt(fault: Fault, others: Sequence[Fault], n: int, shots: int) -> prompts.Prompt:
    prompt = prompts.refine(fault.description, fault.buggy, failed_test(fault))
    near = [o for k in range(1, len(others)) if (o := others[(n + k) % len(others)]).rationale]
    shown = [o for o in near if o.program_id != fault.program_id][:shots]
    worked = "".join(
        prompts.refine(o.description, o.buggy, failed_test(o)).text + o.rationale + "\n\n"
        for o in shown
    )
    return replace(prompt, text=worked + prompt.text)


def _accepted(
    faults: Sequence[Fault],
    groups: Sequence[Sequence[str]],
    known: dict[str, Entry],
    box: Sandbox,
    strict: bool,
) -> tuple[list[Fault], Funnel]:
    funnel: collections.Counter[str] = collections.Counter(asked=len(faults))
    jobs = []
    samples: list[tuple[int, str, str, RationaleReport]] = []
    programs = [Program(f.buggy, f.entry_point) for f in faults]
    traces = list(trace_many([(p, f.case) for p, f in zip(programs, faults, strict=True)], box))
    for n, (fault, texts) in enumerate(zip(faults, groups, strict=True)):
        for text in texts:
            funnel["samples"] += 1
            whole = text if text.rstrip().endswith("[/Refined]") else text + "\n[/Refined]"
            report = check(whole, programs[n], fault.case, traces[n])
            fixed = normal(report.refined)
            if report.problem or fixed is None:
                funnel["incomplete"] += 1
            elif report.contradicted:
                funnel["contradicted"] += 1
            elif strict and report.unverifiable:
                funnel["unverifiable"] += 1
            else:
                cases = known[fault.program_id].cases
                samples.append((n, text, fixed, report))
                jobs.append(runs.job(fixed, fault.entry_point, [c.arguments for c in cases]))
    found: dict[int, Fault] = {}
    for (n, text, fixed, report), outcomes in zip(samples, box.map(iter(jobs)), strict=True):
        fault = faults[n]
        if not runs.passes(outcomes, known[fault.program_id].cases):
            funnel["fix_fails"] += 1
        elif n not in found:
            found[n] = replace(fault, fixed=fixed, rationale=text, claims=report.claims)
    funnel["accepted"] = len(found)
    return [found[n] for n in sorted(found)], dict(sorted(funnel.items()))
