"""What is asked about, and few-shot prompts for models that were never tuned (table 1's baselines).

The two examples (`shots.json`) are ours and come from no benchmark. Both serve both directions;
the answers are asked for between the same tags as everywhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from semcoder_lib.core.errors import UserError
from semcoder_lib.models.prompts import Prompt

SHOTS: list[dict[str, str]] = json.loads(Path(__file__).with_name("shots.json").read_text())
_ASK = {
    "output": "Complete the assertion with the value that the call returns. "
    "Write a literal, no expression.",
    "input": "Complete the assertion with arguments for which the call returns the given value. "
    "Write literals, no expressions.",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One program with one known call and output. `call` is the source text of the call; `before`
    is run before the program and not shown in prompts."""

    source: str
    entry_point: str
    call: str
    output: str
    before: str = ""


def few_shot(item: Item, direction: str, reasoning: str, count: int) -> Prompt:
    """A prompt with `count` (1 or 2) worked examples. `reasoning` is `direct` or `cot`. For
    `direct` the assertion is begun in `prefill` and there is no question with `??`, because a small
    base model copies that (`docs/LOG.md`); for `cot` the assertion follows free text in tags
    [THOUGHT]."""
    if count not in (1, 2) or reasoning not in ("direct", "cot"):
        raise UserError(f"{count} shots, reasoning {reasoning!r}: there are 1 or 2, direct or cot")
    parts = [_ASK[direction]]
    for shot in SHOTS[:count]:
        example = Item(shot["source"], "f", shot["call"], shot["output"])
        thought = shot["forward" if direction == "output" else "backward"]
        middle = f"{thought}\n[/THOUGHT]\n[ANSWER]\n" if reasoning == "cot" else ""
        opening = _opening(example, direction, reasoning)
        parts.append(f"{opening}{middle}assert {example.call} == {example.output}\n[/ANSWER]")
    text = "\n\n".join([*parts, _opening(item, direction, reasoning)])
    if reasoning == "cot":
        return Prompt(text, ("[/ANSWER]",), "[THOUGHT]\n")
    begun = f"assert {item.call} ==" if direction == "output" else f"assert {item.entry_point}("
    return Prompt(text + begun, ("[/ANSWER]",), f"[ANSWER]\n{begun}")


def _opening(item: Item, direction: str, reasoning: str) -> str:
    source = item.source.rstrip()
    if reasoning == "direct":
        given = "" if direction == "output" else f"[OUTPUT]\n{item.output}\n[/OUTPUT]\n"
        return f"[PYTHON]\n{source}\n[/PYTHON]\n{given}[ANSWER]\n"
    output = direction == "output"
    asked = f"{item.call} == ??" if output else f"{item.entry_point}(??) == {item.output}"
    return f"[PYTHON]\n{source}\nassert {asked}\n[/PYTHON]\n[THOUGHT]\n"
