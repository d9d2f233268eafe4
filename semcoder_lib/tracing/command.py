"""What `python -m semcoder_lib trace` prints."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Status
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
    if box is None:
        with Sandbox(workers=1) as own:
            return cli_render(file_source, call_text, format, faithful, box=own)
    program, case = program_and_case(file_source, call_text)
    steps = trace(program, case, box, limits=_FAITHFUL_LIMITS if faithful else TraceLimits())
    if steps.status is Status.LOAD_ERROR:
        raise UserError(f"the program cannot be loaded: {steps.exception}")
    if not steps.steps:
        raise UserError(f"the call left no trace: {steps.exception or steps.status.value}")
    return formats.render(steps, program, case, format, "faithful" if faithful else "clean")


def program_and_case(source: str, call_text: str) -> tuple[Program, Case]:
    """The program and the positional arguments that a call text means. Raises `UserError`."""
    try:
        name, positional, named = values.parse_call(call_text)
    except values.NotALiteral as error:
        raise UserError(
            f"call {call_text!r}: {error}; write a call with literal arguments, such as f([1], 2)"
        ) from None
    return Program(source, name), Case(_in_order(source, name, positional, named))


def _in_order(
    source: str, name: str, positional: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """Named arguments at the places that the function's definition gives them."""
    if not named:
        return positional
    given = _definition(source, name).args
    parameters = [a.arg for a in (*given.posonlyargs, *given.args)]
    defaults = dict(zip(reversed(parameters), reversed(given.defaults), strict=False))
    arguments = list(positional)
    last = max((parameters.index(n) for n in named if n in parameters), default=-1)
    for parameter in parameters[len(positional) : last + 1]:
        if parameter in named:
            arguments.append(named.pop(parameter))
        elif parameter not in defaults:
            raise UserError(f"call of {name}: the argument {parameter!r} is missing")
        else:
            try:
                arguments.append(values.decode(ast.unparse(defaults[parameter])))
            except values.NotALiteral:
                raise UserError(
                    f"call of {name}: give {parameter!r} too, its default is not a literal"
                ) from None
    if named:
        raise UserError(f"call of {name}: no positional parameter is called {next(iter(named))!r}")
    return tuple(arguments)


def _definition(source: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"the program cannot be loaded: {error}") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    raise UserError(f"the program defines no function {name!r}")
