"""Rows to train on, from a run's programs, monologues and faults; the bytes of every prompt are
those of the evaluation's."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import faults as pyx_r
from semcoder_lib import monologues, refinement, tracing, training
from semcoder_lib.core import records, values
from semcoder_lib.models import prompts
from semcoder_lib.run.stages import s01_pyx, s02_monologues
from semcoder_lib.run.stages.session import Session
from semcoder_lib.sandbox import Sandbox

_ANSWERS = 6  # cases in one row of direct answers
_SHORT_CASE = 120  # characters of a call and its output
_FOR_INPUTS = 0.35  # share of the direct rows that ask for a call; outputs need more of them
_CHECKED = 8  # rows of a kind whose prompts are compared with the evaluation's, in every run


def main_examples(session: Session) -> tuple[list[training.Example], dict[str, Any]]:
    """The rows of `main`: NL-to-code, forward and backward, in the profile's shares of characters
    (they stand for tokens before a tokenizer is loaded), shuffled together (paper, section 4.3)."""
    p = session.profile
    entries = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "train"), p)
    programs = {e.program.id: e.program for e in entries}
    pools = {
        **{
            d: told(programs, s02_monologues.load(session.upstream(2), d), p.style)
            for d in monologues.DIRECTIONS
        },
        "nl_to_code": [nl_example(e.program, p.style) for e in entries if e.program.description],
        "direct": [row for e in entries if (row := direct_example(e, p.seed, p.style)) is not None],
    }
    chosen = _in_shares(pools, p.shares, random.Random(f"{p.seed}:mix"))
    check_prompts(chosen, entries, p.style)
    counts = {task: sum(1 for e in chosen if e.task == task) for task in pools}
    return chosen, {"available": {t: len(x) for t, x in pools.items()}, "used": counts}


def held_out_examples(session: Session) -> list[training.Example]:
    """Rows of every kind about `train_held_out` held-out programs, in random order: for the loss
    and the share of answers that end by themselves after training, not to train on."""
    p = session.profile
    entries = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "held_out"), p)
    entries = entries[: p.train_held_out]
    made, _ = monologues.derive_many(
        entries, session.box, seed=p.seed, style=s02_monologues.style_of(p),
        bullets=s02_monologues.bullets_of(p),
    )  # fmt: skip
    chosen = told({e.program.id: e.program for e in entries}, made, p.style)
    chosen += [row for e in entries if (row := direct_example(e, p.seed, p.style)) is not None]
    random.Random(f"{p.seed}:held out").shuffle(chosen)
    return chosen


def check_prompts(
    examples: Sequence[training.Example], entries: Sequence[records.Entry], style: str
) -> int:
    """Compare the first prompts of every kind with those that the evaluation gives for the same
    programs and cases; returns how many were compared. Raises TrainingStopped for one that the
    evaluation would not give."""
    known = {e.program.id: e for e in entries}
    compared = 0
    for kind in ("forward", "backward", "direct"):
        for example in [e for e in examples if e.task == kind][:_CHECKED]:
            asked = _evaluated(known[example.id.rpartition(":")[0]], kind, style)
            same = example.prompt if example.prompt in asked else asked[0]
            compared += training.same_prompts([example], {example.id: same})
    return compared


def _evaluated(entry: records.Entry, kind: str, style: str) -> list[str]:
    """What the evaluation asks about the cases of a program, those with an input to find first
    where `kind` is backward."""
    names = ["pyx-i", "pyx-o"] if kind == "backward" else ["pyx-o", "pyx-i"]
    reasoning = "direct" if kind == "direct" else "monologue"
    alone = [dataclasses.replace(entry, cases=(case,)) for case in entry.cases]
    return [
        benchmark.prompt(task, style=style, reasoning=reasoning).text
        for benchmark in map(benchmarks.get, names)
        for task in benchmark.from_entries(alone)  # type: ignore[attr-defined]
    ]


def told(
    programs: Mapping[str, records.Program], made: Iterable[records.Monologue], style: str
) -> list[training.Example]:
    """The rows of monologues whose program is among these."""
    return [
        monologue_example(programs[m.program_id], m, style)
        for m in made
        if m.program_id in programs
    ]


def _in_shares(
    pools: dict[str, list[training.Example]], shares: dict[str, float], rng: random.Random
) -> list[training.Example]:
    """As many rows as the scarcest pool allows while the shares hold."""
    sizes = {t: sum(len(e.completion) for e in pool) for t, pool in pools.items()}
    wanted = {t: s for t, s in shares.items() if s > 0 and sizes[t]}
    if not wanted:
        return []
    total = min(sizes[t] / s for t, s in wanted.items()) * sum(wanted.values())
    chosen: list[training.Example] = []
    for task, share in wanted.items():
        pool = list(pools[task])
        rng.shuffle(pool)
        room = total * share / sum(wanted.values())
        for example in pool:
            if room <= 0:
                break
            chosen.append(example)
            room -= len(example.completion)
    rng.shuffle(chosen)
    return chosen


def monologue_example(
    program: records.Program, m: records.Monologue, style: str
) -> training.Example:
    """One forward or backward row."""
    call, output = monologues.call_text(program, m.case), values.encode(m.case.output)
    prompt = prompts.execution(
        m.direction, program.source, program.entry_point, call, output, style=style
    )
    return training.Example(f"{program.id}:{m.direction}", m.direction, prompt.text, m.text)


def direct_example(
    entry: records.Entry, seed: int, style: str = "clean"
) -> training.Example | None:
    """One row of answers without reasoning: the first as the evaluation asks for it (the output of
    a call, or for one program in three a call with an output), the program's other cases after it,
    which cost a tenth of a row of their own. None if no case is short enough. The paper's mix has
    no such rows."""
    program = entry.program
    cases = []
    for case in entry.cases:
        call = values.show_call(program.entry_point, case.arguments)
        output = values.encode(case.output)
        if len(call) + len(output) <= _SHORT_CASE:
            cases.append((call, output))
    if not cases:
        return None
    draw = random.Random(f"{seed}:direct:{program.id}")
    draw.shuffle(cases)
    (call, output), *others = cases[:_ANSWERS]
    text = f"assert {call} == {output}\n[/ANSWER]"
    text += "".join(f"\nassert {call} == {output}" for call, output in others)
    # a model that never saw the first kind answers it by copying its question
    way = "backward" if draw.random() < _FOR_INPUTS else "forward"
    prompt = prompts.execution(
        way, program.source, program.entry_point, call, output, format="direct", style=style
    )
    return training.Example(f"{program.id}:direct", "direct", prompt.text, text)


def nl_example(program: records.Program, style: str) -> training.Example:
    """One NL-to-code row; its code is fenced whether the prompt opened the fence or not."""
    prompt = prompts.nl_to_code(pyx_r.task_description(program), style=style)
    opening = "" if prompt.prefill else "```python\n"
    text = f"{opening}{program.source.rstrip()}\n```"
    return training.Example(f"{program.id}:nl", "nl_to_code", prompt.text, text)


def refine_example(fault: records.Fault, style: str) -> training.Example:
    """One PyX-R row."""
    prompt, completion = pyx_r.example(fault, style=style)
    return training.Example(f"{fault.id}:refine", "refine", prompt, completion)


def traced_examples(
    faults: list[records.Fault], box: Sandbox, style: str = "clean"
) -> list[training.Example]:
    """PyX-R rows with the recorded run of the failing test in the prompt (table 4). A fault whose
    trace is too long to show has none."""
    programs = [records.Program(fault.buggy, fault.entry_point) for fault in faults]
    pairs = [(program, fault.case) for program, fault in zip(programs, faults, strict=True)]
    made = []
    for fault, pair, trace in zip(faults, pairs, tracing.trace_many(pairs, box), strict=True):
        if text := refinement.shown_trace(trace, *pair):
            prompt, completion = pyx_r.example(fault, trace=text, style=style)
            made.append(training.Example(f"{fault.id}:traced", "refine", prompt, completion))
    return made
