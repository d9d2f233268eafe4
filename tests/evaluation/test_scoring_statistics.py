from __future__ import annotations

import itertools
import random

import pytest
from scipy import stats

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation.scoring import (
    flip_rate,
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


def test_pass_at_k_refuses_nonsense() -> None:
    for n, c, k in ((3, 4, 1), (3, 1, 4), (3, 1, 0), (0, 0, 1)):
        with pytest.raises(UserError):
            pass_at_k(n, c, k)


def test_task_rates_leave_out_uncounted() -> None:
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


def test_interval_of_clusters_is_wider() -> None:
    values = [1.0] * 50 + [0.0] * 50
    clusters = [i // 10 for i in range(100)]
    loose = mean_interval(values, clusters)
    tight = mean_interval(values)
    assert loose.n == 10
    assert tight.n == 100
    assert loose.half_width > 2 * tight.half_width
    assert loose.value == tight.value == 0.5


def test_interval_is_repeatable_and_honest_at_the_ends() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    none = mean_interval([0.0] * 100)
    low, high = stats.binomtest(0, 100).proportion_ci(method="exact")
    assert (none.low, none.high) == pytest.approx((low, high))
    one = mean_interval([1.0])
    assert (one.low, one.high) == (0.0, 1.0)
    with pytest.raises(UserError):
        mean_interval([])
    with pytest.raises(UserError):
        mean_interval([1.0, 0.0], clusters=["a"])


def test_paired_difference() -> None:
    draw = random.Random(1)
    a = {f"t{i}": float(draw.random() < 0.5) for i in range(300)}
    b = {name: 1.0 if draw.random() < 0.2 else value for name, value in a.items()}
    found = paired_difference(a, {**b, "only b": 0.0})
    assert found.n == 300
    assert found.low > 0
    assert found.value == pytest.approx(sum(b[t] - a[t] for t in a) / 300)
    assert paired_difference(list(a.values()), list(b.values())) == found
    backwards = paired_difference(b, a)
    assert backwards.value == pytest.approx(-found.value)
    same = paired_difference(a, a)
    assert same.low < 0 < same.high
    for bad in (({"x": 1.0}, {"y": 1.0}), ([1.0], [1.0, 0.0]), ({"x": 1.0}, [1.0])):
        with pytest.raises(UserError):
            paired_difference(*bad)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (5, 1), (12, 30), (40, 41)])
def test_mcnemar_is_exact(x: int, y: int) -> None:
    a = [1.0] * x + [0.0] * y + [1.0] * 7
    b = [0.0] * x + [1.0] * y + [1.0] * 7
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b) == (x, y)
    expected = stats.binomtest(x, x + y, 0.5).pvalue if x + y else 1.0
    assert found.p_value == pytest.approx(expected)


def test_mcnemar_of_many() -> None:
    assert mcnemar([1.0] * 3000 + [0.0] * 100, [0.0] * 3000 + [1.0] * 100).p_value < 1e-300


def test_flip_rate() -> None:
    first = [verdict("a", True), verdict("b", False)]
    assert flip_rate([first, first, first]) == 0.0
    assert flip_rate([first, [verdict("a", True), verdict("b", True)]]) == 0.5
    broken = [verdict("a", True), Verdict("b", False, Status.INFRASTRUCTURE)]
    assert flip_rate([[verdict("a", True), verdict("b", True)], broken]) == 0.0
    for bad in ([first], [first, first[:1]]):
        with pytest.raises(UserError):
            flip_rate(bad)
