"""The words in which a fault is put to a model: the problem, the failing test."""

from __future__ import annotations

import ast

from semcoder_lib.core.records import Fault, Program
from semcoder_lib.models import prompts


def signature(program: Program) -> str:
    """`def f(a, b=2):` of the entry point, or only its name where it is not a plain function."""
    try:
        tree = ast.parse(program.source)
    except (SyntaxError, ValueError):
        return f"def {program.entry_point}(...):"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == program.entry_point:
            return f"def {node.name}({ast.unparse(node.args)}):"
    return f"def {program.entry_point}(...):"


def task_description(program: Program) -> str:
    """The problem as a model is told it: the description, then the signature to write."""
    said = program.description.strip()
    return f"{said}\n{signature(program)}" if said else signature(program)


def failed_test(fault: Fault) -> str:
    """`assert f(1) == 2`, the test that the buggy program fails."""
    return f"assert {fault.failing_call} == {fault.expected}"


def example(fault: Fault, *, trace: str = "", style: str = "clean") -> tuple[str, str]:
    """Prompt and completion of a training row. With `trace` (the rendered run, table 4's variant)
    the prompt holds it and the completion begins after `### Root Cause Analysis`."""
    prompt = prompts.refine(
        fault.description, fault.buggy, failed_test(fault), trace=trace, style=style
    )
    target = fault.rationale
    if trace:
        target = target.partition("### Root Cause Analysis\n")[2]
    return prompt.text, target
