"""Mutants of a right program: one named edit each, in normal form, with the altered line known."""

from __future__ import annotations

import ast
import collections
import difflib
import functools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.faults.patterns import OPERATORS, ROWS, Edit, edits

_REFUSED = (SyntaxError, ValueError, RecursionError, MemoryError)  # by Python's parser and writer


@dataclass(frozen=True, slots=True)
class Bug:
    """A buggy and a right form of a program, both in normal form, and the cases that tell them
    apart. `operator` made it, or a "model"; `cause` is the bug in words, where it is known."""

    program: Program
    buggy: str
    fixed: str
    cases: tuple[Case, ...] = ()
    operator: str = "model"
    cause: str = ""


@functools.lru_cache(maxsize=4096)
def normal_form(source: str) -> str:
    """The source as `ast.unparse` writes it, without comments and docstrings, one statement a
    line (as the authors normalise code before repair). Raises SyntaxError, and nothing else, for
    whatever Python cannot parse or write, and for the rare program that has no such form."""
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            if isinstance(node, scope) and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        text = _written(tree)
        if ast.dump(ast.parse(text)) == ast.dump(tree):
            return text
    except _REFUSED as error:
        raise SyntaxError(str(error) or type(error).__name__) from None
    raise SyntaxError("a string spans lines, so the code has no form of one statement a line")


def normal(source: str | None) -> str | None:
    """The normal form, or None where there is none."""
    try:
        return normal_form(source) if source else None
    except SyntaxError:
        return None


def _written(tree: ast.Module) -> str:
    """The text of a tree, without blank lines but for one before each function and class."""
    return re.sub(r"\n\n+(?= )", "\n", ast.unparse(tree)) + "\n"


def altered(buggy: str, fixed: str) -> tuple[int, list[str], list[str]]:
    """The smallest block of lines that differs: the number of its first line (1-based), its lines
    in `buggy` and in `fixed`."""
    a, b = buggy.splitlines(), fixed.splitlines()
    least = min(len(a), len(b))
    top = next((i for i in range(least) if a[i] != b[i]), least)
    rest = least - top
    bottom = next((i for i in range(rest) if a[-1 - i] != b[-1 - i]), rest)
    return top + 1, a[top : len(a) - bottom], b[top : len(b) - bottom]


def line_map(buggy: str, fixed: str) -> dict[int, int]:
    """Lines of `buggy` that have a counterpart in `fixed` (both 1-based).

    Outside the block that differs the lines map one to one. Inside it, equal lines (indentation
    aside) are matched first; what is left is paired in order where both sides have as many lines.
    A line without a partner was inserted, or removed.
    """
    top, old, new = altered(buggy, fixed)
    lines = {n: n for n in range(1, top)}
    after = range(top + len(old), len(buggy.splitlines()) + 1)
    lines.update({n: n + len(new) - len(old) for n in after})
    a, b = ([line.strip() for line in block] for block in (old, new))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and a1 - a0 == b1 - b0):
            lines.update({top + a0 + k: top + b0 + k for k in range(a1 - a0)})
    return lines


def mutate(
    entry: Entry | Program,
    *,
    seed: int = 0,
    limit: int | None = None,
    operators: tuple[str, ...] | None = None,
) -> Iterator[Bug]:
    """Mutants of one program, at most `limit`, in an order that gives every operator its turn.

    The same program, seed and operators give the same mutants. No two have the same text. Whether
    a mutant is a bug at all (and not another way to write the same) is not known before it was
    run. A program that does not parse has none. Raises KeyError for an unknown operator.
    """
    program, cases = (entry.program, entry.cases) if isinstance(entry, Entry) else (entry, ())
    chosen = {name: OPERATORS[name] for name in operators or OPERATORS}
    fixed = normal(program.source)
    if fixed is None:
        return
    rng = random.Random(f"{seed}:mutate:{program.id or fixed}")
    tree = ast.parse(fixed)
    places: dict[str, list[Edit]] = collections.defaultdict(list)
    for edit in edits(tree):
        if edit.operator in chosen:
            places[edit.operator].append(edit)
    for sites in places.values():
        rng.shuffle(sites)
    names = sorted(places)
    rng.shuffle(names)
    seen = {fixed}

    def fresh(name: str) -> Iterator[Bug]:
        for edit in places[name]:
            cause, buggy = cause_of(edit), applied(tree, edit)
            if buggy is not None and buggy not in seen:
                seen.add(buggy)
                yield Bug(program, buggy, fixed, cases, name, cause)

    waiting = collections.deque(map(fresh, names))
    while waiting and len(seen) - 1 != limit:
        mutants = waiting.popleft()
        if (bug := next(mutants, None)) is not None:
            waiting.append(mutants)
            yield bug


def applied(tree: ast.Module, edit: Edit) -> str | None:
    """The program's text with the edit; the tree is as before afterwards. None when it is no
    Python (a `break` that lost its loop, say)."""
    place = edit.place
    old = getattr(place.parent, place.field)
    part: Any = edit.new if isinstance(edit.new, list) else [edit.new]
    for node in part:
        ast.fix_missing_locations(node)  # unparse asks statements for their line
    whole = edit.new
    if place.index is not None:
        rest = [*old[: place.index], *part, *old[place.index + edit.takes :]]
        whole = rest or [ast.Pass()]
    try:
        setattr(place.parent, place.field, whole)
        text = _written(tree)
        compile(text, "<mutant>", "exec", dont_inherit=True)
    except _REFUSED:
        return None
    finally:
        setattr(place.parent, place.field, old)
    return text


# --- causes in words ------------------------------------------------------------------------------

LINE_WRONG, LINE_EXTRA = "the line is wrong", "the line should not be there"
LINE_MISSING = "a line is missing"
PHRASES = {LINE_WRONG, LINE_EXTRA, LINE_MISSING, *(row.phrase for row in ROWS)}


def cause_of(edit: Edit) -> str:
    """The phrase of an edit, with the line that is wrong and the right one where one differs:
    "the comparison goes the wrong way; `a < b` should be `a > b`"."""
    if edit.takes == 1 and isinstance(edit.new, ast.AST):
        wrong, right = (
            ast.unparse(ast.fix_missing_locations(node)).split("\n")
            for node in (edit.new, edit.place.node)
        )
        if wrong[0] != right[0] and wrong[1:] == right[1:] and wrong[0] and right[0]:
            return f"{edit.phrase}; `{wrong[0]}` should be `{right[0]}`"
    return edit.phrase


def line_cause(buggy: str, fixed: str) -> str:
    """What is wrong with a single altered line, in words; empty where several lines differ."""
    _, old, new = altered(buggy, fixed)
    if len(old) == len(new) == 1 and old[0].strip() != new[0].strip():
        return f"{LINE_WRONG}; `{old[0].strip()}` should be `{new[0].strip()}`"
    if len(old) + len(new) == 1:
        return LINE_EXTRA if old else LINE_MISSING
    return ""


def causes(buggy: str, fixed: str, phrase: str) -> set[str]:
    """The causes with this phrase of edits of `fixed` that give `buggy`, both in normal form; for
    single lines also what can be said without an operator."""
    tree = ast.parse(fixed)
    phrased = {cause_of(edit) for edit in edits(tree, phrase) if applied(tree, edit) == buggy}
    plain = line_cause(buggy, fixed)
    return phrased | ({plain} if plain.partition("; `")[0] == phrase else set())
