"""A program on its way into the corpus: one object from the seed to the kept program, which carries
its inputs, what they did, and its fate. Programs are run on many inputs at once, in one child of
the sandbox each."""

from __future__ import annotations

import ast
import collections
import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from semcoder_lib.core import foreign, records, values
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.corpus.child import MAX_OUTPUT
from semcoder_lib.corpus.hints import Signature
from semcoder_lib.sandbox import Job, Limits, Sandbox

PLUGIN = "semcoder_lib.corpus.child"
BUDGET = 4_000  # lines a call
CPU_SECONDS, WALL_SECONDS = 1.0, 5.0
ALONE_SECONDS = 0.1  # for one input whose program died
# Untraced, for inputs of benchmark functions; some programs take long in one built-in call.
QUICK: dict[str, Any] = {"coverage": False, "budget": 6_000, "cpu_seconds": 0.25}
MAX_INPUT = 160  # characters of a case's arguments
DIED = "died: "
DRILL, AROUND = "drill", "methods:"  # tags, see `seeds.methods`

Arc = tuple[int, int]  # from line to line; a negative line enters, 0 leaves
Request = tuple[Program, Sequence[str]]  # a program and the texts of the argument tuples to run


@dataclass(frozen=True, slots=True)
class Ran:
    """One call: its status, the text of its output (or the exception's type), the executed lines
    counted with repetition, and the jumps between lines. The status of all calls of a child that
    did not load, hung or was ended begins with `DIED`."""

    status: str
    text: str
    steps: int = 0
    arcs: tuple[Arc, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def gives(self, output: str, rel_tol: float = 0.0) -> bool:
        """Whether the call gave this output, as text; numbers may differ by a share `rel_tol`."""
        if not self.ok or self.text == output:
            return self.ok
        if set(".{").isdisjoint(self.text + output):
            return False  # only numbers, sets and dictionaries may differ in text alone
        try:
            return values.equal(values.decode(self.text), values.decode(output), rel_tol=rel_tol)
        except values.NotALiteral:  # a program may write in the place of what we record
            return False


NOT_RUN = Ran("", "")


def run(
    box: Sandbox,
    requests: Iterable[Request],
    *,
    coverage: bool = True,
    budget: int = BUDGET,
    cpu_seconds: float = CPU_SECONDS,
) -> Iterator[list[Ran]]:
    """What came of every request, in order, streaming: one child each, one `Ran` for each input. A
    call that runs more than `budget` lines, raises, or returns something without exact text ends
    alone; where the child dies or says nonsense, all have. Arcs are recorded with `coverage`."""
    limits = Limits(cpu_seconds=cpu_seconds, wall_seconds=WALL_SECONDS)
    asked = [(program, list(texts)) for program, texts in requests]
    options = {"budget": budget, "coverage": coverage}
    jobs = (
        Job(p.source, p.entry_point, limits=limits, plugin=PLUGIN, options={**options, "inputs": t})
        for p, t in asked
    )
    for (_, texts), (outcome,) in zip(asked, box.map(jobs), strict=True):
        size, status = len(texts), outcome.status
        detail = outcome.exception.type if outcome.exception else ""
        if status is Status.OK:
            try:
                ran = [_ran(*row) for row in json.loads(outcome.payload or "")]
            except (ValueError, TypeError, RecursionError):
                ran = []
            if len(ran) == size:
                yield ran
                continue
            # the program wrote it in the place of `child.call`
            status, detail = Status.CRASHED, "unreadable payload"
        yield [Ran(f"{DIED}{status.value}", detail)] * size


def _ran(status: Any, text: Any, steps: Any, arcs: Any) -> Ran:
    numbers = [steps, *(line for arc in arcs for line in arc)]
    if not (type(status) is type(text) is str and all(type(n) is int for n in numbers)):
        raise TypeError("not a row of `child.call`")
    if len(text) > MAX_OUTPUT:
        raise ValueError("a longer text than `child.call` emits")
    return Ran(status, text, steps, tuple((start, end) for start, end in arcs))


def run_apart(box: Sandbox, requests: Sequence[Request], **options: Any) -> list[list[Ran]]:
    """Like `run`, but where a child dies, each input runs again in a child of its own, with
    `ALONE_SECONDS`. So whether all of them together stay within the limits of one child, which on
    another day they may not, decides nothing for an input that is quick by itself."""
    results = list(run(box, requests, **options))
    singles = [
        (program, [text])
        for (program, texts), ran in zip(requests, results, strict=True)
        for text in texts
        if death(ran)
    ]
    alone = (ran for (ran,) in run(box, singles, **{**options, "cpu_seconds": ALONE_SECONDS}))
    return [list(itertools.islice(alone, len(ran))) if death(ran) else ran for ran in results]


def death(ran: Sequence[Ran]) -> str:
    """How the child of these calls died, or an empty string."""
    status = ran[0].status if ran else ""
    return status.removeprefix(DIED) if status.startswith(DIED) else ""


def commonest_error(ran: Sequence[Ran]) -> str:
    """The exception that most of the failed calls raised (or what else went wrong most often);
    empty where none failed."""
    kinds = collections.Counter(
        r.text if r.status == "exception" or (death([r]) and r.text) else r.status
        for r in ran
        if not r.ok
    )
    return min(kinds, key=lambda kind: (-kinds[kind], kind), default="").removeprefix(DIED)


class Map:
    """What there is to cover in a program, all functions of the source together: lines, and the
    outcomes of `if`, `while` and `for`. Conditions written on one line with their body cannot be
    told apart by line and are not counted; neither are conditional expressions. Raises SyntaxError
    for a source that does not compile."""

    def __init__(self, source: str) -> None:
        tree = ast.parse(source)
        codes = [c for c in compile(tree, "<program>", "exec").co_consts if isinstance(c, CodeType)]
        self.lines: set[int] = set()  # of function bodies
        for code in codes:  # which grows
            codes += [c for c in code.co_consts if isinstance(c, CodeType)]
            own = {line for *_, line in code.co_lines() if line}
            self.lines |= own - {code.co_firstlineno}
        self.tests: dict[int, tuple[int, int, int]] = {}  # by line: first and last, body's first
        for node in ast.walk(tree):
            match node:
                case ast.If(test=ast.Constant()) | ast.While(test=ast.Constant()):
                    continue
                case ast.For(iter=test, body=body) | ast.If(test, body) | ast.While(test, body):
                    last = test.end_lineno or 0
                    if body[0].lineno > last:
                        place = node.lineno, last, body[0].lineno
                        self.tests |= dict.fromkeys(range(node.lineno, last + 1), place)

    def reached(self, arcs: Iterable[Arc]) -> set[int | tuple[int, bool]]:
        """The lines that recorded jumps reached, and the (line, taken) outcomes of conditions."""
        reached: set[int | tuple[int, bool]] = set()
        for start, end in arcs:
            reached.add(end)
            if start in self.tests:
                first, last, body = self.tests[start]
                if end == body or not first <= end <= last:
                    reached.add((first, end == body))
        return reached

    def coverage(self, arcs: Iterable[Arc]) -> tuple[float, float]:
        """The shares of the lines and of the outcomes of conditions that were reached; 1.0 where
        there are none."""
        reached = self.reached(arcs)
        outcomes, tests = sum(isinstance(r, tuple) for r in reached), set(self.tests.values())
        return (
            len(self.lines & reached) / len(self.lines) if self.lines else 1.0,
            outcomes / (2 * len(tests)) if tests else 1.0,
        )


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
    inputs: list[Input] = field(default_factory=list)
    rounds: int = 0  # of mutation
    chosen: list[Input] = field(default_factory=list)
    behaviour: str = ""
    reason: str = ""
    detail: str = ""

    @functools.cached_property
    def map(self) -> Map:
        return foreign.attempt(Map, self.program.source)

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

    def add(self, calls: Iterable[tuple[Any, ...]], source: str, limit: int = 1) -> list[Input]:
        """Adds inputs that are not there yet, at most `limit`; returns them."""
        texts = {i.text for i in self.inputs}
        added: list[Input] = []
        for call in calls:
            if len(added) >= limit:
                break
            text = values.encode(call)
            if text not in texts:
                texts.add(text)
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
        shown = {name: program[name] for name in ("id", "entry_point", "source", "provenance")}
        return {**shown, "reason": self.reason, "detail": self.detail}

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


def run_inputs(prospects: Sequence[Prospect], box: Sandbox, **options: Any) -> list[Prospect]:
    """Runs the inputs that have not run yet; the prospects whose program survives it. The others
    are dropped, and those inputs forgotten. `options` are those of `run`."""
    waiting = [[i for i in p.inputs if i.ran is NOT_RUN] for p in prospects]
    requests = ((p.program, [i.text for i in w]) for p, w in zip(prospects, waiting, strict=True))
    results = run(box, requests, **options)
    for prospect, new, ran in zip(prospects, waiting, results, strict=True):
        for tried, result in zip(new, ran, strict=True):
            tried.ran = result
        if how := death(ran):
            prospect.inputs = [i for i in prospect.inputs if i not in new]
            prospect.drop(f"run: {how}", ran[0].text)
    return alive(prospects)
