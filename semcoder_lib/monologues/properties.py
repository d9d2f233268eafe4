"""Abstract semantics: what holds of every run (paper section 4.2, "properties and constraints").

Sentences are proposed from the known cases and the program's parameters, and put before the
verifier, which decides each by fresh runs of its own: near all cases, near each, and on small
inputs. One is kept if no run contradicts it and at least `MIN_SUPPORT` support it. That is
evidence, not proof, which is why the count is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.monologues.forms import PROPERTIES, heading, say
from semcoder_lib.monologues.show import encoded
from semcoder_lib.monologues.style import Property
from semcoder_lib.monologues.syntax import parameters, readable
from semcoder_lib.monologues.verify import Report, Trials, verify
from semcoder_lib.sandbox import Sandbox

MIN_SUPPORT = 5
_COUNT = re.compile(r"\d+")  # of inputs, in the verifier's evidence


def infer(program: Program, cases: Sequence[Case], box: Sandbox) -> tuple[Property, ...]:
    """Properties of one program, the most telling first. `cases` must be cases that ran; fresh
    inputs come from varying theirs. No case, no property."""
    try:
        function = readable(program.source, program.entry_point).functions[program.entry_point]
    except UserError:
        return ()
    cases = [c for c in cases if encoded((c.arguments, c.output))]
    if not cases:
        return ()
    trials = Trials(program, box, [c.arguments for c in cases])
    proposed = {
        say(row, **slots): (row, slots)
        for row, slots in _proposed(parameters(function), cases, trials)
    }
    sentences = [Property(row, text, 0) for text, (row, _) in proposed.items()]
    report = _verified(sentences, program, cases[0], box, trials)
    decided = {c.value: c for c in report.claims if c.kind == "property"}
    held: dict[tuple[str, ...], Property] = {}
    for sentence, (row, slots) in proposed.items():
        claim, x = decided.get(sentence), slots.get("x", "")
        count = _COUNT.search(claim.evidence) if claim and claim.status == "supported" else None
        if count is None or int(count[0]) < MIN_SUPPORT:
            continue
        if row == "permutation" and any(p.kind == "identity" for p in held.values()):
            continue
        # of a family of rows about one thing the first says it all: `length.same` the others
        family = (row.partition(".")[0], x)
        held.setdefault(family, Property(row, sentence, int(count[0])))
    kept = tuple(held.values())
    for case in cases:  # as each of its texts will be verified, on inputs near that case alone
        report = _verified(kept, program, case, box, Trials(program, box))
        false = {c.value for c in report.claims if c.status == "contradicted"}
        kept = tuple(p for p in kept if p.text not in false)
    return kept


def _verified(
    properties: Iterable[Property], program: Program, case: Case, box: Sandbox, trials: Trials
) -> Report:
    text = properties_section(properties)
    return verify(
        text, program, case, box,
        direction="forward", line_offset=0, trace=Trace(()), trials=trials,
    )  # fmt: skip


def properties_section(properties: Iterable[Property]) -> str:
    """The section that lists properties; empty for none."""
    bullets = "".join(f"- {p.text}\n" for p in properties)
    return heading("properties") + bullets if bullets else ""


def _proposed(
    names: list[str], cases: Sequence[Case], trials: Trials
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows with their slots, in the order of the rows, which is that of how much they say."""
    outputs = [c.output for c in cases]
    outputs += [v for _, status, v in trials.fresh if status == "ok" and encoded(v)]
    texts = sorted({values.encode(v) for v in outputs})
    few = 1 < len(texts) <= 3 and len(max(texts, key=len)) < 31
    numbers = all(type(v) in (int, float) for v in outputs) and len(texts) > 2
    lists = all(isinstance(v, list | tuple) for v in outputs)
    types, items = _types(outputs), _types(x for v in outputs if lists for x in v)
    slots: dict[str, list[dict[str, str]]] = {
        "sorted": [{"o": o} for o in ("ascending", "descending") if lists],
        "distinct": [{}] if lists else [],
        "range.of": [{"vs": ", ".join(texts)}] if few else [],
        "range.least": [{"v": str(min(outputs))}] if numbers and min(outputs) in (0, 1) else [],
        "type": [{"t": " or ".join(types)}] if len(types) <= 2 else [],
        "items": [{"t": items[0]}] if len(items) == 1 else [],
    }  # fmt: skip
    for row in PROPERTIES:
        for given in slots.get(row, [{"x": x} for x in names]):
            yield row, given


_ARTICLES = {"int": "an int", "NoneType": "None", "OrderedDict": "an OrderedDict"}


def _types(given: Iterable[Any]) -> list[str]:
    """The names of types with their articles, None last: `a list`."""
    kinds = sorted({type(v).__name__ for v in given}, key=lambda k: (k == "NoneType", k))
    return [_ARTICLES.get(kind, f"a {kind}") for kind in kinds]
