"""The sandbox's bench: what it counts as distinct, and what it says of peers that are absent."""

from __future__ import annotations

import sys

import pytest

from semcoder_lib.__main__ import BENCHES, main
from semcoder_lib.run.bench import sandbox, sandbox_peers
from semcoder_lib.sandbox import Job


def test_as_many_distinct_jobs_as_it_says() -> None:
    jobs = [Job(f"def f(): return {i}", "f") for i in range(7)]
    assert len({job.source for job in sandbox._distinct(jobs, 3, 40)}) == 40
    assert [job.source for job in sandbox._cut(jobs, 1, 9)][6:] == [j.source for j in jobs[1:4]]


def test_an_absent_evalplus_is_named_with_its_remedy() -> None:
    for python in ("/no/such/python", sys.executable):
        rows: list[tuple[str, float, str]] = []
        notes: list[str] = []
        sandbox_peers.evalplus(python, 1, rows, notes)
        if rows:
            pytest.skip("EvalPlus is installed here")
        assert python in notes[0]
        assert "--evalplus" in notes[0]


@pytest.mark.parametrize("what", BENCHES)
def test_an_option_that_a_bench_does_not_know_is_one_line(
    what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", what, "--no-such-option"]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert f"bench {what}: unrecognized arguments: --no-such-option" in said.err
