"""Inside a child: load the program, make the calls, write the records. Never returns.

Everything here may be rewritten by the program it runs, since both share one interpreter. So
nothing here decides a verdict: the parent takes the records as claims, and what the program does
to this code can only change what it claims about itself.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
import types
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.sandbox import wire

RESULT_FD = 3
FILENAME = "<program>"
_write = os.write
_exit = os._exit
_lseek = os.lseek
_cpu = time.process_time
_wall = time.monotonic
_stdout = sys.stdout
_MESSAGE = 2_000


class _Full(Exception):
    """The result file has no room left."""


nonce = os.urandom(8)  # in the closing record; guards against accidents, not against malice


class Results:
    """The child's end of the result file."""

    def __init__(self, room: int) -> None:
        self.room = room

    def put(self, tag: bytes, data: bytes, following: bytes = b"") -> None:
        need = wire.RECORD.size + len(data) + len(following)
        # leave room for the closing records
        if need + 64 > self.room and tag not in (wire.FULL, wire.END):
            raise _Full
        self.room -= need
        out = wire.RECORD.pack(tag, len(data)) + data + following
        done = _write(RESULT_FD, out)
        while done < len(out):
            done += _write(RESULT_FD, out[done:])


def run(request: tuple[Any, ...], first: int, plugins: dict[str, Any]) -> None:
    """Run the calls of `request` from number `first` on and exit the process."""
    results = Results(request[4]["result_bytes"])
    _perform(request, first, plugins, results)
    results.put(wire.END, nonce)
    _exit(0)


def warm(plugins: dict[str, Any], times: int = 24) -> None:
    """Perform small requests in the zygote, with the result file and standard output going
    nowhere: the interpreter adapts the code of this module, and of what it uses, to what it sees,
    and would do so in each child anew, in pages that each child has to copy first. A plug-in may
    name requests of its own: `WARM`, of (source, entry point, options)."""
    calls = [[text, marshal.dumps(values.decode(text), 2)] for text in _SAMPLE_CALLS]
    asked: list[tuple[Any, ...]] = [(_SAMPLE, "f", c, "", None) for c in calls]
    for name, plugin in plugins.items():
        asked += [(s, e, ["()"], name, options) for s, e, options in getattr(plugin, "WARM", ())]
    for _ in range(times):
        for source, entry, made, plugin, options in asked:
            request = (0, source, entry, made, _LIMITS, True, False, plugin, options, "", ())
            _perform(request, 0, plugins, Results(1 << 20))
    sys.modules.pop("program", None)


_LIMITS = {"value_nodes": 10_000, "value_bytes": 100_000, "payload_bytes": 100_000}
_SAMPLE = """
from collections import Counter

def f(a, b=1):
    if not a:
        raise ValueError("nothing")
    out = []
    for x in a:
        out.append(x)
    return out, {str(b): len(out)}, Counter(), None, 1.5
"""
_SAMPLE_CALLS = ("([1, 2], 3)", "('ab', 'c')", "({'a': (1.5, True)}, [None])", "([],)")


def _perform(
    request: tuple[Any, ...], first: int, plugins: dict[str, Any], results: Results
) -> None:
    (_, source, entry, calls, limits, share, reload, plugin, options, _, paths) = request
    last = len(calls) if share else first + 1
    try:
        if paths:
            sys.path.extend(paths)
        try:
            code = compile(source, FILENAME, "exec", dont_inherit=True)
            namespace = _fresh(code, entry)
            function = _entry(namespace, entry) if entry else None
        except BaseException as error:  # any exception of the program is data
            results.put(wire.LOAD_ERROR, _described(error))
            return
        results.put(wire.LOADED, b"")
        caller = plugins[plugin].call if plugin else None
        emit = _emitter(results, limits)
        anew = reload and bool(entry)
        for number in range(first, last):
            if number > first and anew:
                namespace = _fresh(code, entry)
                function = _entry(namespace, entry)
                results.put(wire.BEGUN, wire.CLOCKS.pack(_cpu(), _wall()))
            # without a fresh module the next call begins where this one is written: one write less
            goes_on = number + 1 < last and not anew
            _one(function, calls[number], caller, options, limits, results, emit, goes_on)
    except _Full:
        results.put(wire.FULL, b"")


