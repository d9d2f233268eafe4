"""Hostile programs, sorted by threat. Each is a solution `f(x)` to a task it does not solve."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

THREATS = (
    "forging", "peeking", "leaving", "timing", "memory", "output", "crash", "results",
    "processes", "files", "network", "records", "neighbours",
)  # fmt: skip
# Words in a source that are replaced by what the machine holds out as bait:
# @SECRET@ a file with a secret, @OUTSIDE@ a folder anybody may write to, @VICTIM@ a file in it,
# @PORT@ a TCP listener on loopback, @ABSTRACT@ an abstract socket that listens, @ENV@ the name of
# a variable in the grader's environment.


@dataclass(frozen=True)
class Attack:
    """`expect` are the acceptable verdicts: statuses of the project's vocabulary. `breach` names
    the effects that level portable is known to let through, divided by commas; one in brackets
    depends on who is quicker."""

    name: str
    source: str
    expect: tuple[str, ...]
    breach: str = ""
    threat: str = ""
    own: bool = False  # beyond the 71 of the study


def at_import(name: str, code: str, *expect: str, breach: str = "", own: bool = False) -> Attack:
    return Attack(name, code.strip("\n") + "\n", expect, breach, own=own)


def in_call(name: str, code: str, *expect: str, breach: str = "", own: bool = False) -> Attack:
    """`code` is the body of `f`; what follows a line `---` comes before the function."""
    before, _, body = ("\n" + code.strip("\n")).rpartition("\n---\n")
    lines = "\n".join("    " + line for line in body.split("\n"))
    return Attack(name, f"{before}\ndef f(x):\n{lines}\n", expect, breach, own=own)


def trying(name: str, code: str, *expect: str, breach: str = "", own: bool = False) -> Attack:
    """`code` is what `f` tries; it returns 0, also when that is refused with an OSError."""
    before, _, body = ("\n" + code.strip("\n")).rpartition("\n---\n")
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    caught = f"try:\n{lines}\nexcept OSError:\n    pass\nreturn 0"
    return in_call(name, f"{before}\n---\n{caught}", *expect, breach=breach, own=own)


def catalogue() -> list[Attack]:
    """All attacks, in the order of their files."""
    modules = [importlib.import_module(f"attacks.{threat}") for threat in THREATS]
    found = []
    for threat, module in zip(THREATS, modules, strict=True):
        found += [replace(attack, threat=threat) for attack in module.ATTACKS]
    return found
