"""Rows to train on, from a run's programs, monologues and faults; the bytes of every prompt are
those of the evaluation's."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

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


def main_examples(session: Session) -> tuple[list[training.Example], dict[str, Any]]:
    """The rows of `main`: NL-to-code, forward and backward, in the profile's shares of characters
    (they stand for tokens before a tokenizer is loaded), shuffled together (paper, section 4.3)."""
    p = session.profile
    entries = s01_pyx.short(s01_pyx.split(s01_pyx.load(session.upstream(1)), "train"), p)
    programs = {e.program.id: e.program for e in entries}
    pools = {
        **{
            d: told(programs, s02_monologues.load(session.upstream(2), d))
            for d in monologues.DIRECTIONS
        },
        "nl_to_code": [nl_example(e.program) for e in entries if e.program.description],
        "direct": [row for e in entries if (row := direct_example(e, p.seed)) is not None],
    }
    shares = {
        "forward": p.share_forward, "backward": p.share_backward, "nl_to_code": p.share_nl,
        "direct": p.share_direct,
    }  # fmt: skip
    chosen = _in_shares(pools, shares, random.Random(f"{p.seed}:mix"))
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
        bullets=p.monologue_bullets,
    )  # fmt: skip
    chosen = told({e.program.id: e.program for e in entries}, made)
    chosen += [row for e in entries if (row := direct_example(e, p.seed)) is not None]
    random.Random(f"{p.seed}:held out").shuffle(chosen)
    return chosen


def told(
    programs: Mapping[str, records.Program], made: Iterable[records.Monologue]
) -> list[training.Example]:
    """The rows of monologues whose program is among these."""
    row = {"forward": forward_example, "backward": backward_example}
    return [row[m.direction](programs[m.program_id], m) for m in made if m.program_id in programs]


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


def forward_example(program: records.Program, m: records.Monologue) -> training.Example:
    """One forward row: the bytes of the prompt are those of the evaluation's."""
    prompt = prompts.forward(program.source, monologues.call_text(program, m.case))
    return training.Example(f"{program.id}:forward", "forward", prompt.text, m.text)


def backward_example(program: records.Program, m: records.Monologue) -> training.Example:
    """One backward row."""
    prompt = prompts.backward(program.source, program.entry_point, values.encode(m.case.output))
    return training.Example(f"{program.id}:backward", "backward", prompt.text, m.text)


def direct_example(entry: records.Entry, seed: int) -> training.Example | None:
    """One row of answers without reasoning: the first as the evaluation asks for it (the output of
    a call, or for one program in three a call with an output), the program's other cases after it,
    which cost a tenth of a row of their own. None if no case is short enough. The paper's mix has
    no such rows (`share_direct` is 0 in its profile)."""
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
    if draw.random() < _FOR_INPUTS:
        prompt = prompts.backward(program.source, program.entry_point, output, format="direct")
    else:
        prompt = prompts.forward(program.source, call, format="direct")
    return training.Example(f"{program.id}:direct", "direct", prompt.text, text)


def nl_example(program: records.Program) -> training.Example:
    """One NL-to-code row."""
    prompt = prompts.nl_to_code(pyx_r.task_description(program))
    return training.Example(
        f"{program.id}:nl", "nl_to_code", prompt.text, program.source.rstrip() + "\n```"
    )


def refine_example(fault: records.Fault) -> training.Example:
    """One PyX-R row."""
    prompt, completion = pyx_r.example(fault)
    return training.Example(f"{fault.id}:refine", "refine", prompt, completion)


def traced_examples(faults: list[records.Fault], box: Sandbox) -> list[training.Example]:
    """PyX-R rows with the recorded run of the failing test in the prompt (table 4). A fault whose
    call is no literal, or whose trace is too long to show, has none."""
    pairs = []
    for fault in faults:
        try:
            name, arguments, named = values.parse_call(fault.failing_call)
        except values.NotALiteral:
            continue
        if not named:
            pairs.append((fault, (records.Program(fault.buggy, name), records.Case(arguments))))
    made = []
    traces = tracing.trace_many([pair for _, pair in pairs], box)
    for (fault, (program, case)), trace in zip(pairs, traces, strict=True):
        if text := refinement.shown_trace(trace, program, case):
            prompt, completion = pyx_r.example(fault, trace=text)
            made.append(training.Example(f"{fault.id}:traced", "refine", prompt, completion))
    return made
