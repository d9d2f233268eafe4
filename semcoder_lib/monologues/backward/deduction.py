"""The text of a backward monologue, from a finished search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues.backward.search import Candidate, Search
from semcoder_lib.monologues.backward.walk import Goals, Note
from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.forms import CONCLUSION, DEDUCTION, heading
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.syntax import Syntax, parameters
from semcoder_lib.monologues.write.forward import (
    answer_block,
    properties_section,
    summary,
)
from semcoder_lib.monologues.write.simulation import simulation

_SHORT = 100  # characters of another input or output that is shown


@dataclass(frozen=True, slots=True)
class Found:
    """A witness, another input that fits as well, and one that does not."""

    witness: Candidate
    other: Candidate | None
    counter: Candidate | None

    @classmethod
    def of(cls, search: Search) -> Found | None:
        """What a search has to show for itself, or None."""
        hits = search.found
        if not hits:
            return None
        witness = hits[0]
        others = [c for c in hits[1:] if search.domains.usual(c.arguments)]
        others.sort(key=lambda c: (-_differences(c, witness), len(c.text)))
        near = sorted(
            (c for c in search.tried.values() if 0 < c.distance < 40 and len(c.text) <= 120),
            key=lambda c: (_differences(c, witness), c.distance, len(c.text), c.text),
        )
        usual = [c for c in near if search.domains.usual(c.arguments)]
        return cls(witness, others[0] if others else None, usual[0] if usual else None)


def _differences(a: Candidate, b: Candidate) -> int:
    return sum(
        x != y or type(x) is not type(y) for x, y in zip(a.arguments, b.arguments, strict=False)
    )


def deduction(
    program: Program, search: Search, result: Found, trace: Trace, style: Style
) -> Monologue:
    """The monologue. `trace` is that of the witness, for the check at the end."""
    syntax, f, wanted = search.syntax, program.entry_point, search.wanted
    arguments = result.witness.arguments
    call = values.show_call(f, arguments)
    goals = result.witness.goals
    if goals is not None and not _holds(goals, trace):
        goals = None
    goals = _chosen(goals, syntax, f, arguments) or _asked(search, trace)
    lines = [_said(n, syntax, style) for n in goals.notes if n.line not in syntax.groups]
    lines.append(_choice(syntax, f, arguments))
    lines += _check(syntax, call, wanted, trace, style)
    if style.alternatives:
        lines += _alternatives(f, call, wanted, result)
    head, end = "", ""
    if not style.brief:
        head = (
            heading("function") + summary(syntax, f) + "\n" + properties_section(style.properties)
        )
        end = heading("conclusion") + CONCLUSION["concludes.call"].say(c=call, v=wanted) + "\n"
    text = head + heading("deduction") + "\n".join(lines) + "\n" + end + answer_block(call, wanted)
    note = "witness by search" if result.witness.goals is None else "witness by inversion"
    case = Case(arguments, search.output, program.id)
    return Monologue(text, "backward", case, program.id, notes=(note,))


def _said(note: Note, syntax: Syntax, style: Style) -> str:
    quote = syntax.text(note.line)
    if quote and style.ticks and "`" not in quote:
        quote = f"`{quote}`"
    text = note.text.replace(f"[L{note.line}]", style.label(note.line))
    return f"{style.label(note.line)} {f'{quote}: ' if quote else ''}{text}"


def _holds(goals: Goals, trace: Trace) -> bool:
    """Whether the witness's run reached every line that the deduction speaks of."""
    if not trace.steps:
        return not goals.notes
    lines = {s.line for s in trace.steps if s.frame == trace.steps[0].frame}
    return all(note.reached in lines for note in goals.notes)


def _chosen(
    goals: Goals | None, syntax: Syntax, f: str, arguments: tuple[Any, ...]
) -> Goals | None:
    """The deduction, where the input that was chosen is the one that it came to."""
    if goals is None:
        return None
    given = dict(zip(parameters(syntax.functions[f]), arguments, strict=False))
    fits = all(n in given and equal(given[n], v) for n, v in goals.values.items())
    return goals if fits else None


def _asked(search: Search, trace: Trace) -> Goals:
    """For a witness that no deduction gave: only what is asked of the return that was reached."""
    for goals in search.deductions:
        first = Goals({}, goals.notes[:1])
        if first.notes and _holds(first, trace):
            note = first.notes[0]
            text = note.text.partition("; ")[0].rstrip(".") + "."
            if " can be " not in text:
                return Goals({}, (replace(note, text=text),))
    return Goals({})


def _choice(syntax: Syntax, f: str, arguments: tuple[Any, ...]) -> str:
    if not arguments:
        return DEDUCTION["choose.none"].say()
    names = parameters(syntax.functions[f])
    parts = [
        f"{names[at] if at < len(names) else f'argument {at + 1}'} = {values.encode(value)}"
        for at, value in enumerate(arguments)
    ]
    return DEDUCTION["choose"].say(b=", ".join(parts))


def _check(syntax: Syntax, call: str, wanted: str, trace: Trace, style: Style) -> list[str]:
    if style.check and trace.steps and not trace.cut and trace.result == wanted:
        steps = simulation(syntax, trace, style.but(max_chars=100_000))
        if steps and len("\n".join(steps)) <= style.check:
            return [DEDUCTION["checking"].say(), *steps]
    return [DEDUCTION["check"].say(c=call, v=wanted)]


def _alternatives(f: str, call: str, wanted: str, result: Found) -> list[str]:
    lines = []
    other, counter = result.other, result.counter
    if other is not None and len(other.text) <= _SHORT and len(wanted) <= _SHORT:
        lines.append(DEDUCTION["several"].say(c=call, d=f"{f}({other.text})", v=wanted))
    if counter is not None and counter.output is not None and len(counter.output) <= _SHORT:
        lines.append(DEDUCTION["counter"].say(c=f"{f}({counter.text})", v=counter.output))
    return lines
