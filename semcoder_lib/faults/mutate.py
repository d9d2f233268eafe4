"""Mutants of a right program: one named edit each, in normal form, with the altered line known."""

from __future__ import annotations

import ast
import collections
import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from semcoder_lib.core.records import Entry, Program
from semcoder_lib.faults.operators import OPERATORS, Edit, Named, Place, places


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one bug. `line` is the first altered line of `buggy` and `fixed_line` the
    first of `fixed` (1-based); `height` and `fixed_height` say how many lines there differ, so
    that (0, 1) is a missing line and (1, 0) an extra one. `cause` is the bug in words."""

    program_id: str
    entry_point: str
    buggy: str
    fixed: str
    operator: str
    cause: str
    line: int
    fixed_line: int
    height: int
    fixed_height: int


@functools.lru_cache(maxsize=4096)
def normal_form(source: str) -> str:
    """The source as `ast.unparse` writes it, without comments and docstrings, one statement a
    line (as the authors normalise code before repair). Raises SyntaxError, also for the rare
    program that has no such form."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = body[0] if body else None
            constant = first.value if isinstance(first, ast.Expr) else None
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                node.body = node.body[1:] or [ast.Pass()]
    text = _compact(ast.unparse(tree))
    if ast.dump(ast.parse(text)) != ast.dump(tree):
        raise SyntaxError("a string spans lines, so the code has no form of one statement a line")
    return text


def _compact(text: str) -> str:
    """Without blank lines, but for one before each function and class."""
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith(_OPENS) and lines and not lines[-1].startswith("@"):
            lines.append("")
        if line.strip():
            lines.append(line)
    return "\n".join(lines) + "\n"


_OPENS = ("def ", "class ", "@", "async def ")


def altered(buggy: str, fixed: str) -> tuple[int, int, int, int]:
    """`(line, fixed_line, height, fixed_height)` of the smallest block of lines that differs."""
    a, b = buggy.splitlines(), fixed.splitlines()
    top = 0
    while top < min(len(a), len(b)) and a[top] == b[top]:
        top += 1
    bottom = 0
    while bottom < min(len(a), len(b)) - top and a[-1 - bottom] == b[-1 - bottom]:
        bottom += 1
    return top + 1, top + 1, len(a) - top - bottom, len(b) - top - bottom


def mutate(
    entry: Entry | Program,
    *,
    seed: int = 0,
    limit: int | None = None,
    operators: tuple[str, ...] | None = None,
) -> Iterator[Mutant]:
    """Mutants of one program, at most `limit`, in an order that gives every operator its turn.

    The same program, seed and operators give the same mutants. No two have the same text. Whether
    a mutant is a bug at all (and not another way to write the same) is not known before it was
    run. A program that does not parse has none. Raises KeyError for an unknown operator.
    """
    program = entry.program if isinstance(entry, Entry) else entry
    try:
        fixed = normal_form(program.source)
        tree = ast.parse(fixed)
    except (SyntaxError, ValueError, RecursionError):
        return
    chosen = [OPERATORS[name] for name in operators] if operators else list(OPERATORS.values())
    rng = random.Random(f"{seed}:mutate:{program.id or fixed}")
    by_operator = _edits(tree, chosen)
    for sites in by_operator.values():
        rng.shuffle(sites)
    names = sorted(by_operator)
    rng.shuffle(names)
    seen = {fixed}
    made = 0
    while names and (limit is None or made < limit):
        for name in list(names):
            mutant = _next(tree, program, fixed, name, by_operator[name], seen)
            if mutant is None:
                names.remove(name)
                continue
            yield mutant
            made += 1
            if made == limit:
                return


def _edits(tree: ast.Module, chosen: list[Named]) -> dict[str, list[tuple[Place, Edit]]]:
    by_kind: dict[type[ast.AST], list[Named]] = collections.defaultdict(list)
    for named in chosen:
        for kind in named.kinds:
            by_kind[kind].append(named)
    found: dict[str, list[tuple[Place, Edit]]] = collections.defaultdict(list)
    for place in places(tree):
        for named in by_kind.get(type(place.node), ()):
            found[named.name].extend((place, edit) for edit in named.make(place))
    return found


def _next(
    tree: ast.Module,
    program: Program,
    fixed: str,
    operator: str,
    sites: list[tuple[Place, Edit]],
    seen: set[str],
) -> Mutant | None:
    while sites:
        place, edit = sites.pop()
        buggy = _applied(tree, place, edit)
        if buggy is None or buggy in seen:
            continue
        seen.add(buggy)
        line, fixed_line, height, fixed_height = altered(buggy, fixed)
        return Mutant(
            program.id,
            program.entry_point,
            buggy,
            fixed,
            operator,
            edit.cause,
            line,
            fixed_line,
            height,
            fixed_height,
        )
    return None


def _applied(tree: ast.Module, place: Place, edit: Edit) -> str | None:
    """The program's text with the edit; the tree is as before afterwards. None when it is no
    Python (a `break` that lost its loop, say)."""
    parent, name, index = place.parent, place.name, place.index
    old = getattr(parent, name)
    new = edit.new
    for node in new if isinstance(new, list) else [new]:
        ast.fix_missing_locations(node)  # unparse asks statements for their line
    if index is None:
        setattr(parent, name, new)
    elif isinstance(new, list):
        rest = old[:index] + new + old[index + edit.takes :]
        setattr(parent, name, rest or [ast.Pass()])
    else:
        setattr(parent, name, [*old[:index], new, *old[index + 1 :]])
    try:
        text = _compact(ast.unparse(tree))
        compile(text, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    finally:
        setattr(parent, name, old)
    return text
