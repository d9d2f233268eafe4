"""Programs of unusual shape: their monologues are accepted, with nothing left undecided."""

from __future__ import annotations

from pathlib import Path

import pytest
from monologue_programs import load

from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.monologues import Question
from semcoder_lib.sandbox import Sandbox

PROGRAMS = {program.id: (program, calls[0]) for program, calls in load("shapes")}
REFUSED = {program.id: (program, calls[0]) for program, calls in load("refused")}
SAID = (Path(__file__).parent / "shapes_said.txt").read_text(encoding="utf-8").splitlines()[2:]
LIES = (Path(__file__).parent / "shapes_lies.txt").read_text(encoding="utf-8").splitlines()[3:]


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


def test_unusual_shapes_are_accepted_backwards(box: Sandbox) -> None:
    """Whole, where an input was found from the output and a near one."""
    runs = [(p, a, box.call(p.source, "f", a)) for p, a in PROGRAMS.values()]
    questions = [Question(p, o.value, (a,)) for p, a, o in runs if o.status is Status.OK]
    answers = zip(questions, monologues.backward_many(questions, box), strict=True)
    written = [(q, m.text) for q, m in answers if m is not None]
    assert len(written) >= 0.8 * len(questions)
    for question, text in written:
        case = Case((), question.output)
        report = monologues.verify(text, question.program, case, box, direction="backward")
        assert (report.accepted, report.unverifiable) == (True, 0), text


@pytest.mark.parametrize("line", SAID)
def test_what_a_step_did_is_said_as_it_was(box: Sandbox, line: str) -> None:
    name, says, words = line.split(" | ")
    program, arguments = PROGRAMS[name]
    text = monologues.forward(program, tracing.trace(program, Case(arguments), box)).text
    assert (words in text) == (says == "says")


@pytest.mark.parametrize("line", LIES)
def test_what_is_not_so_does_not_pass(box: Sandbox, line: str) -> None:
    name, told, lie = line.replace("\\n", "\n").split(" | ")
    program, arguments = PROGRAMS[name]
    trace = tracing.trace(program, Case(arguments), box)
    text = monologues.forward(program, trace).text
    assert told in text
    report = monologues.verify(
        text.replace(told, lie, 1), program, Case(arguments), box, trace=trace
    )
    assert report.contradicted + report.unverifiable


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_told_has_a_reason(box: Sandbox, name: str) -> None:
    program, arguments = REFUSED[name]
    output = box.call(program.source, "f", arguments).value
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
