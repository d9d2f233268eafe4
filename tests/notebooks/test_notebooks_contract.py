"""The notebooks keep their form: parameters first, card last, short cells, more prose than code."""

from __future__ import annotations

import ast
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest

from semcoder_lib.run.notebook import NAMES

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = [FOLDER / f"{name}.ipynb" for name in NAMES]


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_there_are_ten_and_no_other() -> None:
    assert sorted(FOLDER.glob("*.ipynb")) == sorted(NOTEBOOKS)


def test_the_notebooks_are_built_from_their_masters() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "build.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def lines_of(notebook: nbformat.NotebookNode, kind: str) -> list[int]:
    """How long the cells of a kind are, blank lines left out."""
    cells = [c for c in notebook.cells if c.cell_type == kind]
    return [sum(1 for line in c.source.splitlines() if line.strip()) for c in cells]


def test_title_parameters_begin_card(notebook: nbformat.NotebookNode, request: Any) -> None:
    cells = code_cells(notebook)
    assert notebook.cells[0].source.startswith("# ")
    assert cells[0].metadata.tags == ["parameters"]
    names = [
        t.id for node in ast.parse(cells[0].source).body if isinstance(node, ast.Assign)
        for t in node.targets if isinstance(t, ast.Name)
    ]  # fmt: skip
    assert names == ["profile", "run_name", "settings"]
    name = request.node.callspec.params["notebook"].stem
    assert f'run = begin("{name}", profile, run_name, settings)' in cells[1].source
    assert "run.finish(" in cells[-1].source
    titles = [c.source.splitlines()[0] for c in notebook.cells if c.cell_type == "markdown"]
    assert titles[-2:] == ["## Things to try", "## The card"]


def test_short_cells_and_no_outputs(notebook: nbformat.NotebookNode) -> None:
    lengths = lines_of(notebook, "code")
    assert max(len(c.source.splitlines()) for c in code_cells(notebook)) <= 30
    assert sum(lengths) / len(lengths) <= 12
    assert all(not c.outputs and c.execution_count is None for c in code_cells(notebook))


def test_all_notebooks_have_more_prose_than_code() -> None:
    """In words; and as many lines in cells as can be read in a day."""
    notebooks = [nbformat.read(path, as_version=4) for path in NOTEBOOKS]
    words = Counter[str]()
    for cell in itertools.chain.from_iterable(n.cells for n in notebooks):
        words[cell.cell_type] += len(cell.source.split())
    assert words["markdown"] > 1.2 * words["code"]
    lines = [sum(lines_of(n, kind)) for n in notebooks for kind in ("code", "markdown")]
    assert 2_000 <= sum(lines) <= 3_000


def test_imports_come_from_the_library_or_python(notebook: nbformat.NotebookNode) -> None:
    known = {"semcoder_lib", *sys.stdlib_module_names}
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= known


def test_solutions_and_the_instructors_words_are_folded(notebook: nbformat.NotebookNode) -> None:
    for before, cell in itertools.pairwise(notebook.cells):
        tags = cell.metadata.get("tags", [])
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == ("solution" in tags)
        assert before.source.count("unfold the cell below") == ("solution" in tags)
        assert cell.source.startswith("<details><summary>") == ("instructor" in tags)


def test_no_absolute_paths(notebook: nbformat.NotebookNode) -> None:
    text = json.dumps(notebook)
    for start in ("/home/", "/root/", "/work/", "/tmp/", "C:\\\\"):
        assert start not in text
