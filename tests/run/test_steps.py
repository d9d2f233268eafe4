"""What a step depends on: each change redoes it, and says why; nothing else does."""

from __future__ import annotations

import dataclasses
import functools
import json
import linecache
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
WORDS = {"a", "b", "c", "d"}  # in another order in each process
known = importlib.metadata.version
if len(sys.argv) > 3:
    importlib.metadata.version = lambda name: sys.argv[3] if name == "numpy" else known(name)


def listed(source, count):
    """Says something of a file and of a table."""
    values = json.loads(source.read_text())
    assert WORDS
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


DATA, HOMES, CODE = (
    f"semcoder_lib/evaluation/{n}" for n in ("data.py", "homes.yaml", "scoring.py")
)
NOT_ITS_OWN = "x.jsonl is not what it wrote"
EDITS = [  # file, what is replaced by what, and what becomes of the step
    (DATA, "import gzip", "import gzip  # to read", "read back"),
    (DATA, "The data files", "All data files", "read back"),
    (HOMES, "- name:", "# a table\n- name:", "read back"),
    ("semcoder_lib/faults/build.py", "PASSES = 8", "PASSES = 9", "read back"),
    (CODE, "= 10_000", "= 9_000", "code evaluation/scoring.py changed"),
    (HOMES, "licence: ", "licence: not ", "code evaluation/homes.yaml changed"),
    ("script.py", '{"mean": mean}', '{"mean": mean, "more": 1}', "code listed() changed"),
    ("script.py", "Says something", "Says more", "read back"),
    ("in.json", "2", "3", "argument input 1 changed"),
    ("out/x.jsonl", "1.5", "2.5", NOT_ITS_OWN),
    ("out/steps/x.jsonl.json", "{", "", "it was not done before"),
]
CHANGES: dict[str, tuple[Callable[[Place], object], str]] = {
    "nothing": (lambda p: None, "read back"),
    "a setting": (lambda p: setattr(p, "count", 4), "argument count changed"),
    "a newer package": (lambda p: setattr(p, "numpy", "99.0"), "package numpy changed"),
    "a truncated result": (lambda p: os.truncate(p.folder / "out/x.jsonl", 20), NOT_ITS_OWN),
    "a lost result": (lambda p: (p.folder / "out/x.jsonl").unlink(), NOT_ITS_OWN),
    **{
        f"{e[0]}: {e[1]} to {e[2]}": (lambda p, e=e: edit(p.folder / e[0], e[1], e[2]), e[3])
        for e in EDITS
    },
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    place = Place(tmp_path_factory.mktemp("step") / "place")
    first = place.run()
    assert str(first["lines"]).startswith("['x.jsonl: done in")
    return place.folder, first


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


@dataclasses.dataclass(frozen=True)
class Point:
    x: int

    def moved(self, by: int) -> int:
        return self.x + by


def using(constant: str) -> Any:
    """A function of a notebook that uses a constant of it, `K`."""
    cell = f"K = {constant}\ndef used():\n    return [str(K) for _ in 'ab']\n"
    cell += "def make(n):\n    return lambda: n\n"
    linecache.cache["<cell>"] = (len(cell), None, cell.splitlines(keepends=True), "<cell>")
    names = {**globals(), "__name__": "notebook"}
    exec(compile(cell, "<cell>", "exec"), names)
    return names["used"]


CONSTANTS = [
    ("(1, 2)", "(1, 3)"), ("1.5", "2.5"), ("b'a'", "b'b'"), ("{1: None}", "{1: 0}"),
    ("{'a', ('b', 1)}", "{'a', ('b', 2)}"), ("frozenset({Point(1)})", "frozenset({Point(2)})"),
    ("re.compile('a')", "re.compile('a', re.I)"), ("Path('a')", "Path('b')"),
    ("Path(__file__)", "Path(__file__).with_name('test_face.py')"), ("os.getpid", "os.getppid"),
    ("functools.partial(pow, 2)", "functools.partial(pow, 3)"), ("'a'.join", "'b'.join"),
    ("functools.cache(lambda: 1)", "functools.cache(lambda: 2)"),
    ("Point(1).moved", "Point(2).moved"), ("{'f': lambda: 1}", "{'f': lambda: 2}"),
]  # fmt: skip


@pytest.mark.parametrize(("constant", "edited"), CONSTANTS)
def test_a_constant_of_the_notebook_counts(constant: str, edited: str, tmp_path: Path) -> None:
    lines: list[str] = []
    for text in (constant, constant, edited):
        Steps(tmp_path, lines.append).step("x.json", using(text))
    assert lines[1] == "x.json: read back"
    assert re.fullmatch(r"x.json: done again, since code .* changed", lines[2])


def test_what_is_bound_to_a_function_counts(tmp_path: Path) -> None:
    lines: list[str] = []
    make = using("0").__globals__["make"]
    for bound in (2, 3):
        partial = functools.partial(functools.partial(max, bound), 1, key=int)
        Steps(tmp_path, lines.append).step("partial.json", partial)
        Steps(tmp_path, lines.append).step("method.json", Point(bound).moved, 1)
        Steps(tmp_path, lines.append).step("closure.json", make(bound))
    again = [line.partition(", since ")[2] for line in lines if "again" in line]
    assert again == ["argument input 1 changed", "argument input 1 changed", "code n changed"]


@pytest.mark.parametrize(
    "constant",
    ["threading.Lock()", "iter([])", "[]; K.append(K)", "type('K', (), {})", "eval('lambda: 1')"],
)
def test_what_cannot_be_compared_is_refused(constant: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="argument of type Event has no content"):
        Steps(tmp_path, print).step("x.json", len, threading.Event())
    with pytest.raises(TypeError, match=r"uses K, of type|cannot follow the class K|text of <lam"):
        Steps(tmp_path, print).step("x.json", using(constant))


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    kept = Steps(tmp_path, lambda line: None)
    assert kept.step("x.json", sorted, [2, 1]) == [1, 2]
    with pytest.raises(TypeError):
        kept.step("x.json", sorted, [2, "1"])
    with pytest.raises(UserError, match=r"x\.json"):
        read(tmp_path / "x.json")
    assert kept.step("x.json", sorted, [2, 1]) == [1, 2]
