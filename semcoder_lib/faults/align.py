"""Which line of one program is which line of the other."""

from __future__ import annotations

import difflib

from semcoder_lib.faults.mutate import altered


def line_map(buggy: str, fixed: str) -> dict[int, int]:
    """Lines of `buggy` that have a counterpart in `fixed` (both 1-based).

    Outside the block that differs the lines map one to one. Inside it, equal lines (indentation
    aside) are matched first; what is left is paired in order where both sides have as many lines.
    A line without a partner was inserted, or removed.
    """
    top, _, height, fixed_height = altered(buggy, fixed)
    a, b = buggy.splitlines(), fixed.splitlines()
    lines = {n: n for n in range(1, top)}
    start = top - 1
    shift = fixed_height - height
    lines.update({n: n + shift for n in range(start + height + 1, len(a) + 1)})
    inner_a = [line.strip() for line in a[start : start + height]]
    inner_b = [line.strip() for line in b[start : start + fixed_height]]
    if len(inner_a) == len(inner_b) == 1:
        return {**lines, top: top}
    matcher = difflib.SequenceMatcher(None, inner_a, inner_b, autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and a1 - a0 == b1 - b0):
            lines.update({top + a0 + k: top + b0 + k for k in range(a1 - a0)})
    return lines


def alike(buggy: str, fixed: str) -> float:
    """The share of lines, of both programs together, that have a partner."""
    total = len(buggy.splitlines()) + len(fixed.splitlines())
    return 2 * len(line_map(buggy, fixed)) / total if total else 1.0
