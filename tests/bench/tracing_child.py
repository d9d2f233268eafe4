"""Plug-in of the sandbox that times one call under several tracers, in one process."""

from __future__ import annotations

import contextlib
import copy
import gc
import importlib
import io
import json
import os
import sys
import time
import types
from collections.abc import Callable, Mapping
from typing import Any

# in the zygote: a bare package, like those that the sandbox puts above a plug-in
_package = types.ModuleType("semcoder_lib.tracing")
_package.__path__ = [os.path.join(os.path.dirname(__file__), "../../semcoder_lib/tracing")]
sys.modules.setdefault(_package.__name__, _package)
child = importlib.import_module("semcoder_lib.tracing.child")

Call = Callable[[tuple[Any, ...]], Any]


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> None:
    """Emits JSON: for each tracer of `options["tracers"]` the least seconds of `options["rounds"]`
    calls, and how many events one traced call recorded. A tracer's rounds stand together: from 3.12
    on, what another one switched on or off costs the next call of everything."""
    seconds, recorded = {}, {}
    sys.path.append(options["folder"])
    gc.disable()
    for tracer in options["tracers"]:
        run = TRACERS[tracer](function, options)
        times = []
        for _ in range(options["rounds"]):
            given = copy.deepcopy(arguments)
            start = time.perf_counter()
            recorded[tracer] = run(given)
            times.append(time.perf_counter() - start)
        seconds[tracer] = min(times)
    ours = len(json.loads(recorded["ours"])["steps"])
    lines = recorded.get("pysnooper", "").split("\n")  # an event's line starts with the time of day
    events = dict.fromkeys(options["tracers"], ours)
    if "pysnooper" in events:
        events["pysnooper"] = sum(line.lstrip()[2:3] == ":" for line in lines)
    emit(json.dumps({"seconds": seconds, "events": events}))


def _quiet(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with contextlib.suppress(Exception):  # of the traced program; its time counts all the same
        function(*arguments)


def _renamed(function: Any) -> Callable[..., Any]:
    """The function with code that none of the tracers takes for the program's."""
    code = function.__code__.replace(co_filename="<untraced>")
    return types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__)


def _plain(function: Any, options: Mapping[str, Any]) -> Call:
    untraced = _renamed(function)
    return lambda arguments: _quiet(untraced, arguments)


def _ours(function: Any, options: Mapping[str, Any]) -> Call:
    def run(arguments: tuple[Any, ...]) -> str:
        held: list[str] = []
        with contextlib.suppress(Exception):
            child.call(function, arguments, options["limits"], held.append)
        return held[-1]

    return run


def _pysnooper(function: Any, options: Mapping[str, Any]) -> Call:
    import pysnooper

    log = io.StringIO()
    traced = pysnooper.snoop(log, color=False)(_renamed(function))

    def run(arguments: tuple[Any, ...]) -> str:
        log.seek(0)
        log.truncate()
        _quiet(traced, arguments)
        return log.getvalue()

    return run


TRACERS: dict[str, Callable[[Any, Mapping[str, Any]], Call]] = {
    "plain": _plain,
    "ours": _ours,
    "pysnooper": _pysnooper,
}
