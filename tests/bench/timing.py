"""What the benches share: pairs taken in turns, ratios of medians, a table on standard error."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.progress import say

Action = Callable[[], int]
"""Does some work and says how many units it was."""
Times = dict[str, list[float]]


def in_turns(actions: Mapping[str, Action], rounds: int) -> Times:
    """Seconds of each action for each of its units, in every round, the actions taken in turns, so
    that whatever else the machine does meets all of them. One round before is not counted."""
    times: Times = {name: [] for name in actions}
    for turn in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            units = action()
            if turn:
                times[name].append((time.perf_counter() - start) / units)
    return times


def ratio(times: Times, one: str, other: str) -> float:
    """How many times as long `one` takes as `other`: the median over the rounds."""
    pairs = zip(times[one], times[other], strict=True)
    return round(statistics.median(a / b for a, b in pairs), 3)


def cruxeval() -> list[tuple[str, tuple[Any, ...]]]:
    """The programs of CRUXEval whose inputs are literal arguments; none where it is not at hand."""
    path = workspace.find_data("cruxeval.jsonl")
    if path is None:
        say("cruxeval.jsonl is left out: python -m semcoder_lib data fetch cruxeval.jsonl")
    calls = []
    for row in workspace.read_jsonl(path) if path else ():
        with contextlib.suppress(values.NotALiteral):
            _, given, named = values.parse_call(f"f({row['input']})")
            calls += [] if named else [(row["code"], given)]
    return calls


def there(name: str, remedy: str = "") -> bool:
    """Whether a peer can be imported; says so where it cannot."""
    if importlib.util.find_spec(name) is not None:
        return True
    say(f"{name} is not installed and is left out: {remedy or f'pip install {name}'}")
    return False


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """This process and its children on one core, so that a ratio does not count cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
