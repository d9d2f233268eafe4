"""What verifying one monologue gives: its claims with what became of each, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core.records import Claim, to_row
from semcoder_lib.monologues.template import Form, Slot, mask, plain

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on one monologue (answers limitation 1 of the paper's appendix A).

    `supported`, `contradicted`, `unverifiable` count the claims. `answer_right` says that the
    completed assertion holds of the execution (forward) or that its call, when run, gives the
    output (backward). `line_coverage` is the fraction of executed lines that the text tells,
    `coverage_of_text` the share of the characters of its steps that belong to decided claims or to
    pieces quoted from the program; what nobody could read is a claim of kind `text`, unverifiable.
    `order_errors` counts contradicted claims about what runs when; `forms` are the rows of the
    table that were read, each with its slots as (text, start, end). `accepted` needs a right
    answer, no contradicted claim and enough coverage of lines; `reason` says why not. It promises
    nothing about claims that it could not decide.
    """

    supported: int
    contradicted: int
    unverifiable: int
    answer_right: bool
    line_coverage: float
    order_errors: int
    accepted: bool
    reason: str
    claims: list[Claim] = field(default_factory=list)
    direction: str = "forward"
    line_offset: int = 0
    coverage_of_text: float = 1.0
    forms: list[tuple[str, dict[str, tuple[str, int, int]]]] = field(default_factory=list)

    @property
    def share_supported(self) -> float:
        """Share of all claims that are supported; 1.0 for a text without claims."""
        total = self.supported + self.contradicted + self.unverifiable
        return self.supported / total if total else 1.0

    def row(self) -> dict[str, Any]:
        """The report as JSON data."""
        return {
            "supported": self.supported,
            "contradicted": self.contradicted,
            "unverifiable": self.unverifiable,
            "answer_right": self.answer_right,
            "line_coverage": round(self.line_coverage, 4),
            "coverage_of_text": round(self.coverage_of_text, 4),
            "order_errors": self.order_errors,
            "accepted": self.accepted,
            "reason": self.reason,
            "direction": self.direction,
            "line_offset": self.line_offset,
            "claims": [to_row(claim) for claim in self.claims],
        }


class Ledger:
    """Collects the claims of one text while it is read. `place` is where a claim stands that does
    not say so itself; `forms` are the rows of the table that were read, for the tests of it."""

    __slots__ = ("claims", "covered", "forms", "place", "spans", "total")

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.covered: set[int] = set()
        self.place: tuple[int, int] = (0, 0)
        self.spans: list[tuple[int, int]] = []  # decided or quoted text
        self.total = 0  # characters that should be decided
        self.forms: list[tuple[str, dict[str, tuple[str, int, int]]]] = []

    def add(
        self,
        kind: str,
        subject: str,
        value: str,
        verdict: bool | None,
        evidence: str = "",
        *,
        line: int | None = None,
        visit: int | None = None,
        place: tuple[int, int] | None = None,
    ) -> bool | None:
        """Record a claim: `verdict` True is supported, False contradicted, None unverifiable."""
        status = UNVERIFIABLE if verdict is None else SUPPORTED if verdict else CONTRADICTED
        where = self.place if place is None else place
        self.claims.append(
            Claim(kind, subject[:200], value[:200], line, visit, where, status, evidence[:200])
        )
        return verdict

    def claim(
        self,
        kind: str,
        subject: str,
        slot: Slot,
        verdict: bool | None,
        evidence: str = "",
        *,
        line: int | None = None,
        visit: int | None = None,
    ) -> None:
        """Record a claim about a slot of a form."""
        place = slot.start, slot.end
        self.add(kind, subject, slot.text, verdict, evidence, line=line, visit=visit, place=place)

    def unread(self, text: str, place: tuple[int, int]) -> None:
        """Text that nobody could read: a claim that cannot be verified."""
        self.add("text", text, "", None, "not read", place=place)

    def read_line(self, span: tuple[int, int], since: int) -> None:
        """Enter the text of a line as decided, but for its claims that are not (those after the
        first `since`)."""
        self.total += span[1] - span[0]
        new = self.claims[since:]
        open_claims = [c for c in new if c.status == UNVERIFIABLE]
        if not open_claims:
            self.spans.append(span)
            return
        self.spans += [c.place for c in new if c.status != UNVERIFIABLE and c.place != span]

    def coverage(self) -> float:
        """The share of the lines' characters that is decided; 1.0 for no lines."""
        end = covered = 0
        for start, stop in sorted(self.spans):
            covered += max(0, stop - max(start, end))
            end = max(end, stop)
        return min(1.0, covered / self.total) if self.total else 1.0

    def count(self, status: str, kind: str = "") -> int:
        """How many claims have the status (and the kind, where one is given)."""
        return sum(c.status == status and kind in ("", c.kind) for c in self.claims)


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

    def read(
        self, rows: Mapping[str, Form], text: str, start: int, reader: Any, *given: Any
    ) -> str:
        """Decide a text by the first row that it is a sentence of, and give the row's name; empty
        where there is none."""
        masked = mask(text)
        for name, form in rows.items() if masked is not None else ():
            slots = form.match(text, masked or "", start)
            if slots is not None and self[name](reader, *given, slots) is not False:
                reader.ledger.forms.append((name, plain(slots)))
                return name
        return ""
