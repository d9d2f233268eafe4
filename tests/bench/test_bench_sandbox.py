"""The sandbox's bench: what it counts as distinct, and what it says of peers that are absent."""

from __future__ import annotations

import sys

import pytest

from semcoder_lib.__main__ import main
from semcoder_lib.bench import sandbox, sandbox_peers
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


def test_only_the_sandbox_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "tracing", "--evalplus", "python"]) != 0
    assert "bench sandbox" in capsys.readouterr().err
