"""The words in which a fault is put to a model, the program in what comes back, and the hub's rows
(section 3.6)."""

from __future__ import annotations

import ast
import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Fault, Program, Trace
from semcoder_lib.faults.forms import SECTIONS
from semcoder_lib.faults.mutate import parsed
from semcoder_lib.models import prompts
from semcoder_lib.tracing import program_and_case
from semcoder_lib.tracing.formats import render

LONGEST_TRACE = 1_600


def signature(program: Program) -> str:
    """`def f(a, b=2):` of the entry point, or only its name where it is not a plain function."""
    tree = parsed(program.source) or ast.Module([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == program.entry_point:
            return f"def {node.name}({ast.unparse(node.args)}):"
    return f"def {program.entry_point}(...):"


def task_description(program: Program) -> str:
    """The problem as a model is told it: the description, then the signature to write."""
    description = program.description.strip()
    return f"{description}\n{signature(program)}" if description else signature(program)


def opening(program: Program) -> str:
    """The beginning of an answer to the task: the signature and the indentation of the first line.
    Left alone, a small model often takes the signature for the whole answer. Empty where the entry
    point is not a plain function."""
    # less the blank that belongs to the next token, or the model closes the block at once
    return "" if "(...)" in signature(program) else f"{signature(program)}\n   "


def failed_test(fault: Fault) -> str:
    """`assert f(1) == 2`, the test that the buggy program fails."""
    call = values.show_call(fault.entry_point, fault.case.arguments)
    return f"assert {call} == {values.encode(fault.case.output)}"


def shown_trace(trace: Trace, program: Program, case: Case) -> str:
    """The run in NExT's format, as table 4 has it; empty where nothing was recorded or where it is
    too long to show."""
    text = render(trace, program, case, "next") if trace.steps else ""
    return text if len(text) <= LONGEST_TRACE else ""


def example(fault: Fault, *, trace: str = "", style: str = "clean") -> tuple[str, str]:
    """Prompt and completion of a training row. With `trace` (the rendered run, table 4's variant)
    the prompt holds it and the completion begins after `### Root Cause Analysis`."""
    prompt = prompts.refine(
        fault.description, fault.buggy, failed_test(fault), trace=trace, style=style
    )
    target = fault.rationale
    if trace:
        target = target.partition(f"{SECTIONS[1]}\n")[2]
    return prompt.text, target


_REFINED = re.compile(r"\[Refined\]\s*```(?:python)?\n(.*?)\n?```", re.DOTALL)


def refined_code(text: str) -> str | None:
    """The program that a completion offers: the fenced block after the last `[Refined]`, or, where
    there is none, the last fenced block after the reasoning; None when nothing is fenced."""
    blocks = _REFINED.findall(text)
    if not blocks:
        opened = text.rfind("[Refined]")
        tail = text[opened + len("[Refined]") :] if opened >= 0 else text
        tail = tail.partition("[/Refined]")[0]
        blocks = re.findall(r"```(?:python)?\n(.*?)\n?```", tail, re.DOTALL)
        if not blocks and opened >= 0 and "```" in tail:
            blocks = [tail.partition("```")[2].partition("\n")[2]]  # the fence was never closed
    return blocks[-1].rstrip() + "\n" if blocks else None


_PARTS = re.compile(
    r"#+ Problem\s*\n(?P<problem>.*?)"
    r"\n#+ Buggy Solution\s*\n```(?:python)?\n(?P<buggy>.*?)\n?```\s*"
    r"\n#+ Failed Test\s*\n```(?:python)?\n(?P<test>.*?)\n?```",
    re.DOTALL,
)
_LABEL = re.compile(r" {1,2}# \[L\d+\]$", re.MULTILINE)


def to_hub(fault: Fault) -> dict[str, str]:
    """A fault as a hub row. The columns hold what the authors' training code reads."""
    instruction = (
        f"### Problem\n{fault.description.strip()}\n\n### Buggy Solution\n```python\n"
        f"{fault.buggy.rstrip()}\n```\n\n### Failed Test\n```python\n{failed_test(fault)}\n```"
    )
    return {
        "id": fault.id,
        "fault": instruction,
        "response": "[MONOLOGUE]\n" + fault.rationale,
    }


def from_hub(row: dict[str, Any], *, number: int = 0) -> Fault | str:
    """A hub row as a fault with origin `hub`, or why it is none. Nothing in it has been run:
    `validate` does that. The failed test is read from an assertion, `assert f(1) == 2`; a call
    with named arguments is read by the signature of the buggy program. Never raises on a row."""
    if not isinstance(row, dict):
        return f"PyX-R row {number}: not an object"
    where = f"PyX-R row {row.get('id') or number}"
    for column in ("fault", "response"):
        if not isinstance(row.get(column), str):
            return f"{where}: the column {column!r} is missing or not text"
    parts = _PARTS.search(row["fault"])
    if not parts:
        return f"{where}: no problem, buggy solution and failed test in 'fault'"
    fixed = refined_code(row["response"])
    if fixed is None:
        return f"{where}: no fenced program in 'response'"
    buggy = _LABEL.sub("", parts["buggy"]).rstrip() + "\n"
    test = _assertion(parts["test"], buggy)
    if test is None:
        return f"{where}: no test of the form `assert f(literals) == literal`"
    return Fault(
        program_id=str(row.get("id") or number),
        buggy=buggy,
        fixed=fixed,
        entry_point=test[0],
        case=test[1],
        actual="",
        operator="hub",
        origin="hub",
        description=parts["problem"].strip(),
        rationale=row["response"].removeprefix("[MONOLOGUE]").lstrip("\n"),
        id=str(row.get("id") or number),
    )


def _assertion(test: str, source: str) -> tuple[str, Case] | None:
    """The name that is called and the case of the first assertion that can be read."""
    text = test.strip()
    for node in getattr(parsed(text), "body", ()):
        match node:
            case ast.Assert(ast.Compare(left, [ast.Eq(), *_], [right, *_])):
                call, wanted = (ast.get_source_segment(text, n) or "" for n in (left, right))
                try:
                    program, case = program_and_case(source, call)
                    output = values.decode(wanted)
                    values.encode((case.arguments, output))
                except (UserError, values.NotALiteral, values.Unserializable):
                    continue
                return program.entry_point, Case(case.arguments, output)
    return None
