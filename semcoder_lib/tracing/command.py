"""What `python -m semcoder_lib trace` prints."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import formats
from semcoder_lib.tracing.tracer import TraceLimits, trace

# PySnooper cuts a repr in its middle, so the faithful mode needs the end of long values too.
_FAITHFUL_LIMITS = TraceLimits(bytes=3_000_000, value_nodes=20_000, value_bytes=100_000)


def cli_render(
    file_source: str,
    call_text: str,
    format: str = "concise",
    faithful: bool = False,
    *,
    box: Sandbox | None = None,
) -> str:
    """Traces `call_text`, such as `f([1, 2], key=3)`, on the program and renders the trace.

    Starts a sandbox if none is given. Raises `UserError` for a call that is not one of a function
    of the program with literal arguments, and for a program that cannot be loaded; an exception
    that the call raises is part of the trace.
    """
    program, case = program_and_case(file_source, call_text)
    limits = _FAITHFUL_LIMITS if faithful else TraceLimits()
    if box is None:
        with Sandbox(workers=1) as own:
            found = trace(program, case, own, limits=limits)
    else:
        found = trace(program, case, box, limits=limits)
    _check(found)
    return formats.render(found, program, case, format, "faithful" if faithful else "clean")


def program_and_case(source: str, call_text: str) -> tuple[Program, Case]:
    """The program and the positional arguments that a call text means. Raises `UserError`."""
    try:
        name, positional, named = values.parse_call(call_text)
    except values.NotALiteral as error:
        raise UserError(
            f"call {call_text!r}: {error}; write a call with literal arguments, such as f([1], 2)"
        ) from None
    if named:
        positional = _in_order(source, name, positional, named)
    return Program(source, name), Case(positional)


def _check(found: Trace) -> None:
    if found.status is Status.LOAD_ERROR:
        raise UserError(f"the program cannot be loaded: {found.exception}")
    if not found.steps:
        reason = found.exception or found.status.value
        raise UserError(f"the call left no trace: {reason}")


def _in_order(
    source: str, name: str, positional: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """Named arguments at the places that the function's definition gives them."""
    arguments = _definition(source, name).args
    parameters = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    defaults = dict(zip(reversed(parameters), reversed(arguments.defaults), strict=False))
    found = list(positional)
    left = dict(named)
    for parameter in parameters[len(positional) :]:
        if not left:
            break
        if parameter in left:
            found.append(left.pop(parameter))
        elif parameter in defaults:
            try:
                found.append(values.decode(ast.unparse(defaults[parameter])))
            except values.NotALiteral:
                raise UserError(
                    f"call of {name}: give {parameter!r} too, its default is not a literal"
                ) from None
        else:
            raise UserError(f"call of {name}: the argument {parameter!r} is missing")
    if left:
        raise UserError(f"call of {name}: no positional parameter is called {next(iter(left))!r}")
    return tuple(found)


def _definition(source: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"the program cannot be loaded: {error}") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    raise UserError(f"the program defines no function {name!r}")
