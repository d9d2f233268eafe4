"""The words in which a fault is put to a model, the sentences of its rationale (`forms.txt`), the
program in what comes back, and the hub's rows (section 3.6)."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core import foreign, records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Fault, Program, Trace
from semcoder_lib.corpus.files import table
from semcoder_lib.models import prompts
from semcoder_lib.monologues.forms import Form
from semcoder_lib.tracing import program_and_case
from semcoder_lib.tracing.formats import render

SECTIONS = ("### Execution Simulation", "### Root Cause Analysis", "### Bug Fixing")
SIMULATION, CAUSE, NEXT, FIX = (
    {
        name: Form(name, *(cell.replace("\\n", "\n") for cell in cells))
        for name, *cells in table(Path(__file__).with_name("forms.txt"), group)
    }
    for group in ("simulation", "cause", "next", "fix")
)
FORMS = {**SIMULATION, **CAUSE, **NEXT, **FIX}
LONGEST_TRACE = 1_600
MOST_TESTS = 100  # that are read of one text: each is cut out of all of it


def signature(program: Program) -> str:
    """`def f(a, b=2):` of the entry point, or only its name where it is not a plain function."""
    try:
        nodes = ast.walk(foreign.parse(program.source))
    except foreign.Refused:
        nodes = iter(())
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.name == program.entry_point:
            return f"def {node.name}({ast.unparse(node.args)}):"
    return f"def {program.entry_point}(...):"


def task_description(program: Program) -> str:
    """The problem as a model is told it: the description, then the signature to write."""
    description = program.description.strip()
    return f"{description}\n{signature(program)}" if description else signature(program)


def assertion(entry_point: str, case: Case) -> str:
    """`assert f(1) == 2`, the case as a test. Raises `values.Unserializable`."""
    call = values.show_call(entry_point, case.arguments)
    return f"assert {call} == {values.encode(case.output)}"


def failed_test(fault: Fault) -> str:
    """The test that the buggy program fails."""
    return assertion(fault.entry_point, fault.case)


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
    return prompt.text, target.partition(f"{SECTIONS[1]}\n")[2] if trace else target


_FENCED = re.compile(r"```(?:python)?\n(.*?)\n?```", re.DOTALL)


def refined_code(text: str) -> str | None:
    """The program that a completion offers: the fenced block after the last `[Refined]` (also one
    that was never closed), or, where there is none, the last fenced block; None when nothing is
    fenced."""
    _, opened, tail = text.rpartition("[Refined]")
    if opened:
        blocks = _FENCED.findall(tail.partition("[/Refined]")[0] + "\n```")[:1]
    else:
        blocks = _FENCED.findall(text)[-1:]
    return blocks[0].rstrip() + "\n" if blocks else None


# --- tests in words -------------------------------------------------------------------------------


def from_assertions(text: str, source: str = "") -> list[tuple[str, Case]]:
    """The tests in Python text that are `assert f(literals) == literal`: the name that is called
    and the case, each once; other statements are left out. Named arguments are read by the
    signatures in the program `source`. Text that does not parse is read line by line."""
    tests: list[tuple[str, Case]] = []
    for part, tree in _trees(text):
        asserts = (node for node in ast.walk(tree) if isinstance(node, ast.Assert))
        for node in itertools.islice(asserts, MOST_TESTS):
            test = _tested(node.test, part, source)
            if test is not None and test not in tests:
                tests.append(test)
    return tests


def _trees(text: str) -> Iterator[tuple[str, ast.Module]]:
    """The text with its tree, or the same of those of its lines that are assertions."""
    try:
        yield text, foreign.parse(text)
    except foreign.Refused:
        for line in map(str.strip, text.splitlines()):
            if line.startswith("assert ") and line != text:
                yield from _trees(line)


def _tested(test: ast.expr, text: str, source: str) -> tuple[str, Case] | None:
    """The name and the case of `f(1) == 2`, `f(1) is None`, `f(1)` or `not f(1)`."""
    want = "True"
    match test:
        case ast.UnaryOp(ast.Not(), call):
            test, want = call, "False"
        case ast.Compare(call, [ast.Eq() | ast.Is()], [right]):
            test, want = call, ast.get_source_segment(text, right) or ""
    return literal_test(ast.get_source_segment(text, test) or "", want, source)


def literal_test(call: str, want: str, source: str = "") -> tuple[str, Case] | None:
    """The name and the case of a call and a value that are literals."""
    try:
        program, case = program_and_case(source, call)
        output = values.decode(want)
        values.encode((case.arguments, output))
    except (UserError, values.NotALiteral, values.Unserializable):
        return None
    return program.entry_point, Case(case.arguments, output)


# --- the hub --------------------------------------------------------------------------------------

_TITLES = [
    re.compile(rf"^#+ {title}[ \t\r]*$", re.MULTILINE)
    for title in ("Problem", "Buggy Solution", "Failed Test")
]
_LABEL = re.compile(r" {1,2}# \[L\d+\]$", re.MULTILINE)


def _block(section: str) -> str:
    """What is fenced in a section, from the first fence to the last; empty where nothing is."""
    _, _, rest = section.partition("```")
    return rest.partition("\n")[2].rpartition("```")[0]


def to_hub(fault: Fault) -> dict[str, str]:
    """A fault as a hub row. The columns hold what the authors' training code reads."""
    instruction = (
        f"### Problem\n{fault.description.strip()}\n\n### Buggy Solution\n```python\n"
        f"{fault.buggy.rstrip()}\n```\n\n### Failed Test\n```python\n{failed_test(fault)}\n```"
    )
    return {"id": fault.id, "fault": instruction, "response": "[MONOLOGUE]\n" + fault.rationale}


def from_hub(row: dict[str, Any], *, number: int = 0) -> Fault | None:
    """A hub row as a fault with origin `hub`, its id the `number` where it has none; None where it
    holds no problem, buggy program, fix and test. Nothing in it has been run: `read_hub` does that.
    The failed test is read from an assertion, `assert f(1) == 2`; a call with named arguments is
    read by the signature of the buggy program. Never raises on a row."""
    if not isinstance(row, dict):
        return None
    instruction, response = row.get("fault"), row.get("response")
    if not (isinstance(instruction, str) and isinstance(response, str)):
        return None
    parts: list[str] = []
    for title in _TITLES:
        before, *after = title.split(instruction, maxsplit=1)
        parts.append(before)
        instruction = "".join(after)
    _, problem, buggy = parts
    fixed = refined_code(response)
    buggy = _LABEL.sub("", _block(buggy)).rstrip() + "\n"
    tests = from_assertions(_block(instruction).strip(), buggy)
    if fixed is None or not tests:
        return None
    entry_point, case = tests[0]
    name = row.get("id") or number
    name = name if isinstance(name, str) else records.shown(name)
    return Fault(
        program_id=name,
        buggy=buggy,
        fixed=fixed,
        entry_point=entry_point,
        case=case,
        actual="",
        operator="hub",
        origin="hub",
        description=problem.strip(),
        rationale=response.removeprefix("[MONOLOGUE]").lstrip("\n"),
        id=name,
    )
