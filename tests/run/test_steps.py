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
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.run.steps import Steps, read

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = '''
import importlib.metadata, json
from pathlib import Path
from semcoder_lib.core.records import Case
from semcoder_lib.evaluation import data, scoring
from semcoder_lib.run.steps import Steps

here = Path(__file__).parent
SCALE, NUMPY = 1, ""
WORDS = {"a", "b", "c", "d"}  # in another order in each process
known = importlib.metadata.version
importlib.metadata.version = lambda name: NUMPY if name == "numpy" and NUMPY else known(name)


def listed(source, count):
    """Says something of a file and of a table."""
    values = json.loads(source.read_text())
    assert WORDS
    mean = scoring.mean_interval([float(v) for v in values]).value * SCALE
    return [Case((n, mean), sorted(data.HOMES)[n]) for n in range(count)], {"mean": mean}


lines = []
result = Steps(here / "out", lines.append).step("x.jsonl", listed, here / "in.json", count=3)
print(json.dumps({"lines": lines, "rows": len(result[0]), "first": str(result[0][0])}))
'''


def ran(place: Path) -> dict[str, Any]:
    """What the script says of its step."""
    return dict(json.loads(subprocess.check_output(
        [sys.executable, place / "script.py"], env=os.environ | {"PYTHONPATH": str(place)}
    )))  # fmt: skip


DATA, HOMES, CODE = (
    f"semcoder_lib/evaluation/{n}" for n in ("data.py", "homes.yaml", "scoring.py")
)
NOT_ITS_OWN = "x.jsonl is not what it wrote"
EDITS = [  # file, what is replaced by what (the file by nothing), and what becomes of the step
    (DATA, "import gzip", "import gzip  # to read", "read back"),
    (DATA, "The data files", "All data files", "read back"),
    (HOMES, "- name:", "# a table\n- name:", "read back"),
    ("semcoder_lib/faults/build.py", "PASSES = 8", "PASSES = 9", "read back"),
    (CODE, "= 10_000", "= 9_000", "code evaluation/scoring.py changed"),
    (HOMES, "licence: ", "licence: not ", "code evaluation/homes.yaml changed"),
    ("script.py", '{"mean": mean}', '{"mean": mean, "more": 1}', "code listed() changed"),
    ("script.py", "Says something", "Says more", "read back"),
    ("script.py", "count=3", "count=4", "argument count changed"),
    ("script.py", 'NUMPY = 1, ""', 'NUMPY = 1, "99.0"', "package numpy changed"),
    ("in.json", "2", "3", "argument input 1 changed"),
    ("out/x.jsonl", "1.5", "2.5", NOT_ITS_OWN),
    ("out/x.jsonl", "1.5", None, NOT_ITS_OWN),
    ("out/steps/x.jsonl.json", "{", "", "it was not done before"),
]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A copy of the library, a script with one step, its input, and what it said first."""
    place, skip = tmp_path_factory.mktemp("step") / "place", shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "semcoder_lib", place / "semcoder_lib", ignore=skip)
    (place / "script.py").write_text(SCRIPT)
    (place / "in.json").write_text("[1, 2]")
    first = ran(place)
    assert first["lines"][0].startswith("x.jsonl: done in")
    return place, first


@pytest.mark.parametrize(("file", "old", "new", "expected"), EDITS)
def test_what_redoes_a_step(
    file: str, old: str, new: str | None, expected: str, done: tuple[Path, dict[str, Any]],
    tmp_path: Path,
) -> None:  # fmt: skip
    place = Path(shutil.copytree(done[0], tmp_path / "place"))
    text = (place / file).read_text()
    assert old in text
    (place / file).unlink() if new is None else (place / file).write_text(text.replace(old, new, 1))
    again = ran(place)
    assert expected in again["lines"][0], again["lines"]
    if expected == "read back":  # fresh or read back, the result is the same
        assert {**again, "lines": []} == {**done[1], "lines": []}
    else:
        assert ran(place)["lines"] == ["x.jsonl: read back"]


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
