"""The nouns of the project, as frozen dataclasses.

Every file that a run writes holds rows of these records. `to_row` and `from_row` convert between a
record and plain JSON data; Python values inside a record travel as the text of `values.encode`.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from semcoder_lib.core import values


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
    method: str = ""  # how: "function", "inlined", "synthesised", "method", "teacher", "hub"


@dataclass(frozen=True, slots=True)
class Program:
    """A self-contained piece of Python and the function in it that is called.

    `family` groups near variants, so that a split never separates them.
    """

    source: str
    entry_point: str
    id: str = ""
    description: str = ""
    origin: str = ""  # "package", "synthesised", "method", "teacher", "hub"
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


R = TypeVar("R")


def to_row(record: Any) -> dict[str, Any]:
    """A record as JSON data. `Case.arguments` and `Case.output` become text (`values.encode`);
    raises `values.Unserializable` for a value that has none."""
    texts = ((name, hint, getattr(record, name)) for name, hint in _hints(type(record)).items())
    return {n: values.encode(item) if hint in _VALUES else _plain(item) for n, hint, item in texts}


def from_row(kind: type[R], row: dict[str, Any]) -> R:
    """The record that `to_row` wrote. The type of every field is checked; raises ValueError with
    one line that names the field and says what is wrong with it."""
    hints, data = _hints(kind), dict[str, Any]()
    for name, item in _of(row, (dict,), f"{kind.__name__}, an object").items():
        if name not in hints:
            raise ValueError(f"{kind.__name__}: unknown field {shown(name)}")
        try:
            data[name] = _read(hints[name], item)
        except ValueError as error:
            raise ValueError(f"{kind.__name__}.{name}: {error}") from None
    try:
        return kind(**data)
    except TypeError as error:  # it names the fields that are missing
        names = str(error).partition(": ")[2]
        raise ValueError(f"{kind.__name__}: field {names} is missing") from None


_hints: Callable[[Any], dict[str, Any]] = functools.cache(get_type_hints)
_VALUES = (Any, tuple[Any, ...])  # types of the fields that hold Python values, written as text
# JSON types that a field of a plain type may have, and the word for them
_SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text"),
    int: ((int,), "a whole number"),
    float: ((float, int), "a number"),
    bool: ((bool,), "true or false"),
}


def _plain(item: Any) -> Any:
    if dataclasses.is_dataclass(item):
        return to_row(item)
    if isinstance(item, tuple | list):
        return [_plain(part) for part in item]
    return item.value if isinstance(item, enum.Enum) else item


def _read(hint: Any, item: Any) -> Any:
    """JSON data as a value of the type. Raises ValueError."""
    if hint in _SCALARS:
        return _of(item, *_SCALARS[hint])
    if hint in _VALUES:
        value = values.decode(_of(item, *_SCALARS[str]))
        return value if hint is Any else _of(value, (tuple,), "a tuple of arguments")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(item)
    if dataclasses.is_dataclass(hint):
        return from_row(hint, item)  # type: ignore[arg-type]
    kinds = get_args(hint)
    if get_origin(hint) is tuple:
        _of(item, (list, tuple), "a list")
        expected = kinds[:1] * len(item) if kinds[-1] is ... else kinds
        if len(item) != len(expected):
            raise ValueError(f"expected {len(expected)} items, not {len(item)}")
        return tuple([_read(k, part) for k, part in zip(expected, item, strict=True)])
    return None if item is None else _read(kinds[0], item)  # what is left is "kind | None"


def _of(item: Any, kinds: tuple[type, ...], word: str) -> Any:
    if type(item) not in kinds:
        raise ValueError(f"expected {word}, not {shown(item)}")
    return item


def shown(item: Any) -> str:
    """The beginning of foreign data, for a message of one line."""
    if isinstance(item, int) and item.bit_length() > 64:
        return "a very large number"
    plain = isinstance(item, str | int | float | None)
    return ascii(item)[:60] if plain else type(item).__name__
