"""What a step depends on: each change redoes it, and says why; nothing else does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.run.steps import Steps, read

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = '''
import importlib.metadata, json, sys
from pathlib import Path
from semcoder_lib.core.records import Case
from semcoder_lib.evaluation import data, scoring
from semcoder_lib.run.steps import Steps

place = Path(sys.argv[1])
count = int(sys.argv[2])
SCALE = 1
known = importlib.metadata.version
if len(sys.argv) > 3:
    importlib.metadata.version = lambda name: sys.argv[3] if name == "numpy" else known(name)


def listed(source, count):
    """Says something of a file and of a table."""
    values = json.loads(source.read_text())
    mean = scoring.mean_interval([float(v) for v in values]).value * SCALE
    return [Case((n, mean), sorted(data.HOMES)[n]) for n in range(count)], {"mean": mean}


lines = []
result = Steps(place / "out", lines.append).step("x.jsonl", listed, place / "in.json", count=count)
print(json.dumps({"lines": lines, "rows": len(result[0]), "first": str(result[0][0])}))
'''


def edit(path: Path, old: str, new: str) -> int:
    text = path.read_text()
    assert old in text
    return path.write_text(text.replace(old, new, 1))


class Place:
    """A copy of the library, a script with one step, and its input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skip = shutil.ignore_patterns("__pycache__")
        self.library = Path(
            shutil.copytree(ROOT / "semcoder_lib", folder / "semcoder_lib", ignore=skip)
        )
        (folder / "script.py").write_text(SCRIPT)
        (folder / "in.json").write_text("[1, 2]")
        self.count, self.numpy = 3, ""

    def run(self) -> dict[str, object]:
        arguments = [str(self.folder), str(self.count), *([self.numpy] if self.numpy else [])]
        done = subprocess.run(
            [sys.executable, self.folder / "script.py", *arguments],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


CHANGES: dict[str, tuple[Callable[[Place], object], str]] = {
    "nothing": (lambda p: None, "read back"),
    "a comment and a docstring of its code": (
        lambda p: (
            edit(p.library / "evaluation/data.py", "import gzip", "import gzip  # to read"),
            edit(p.library / "evaluation/data.py", "The data files", "All data files"),
        ),
        "read back",
    ),
    "a comment of a table": (
        lambda p: edit(p.library / "evaluation/homes.yaml", "- name:", "# a table\n- name:"),
        "read back",
    ),
    "code that it cannot run": (
        lambda p: edit(p.library / "faults/build.py", "PASSES = 8", "PASSES = 9"),
        "read back",
    ),
    "a statement of its code": (
        lambda p: edit(p.library / "evaluation/scoring.py", "= 10_000", "= 9_000"),
        "code evaluation/scoring.py changed",
    ),
    "a row of a table": (
        lambda p: edit(p.library / "evaluation/homes.yaml", "licence: ", "licence: not "),
        "code evaluation/homes.yaml changed",
    ),
    "its own function": (
        lambda p: edit(p.folder / "script.py", '{"mean": mean}', '{"mean": mean, "more": 1}'),
        "code listed() changed",
    ),
    "its own constant": (
        lambda p: edit(p.folder / "script.py", "SCALE = 1", "SCALE = 2"),
        "code SCALE changed",
    ),
    "its own docstring": (
        lambda p: edit(p.folder / "script.py", "Says something", "Says more"),
        "read back",
    ),
    "a setting": (lambda p: setattr(p, "count", 4), "argument count changed"),
    "an input": (lambda p: (p.folder / "in.json").write_text("[1, 3]"), "argument input 1 changed"),
    "a newer package": (lambda p: setattr(p, "numpy", "99.0"), "package numpy changed"),
    "a truncated result": (
        lambda p: os.truncate(p.folder / "out/x.jsonl", 20), "x.jsonl is not what it wrote"),
    "a forged result": (
        lambda p: edit(p.folder / "out/x.jsonl", "1.5", "2.5"), "x.jsonl is not what it wrote"),
    "a lost result": (
        lambda p: (p.folder / "out/x.jsonl").unlink(), "x.jsonl is not what it wrote"),
    "a damaged note": (
        lambda p: (p.folder / "out/steps/x.jsonl.json").write_text("{"), "it was not done before"),
}  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    place = Place(tmp_path_factory.mktemp("step") / "place")
    return place.folder, place.run()


def test_the_first_time_it_is_done(done: tuple[Path, dict[str, object]]) -> None:
    assert str(done[1]["lines"]).startswith("['x.jsonl: done in")


@pytest.mark.parametrize("change", CHANGES)
def test_what_redoes_a_step(
    change: str, done: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    place = Place(tmp_path / "place")
    shutil.copytree(done[0] / "out", place.folder / "out")
    alter, expected = CHANGES[change]
    alter(place)
    again = place.run()
    assert expected in again["lines"][0], again["lines"]  # type: ignore[index]
    if expected == "read back":  # fresh or read back, the result is the same
        assert {**again, "lines": []} == {**done[1], "lines": []}
    else:
        assert place.run()["lines"] == ["x.jsonl: read back"]


def test_what_has_no_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="argument of type Event has no content"):
        Steps(tmp_path, print).step("x.json", len, threading.Event())


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    kept = Steps(tmp_path, lambda line: None)
    assert kept.step("x.json", sorted, [2, 1]) == [1, 2]
    with pytest.raises(TypeError):
        kept.step("x.json", sorted, [2, "1"])
    with pytest.raises(UserError, match=r"x\.json"):
        read(tmp_path / "x.json")
    assert kept.step("x.json", sorted, [2, 1]) == [1, 2]
