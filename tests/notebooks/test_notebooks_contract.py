"""The notebooks keep their form: parameters first, doctor second, card last, short, no outputs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from semcoder_lib.run import stages

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = [FOLDER / f"{s.label}.ipynb" for s in stages.STAGES.values()]


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_each_stage_has_its_notebook_and_no_other_exists() -> None:
    assert sorted(FOLDER.glob("*.ipynb")) == sorted(NOTEBOOKS)


def test_the_notebooks_are_built_from_their_masters() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "build.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_parameters_doctor_card(notebook: nbformat.NotebookNode) -> None:
    cells = code_cells(notebook)
    assert cells[0].metadata.tags == ["parameters"]
    names = [
        t.id for node in ast.parse(cells[0].source).body if isinstance(node, ast.Assign)
        for t in node.targets if isinstance(t, ast.Name)
    ]  # fmt: skip
    assert names == ["profile", "run_name", "settings"]
    assert "doctor.examine" in cells[1].source
    assert "session.settings()" in cells[1].source
    assert "session.finish()" in cells[-1].source


def test_short_cells_and_no_outputs(notebook: nbformat.NotebookNode) -> None:
    cells = code_cells(notebook)
    lines = [len(c.source.splitlines()) for c in cells]
    assert len(cells) <= 40
    assert sum(lines) / len(lines) <= 12
    assert all(not c.outputs and c.execution_count is None for c in cells)
    assert sum(1 for c in notebook.cells if c.cell_type == "markdown") >= 3


def test_imports_come_from_the_library_or_python(notebook: nbformat.NotebookNode) -> None:
    known = {"semcoder_lib", *sys.stdlib_module_names}
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= known


def test_no_absolute_paths(notebook: nbformat.NotebookNode) -> None:
    text = json.dumps(notebook)
    for start in ("/home/", "/root/", "/work/", "/tmp/", "C:\\\\"):
        assert start not in text
