"""Can the verifier be fooled? One value of a correct monologue is altered, and it reads again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.core import records, values
from semcoder_lib.sandbox import Sandbox


def challenge(
    pairs: Sequence[tuple[records.Program, records.Monologue]], box: Sandbox, *, seed: int
) -> list[dict[str, Any]]:
    """The confusion matrix over forward monologues: how many untouched texts are accepted, and how
    many texts with one altered value are. Texts without a value that can be altered are left out
    of the second row."""
    rng = random.Random(f"{seed}:challenge")
    rows = {
        "untouched": {"accepted": 0, "rejected": 0},
        "one value altered": {"accepted": 0, "rejected": 0},
    }
    for program, m in pairs:
        case = records.Case(values.parse_call(m.call)[1], values.decode(m.output))
        report = monologues.verify(m.text, program, case, box, direction="forward")
        rows["untouched"]["accepted" if report.accepted else "rejected"] += 1
        wrong = altered(m.text, report.claims, rng)
        if wrong is not None:
            again = monologues.verify(wrong, program, case, box, direction="forward")
            rows["one value altered"]["accepted" if again.accepted else "rejected"] += 1
    return [{"text": name, **counts} for name, counts in rows.items()]


def altered(text: str, claims: Sequence[records.Claim], rng: random.Random) -> str | None:
    """The text with one supported value changed into another of its type; None where no claim's
    words hold a value that can be changed."""
    order = [c for c in claims if c.kind in ("value", "return") and c.status == "supported"]
    rng.shuffle(order)
    for claim in order:
        start, end = claim.place
        at = text.rfind(claim.value, start, end) if claim.value else -1
        if at < 0:
            continue
        try:
            other = _another(values.decode(claim.value))
        except values.NotALiteral:
            continue
        if other is not None:
            return text[:at] + values.encode(other) + text[at + len(claim.value) :]
    return None


def _another(value: Any) -> Any:
    kind = type(value)
    if kind is bool:
        return not value
    if kind in (int, float):
        return value + 1
    if kind is str:
        return value + "x"
    if kind in (list, tuple):
        return value + kind([0])
    if kind is dict:
        return {**value, "extra": 0}
    return None
