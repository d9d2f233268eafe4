"""A program on its way into the corpus: one object from the seed to the kept program, which carries
its inputs, what they did, and its fate."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import records, values
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.corpus import execute
from semcoder_lib.corpus.coverage import Map, survey
from semcoder_lib.corpus.execute import Failed, Ran
from semcoder_lib.corpus.seeds.packages import Candidate, Signature

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

MAX_INPUT = 160  # characters of a case's arguments


@dataclass(slots=True, eq=False)
class Input:
    """An argument tuple, its text, where it comes from (see `Case.source`), and what it did."""

    arguments: tuple[Any, ...]
    text: str
    source: str
    ran: Ran | None = None


@dataclass(eq=False)
class Draft:
    """A program and all that the steps of the corpus find out about it.

    `signature` says what a real function's text tells of its arguments. `inputs` are those tried,
    `chosen` those that become its cases, `openings` what it gave on inputs of benchmark functions,
    `behaviour` a key that it shares with programs that compute the same ("" where that is unknown).
    `reason` is empty while the draft is in; once it is set, with some `detail`, it is out.
    """

    program: Program
    signature: Signature | None = None
    generator: bool = False  # a second function makes a list of what the first one yields
    inputs: list[Input] = field(default_factory=list)
    rounds: int = 0  # of mutation
    chosen: list[Input] = field(default_factory=list)
    covered: tuple[float, float] | None = None  # (line, branch) by `chosen`, once that is settled
    openings: dict[str, Ran] = field(default_factory=dict)
    behaviour: str = ""
    reason: str = ""
    detail: str = ""

    @classmethod
    def of(cls, seed: Candidate | Program) -> Draft:
        """The draft of a function of a package, or of a program whose types are known."""
        if isinstance(seed, Program):
            return cls(seed)
        return cls(seed.program, seed.signature, seed.generator)

    @functools.cached_property
    def map(self) -> Map:
        """What there is to cover."""
        return survey(self.program.source)

    @functools.cached_property
    def constants(self) -> tuple[Any, ...]:
        """The numbers and strings that the program mentions, in order of appearance."""
        nodes = (n for n in ast.walk(ast.parse(self.program.source)) if isinstance(n, ast.Constant))
        plain = (n.value for n in nodes if type(n.value) in (int, float, str))
        return tuple({(type(c), c): c for c in plain}.values())

    @property
    def examples(self) -> list[tuple[Any, ...]]:
        """The function's own example calls, or the teacher's, that fit its argument types."""
        size = len(self.program.argument_types)
        return [e for e in self.signature.examples if len(e) == size] if self.signature else []

    def drop(self, reason: str, detail: str = "") -> None:
        """Puts the draft out."""
        self.reason, self.detail = reason, detail

    def revise(self, **changes: Any) -> None:
        """Changes fields of the program."""
        self.program = replace(self.program, **changes)
        if "source" in changes:
            for derived in ("map", "constants"):
                self.__dict__.pop(derived, None)

    def add(self, calls: Iterable[tuple[Any, ...]], source: str, limit: int) -> list[Input]:
        """Adds inputs that are not there yet, at most `limit`; returns them."""
        known = {i.text for i in self.inputs}
        added: list[Input] = []
        for call in calls:
            if len(added) >= limit:
                break
            text = values.encode(tuple(call))
            if text not in known:
                known.add(text)
                added.append(Input(tuple(call), text, source))
        self.inputs += added
        return added

    @property
    def ran(self) -> list[Ran]:
        """What the inputs did that have run."""
        return [i.ran for i in self.inputs if i.ran]

    def good(self) -> list[Input]:
        """The inputs that ran and may become cases."""
        return [i for i in self.inputs if i.ran and i.ran.ok and len(i.text) <= MAX_INPUT]

    def coverage(self, inputs: Iterable[Input]) -> tuple[float, float]:
        """(line, branch) coverage by these inputs."""
        return self.map.coverage({arc for i in inputs if i.ran for arc in i.ran.arcs})

    def entry(self) -> Entry:
        """The row of the corpus: the program, with the chosen inputs as its cases."""
        line, branch = self.covered or self.coverage(self.chosen)
        name = self.program.id
        cases = tuple(
            Case(i.arguments, values.decode(i.ran.text), name, i.source)
            for i in self.chosen
            if i.ran
        )
        return Entry(self.program, cases, round(line, 4), round(branch, 4))

    def dropped(self) -> dict[str, Any]:
        """The row of a draft that is out, for `dropped.jsonl`."""
        program = records.to_row(self.program)
        kept = {name: program[name] for name in ("id", "entry_point", "source", "provenance")}
        return {**kept, "reason": self.reason, "detail": self.detail}

    def to_row(self) -> dict[str, Any]:
        """The draft after the last run, as JSON data: what the steps after it need."""
        chosen = (
            [] if self.reason else [[i.text, i.source, i.ran.text] for i in self.chosen if i.ran]
        )
        return {
            "program": records.to_row(self.program),
            "chosen": chosen,
            "covered": self.coverage(self.chosen) if chosen else None,
            "behaviour": self.behaviour,
            "reason": self.reason,
            "detail": self.detail,
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Draft:
        """What `to_row` wrote."""
        program = records.from_row(Program, row["program"])
        chosen = [
            Input(values.decode(text), text, source, Ran("ok", output))
            for text, source, output in row["chosen"]
        ]
        covered = tuple(row["covered"]) if row["covered"] else None
        return cls(
            program, chosen=chosen, covered=covered, behaviour=row["behaviour"],
            reason=row["reason"], detail=row["detail"],
        )  # fmt: skip


def alive(drafts: Iterable[Draft]) -> list[Draft]:
    """The drafts that are still in."""
    return [d for d in drafts if not d.reason]


def run_inputs(drafts: Sequence[Draft], box: Sandbox) -> Iterator[tuple[Draft, Failed | None]]:
    """Runs the inputs that have not run yet; says of each draft whether it failed as a whole, and
    then those inputs are forgotten."""
    waiting = [[i for i in d.inputs if i.ran is None] for d in drafts]
    requests = ((d.program, [i.text for i in new]) for d, new in zip(drafts, waiting, strict=True))
    for draft, new, ran in zip(drafts, waiting, execute.run(box, requests), strict=True):
        if isinstance(ran, Failed):
            draft.inputs = [i for i in draft.inputs if i.ran]
            yield draft, ran
        else:
            for one, result in zip(new, ran, strict=True):
                one.ran = result
            yield draft, None
