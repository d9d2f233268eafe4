"""How much tracing costs: ours and PySnooper.

Every program runs inside the sandbox, all tracers of one program in one process, one after the
other; the least of several rounds counts. Time per event is the whole time of a call over the
events that the tracer itself recorded. PySnooper is no dependency: `pip install --target FOLDER
pysnooper`, then name the folder in `SEMCODER_PEERS`.
"""

from __future__ import annotations

import collections
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.sandbox import Job, Sandbox
from tests.bench.timing import cruxeval, say

PLUGIN = "tests.bench.tracing_child"
ROUNDS = 5
BLOCKS = Path(__file__).with_name("loops.txt").read_text().split("###\n")[1:]
LOOPS: list[tuple[str, tuple[Any, ...]]] = [(source, ()) for source in BLOCKS]
MILLION = ("def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n", (10**6,))


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--peers", action="store_true", help="PySnooper, too")


def run(options: Namespace) -> dict[str, Any]:
    """For CRUXEval's calls and for loops: slowdown, microseconds an event, PySnooper over ours."""
    folder = os.environ.get("SEMCODER_PEERS", "")
    if options.peers and not (Path(folder) / "pysnooper").is_dir():
        say("PySnooper is left out: name its folder in SEMCODER_PEERS")
        options.peers = False
    tracers = ["plain", "ours", *["pysnooper"] * options.peers]
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    # where nothing is hidden, a program's process can import it
    with Sandbox("portable" if options.peers else "auto", workers=1) as box:
        for name, calls in (("cruxeval", cruxeval()), ("loops", LOOPS)):
            if calls:
                found[name] = _compared(calls, tracers, folder, box)
                say(f"{name}: {json.dumps(found[name], indent=1)}")
        capped = _compared([MILLION], ["plain", "ours"], "", box)
        found["million_capped_slowdown"] = capped["ours"]["slowdown"]
    return found


def _compared(
    calls: Sequence[tuple[str, tuple[Any, ...]]], tracers: list[str], folder: str, box: Sandbox
) -> dict[str, Any]:
    limits = box.limits.but(cpu_seconds=60.0, wall_seconds=300.0)
    setup = {"tracers": tracers, "rounds": ROUNDS, "folder": folder}
    jobs = (
        Job(source, "f", [a], limits, PLUGIN, {**setup, "limits": tracing.options(source)})
        for source, a in calls
    )
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
    over = round(seconds["pysnooper"] / seconds["ours"], 2)
    return {"calls": events["calls"], "events": events["ours"], **rows, "pysnooper_over_ours": over}
