"""The tracer as a plug-in of the sandbox: runs inside the child and emits the trace as JSON text.

Imports little, because every page of the sandbox's zygote makes each of its children dearer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.tracing.recorder import Recorder

if sys.version_info >= (3, 12):
    from semcoder_lib.tracing import by_monitoring as source
else:
    from semcoder_lib.tracing import by_settrace as source

# A sample of what is traced, for the zygote to warm up on (`sandbox.child.runner.warm`); the
# options are those of `TraceLimits`, whose module would weigh down every child.
LIMITS = {
    "steps": 10_000, "bytes": 1_000_000, "seconds": 5.0, "value_nodes": 512, "value_bytes": 4_096,
}  # fmt: skip
_SAMPLE = """
def g(x):
    return x + 1

def f():
    out, seen, text = [], {}, ""
    for i, word in enumerate(["a", "bc", "a"]):
        if word in seen:
            seen[word] += 1
        else:
            seen[word] = g(i)
        out.append(i)
        text += word.upper()
    try:
        out.remove(9)
    except ValueError:
        out = sorted(out, key=lambda v: -v)
    return [v * 2 for v in out], seen, text
"""
WARM = [(_SAMPLE, "f", LIMITS)]


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Calls the function, emits its trace, and returns or raises what it returned or raised.

    `options` are the fields of `TraceLimits`. The trace of a call that outlives a bound is emitted
    when the bound is reached, so that it survives a later timeout.
    """
    recorder = Recorder(options, emit)
    try:
        return source.run(recorder, function, arguments)
    finally:
        recorder.finish()
