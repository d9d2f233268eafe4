"""Stage 00: one program from source to trace to monologue to verified claim to training example."""

from __future__ import annotations

from typing import Any

from semcoder_lib import monologues, tracing
from semcoder_lib.core import records
from semcoder_lib.models import assets, prompts
from semcoder_lib.run.stages.s02_monologues import style_of
from semcoder_lib.run.stages.session import Session, as_plain

SOURCE = """\
def first_positions(items):
    seen = {}
    for place, item in enumerate(items):
        if item not in seen:
            seen[item] = place
    return sorted(seen.values())
"""
ARGUMENTS = (["b", "a", "b", "c"],)
OTHER_INPUTS: tuple[tuple[list[str]], ...] = ((["x", "x"],), ([],), (["p", "q", "r"],))


def run(session: Session) -> dict[str, Any]:
    """The tour's pieces as plain data, for the notebook and for figures 1 and 2; and the model is
    brought into the cache, so that later notebooks find it there."""
    program = records.Program(SOURCE, "first_positions", id="tour")
    told = tell(session, program, ARGUMENTS, OTHER_INPUTS)
    assets.locate(session.profile.model)
    return {"model": assets.shown_name(session.profile.model), **told}


def tell(
    session: Session,
    program: records.Program,
    arguments: tuple[Any, ...],
    other_inputs: tuple[tuple[Any, ...], ...],
) -> dict[str, Any]:
    """Everything the kit knows of one call: trace, both monologues with all their sections, every
    claim checked, and the training example in the profile's form."""
    box = session.box
    outcome = box.call(program.source, program.entry_point, arguments)
    case = records.Case(arguments, outcome.value)
    trace = tracing.trace(program, case, box)
    cases = [case]
    for other in other_inputs:
        known = box.call(program.source, program.entry_point, other)
        if known.status is records.Status.OK:
            cases.append(records.Case(other, known.value))
    found = monologues.infer(program, cases, box, seed=session.profile.seed)
    style = monologues.Style(properties=found[:3])
    forward = monologues.forward(program, trace, seed=session.profile.seed, style=style)
    row = monologues.forward(
        program, trace, seed=session.profile.seed, style=style_of(session.profile)
    )
    backward = monologues.backward(
        program, outcome.value, box, seeds=other_inputs, seed=session.profile.seed
    )
    report = monologues.verify(forward.text, program, case, box)
    call = monologues.call_text(program, forward.case)
    return {
        "source": program.source,
        "call": call,
        "output": outcome.text,
        "trace": [records.to_row(step) for step in trace.steps],
        "semantics": {
            "source": program.source,
            "kinds": [
                ["Approximate semantics: what it is for",
                 "The positions at which a value occurs for the first time, in order."],
                ["Operational semantics: what it does",
                 _operational(trace, call, outcome.text or "")],
                ["Abstract semantics: what always holds", _section(forward.text, "Properties")],
            ],
        },
        "monologues": {
            "forward": forward.text,
            "backward": backward.text if backward else "",
            "claims": as_plain(report.claims),
        },
        "verification": {
            "supported": report.supported,
            "contradicted": report.contradicted,
            "unverifiable": report.unverifiable,
            "line_coverage": report.line_coverage,
            "accepted": report.accepted,
        },
        "example": {
            "prompt": prompts.forward(program.source, call, style=session.profile.style).text,
            "completion": row.text,
        },
    }  # fmt: skip


def _operational(trace: records.Trace, call: str, output: str) -> str:
    lines = [call]
    for step in trace.steps:
        if step.event == "line" and step.changes:
            changes = ", ".join(f"{c.name} = {c.text}" for c in step.changes if c.text)
            lines.append(f"L{step.line}: {changes}")
    return "\n".join([*lines[:9], f"returns {output}"])


def _section(text: str, word: str) -> str:
    """The lines of the section whose heading contains `word`."""
    lines, on = [], False
    for line in text.split("\n"):
        if line.startswith("###"):
            on = word in line
        elif on and line.strip():
            lines.append(line.strip())
    return "\n".join(lines[:6]) or "no property was found"
