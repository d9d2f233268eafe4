"""Builds NN_name.ipynb from its master NN_name.py (percent text), without outputs.

python notebooks/build.py           write the notebooks
python notebooks/build.py --check   exit 1 and name those that differ from their master
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

HERE = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def built(master: Path) -> str:
    """The notebook's JSON text: no outputs, no execution counts, ids that depend on the text."""
    notebook = jupytext.read(master)
    notebook.metadata = nbformat.from_dict(METADATA)
    for place, cell in enumerate(notebook.cells):
        digest = hashlib.sha256(f"{master.stem}:{place}:{cell.source}".encode()).hexdigest()
        cell["id"] = digest[:8]
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


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
