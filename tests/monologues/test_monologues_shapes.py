"""Programs of unusual shape: their monologues are accepted, with nothing left undecided."""

from __future__ import annotations

import pytest
from monologue_programs import load

from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.sandbox import Sandbox

PROGRAMS = {program.id: (program, calls[0]) for program, calls in load("shapes")}
REFUSED = {  # what stops and goes on later
    "a generator that raises": (
        "def pairs():\n    yield 2\n    raise KeyError('k')\n\n\ndef f(n):\n    t = n\n    try:\n"
        "        for v in pairs():\n            t += v\n    except KeyError:\n        t = -t\n"
        "    return t\n",
        (3,),
    )
}


@pytest.mark.parametrize("style", ["full", "dense"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_unusual_shapes_are_accepted(box: Sandbox, name: str, style: str) -> None:
    program, arguments = PROGRAMS[name]
    trace = tracing.trace(program, Case(arguments), box)
    written = monologues.forward(program, trace, style=monologues.STYLES[style])
    report = monologues.verify(
        written.text, program, written.case, box, direction="forward", trace=trace
    )
    assert report.accepted, report.reason
    assert report.unverifiable == 0
    assert report.supported > 0


def test_what_a_step_did_is_said_as_it_was(box: Sandbox) -> None:
    def text(name: str) -> str:
        program, arguments = PROGRAMS[name]
        return monologues.forward(program, tracing.trace(program, Case(arguments), box)).text

    assert "returns 0" not in text("one-line if")
    assert "if (n > 2):" in text("tests in parentheses")
    assert "raises IndexError" in text("a header that raises")
    assert "nothing changes" not in text("global state")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_told_has_a_reason(box: Sandbox, name: str) -> None:
    source, arguments = REFUSED[name]
    program = Program(source, "f", id=name)
    output = box.call(source, "f", arguments).value
    entry = Entry(program, (Case(arguments, output),))
    written, funnel = monologues.derive_many([entry], box, directions=("forward",), bullets=0)
    assert written == []
    assert funnel["forward"]["dropped"] == {"a generator or a thread": 1}


def test_a_program_too_deep_to_read_leaves_the_others_alone(box: Sandbox) -> None:
    deep = Program(f"def f(x):\n    return {' + '.join('x' for _ in range(950))}\n", "f", id="deep")
    plain = Program("def f(x):\n    return x + 1\n", "f", id="plain")
    entries = [Entry(deep, (Case((1,), 950),)), Entry(plain, (Case((1,), 2),))]
    written, funnel = monologues.derive_many(entries, box, directions=("forward",))
    assert [m.program_id for m in written] == ["plain"]
    assert sum(funnel["forward"]["dropped"].values()) == 1
