"""The text of a backward monologue, from a finished search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Claim, Monologue, Program, Trace
from semcoder_lib.monologues.backward.search import Candidate, Search
from semcoder_lib.monologues.backward.walk import Deduction, Note
from semcoder_lib.monologues.forward import simulation
from semcoder_lib.monologues.property import claims as property_claims
from semcoder_lib.monologues.property import section
from semcoder_lib.monologues.reading import Reading, parameters
from semcoder_lib.monologues.show import NotShown, show
from semcoder_lib.monologues.style import Style
from semcoder_lib.monologues.understanding import understanding

_CHECK_CHARS = 900


@dataclass(frozen=True, slots=True)
class Found:
    """A witness, other inputs that fit as well, and one that does not."""

    witness: Candidate
    others: tuple[Candidate, ...]
    counter: Candidate | None


def found(search: Search) -> Found | None:
    """What a search has to show for itself, or None."""
    hits = search.found
    if not hits:
        return None
    witness = hits[0]
    near = sorted(
        (c for c in search.tried.values() if 0 < c.distance < 40 and len(c.text) <= 120),
        key=lambda c: (_differences(c, witness), c.distance, len(c.text), c.text),
    )
    others = [c for c in hits[1:] if search.domains.usual(c.arguments)]
    others.sort(key=lambda c: (-_differences(c, witness), len(c.text)))
    usual = [c for c in near if search.domains.usual(c.arguments)]
    return Found(witness, tuple(others[:1]), usual[0] if usual else None)


def _differences(a: Candidate, b: Candidate) -> int:
    return sum(
        x != y or type(x) is not type(y) for x, y in zip(a.arguments, b.arguments, strict=False)
    )


def told(
    program: Program, reading: Reading, search: Search, result: Found, trace: Trace, style: Style
) -> Monologue:
    """The monologue. `trace` is that of the witness, for the check at the end."""
    f = program.entry_point
    call = values.show_call(f, result.witness.arguments)
    wanted = search.wanted
    writer = _Writer(style)
    deduction = result.witness.deduction
    if deduction is not None and not _holds(deduction, trace):
        deduction = None
    _deduction(writer, _as_chosen(deduction, reading, result) or _abstract(search, trace))
    writer.add(
        f"Choose {_chosen(reading, result.witness.arguments)}.", "constraint", "choose", call
    )
    _check(writer, program, call, wanted, trace, style)
    if style.alternatives:
        for other in result.others:
            if len(other.text) <= 100 and len(wanted) <= 100:
                line = f"Several inputs fit: {call} and {f}({other.text}) both return {wanted}."
                writer.add(line, "answer", f"{f}({other.text})", wanted)
        counter = result.counter
        if counter is not None and counter.output is not None and len(counter.output) <= 100:
            line = f"Not every input will do: {f}({counter.text}) returns {counter.output}."
            writer.add(line, "answer", f"{f}({counter.text})", counter.output)
    head, conclusion = "", ""
    bullets: list[Claim] = []
    if not style.brief:
        head = "### Understanding the Function\n" + understanding(reading) + "\n"
        bullets = property_claims(style.properties, len(head))
        head += section(style.properties)
        conclusion = f"### Conclusion\n{call} returns {wanted}.\n"
    head += "### Reverse Deduction\n"
    body = "\n".join(writer.lines) + "\n"
    answer = f"assert {call} == {wanted}"
    text = f"{head}{body}{conclusion}[/MONOLOGUE]\n[ANSWER]\n{answer}\n[/ANSWER]"
    claims = [*bullets, *writer.placed(len(head))]
    start = text.rindex(answer)
    claims.append(Claim("answer", call, wanted, place=(start, start + len(answer))))
    return Monologue(
        text, "backward", tuple(claims), program.id, call, wanted, notes=_notes(deduction)
    )


def _notes(deduction: Deduction | None) -> tuple[str, ...]:
    if deduction is None:
        return ("witness by search",)
    return ("witness by inversion",)


class _Writer:
    def __init__(self, style: Style) -> None:
        self.style = style
        self.lines: list[str] = []
        self.claims: list[tuple[int, str, str, str, int | None]] = []

    def add(
        self, line: str, kind: str = "", subject: str = "", value: str = "", at: int | None = None
    ) -> None:
        if kind:
            self.claims.append((len(self.lines), kind, subject, value, at))
        self.lines.append(line)

    def placed(self, start: int) -> list[Claim]:
        offsets = []
        at = start
        for line in self.lines:
            offsets.append((at, at + len(line)))
            at += len(line) + 1
        return [Claim(k, s, v, line, None, offsets[n]) for n, k, s, v, line in self.claims]


def _deduction(writer: _Writer, deduction: Deduction) -> None:
    offset = writer.style.line_offset
    for line, sentence, _ in deduction.notes:
        shifted = sentence
        if offset:
            shifted = sentence.replace(f"[L{line}]", f"[L{line + offset}]")
        writer.add(f"[L{line + offset}] {shifted}", "constraint", "", shifted, line)


def _as_chosen(deduction: Deduction | None, reading: Reading, result: Found) -> Deduction | None:
    """The deduction with its values written as the witness has them (a list of characters may have
    become a string on the way)."""
    if deduction is None:
        return None
    notes = list(deduction.notes)
    for name, value in zip(parameters(reading.entry), result.witness.arguments, strict=False):
        deduced = deduction.assignment.get(name, value)
        if type(deduced) is type(value):
            continue
        try:
            before, after = show(deduced, 80), show(value, 80)
        except NotShown:
            return None
        notes = [
            n._replace(text=n.text.replace(f"{name} can be {before}", f"{name} can be {after}"))
            for n in notes
        ]
    return Deduction(deduction.assignment, tuple(notes), deduction.guessed)


def _holds(deduction: Deduction, trace: Trace) -> bool:
    """Whether the witness's run reached every line that the deduction speaks of."""
    if not trace.steps:
        return not deduction.notes
    lines = {s.line for s in trace.steps if s.frame == trace.steps[0].frame}
    return all(note.reached in lines for note in deduction.notes)


def _abstract(search: Search, trace: Trace) -> Deduction:
    """For a witness that no deduction gave: only what is asked of the return that was reached."""
    for deduction in search.deductions:
        first = Deduction({}, deduction.notes[:1], True)
        if first.notes and _holds(first, trace):
            line, sentence, reached = first.notes[0]
            plain = sentence.partition("; ")[0].rstrip(".") + "."
            return Deduction({}, (Note(line, plain, reached),), True)
    return Deduction({}, (), True)


def _chosen(reading: Reading, arguments: tuple[Any, ...]) -> str:
    names = parameters(reading.entry)
    parts = []
    for at, value in enumerate(arguments):
        text = values.encode(value)
        parts.append(f"{names[at]} = {text}" if at < len(names) else text)
    return ", ".join(parts) or "no argument"


def _check(
    writer: _Writer, program: Program, call: str, wanted: str, trace: Trace, style: Style
) -> None:
    if style.check and trace.steps and not trace.cut and trace.result == wanted:
        try:
            steps = simulation(program, trace, style=style.but(max_chars=100_000))
        except UserError:
            steps = ""
        if steps and len(steps) <= style.check:
            writer.add("Check:")
            for line in steps.split("\n"):
                writer.add(line)
            return
    writer.add(f"Check: {call} returns {wanted}.", "answer", call, wanted)
