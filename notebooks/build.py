"""Builds NN_name.ipynb from its master NN_name.py (percent text), without outputs, and with the
solutions of its exercises folded.

python notebooks/build.py           write the notebooks
python notebooks/build.py --check   exit 1 and name those that differ from their master
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat

HERE = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
UNFOLD = "*Solution: unfold the cell below.*"
INSTRUCTOR = "<details><summary>For the instructor</summary>\n\n{}\n\n</details>"


def built(master: Path) -> str:
    """The notebook's JSON text: no outputs, no execution counts, ids that depend on the text."""
    notebook = jupytext.read(master)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
    fold(notebook.cells)
    for place, cell in enumerate(notebook.cells):
        digest = hashlib.sha256(f"{master.stem}:{place}:{cell.source}".encode()).hexdigest()
        cell["id"] = digest[:8]
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def fold(cells: list[Any]) -> None:
    """Hide what a reader is to find first: each solution, with a line before it that says so, and
    what is meant for the instructor. Code stays as it is."""
    for before, cell in itertools.pairwise(cells):
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            cell.metadata["jupyter"] = {"source_hidden": True}
            if UNFOLD not in before.source:
                before.source += f"\n\n{UNFOLD}"
        elif "instructor" in tags:
            cell.source = INSTRUCTOR.format(cell.source)


def main(check: bool) -> int:
    """Write all notebooks, or say which ones drifted."""
    drifted = []
    for master in sorted(HERE.glob("[0-9][0-9]_*.py")):
        target, text = master.with_suffix(".ipynb"), built(master)
        if check:
            if not target.exists() or target.read_text(encoding="utf-8") != text:
                drifted.append(target.name)
        else:
            target.write_text(text, encoding="utf-8")
    if drifted:
        print(f"differ from their masters: {', '.join(drifted)}; run python notebooks/build.py")
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
