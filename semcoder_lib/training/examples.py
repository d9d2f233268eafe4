"""Rows to train on, from programs, monologues and faults. Their prompts are byte for byte those of
the evaluation, since both come from `models.prompts`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from semcoder_lib import faults, monologues, tracing
from semcoder_lib.core import values
from semcoder_lib.core.records import Entry, Fault, Monologue, Program, Trace
from semcoder_lib.models import prompts, tokens
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.training.rows import Config, Example, tokenise

_ANSWERS = 6  # cases in one row of direct answers
_SHORT_CASE = 120  # characters of a call and its output
_FOR_INPUTS = 0.35  # share of the direct rows that ask for a call; outputs need more of them


def monologue_example(program: Program, monologue: Monologue, *, style: str) -> Example:
    """One forward or backward row."""
    direction = monologue.direction
    prompt = prompts.of_case(direction, program, monologue.case, style=style)
    return Example(f"{program.id}:{direction}", direction, prompt.text, monologue.text)


def monologue_examples(
    programs: Mapping[str, Program], texts: Iterable[Monologue], *, style: str
) -> list[Example]:
    """The rows of monologues whose program is among these, by its id."""
    return [
        monologue_example(programs[m.program_id], m, style=style)
        for m in texts
        if m.program_id in programs
    ]


def direct_examples(entries: Iterable[Entry], *, seed: int, style: str) -> list[Example]:
    """Rows of answers without reasoning, for the entries that have a short case: the first answer
    as the evaluation asks for it (the output of a call, or for one program in three a call with an
    output), the program's other cases after it, which cost a tenth of a row of their own. The
    paper's mix has no such rows."""
    rows = []
    for program, cases in ((entry.program, _short_cases(entry)) for entry in entries):
        if not cases:
            continue
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
        rows.append(Example(f"{program.id}:direct", "direct", prompt.text, text))
    return rows


def _short_cases(entry: Entry) -> list[tuple[str, str]]:
    """The calls of an entry that are short together with their outputs."""
    name = entry.program.entry_point
    cases = [(values.show_call(name, c.arguments), values.encode(c.output)) for c in entry.cases]
    return [(call, output) for call, output in cases if len(call) + len(output) <= _SHORT_CASE]


def nl_example(program: Program, *, style: str) -> Example:
    """One NL-to-code row; its code is fenced whether the prompt opened the fence or not."""
    prompt = prompts.nl_to_code(faults.task_description(program), style=style)
    opening = "" if prompt.prefill else "```python\n"
    text = f"{opening}{program.source.rstrip()}\n```"
    return Example(f"{program.id}:nl", "nl_to_code", prompt.text, text)


def refine_example(fault: Fault, *, style: str) -> Example:
    """One PyX-R row."""
    prompt, completion = faults.example(fault, style=style)
    return Example(f"{fault.id}:refine", "refine", prompt, completion)


def traced_examples(failing: Sequence[Fault], box: Sandbox, *, style: str) -> list[Example]:
    """PyX-R rows with the recorded run of the failing test in the prompt (table 4). A fault whose
    trace is too long to show has none."""
    pairs = [(Program(fault.buggy, fault.entry_point), fault.case) for fault in failing]
    rows = []
    for fault, pair, trace in zip(failing, pairs, tracing.trace_many(pairs, box), strict=True):
        if text := faults.shown_trace(trace, *pair):
            prompt, completion = faults.example(fault, trace=text, style=style)
            rows.append(Example(f"{fault.id}:traced", "refine", prompt, completion))
    return rows


def mixed(
    pools: Mapping[str, Sequence[Example]], shares: Mapping[str, float], *, seed: int
) -> list[Example]:
    """Rows of all pools shuffled together (paper, section 4.3): as many as the scarcest pool allows
    while the completions have these shares of the characters, which stand for tokens before a
    tokenizer is loaded. A pool without rows is left out."""
    rng = random.Random(f"{seed}:mix")
    sizes = {task: sum(len(e.completion) for e in pool) for task, pool in pools.items()}
    wanted = {task: share for task, share in shares.items() if share > 0 and sizes[task]}
    if not wanted:
        return []
    total = min(sizes[task] / share for task, share in wanted.items()) * sum(wanted.values())
    chosen: list[Example] = []
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


# --- the ablation of formats (paper, section 6.2, table 2) ---

Pools = dict[str, list[Example]]
"""Rows by format; the n-th row of every format tells the same execution."""


def rows_by_format(
    executions: Sequence[tuple[Program, Monologue, Trace]],
    formats: Sequence[str],
    *,
    tokenizer: Any,
    config: Config,
    seed: int = 0,
    style: str = "clean",
) -> Pools:
    """Every execution as a row in each of the formats. An execution whose row would be too long for
    the training in one of them is left out of all, so that the arms differ in form only."""
    pools: Pools = {format: [] for format in formats}
    for program, monologue, trace in executions:
        rows = []
        for format in formats:
            prompt, completion = monologues.ablation(
                program, monologue.case, trace, format,
                monologue=monologue, seed=seed, prompt_style=style,
            )  # fmt: skip
            rows.append(Example(f"{program.id}:{format}", "forward", prompt, completion))
        if len(tokenise(rows, tokenizer, config).rows) == len(formats):
            for format, row in zip(formats, rows, strict=True):
                pools[format].append(row)
    return pools


def equal_examples(pools: Pools, format: str, count: int, seed: int) -> list[Example]:
    """`count` rows of a format: the same executions for every format, others for every seed, where
    the pool is large enough."""
    return _turned(pools[format], count, seed)[:count]


def equal_tokens(
    pools: Pools, format: str, count: int, seed: int, tokenizer: Any
) -> tuple[list[Example], float]:
    """Rows of a format with as many trained tokens as the longest format has in `count` rows, and
    how often they are to be gone through (more than once where the pool is too small)."""

    def trained(rows: Sequence[Example]) -> Iterator[int]:
        for row in rows:
            yield len(tokens.encode_completion(tokenizer, row.completion))

    turned: Mapping[str, list[Example]] = {f: _turned(p, count, seed) for f, p in pools.items()}
    budget = max(sum(trained(rows[:count])) for rows in turned.values())
    used = reached = 0
    for size in trained(turned[format]):
        used, reached = used + 1, reached + size
        if reached >= budget:
            break
    return turned[format][:used], max(1.0, budget / reached)


def _turned(pool: list[Example], count: int, seed: int) -> list[Example]:
    start = seed * count % max(len(pool), 1)
    return [*pool[start:], *pool[:start]]
