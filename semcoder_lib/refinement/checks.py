"""Checks: calls with known values, the visible half of refinement, and running them."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Status
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox

LIMITS = Limits(cpu_seconds=1.0, wall_seconds=8.0, memory_mb=1024, output_bytes=50_000)


@dataclass(frozen=True, slots=True)
class Check:
    """One call and the value that it must give. `group` says where it comes from: `public`,
    `base`, `plus`, `self`."""

    arguments: tuple[Any, ...]
    expected: Any
    group: str = "public"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a program did on a list of checks: the outcomes in order, and which passed."""

    outcomes: tuple[Outcome, ...]
    passed: tuple[bool, ...]

    @property
    def first_failure(self) -> int | None:
        return next((i for i, ok in enumerate(self.passed) if not ok), None)


def run_checks(
    programs: Sequence[tuple[str, str, Sequence[Check], float]], box: Sandbox
) -> list[Seen]:
    """Runs each `(source, entry_point, checks, absolute tolerance)`. The programs never see an
    expected value: values come back and are compared here, as Python's `==` would. Raises
    InfrastructureError when the sandbox could not run one: that is no verdict."""
    jobs = [
        Job(source, name, calls=[c.arguments for c in checks], limits=LIMITS, share=True, give_up=2)
        for source, name, checks, _ in programs
        if checks
    ]
    results = box.map(iter(jobs))
    seen = []
    for _, _, checks, tolerance in programs:
        outcomes = tuple(next(results)) if checks else ()
        for outcome in outcomes:
            if outcome.status is Status.INFRASTRUCTURE:
                raise InfrastructureError(f"the sandbox could not run a program: {outcome.note}")
        passed = tuple(
            o.status is Status.OK and agrees(o.value, c.expected, tolerance)
            for o, c in zip(outcomes, checks, strict=True)
        )
        seen.append(Seen(outcomes, passed))
    return seen


def agrees(value: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Equal as an assertion would say, floats with the benchmark's tolerance."""
    return values.equal(value, expected, rel_tol=1e-7 if tolerance else 0.0, abs_tol=tolerance)


def assertion(entry_point: str, check: Check) -> str:
    """`assert f(1) == 2`."""
    return f"assert {values.show_call(entry_point, check.arguments)} == {_text(check.expected)}"


def _text(value: Any) -> str:
    return values.encode(value)


def case_of(check: Check) -> Case:
    """For the tracer."""
    return Case(check.arguments, check.expected)


def from_assertions(text: str, names: Iterable[str], group: str) -> list[Check]:
    """The checks in Python text that are `assert NAME(literals) == literal`; other statements are
    left out. Text that does not parse is read line by line."""
    wanted = set(names)
    found = []
    for node in _asserts(text):
        check = _check_of(node, wanted, group)
        if check is not None and check not in found:
            found.append(check)
    return found


def _asserts(text: str) -> list[ast.Assert]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        single = []
        for line in text.splitlines():
            if line.strip().startswith("assert "):
                try:
                    single += ast.parse(line.strip()).body
                except (SyntaxError, ValueError, MemoryError, RecursionError):
                    continue
        return [node for node in single if isinstance(node, ast.Assert)]
    return [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def _check_of(node: ast.Assert, names: set[str], group: str) -> Check | None:
    test = node.test
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    if negated:
        assert isinstance(test, ast.UnaryOp)
        test = test.operand
    expected: Any = not negated
    if isinstance(test, ast.Compare):
        if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.Is) or negated:
            return None
        try:
            expected = values.decode(ast.unparse(test.comparators[0]))
        except values.NotALiteral:
            return None
        test = test.left
    if not isinstance(test, ast.Call) or not isinstance(test.func, ast.Name):
        return None
    try:
        name, arguments, named = values.parse_call(ast.unparse(test))
        values.encode((arguments, expected))
    except (values.NotALiteral, values.Unserializable):
        return None
    return None if named or name not in names else Check(arguments, expected, group)


_ARROW = re.compile(r"^\s*(?:>>>\s*)?({name}\(.*\))\s*(?:==|=>|->|➞|→|=|returns)\s*(.+?)\s*$")


def from_docstring(text: str, entry_point: str) -> list[Check]:
    """The examples in a problem's words: doctests (`>>> f(1)`, then the value) and lines such as
    `f(1) == 2` or `f(1) => 2`. What is no literal is left out."""
    found: list[Check] = []
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        examples = []
    pairs = [(e.source.strip(), e.want.strip()) for e in examples]
    arrow = re.compile(_ARROW.pattern.replace("{name}", re.escape(entry_point)))
    for line in text.splitlines():
        match = arrow.match(line)
        if match:
            pairs.append((match[1], match[2].rstrip(".")))
    for call, want in pairs:
        try:
            name, arguments, named = values.parse_call(call)
            check = Check(arguments, values.decode(want), "public")
            values.encode((check.arguments, check.expected))
        except (values.NotALiteral, values.Unserializable):
            continue
        if name == entry_point and not named and check not in found:
            found.append(check)
    return found
