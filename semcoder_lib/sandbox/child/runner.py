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
_MESSAGE = 2_000
_CLOSING = 64  # bytes kept free for the last records
_write, _exit, _lseek = os.write, os._exit, os.lseek
_cpu, _wall = time.process_time, time.monotonic
_stdout = sys.stdout
nonce = os.urandom(wire.NONCE_BYTES)  # ends the records; against accidents, not against malice


class _Full(Exception):
    """The result file has no room left."""


class _Results:
    """The result file, and how many bytes it may still take."""

    def __init__(self, room: int) -> None:
        self.room = room

    def put(self, tag: bytes, data: bytes) -> None:
        self.room -= wire.RECORD.size + len(data)
        if self.room < _CLOSING and tag not in (wire.FULL, wire.END):
            raise _Full
        out = wire.RECORD.pack(tag, len(data)) + data
        done = _write(RESULT_FD, out)
        while done < len(out):
            done += _write(RESULT_FD, out[done:])


def run(request: tuple[Any, ...], first: int, plugins: dict[str, Any]) -> None:
    """Run the calls of `request` from number `first` on and exit the process."""
    results = _Results(request[4]["result_bytes"])
    _perform(request, first, plugins, results)
    results.put(wire.END, nonce)
    _exit(0)


def _perform(
    request: tuple[Any, ...], first: int, plugins: dict[str, Any], results: _Results
) -> None:
    (_, source, entry, calls, limits, share, reload, plugin, options, _) = request
    last = len(calls) if share else first + 1
    try:
        try:
            code = compile(source, FILENAME, "exec", dont_inherit=True)
            function = _loaded(code, entry)
        except BaseException as error:  # any exception of the program is data
            results.put(wire.LOAD_ERROR, _described(error))
            return
        caller = plugins[plugin].call if plugin else None

        def emit(text: str) -> None:  # at once, so that it outlives what the program does next
            data = text.encode("utf-8", "backslashreplace")[: limits["payload_bytes"]]
            results.put(wire.PAYLOAD, data)

        for number in range(first, last):
            if number > first:
                function = _loaded(code, entry) if reload and entry else function
                results.put(wire.BEGUN, wire.CLOCKS.pack(_cpu(), _wall()))
            tag, data, cpu, wall = _called(function, calls[number], caller, options, limits, emit)
            try:  # noqa: SIM105  (contextlib is one more thing the program may have replaced)
                _stdout.flush()
            except BaseException:  # closed or replaced by the program
                pass
            try:
                position = _lseek(1, 0, 1)
            except OSError:
                position = 0
            results.put(tag, wire.CALL.pack(position, cpu, wall) + data)
    except _Full:
        results.put(wire.FULL, b"")


def _called(
    function: Any,
    packed: bytes | str,
    caller: Any,
    options: Any,
    limits: dict[str, Any],
    emit: Any,
) -> tuple[bytes, bytes, float, float]:
    """Make one call; gives its record's tag and data, its processor and its wall seconds."""
    cpu, wall = _cpu(), _wall()
    try:
        arguments = values.decode(packed) if isinstance(packed, str) else marshal.loads(packed)
        if function is None:
            value = None
        elif caller is None:
            value = function(*arguments)
        else:
            value = caller(function, arguments, options or {}, emit)
    except BaseException as error:  # SystemExit and KeyboardInterrupt of a program too
        cpu, wall = _cpu() - cpu, _wall() - wall
        return wire.RAISED, _described(error), cpu, wall
    cpu, wall = _cpu() - cpu, _wall() - wall
    try:
        if type(value) is str and len(value) <= limits["value_bytes"]:
            return wire.TEXT, value.encode("utf-8", "surrogatepass"), cpu, wall
        text = values.encode(
            value, max_nodes=limits["value_nodes"], max_bytes=limits["value_bytes"]
        )
        return wire.VALUE, text.encode(), cpu, wall
    except values.Unserializable as error:
        return wire.UNSERIALIZABLE, str(error).encode("utf-8", "backslashreplace"), cpu, wall
    except BaseException as error:  # MemoryError while encoding
        return wire.RAISED, _described(error), cpu, wall


def _loaded(code: types.CodeType, entry: str) -> Any:
    """The entry point of a freshly executed module; None for a program that is run as a whole."""
    name = "program" if entry else "__main__"
    module = sys.modules[name] = types.ModuleType(name)  # dataclasses and typing look there
    exec(code, module.__dict__)
    if not entry:
        return None
    head, *rest = entry.split(".")
    if head not in module.__dict__:
        raise NameError(f"the program defines no {head!r}")
    target = module.__dict__[head]
    for part in rest:
        target = getattr(target() if isinstance(target, type) else target, part)
    return target


def _described(error: BaseException) -> bytes:
    """Line, class and message."""
    kind = type.__dict__["__name__"].__get__(type(error))
    try:
        message = str(error)[:_MESSAGE]
    except BaseException:
        message = ""
    line = 0
    if isinstance(error, SyntaxError):
        number = getattr(error, "lineno", 0)
        line = number if type(number) is int and number > 0 else 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno or line
        trace = trace.tb_next
    return f"{line}\0{kind}\0{message}".encode("utf-8", "backslashreplace")


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


def warm(plugins: dict[str, Any]) -> None:
    """Perform small requests in the zygote, with the result file and standard output going
    nowhere: the interpreter adapts the code of this module, and of what it uses, to what it sees,
    and would do so in each child anew, in pages that each child has to copy first. A plug-in may
    name requests of its own: `WARM`, of (source, entry point, options)."""
    asked: list[tuple[Any, ...]] = []
    for text in _SAMPLE_CALLS:
        asked.append((_SAMPLE, "f", [text, marshal.dumps(values.decode(text), 2)], None, None))
    for name, plugin in plugins.items():
        asked += [(s, e, ["()"], name, options) for s, e, options in getattr(plugin, "WARM", ())]
    for source, entry, calls, plugin, options in asked * 24:
        request = (0, source, entry, calls, _LIMITS, True, False, plugin, options, "")
        _perform(request, 0, plugins, _Results(1 << 20))
    sys.modules.pop("program", None)
