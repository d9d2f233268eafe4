"""A newcomer's first minutes: the smoke profile through Papermill, then resumed, then each notebook
of the workshop alone from a fresh kernel."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from semcoder_lib.core import workspace
from semcoder_lib.run.notebook import NAMES

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, cwd: Path) -> tuple[int, dict[str, object], str]:
    done = subprocess.run(
        [sys.executable, "-m", "semcoder_lib", *arguments],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip
    last = done.stdout.strip().rpartition("\n")[2]  # of a run that failed it is no summary
    return done.returncode, json.loads(last) if last.startswith("{") else {}, done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMCODER_RUNS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def smoke(runs: Path) -> dict[str, object]:
    status, summary, errors = command("run", "smoke", cwd=runs)
    assert status == 0, errors
    return summary


def test_the_run_ends_in_a_report(smoke: dict[str, object], runs: Path) -> None:
    report = runs / "smoke" / "09_report"
    assert smoke["report"] == str(report / "report.html")
    assert smoke["seconds"] < 600, "the smoke run is meant for four minutes"
    left = [p for folder in (ROOT, ROOT / "notebooks", runs) for p in folder.glob("*kernel*")]
    assert left == [], "kernels keep their sockets in a folder of their own"
    page = (report / "report.html").read_text()
    for number in ("1", "2", "3a", "3b", "4", "5", "6", "7", "8"):
        assert f'id="table_{number}"' in page
    results = workspace.read_json(report / "results.json")
    drawn = {f["name"]: f for f in results["figures"]}
    for number in (1, 2, 3, 4, 6):
        assert drawn[f"figure_{number}"]["present"], drawn[f"figure_{number}"]["reason"]
        for kind in ("png", "svg", "csv"):
            assert (report / "figures" / f"figure_{number}.{kind}").stat().st_size > 0
    assert drawn["figure_5"]["present"] or drawn["figure_5"]["reason"]
    assert results["warnings"] == []


def test_each_stage_left_its_card(smoke: dict[str, object], runs: Path) -> None:
    for name in NAMES:
        card = workspace.read_json(runs / "smoke" / name / "card.json")
        assert card["outputs"]
        assert card["seconds"] > 0
        assert card["configuration"]["profile"] == "smoke"
        copy = runs / "smoke" / "notebooks" / f"{name}.ipynb"
        assert copy.exists()
        assert copy.with_suffix(".html").exists()


def test_the_numbers_are_there(smoke: dict[str, object], runs: Path) -> None:
    main = workspace.read_json(runs / "smoke" / "04_sft" / "results.json")["main"]
    assert 0.0 < main["held_out_loss"] < 10.8
    assert 0.0 <= main["stopped_by_itself"] <= 1.0
    for name in ("02_monologues", "03_pyx_r"):  # what others read, and a run of its own can
        assert list(workspace.read_jsonl(runs / "smoke" / name / "hub.jsonl"))
    results = workspace.read_json(runs / "smoke" / "06_reasoning" / "results.json")
    seen = {(s["benchmark"], s["model"]) for s in results["scores"]}
    assert {("pyx-o", "base"), ("pyx-o", "tuned"), ("pyx-i", "base"), ("pyx-i", "tuned")} <= seen
    for score in results["scores"]:
        assert 0.0 <= score["low"] <= score["value"] <= score["high"] <= 1.0
        assert score["n"] == sum(score["statuses"].values()) > 0


def test_running_again_reuses_everything(smoke: dict[str, object], runs: Path) -> None:
    status, summary, errors = command("run", "smoke", cwd=runs)
    assert status == 0, errors
    assert all(n["reused"] for n in summary["notebooks"])  # type: ignore[attr-defined]


def test_a_failing_notebook_is_named_and_the_run_goes_on_later(
    smoke: dict[str, object], runs: Path
) -> None:
    workspace.write_text(runs / "empty" / "adapter_config.json", "{}")  # and no weights
    given = ("--set", f"adapter={runs / 'empty'}")
    status, _, errors = command("run", "smoke", "--run", "broken", "--only", "05", *given, cwd=runs)
    assert status == 1
    line = errors.strip().splitlines()[-1]
    assert "notebook 05_codegen stopped in cell" in line
    assert "does not fit the model (No such file" in line
    assert "05_codegen.failed.ipynb" in line


def test_a_damaged_file_is_made_again(smoke: dict[str, object], runs: Path) -> None:
    file = runs / "smoke" / "02_monologues" / "forward.jsonl"
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2])
    status, summary, errors = command("run", "smoke", cwd=runs)
    assert status == 0, errors
    assert file.read_bytes() == good
    reused = {n["notebook"]: n["reused"] for n in summary["notebooks"]}  # type: ignore[attr-defined]
    assert reused["01_pyx"]
    assert not reused["02_monologues"]


def outputs(folder: Path, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {name: workspace.read_json(folder / name / "card.json")["outputs"] for name in names}


TIMED = ("training.json", "README.md")


def untimed(files: dict[str, str]) -> dict[str, str]:
    """Without what tells the time."""
    return {file: digest for file, digest in files.items() if not file.endswith(TIMED)}


@pytest.mark.parametrize(
    "names",
    [NAMES[1:3], pytest.param(NAMES[:-1], marks=pytest.mark.slow)],  # no report: it is timed
)
def test_masters_give_the_same_bytes_without_jupyter(
    names: tuple[str, ...], smoke: dict[str, object], runs: Path
) -> None:
    """By `stage`, later ones first: they run what they need; and by `python notebooks/02_…py`."""
    alone = ("--profile", "smoke", "--run", f"alone-{len(names)}")
    for name in reversed(names):
        status, _, errors = command("stage", name[:2], *alone, cwd=runs)
        assert status == 0, errors
    (runs / alone[-1] / "02_monologues" / "card.json").unlink()
    master = ROOT / "notebooks" / "02_monologues.py"
    subprocess.run([sys.executable, master, *alone], capture_output=True, check=True, cwd=runs)
    for name, files in outputs(runs / alone[-1], names).items():
        assert untimed(files) == untimed(outputs(runs / "smoke", (name,))[name]), name


def same_bytes(run: Path, undisturbed: Path) -> None:
    """All results of a run are those of another, and its notebooks have their pages."""
    left, right = outputs(run, NAMES), outputs(undisturbed, NAMES)
    for name in NAMES:
        if name == NAMES[-1]:  # the report tells the time, its figures do not
            left[name], right[name] = (
                {file: d for file, d in files[name].items() if file.startswith("figures/")}
                for files in (left, right)
            )
        assert untimed(left[name]) == untimed(right[name]), name
        for kind in ("ipynb", "html"):
            assert (run / "notebooks" / f"{name}.{kind}").exists()


@pytest.mark.slow
def test_killed_twenty_times_the_same_bytes(smoke: dict[str, object], runs: Path) -> None:
    """Killed at random moments under two hash seeds and started again, a run ends with the files of
    an undisturbed one under a third; a run that came to its end is followed by a new one."""
    rng, kills, ended = random.Random(20), 0, 0
    while kills < 20:
        process = subprocess.Popen(
            [sys.executable, "-m", "semcoder_lib", "run", "smoke", "--run", f"k{ended}"], cwd=runs,
            start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONHASHSEED": str(1 + kills % 2)},
        )  # fmt: skip
        try:
            assert process.wait(timeout=rng.uniform(5, 60)) == 0
            same_bytes(runs / f"k{ended}", runs / "smoke")
            ended += 1
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    status, _, errors = command("run", "smoke", "--run", f"k{ended}", cwd=runs)
    assert status == 0, errors
    same_bytes(runs / f"k{ended}", runs / "smoke")


TINY = {
    "model": "smollm2-135m", "monologue_programs": 20, "monologue_chars": 1000, "faults": 10,
    "train_steps": 1, "refine_steps": 1, "batch_tokens": 2048, "codegen_tasks": 1,
    "codegen_benchmarks": "humaneval", "codegen_tokens": 16, "held_out_items": 2,
    "cruxeval_items": 1, "reasoning_tokens": 24, "ablation_steps": 1, "ablation_items": 1,
    "refine_tasks": 1, "refine_rounds": 1, "pyx_held_out": 0.25,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("profile", "changes"), [("smoke", {"style": "faithful"}), ("paper", TINY)]
)
def test_all_notebooks_from_files_in_the_hubs_format(
    profile: str, changes: dict[str, object], smoke: dict[str, object], runs: Path
) -> None:
    sources = {"pyx_source": "02_monologues", "pyx_r_source": "03_pyx_r"}
    given = changes | {key: runs / "smoke" / name / "hub.jsonl" for key, name in sources.items()}
    settings = [part for key, value in given.items() for part in ("--set", f"{key}={value}")]
    status, _, errors = command("run", profile, "--run", f"hub-{profile}", *settings, cwd=runs)
    assert status == 0, errors
    results = [
        workspace.read_json(runs / f"hub-{profile}" / name / "results.json") for name in NAMES
    ]
    assert results[9]["warnings"] == []
    assert results[3]["mutation"]["accepted"] == results[3]["mutation"]["funnel"]["rows"] > 0
    assert {"main", "refine"} <= results[4].keys()


QUICK = ("00_tour", "02_monologues", "06_reasoning", "09_report")  # papermill ran them all above


@pytest.fixture(scope="module")
def workshop(smoke: dict[str, object], runs: Path) -> Path:
    status, _, errors = command("workshop", cwd=runs)
    assert status == 0, errors
    return runs / "workshop"


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What the checks of a notebook printed."""
    checks = [c for c in notebook.cells if "check" in c.metadata.get("tags", [])]
    return ["".join(o.get("text", o.output_type) for o in c.outputs) for c in checks]


