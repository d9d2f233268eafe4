"""Plug-in for tests with assertions, in two roles (`options["role"]`, see `sandbox.split`):

check    runs a test function `check(candidate)` with a proxy for the candidate
answer   makes the calls for that proxy, in the solution's sandbox
"""

from __future__ import annotations

import builtins
import json
import marshal
import os
import random
from collections.abc import Callable
from typing import Any

from semcoder_lib.core import values

_MUTABLE = (list, dict, set, bytearray)
_CHANCE = random.getstate()  # as every program finds it


class _Stop(BaseException):
    """Ends the test: it needs an answer that is not there, or got one that ends it."""


class _Proxy:
    """The candidate, as the test sees it. `answers` maps the text of a call's arguments to what
    the solution did with them."""

    def __init__(self, answers: dict[str, Any], collect: bool, reference: Any) -> None:
        self.answers = answers
        self.collect = collect
        self.reference = reference
        self.needs: list[str] = []
        self.stopped = ""

    def __call__(self, *positional: Any, **named: Any) -> Any:
        try:
            key = values.encode((positional, named))
        except values.Unserializable as error:
            self.stopped = f"unserializable: an argument of the test: {error}"
            raise _Stop from None
        answer = self.answers.get(key)
        if answer is None:
            if key not in self.needs:
                self.needs.append(key)
            if self.collect and self.reference is not None:
                return self.reference(*positional, **named)
            raise _Stop
        kind, text, more = answer
        if kind in ("value", "packed"):
            if more:
                _put_back(positional, values.decode(more))
            # made anew for each call: the test may change what it got
            return values.decode(text) if kind == "value" else marshal.loads(text.encode("latin-1"))
        if kind == "raise":
            raise _exception(text)(more)
        self.stopped = f"{kind}: {text}"
        raise _Stop


def _exception(name: str) -> type[BaseException]:
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return kind
    return type(name, (Exception,), {})


def _put_back(arguments: Any, after: Any) -> None:
    for old, new in zip(arguments, after, strict=True):
        if type(old) is list:
            old[:] = new
        elif type(old) in (dict, set):
            old.clear()
            old.update(new)
        elif type(old) is bytearray:
            old[:] = new


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """The plug-in's entry, see `Job.plugin`."""
    if options["role"] == "answer":
        return _answer(function, arguments, emit)
    return _check(function, arguments[0], options, emit)


def _check(
    check: Callable[..., Any], place: int, options: dict[str, Any], emit: Callable[[str], None]
) -> bool:
    """True when `check` ended without an exception; emits {"needs": calls without an answer,
    "stopped": why it was ended}.

    One process may judge several samples of a task: `place` is that of this one's answers in
    `options`. The test's module is executed anew for each, and finds the same random numbers.
    """
    space = check.__globals__
    os.dup2(2, 1)  # what a test prints is nobody's result, and must not add up over samples
    entry = options["entry"]
    proxy = _Proxy(options["answers"][place], options["collect"], space.get(entry))
    space[entry] = proxy  # a test may use the name instead of its parameter
    try:
        check(proxy)
    except _Stop:
        pass
    except BaseException:
        if not proxy.collect:
            raise
    finally:
        random.setstate(_CHANCE)
        emit(json.dumps({"needs": proxy.needs, "stopped": proxy.stopped}))
    return not proxy.needs and not proxy.stopped


def _answer(
    function: Callable[..., Any], arguments: tuple[Any, ...], emit: Callable[[str], None]
) -> Any:
    """Call with `arguments` = (positional, named). If the call changed its positional arguments,
    emit what they are now, so that the test can see it."""
    positional, named = arguments
    if not any(type(a) in _MUTABLE for a in positional):
        return function(*positional, **named)
    before = _mark(positional)
    result = function(*positional, **named)
    if _mark(positional) != before:
        emit(values.encode(positional))
    return result


def _mark(arguments: tuple[Any, ...]) -> bytes | str:
    """Equal for equal arguments."""
    try:
        data = marshal.dumps(arguments, 2)
    except ValueError:
        return values.encode(arguments)
    # `s` may be the mark of bytes, which marshal does not tell from a bytearray
    return values.encode(arguments) if b"s" in data else data
