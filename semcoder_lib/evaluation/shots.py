"""Few-shot prompts for models that were never tuned (table 1's baselines).

The examples are ours and come from no benchmark. The same two programs serve both directions; the
answers are asked for between the same tags as everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from semcoder_lib.core.errors import UserError
from semcoder_lib.models.prompts import Prompt

_STOP = ("[/ANSWER]",)


@dataclass(frozen=True, slots=True)
class _Shot:
    source: str
    call: str
    output: str
    forward: str
    backward: str


_SHOTS = (
    _Shot(
        "def f(words, size):\n"
        "    kept = []\n"
        "    for word in words:\n"
        "        if len(word) >= size:\n"
        "            kept.append(word.upper())\n"
        "    return kept",
        "f(['sun', 'moonlight', 'sky'], 4)",
        "['MOONLIGHT']",
        "The loop keeps words of at least 4 letters, in upper case. 'sun' has 3 letters and is "
        "left out. 'moonlight' has 9 and is kept as 'MOONLIGHT'. 'sky' has 3 and is left out. The "
        "list ['MOONLIGHT'] is returned.",
        "The result holds one word in upper case, so exactly one of the words has at least `size` "
        "letters and it is 'moonlight' in some case. With size 4, the words 'sun' and 'sky' are "
        "too short and 'moonlight' is kept.",
    ),
    _Shot(
        "def f(total, step):\n"
        "    count = 0\n"
        "    while total > 0:\n"
        "        total -= step\n"
        "        count += 1\n"
        "    return (count, total)",
        "f(10, 4)",
        "(3, -2)",
        "count starts at 0. total is 10: it becomes 6 and count 1. 6 is above 0: total becomes 2 "
        "and count 2. 2 is above 0: total becomes -2 and count 3. -2 is not above 0, so (3, -2) is "
        "returned.",
        "The loop ran 3 times and total ended at -2, so total - 3 * step is -2 and before the last "
        "round total was above 0. With step 4 the start is -2 + 12 = 10, and 10, 6, 2 are all "
        "above 0.",
    ),
)
_ASK_OUTPUT = (
    "Complete the assertion with the value that the call returns. Write a literal, no expression."
)
_ASK_INPUT = (
    "Complete the assertion with arguments for which the call returns the given value. "
    "Write literals, no expressions."
)


def prompt(
    source: str,
    entry_point: str,
    call: str,
    output: str,
    *,
    direction: str,
    reasoning: str,
    count: int = 2,
) -> Prompt:
    """A prompt with `count` (1 or 2) worked examples. `reasoning` is `direct` or `cot`. For
    `direct` the assertion is begun in `prefill` and there is no question with `??`, because a small
    base model copies that (`docs/LOG.md`); for `cot` the assertion follows free text in tags
    [THOUGHT]."""
    if count not in (1, 2):
        raise UserError(f"{count} shots: there are 1 or 2")
    ask = _ASK_OUTPUT if direction == "output" else _ASK_INPUT
    parts = [ask]
    for shot in _SHOTS[:count]:
        thought = shot.forward if direction == "output" else shot.backward
        opening = _opening(shot.source, "f", shot.call, shot.output, direction, reasoning)
        middle = f"{thought}\n[/THOUGHT]\n[ANSWER]\n" if reasoning == "cot" else ""
        parts.append(f"{opening}{middle}assert {shot.call} == {shot.output}\n[/ANSWER]")
    opening = _opening(source, entry_point, call, output, direction, reasoning)
    if reasoning == "cot":
        return Prompt("\n\n".join([*parts, opening]), _STOP, "[THOUGHT]\n")
    begun = f"assert {call} ==" if direction == "output" else f"assert {entry_point}("
    return Prompt("\n\n".join([*parts, opening]) + begun, _STOP, f"[ANSWER]\n{begun}")


def _opening(
    source: str, entry_point: str, call: str, output: str, direction: str, reasoning: str
) -> str:
    if reasoning == "direct":
        told = "" if direction == "output" else f"[OUTPUT]\n{output}\n[/OUTPUT]\n"
        return f"[PYTHON]\n{source.rstrip()}\n[/PYTHON]\n{told}[ANSWER]\n"
    asked = f"{call} == ??" if direction == "output" else f"{entry_point}(??) == {output}"
    return f"[PYTHON]\n{source.rstrip()}\nassert {asked}\n[/PYTHON]\n[THOUGHT]\n"