@pytest.mark.parametrize("name", NAMES)
def test_solutions_are_right_and_their_page_is_whole(
    name: str, smoke: dict[str, object], runs: Path
) -> None:
    executed = nbformat.read(runs / "smoke" / "notebooks" / f"{name}.ipynb", as_version=4)
    assert len(printed(executed)) == (0 if name in ("05_codegen", "09_report") else 2)
    assert all(line.startswith("right: ") for line in printed(executed))
    page = (runs / "smoke" / "notebooks" / f"{name}.html").read_text()
    assert page.count("right: ") >= len(printed(executed))
    pictures = re.findall(r"<img[^>]*>", page)
    assert all('src="data:image/' in picture for picture in pictures)
    assert 'src="http' not in page


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_exercises_run_to_their_end_and_say_what_is_to_be_done(name: str, workshop: Path) -> None:
    notebook = nbformat.read(workshop / "exercises" / f"{name}.ipynb", as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace('"workshop"', '"smoke"', 1)
    where = {"metadata": {"path": str(workshop / "exercises")}}
    NotebookClient(notebook, timeout=300, resources=where).execute()
    assert all(line.startswith("not done yet: ") for line in printed(notebook))
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    pink = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert all(len(text.splitlines()) <= 10 for text in pink)


@pytest.mark.slow
def test_the_first_cell_of_each_capstone_runs(
    smoke: dict[str, object], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the cells of 06 up to "A model of your own", as docs/workshop.md says."""
    cells = re.findall(r"```python\n(.*?)```", (ROOT / "docs/workshop.md").read_text(), re.S)
    master = (ROOT / "notebooks" / "06_reasoning.py").read_text()
    names: dict[str, object] = {}
    exec(master[: master.index("# ## CRUXEval and LiveCodeBench")], names)
    capsys.readouterr()
    for cell in cells:
        exec(cell.replace("limit=12", "limit=1"), names)
    names["run"].close()  # type: ignore[attr-defined]
    assert len(cells) == 5
    assert "tests hold" in capsys.readouterr().out
