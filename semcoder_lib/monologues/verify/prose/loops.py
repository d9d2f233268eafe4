"""Sentences about how often a loop runs."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify.place.control import claim_count
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence


def read_counts(reading: Reading, s: Sentence) -> None:
    """`the loop runs twice`, `after 3 iterations`, `its body never runs`."""
    for match in (*patterns.COUNT.finditer(s.text), *patterns.COUNT_AFTER.finditer(s.text)):
        reading.mark(s, match.start(), match.end())
        at = match.start("v") if match.group("v") else None
        if at is not None and (at in s.used or not s.at[at].text.isdigit()):
            continue
        if match.group("w"):
            count = patterns.NUMBERS[match.group("w").lower()]
            if not re.search(r"time|iteration|pass|round|turn|once|twice|thrice", match.group(0)):
                continue
        else:
            count = int(s.at[at].text)  # type: ignore[index]
            if not re.search(r"time|iteration|pass|round|turn", match.group(0)):
                continue
        if at is not None:
            s.used.add(at)
        claim_count(reading.place, count)
    never = patterns.NEVER_RUNS.search(s.text)
    if never and "loop" in s.text:
        reading.mark(s, never.start(), never.end())
        claim_count(reading.place, 0)
