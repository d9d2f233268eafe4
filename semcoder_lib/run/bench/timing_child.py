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
_folder = os.path.join(os.path.dirname(__file__), "..", "..", "tracing")
_package = types.ModuleType("semcoder_lib.tracing")
_package.__path__ = [_folder]
sys.modules.setdefault(_package.__name__, _package)
child = importlib.import_module("semcoder_lib.tracing.child")


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Emits JSON: for each tracer of `options["tracers"]` the least seconds of
    `options["rounds"]` calls, and what one traced call recorded. A tracer's rounds stand together:
    from 3.12 on, what another one switched on or off costs the next call of everything. With
    `options["processor"]` it is processor time, whose clock is too dear for calls of microseconds.
    """
    clock = time.process_time if options.get("processor") else time.perf_counter
    runners = {name: _RUNNERS[name](function, options) for name in options["tracers"]}
    best = {name: float("inf") for name in runners}
    told: dict[str, Any] = {}
    gc.disable()
    for name, run in runners.items():
        for _ in range(options["rounds"]):
            given = copy.deepcopy(arguments)
            start = clock()
            recorded = run(given)
            best[name] = min(best[name], clock() - start)
            told[name] = recorded
    steps = json.loads(told["ours"])["steps"] if "ours" in told else []
    heads = [step[0] for step in steps]
    emit(
        json.dumps(
            {
                "seconds": best,
                "events": len(heads),
                "lines": heads.count(1),
                "bytes": {name: len(text) for name, text in told.items() if text},
                "shown": _event_lines(told.get("pysnooper", "")),
            }
        )
    )
    return None


def _event_lines(log: str) -> int:
    """Lines of a PySnooper log that tell of an event: those that start with the time of day."""
    return sum(line.lstrip()[2:3] == ":" for line in log.split("\n"))


def _quiet(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with contextlib.suppress(Exception):  # of the traced program; its time counts all the same
        function(*arguments)


def _renamed(function: Any) -> Callable[..., Any]:
    """The function with code that none of the tracers takes for the program's."""
    code = function.__code__.replace(co_filename="<untraced>")
    return types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__)


def _plain(function: Any, options: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    untraced = _renamed(function)

    def run(arguments: tuple[Any, ...]) -> str:
        _quiet(untraced, arguments)
        return ""

    return run


def _ours(function: Any, options: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    held: list[str] = []

    def traced(*arguments: Any) -> Any:
        return child.call(function, arguments, options["limits"], held.append)

    def run(arguments: tuple[Any, ...]) -> str:
        held.clear()
        _quiet(traced, arguments)
        return held[-1]

    return run


def _bare(function: Any, options: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    """`sys.settrace` with a function that does nothing: the floor of the interpreter's hook."""
    untraced = _renamed(function)

    def on_event(frame: Any, event: str, arg: Any) -> Any:
        return on_event

    def run(arguments: tuple[Any, ...]) -> str:
        sys.settrace(on_event)
        try:
            _quiet(untraced, arguments)
        finally:
            sys.settrace(None)
        return ""

    return run


def _pysnooper(function: Any, options: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    import pysnooper

    log = io.StringIO()
    traced = pysnooper.snoop(log, color=False)(_renamed(function))

    def run(arguments: tuple[Any, ...]) -> str:
        log.seek(0)
        log.truncate()
        _quiet(traced, arguments)
        return log.getvalue()

    return run


def _hunter(function: Any, options: Mapping[str, Any]) -> Callable[[tuple[Any, ...]], str]:
    import hunter

    untraced = _renamed(function)

    def run(arguments: tuple[Any, ...]) -> str:
        log = io.StringIO()
        action = hunter.VarsSnooper(stream=log)
        with hunter.trace(filename="<untraced>", action=action):
            _quiet(untraced, arguments)
        return log.getvalue()

    return run


_RUNNERS: dict[str, Callable[[Any, Mapping[str, Any]], Callable[[tuple[Any, ...]], str]]] = {
    "plain": _plain,
    "settrace": _bare,
    "ours": _ours,
    "pysnooper": _pysnooper,
    "hunter": _hunter,
}
