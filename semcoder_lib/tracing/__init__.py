"""Traces: what a program did, line by line, typed and bounded, and the formats they are told in.

The formats are those of the paper's appendix I; see `docs/traces.md`.
"""

from semcoder_lib.tracing import formats
from semcoder_lib.tracing.formats import cli_render
from semcoder_lib.tracing.tracer import (
    DEFAULT,
    PLUGIN,
    TraceLimits,
    options,
    program_and_case,
    trace,
    trace_many,
)

__all__ = [
    "DEFAULT",
    "PLUGIN",
    "TraceLimits",
    "cli_render",
    "formats",
    "options",
    "program_and_case",
    "trace",
    "trace_many",
]
