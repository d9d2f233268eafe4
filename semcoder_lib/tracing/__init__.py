"""Traces: what a program did, line by line, typed and bounded, and the formats they are told in.

Section 7 of the facts on the paper (appendix I of the paper) for the formats.
"""

from semcoder_lib.tracing import formats
from semcoder_lib.tracing.command import cli_render
from semcoder_lib.tracing.coverage import Coverage, coverage
from semcoder_lib.tracing.limits import DEFAULT, TraceLimits
from semcoder_lib.tracing.local import load, record
from semcoder_lib.tracing.parent import PLUGIN, trace, trace_many

__all__ = [
    "DEFAULT",
    "PLUGIN",
    "Coverage",
    "TraceLimits",
    "cli_render",
    "coverage",
    "formats",
    "load",
    "record",
    "trace",
    "trace_many",
]