def _one(
    function: Any,
    packed: bytes | str,
    caller: Any,
    options: Any,
    limits: dict[str, Any],
    results: Results,
    emit: Any,
    goes_on: bool,
) -> None:
    cpu, wall = _cpu(), _wall()
    tag = wire.VALUE
    data = b""
    try:
        if isinstance(packed, str):
            arguments = values.decode(packed)
        else:
            arguments = marshal.loads(packed)
        if function is None:
            value = None
        elif caller is None:
            value = function(*arguments)
        else:
            value = caller(function, arguments, options or {}, emit)
    except BaseException as error:  # SystemExit and KeyboardInterrupt of a program too
        cpu, wall = _cpu() - cpu, _wall() - wall
        tag, data = wire.RAISED, _described(error)
        del error
    else:
        cpu, wall = _cpu() - cpu, _wall() - wall
        try:
            if type(value) is str and len(value) <= limits["value_bytes"]:
                tag, data = wire.TEXT, value.encode("utf-8", "surrogatepass")
            else:
                text = values.encode(
                    value, max_nodes=limits["value_nodes"], max_bytes=limits["value_bytes"]
                )
                data = text.encode()
        except values.Unserializable as error:
            tag, data = wire.UNSERIALIZABLE, str(error).encode("utf-8", "backslashreplace")
        except BaseException as error:  # MemoryError, RecursionError while encoding
            tag, data = wire.RAISED, _described(error)
    try:  # noqa: SIM105  (contextlib is one more thing the program may have replaced)
        _stdout.flush()
    except BaseException:  # closed or replaced by the program
        pass
    try:
        position = _lseek(1, 0, 1)
    except OSError:
        position = 0
    results.put(tag, wire.CALL.pack(position, cpu, wall) + data, _begun() if goes_on else b"")


def _begun() -> bytes:
    """The record that a call begins, with the clocks."""
    return wire.RECORD.pack(wire.BEGUN, wire.CLOCKS.size) + wire.CLOCKS.pack(_cpu(), _wall())


def _emitter(results: Results, limits: dict[str, Any]) -> Any:
    """`emit` of a plug-in: stores a payload at once, so that it outlives what the program does
    next. The last one counts."""

    def emit(text: str) -> None:
        results.put(
            wire.PAYLOAD, text.encode("utf-8", "backslashreplace")[: limits["payload_bytes"]]
        )

    return emit


def _fresh(code: types.CodeType, entry: str) -> dict[str, Any]:
    name = "program" if entry else "__main__"
    module = types.ModuleType(name)
    sys.modules[name] = module  # dataclasses and typing look a class's module up
    namespace = module.__dict__
    exec(code, namespace)
    return namespace


def _entry(namespace: dict[str, Any], entry: str) -> Any:
    head, *rest = entry.split(".")
    if head not in namespace:
        raise NameError(f"the program defines no {head!r}")
    found = namespace[head]
    for part in rest:
        found = getattr(found() if isinstance(found, type) else found, part)
    return found


def _described(error: BaseException) -> bytes:
    kind = type.__dict__["__name__"].__get__(type(error))
    try:
        message = str(error)[:_MESSAGE]
    except BaseException:
        message = ""
    line = 0
    if type(error) is SyntaxError or isinstance(error, SyntaxError):
        found = getattr(error, "lineno", 0)
        line = found if type(found) is int and found > 0 else 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno or line
        trace = trace.tb_next
    return f"{line}\0{kind}\0{message}".encode("utf-8", "backslashreplace")
