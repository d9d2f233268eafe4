"""The attack suite: every program contained, with the right kind of verdict, at levels full and
no-namespaces, as root and as an ordinary user; level portable's known breaches, asserted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attacks import Attack, catalogue
from attacks.arena import SLOW, Arena, at_level

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
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    at_level(request.param, workers=1).close()
    with contextlib.closing(Arena(request.param)) as arena:
        yield arena


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


def rows_of(arguments: Sequence[str], environment: dict[str, str], *, listed: bool = False) -> int:
    """Runs the arena in a process of its own and checks what it says: each attack's verdict is of
    the right kind and it had no effects, or, where they are `listed`, exactly these. How many had
    any."""
    done = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, cwd="/", timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    by_name, rows = {a.name: a for a in ALL}, [json.loads(r) for r in done.stdout.splitlines()]
    assert rows
    for row in rows:
        attack = by_name[row["name"]]
        breach = attack.breach.split(", ") if listed and attack.breach else []
        sure = [effect for effect in breach if not effect.startswith("(")]
        either_way = {effect.strip("()") for effect in breach} - set(sure)
        assert [e for e in row["effects"] if e not in either_way] == sure, row
        lost = "runner killed" in sure and row["verdict"] == "sandbox_lost"
        assert row["verdict"] in attack.expect or lost, row
    return sum(bool(row["effects"]) for row in rows)


@pytest.mark.parametrize(
    "arguments",
    [
        ("full", "peeking,processes,network"),
        pytest.param(("full",), marks=pytest.mark.slow),
        pytest.param(("no-namespaces",), marks=pytest.mark.slow),
    ],
)
def test_contained_for_an_ordinary_user(arguments: tuple[str, ...]) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("already an ordinary user, or no setpriv to become one")
    become = [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
        "--bounding-set=-all",
    ]  # fmt: skip
    environment = {"PYTHONPATH": f"{HERE}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    probe = (
        "import subprocess, sys, semcoder_lib; assert sys.version_info >= (3, 11); "
        "subprocess.run([sys._base_executable, '-c', ''], check=True)"
    )
    for python in (sys.executable, "/usr/bin/python3"):
        test = [*become, python, "-c", probe]
        if subprocess.run(test, env=environment, capture_output=True, cwd="/").returncode == 0:
            rows_of([*become, python, "-m", "attacks.arena", *arguments], environment)
            return
    pytest.skip("no Python 3.11+ and checkout that another user may read")


@pytest.mark.parametrize("waiting", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_portable_lets_through_what_is_listed_and_no_more(waiting: bool) -> None:
    """In a jail of its own, since this level contains nothing."""
    jail = ["unshare", "-pf", "--mount-proc", "--kill-child"]
    if os.geteuid() != 0:
        jail.insert(1, "-Ur")
    if shutil.which("unshare") is None or subprocess.run([*jail, "true"]).returncode != 0:
        pytest.skip("no PID namespace to jail it in")
    threats = ",".join(sorted({a.threat for a in ALL} - set(LIMITED)))
    arguments = ["portable"] if waiting else ["portable", threats, *SLOW]
    # the environment that a process began with is what /proc shows to others
    secret = {"ARENA_SECRET": "secret-0123456789abcdef", "PYTHONPATH": f"{HERE}:{ROOT}"}
    command = [*jail, sys.executable, "-m", "attacks.arena", *arguments]
    assert rows_of(command, {**os.environ, **secret}, listed=True) > 15
