"""How much tracing costs: ours, PySnooper, hunter and a bare `sys.settrace`.

Every program runs inside the sandbox, all tracers of one program in one process, one after the
other; the least of several rounds counts. Time per event is the whole time of a call over the
events that the tracer itself recorded. The peers are no dependencies: `pip install --target FOLDER
pysnooper hunter`, then name the folder in `SEMCODER_PEERS`.
"""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Case, Program
from semcoder_lib.sandbox import Job, Sandbox
from tests.bench.timing import in_turns, ratio, say

PLUGIN = "tests.bench.tracing_child"
PEERS = ("pysnooper", "hunter")
ROUNDS = 5
# loops that change numbers, lists, strings, dicts and nested lists
LOOPS: list[tuple[str, tuple[Any, ...]]] = [
    ("def f(n):\n    t = 0\n    for i in range(n):\n        t += i * i\n    return t\n", (1500,)),
    (
        "def f(n):\n    marks = [True] * n\n    for i in range(2, n):\n        if marks[i]:\n"
        "            for j in range(i * i, n, i):\n                marks[j] = False\n"
        "    return sum(marks)\n",
        (200,),
    ),
    (
        "def f(text):\n    seen = {}\n    for c in text:\n        seen[c] = seen.get(c, 0) + 1\n"
        "    return seen\n",
        ("the quick brown fox jumps over the lazy dog " * 20,),
    ),
    (
        "def f(n):\n    grid = [[0] * n for _ in range(n)]\n    for i in range(n):\n"
        "        for j in range(n):\n            grid[i][j] = i ^ j\n    return grid\n",
        (14,),
    ),
    (
        "def f(xs):\n    for i in range(len(xs)):\n        for j in range(len(xs) - 1 - i):\n"
        "            if xs[j] > xs[j + 1]:\n                xs[j], xs[j + 1] = xs[j + 1], xs[j]\n"
        "    return xs\n",
        ([(7 * i) % 40 for i in range(40)],),
    ),
]
MILLION = ("def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n", (10**6,))
FRESH = "def f(n):\n    t = []\n    for i in range(n):\n        t.append(i)\n    return t\n"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--peers", action="store_true", help="PySnooper and hunter, too")


def run(options: Namespace) -> dict[str, Any]:
    """For CRUXEval's calls and for loops: slowdown, microseconds an event, peers over ours."""
    folder = os.environ.get("SEMCODER_PEERS", "")
    if options.peers and not all((Path(folder) / name).is_dir() for name in PEERS):
        say("PySnooper and hunter are left out: name their folder in SEMCODER_PEERS")
        options.peers = False
    tracers = ["plain", "settrace", "ours", *(PEERS if options.peers else ())]
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    # where nothing is hidden, a program's process can import the peers
    with Sandbox("portable" if options.peers else "auto", workers=1) as box:
        for name, calls in (("cruxeval", _cruxeval()), ("loops", LOOPS)):
            if calls:
                found[name] = _compared(calls, tracers, folder, box)
                say(f"{name}: {json.dumps(found[name], indent=1)}")
        capped = _compared([MILLION], ["plain", "ours"], "", box)
        found["million_capped_slowdown"] = capped["ours"]["slowdown"]
        if options.peers:
            found["new_interpreter_with_pysnooper_over_ours"] = _fresh(folder, box)
    return found


def _compared(
    calls: Sequence[tuple[str, tuple[Any, ...]]], tracers: list[str], folder: str, box: Sandbox
) -> dict[str, Any]:
    limits = box.limits.but(cpu_seconds=60.0, wall_seconds=300.0)
    jobs = (
        Job(
            source, "f", [given], limits, PLUGIN,
            {
                "tracers": tracers, "rounds": ROUNDS, "folder": folder,
                "limits": tracing.options(source),
            },
        )
        for source, given in calls
    )  # fmt: skip
    seconds: collections.Counter[str] = collections.Counter()
    events: collections.Counter[str] = collections.Counter()
    for (outcome,) in box.map(jobs):
        if outcome.payload is not None:
            told = json.loads(outcome.payload)
            seconds.update(told["seconds"])
            events.update({"calls": 1, **told["events"]})
    rows = {
        tracer: {
            "slowdown": round(seconds[tracer] / seconds["plain"], 2),
            "us_per_event": round(1e6 * seconds[tracer] / max(1, events[tracer]), 3),
        }
        for tracer in tracers
    }
    over = {f"{peer}_over_ours": round(seconds[peer] / seconds["ours"], 2)
            for peer in PEERS if peer in tracers}  # fmt: skip
    return {"calls": events["calls"], "events": events["ours"], **rows, **over}


def _cruxeval() -> list[tuple[str, tuple[Any, ...]]]:
    path = workspace.find_data("cruxeval.jsonl")
    if path is None:
        say("cruxeval.jsonl is left out: python -m semcoder_lib data fetch cruxeval.jsonl")
    calls = []
    for row in workspace.read_jsonl(path) if path else ():
        try:
            _, given, named = values.parse_call(f"f({row['input']})")
        except values.NotALiteral:
            continue  # a few inputs are expressions
        if not named:
            calls.append((row["code"], given))
    return calls


def _fresh(folder: str, box: Sandbox) -> float:
    """One test at a time as the authors trace: a new interpreter, PySnooper, a log file. Only this
    file's program runs so, since nothing contains it there."""
    numbers = iter(range(10**6))

    def ours() -> int:
        pairs = [(Program(f"{FRESH}# {next(numbers)}\n", "f"), Case((6,))) for _ in range(200)]
        return len(list(tracing.trace_many(pairs, box)))

    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "test.py"
        log = str(Path(place) / "log")
        script.write_text(f"import pysnooper\n\n\n@pysnooper.snoop({log!r})\n{FRESH}\nf(6)\n")
        command = [sys.executable, str(script)]
        environment = {**os.environ, "PYTHONPATH": folder}

        def theirs() -> int:
            return len([subprocess.run(command, env=environment, check=True)])

        return ratio(in_turns({"ours": ours, "new": theirs}, ROUNDS), "new", "ours")
