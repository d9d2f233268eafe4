"""What a corpus holds, in numbers: sizes, coverage, types, constructs, categories, licences."""

from __future__ import annotations

import ast
import collections
import statistics
from collections.abc import Iterable
from typing import Any

from semcoder_lib.core.records import Entry
from semcoder_lib.corpus.categories import category
from semcoder_lib.corpus.seeds.synthesiser.rules import features_of


def describe(entries: Iterable[Entry]) -> dict[str, Any]:
    """Counts and histograms of a corpus, JSON data; reads the entries once, keeps none of them.

    `coverage` are means over programs, in fractions. `constructs` counts programs that contain a
    construct or a call of a builtin or method (`.append`, `len()`, `ListComp`), the 60 commonest.
    """
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    lines: list[float] = []
    branches: list[float] = []
    lengths: list[int] = []
    families: set[str] = set()
    cases = 0
    for entry in entries:
        program = entry.program
        families.add(program.family)
        counts["origin"][program.origin] += 1
        counts["split"][program.split] += 1
        counts["package"][program.provenance.package] += 1
        counts["licence"][program.provenance.licence] += 1
        counts["method"][program.provenance.method] += 1
        counts["types_from"][program.types_from] += 1
        counts["category"][category(program)] += 1
        counts["argument_types"].update(program.argument_types)
        counts["case_source"].update(c.source for c in entry.cases)
        tree = ast.parse(program.source)
        counts["constructs"].update(set(features_of(tree)))
        lines.append(entry.line_coverage)
        branches.append(entry.branch_coverage)
        lengths.append(program.source.count("\n"))
        cases += len(entry.cases)
    count = len(lines)
    return {
        "programs": count,
        "cases": cases,
        "families": len(families),
        "lines": {"median": statistics.median(lengths), "most": max(lengths)} if count else {},
        "coverage": {
            "line": round(statistics.fmean(lines), 4) if count else 0.0,
            "branch": round(statistics.fmean(branches), 4) if count else 0.0,
            "all_lines": sum(v == 1.0 for v in lines),
        },
        **{
            name: dict(sorted(c.most_common(60), key=lambda kv: (-kv[1], kv[0])))
            for name, c in sorted(counts.items())
        },
    }
