"""Hostile programs: those of `attacks.txt`, and those that write forged `records`."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Attack:
    """A solution `f(x)` to a task it does not solve. `expect` are the acceptable verdicts: statuses
    of the project's vocabulary. `breach` names the effects that level portable is known to let
    through, divided by commas; one in brackets depends on who is quicker."""

    name: str
    source: str
    expect: tuple[str, ...]
    breach: str = ""
    threat: str = ""
    own: bool = False  # beyond the 71 of the study


def catalogue() -> list[Attack]:
    """All attacks, in the order of their files."""
    text = (Path(__file__).parent / "attacks.txt").read_text(encoding="utf-8")
    found = []
    for block in re.split(r"^### ", text, flags=re.M)[1:]:
        title, source = block.split("\n", 1)
        threat, name, expect, breach, origin = (part.strip() for part in title.split("|"))
        source = source.strip("\n") + "\n"
        found.append(
            Attack(name, source, tuple(expect.split(", ")), breach, threat, origin == "own")
        )
    return [*found, *importlib.import_module("attacks.records").ATTACKS]
