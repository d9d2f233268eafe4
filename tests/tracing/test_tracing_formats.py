"""The formats: worked examples of the faithful mode, and comments that say every step once and
leave the program as it is."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from examples import GOLDEN, Example, examples, record

from semcoder_lib.core.errors import UsageError
from semcoder_lib.core.records import Case, Program, Step, Trace, from_row
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import TraceLimits, cli_render
from semcoder_lib.tracing.formats import items, render
from semcoder_lib.tracing.tracer import layout
from tests.bench.timing import cruxeval

TEXT = ("scratchpad", "next", "concise")
EXAMPLES = examples("faithful_examples.txt")


@pytest.mark.parametrize("example", EXAMPLES, ids=[e.name for e in EXAMPLES])
def test_faithful_example(example: Example, box: Sandbox) -> None:
    for format, wanted in example.sections.items():
        text = cli_render(example.source, example.call, format, True, box=box)
        assert text.rstrip("\n") == wanted


def check_formats(source: str, arguments: tuple[object, ...]) -> None:
    """Comments leave the program as it is, every step is said once and in order, and nothing but
    variables is in the text formats."""
    trace = record(source, *arguments)
    program, case = Program(source, "f"), Case(arguments)
    own = replace(trace, steps=tuple(replace(step, beyond=()) for step in trace.steps))
    tree = ast.dump(ast.parse(source))
    for format in TEXT:
        for mode in ("clean", "faithful"):
            text = render(trace, program, case, format, mode)
            assert render(own, program, case, format, mode) == text
            assert items(text, format)
            if format != "concise":
                assert ast.dump(ast.parse(text)) == tree
            if mode == "clean" and not any("[/" in said(step) for step in trace.steps):
                check_items(items(text, format), source, trace.steps, format)
    text = render(trace, program, case, "json")
    assert from_row(Trace, json.loads(text)) == trace
    assert ('"beyond"' in text) == any(step.beyond for step in trace.steps)


def said(step: Step) -> str:
    """What a text format should say of a step."""
    changes = [f"del {c.name}" if c.text is None else f"{c.name} = {c.text}" for c in step.changes]
    text = step.value if step.value and step.event != "line" else ", ".join(changes)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_items(
    found: list[tuple[int, str, str]], source: str, steps: Sequence[Step], format: str
) -> None:
    if format == "concise":
        assert [i[0] for i in found] == [
            s.line
            for before, s in zip((None, *steps), steps, strict=False)
            if before is None
            or s.event != "return"
            or (before.event, before.frame, before.line) != ("line", s.frame, s.line)
        ]
        words = " ".join(text for _, _, text in found)
        assert all(said(step) in words for step in steps)
        return
    starts = layout(source).starts  # a comment can stand behind a later line of its statement
    told = {(starts.get(line, line), words) for line, _, words in found}
    states = [(s.line, said(s)) for s in steps if s.event == "line" and s.changes]
    if format == "next":  # the first two and the last of each line, in order of execution
        of_line: dict[int, list[int]] = {}
        for number, (line, _) in enumerate(states):
            of_line.setdefault(line, []).append(number)
        kept = [
            n for own in of_line.values() for n in (own if len(own) < 4 else own[:2] + own[-1:])
        ]
        states = [states[number] for number in sorted(kept)]
        assert [words for _, tag, words in found if tag == "STATE"] == [w for _, w in states]
    assert told == {*states, *((s.line, said(s)) for s in steps if s.event != "line")}


@pytest.mark.parametrize("example", GOLDEN, ids=[e.name for e in GOLDEN])
def test_a_golden_trace_in_every_format(example: Example) -> None:
    check_formats(example.source, example.arguments)


LINES = {e.name: (e.source, e.arguments) for e in examples("odd_lines.txt")} | {
    "lines that end in CR LF": ("def f(n):\r\n    s = '''a\r\nb'''\r\n    return n\r\n", (1,)),
    "lines that end in CR": ("def f(n):\r    n += 1\r    return n\r", (1,)),
    "no line end at the end": ("def f(n):\n    n += 1\n    return n", (1,)),
    "a form feed, tabs, blanks behind": ("def f(n):\n\tn += 1   \n\x0c\n\treturn n \t\n\n", (1,)),
}


@pytest.mark.parametrize("name", LINES)
def test_comments_leave_a_program_as_it_is(name: str) -> None:
    check_formats(*LINES[name])


@pytest.mark.data
def test_comments_leave_the_programs_of_cruxeval_as_they_are() -> None:
    for source, arguments in cruxeval()[::5]:
        check_formats(source, arguments)


def test_what_is_no_format_is_refused() -> None:
    for format, mode in (("yaml", "clean"), ("next", "exact")):
        with pytest.raises(UsageError, match="scratchpad"):
            render(Trace(()), Program("", "f"), Case(()), format, mode)


def test_items_end_where_a_text_is_no_longer_in_the_format() -> None:
    text = "[L1] [INPUT] x = 1 [/INPUT] [/L1]\n[L2] [/L2]\nand so on\n[L2] y = 2 [/L2]"
    assert items(text, "concise") == [(1, "L", "[INPUT] x = 1 [/INPUT]"), (2, "L", "")]
    lines = "def f(x):  # [INPUT] x = 1 [/INPUT] [OUTPUT] 2\n  y  # [STATE-1] y = 2 [/STATE-1]"
    assert items(lines, "next") == [(1, "INPUT", "x = 1"), (2, "STATE", "y = 2")]


@pytest.mark.parametrize(
    ("limits", "reason"), [(TraceLimits(steps=50), "steps"), (TraceLimits(bytes=200), "bytes")]
)
def test_a_bound_cuts_the_trace_and_every_text_says_so(limits: TraceLimits, reason: str) -> None:
    source = "def f(n):\n    while n:\n        n -= 1\n"
    trace = record(source, 5_000, limits=limits)
    assert trace.cut == reason
    assert 0 < len(trace.steps) <= 200
    assert trace.result == "None"
    for format in TEXT:
        text = render(trace, Program(source, "f"), Case((5_000,)), format)
        assert text.endswith(f"[CUT] {reason} [/CUT]")


def test_json_of_locals_only_has_no_field_that_it_does_not_need() -> None:
    source = "def f(n):\n    return n\n"
    text = render(record(source, 2), Program(source, "f"), Case((2,)), "json")
    assert json.loads(text)["steps"][0] == {
        "line": 1, "event": "call", "changes": [{"name": "n", "text": "2", "exact": True}],
        "depth": 0, "frame": 0, "function": "f", "value": None, "exact": True,
    }  # fmt: skip
