"""The same traces on every interpreter, and the ones that are written down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from examples import GOLDEN, HERE, THREADS, traces

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
