"""What verifying one monologue gives: its claims with what became of each, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from semcoder_lib.core.records import Claim, to_row
from semcoder_lib.monologues.forms import Match, Rows, Slot, mask

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
UNVERIFIABLE = "unverifiable"
Verdict = tuple[bool | None, str]  # whether something holds (None: undecided), with the evidence


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one monologue (answers limitation 1 of the paper's appendix A).

    `supported`, `contradicted`, `unverifiable` count the claims. `answer_right` says that the
    completed assertion holds of the execution (forward) or that its call, when run, gives the
    output (backward). `line_coverage` is the fraction of executed lines that the text tells,
    `coverage_of_text` the share of the characters of its steps that belong to decided claims or to
    pieces quoted from the program; what nobody could read is a claim of kind `text`, unverifiable.
    `order_errors` counts contradicted claims about what runs when; `forms` are the rows of the
    table that were read, each with its slots. `accepted` needs a right
    answer, no contradicted claim and enough coverage of lines; `reason` says why not. It promises
    nothing about claims that it could not decide.
    """

    supported: int
    contradicted: int
    unverifiable: int
    answer_right: bool
    line_coverage: float
    coverage_of_text: float
    order_errors: int
    accepted: bool
    reason: str
    direction: str = "forward"
    line_offset: int = 0
    claims: list[Claim] = field(default_factory=list)
    forms: list[tuple[str, Match]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """The report as JSON data."""
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "forms"}
        for name in ("line_coverage", "coverage_of_text"):
            row[name] = round(row[name], 4)
        return row | {"claims": [to_row(claim) for claim in self.claims]}


class Ledger:
    """Collects the claims of one text while it is read. `line_of` gives the source line of a step,
    `place` is where a claim stands that does not say so itself; `forms` are the rows of the table
    that were read, for the tests of it."""

    def __init__(self, line_of: Callable[[int], int]) -> None:
        self.line_of = line_of
        self.claims: list[Claim] = []
        self.covered: set[int] = set()  # lines of the source that the text tells
        self.place: tuple[int, int] = (0, 0)
        self.spans: list[tuple[int, int]] = []  # decided or quoted text
        self.total = 0  # characters that should be decided
        self.forms: list[tuple[str, Match]] = []

    def add(
        self,
        kind: str,
        subject: str,
        value: str | Slot,
        verdict: bool | None,
        evidence: str = "",
        visit: int | None = None,
        *,
        line: int | None = None,
        place: tuple[int, int] | None = None,
    ) -> None:
        """Record a claim: `verdict` True is supported, False contradicted, None unverifiable. A
        slot of a form stands at its own place, a `visit` (a step of the record) at its line."""
        status = UNVERIFIABLE if verdict is None else SUPPORTED if verdict else CONTRADICTED
        if isinstance(value, Slot):
            place = value.start, value.end
            value = value.text
        if visit is not None:
            line = self.line_of(visit)
        place, evidence = place or self.place, evidence[:200]
        claim = Claim(kind, subject[:200], value[:200], line, visit, place, status, evidence)
        self.claims.append(claim)

    def unread(self, text: str, place: tuple[int, int]) -> None:
        """Text that nobody could read: a claim that cannot be verified."""
        self.add("text", text, "", None, "not read", place=place)

    def read_line(self, span: tuple[int, int], since: int, *, whole: bool = True) -> None:
        """Enter a line of a simulation or deduction as decided: the `whole` of it where each of
        its claims (those after the first `since`) is, else those that are."""
        self.total += span[1] - span[0]
        decided = [c.place for c in self.claims[since:] if c.status != UNVERIFIABLE]
        if whole and len(decided) == len(self.claims) - since:
            self.spans.append(span)
        else:
            self.spans += [place for place in decided if not whole or place != span]

    def coverage(self) -> float:
        """The share of the lines' characters that is decided; 1.0 for no lines."""
        end = covered = 0
        for start, stop in sorted(self.spans):
            covered += max(0, stop - max(start, end))
            end = max(end, stop)
        return min(1.0, covered / self.total) if self.total else 1.0

    def count(self, status: str, kind: str = "") -> int:
        """How many claims have the status (and the kind, where one is given)."""
        return [c.status for c in self.claims if kind in ("", c.kind)].count(status)


Decider = Callable[..., bool | None]


class Deciders(dict[str, Decider]):
    """For rows of the table of forms what decides their sentences. A decider gets the reader, what
    `read` was given besides, and the slots; it gives False where the sentence is not of its row."""

    def __call__(self, *names: str) -> Callable[[Decider], Decider]:
        """Enters a function as the decider of these rows."""

        def enter(decider: Decider) -> Decider:
            self.update(dict.fromkeys(names, decider))
            return decider

        return enter

    def read(self, rows: Rows, text: str, start: int, reader: Any, *given: Any) -> str:
        """Decide a text by the first row that it is a sentence of, and give the row's name; empty
        where there is none."""
        masked = mask(text) or ""  # where brackets do not close, no row fits
        for name, form in rows.items():
            slots = form.match(text, masked, start) if form.anchor in masked else None
            if slots is not None and self[name](reader, *given, slots) is not False:
                reader.ledger.forms.append((name, slots))
                return name
        return ""
