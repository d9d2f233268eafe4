"""A program on its way into the corpus: one object from the seed to the kept program, which carries
its inputs, what they did, and its fate."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcoder_lib.core import foreign, records, values
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.corpus import execute
from semcoder_lib.corpus.execute import Failed, Map, Ran
from semcoder_lib.corpus.hints import Signature
from semcoder_lib.sandbox import Sandbox

MAX_INPUT = 160  # characters of a case's arguments
NOT_RUN = Ran("", "")


@dataclass(slots=True, eq=False)
class Input:
    """An argument tuple, its text, where it comes from (see `Case.source`), and what it did."""

    arguments: tuple[Any, ...]
    text: str
    source: str
    ran: Ran = NOT_RUN


@dataclass(eq=False)
class Prospect:
    """A program and all that the steps of the corpus find out about it.

    `signature` says what a real function's text tells of its arguments. `inputs` are those tried,
    `chosen` those that become its cases, `behaviour` a key that it shares with programs that
    compute the same ("" where that is unknown). `reason` is empty while the prospect is in; once it
    is set, with some `detail`, it is out.
    """

    program: Program
    signature: Signature | None = None
    listed: bool = False  # see `make_list`
    inputs: list[Input] = field(default_factory=list)
    rounds: int = 0  # of mutation
    chosen: list[Input] = field(default_factory=list)
    behaviour: str = ""
    reason: str = ""
    detail: str = ""

    @functools.cached_property
    def map(self) -> Map:
        """What there is to cover."""
        return foreign.attempt(execute.survey, self.program.source)

    @functools.cached_property
    def constants(self) -> tuple[Any, ...]:
        """The numbers and strings that the program mentions, in order of appearance."""
        nodes = (n for n in ast.walk(ast.parse(self.program.source)) if isinstance(n, ast.Constant))
        plain = (n.value for n in nodes if type(n.value) in (int, float, str))
        return tuple({(type(c), c): c for c in plain}.values())

    def drop(self, reason: str, detail: str = "") -> None:
        """Puts the prospect out."""
        self.reason, self.detail = reason, detail

    def revise(self, **changes: Any) -> None:
        """Changes fields of the program."""
        self.program = replace(self.program, **changes)
        if "source" in changes:
            for derived in ("map", "constants"):
                self.__dict__.pop(derived, None)

    def make_list(self, method: str) -> None:
        """Adds a function that makes a list of what the entry point yields, and enters there.
        Optional parameters are left at their defaults."""
        assert self.signature is not None
        self.listed, self.signature = True, self.signature.only_required()
        name, names = self.program.entry_point, ", ".join(self.signature.names)
        self.revise(
            source=f"{self.program.source}\n\ndef {name}_list({names}):\n"
            f"    return list({name}({names}))\n",
            entry_point=f"{name}_list",
            provenance=replace(self.program.provenance, method=method),
        )

    def add(self, calls: Iterable[tuple[Any, ...]], source: str, limit: int = 1) -> list[Input]:
        """Adds inputs that are not there yet, at most `limit`; returns them."""
        known = {i.text for i in self.inputs}
        added: list[Input] = []
        for call in calls:
            if len(added) >= limit:
                break
            text = values.encode(call)
            if text not in known:
                known.add(text)
                added.append(Input(call, text, source))
        self.inputs += added
        return added

    def good(self) -> list[Input]:
        """The inputs that ran and may become cases."""
        return [i for i in self.inputs if i.ran.ok and len(i.text) <= MAX_INPUT]

    def coverage(self, inputs: Iterable[Input]) -> tuple[float, float]:
        """(line, branch) coverage by these inputs."""
        return self.map.coverage({arc for i in inputs for arc in i.ran.arcs})

    def entry(self) -> Entry:
        """The row of the corpus: the program, with the chosen inputs as its cases."""
        cases = (
            Case(i.arguments, values.decode(i.ran.text), self.program.id, i.source)
            for i in self.chosen
        )
        line, branch = self.coverage(self.chosen)
        return Entry(self.program, tuple(cases), round(line, 4), round(branch, 4))

    def dropped(self) -> dict[str, Any]:
        """The row of a prospect that is out, for `dropped.jsonl`."""
        program = records.to_row(self.program)
        kept = {name: program[name] for name in ("id", "entry_point", "source", "provenance")}
        return {**kept, "reason": self.reason, "detail": self.detail}

    def to_row(self) -> dict[str, Any]:
        """What came of the program, as JSON data, with its row of the corpus where it is in."""
        entry = {} if self.reason else records.to_row(self.entry())
        fate = {name: getattr(self, name) for name in ("behaviour", "reason", "detail")}
        return {"program": records.to_row(self.program), "entry": entry, **fate}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Prospect:
        """The program and its fate, without its inputs, from `to_row`."""
        program = records.from_row(Program, row["program"])
        return cls(program, **{name: row[name] for name in ("behaviour", "reason", "detail")})


def alive(prospects: Iterable[Prospect]) -> list[Prospect]:
    """The prospects that are still in."""
    return [p for p in prospects if not p.reason]


def run_inputs(
    prospects: Sequence[Prospect], box: Sandbox, **options: Any
) -> Iterator[tuple[Prospect, Failed | None]]:
    """Runs the inputs that have not run yet; says of each prospect whether it failed as a whole,
    and then those inputs are forgotten. `options` are those of `execute.run`."""
    waiting = [[i for i in p.inputs if i.ran is NOT_RUN] for p in prospects]
    requests = ((p.program, [i.text for i in w]) for p, w in zip(prospects, waiting, strict=True))
    results = execute.run(box, requests, **options)
    for prospect, new, ran in zip(prospects, waiting, results, strict=True):
        if isinstance(ran, Failed):
            prospect.inputs = [i for i in prospect.inputs if i.ran is not NOT_RUN]
            yield prospect, ran
        else:
            for tried, result in zip(new, ran, strict=True):
                tried.ran = result
            yield prospect, None
