"""SemCoder, reproduced (NeurIPS 2024): programs, their executions, models that reason about both.

    from semcoder_lib import Program, Case, tell, verify

    program = Program("def double(x):\\n    return 2 * x\\n", "double")
    monologue = tell(program, Case((21,), 42))
    print(monologue.text, verify(program, monologue))

one program      Program   Case   Sandbox         a program, a call of it, what runs it safely
                 execute   trace   show           its execution, recorded, to step through
                 tell   deduce   verify           the execution in words, both ways, checked
the corpora      build_pyx   build_pyx_r          executable programs; faults with their repair
                 mutate   explain_fault           one fault, and why it fails
a model          train   load_model   complete    fine-tune, load, let it write
what it can do   evaluate   refine   compare      scores with intervals; rounds of repair; two runs
                 write_report                     the paper's tables beside a run's
a run            begin                            a notebook at work

Each room of the library has more: core, sandbox, tracing, models, corpus, monologues, faults,
training, evaluation, refinement, report, run; each imports only those before it.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"
_HOMES = {
    "Program": "core.records:Program",
    "Case": "core.records:Case",
    "Sandbox": "sandbox:Sandbox",
    "execute": "run.face:execute",
    "trace": "run.face:trace",
    "show": "run.face:show",
    "tell": "run.face:tell",
    "deduce": "run.face:deduce",
    "verify": "run.face:verify",
    "build_pyx": "corpus:build",
    "build_pyx_r": "faults:build",
    "mutate": "faults:mutate",
    "explain_fault": "faults:write",
    "train": "training:train",
    "load_model": "models:load",
    "complete": "evaluation.answers:complete",
    "evaluate": "evaluation:evaluate",
    "refine": "refinement:refine",
    "compare": "evaluation.scoring:compare",
    "write_report": "report:write_report",
    "begin": "run.notebook:begin",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """A name of the face, imported when it is first used: most need no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, own = _HOMES[name].partition(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), own)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
