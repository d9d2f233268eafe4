"""Statements about the arguments themselves: their types, and whether the call changes them."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify.properties.types import TYPES
from semcoder_lib.monologues.verify.runs import Runs, Verdict

_PURE = re.compile(
    r"(?:`?\w+`?|the function|it) (?:never changes|does not (?:change|modify|alter|mutate)|never modifies|leaves) (?:its|the) (?:arguments?|inputs?|original \w+|input \w+)(?: unchanged| alone)?",
    re.I,
)
_IMPURE = re.compile(
    r"(?:the function|it) (?:modifies|changes|mutates) (?:its|the) (?:arguments?|inputs?|original \w+|input \w+)(?: in[- ]place)?",
    re.I,
)


def decide_argument(runs: Runs, text: str) -> Verdict | None:
    """None when the text says nothing of the arguments."""
    pure = _PURE.match(text)
    if pure or _IMPURE.match(text):
        changed = _changed_arguments(runs)
        if changed is None:
            return None, "no trace"
        return (not changed) if pure else (True if changed else None), ", ".join(changed)
    kinds = "|".join(TYPES)
    match = re.match(
        rf"(?:the )?(?:function (?:expects|takes|requires|assumes)(?: that)? )?(?:the )?(?:input |parameter |argument )?(?:`(?P<n>\w+)`|(?P<i>input|argument))? ?(?:(?:is|are|must be|should be|to be|has to be|can be|is expected to be|is assumed to be|parameter must be) )?(?:an? )?(?:non-empty |valid )?(?P<t>{kinds})(?: of (?P<o>{kinds}))?(?: \([^)]*\))?(?: (?:as (?:an )?input|input))?$",
        text,
        re.I,
    )
    if not match:
        return None
    name = match.group("n") or (runs.parameters[0] if len(runs.parameters) == 1 else None)
    if name not in runs.parameters or runs.arguments is None:
        return None
    mine = [r for r in (*runs.own(), *runs.fresh()) if r[1] == "ok"]
    allowed = (
        TYPES[match.group("t")] if match.group("t") in TYPES else TYPES[match.group("t").lower()]
    )
    inner = TYPES.get(match.group("o") or "")
    for run in mine:
        value = run[0].get(name)
        if not isinstance(value, allowed) or (
            isinstance(value, bool) and bool not in allowed and int in allowed
        ):
            return False, f"{name} is a {type(value).__name__}"
        if inner and not all(isinstance(x, inner) for x in list(value)):  # type: ignore[call-overload]
            return False, f"items of {name} differ"
    return (True, f"held on {len(mine)} inputs") if mine else (None, "no run")


def _changed_arguments(runs: Runs) -> list[str] | None:
    """Parameters whose object the traced run changed (a new object under the name is none)."""
    history = runs.cursor.history
    entry = history.entry
    layout = history.layout
    if entry is None or layout is None:
        return None
    changed = []
    rebound: dict[str, int] = {}
    for index in entry.steps:
        step = history.steps[index]
        if step.event == "call":
            continue
        statement = layout.statements.get(history.line(index))
        stored = (
            {
                n.id
                for n in ast.walk(statement)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            if statement
            else set()
        )
        for change in step.changes:
            if change.name in stored and not isinstance(statement, ast.AugAssign):
                rebound.setdefault(change.name, index)
            elif (
                change.name in runs.parameters
                and change.name not in rebound
                and not isinstance(statement, ast.AugAssign)
            ):
                changed.append(change.name)
    return changed
