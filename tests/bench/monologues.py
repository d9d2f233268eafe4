"""Speed of forward monologues: tracing, writing and verifying, apart and together. No peer derives
monologues; the first edition's target was 300 a second on two cores."""

from __future__ import annotations

import statistics
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from semcoder_lib import corpus, monologues, tracing
from semcoder_lib.core.records import Entry
from semcoder_lib.sandbox import Sandbox
from tests.bench.timing import in_turns


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--data", type=Path, help="a PyX file; else programs are synthesised")
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--cases", type=int, default=4, help="of each program")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)


def run(options: Namespace) -> dict[str, Any]:
    """Milliseconds for each execution, of the fastest round."""
    entries = _entries(options)
    pairs = [(e.program, c) for e in entries for c in e.cases[: options.cases]]
    with Sandbox(workers=options.workers) as box:
        traces = list(tracing.trace_many(pairs, box))
        ready = [
            (program, case, trace)
            for (program, case), trace in zip(pairs, traces, strict=True)
            if trace.steps and not trace.cut and trace.result is not None
        ]
        texts = [monologues.forward(p, t, case=c).text for p, c, t in ready]
        accepted = [False]

        def verify() -> int:
            accepted[:] = [
                monologues.verify(text, p, c, None, direction="forward", trace=t).accepted
                for text, (p, c, t) in zip(texts, ready, strict=True)
            ]
            return len(pairs)

        def together() -> int:
            made, _ = monologues.derive_many(
                entries, box, per_program=options.cases, directions=("forward",), bullets=0,
                workers=options.workers,
            )  # fmt: skip
            return max(1, len(made))

        actions = {
            "trace": lambda: len(list(tracing.trace_many(pairs, box))),
            "write": lambda: len([monologues.forward(p, t, case=c) for p, c, t in ready]),
            "verify": verify,
            "together": together,
        }
        best = {name: min(times) for name, times in in_turns(actions, options.rounds).items()}
    return {
        "programs": len(entries), "pairs": len(pairs), "written": len(texts),
        "accepted": sum(accepted), "workers": options.workers,
        "median_steps": statistics.median(len(t.steps) for _, _, t in ready),
        "median_characters": statistics.median(map(len, texts)),
        "milliseconds": {name: round(1e3 * seconds, 3) for name, seconds in best.items()},
        "per_second": round(1 / best["together"], 1),
    }  # fmt: skip


def _entries(options: Namespace) -> list[Entry]:
    if options.data is not None:
        return list(corpus.load(options.data))[: options.programs]
    with tempfile.TemporaryDirectory() as folder, Sandbox() as box:
        corpus.build(
            Path(folder), real=0, synthesised=options.programs, cases=6, seed=0, box=box,
            benchmarks=False,
        )  # fmt: skip
        return list(corpus.load(folder))
