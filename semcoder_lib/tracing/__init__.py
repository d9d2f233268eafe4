"""Traces: what a program did, line by line, typed and bounded, and the formats they are told in.

Section 7 of the facts on the paper (appendix I of the paper) for the formats.
"""

from semcoder_lib.tracing import formats
from semcoder_lib.tracing.command import cli_render
from semcoder_lib.tracing.tracer import (
    DEFAULT,
    PLUGIN,
    TraceLimits,
    load,
    options,
    record,
    trace,
    trace_many,
)

__all__ = [
    "DEFAULT",
    "PLUGIN",
    "TraceLimits",
    "cli_render",
    "formats",
    "load",
    "options",
    "record",
    "trace",
    "trace_many",
]
