"""Reads the bullets of a properties section; each of their sentences is a claim about every run."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.properties.arguments import decide_argument
from semcoder_lib.monologues.verify.properties.implications import decide_implication
from semcoder_lib.monologues.verify.properties.metamorphic import decide_invariance
from semcoder_lib.monologues.verify.properties.predicates import Predicates
from semcoder_lib.monologues.verify.runs import Runs

_BOLD = re.compile(r"^\*\*([^*]+)\*\*")
_BULLET = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)])\s+)*")


def read_bullet(runs: Runs, text: str) -> None:
    """One line of the properties section: each of its sentences is a claim."""
    body = unmarked(text)
    if not body.strip() or (body.rstrip().endswith(":") and len(body) < 60):
        return
    for sentence in re.split(r"(?<=[.;])\s+(?=[A-Z`])", body.strip()):
        _read_property(runs, sentence.strip())


def _read_property(runs: Runs, sentence: str) -> None:
    """Decide one statement about every run."""
    text = re.sub(r"\s*\(held on [\d,]+ inputs?\)", "", sentence).rstrip(".").strip()
    if not text:
        return
    for decide in (decide_implication, decide_invariance, decide_argument):
        found = decide(runs, text)
        if found is not None:
            verdict, evidence = found
            runs.ledger.add("property", text[:120], "", verdict, evidence)
            return
    read = Predicates(runs.parameters, runs.entry_point).read(text)
    if read is None:
        runs.ledger.add("property", text[:120], "", None, "not understood")
        return
    verdict, evidence = runs.always(read[2])
    runs.ledger.add("property", read[0], read[1], verdict, evidence)


def unmarked(text: str) -> str:
    """A line without its bullet and the bold words that it starts with."""
    bullet = _BULLET.match(text)
    return _BOLD.sub(r"\1", text[bullet.end() :] if bullet else text)
