"""The fix in a rationale: the refined program, and the edit that is told in words."""

from __future__ import annotations

import re

_REFINED = re.compile(r"\[Refined\]\s*```(?:python)?\n(.*?)\n?```", re.DOTALL)


def refined_code(text: str) -> str | None:
    """The program that a completion offers: the fenced block after the last `[Refined]`, or, where
    there is none, the last fenced block after the reasoning; None when nothing is fenced."""
    found = _REFINED.findall(text)
    if not found:
        opened = text.rfind("[Refined]")
        tail = text[opened + len("[Refined]") :] if opened >= 0 else text
        tail = tail.partition("[/Refined]")[0]
        found = re.findall(r"```(?:python)?\n(.*?)\n?```", tail, re.DOTALL)
        if not found and opened >= 0 and "```" in tail:
            found = [tail.partition("```")[2].partition("\n")[2]]  # the fence was never closed
    return found[-1].rstrip() + "\n" if found else None


_BLOCK = r":\n```python\n(.*)\n```$"
_ONE = re.compile(r"Replace \[L(\d+)\] `(.*)` by `(.*)`\.(?: Indent it by (\d+) spaces\.)?$")
_MANY = re.compile(r"Replace \[L(\d+)\](?: to \[L(\d+)\])? by" + _BLOCK, re.DOTALL)
_REMOVE = re.compile(r"Remove \[L(\d+)\](?: to \[L(\d+)\])?\.$")
_INSERT = re.compile(r"Insert before \[L(\d+)\]" + _BLOCK, re.DOTALL)


def edited(lines: list[str], said: str) -> list[str] | None:
    """The lines after the edit that the sentence describes; None when it describes none."""
    one, many = _ONE.match(said), _MANY.match(said)
    remove, insert = _REMOVE.match(said), _INSERT.match(said)
    found = one or many or remove or insert
    if not found:
        return None
    start = int(found[1]) - 1
    if start > len(lines):
        return []
    if one:
        if start >= len(lines) or lines[start].strip() != one[2]:
            return []
        depth = len(lines[start]) - len(lines[start].lstrip()) if one[4] is None else int(one[4])
        return [*lines[:start], " " * depth + one[3], *lines[start + 1 :]]
    if insert:
        return [*lines[:start], *insert[2].split("\n"), *lines[start:]]
    stop = int(found[2]) if found[2] else start + 1
    new = many[3].split("\n") if many else []
    return [*lines[:start], *new, *lines[stop:]]
