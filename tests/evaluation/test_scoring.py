"""Intervals and paired tests beside what is known of them, the preflight, the gate `compare`."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import write
from scipy import stats

from semcoder_lib.core.errors import PreflightFailed, UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation.base import preflight_report
from semcoder_lib.evaluation.scoring import (
    compare,
    compare_command,
    mcnemar,
    mean_interval,
    paired_difference,
    pass_at_k,
    task_rates,
)


def verdict(task: str, passed: bool, index: int = 0, counted: bool = True) -> Verdict:
    status = Status.PASSED if passed else Status.WRONG
    return Verdict(task, passed, status, index=index, counted=counted)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 2), (6, 6, 6), (4, 3, 2)])
def test_pass_at_k_is_the_share_of_draws(n: int, c: int, k: int) -> None:
    draws = list(itertools.combinations([1] * c + [0] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(d) for d in draws) / len(draws))


def test_pass_at_k_refuses_nonsense_and_rates_leave_out_what_is_not_counted() -> None:
    for n, c, k in ((3, 4, 1), (3, 1, 4), (3, 1, 0), (0, 0, 1)):
        with pytest.raises(UserError):
            pass_at_k(n, c, k)
    verdicts = [verdict("a", True), verdict("a", False, 1, counted=False), verdict("b", False)]
    assert task_rates(verdicts) == {"a": 1.0, "b": 0.0}


def test_interval_covers() -> None:
    draw = random.Random(0)
    hits = 0
    for trial in range(200):
        sample = [float(draw.random() < 0.3) for _ in range(80)]
        found = mean_interval(sample, seed=trial, resamples=1_000)
        hits += found.low <= 0.3 <= found.high
    assert 180 <= hits <= 199


def test_interval_is_the_one_that_was_published() -> None:
    """The generator, its seed and its draws are part of the promise: same data, same interval."""
    found = mean_interval([float(i % 3 == 0) for i in range(90)], seed=3)
    assert (found.low, found.high) == pytest.approx((22 / 90, 39 / 90))
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    draws = np.random.default_rng([7, 0x242B210F]).integers(0, 5, size=(10_000, 5))
    means = np.array(values)[draws].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    found = mean_interval(values, seed=7)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_interval_is_honest_at_the_ends() -> None:
    for k in (0, 100):
        low, high = stats.binomtest(k, 100).proportion_ci(method="exact")
        found = mean_interval([k / 100] * 100)
        assert (found.low, found.high) == pytest.approx((low, high))
    alone = mean_interval([1.0])
    assert (alone.low, alone.high) == (0.0, 1.0)
    with pytest.raises(UserError):
        mean_interval([])


def test_paired_difference() -> None:
    draw = random.Random(1)
    a = {f"t{i}": float(draw.random() < 0.5) for i in range(300)}
    b = {name: 1.0 if draw.random() < 0.2 else value for name, value in a.items()}
    found = paired_difference(a, {**b, "only b": 0.0})
    assert found.n == 300
    assert found.low > 0
    assert found.value == pytest.approx(sum(b[t] - a[t] for t in a) / 300)
    assert paired_difference(list(a.values()), list(b.values())) == found
    assert paired_difference(b, a).value == pytest.approx(-found.value)
    same = paired_difference(a, a)
    assert same.low < 0 < same.high
    for bad in (({"x": 1.0}, {"y": 1.0}), ([1.0], [1.0, 0.0]), ({"x": 1.0}, [1.0])):
        with pytest.raises(UserError):
            paired_difference(*bad)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (5, 1), (12, 30), (40, 41), (3000, 100)])
def test_mcnemar_is_exact(x: int, y: int) -> None:
    a = [1.0] * x + [0.0] * y + [1.0] * 7
    b = [0.0] * x + [1.0] * y + [1.0] * 7
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b) == (x, y)
    heads = stats.binom(x + y, 0.5).cdf(min(x, y))
    assert found.p_value == pytest.approx(min(1.0, 2 * heads), rel=1e-6)


# --- preflight ---


def probes(reference: bool = True, empty: bool = False, cheat: bool = False) -> list[Any]:
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
    report = preflight_report(probes(), "strict", {})
    assert (report["reference"], report["empty"], report["cheats"]) == (1.0, 0.0, {"or True": 0.0})
    assert [report[f"constant{end}"] for end in ("", "_right", "_rate")] == ["0", 1, 0.5]
    preflight_report(probes(reference=False), "strict", {"b": "known to be wrong"})
    preflight_report(probes(cheat=True), "official", {})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (probes(reference=False), "the reference 'reference' fails 1 of 2 times, first b"),
        (probes(empty=True), "the empty 'empty' passes 2 of 2"),
        (probes(cheat=True), "the cheat 'or True' passes 2 of 2"),
        ([], "no reference solution"),
    ],
)
def test_preflight_fails(given: list[Any], reason: str) -> None:
    with pytest.raises(PreflightFailed, match=reason) as caught:
        preflight_report(given, "strict", {})
    assert caught.value.exit_status == 3


# --- the gate ---


def run(folder: Path, right: set[int], n: int = 200) -> Path:
    stage = folder / "06_reasoning"
    stage.mkdir(parents=True)
    write(stage / "verdicts_cruxeval-o.jsonl", [
        {"task_id": f"t{i}", "index": 0, "passed": i in right,
         "status": "passed" if i in right else "wrong"}
        for i in range(n)
    ])  # fmt: skip
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
    a, b = (folder / "06_reasoning" / "verdicts_cruxeval-o.jsonl" for folder in (good, bad))
    assert compare(a, b.rename(b.with_name("other.jsonl")))[0].worse


def test_compare_bad_input(tmp_path: Path) -> None:
    good = run(tmp_path / "good", {1})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no metric in common"):
        compare(good, tmp_path / "empty")
    with pytest.raises(UserError, match="no such run"):
        compare(good, tmp_path / "absent")
    other = write(tmp_path / "o.jsonl", [{"task_id": "x", "passed": True, "status": "passed"}])
    with pytest.raises(UserError, match="no task in common"):
        compare(good / "06_reasoning" / "verdicts_cruxeval-o.jsonl", other)
    other.write_text("")
    with pytest.raises(UserError, match="is empty"):
        compare(other, other)
