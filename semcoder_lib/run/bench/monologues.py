"""Speed of forward monologues, traces and verification included (target: 300 a second on two
cores over the laptop corpus)."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcoder_lib import corpus as pyx
from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program, Trace
from semcoder_lib.core.scale import free_cores
from semcoder_lib.run.bench.arguments import Parser
from semcoder_lib.sandbox import Sandbox

Pair = tuple[Program, Case]


def main(argv: list[str]) -> dict[str, Any]:
    """Times tracing, writing and verifying, apart and together; returns the figures.

    `--data FILE` is a PyX file (default: one is built of synthesised programs), `--programs` how
    many of it, `--cases` how many cases of each, `--workers` processes (default: two). There is no
    peer that derives monologues, so `--peers` changes nothing. Seconds are wall seconds of the
    fastest of `--rounds` rounds; on a busy machine look at the ratios.
    """
    parser = Parser(prog="python -m semcoder_lib bench monologues")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args(argv)
    entries = _entries(options.data, options.programs)[: options.programs]
    pairs = [(e.program, c) for e in entries for c in e.cases[: options.cases]]
    with Sandbox(workers=options.workers) as box:
        figures = _apart(pairs, box, options.rounds)
        together = _fastest(
            options.rounds, lambda: _together(entries, options.cases, box, options.workers)
        )
    return {
        "bench": "monologues",
        "programs": len(entries),
        "pairs": len(pairs),
        "workers": options.workers,
        "free_cores": free_cores(),
        **figures,
        "per_second": round(len(pairs) / together, 1),
        "target_per_second": 300,
    }


def _entries(data: Path | None, programs: int) -> list[Entry]:
    if data is not None:
        return pyx.load(data)
    with tempfile.TemporaryDirectory() as folder, Sandbox() as box:
        built = pyx.build(
            folder, real=0, synthesised=programs, cases=6, seed=0, box=box, benchmarks=False
        )
        return pyx.load(built.path)


def _fastest(rounds: int, run: Callable[[], Any]) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _apart(pairs: list[Pair], box: Sandbox, rounds: int) -> dict[str, Any]:
    traces: list[Trace] = []

    def trace() -> None:
        traces[:] = tracing.trace_many(pairs, box, share=True)

    seconds = {"trace": _fastest(rounds, trace)}
    ready = [(p, c, t) for (p, c), t in zip(pairs, traces, strict=True) if _whole(t)]
    texts: list[str] = []

    def write() -> None:
        texts[:] = [monologues.forward(p, t, case=c).text for p, c, t in ready]

    seconds["write"] = _fastest(rounds, write)

    def check() -> list[bool]:
        return [
            monologues.verify(
                text, p, c, None, direction="forward", line_offset=0, trace=t
            ).accepted
            for text, (p, c, t) in zip(texts, ready, strict=True)
        ]

    seconds["verify"] = _fastest(rounds, check)
    accepted = sum(check())
    lengths = [len(t) for t in texts]
    return {
        "told": len(texts),
        "accepted": accepted,
        "median_steps": statistics.median(len(t.steps) for _, _, t in ready),
        "median_characters": statistics.median(lengths),
        "mean_characters": round(statistics.fmean(lengths), 1),
        "milliseconds_each": {k: round(1e3 * s / len(pairs), 3) for k, s in seconds.items()},
    }


def _whole(trace: Trace) -> bool:
    return bool(trace.steps) and not trace.cut and trace.result is not None


def _together(entries: list[Entry], cases: int, box: Sandbox, workers: int) -> int:
    made, _ = monologues.derive_many(
        entries, box, per_program=cases, directions=("forward",), bullets=0, workers=workers
    )
    return len(made)
