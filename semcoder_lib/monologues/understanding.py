"""What a function does, in a sentence or two, from its syntax alone."""

from __future__ import annotations

import ast
from random import Random

from semcoder_lib.monologues.reading import Reading, parameters

_SHORT = 48


def understanding(reading: Reading, rng: Random | None = None) -> str:
    """A summary of the entry point: parameters, loops, early exits, result. No invented purpose.
    `rng` chooses between wordings; without it the first is taken."""
    made: tuple[str, ...] | None = getattr(reading, "_understanding", None)
    if made is None:
        made = _made(reading)
        reading._understanding = made  # type: ignore[attr-defined]
    return rng.choice(made) if rng is not None else made[0]


def _made(reading: Reading) -> tuple[str, ...]:
    function = reading.entry
    f, names = function.name, parameters(function)
    takes = f"takes {_listed(names)}" if names else "takes nothing"
    clauses = [c for stmt in function.body for c in _clauses(stmt)][:5]
    if not clauses:
        return (f"{f} {takes}.", f"The function {f} {takes}.")
    does = _listed(clauses)
    given = f"Given {_listed(names)}, " if names else ""
    return (
        f"{f} {takes}. It {does}.",
        f"The function {f} {takes}. It {does}.",
        f"{given}{f} {does}.",
        f"{f} {takes}, then {does}.",
    )


def _listed(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _SHORT else ""


def _clauses(stmt: ast.stmt) -> list[str]:
    if isinstance(stmt, ast.For):
        text = _short(stmt.iter)
        return [f"goes over {text}" if text else "runs a loop"]
    if isinstance(stmt, ast.While):
        text = _short(stmt.test)
        return [f"repeats while {text}" if text else "repeats a loop"]
    if isinstance(stmt, ast.If) and any(isinstance(s, ast.Return | ast.Raise) for s in stmt.body):
        text = _short(stmt.test)
        return [f"leaves early if {text}"] if text else []
    if isinstance(stmt, ast.Return) and stmt.value is not None:
        text = _short(stmt.value)
        return [f"returns {text}" if text else "returns the result"]
    return []
