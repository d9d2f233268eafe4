"""What a backward text says that the input must or may be."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.evaluate import equals, literal
from semcoder_lib.monologues.verify.place.decisions import holds
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.subjects import code_of
from semcoder_lib.monologues.verify.stated import same_text

_DIRECT = re.compile(
    r"(?:^\W*|[,.:;]\s*|\b(?:the|that|then|so|thus|therefore|and|means|original|input|parameter"
    r"|argument|variable|hence|both)\s+)$",
    re.I,
)
_ADDED = re.compile(
    r"\b(?:added|appended|prepended|joined|compared|applied) (?:to|with) (?:the )?$", re.I
)


def read_deduced(reading: Reading, s: Sentence, *, hypothetical: bool) -> None:
    """`text must be V`, `choose n as V`: about the input that the text arrives at. A working
    input with another value refutes "must", unless it is one of several cases; "can" is only ever
    supported."""
    entry = reading.history.steps[0] if reading.history.steps else None
    given = {c.name: c.text or "" for c in entry.changes} if entry else {}
    for pattern in (patterns.MUST, patterns.CHOOSE):
        for match in pattern.finditer(s.text):
            reading.mark(s, match.start(), match.end())
            left, at = match.start(1), match.end(match.lastindex or 2) - 1
            if at in s.used or at not in s.at:
                continue
            subject, value = code_of(s.at[left]), s.at[at]
            lead = s.text[:left]
            indirect = patterns.INDIRECT.search(lead)
            if indirect and indirect.group("what").lower() in ("length", "size"):
                subject = f"len({subject})"
            elif pattern is patterns.MUST and (not _DIRECT.search(lead) or _ADDED.search(lead)):
                continue
            modal = match.groupdict().get("modal") or "can"
            s.used.update((left, at))
            verdict: bool | None = None
            if subject in given:
                verdict = same_text(value.text, given[subject])
            elif literal(value.text) is not None and reading.history.steps:
                reading.place.at = 0
                found = holds(reading.place, subject, value.text)
                verdict = True if found else None
            firm = modal in ("must", "has to") and not hypothetical and _works(reading)
            if verdict is False and not firm:
                verdict = None
            reading.ledger.add(
                "constraint", subject, value.text, verdict, given.get(subject, "")[:200]
            )


def _works(reading: Reading) -> bool:
    """Whether the chosen input gives the output that is asked for."""
    found = literal(reading.history.trace.result or "")
    return (
        found is not None and reading.expected is not None and equals(reading.expected[0], found[0])
    )
