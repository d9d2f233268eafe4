"""Re-executes accepted faults: the fix passes, the buggy program fails as it is said to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from semcoder_lib.core.records import Entry, Fault, Status
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.mutate import normal
from semcoder_lib.faults.text import refined_code
from semcoder_lib.sandbox import Job, Outcome, Sandbox


def validate(
    faults: Iterable[Fault], entries: Iterable[Entry], box: Sandbox
) -> Iterator[tuple[Fault, str]]:
    """Each fault with what is wrong with it, empty when nothing is.

    Checked by running, every call in a process of its own: the fixed program passes all cases of
    its entry and gives the right output on the failing call; the buggy program does not, and gives
    `actual`; the program after `[Refined]` is the fixed one. A fault without an entry is checked on
    its failing call alone. Raises nothing for bad rows: they are reported.
    """
    kept = list(faults)
    known = {e.program.id: e for e in entries}
    jobs = []
    for fault in kept:
        entry = known.get(fault.program_id)
        cases = [c.arguments for c in entry.cases] if entry else []
        calls = [fault.case.arguments, *cases]
        jobs.append(Job(fault.fixed, fault.entry_point, calls=calls))
        jobs.append(Job(fault.buggy, fault.entry_point, calls=calls[:1]))
    results = box.map(iter(jobs))
    for fault in kept:
        fixed, buggy = next(results), next(results)
        yield fault, _problem(fault, known.get(fault.program_id), fixed, buggy[0])


def _problem(fault: Fault, entry: Entry | None, fixed: list[Outcome], buggy: Outcome) -> str:
    expected = fault.case.output
    first, *rest = runs.sound(fixed)
    runs.sound([buggy])
    if first.status is not Status.OK or not runs.equal(first.value, expected):
        return "the fix does not give the expected value on the failing call"
    if entry is not None and not runs.passes(rest, entry.cases):
        return "the fix fails a case of the entry"
    if not runs.fails(buggy, expected):
        return f"the buggy program does not fail ({buggy.status.value})"
    if buggy.status is Status.OK and buggy.text != fault.actual:
        return f"the buggy program gives {buggy.text}, not {fault.actual}"
    if buggy.exception and not fault.actual.startswith(f"raises {buggy.exception.type}"):
        return f"the buggy program raises {buggy.exception.type}, not {fault.actual}"
    if fault.rationale and not _same(refined_code(fault.rationale), fault.fixed):
        return "the program after [Refined] is not the fixed one"
    return ""


def _same(refined: str | None, fixed: str) -> bool:
    if refined is None or refined == fixed:
        return refined is not None
    form = normal(refined)
    return form is not None and form == normal(fixed)
