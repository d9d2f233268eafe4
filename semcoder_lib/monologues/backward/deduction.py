"""The text of a backward monologue, from a finished search."""

from __future__ import annotations

from dataclasses import replace

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Monologue, Trace
from semcoder_lib.monologues.backward.search import Candidate, Search
from semcoder_lib.monologues.backward.walk import Note
from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.forms import CONCLUSION, say
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import Syntax
from semcoder_lib.monologues.write.forward import answer_block, sections
from semcoder_lib.monologues.write.simulation import simulation

_SHORT = 100  # characters of another input or output that is shown


def deduction(search: Search, trace: Trace, style: Style) -> Monologue:
    """The monologue. `trace` is that of the witness, for the check at the end."""
    program, syntax, wanted = search.question.program, search.syntax, search.wanted
    f, witness = program.entry_point, search.found[0]
    call = values.show_call(f, witness.arguments)
    lines = [_said(n, syntax, style) for n in _notes(search, trace) if n.line not in syntax.groups]
    names = [*search.domains.names, *(f"argument {n + 1}" for n in range(len(witness.arguments)))]
    given = [f"{n} = {values.encode(v)}" for n, v in zip(names, witness.arguments, strict=False)]
    lines.append(say("choose" if given else "choose.none", b=", ".join(given)))
    steps: list[str] = []
    if style.check and trace.steps and not trace.cut and trace.result == wanted:
        steps = simulation(syntax, trace, style.but(max_chars=100_000))
    if steps and len("\n".join(steps)) <= style.check:
        lines += [say("checking"), *steps]
    else:
        lines.append(say("check", c=call, v=wanted))
    if style.alternatives:
        lines += _alternatives(f, call, search)
    conclusion = CONCLUSION["concludes.call"].say(c=call, v=wanted)
    about = sections(syntax, f, style, "deduction", lines, conclusion)
    text = about + answer_block(call, wanted)
    note = "witness by search" if witness.goals is None else "witness by inversion"
    case = Case(witness.arguments, search.output, program.id)
    return Monologue(text, "backward", case, program.id, notes=(note,))


def _notes(search: Search, trace: Trace) -> tuple[Note, ...]:
    """The deduction that came to the witness, where the witness's run reached every line that it
    speaks of; else only what is asked of the return that was reached."""
    reached = {s.line for s in trace.steps if s.frame == trace.steps[0].frame}
    witness = search.found[0]
    if witness.goals is not None and all(note.reached in reached for note in witness.goals.notes):
        given = dict(zip(search.domains.names, witness.arguments, strict=False))
        if all(n in given and equal(given[n], v) for n, v in witness.goals.values.items()):
            return witness.goals.notes
    for goals in search.deductions:
        for note in goals.notes[:1]:
            text = note.text.partition("; ")[0].rstrip(".") + "."
            if note.reached in reached and " can be " not in text:
                return (replace(note, text=text),)
    return ()


def _said(note: Note, syntax: Syntax, style: Style) -> str:
    label = style.label(note.line)
    text = note.text.replace(f"[L{note.line}]", label)
    return f"{label} {style.quote(syntax.text(note.line))}{text}"


def _alternatives(f: str, call: str, search: Search) -> list[str]:
    """Another input that fits as well, and one that does not."""
    witness, *hits = search.found

    def differences(c: Candidate) -> int:
        pairs = zip(c.arguments, witness.arguments, strict=False)
        return sum(type(x) is not type(y) or not equal(x, y) for x, y in pairs)

    others = [c for c in hits if search.domains.usual(c.arguments)]
    others.sort(key=lambda c: (-differences(c), len(c.text)))
    near = [c for c in search.tried.values() if 0 < c.distance < 40 and len(c.text) <= 120]
    near = [c for c in near if search.domains.usual(c.arguments)]
    near.sort(key=lambda c: (differences(c), c.distance, len(c.text), c.text))
    lines = []
    if others and len(others[0].text) <= _SHORT and len(search.wanted) <= _SHORT:
        lines.append(say("several", c=call, d=f"{f}({others[0].text})", v=search.wanted))
    if near and near[0].output is not None and len(near[0].output) <= _SHORT:
        lines.append(say("counter", c=f"{f}({near[0].text})", v=near[0].output))
    return lines
