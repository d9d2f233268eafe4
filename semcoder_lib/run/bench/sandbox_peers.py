"""The slow peers of `bench sandbox --peers`: whole commands, bubblewrap and EvalPlus."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.sandbox import Job, Limits, Sandbox

Rows = list[tuple[str, float, str]]
_EVALPLUS = "0.3.1"
_DATA = "HumanEvalPlus-v0.1.10.jsonl.gz"
_LIMITS = Limits(cpu_seconds=3.0, wall_seconds=10.0)
_HOW = "pip install evalplus==0.3.1 in an environment of its own, then --evalplus ITS/bin/python"


def bubblewrap(rounds: int, rows: Rows, notes: list[str]) -> None:
    """A bare interpreter in bubblewrap for each program, against one of our children."""
    tool = shutil.which("bwrap")
    if tool is None:
        notes.append("bubblewrap is not installed: apt-get install bubblewrap")
        return
    source = "def f(nums):\n    return [n * 2 for n in nums]\nprint(f([1, 2, 3]))"
    python = sys._base_executable  # type: ignore[attr-defined]
    command = [
        tool, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--die-with-parent",
        python, "-I", "-S", "-c", source,
    ]  # fmt: skip
    if subprocess.run(command, capture_output=True).returncode:
        notes.append("bubblewrap does not work here")
        return
    job = Job(source, "f", [([1, 2, 3],)])
    ratios = []
    with Sandbox(limits=_LIMITS, workers=1, dedupe=False) as box:
        list(box.map([job]))
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(20):
                subprocess.run(command, capture_output=True, check=True)
            middle = time.perf_counter()
            list(box.map([job] * 200))
            ratios.append((time.perf_counter() - middle) / 10 / (middle - start))
    rows.append(("bubblewrap", statistics.median(ratios), "ours / bubblewrap + python"))


def evalplus(
    python: str, rounds: int, rows: Rows, notes: list[str], *, one_core: bool = True
) -> None:
    """HumanEval+'s reference solutions through both whole commands, expected values cached: on the
    core that this process is bound to, or each with the processes that it takes by itself."""
    data = workspace.find_data(_DATA)
    version = _version(python)
    if version != _EVALPLUS:
        found = f"version {version} is" if version else "it is not"
        notes.append(f"EvalPlus {_EVALPLUS}: {found} installed for {python}: {_HOW}")
        return
    if data is None:
        notes.append(f"EvalPlus: {_DATA} not found: set SEMCODER_DATA")
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        samples = Path(folder) / "references.jsonl"
        tasks = [(t.task_id, t.data) for t in benchmarks.get("humaneval+").load(data)]
        workspace.write_jsonl(
            samples,
            (
                {"task_id": name, "solution": task["prompt"] + task["canonical_solution"]}
                for name, task in tasks
            ),
        )
        theirs = [
            python, "-m", "evalplus.evaluate", "--dataset", "humaneval", "--samples",
            str(samples), *(["--parallel", "1"] if one_core else []), "--i_just_wanna_run",
        ]  # fmt: skip
        ours = [
            sys.executable, "-m", "semcoder_lib", "score", "humaneval+", "--samples", str(samples)
        ]  # fmt: skip
        # expected values are kept from run to run, as each command does by itself
        cache = {
            "XDG_CACHE_HOME": str(workspace.home() / "bench"),
            "HUMANEVAL_OVERRIDE_PATH": str(data),
        }
        times: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
        said = ""
        for number in range(rounds + 1):
            for name, command in (("ours", ours), ("theirs", theirs)):
                wall, cpu, text = _timed(command, {**os.environ, **cache})
                said = text if name == "ours" else said
                if number:  # the first one fills the caches
                    times[name].append((wall, cpu))
        passed = _passed(samples.with_name("references_eval_results.json"))
    for place, name, meaning in ((0, "", ""), (1, "_cpu", ", processor time")):
        ratios = [a[place] / b[place] for a, b in zip(times["ours"], times["theirs"], strict=True)]
        how = "one core" if one_core else "as they come"
        what = f"HumanEval+ whole command / EvalPlus {_EVALPLUS}, {how}{meaning}"
        key = "evalplus" if one_core else "evalplus_as_they_come"
        rows.append((f"{key}{name}", statistics.median(ratios), what))
    if not one_core:
        return
    ours_passed = round(json.loads(said.splitlines()[-1])["pass@1"] * len(tasks))
    rows.append(("humanevalplus_passed", ours_passed, f"of {len(tasks)} references pass here"))
    rows.append(("evalplus_passed", passed, f"of {len(tasks)} references pass EvalPlus"))


def _version(python: str) -> str:
    code = "import importlib.metadata as m, evalplus.evaluate; print(m.version('evalplus'))"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    """Wall and processor seconds of a command and all below it, and what it printed. Raises
    UserError."""
    for old in Path(command[command.index("--samples") + 1]).parent.glob("*_eval_results.json"):
        old.unlink()  # or EvalPlus would only read it
    start, used = time.perf_counter(), sum(os.times()[2:4])
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}")
    wall, cpu = time.perf_counter() - start, sum(os.times()[2:4]) - used
    return wall, cpu, done.stdout


def _passed(path: Path) -> int:
    found = json.loads(path.read_text())["eval"]
    return sum(r[0]["plus_status"] == "pass" for r in found.values())
