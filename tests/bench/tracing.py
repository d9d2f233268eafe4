"""How much tracing costs: ours and, with `--peers`, PySnooper (`pip install pysnooper`).

All tracers of one program in this process, one after the other; the least of several rounds counts.
Time per event is the whole time of a call over the events that the tracer itself recorded.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import gc
import io
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core.progress import say
from semcoder_lib.tracing import child
from tests.bench.timing import cruxeval, there

ROUNDS = 5
BLOCKS = Path(__file__).with_name("loops.txt").read_text().split("###\n")[1:]
LOOPS: list[tuple[str, tuple[Any, ...]]] = [(source, ()) for source in BLOCKS]
MILLION = ("def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n", (10**6,))
Tracer = Callable[[str], tuple[Callable[..., object], Callable[[], int]]]
"""Of a program: the traced function, and how many events its last call had."""


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--peers", action="store_true", help="PySnooper, too")


def run(options: Namespace) -> dict[str, Any]:
    """For CRUXEval's calls and for loops: slowdown, microseconds an event, PySnooper over ours."""
    tracers: dict[str, Tracer] = {"plain": _plain, "ours": _ours}
    peers: dict[str, Tracer] = {"pysnooper": _pysnooper}
    tracers |= peers if options.peers and there("pysnooper") else {}
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    for name, calls in (("cruxeval", cruxeval()), ("loops", LOOPS)):
        if calls:
            found[name] = _compared(calls, tracers)
            say(f"{name}: {found[name]}")
    capped = _compared([MILLION], {"plain": _plain, "ours": _ours})
    return {**found, "million_capped_slowdown": capped["ours"]["slowdown"]}


def _compared(
    calls: Sequence[tuple[str, tuple[Any, ...]]], tracers: dict[str, Tracer]
) -> dict[str, Any]:
    """A tracer's rounds stand together: from 3.12 on, what another one switched on or off costs the
    next call of everything."""
    seconds: collections.Counter[str] = collections.Counter()
    events: collections.Counter[str] = collections.Counter()
    for source, given in calls:
        for name, tracer in tracers.items():
            (function, count), times = tracer(source), []
            gc.disable()
            for _ in range(ROUNDS):
                own = copy.deepcopy(given)
                start = time.perf_counter()
                with contextlib.suppress(Exception):  # of the program; its time counts all the same
                    function(*own)
                times.append(time.perf_counter() - start)
            gc.enable()
            seconds[name] += min(times)
            events[name] += count()
    events["plain"] = events["ours"]
    rows = {
        name: {
            "slowdown": round(seconds[name] / seconds["plain"], 2),
            "us_per_event": round(1e6 * seconds[name] / max(1, events[name]), 3),
        }
        for name in tracers
    }
    over = round(seconds["pysnooper"] / seconds["ours"], 2)
    return {"calls": len(calls), "events": events["ours"], **rows, "pysnooper_over_ours": over}


def _function(source: str, file: str = "<untraced>") -> Any:
    space: dict[str, Any] = {"__name__": "program", "print": lambda *_, **__: None}
    exec(compile(source, file, "exec", dont_inherit=True), space)
    return space["f"]


def _plain(source: str) -> tuple[Callable[..., object], Callable[[], int]]:
    return _function(source), int


def _ours(source: str) -> tuple[Callable[..., object], Callable[[], int]]:
    function, setup = _function(source, child.FILENAME), tracing.options(source)
    held: collections.deque[str] = collections.deque(maxlen=1)
    return (
        lambda *given: child.call(function, given, setup, held.append),
        lambda: len(json.loads(held[-1])["steps"]),
    )


def _pysnooper(source: str) -> tuple[Callable[..., object], Callable[[], int]]:
    import pysnooper

    log = io.StringIO()
    return (
        pysnooper.snoop(log, color=False)(_function(source)),
        # an event's line starts with the time of day
        lambda: sum(line.lstrip()[2:3] == ":" for line in log.getvalue().split("\n")) // ROUNDS,
    )
