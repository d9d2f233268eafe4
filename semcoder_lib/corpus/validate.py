"""Executes the rows of any PyX file again, the official one included, and says which reproduce."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from semcoder_lib.core import records, values
from semcoder_lib.core.foreign import Refused
from semcoder_lib.core.records import Status
from semcoder_lib.corpus import hub
from semcoder_lib.sandbox import Job, Outcome, Sandbox


def validate_rows(rows: Iterable[dict[str, Any]], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For every row `{"id", "reproduces", "reason"}`, in order, streaming.

    Takes rows of the hub's format and rows of `records.Entry`. A monologue row reproduces when the
    call in its answer, made on its code, returns the asserted value; an `nl` row when the code of
    its response runs as a script without an error; an entry when every case comes out with the
    recorded value. A row that is neither, or cannot be read, does not, with the reason.
    """
    plans, asked = itertools.tee(_plan(row, number) for number, row in enumerate(rows))
    outcomes = box.map(job for _, job, _ in asked if job)
    for name, job, wanted in plans:
        reason = _difference(next(outcomes), wanted) if job else wanted
        yield {"id": name, "reproduces": not reason, "reason": reason}


def _plan(row: dict[str, Any], number: int) -> tuple[str, Job | None, Any]:
    """(id, what to run, the outputs that it should give) of a row; (id, None, reason) where nothing
    can be run."""
    name = hub.identity(row, number)
    try:
        if "program" in row and "cases" in row:
            entry = records.from_row(records.Entry, row)
            program, calls = entry.program, [c.arguments for c in entry.cases]
            values.encode(calls)
            job = Job(program.source, program.entry_point, calls, share=True)
            return program.id or name, job, [c.output for c in entry.cases]
        read = hub.read_row(row, number)
        job = Job(read.source, read.entry_point, [read.arguments])
        return read.id, job, [read.output]
    except Refused as error:
        return name, None, str(error)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return name, None, f"not a row of PyX: {error}"


def _difference(outcomes: list[Outcome], wanted: list[Any]) -> str:
    """Where the outcomes of some calls are not what is wanted, or an empty string."""
    for place, outcome in enumerate(outcomes):
        if outcome.status is not Status.OK:
            raised = outcome.exception
            what = f"{raised.type}: {raised.message[:80]}" if raised else outcome.status.value
            return f"call {place}: {what}"
        if not values.equal(outcome.value, wanted[place]):
            return f"call {place} gives {(outcome.text or '')[:60]}"
    return ""
