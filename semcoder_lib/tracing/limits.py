"""The bounds of a trace."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TraceLimits:
    """Where recording stops; the program itself goes on to its own end under the sandbox's limits.

    `steps` and `bytes` bound a whole trace (recorded events; characters of recorded texts),
    `seconds` the processor time since the first few hundred steps. `value_nodes` and `value_bytes`
    bound the text of one value: a larger one is described by its type, its size and its beginning,
    and marked inexact. A trace that was ended by a bound says which one in `Trace.cut`; near the
    interpreter's recursion limit that is `recursion`.
    """

    steps: int = 10_000
    bytes: int = 1_000_000
    seconds: float = 5.0
    value_nodes: int = 512
    value_bytes: int = 4_096

    def as_options(self) -> dict[str, Any]:
        """What the plug-in takes. `SEMCODER_TRACER=python` keeps it from its compiled part; the
        sandbox itself passes no environment on."""
        options = asdict(self)
        if os.environ.get("SEMCODER_TRACER") == "python":
            options["tracer"] = "python"
        return options


DEFAULT = TraceLimits()
