"""Snippets of installed packages, for a teacher to be inspired by (paper section 3.1). They are AST
subtrees, so that every one parses by construction."""

from __future__ import annotations

import ast
import random
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from semcoder_lib.core.records import Provenance
from semcoder_lib.corpus.seeds.packages import files

MIN_NODES = 12
MAX_LINES = 25
MAX_SIBLINGS = 4


@dataclass(frozen=True, slots=True)
class Seed:
    """A snippet that a teacher starts from, and where it stands."""

    id: str
    snippet: str
    provenance: Provenance = field(default_factory=Provenance)


def snippets(*, seed: int = 0, per_file: int = 2) -> Iterator[Seed]:
    """Subtrees of the files that `packages` reads, up to `per_file` of each, lazily. The order
    depends on the seed and the installed versions only; every snippet parses."""
    for file in files(seed):
        try:
            source = file.path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        package, name = file.provenance.package, file.provenance.file
        chance = random.Random(f"{seed}:snippets:{package}:{name}")
        provenance = replace(file.provenance, method="snippet")
        for number, text in enumerate(subtrees(source, chance, per_file)):
            yield Seed(f"{package}:{name}#{number}", text, provenance)


def subtrees(source: str, rng: random.Random, count: int = 1) -> Iterator[str]:
    """Up to `count` different snippets of a file: single statements and runs of sibling statements
    at any depth, of at least 12 syntax nodes and at most 25 lines, dedented. Yields nothing for a
    file that does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    lines = source.splitlines()
    runs: list[tuple[int, int]] = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                runs.extend(_runs(block))
    rng.shuffle(runs)
    given: set[str] = set()
    for first, last in runs:
        if len(given) >= count:
            return
        text = textwrap.dedent("\n".join(lines[first - 1 : last])).strip("\n") + "\n"
        if text.strip() and text not in given and _parses(text):
            given.add(text)
            yield text


def _runs(block: list[ast.stmt]) -> Iterator[tuple[int, int]]:
    for start, opening in enumerate(block):
        decorators = getattr(opening, "decorator_list", [])
        first = min([opening.lineno, *(d.lineno for d in decorators)])
        nodes = 0
        for statement in block[start : start + MAX_SIBLINGS]:
            nodes += sum(1 for _ in ast.walk(statement))
            last = statement.end_lineno or 0
            if last - first + 1 > MAX_LINES:
                break
            if nodes >= MIN_NODES:
                yield first, last


def _parses(text: str) -> bool:
    """`return` and `yield` outside a function parse as trees, which is all that is promised."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
