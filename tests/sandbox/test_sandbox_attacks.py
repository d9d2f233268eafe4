"""The attack suite: every program contained, with the right kind of verdict, at levels full and
no-namespaces, as root and as an ordinary user; level portable's known breaches, asserted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks import Attack, catalogue
from attacks.arena import Arena

from semcoder_lib.core.errors import InfrastructureError

HERE = Path(__file__).parent
ALL = catalogue()
# By default those that end at once, and two that run into each kind of limit.
LIMITED = ("timing", "memory")
QUICK = [a for a in ALL if a.threat not in LIMITED]
QUICK += [a for a in ALL if a.threat in LIMITED and "timeout" not in a.expect]
QUICK += [a for a in ALL if a.name in ("while True", "sleep(1000)", "9**9**9")]
CONTROLS = [
    Attack("right", "def f(x): return x * x", ("passed",), threat="timing"),
    Attack("wrong", "def f(x): return x + 1", ("wrong",), threat="timing"),
]
QUICK += CONTROLS
USER = ["--threat", "peeking,processes,network"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    try:
        made = Arena(request.param)
    except InfrastructureError as error:
        pytest.skip(f"level {request.param} cannot be set up here: {error}")
    yield made
    made.close()


def test_there_are_enough_of_them() -> None:
    ours = [a for a in ALL if a.own]
    assert len(ALL) - len(ours) + 2 >= 71  # with the two controls
    assert len(ours) >= 20
    assert len({a.name for a in ALL}) == len(ALL)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(a, marks=[pytest.mark.slow] * (a not in QUICK), id=f"{a.threat}-{a.name}")
        for a in (*CONTROLS, *ALL)
    ],
)
def test_contained(arena: Arena, attack: Attack) -> None:
    result = arena.run(attack)
    assert result.effects == []
    assert result.verdict in attack.expect, result.note


def _as_user(*arguments: str) -> list[dict[str, Any]]:
    """The arena run by a user that owns nothing; skips where that cannot be arranged."""
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other tests cover it")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    become = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
        "--bounding-set=-all",
    ]  # fmt: skip
    environment = {"PYTHONPATH": f"{HERE}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (sys.executable, "/usr/bin/python3"):
        probe = (
            "import subprocess, sys, semcoder_lib; assert sys.version_info >= (3, 11); "
            "subprocess.run([sys._base_executable, '-c', ''], check=True)"
        )
        test = [*become, python, "-c", probe]
        if subprocess.run(test, env=environment, capture_output=True, cwd="/").returncode == 0:
            break
    else:
        pytest.skip("no Python 3.11+ and checkout that another user may read")
    return _rows([*become, python, "-m", "attacks.arena", *arguments, "--json"], environment)


def _rows(command: list[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd="/", timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _check(rows: list[dict[str, Any]]) -> None:
    by_name = {a.name: a for a in ALL}
    *results, last = rows
    assert results
    for row in results:
        attack = by_name[str(row["name"])]
        assert row["effects"] == [], row
        assert row["verdict"] in attack.expect, row
    assert last["unexpected"] == 0


def test_contained_for_an_ordinary_user() -> None:
    _check(_as_user("full", *USER))


@pytest.mark.slow
@pytest.mark.parametrize("level", ["full", "no-namespaces"])
def test_all_contained_for_an_ordinary_user(level: str) -> None:
    rows = _as_user(level)
    _check(rows)
    assert rows[-1]["level"] == level


def _portable(*arguments: str) -> list[dict[str, Any]]:
    """The arena in a jail of its own, since this level contains nothing."""
    jail = ["unshare", "-pf", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        jail.insert(1, "-Ur")
    if shutil.which("unshare") is None or subprocess.run([*jail, "true"]).returncode != 0:
        pytest.skip("no PID namespace to jail it in")
    command = [*jail, sys.executable, "-m", "attacks.arena", "portable", *arguments, "--json"]
    # the environment that a process began with is what /proc shows to others
    secret = {"ARENA_SECRET": "secret-0123456789abcdef"}
    *rows, _ = _rows(command, {**os.environ, **secret, "PYTHONPATH": f"{HERE}:{ROOT}"})
    return rows


def _as_listed(rows: list[dict[str, Any]]) -> None:
    """Exactly the listed effects, the right kind of verdict where there is none, nothing forged."""
    by_name = {a.name: a for a in ALL}
    for row in rows:
        attack = by_name[str(row["name"])]
        listed = attack.breach.split(", ") if attack.breach else []
        known = [effect for effect in listed if not effect.startswith("(")]
        either_way = {effect.strip("()") for effect in listed} - set(known)
        assert [e for e in row["effects"] if e not in either_way] == known, row
        lost = "runner killed" in known and row["verdict"] == "sandbox_lost"
        assert row["verdict"] in attack.expect or lost, row


def test_portable_lets_through_what_is_listed_and_no_more() -> None:
    threats = {a.threat for a in ALL} - set(LIMITED)
    rows = _portable("--quick", "--threat", ",".join(sorted(threats)))
    assert sum(bool(row["effects"]) for row in rows) > 15
    _as_listed(rows)


@pytest.mark.slow
def test_portable_with_those_that_wait() -> None:
    rows = _portable()
    assert len(rows) == len(ALL)
    _as_listed(rows)
