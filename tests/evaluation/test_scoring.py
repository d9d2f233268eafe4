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


def test_pass_at_k_is_the_share_of_draws() -> None:
    for n, c, k in ((5, 2, 1), (5, 2, 3), (6, 0, 2), (6, 6, 6), (4, 3, 2)):
        draws = list(itertools.combinations([1] * c + [0] * (n - c), k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(any(d) for d in draws) / len(draws))
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
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    draws = np.random.default_rng([7, 0x242B210F]).integers(0, 5, size=(10_000, 5))
    means = np.array(values)[draws].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    found = mean_interval(values, seed=7)
    assert found == mean_interval(values, seed=7)
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


def test_mcnemar_is_exact() -> None:
    for x, y in ((0, 0), (1, 0), (5, 1), (12, 30), (40, 41), (3000, 100)):
        a = [1.0] * x + [0.0] * y + [1.0] * 7
        b = [0.0] * x + [1.0] * y + [1.0] * 7
        found = mcnemar(a, b)
        assert (found.only_a, found.only_b) == (x, y)
        heads = stats.binom(x + y, 0.5).cdf(min(x, y))
        assert found.p_value == pytest.approx(min(1.0, 2 * heads), rel=1e-6)


# --- preflight ---


def probes(reference: bool = True, empty: bool = False, cheat: bool = False) -> list[Any]:
    kinds = [("reference", "reference", (True, reference)), ("empty", "empty", (empty, empty)),
             ("cheat", "or True", (cheat, cheat)), ("constant", "0", (True, False)),
             ("constant", "1", (False, False))]  # fmt: skip
    return [
        (k, n, verdict(t, p)) for k, n, right in kinds for t, p in zip("ab", right, strict=True)
    ]


def test_the_preflight_knows_the_verdicts_of_known_solutions() -> None:
    report = preflight_report(probes(), "strict", {})
    assert (report["reference"], report["empty"], report["cheats"]) == (1.0, 0.0, {"or True": 0.0})
    assert [report[f"constant{end}"] for end in ("", "_right", "_rate")] == ["0", 1, 0.5]
    preflight_report(probes(reference=False), "strict", {"b": "known to be wrong"})
    preflight_report(probes(cheat=True), "official", {})
    for given, reason in (
        (probes(reference=False), "the reference 'reference' fails 1 of 2 times, first b"),
        (probes(empty=True), "the empty 'empty' passes 2 of 2"),
        (probes(cheat=True), "the cheat 'or True' passes 2 of 2"),
        ([], "no reference solution"),
    ):
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
    good, bad, slightly = (
        run(tmp_path / name, set(right))
        for name, right in (("good", range(100)), ("bad", range(60)), ("same", range(2, 101)))
    )
    (worse,) = compare(good, bad)
    assert (worse.worse, worse.tasks) == (True, 200)
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
    verdicts = good / "06_reasoning" / "verdicts_cruxeval-o.jsonl"
    other = write(tmp_path / "o.jsonl", [{"task_id": "x", "passed": True, "status": "passed"}])
    (tmp_path / "empty").mkdir()
    (tmp_path / "e.jsonl").write_text("")
    for a, b, why in (
        (good, tmp_path / "empty", "no metric in common"),
        (good, tmp_path / "absent", "no such run"),
        (verdicts, other, "no task in common"),
        (verdicts, tmp_path / "e.jsonl", "is empty"),
    ):
        with pytest.raises(UserError, match=why):
            compare(a, b)
