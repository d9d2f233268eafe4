"""What a corpus holds, in numbers: sizes, coverage, types, constructs, categories, licences."""

from __future__ import annotations

import ast
import collections
import re
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semcoder_lib.core.records import Entry, Program
from semcoder_lib.corpus.files import table
from semcoder_lib.corpus.seeds.synthesiser.rules import features_of

CATEGORIES = table(Path(__file__).with_name("categories.txt"), "category")
OTHER = "other"
_TYPE_WORDS = {
    "str": "string", "dict": "dictionary", "set": "set", "list": "list", "int": "numbers",
    "float": "numbers", "tuple": "pair",
}  # fmt: skip
SHOWN = 60  # names of a histogram


def category(program: Program) -> str:
    """The program's category. Synthesised programs, whose descriptions mention every step, are
    judged by their name, first parameter's type and imports alone."""
    words = program.entry_point.replace("_", " ").lower()
    if program.origin == "synthesised":
        outer = [t.partition("[")[0] for t in program.argument_types[:1]]
        words += " " + "".join(_TYPE_WORDS.get(name, "") for name in outer)
    else:
        words += " " + program.description.lower()
    imported: set[str] = set()
    for node in ast.walk(ast.parse(program.source)):
        if isinstance(node, ast.Import):
            imported.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
    for name, pattern, *modules in CATEGORIES:
        if not imported.isdisjoint(" ".join(modules).split()) or re.search(pattern, words):
            return name
    return OTHER


def describe(entries: Iterable[Entry]) -> dict[str, Any]:
    """Counts and histograms of a corpus, JSON data; reads the entries once, keeps none of them.

    `coverage` are means over programs, in fractions. `constructs` counts programs that contain a
    construct or a call of a builtin or method (`.append`, `len()`, `ListComp`). Histograms hold
    their 60 commonest names.
    """
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    numbers: dict[str, list[float]] = collections.defaultdict(list)
    for entry in entries:
        program = entry.program
        for name, items in (
            ("families", [program.family]),
            ("origin", [program.origin]),
            ("split", [program.split]),
            ("package", [program.provenance.package]),
            ("licence", [program.provenance.licence]),
            ("method", [program.provenance.method]),
            ("types_from", [program.types_from]),
            ("category", [category(program)]),
            ("argument_types", program.argument_types),
            ("case_source", [c.source for c in entry.cases]),
            ("constructs", set(features_of(ast.parse(program.source)))),
        ):
            counts[name].update(items)
        numbers["cases"].append(len(entry.cases))
        numbers["lines"].append(program.source.count("\n"))
        numbers["line"].append(entry.line_coverage)
        numbers["branch"].append(entry.branch_coverage)
    lines = numbers["lines"]
    families = counts.pop("families", collections.Counter())
    means = {
        name: round(statistics.fmean(numbers[name]), 4) if lines else 0.0
        for name in ("line", "branch")
    }
    return {
        "programs": len(lines),
        "cases": sum(numbers["cases"]),
        "families": len(families),
        "lines": {"median": statistics.median(lines), "most": max(lines)} if lines else {},
        "coverage": {**means, "all_lines": sum(v == 1.0 for v in numbers["line"])},
        **{name: _histogram(c) for name, c in sorted(counts.items())},
    }


def _histogram(counts: collections.Counter[str]) -> dict[str, int]:
    """The commonest names, ties in alphabetical order."""
    return dict(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[:SHOWN])
