"""The compiled part of the tracer records the same bytes as the Python it stands in for."""

from __future__ import annotations

import contextlib
import copy
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from edge_programs import EDGES
from golden_programs import PROGRAMS
from test_tracing_differential import cruxeval

from semcoder_lib.sandbox import Job, Sandbox
from semcoder_lib.tracing import PLUGIN, TraceLimits, build, child, compiled
from semcoder_lib.tracing.local import load

needs_build = pytest.mark.skipif(
    compiled.native is None, reason=f"the tracer is Python here: {compiled.why}"
)
NOT_HERE = ("there is no C compiler", "Python's headers are not installed")
Call = tuple[str, tuple[Any, ...]]
LIMITS = [
    TraceLimits(),
    TraceLimits(value_nodes=20, value_bytes=120),
    TraceLimits(bytes=300),
    TraceLimits(steps=7),
]


def payload(source: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    held: list[str] = []
    with contextlib.suppress(Exception):  # of the program
        child.call(load(source, "f"), copy.deepcopy(arguments), options, held.append)
    return re.sub(r"0x[0-9a-f]+", "0x", held[0])


def both(limits: TraceLimits) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of a compiled and of a Python trace, whatever the environment says."""
    options = {**limits.as_options(), "tracer": ""}
    return options, {**options, "tracer": "python"}


def differing(calls: Iterable[Call], limits: TraceLimits) -> list[str]:
    quick, plain = both(limits)
    assert compiled.usable(quick)
    assert not compiled.usable(plain)
    return [s for s, given in calls if payload(s, given, quick) != payload(s, given, plain)]


@needs_build
@pytest.mark.parametrize("limits", LIMITS)
def test_golden_programs_give_the_same_bytes(limits: TraceLimits) -> None:
    assert differing(PROGRAMS.values(), limits) == []


@needs_build
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("name", EDGES)
def test_edges_give_the_same_bytes(name: str, limits: TraceLimits) -> None:
    assert differing([EDGES[name]], limits) == []


@needs_build
@pytest.mark.data
@pytest.mark.parametrize("limits", LIMITS[:2])
def test_cruxeval_gives_the_same_bytes(limits: TraceLimits) -> None:
    calls = [(source, given) for source, _, given in cruxeval()]
    assert len(calls) == 789
    assert differing(calls, limits) == []


@needs_build
def test_the_same_bytes_inside_the_sandbox(tracing_box: Sandbox) -> None:
    found = []
    for chosen in both(TraceLimits()):
        jobs = [Job(s, "f", [a], None, PLUGIN, chosen) for s, a in PROGRAMS.values()]
        found.append([outcome.payload for (outcome,) in tracing_box.map(jobs)])
    assert found[0] == found[1]
    assert None not in found[0]
    look = f"import sys\ndef f(): return sys.modules[{compiled.__name__!r}].native is not None"
    ((outcome,),) = tracing_box.map([Job(look, "f", [()], None, PLUGIN, both(TraceLimits())[0])])
    assert outcome.value is True  # the zygote has it, so two tracers were compared


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_TRACER", "python")
    assert not compiled.usable(TraceLimits().as_options())


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources, without a build."""
    for name in compiled._SOURCES:
        shutil.copy(Path(compiled.__file__).with_name(name), tmp_path)
    monkeypatch.setattr(compiled, "_FOLDER", str(tmp_path))
    return tmp_path


def test_without_a_build_the_tracer_is_python(elsewhere: Path) -> None:
    assert compiled._load() == (None, "not built")


def test_a_stale_build_is_ignored_and_removed(elsewhere: Path) -> None:
    reason = build.build()
    if reason in NOT_HERE:
        pytest.skip(reason)
    assert reason == ""  # a compiler that is there must not fail silently
    assert compiled._load()[0] is not None
    (elsewhere / "recorder.py").open("a").write("# changed\n")
    assert compiled._load() == (None, "not built")
    assert build.build() == ""
    assert len(list(elsewhere.glob("*.so"))) == 1


def test_a_broken_build_is_not_loaded(elsewhere: Path) -> None:
    Path(compiled.path()).write_bytes(b"no library")
    native, why = compiled._load()
    assert native is None
    assert "does not load" in why


def test_the_build_says_why_it_fails(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (elsewhere / "_native.c").open("a") as file:
        file.write("#error on purpose\n")
    assert build.build() != ""
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("PATH", str(elsewhere))
    assert build.build() in NOT_HERE
    assert not list(elsewhere.glob("*.so"))
