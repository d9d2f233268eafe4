"""`trace` and `trace_many`: programs run step by step in the sandbox. What a child says of a
program is the word of an untrusted process: everything in it is checked, nothing is evaluated."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from semcoder_lib.core import foreign
from semcoder_lib.core import values as literals
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Change, Program, Step, Trace
from semcoder_lib.sandbox import Job, Outcome, Sandbox
from semcoder_lib.sandbox import Limits as SandboxLimits
from semcoder_lib.tracing.beyond import SCOPES

PLUGIN = "semcoder_lib.tracing.child"
_CALLS_PER_JOB = 32
_EVENTS = ("call", "line", "return", "exception", "yield")  # by number, see `child`
_PARTS = (ast.stmt, ast.ExceptHandler, ast.match_case)  # of a compound statement
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
_COMPREHENSION_NAMES = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})


@dataclass(frozen=True, slots=True)
class TraceLimits:
    """Where recording stops; the program itself goes on to its own end under the sandbox's limits.

    `steps` and `bytes` bound a whole trace (recorded events; characters of recorded texts), its
    time is the sandbox's. `value_nodes` and `value_bytes` bound the text of one value: a larger one
    is described by its type, its size and its beginning, and marked inexact. A trace that was ended
    by a bound says which one in `Trace.cut`; near the interpreter's recursion limit that is
    `recursion`.
    """

    steps: int = 10_000
    bytes: int = 1_000_000
    value_nodes: int = 512
    value_bytes: int = 4_096


DEFAULT = TraceLimits()


def trace(
    program: Program,
    case: Case,
    box: Sandbox,
    *,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
) -> Trace:
    """What `program` does on `case.arguments`, step by step, run inside the sandbox.

    Promises: steps in execution order, one for every visit of a statement of the program's own
    code; each change in the step of the line that made it, in-place changes and aliases included;
    the same bytes for the same program and input, on Python 3.11 to 3.13. Frames of comprehensions
    and generator expressions are part of their statement. Does not promise: that the program told
    the truth (it shares the interpreter with the tracer; compare `Trace.result` with an untraced
    run), steps after a bound (`Trace.cut`), or steps of a call that was killed before a bound.
    `case.output` is not looked at. Sandbox errors raise as `Sandbox.call` says.
    """
    pairs = [(program, case)]
    return next(trace_many(pairs, box, limits=limits, sandbox_limits=sandbox_limits))


def trace_many(
    pairs: Iterable[tuple[Program, Case]],
    box: Sandbox,
    *,
    limits: TraceLimits = DEFAULT,
    sandbox_limits: SandboxLimits | None = None,
    share: bool = False,
) -> Iterator[Trace]:
    """One trace for each pair, in order, streaming. Neighbouring pairs of one program travel
    together; with `share` they also run in one process (each on a freshly executed module), which
    is faster and right for programs that are known to be harmless to one another."""
    waiting: list[Program] = []

    def jobs() -> Iterator[Job]:
        for program, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
            calls = (case.arguments for _, case in group)
            setup = options(program.source, limits)
            while batch := list(itertools.islice(calls, _CALLS_PER_JOB)):
                waiting.append(program)
                yield Job(
                    program.source, program.entry_point, batch, sandbox_limits, PLUGIN, setup, share
                )

    for outcomes in box.map(jobs()):
        program = waiting.pop(0)
        for outcome in outcomes:
            yield _read(program, outcome)


def options(source: str, limits: TraceLimits = DEFAULT) -> dict[str, Any]:
    """The options of the plug-in `PLUGIN` for a program."""
    shape = layout(source)
    return {
        **asdict(limits), "beyond": shape.beyond, "starts": shape.starts, "order": shape.order,
    }  # fmt: skip


def _read(program: Program, outcome: Outcome) -> Trace:
    """A payload that the tracer did not write gives no steps and the flag `malformed`."""
    steps: tuple[Step, ...] = ()
    flags: tuple[str, ...] = ()
    cut = ""
    if outcome.payload is not None:
        try:
            steps, cut, flags = read_payload(outcome.payload, program.source)
        except Malformed:
            flags = ("malformed",)
    raised = outcome.exception
    return Trace(
        steps=steps,
        status=outcome.status,
        result=outcome.text,
        exception=None if raised is None else f"{raised.type}: {raised.message}",
        cut=cut,
        program_id=program.id,
        stdout=outcome.stdout,
        flags=flags,
    )


class Malformed(ValueError):
    """The payload is not one that the tracer writes."""


def read_payload(payload: str, source: str = "") -> tuple[tuple[Step, ...], str, tuple[str, ...]]:
    """(steps, cut, flags) from a payload of the plug-in for the program `source`. Raises
    `Malformed`."""
    try:
        data = json.loads(payload)
        cut, flags = data["cut"], tuple(data["flags"])
        if not all(isinstance(text, str) for text in (cut, *flags)):
            raise ValueError("cut or flags")
        frames = [(str(name), int(depth), set(free)) for name, depth, free in data["frames"]]
        steps = []
        handlers, failure = layout(source).handlers, None
        for row in data["steps"]:
            step = _step(row, frames, failure if row[1] in handlers else None)
            failure = step.value if step.event == "exception" else failure
            steps.append(step)
        return tuple(steps), cut, flags
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None


def _step(row: Any, frames: list[tuple[str, int, set[str]]], failure: str | None) -> Step:
    """A step from its row; `failure` is the exception that arrives at its line."""
    event, line, index, *rest = row
    if not (type(event) is type(line) is type(index) is int) or min(event, line, index) < 0:
        raise ValueError("step")
    function, depth, free = frames[index]
    name = _EVENTS[event]
    own: list[Change] = []
    beyond: list[Change] = []
    if name in ("call", "line"):
        value, exact = (failure, failure is None) if name == "line" else (None, True)
        for variable, part in zip(rest[::2], rest[1::2], strict=True):
            if type(variable) is not str:
                raise ValueError("name")
            text, known = _text(part)
            if variable[1:2] == ":":
                beyond.append(Change(variable[2:], text, known, SCOPES[variable[0]]))
            else:
                own.append(Change(variable, text, known, "cell" if variable in free else "local"))
    else:
        value, exact = _text(*rest)
    return Step(line, name, tuple(own), depth, index, function, value, exact, tuple(beyond))


def _text(part: Any) -> tuple[str | None, bool]:
    """(text, whether it is exact)."""
    exact = type(part) is not list
    if not exact:
        (part,) = part
    if not (part is None or type(part) is str):
        raise ValueError("text")
    return part, exact


# --- a program's source as the tracer sees it: statements, and what its functions share ---------


@dataclass(frozen=True, slots=True)
class Layout:
    """`starts` maps a line to the first line of the statement (or of the header of the compound
    statement) that it belongs to, where that is another line. `handlers` are the lines of `except`
    clauses. `order` ranks the variables of a program in which a comprehension's variable shares its
    name with a real one (there the interpreters list a frame's variables in different orders), and
    is empty for all other programs. `beyond` are the module's names that a function uses, if the
    program can change anything but local variables at all; None if it cannot."""

    starts: dict[int, int]
    handlers: frozenset[int]
    order: dict[str, int]
    beyond: tuple[str, ...] | None = None


@functools.lru_cache(maxsize=256)
def layout(source: str) -> Layout:
    """The layout of a program; an empty one if the source does not parse."""
    try:
        with warnings.catch_warnings():  # of the program's author
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            beyond = _beyond(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return Layout({}, frozenset(), {})
    starts: dict[int, int] = {}
    handlers: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            handlers.add(node.lineno)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            parts = (n for n in ast.iter_child_nodes(node) if isinstance(n, _PARTS))
            inner = [_first_line(part) for part in parts]
            last = min(inner) - 1 if inner else node.end_lineno or node.lineno
            for line in range(_first_line(node), last + 1):
                if line != node.lineno:
                    starts[line] = node.lineno
    return Layout(starts, frozenset(handlers), _order(tree), beyond)


def _first_line(node: ast.AST) -> int:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    return min(n.lineno for n in (node, *getattr(node, "decorator_list", ())))


def _order(tree: ast.Module) -> dict[str, int]:
    inner: set[str] = set()
    order: dict[str, int] = {}
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, ast.arg):
            order.setdefault(node.arg, len(order))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if inside:
                inner.add(node.id)
            else:
                order.setdefault(node.id, len(order))
        inside = inside or isinstance(node, _COMPREHENSIONS)
        waiting.extend((child, inside) for child in reversed(list(ast.iter_child_nodes(node))))
    return order if inner & order.keys() else {}


def _beyond(source: str) -> tuple[str, ...] | None:
    bound: set[str] = set()  # at the top level, or declared global
    used: set[str] = set()  # in a function
    holders = False  # classes, and functions inside functions
    waiting = [(symtable.symtable(source, "<program>", "exec"), 0)]
    while waiting:
        table, depth = waiting.pop()
        holders = holders or table.get_type() == "class" or table.get_name() == "lambda"
        if table.get_type() == "function" and table.get_name() not in _COMPREHENSION_NAMES:
            depth += 1
            holders = holders or depth > 1
        for name in table.get_symbols():
            if depth == 0 and (name.is_assigned() or name.is_imported() or name.is_namespace()):
                bound.add(name.get_name())
            elif name.is_global():
                used.add(name.get_name())
                if name.is_declared_global():
                    bound.add(name.get_name())
        waiting.extend((child, depth) for child in table.get_children())
    names = tuple(sorted(bound & used))
    return names if names or holders else None


# --- calls given as text --------------------------------------------------------------------------


def program_and_case(source: str, call_text: str) -> tuple[Program, Case]:
    """The program and the positional arguments that a call text means. Raises `UserError`."""
    try:
        name, positional, named = literals.parse_call(call_text)
    except literals.NotALiteral as error:
        raise UserError(
            f"call {call_text!r}: {error}; write a call with literal arguments, such as f([1], 2)"
        ) from None
    arguments = _in_order(source, name, positional, named) if named else positional
    return Program(source, name), Case(arguments)


def _in_order(
    source: str, name: str, positional: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """Named arguments at the places that the function's definition gives them."""
    signature = _definition(source, name).args
    names = [*(f"{a.arg}/" for a in signature.posonlyargs), *(a.arg for a in signature.args)]
    given = dict(zip(names, positional, strict=False))
    defaults = dict(zip(reversed(names), reversed(signature.defaults), strict=False))
    for why, wrong in (
        ("no positional parameter is called", [n for n in named if n not in names]),
        ("there are two values for", [n for n in named if n in given]),
        ("there is no parameter for", positional[len(names) :]),
        ("a value is missing for", [n for n in names if n not in {*given, *named, *defaults}]),
    ):
        if wrong:
            raise UserError(f"call of {name}: {why} {wrong[0]!r}")
    given |= named
    arguments = []
    for parameter in names[: max(map(names.index, given)) + 1]:
        try:
            value = given[parameter] if parameter in given else defaults[parameter]
            arguments.append(literals.value_of(value) if isinstance(value, ast.expr) else value)
        except literals.NotALiteral:
            raise UserError(
                f"call of {name}: give {parameter!r} too, its default is not a literal"
            ) from None
    return tuple(arguments)


def _definition(source: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    try:
        tree = foreign.parse(source)
    except foreign.Refused as error:
        raise UserError(f"the program cannot be loaded: {error}") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    raise UserError(f"the program defines no function {name!r}")
