"""How much tracing costs: ours, PySnooper, hunter and a bare `sys.settrace`, in one run.

Every program runs inside the sandbox, all tracers of one program in one process, one after the
other: a tracer that is switched on or off makes the interpreter instrument all code anew, so in
turns each would pay for its neighbour. The least of several rounds counts. Time per event is the
whole time of a call, set-up and the untraced part included, over the events that the tracer itself
recorded.

PySnooper and hunter are no dependencies of this library: install them somewhere (`pip install
--target FOLDER pysnooper hunter`) and name the folder in `SEMCODER_PEERS`, or have them importable.
A peer that is not there is skipped, and that is said.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program
from semcoder_lib.core.workspace import find_data, read_jsonl
from semcoder_lib.run.bench.arguments import Parser
from semcoder_lib.sandbox import Job, Sandbox
from semcoder_lib.tracing import trace_many

_PLUGIN = "semcoder_lib.run.bench.timing_child"
_PEERS = ("pysnooper", "hunter")
_ROUNDS = 5
_FRESH = 7  # tests that get an interpreter of their own, each beside 200 of ours

# name -> source, arguments: loops that change numbers, lists, strings, dicts and nested lists
LOOPS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "sum": (
        "def f(n):\n    t = 0\n    for i in range(n):\n        t += i * i\n    return t\n",
        (1500,),
    ),
    "sieve": (
        "def f(n):\n    marks = [True] * n\n    for i in range(2, n):\n        if marks[i]:\n"
        "            for j in range(i * i, n, i):\n                marks[j] = False\n"
        "    return sum(marks)\n",
        (200,),
    ),
    "words": (
        "def f(text):\n    seen = {}\n    for c in text:\n        seen[c] = seen.get(c, 0) + 1\n"
        "    return seen\n",
        ("the quick brown fox jumps over the lazy dog " * 20,),
    ),
    "grid": (
        "def f(n):\n    grid = [[0] * n for _ in range(n)]\n    for i in range(n):\n"
        "        for j in range(n):\n            grid[i][j] = i ^ j\n    return grid\n",
        (14,),
    ),
    "bubble": (
        "def f(xs):\n    for i in range(len(xs)):\n        for j in range(len(xs) - 1 - i):\n"
        "            if xs[j] > xs[j + 1]:\n                xs[j], xs[j + 1] = xs[j + 1], xs[j]\n"
        "    return xs\n",
        ([(7 * i) % 40 for i in range(40)],),
    ),
}
_MILLION = "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n"


def main(argv: Sequence[str] = ()) -> dict[str, Any]:
    """Prints a table to standard error and returns the figures.

    `--peers` adds PySnooper and hunter. Ratios are of least times; `per_line` compares
    microseconds for each event that the tracer in question recorded.
    """
    parser = Parser(prog="python -m semcoder_lib bench tracing")
    parser.add_argument("--peers", action="store_true", help="PySnooper and hunter, too")
    peers, folders = _peers() if parser.parse_args(list(argv)).peers else ((), ())
    tracers = ["plain", "settrace", "ours", *peers]
    summary: dict[str, Any] = {"bench": "tracing", "python": sys.version.split()[0]}
    with Sandbox(workers=1) as box:
        calls = list(_cruxeval())
        if calls:
            summary["cruxeval"] = _compare("CRUXEval", calls, tracers, folders, box)
        else:
            _say("cruxeval.jsonl was not found (`data fetch` gets it); its 800 calls are left out")
        loops = [(Program(source, "f"), Case(given)) for source, given in LOOPS.values()]
        summary["loops"] = _compare("loops", loops, tracers, folders, box)
        summary["million"] = _million(box)
        if "pysnooper" in peers:
            summary["fresh"] = _fresh(loops, folders, box)
    return summary


def _compare(
    name: str,
    calls: Sequence[tuple[Program, Case]],
    tracers: Sequence[str],
    folders: tuple[str, ...],
    box: Sandbox,
) -> dict[str, Any]:
    options = {"tracers": list(tracers), "rounds": _ROUNDS}
    limits = box.limits.but(cpu_seconds=60.0, wall_seconds=300.0)
    jobs = (
        Job(
            p.source,
            p.entry_point,
            [c.arguments],
            limits,
            _PLUGIN,
            {**options, "limits": tracing.options(p.source)},
            paths=folders,
        )
        for p, c in calls
    )
    seconds = dict.fromkeys(tracers, 0.0)
    texts = dict.fromkeys(tracers, 0)
    events = lines = shown = done = 0
    for (outcome,) in box.map(jobs):
        if outcome.payload is None:
            continue
        found = json.loads(outcome.payload)
        done += 1
        events += found["events"]
        lines += found["lines"]
        shown += found["shown"]
        for tracer in tracers:
            seconds[tracer] += found["seconds"][tracer]
            texts[tracer] += found["bytes"].get(tracer, 0)
    result: dict[str, Any] = {"calls": done, "events": events, "lines": lines}
    _say(f"{name}: {done} calls, {lines} lines")
    _say(f"  {'tracer':10} {'slowdown':>9} {'us/event':>9} {'events/s':>10} {'bytes/event':>12}")
    for tracer in tracers:
        count = shown if tracer == "pysnooper" else events
        row = {
            "slowdown": seconds[tracer] / seconds["plain"],
            "us_per_event": 1e6 * seconds[tracer] / max(count, 1),
            "events_per_second": count / seconds[tracer],
            "bytes_per_event": texts[tracer] / max(count, 1),
        }
        result[tracer] = {key: round(value, 3) for key, value in row.items()}
        _say(
            f"  {tracer:10} {row['slowdown']:9.1f} {row['us_per_event']:9.3f} "
            f"{row['events_per_second']:10.0f} {row['bytes_per_event']:12.1f}"
        )
    for tracer in tracers:
        if tracer in _PEERS:
            ratio = seconds[tracer] / seconds["ours"]
            result[f"{tracer}_over_ours"] = round(ratio, 2)
            _say(f"  {tracer} takes {ratio:.1f} times as long as ours")
    if "pysnooper" in tracers:
        ratio = result["pysnooper"]["us_per_event"] / result["ours"]["us_per_event"]
        result["pysnooper_over_ours_per_line"] = round(ratio, 2)
    return result


def _million(box: Sandbox) -> dict[str, Any]:
    """A loop of a million iterations whose trace is cut at the usual bound."""
    options = {
        "tracers": ["plain", "ours"],
        "rounds": _ROUNDS,
        "processor": True,
        "limits": tracing.options(_MILLION),
    }
    limits = box.limits.but(cpu_seconds=60.0, wall_seconds=300.0)
    job = Job(_MILLION, "f", [(1_000_000,)], limits, _PLUGIN, options)
    ((outcome,),) = box.map([job])
    found = json.loads(outcome.payload or "")["seconds"]
    ratio = found["ours"] / found["plain"]
    _say(f"a million iterations, trace capped: {ratio:.2f} times the untraced program")
    return {"ratio": round(ratio, 3), "untraced_seconds": round(found["plain"], 4)}


def _fresh(
    calls: Sequence[tuple[Program, Case]], folders: tuple[str, ...], box: Sandbox
) -> dict[str, Any]:
    """One test at a time as the authors trace: a new interpreter, PySnooper, a log file. Only the
    programs of this file run so, since nothing contains them there."""
    path = os.pathsep.join(folders)
    source = "def f(n):\n    t = []\n    for i in range(n):\n        t.append(i)\n    return t\n"
    cases = [Case((5 + k % 3,)) for k in range(200)]
    list(trace_many([(Program(source, "f"), cases[0])], box))
    ours, costs = [], []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        script = Path(folder) / "test.py"
        script.write_text(f"import pysnooper\n\n\n@pysnooper.snoop({str(log)!r})\n{source}\nf(6)\n")
        for turn in range(_FRESH):
            pairs = [(Program(source + f"# {turn} {k}\n", "f"), c) for k, c in enumerate(cases)]
            start = time.perf_counter()
            traces = list(trace_many(pairs, box))
            ours.append((time.perf_counter() - start) / len(traces))
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path}, check=True
            )
            costs.append(time.perf_counter() - start)
    each = statistics.median(ours)
    ratio = statistics.median(costs) / each
    _say(
        f"a test in the sandbox, traced: {1e3 * each:.2f} ms; in a new interpreter with PySnooper: "
        f"{ratio:.1f} times that"
    )
    return {"ms_per_test": round(1e3 * each, 3), "new_interpreter_over_ours": round(ratio, 2)}


def _cruxeval() -> Iterator[tuple[Program, Case]]:
    path = find_data("cruxeval.jsonl")
    if path is None:
        return
    for row in read_jsonl(path):
        try:
            _, given, named = values.parse_call(f"f({row['input']})")
        except values.NotALiteral:
            continue  # a few inputs are expressions
        if not named:
            yield Program(row["code"], "f", id=row["id"]), Case(given)


def _peers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(peers that are there, folders to import them from)."""
    folder = os.environ.get("SEMCODER_PEERS")
    found, folders = [], [folder] if folder else []
    for name in _PEERS:
        spec = importlib.util.find_spec(name)
        if folder and (Path(folder) / name).is_dir():
            found.append(name)
        elif spec is not None and spec.origin is not None:
            found.append(name)
            folders.append(str(Path(spec.origin).parents[1]))
        else:
            _say(f"{name} is not installed; it is left out")
    return tuple(found), tuple(dict.fromkeys(folders))


def _say(text: str) -> None:
    print(text, file=sys.stderr)
