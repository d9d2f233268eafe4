"""What can be wrong with a request is found before anything starts, in one line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.run import notebook, runner

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str, runs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "semcoder_lib", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "SEMCODER_RUNS": str(runs)},
    )  # fmt: skip


REQUESTS = Path(__file__).with_name("requests.txt").read_text().splitlines()


@pytest.mark.parametrize("row", REQUESTS)
def test_a_wrong_request_gets_one_line(row: str, tmp_path: Path) -> None:
    status, arguments, message = row.split(" | ")
    done = command(*shlex.split(arguments), runs=tmp_path)
    assert done.returncode == int(status), done.stderr
    assert message in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not any(tmp_path.iterdir())  # not even a folder


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    if x:\n        raise ValueError('\\ud83d')\n    return 1\n",
        "def f(x):\n    s = '\u202eabc\u00e9'\n    return s\n",
        "def f(x):\n    return '\\udc00' + chr(0x1f600)\n",
        "# \u4e2d\ndef f(\u00e9):\n    return '\u4e2d'\n",
        "def f(x):\n    return {'\u00fc': '\\x00\\x1b[31m'}\n",
    ],
)
def test_every_character_gets_through_a_narrow_terminal(source: str, tmp_path: Path) -> None:
    path = tmp_path / "\u00e9.py"
    path.write_text(source, encoding="utf-8")
    for words in (["trace", "--format", "next"], ["monologue"]):
        done = subprocess.run(
            [sys.executable, "-m", "semcoder_lib", *words, path, "--call", "f(0)"],
            capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-500:]
        last = json.loads(done.stdout.splitlines()[-1])
        assert last.get("file", str(path)) == str(path)


def test_doctor_ends_in_one_json_line(tmp_path: Path) -> None:
    done = command("doctor", runs=tmp_path)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert {"python", "sandbox", "memory", "model", "data"} <= set(report["checks"])
    assert done.returncode == (3 if report["failures"] else 0)


def test_a_class_that_was_worked_on_is_refused_before_the_long_run(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$3" >> calls\n[ "$3" = run ]\n')
    python.chmod(0o755)
    for name in ("environment.yml", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / ".venv" / ".semcoder").write_text(f"4294967295 0\n{tmp_path}\n")  # none has bytes
    script = shutil.copy(ROOT / "run_all.sh", tmp_path)
    assert subprocess.run([script, "workshop"], check=False).returncode == 1
    assert (tmp_path / "calls").read_text() == "workshop\n"


def test_run_all_knows_its_words() -> None:
    script = ROOT / "run_all.sh"
    helped = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert helped.returncode == 0
    words = ("smoke", "hour", "evening", "gpu", "paper", "test", "lab", "workshop", "setup")
    for word in (*words, "doctor"):
        assert f"  {word}" in helped.stdout
    refused = {
        "frob": "unknown command 'frob'", "setup now": "takes no options",
        "doctor --loud": "takes no options", "--profile smoke": "profiles are commands",
        "laptop --force --profile=hour": "profiles are commands",
    }  # fmt: skip
    for words, message in refused.items():
        done = subprocess.run([script, *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    return tmp_path


def test_a_copy_that_is_there_is_new_and_has_its_page(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while its page is written, there is no copy."""
    planned, out = runner.plan("smoke", run_name="p", only="00"), runs / "00_tour.ipynb"
    workspace.write_text(out, "old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("papermill.execute_notebook", lambda s, copy, **_: shutil.copy(s, copy))
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            runner._papermill(planned, "00_tour", out)
    assert not out.exists()
    runner._papermill(planned, "00_tour", out)
    assert "<html" in out.with_suffix(".html").read_text()


def test_a_notebook_is_worked_on_by_one_process(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, quick = notebook.begin("01_pyx", "smoke", "t"), workspace.locked
    monkeypatch.setattr(workspace, "locked", lambda path, _, busy: quick(path, 0.1, busy))
    with pytest.raises(InfrastructureError, match="in use by another run"):
        notebook.begin("01_pyx", "smoke", "t")
    first.close()
    notebook.begin("01_pyx", "smoke", "t").close()


def test_evaluating_a_given_model_needs_no_training(runs: Path) -> None:
    planned = runner.plan("smoke", run_name="e", start="05", overrides={"model": "m"})
    assert planned.profile.adapter == "none"
    assert planned.names == notebook.NAMES[5:]


@pytest.mark.parametrize("name", ["my folder", "it's", 'a "b"', "a=b", "\\x", "\u00fc #1", "$HOME"])
def test_files_of_the_users_own_are_found_from_every_folder(
    name: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    workspace.write_text(runs / name / "adapter_config.json", "{}")
    given = {"adapter": name, "model": "a-name", "pyx_source": "build"}
    planned = runner.plan("smoke", run_name="r", overrides=given)
    held = notebook.configured("smoke", planned.settings)
    assert (held.adapter, held.model, held.pyx_source) == (str(runs / name), "a-name", "build")
