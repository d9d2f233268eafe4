"""Preflight and compare: what stops a score, and what counts as worse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semcoder_lib.core.errors import PreflightFailed, UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation.preflight import preflight
from semcoder_lib.evaluation.scoring import compare, compare_command


def verdict(task: str, passed: bool) -> Verdict:
    return Verdict(task, passed, Status.PASSED if passed else Status.WRONG)


def probes(reference: bool = True, empty: bool = False, cheat: bool = False) -> list:  # type: ignore[type-arg]
    found = []
    for task in ("a", "b"):
        found += [
            ("reference", "reference", verdict(task, reference or task == "a")),
            ("empty", "empty", verdict(task, empty)),
            ("cheat", "or True", verdict(task, cheat)),
            ("constant", "0", verdict(task, task == "a")),
            ("constant", "1", verdict(task, False)),
        ]
    return found


def test_preflight_passes() -> None:
    report = preflight("bench", "strict", probes())
    assert report.passed
    report.require()
    assert (report.reference, report.empty, report.cheats) == (1.0, 0.0, {"or True": 0.0})
    assert (report.constant, report.constant_right, report.constant_rate) == ("0", 1, 0.5)
    assert any("ok" in line for line in report.lines())
    assert json.loads(json.dumps(report.row()))["passed"] is True


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (probes(reference=False), "1 of 2 reference solutions fail, first b"),
        (probes(empty=True), "2 empty answers pass"),
        (probes(cheat=True), "the cheat 'or True' passes 2 times"),
        ([], "no reference solution"),
    ],
)
def test_preflight_fails(given: list, reason: str) -> None:  # type: ignore[type-arg]
    report = preflight("bench", "strict", given)
    with pytest.raises(PreflightFailed, match=reason) as caught:
        report.require()
    assert caught.value.exit_status == 3


def test_errata_and_official() -> None:
    report = preflight("bench", "strict", probes(reference=False), {"b": "known to be wrong"})
    assert report.passed
    assert preflight("bench", "official", probes(cheat=True)).passed


def run(folder: Path, right: set[int], n: int = 200) -> Path:
    stage = folder / "06_reasoning"
    stage.mkdir(parents=True)
    rows = [
        {"task_id": f"t{i}", "index": 0, "passed": i in right,
         "status": "passed" if i in right else "wrong"}
        for i in range(n)
    ]  # fmt: skip
    (stage / "verdicts_cruxeval-o.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows)
    )
    return folder


def test_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = run(tmp_path / "good", set(range(100)))
    slightly = run(tmp_path / "slightly", set(range(2, 101)))
    bad = run(tmp_path / "bad", set(range(60)))
    (worse,) = compare(good, bad)
    assert worse.worse
    assert worse.tasks == 200
    assert (worse.test.only_a, worse.test.only_b) == (40, 0)
    assert not compare(good, slightly)[0].worse
    assert compare(bad, good)[0].better
    summary = compare_command(good, bad)
    assert summary["exit_status"] == 4
    assert summary["worse"] == ["06_reasoning/verdicts_cruxeval-o"]
    assert "WORSE" in capsys.readouterr().err
    assert compare_command(good, good)["exit_status"] == 0


def test_compare_files(tmp_path: Path) -> None:
    a = run(tmp_path / "a", set(range(100))) / "06_reasoning" / "verdicts_cruxeval-o.jsonl"
    b = run(tmp_path / "b", set(range(50))) / "06_reasoning" / "verdicts_cruxeval-o.jsonl"
    b = b.rename(b.with_name("other.jsonl"))
    assert compare(a, b)[0].worse


def test_compare_bad_input(tmp_path: Path) -> None:
    good = run(tmp_path / "good", {1})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no metric in common"):
        compare(good, tmp_path / "empty")
    with pytest.raises(UserError, match="no such run"):
        compare(good, tmp_path / "absent")
    junk = tmp_path / "junk.jsonl"
    junk.write_text('{"task_id": "t1", "passed": true, "status": "fine"}\n')
    with pytest.raises(UserError, match=r"junk.jsonl:1: not a verdict"):
        compare(junk, junk)
    junk.write_text("")
    with pytest.raises(UserError, match="no verdicts"):
        compare(junk, junk)
