"""Checks: calls with known values. Running them, and reading them out of words."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import foreign, values
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

    @property
    def case(self) -> Case:
        """For the tracer."""
        return Case(self.arguments, self.expected)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a program did on a list of checks: the outcomes in order, and which passed."""

    outcomes: tuple[Outcome, ...]
    passed: tuple[bool, ...]

    @property
    def first_failure(self) -> int | None:
        return self.passed.index(False) if False in self.passed else None


def run_checks(
    programs: Sequence[tuple[str, str, Sequence[Check], float]], box: Sandbox
) -> list[Checked]:
    """Runs each `(source, entry_point, checks, absolute tolerance)`. The programs never see an
    expected value: values come back and are compared here, as Python's `==` would. Raises
    InfrastructureError when the sandbox could not run one: that is no verdict."""
    results = box.map(
        Job(source, name, calls=[c.arguments for c in checks], limits=LIMITS, share=True, give_up=2)
        for source, name, checks, _ in programs
        if checks
    )
    checked = []
    for _, _, checks, tolerance in programs:
        outcomes = tuple(next(results)) if checks else ()
        for outcome in outcomes:
            if outcome.status is Status.INFRASTRUCTURE:
                raise InfrastructureError(f"the sandbox could not run a program: {outcome.note}")
        passed = tuple(
            o.status is Status.OK and agrees(o.value, c.expected, tolerance)
            for o, c in zip(outcomes, checks, strict=True)
        )
        checked.append(Checked(outcomes, passed))
    return checked


def agrees(value: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Equal as an assertion would say, floats with the benchmark's tolerance."""
    return values.equal(value, expected, rel_tol=1e-7 if tolerance else 0.0, abs_tol=tolerance)


def assertion(entry_point: str, check: Check) -> str:
    """`assert f(1) == 2`. Raises `values.Unserializable`."""
    call = values.show_call(entry_point, check.arguments)
    return f"assert {call} == {values.encode(check.expected)}"


def from_assertions(text: str, names: Iterable[str], group: str) -> list[Check]:
    """The checks in Python text that are `assert NAME(literals) == literal`, each once; other
    statements are left out. Text that does not parse is read line by line."""
    checks: list[Check] = []
    for source, tree in _trees(text):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                checks += _from_assert(node.test, source, set(names), group)
    return _once(checks)


def _once(checks: list[Check]) -> list[Check]:
    return [check for n, check in enumerate(checks) if check not in checks[:n]]


def _trees(text: str) -> list[tuple[str, ast.Module]]:
    """The text with its tree, or the same of those of its lines that are assertions."""
    try:
        return [(text, foreign.parse(text))]
    except foreign.Refused:
        lines = [line.strip() for line in text.splitlines()]
    return [
        tree
        for line in lines
        if line.startswith("assert ") and line != text
        for tree in _trees(line)
    ]


def _from_assert(test: ast.expr, source: str, names: set[str], group: str) -> list[Check]:
    """The check of `f(1) == 2`, `f(1) is None`, `f(1)` or `not f(1)`, if it is one of these."""
    want = "True"
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, want = test.operand, "False"
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.Is):
        if len(test.ops) > 1:
            return []
        want = ast.get_source_segment(source, test.comparators[0]) or ""
        test = test.left
    call = ast.get_source_segment(source, test) or ""
    return _literal_check(call, want, names, group)


def _literal_check(call: str, want: str, names: set[str], group: str) -> list[Check]:
    """The check of a call and a value that are literals, one of these names called."""
    try:
        name, arguments, named = values.parse_call(call)
        check = Check(arguments, values.decode(want), group)
        values.encode((check.arguments, check.expected))
    except (values.NotALiteral, values.Unserializable):
        return []
    return [check] if name in names and not named else []


def from_docstring(text: str, entry_point: str) -> list[Check]:
    """The examples in a problem's words: doctests (`>>> f(1)`, then the value) and lines such as
    `f(1) == 2` or `f(1) => 2`. What is no literal is left out."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        examples = []
    pairs = [(e.source.strip(), e.want.strip()) for e in examples]
    arrow = re.compile(
        rf"\s*(?:>>>\s*)?({re.escape(entry_point)}\(.*\))\s*(?:==|=>|->|➞|→|=|returns)\s*(.+?)\s*$"
    )
    pairs += [(m[1], m[2].rstrip(".")) for m in map(arrow.match, text.splitlines()) if m]
    found = [_literal_check(call, want, {entry_point}, "public") for call, want in pairs]
    return _once([check for some in found for check in some])
