"""Perturbations that do not change what a program does: a hook on every benchmark.

A perturbation takes a program's source, the name of its function and a random generator, and
returns both anew. Register your own with `register`. That the meaning is kept is the function's
promise; `tests/benchmarks` holds ours to it by running programs before and after.
"""

from __future__ import annotations

import ast
import io
import random
import tokenize
from collections.abc import Callable, Sequence

from semcoder_lib.core.errors import UserError

Perturbation = Callable[[str, str, random.Random], tuple[str, str]]
_registry: dict[str, Perturbation] = {}
_NAMES = ("operation_to_do", "apply_step", "work_on", "task_body", "evaluate_once", "handle_case")
_REMARKS = (
    "next step",
    "see the notes above",
    "this part is straightforward",
    "kept as it was",
    "no change needed here",
)


def register(name: str, function: Perturbation) -> None:
    """Make a perturbation known under a name. Raises UserError when the name is taken."""
    if name in _registry:
        raise UserError(f"perturbation {name!r}: the name is taken")
    _registry[name] = function


def names() -> tuple[str, ...]:
    """The registered perturbations."""
    return tuple(_registry)


def apply(name: str, source: str, entry_point: str, seed: int = 0) -> tuple[str, str]:
    """The perturbed source and the function's name in it; the same seed gives the same text.
    Raises UserError for an unknown name or a source that does not parse."""
    function = _registry.get(name)
    if function is None:
        raise UserError(f"perturbation {name!r}: choose from {', '.join(_registry)}")
    try:
        ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"perturbation {name!r}: the program does not parse ({error})") from None
    return function(source, entry_point, random.Random(f"{seed}:perturb:{name}:{source}"))


def renamed(source: str, old: str, new: str) -> str:
    """The source with every name `old` replaced, but no attribute, string or comment."""
    lines = source.splitlines(keepends=True)
    places = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.string == old and before != ".":
            places.append(token.start)
        before = token.string
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "".join(lines)


def _rename(source: str, entry_point: str, draw: random.Random) -> tuple[str, str]:
    free = [name for name in _NAMES if name not in source]
    new = draw.choice(free) if free else f"{entry_point}_renamed"
    return renamed(source, entry_point, new), new


def _reformat(source: str, entry_point: str, draw: random.Random) -> tuple[str, str]:
    return ast.unparse(ast.parse(source)) + "\n", entry_point


def _comments(source: str, entry_point: str, draw: random.Random) -> tuple[str, str]:
    starts = _statement_lines(source)
    chosen = sorted(draw.sample(starts, max(1, len(starts) // 2))) if starts else []
    lines = source.split("\n")
    for number in reversed(chosen):
        line = lines[number - 1]
        gap = line[: len(line) - len(line.lstrip())]
        lines.insert(number - 1, f"{gap}# {draw.choice(_REMARKS)}")
    return "\n".join(lines), entry_point


def _dead_code(source: str, entry_point: str, draw: random.Random) -> tuple[str, str]:
    function = next(
        (
            node
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef) and node.name == entry_point
        ),
        None,
    )
    if function is None:
        return source, entry_point
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    lines = source.split("\n")
    if first.lineno == function.lineno:  # a body on the line of its header
        return source, entry_point
    at = (first.end_lineno or first.lineno) if is_text else first.lineno - 1
    gap = " " * first.col_offset if not lines[first.lineno - 1].startswith("\t") else "\t"
    dead = [f"{gap}if False:", f"{gap}{gap}_unused = {draw.randint(2, 99)}"]
    return "\n".join([*lines[:at], *dead, *lines[at:]]), entry_point


def _statement_lines(source: str) -> list[int]:
    """Lines that begin with a statement of a suite, where a comment line may stand before."""
    lines = source.split("\n")
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for field in ("body", "orelse", "finalbody"):
            for child in getattr(node, field, None) or []:
                if isinstance(child, ast.stmt):
                    # a decorated function begins at its first decorator
                    decorators: Sequence[ast.expr] = getattr(child, "decorator_list", [])
                    number = min([child.lineno, *(d.lineno for d in decorators)])
                    head = lines[number - 1][: child.col_offset]
                    if not head.strip():
                        found.add(number)
    return sorted(found)


register("rename", _rename)
register("reformat", _reformat)
register("comments", _comments)
register("dead_code", _dead_code)
