"""A property: one sentence that held on every input tried."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semcoder_lib.core.records import Claim, Monologue

HEADING = "### Key Properties and Constraints\n"


@dataclass(frozen=True, slots=True)
class Property:
    """`text` is the sentence, `support` the number of inputs on which it said something and was
    true (vacuous ones are not counted). It is evidence, not proof."""

    kind: str
    text: str
    support: int


def section(properties: tuple[Property, ...]) -> str:
    """The section of a monologue that lists properties; empty for none."""
    return HEADING + "".join(f"- {p.text}\n" for p in properties) if properties else ""


def claims(properties: tuple[Property, ...], start: int) -> list[Claim]:
    """The claims of `section`, for a section that begins at `start`."""
    made = []
    at = start + len(HEADING)
    for p in properties:
        end = at + len(p.text) + 2
        made.append(Claim("property", p.kind, p.text, place=(at, end)))
        at = end + 1
    return made


def with_properties(told: Monologue, properties: tuple[Property, ...]) -> Monologue:
    """A monologue that was written without properties, with them. Raises ValueError if it already
    has some."""
    if not properties:
        return told
    if HEADING in told.text:
        raise ValueError("the monologue already lists properties")
    at = told.text.index("\n### ") + 1
    added = section(properties)
    moved = tuple(
        replace(c, place=(c.place[0] + len(added), c.place[1] + len(added))) for c in told.claims
    )
    text = told.text[:at] + added + told.text[at:]
    return replace(told, text=text, claims=(*claims(properties, at), *moved))
