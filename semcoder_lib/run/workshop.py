"""Builds the workshop from the masters: exercises, solutions, the instructor's edition.

An exercise is four cells of a master that follow each other, told apart by their tags: `exercise`
(markdown, the task), `solution` (code: one function whose docstring states the task, or one
assignment), `check` (code: calls `check.eNN_k` with the solution), `instructor` (markdown: minutes,
what to say). In the exercises a solution is a stub, and the instructor's cells are missing.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import re
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.run import check, models, notebook
from semcoder_lib.run.doctor import Check

PARTS = {"exercise": "markdown", "solution": "code", "check": "code", "instructor": "markdown"}
KNOWN = ["parameters", *PARTS]
EDITIONS = ("exercises", "solutions", "instructor")
PREPARED = ("01_pyx", "02_monologues", "03_pyx_r")  # what the class finds done
REMEDY = "./run_all.sh workshop (it removes the training); for the checks see docs/sandbox.md"


def build(out: Path) -> dict[str, Any]:
    """Write all editions of all notebooks to the folder, and say how many exercises each has.
    Raises UserError, before anything is written, for tags that do not fit, and for an exercise
    notebook that is there and differs: somebody's answers may be in it."""
    masters = {name: read(name) for name in notebook.NAMES}
    texts = {
        f"{edition}/{name}.ipynb": _text(edited(master, edition))
        for name, master in masters.items()
        for edition in EDITIONS
    }
    for place, text in texts.items():
        path = out / place
        if place.startswith("exercises/") and path.exists() and path.read_text("utf-8") != text:
            raise UserError(f"{path} has been worked on, or is older: move {path.parent} away")
    for place, text in texts.items():
        workspace.write_text(out / place, text)
    counts = {name: len(exercises(name, master)) for name, master in masters.items()}
    return {
        "workshop": str(out),
        "exercises": {name: count for name, count in counts.items() if count},
    }


def read(name: str) -> Any:
    """A master as a notebook: cells with their tags, without outputs."""
    import jupytext
    import nbformat

    master = jupytext.read(notebook.folder() / f"{name}.py")
    for place, cell in enumerate(master.cells):
        tags = cell.metadata.get("tags", [])
        cell["id"] = f"{name[:2]}-{place}"
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    master.metadata = nbformat.from_dict({"kernelspec": kernel})
    master.nbformat, master.nbformat_minor = 4, 5
    exercises(name, master)
    return master


def exercises(name: str, master: Any) -> list[dict[str, Any]]:
    """The cells of each exercise, by tag. Raises UserError, with notebook and cell, for tags that
    are unknown, out of order or left alone, and for cells that are not what their tag says."""
    groups: list[dict[str, Any]] = []
    order = list(PARTS)
    due = order[0]
    for place, cell in enumerate(master.cells, 1):
        where, tags = f"{name}, cell {place}", cell.metadata.get("tags", [])
        if len(tags) > 1 or set(tags) - {*KNOWN}:
            raise UserError(f"{where}: tagged {', '.join(tags)}, not one of {', '.join(KNOWN)}")
        tag = "".join(set(tags) & PARTS.keys())
        if (tag or due != order[0]) and (tag, cell.cell_type) != (due, PARTS[due]):
            raise UserError(f"{where}: a {PARTS[due]} cell tagged {due!r} has to come here")
        if not tag:
            continue
        if tag == "exercise":
            groups.append({})
        groups[-1][tag] = cell
        if tag == "solution":
            stub(cell.source, where)
        if tag == "check":
            defined = re.findall(r"^(?:def )?(\w+)", groups[-1]["solution"].source, re.M)[0]
            call = f"check.e{name[:2]}_{len(groups)}({defined})"
            if cell.source.splitlines()[-1] != call:
                raise UserError(f"{where}: its last line has to be {call}")
        due = order[(order.index(tag) + 1) % len(order)]
    if due != order[0]:
        raise UserError(f"{name}, last cell: {due!r} is missing")
    return groups


def edited(master: Any, edition: str) -> Any:
    """The master as one of EDITIONS, with the class's profile."""
    book = copy.deepcopy(master)
    for cell in book.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace('"smoke"', '"workshop"', 1)
    if edition != "instructor":
        book.cells = [c for c in book.cells if "instructor" not in c.metadata.get("tags", [])]
    if edition == "exercises":
        for cell in book.cells:
            if "solution" in cell.metadata.get("tags", []):
                cell.source = stub(cell.source)
    return book


def stub(source: str, where: str = "a solution") -> str:
    """What a student finds in place of a solution: the function's signature and docstring, or the
    name without its value. Raises UserError for a cell that is neither."""
    body: list[ast.stmt] = []
    with contextlib.suppress(SyntaxError):
        body = ast.parse(source).body
    match body:
        case [ast.Assign(targets=[ast.Name(id=name)])]:
            return f"{name} = None  # yours"
        case [ast.FunctionDef(body=[ast.Expr() as text, _, *_]) as node] if ast.get_docstring(node):
            head = source.splitlines()[node.lineno - 1 : text.end_lineno]
            return "\n".join([*head, "    raise NotImplementedError"])
    raise UserError(
        f"{where}: a solution is one function with a docstring and a body, or one assignment"
    )


def checklist(out: Path = Path("workshop"), run: str = "workshop") -> list[Check]:
    """What a class needs beside what the doctor examines, as its lines."""
    profile, home, count = notebook.configured("workshop"), workspace.Run(run), len(notebook.NAMES)
    reasons = [notebook.out_of_date(home.path, name, profile) for name in PREPARED]
    late = "; ".join(f"{n} {why}" for n, why in zip(PREPARED, reasons, strict=True) if why)
    books = sum(len(list((out / edition).glob("*.ipynb"))) for edition in EDITIONS)
    shown = [n for n in notebook.NAMES if (home.path / "notebooks" / f"{n}.html").is_file()]
    pages = sum(n == "04_sft" or not notebook.out_of_date(home.path, n, profile) for n in shown)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        check.e00_2("xxyzyx")
    line, trained = printed.getvalue().strip(), home.path / "04_sft"
    cached = (workspace.home() / "models" / profile.model).is_dir()
    adapter = models.shipped(profile) is not None
    lines = [
        ("prepared", not late, late or f"run {run}: corpus, monologues, faults"),
        ("editions", books == len(EDITIONS) * count, f"{books} notebooks in {out}"),
        ("pages", pages == count, f"{pages} of {count} notebooks of the run"),
        ("offline", cached, f"{'the' if cached else 'no'} model in the cache"),
        ("adapter", adapter, f"{'the' if adapter else 'no'} shipped one in adapters/"),
        ("checks", line.startswith("right"), line),
        ("training", not trained.exists(), f"{trained} is to be left to the class"),
    ]
    bad = {"training": "warn"}
    return [Check(n, "ok" if good else bad.get(n, "fail"), w, REMEDY) for n, good, w in lines]


def _text(book: Any) -> str:
    import nbformat

    nbformat.validate(book)
    return str(nbformat.writes(book)) + "\n"
