"""The nouns of the sandbox: what is run, under which limits, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core.records import Status


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use. With `Job.share` the processor and wall limits hold for each call,
    the others for the process.

    `cpu_seconds` decides a timeout; `wall_seconds` only backs it up, for programs that sleep.
    `memory_mb` is address space beyond what the interpreter has. `output_bytes` bounds what is
    printed, `result_bytes` the encoded results of one process, `value_bytes` and `value_nodes` the
    characters and elements of one encoded value, `payload_bytes` what a plug-in emits for one call.
    What is printed, returned and emitted in one job may have four times `result_bytes`, 64 MB at
    least (beyond: `output_limit`), its values ten times `value_nodes` (`unserializable`). A run
    that ends within `grace` (a fraction of `cpu_seconds`) past its limit is repeated alone before
    it counts as a timeout.
    """

    cpu_seconds: float = 3.0
    wall_seconds: float = 10.0
    memory_mb: int = 1024
    output_bytes: int = 1_000_000
    result_bytes: int = 16_000_000
    value_bytes: int = 2_000_000
    value_nodes: int = 100_000
    payload_bytes: int = 4_000_000
    open_files: int = 64
    threads: int = 64
    grace: float = 0.1

    def but(self, **changes: Any) -> Limits:
        """These limits with some of them changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Job:
    """One program and the calls to make of it.

    Every call runs in a process of its own, unless `share`: then one process makes them in order,
    each on a freshly executed module (on the same one if not `reload`). After `give_up` processes
    of a shared job have died (timeout, crash, …), its remaining calls are not made and get the
    last status with a note.

    `entry_point` is a function's name, `Class.method` (an instance is made without arguments), or
    empty: then the program is run as `__main__` and its value is None. `plugin` names a module
    that makes the calls (see `docs/sandbox.md`), `options` is JSON-like data for it.
    """

    source: str
    entry_point: str
    calls: Sequence[tuple[Any, ...]] = ((),)
    limits: Limits | None = None
    plugin: str | None = None
    options: dict[str, Any] | None = None
    share: bool = False
    reload: bool = True
    give_up: int = 3
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as the child told it: its class's name, its text (bounded), and the last line
    of the program it passed (1-based), if it passed one."""

    type: str
    message: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call.

    `text` is the encoded value and `value` the decoded one, both only with status `ok`; `value`
    may be shared with equal outcomes, so do not change it. `cpu_seconds` is exact for a process of
    its own and the child's word in a shared one. `note` gives the reason where the status alone
    does not.
    """

    status: Status
    value: Any = None
    text: str | None = None
    exception: Raised | None = None
    stdout: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    payload: str | None = None
    note: str = ""
