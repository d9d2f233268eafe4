"""A notebook at work: dependencies by use, its card, and when it is out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcoder_lib.core import profile, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.run import notebook
from semcoder_lib.run.notebook import begin, out_of_date

MASTERS = {
    "01_pyx": """
from semcoder_lib import begin
profile = "smoke"
run_name = ""
settings = ""
run = begin("01_pyx", profile, run_name, settings)
n = run.step("n.json", dict, real=run.profile.pyx_real)
print("not shown")
run.finish(n)
""",
    "02_monologues": """
from semcoder_lib import begin
profile = "smoke"
run_name = ""
settings = ""
run = begin("02_monologues", profile, run_name, settings)
before = run.kept("01_pyx/n.json")
run.finish({"twice": 2 * before["real"], "chars": run.profile.program_chars})
""",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run whose notebooks are two small ones."""
    masters = tmp_path / "notebooks"
    for name, text in MASTERS.items():
        workspace.write_text(masters / f"{name}.py", text)
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    monkeypatch.setattr(notebook, "folder", lambda: masters)
    return tmp_path / "t"


def test_what_a_notebook_needs_is_run_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook.execute("02_monologues", "smoke", "t", "pyx_real=7")
    assert workspace.read_json(run / "02_monologues" / "results.json")["twice"] == 14
    shown = capsys.readouterr()
    assert "notebook 01_pyx was not run: running it first" in shown.err
    assert "not shown" not in shown.out + shown.err
    notebook.execute("02_monologues", "smoke", "t", "pyx_real=7")
    assert "running it first" not in capsys.readouterr().err


def test_a_card_says_what_was_used(run: Path) -> None:
    notebook.execute("02_monologues", "smoke", "t")
    card = workspace.read_json(run / "02_monologues" / "card.json")
    assert set(card["used"]) == {"monologue_chars"}  # a property counts as the fields it reads
    assert set(card["inputs"]) == {"01_pyx/n.json"}
    assert set(card["outputs"]) == {"results.json"}
    assert card["configuration"]["profile"] == "smoke"
    assert card["seconds"] > 0
    assert 10_000_000 < card["peak_memory_bytes"] < 10**11


@pytest.mark.parametrize(
    ("change", "first", "second"),
    [
        ("nothing", "", ""),
        ("unused setting", "", ""),
        ("setting", "pyx_real changed", "01_pyx is out of date"),
        ("setting of the second", "", "monologue_chars changed"),
        ("output", "its files are not what it wrote", "01_pyx/n.json changed"),
        ("comment", "", ""),
        ("cell", "code changed", "01_pyx is out of date"),
        ("damaged card", "was not run", "01_pyx was not run"),
    ],
)
def test_when_a_notebook_is_out_of_date(run: Path, change: str, first: str, second: str) -> None:
    notebook.execute("02_monologues", "smoke", "t")
    settings = {
        "unused setting": {"train_steps": 9},
        "setting": {"pyx_real": 9},
        "setting of the second": {"monologue_chars": 900},
    }
    own = profile.load("smoke", settings.get(change, {}))
    master, card = notebook.folder() / "01_pyx.py", run / "01_pyx" / "card.json"
    edits = {
        "output": (run / "01_pyx" / "n.json", '{"real": 1}'),
        "comment": (master, "# a lesson\n" + MASTERS["01_pyx"]),
        "cell": (master, MASTERS["01_pyx"].replace("not shown", "shown")),
        "damaged card": (card, '{"used": '),
    }
    if change in edits:
        path, text = edits[change]
        path.write_text(text)
    for name, why in (("01_pyx", first), ("02_monologues", second)):
        found = out_of_date(run, name, own)
        assert (why in found) if why else not found


def test_forgetting_does_everything_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook.execute("01_pyx", "smoke", "t")
    notebook.execute("01_pyx", "smoke", "t")
    assert "n.json: read back" in capsys.readouterr().err
    notebook.forget(run, "01_pyx")
    notebook.execute("01_pyx", "smoke", "t")
    assert "n.json: read back" not in capsys.readouterr().err


def test_a_corpus_that_is_too_small_is_said_in_one_line(run: Path) -> None:
    empty = MASTERS["01_pyx"].replace('print("not shown")', 'run.need([], "programs to tell")')
    (notebook.folder() / "01_pyx.py").write_text(empty)
    with pytest.raises(UserError, match="no programs to tell: give a larger pyx_source"):
        notebook.execute("01_pyx", "smoke", "t")


def test_a_cell_that_fails_lets_go_of_the_folder(run: Path) -> None:
    master = notebook.folder() / "01_pyx.py"
    master.write_text(MASTERS["01_pyx"].replace("print(", "raise ValueError("))
    with pytest.raises(ValueError, match="not shown"):
        notebook.execute("01_pyx", "smoke", "t")
    begin("01_pyx", "smoke", "t").close()
    assert not (run / "01_pyx" / "card.json").exists()
