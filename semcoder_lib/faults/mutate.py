"""Mutants of a right program: one named edit each, in normal form, with the altered line known."""

from __future__ import annotations

import ast
import collections
import difflib
import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core.records import Entry, Program
from semcoder_lib.faults.operators import OPERATORS, REWRITES, SWAPS
from semcoder_lib.faults.patterns import Edit, Place, places, rewrites
from semcoder_lib.faults.searches import SEARCHES

_REFUSED = (SyntaxError, ValueError, RecursionError, MemoryError)  # by Python's parser and writer


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one bug. `line` is the first altered line (1-based, the same in both) and
    `height` and `fixed_height` say how many lines differ there in `buggy` and in `fixed`: (0, 1)
    is a missing line, (1, 0) an extra one. `cause` is the bug in words."""

    program_id: str
    entry_point: str
    buggy: str
    fixed: str
    operator: str
    cause: str
    line: int
    height: int
    fixed_height: int


@functools.lru_cache(maxsize=4096)
def normal_form(source: str) -> str:
    """The source as `ast.unparse` writes it, without comments and docstrings, one statement a
    line (as the authors normalise code before repair). Raises SyntaxError, and nothing else, for
    whatever Python cannot parse or write, and for the rare program that has no such form."""
    try:
        return _normal_form(source)
    except _REFUSED as error:
        raise SyntaxError(str(error) or type(error).__name__) from None


def _normal_form(source: str) -> str:
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


def parsed(source: str) -> ast.Module | None:
    """The tree of foreign text, or None where Python cannot parse it."""
    try:
        return ast.parse(source)
    except _REFUSED:
        return None


def normal(source: str | None) -> str | None:
    """The normal form, or None where there is none."""
    try:
        return normal_form(source) if source else None
    except SyntaxError:
        return None


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
) -> Iterator[Mutant]:
    """Mutants of one program, at most `limit`, in an order that gives every operator its turn.

    The same program, seed and operators give the same mutants. No two have the same text. Whether
    a mutant is a bug at all (and not another way to write the same) is not known before it was
    run. A program that does not parse has none. Raises KeyError for an unknown operator.
    """
    program = entry.program if isinstance(entry, Entry) else entry
    chosen = {OPERATORS[name].name for name in operators or OPERATORS}
    fixed = normal(program.source)
    if fixed is None:
        return
    rng = random.Random(f"{seed}:mutate:{program.id or fixed}")
    tree = ast.parse(fixed)
    by_operator: dict[str, list[tuple[Place, Edit]]] = collections.defaultdict(list)
    for operator, place, edit in edits(tree):
        if operator in chosen:
            by_operator[operator].append((place, edit))
    for sites in by_operator.values():
        rng.shuffle(sites)
    names = sorted(by_operator)
    rng.shuffle(names)
    seen = {fixed}
    count = 0
    while names:
        for name in list(names):
            if count == limit:
                return
            sites = by_operator[name]
            buggy = None
            while sites and buggy is None:
                place, edit = sites.pop()
                cause = cause_of(place, edit)
                text = applied(tree, place, edit)
                buggy = text if text not in seen else None
            if buggy is None:
                names.remove(name)
                continue
            seen.add(buggy)
            count += 1
            line, old, new = altered(buggy, fixed)
            yield Mutant(program.id, program.entry_point, buggy, fixed, name, cause, line,
                         len(old), len(new))  # fmt: skip


def edits(tree: ast.Module) -> Iterator[tuple[str, Place, Edit]]:
    """Everything that the operators could do to a program, with the operators' names."""
    for place in places(tree):
        for operator, edit in rewrites(place):
            yield operator, place, edit
        for operator, phrase, search in SEARCHES.get(type(place.node), ()):
            for edit in search(place):
                yield operator, place, replace(edit, phrase=phrase)


def cause_of(place: Place, edit: Edit) -> str:
    """The phrase of an edit, with the line that is wrong and the right one where one differs:
    "the comparison goes the wrong way; `a < b` should be `a > b`"."""
    if edit.takes == 1 and isinstance(edit.new, ast.AST):
        wrong, right = (_written(node).split("\n") for node in (edit.new, place.node))
        if wrong[0] != right[0] and wrong[1:] == right[1:] and wrong[0] and right[0]:
            return f"{edit.phrase}; `{wrong[0]}` should be `{right[0]}`"
    return edit.phrase


def _written(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def causes(buggy: str, fixed: str, phrase: str) -> set[str]:
    """The causes with this phrase of edits of `fixed` that give `buggy`, both in normal form; for
    single lines also what can be said without an operator."""
    tree = ast.parse(fixed)
    known = {
        cause_of(place, edit)
        for _, place, edit in edits(tree)
        if edit.phrase == phrase and applied(tree, place, edit) == buggy
    }
    plain = line_cause(buggy, fixed)
    return known | ({plain} if plain.partition("; `")[0] == phrase else set())


def line_cause(buggy: str, fixed: str) -> str:
    """What is wrong with a single altered line, in words; empty where several lines differ."""
    _, old, new = altered(buggy, fixed)
    if len(old) == len(new) == 1 and old[0].strip() != new[0].strip():
        return f"{LINE_WRONG}; `{old[0].strip()}` should be `{new[0].strip()}`"
    if len(old) + len(new) == 1:
        return LINE_EXTRA if old else LINE_MISSING
    return ""


LINE_WRONG, LINE_EXTRA = "the line is wrong", "the line should not be there"
LINE_MISSING = "a line is missing"
PHRASES = (
    {row[3] for row in (*REWRITES, *SWAPS)}
    | {phrase for rows in SEARCHES.values() for _, phrase, _ in rows}
    | {LINE_WRONG, LINE_EXTRA, LINE_MISSING}
)


def applied(tree: ast.Module, place: Place, edit: Edit) -> str | None:
    """The program's text with the edit; the tree is as before afterwards. None when it is no
    Python (a `break` that lost its loop, say)."""
    parent, name, index = place.parent, place.name, place.index
    old = getattr(parent, name)
    new: Any = edit.new
    for node in new if isinstance(new, list) else [new]:
        ast.fix_missing_locations(node)  # unparse asks statements for their line
    if index is None:
        setattr(parent, name, new)
    else:
        part = new if isinstance(new, list) else [new]
        rest = old[:index] + part + old[index + edit.takes :]
        setattr(parent, name, rest or [ast.Pass()])
    try:
        text = _compact(ast.unparse(tree))
        compile(text, "<mutant>", "exec", dont_inherit=True)
    except _REFUSED:
        return None
    finally:
        setattr(parent, name, old)
    return text
