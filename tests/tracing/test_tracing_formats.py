"""The formats: worked examples of the faithful mode, and round trips of the clean one."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
from expected_steps import expected
from golden_programs import PROGRAMS
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core import values
from semcoder_lib.core.errors import UsageError, UserError
from semcoder_lib.core.records import Case, Change, Program, Step, Trace
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import TraceLimits, cli_render, load, record
from semcoder_lib.tracing.formats import Unreadable, parse, render

TEXT = ("scratchpad", "next", "concise")


def examples() -> list[tuple[str, str, str, dict[str, str]]]:
    """(rule, source, call, expected text of each format) from the file of worked examples."""
    text = (Path(__file__).parent / "faithful_examples.txt").read_text()
    found = []
    for block in re.split(r"^### ", text, flags=re.M)[1:]:
        rule, *parts = re.split(r"^#### ", block, flags=re.M)
        sections = [part.split("\n", 1) for part in parts]
        call = sections[0][0].removeprefix("call ")
        texts = {name: body.rstrip("\n") for name, body in sections[1:]}
        found.append((rule.strip(), sections[0][1], call, texts))
    return found


EXAMPLES = examples()


@pytest.mark.parametrize(
    ("rule", "source", "call", "texts"), EXAMPLES, ids=[e[0] for e in EXAMPLES]
)
def test_faithful_example(
    rule: str, source: str, call: str, texts: dict[str, str], tracing_box: Sandbox
) -> None:
    for format, wanted in texts.items():
        found = cli_render(source, call, format, True, box=tracing_box)
        assert found.rstrip("\n") == wanted
        assert parse(found, format)


def test_there_are_enough_examples() -> None:
    assert len(EXAMPLES) >= 25
    assert {format for e in EXAMPLES for format in e[3]} == set(TEXT)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_clean_formats_are_read_back(name: str) -> None:
    source, arguments = PROGRAMS[name]
    trace = record(load(source, "f"), copy.deepcopy(arguments), source=source)
    program, case = Program(source, "f"), Case(arguments)
    for format in (*TEXT, "json"):
        assert parse(render(trace, program, case, format), format) == expected(trace, format)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
TRICKY = st.sampled_from(
    ["[/STATE]", "] [OUTPUT] ", "a = 1, b = 2", "'", '"', "\\", "x = <y>", "\n# "]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PLAIN | TRICKY, min_size=1, max_size=4))
def test_any_value_is_read_back(held: list[object]) -> None:
    changes = tuple(Change(f"v{i}", values.encode(value)) for i, value in enumerate(held))
    steps = (
        Step(1, "call", changes, function="f"),
        Step(2, "line", changes, function="f"),
        Step(3, "line", function="f"),
        Step(3, "return", value=changes[0].text, function="f"),
    )
    trace = Trace(steps)
    program = Program("def f(x):\n    a\n    b\n", "f")
    for format in TEXT:
        text = render(trace, program, Case(()), format)
        assert parse(text, format) == expected(trace, format)


def test_what_is_not_in_a_format_is_refused_with_its_place() -> None:
    with pytest.raises(Unreadable, match="line 2"):
        parse("[L1] [INPUT] x = 1 [/INPUT] [/L1]\nnonsense", "concise")
    with pytest.raises(Unreadable, match="not closed"):
        parse("def f(x):  # [INPUT] x = 1", "scratchpad")
    with pytest.raises(Unreadable, match="name = value"):
        parse("[L1] hello there [/L1]", "concise")
    with pytest.raises(Unreadable, match="JSON"):
        parse("{}x", "json")
    with pytest.raises(UsageError, match="scratchpad"):
        render(Trace(()), Program("", "f"), Case(()), "yaml")


def test_a_cut_is_said(tracing_box: Sandbox) -> None:
    source = "def f(n):\n    while n:\n        n -= 1\n"
    trace = record(load(source, "f"), (100,), source=source, limits=TraceLimits(steps=5))
    assert trace.cut == "steps"
    assert len(trace.steps) == 5
    program = Program(source, "f")
    assert render(trace, program, Case((100,)), "concise").endswith("[CUT] steps [/CUT]")
    assert "[CUT] steps [/CUT]" in render(trace, program, Case((100,)), "next")
    assert trace.result == "None"


def test_the_command_explains_wrong_input(tracing_box: Sandbox) -> None:
    source = "def f(a, b=2, *, c=3):\n    return a + b\n"
    assert "[OUTPUT] 11 [/OUTPUT]" in cli_render(source, "f(1, b=10)", box=tracing_box)
    for call, words in [
        ("f(x)", "literal"),
        ("f(", "parse"),
        ("f(b=1)", "'a' is missing"),
        ("f(1, d=1)", "'d'"),
        ("g(1)", "'g'"),
    ]:
        with pytest.raises(UserError, match=words):
            cli_render(source, call, box=tracing_box)
    with pytest.raises(UserError, match="loaded"):
        cli_render("def f(:\n", "f()", box=tracing_box)
