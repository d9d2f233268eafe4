"""The nouns of the project, as frozen dataclasses.

Every file that a run writes holds rows of these records. `to_row` and `from_row` convert between a
record and plain JSON data; Python values inside a record travel as the text of `values.encode`.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from semcoder_lib.core import values

SCHEMA_VERSION = 1


class Status(enum.StrEnum):
    """What became of a run or of a verdict; the one vocabulary of the whole project."""

    OK = "ok"
    EXCEPTION = "exception"
    LOAD_ERROR = "load_error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    CRASHED = "crashed"
    EARLY_EXIT = "early_exit"
    UNSERIALIZABLE = "unserializable"
    SANDBOX_LOST = "sandbox_lost"  # each time it ran alone, the sandbox's own process ended
    INFRASTRUCTURE = "infrastructure"  # ours: nothing is known of the program
    # of a verdict only
    PASSED = "passed"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    UNPARSEABLE = "unparseable"


class Trust(enum.StrEnum):
    """Who could have forged a verdict: nobody who runs inside (`outside`), nobody who does not
    control the test's own sandbox (`split`), or the judged program itself (`same_process`)."""

    OUTSIDE = "outside"
    SPLIT = "split"
    SAME_PROCESS = "same_process"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a program's source comes from."""

    package: str = ""
    version: str = ""
    licence: str = ""
    file: str = ""
    line: int = 0
    method: str = ""  # how it was made: "function", "inlined", "synthesised", "teacher", "hub"


@dataclass(frozen=True, slots=True)
class Program:
    """A self-contained piece of Python and the function in it that is called.

    `family` groups near variants, so that a split never separates them.
    """

    source: str
    entry_point: str
    id: str = ""
    description: str = ""
    origin: str = ""  # "package", "synthesised", "teacher", "hub"
    family: str = ""
    split: str = "train"  # "train" or "held_out"
    argument_types: tuple[str, ...] = ()
    types_from: str = ""  # "doctest", "annotation", "default", "docstring", "trial", "synthesiser"
    provenance: Provenance = Provenance()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a program's entry point: positional arguments and the value it returned."""

    arguments: tuple[Any, ...]
    output: Any = None
    program_id: str = ""
    source: str = ""  # "doctest", "mutation", "generator", "teacher", "benchmark"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of PyX: a program with its cases. The coverages are fractions over all its cases."""

    program: Program
    cases: tuple[Case, ...]
    line_coverage: float = 0.0
    branch_coverage: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A variable after a line ran. `text` is None when the name vanished; `exact` says that
    `values.decode(text)` gives the value back. `scope` says whose name it is: `local`, `global`,
    `cell` (a closure's variable) or `attribute`; the name may then be dotted, as `self.total`."""

    name: str
    text: str | None
    exact: bool = True
    scope: str = "local"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a trace: `call`, `line`, `return`, `exception` (see `tracing`). `changes` are
    those of the frame's variables, `beyond` those of globals, cells and attributes."""

    line: int
    event: str
    changes: tuple[Change, ...] = ()
    depth: int = 0
    frame: int = 0
    function: str = ""
    value: str | None = None  # text of the returned value, or of the exception
    exact: bool = True
    beyond: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a program did on one case. `cut` names the bound that ended the recording, if any."""

    steps: tuple[Step, ...]
    status: Status = Status.OK
    result: str | None = None  # text of the returned value
    exception: str | None = None
    cut: str = ""
    program_id: str = ""
    stdout: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement of a monologue.

    kinds: `value`, `branch`, `iterations`, `order`, `property`, `constraint`, `return`,
    `exception`, `answer`. `place` is the (start, end) of its words in the text. `status` is empty
    until a verifier filled it: `supported`, `contradicted`, `unverifiable`.
    """

    kind: str
    subject: str = ""
    value: str = ""
    line: int | None = None
    visit: int | None = None
    place: tuple[int, int] = (0, 0)
    status: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Monologue:
    """A natural-language account of an execution. `text` is what a model is trained on; `case` is
    what it is about: the call that is told with its output, or, backward, the input that the text
    arrives at and the output that it starts from."""

    text: str
    direction: str  # "forward" or "backward"
    case: Case
    program_id: str = ""
    format: str = "monologue"
    writer: str = "derived"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A buggy program with its failing case (the output is the right one), the reason, and a
    validated fix."""

    program_id: str
    buggy: str
    fixed: str
    entry_point: str
    case: Case
    actual: str  # text of the wrong output, or "raises TypeError: ..."
    operator: str = ""  # the mutation, or "model"
    origin: str = "mutation"  # "mutation", "model", "hub"
    line: int | None = None  # the altered line of `buggy`, when known
    divergence: int | None = None  # index of the first differing step
    description: str = ""
    rationale: str = ""
    claims: tuple[Claim, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote for one prompt. `finish` is "stop", "end" (end token) or "length"."""

    task_id: str
    text: str
    index: int = 0
    prompt: str = ""
    finish: str = ""
    tokens: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one sample passed, how that was found, and who could have forged it."""

    task_id: str
    passed: bool
    status: Status
    index: int = 0
    counted: bool = True
    trust: Trust = Trust.OUTSIDE
    detail: str = ""
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its 95 % interval (both as fractions), and where it came from."""

    benchmark: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    scorer: str = "strict"
    model: str = ""
    statuses: dict[str, int] = field(default_factory=dict)


R = TypeVar("R")


def to_row(record: Any) -> dict[str, Any]:
    """A record as JSON data. `Case.arguments` and `Case.output` become text (`values.encode`);
    raises `values.Unserializable` for a value that has none."""
    row: dict[str, Any] = {}
    for name, hint in _hints(type(record)).items():
        item = getattr(record, name)
        row[name] = values.encode(item) if _holds_values(hint) else _plain(item)
    return row


def from_row(kind: type[R], row: dict[str, Any]) -> R:
    """The record that `to_row` wrote. Raises ValueError that names the missing or unknown field."""
    hints = _hints(kind)
    unknown = set(row) - set(hints)
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown field {sorted(unknown)[0]!r}")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    made: dict[str, Any] = {}
    for name, hint in hints.items():
        if name not in row:
            f = fields[name]
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
                raise ValueError(f"{kind.__name__}: field {name!r} is missing")
            continue
        made[name] = values.decode(row[name]) if _holds_values(hint) else _typed(hint, row[name])
    return kind(**made)


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(kind: type) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    return _HINTS[kind]


def _holds_values(hint: Any) -> bool:
    return hint is Any or (get_origin(hint) is tuple and get_args(hint)[:1] == (Any,))


def _plain(item: Any) -> Any:
    if dataclasses.is_dataclass(item):
        return to_row(item)
    if isinstance(item, tuple | list):
        return [_plain(part) for part in item]
    if isinstance(item, enum.Enum):
        return item.value
    return item


def _typed(hint: Any, data: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        return _typed(next(a for a in get_args(hint) if a is not type(None)), data)
    if origin is tuple:
        args = get_args(hint)
        part = args[0] if args else typing.Any
        return tuple(_typed(part, x) for x in data)
    if dataclasses.is_dataclass(hint):
        return from_row(typing.cast(type, hint), data)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(data)
    return data
