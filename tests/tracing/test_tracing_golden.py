"""The traces that are written down, the same on every interpreter; and tracing changes nothing of a
program: value, exception, printed text and status are as without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from examples import GOLDEN, HERE, THREADS, traces

from semcoder_lib.sandbox import Job, Sandbox
from semcoder_lib.tracing import PLUGIN, options
from tests.bench.timing import cruxeval

WANTED = {
    **{e.name: e.sections["trace"] for e in GOLDEN},
    **{e.name: e.sections["frames"] for e in THREADS},
}


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return traces()


@pytest.mark.parametrize("name", WANTED)
def test_trace_of(name: str, here: dict[str, str]) -> None:
    assert here[name] == WANTED[name]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_other_interpreters_give_the_same_traces(version: str) -> None:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        pytest.skip(f"this is Python {version}")
    found = interpreter(version)
    if found is None:
        pytest.skip(f"no Python {version} on this machine")
    done = subprocess.run(
        [found, str(HERE / "examples.py")],
        env={"PYTHONPATH": str(HERE.parents[1]), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == WANTED


def interpreter(version: str) -> str | None:
    """`python3.12` from PATH or from pyenv's versions, if it starts."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}")]
    candidates += [str(p) for p in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "-V"], capture_output=True).returncode == 0:
            return candidate
    return None


# --- beside the untraced run ---

Call = tuple[str, str, tuple[object, ...]]


def differences(calls: Sequence[Call], box: Sandbox, *, share: bool = False) -> list[str]:
    plain = box.map(Job(s, e, [a], share=share) for s, e, a in calls)
    traced = box.map(Job(s, e, [a], None, PLUGIN, options(s), share) for s, e, a in calls)
    pairs = zip([o for (o,) in plain], [o for (o,) in traced], calls, strict=True)
    found = []
    for untraced, seen, (source, _, _) in pairs:
        pair = ((o.status, o.text, o.stdout, o.exception) for o in (untraced, seen))
        if next(pair) != next(pair) or seen.payload is None:
            found.append(f"{untraced}\n{seen}\n{source}")
    return found


def test_golden_programs_and_prints(box: Sandbox) -> None:
    calls: list[Call] = [(e.source, "f", e.arguments) for e in GOLDEN]
    calls += [
        ("def f(x):\n    print('a')\n    y = x\n    print('b', end='')\n    return y\n", "f", (1,)),
        ("def f():\n    raise KeyError('k')\n", "f", ()),
        ("def f():\n    raise SystemExit(3)\n", "f", ()),
        ("def f(n):\n    return f(n + 1)\n", "f", (0,)),
        ("import sys\n\ndef f():\n    return sys.gettrace() is None or True\n", "f", ()),
        ("def f(x):\n    return [locals() for _ in x][:0], sorted(locals())\n", "f", ([1],)),
    ]
    assert differences(calls, box) == []


def test_synthesised_programs(box: Sandbox) -> None:
    seeds = pytest.importorskip("semcoder_lib.corpus.seeds")
    calls: list[Call] = []
    for program in seeds.synthesise(20, 7):
        for given in ((), (3,), ([2, 1],), ("ab",), ([1, 2], 2), (4, 5), ("a b", "b")):
            calls.append((program.source, program.entry_point, given))
    assert differences(calls, box) == []


@pytest.mark.data
@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_cruxeval(box: Sandbox, step: int) -> None:
    calls = [(source, "f", given) for source, given in cruxeval()]
    assert len(calls) > 780
    assert differences(calls[::step], box) == []
