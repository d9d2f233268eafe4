"""Re-executes the rows of any PyX file, the official one included, and says which reproduce."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import records, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Entry, Status
from semcoder_lib.corpus import hub

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Job, Sandbox

_FENCE = re.compile(r"```(?:python)?[ \t]*\n(.*?)```", re.DOTALL)


def validate_rows(rows: Iterable[dict[str, Any]], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For every row `{"id", "reproduces", "reason"}`, in order, streaming.

    Takes rows of the hub's format and rows of `records.Entry`. A monologue row reproduces when the
    call in its answer, made on its code, returns the asserted value; an `nl` row when the code of
    its response runs as a script without an error; an entry when every case comes out with the
    recorded value. A row that is neither is reported, not raised.
    """
    first, second = itertools.tee(rows)
    plans = (_plan(number, row) for number, row in enumerate(first))
    kept, asked = itertools.tee(plans)
    outcomes = box.map(job for _, job, _ in asked if job is not None)
    for identity, job, wanted in kept:
        next(second, None)
        if job is None:
            yield {"id": identity, "reproduces": False, "reason": wanted}
            continue
        yield {"id": identity, **_judged(next(outcomes), wanted)}


def _plan(number: int, row: dict[str, Any]) -> tuple[str, Job | None, Any]:
    from semcoder_lib.sandbox import Job

    identity = str(row.get("id", number))
    if "program" in row and "cases" in row:
        try:
            entry = records.from_row(Entry, row)
        except (ValueError, TypeError, KeyError) as error:
            return identity, None, f"not a row of PyX: {error}"
        p = entry.program
        job = Job(p.source, p.entry_point, [c.arguments for c in entry.cases], share=True)
        return p.id or identity, job, [c.output for c in entry.cases]
    try:
        kind = hub.kind_of(row)
    except UserError as error:
        return identity, None, str(error)
    if kind == "nl":
        code = _FENCE.findall(str(row["response"]))
        source = "\n\n".join(code) if code else str(row["response"])
        try:
            ast.parse(source)
        except (SyntaxError, ValueError):
            return identity, None, "no Python code in the response"
        return identity, Job(source, ""), None
    read = hub.assertion(row)
    if read is None:
        return identity, None, "no readable code or answer"
    source, name, arguments, output = read
    return identity, Job(source, name, [arguments]), [output]


def _judged(outcomes: list[Any], wanted: Any) -> dict[str, Any]:
    for place, outcome in enumerate(outcomes):
        if outcome.status is not Status.OK:
            raised = outcome.exception
            what = f"{raised.type}: {raised.message[:80]}" if raised else outcome.status.value
            return {"reproduces": False, "reason": f"call {place}: {what}"}
        if wanted is not None and not values.equal(outcome.value, wanted[place]):
            shown = (outcome.text or "")[:60]
            return {"reproduces": False, "reason": f"call {place} gives {shown}"}
    return {"reproduces": True, "reason": ""}
