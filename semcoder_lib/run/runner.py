"""Runs the notebooks in order through Papermill: progress, resume, honest failures.

Everything that can be wrong with the request is found before anything starts. A failed notebook
stops the run with its cell, its error and the path of the executed copy; running again goes on
from there: finished notebooks and steps are reused, unfinished ones find their items in caches.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from semcoder_lib import evaluation
from semcoder_lib.core import profile, workspace
from semcoder_lib.core.errors import InfrastructureError, SemcoderError, UsageError, UserError
from semcoder_lib.core.progress import say
from semcoder_lib.models.tokens import reason
from semcoder_lib.run import doctor, notebook
from semcoder_lib.run.models import check_adapter

REMOTE = re.compile(r'<script src="https?://[^>]*>\s*</script>')  # without a net a page waits
EVALUATING = ("05_codegen", "06_reasoning", "08_refinement")
# the fields that may name a server, and the notebooks that ask it
ASKED = {"backend": ("03_pyx_r", *EVALUATING), "teacher": notebook.NAMES[1:4]}


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    profile: profile.Profile
    settings: str
    run: workspace.Run
    names: tuple[str, ...]
    expected: dict[str, float]  # seconds of each notebook, on a quiet machine
    memory_gb: float


def plan(
    profile_name: str,
    *,
    run_name: str = "",
    start: str = "",
    only: str = "",
    overrides: dict[str, str] | None = None,
) -> Plan:
    """Check the whole request and say what will be done."""
    if start and only:
        raise UserError("--from and --only exclude each other")
    overrides = dict(overrides or {})
    names = notebook.NAMES
    for path in (notebook.folder() / f"{name}.ipynb" for name in names):
        if not path.is_file():
            raise UserError(f"{path} is missing; restore it with git, or run notebooks/build.py")
    if start:
        names = names[names.index(notebook.name_of(start)) :]
    if only:
        names = (notebook.name_of(only),)
    run = workspace.Run(run_name or profile_name)
    trained = (run.path / "04_sft" / "card.json").exists()
    if start and names[0] > "04_sft" and not trained and "adapter" not in overrides:
        print(f"run {run.name!r} has no trained adapter: evaluating the model alone "
              "(adapter=none)", file=sys.stderr)  # fmt: skip
        overrides["adapter"] = "none"
    for field in notebook.OWN_FILES:  # notebooks run in a folder of their own
        if (given := overrides.get(field)) and Path(given).exists():
            overrides[field] = str(Path(given).resolve())
    effective = profile.load(profile_name, overrides)
    settings = shlex.join(f"{k}={v}" for k, v in overrides.items())
    for name in effective.names("codegen_benchmarks"):
        evaluation.get(name)
    if set(EVALUATING).intersection(names):
        check_adapter(effective)
    seconds, memory_gb = profile.expected(profile_name)
    expected = {n: s for n, s in zip(notebook.NAMES, seconds, strict=True) if n in names}
    return Plan(effective, settings, run, names, expected, memory_gb)


def execute(work: Plan, *, force: bool = False) -> dict[str, Any]:
    """Run the plan's notebooks. Returns what the last line of `run` prints."""
    run = work.run
    for field, names in ASKED.items():
        address, asking = getattr(work.profile, field), [n for n in names if n in work.names]
        if "://" in address and any(force or _stale(work, name) for name in asking):
            ask(field, address)
    busy = f"run {run.name!r} is already going on; wait for it, or use --run NAME"
    with workspace.locked(run.path / ".run.lock", 0.0, busy):
        predicted = sum(work.expected.values())
        expected = f"{_minutes(predicted)} and {work.memory_gb:.1f} GB"
        say(
            f"run {run.name!r}, profile {work.profile.profile}: {len(work.names)} notebooks, "
            f"expected {expected} on a quiet machine"
        )
        free = doctor.available_memory_bytes() / 1e9
        if free < work.memory_gb:
            say(f"warning: only {free:.1f} GB of memory are available")
        began = time.monotonic()
        done: list[dict[str, Any]] = []
        for name in work.names:
            done.append(_one(work, name, done, force=force))
        seconds = time.monotonic() - began
        cards = (workspace.read_json(run.path / name / "card.json") for name in work.names)
        peak = max(card["peak_memory_bytes"] for card in cards) / 1e9
        reused = sum(d["reused"] for d in done)
        rest = f"{reused} of {len(done)} reused" if reused else f"expected {expected}"
        say(f"done in {_minutes(seconds)}, {peak:.1f} GB at the peak; {rest}")
        report = run.path / notebook.NAMES[9] / "report.html"
        summary = {
            "run": run.name,
            "profile": work.profile.profile,
            "seconds": round(seconds, 1),
            "predicted_seconds": predicted,
            "peak_memory_gb": round(peak, 2),
            "predicted_memory_gb": work.memory_gb,
            "notebooks": done,
            "report": str(report) if report.exists() else None,
        }
        workspace.write_json(run.path / "run.json", summary)
        if report.exists():
            say(f"report: {report}")
        return summary


def ask(field: str, address: str) -> None:
    """Raises InfrastructureError where no OpenAI-compatible server answers at the address within
    five seconds, or where it refuses the key. Which models it has shows the first request."""
    key = {"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY') or 'none'}"}
    why = ""
    try:
        request = urllib.request.Request(f"{address.rstrip('/')}/models", headers=key)
        urllib.request.urlopen(request, timeout=5).close()
    except urllib.error.HTTPError as error:
        why = "it refuses the key in OPENAI_API_KEY" if error.code in (401, 403) else ""
    except (OSError, ValueError, HTTPException) as error:
        why = f"no server answers there ({getattr(error, 'reason', error)})"
    if why:
        raise InfrastructureError(f"{field}={address}: {why}; mend that and run again")


def _one(work: Plan, name: str, done: list[dict[str, Any]], *, force: bool) -> dict[str, Any]:
    """One notebook, with a line before it (what is expected now) and after it."""
    out = work.run.path / "notebooks" / f"{name}.ipynb"
    head = f"[{len(done) + 1:2d}/{len(work.names)}] {name:<14}"
    if force:
        notebook.forget(work.run.path, name)
    if out.exists() and out.with_suffix(".html").exists() and not _stale(work, name):
        say(f"{head} reused")
        return {"notebook": name, "seconds": 0.0, "reused": True}
    factor = correction(done, work.expected)
    left = sum(work.expected[n] for n in work.names[len(done) :]) * factor
    expected = f"expected {factor * work.expected[name]:.0f} s"
    if sys.stderr.isatty():
        line = f"{head} ... ({expected}; {_minutes(left)} left)"
        print(line, end="\r", file=sys.stderr, flush=True)
    began = time.monotonic()
    _papermill(work, name, out)
    seconds = time.monotonic() - began
    say(f"{head} {seconds:6.0f} s ({expected})")
    return {"notebook": name, "seconds": round(seconds, 1), "reused": False}


def _stale(work: Plan, name: str) -> str:
    return notebook.out_of_date(work.run.path, name, work.profile)


def correction(done: list[dict[str, Any]], expected: dict[str, float]) -> float:
    """How much slower (above one) or faster than expected the notebooks were that ran so far; one
    before there is half a minute to judge by."""
    ran = [row for row in done if not row["reused"]]
    known = sum(expected[row["notebook"]] for row in ran)
    return float(sum(row["seconds"] for row in ran) / known) if known >= 30 else 1.0


def _papermill(work: Plan, name: str, out: Path) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    out.parent.mkdir(parents=True, exist_ok=True)
    source, partial = notebook.folder() / f"{name}.ipynb", out.with_suffix(".partial.ipynb")
    for old in out.parent.glob(f"{name}.*"):  # a copy that is there is this run's, and whole
        old.unlink()
    parameters = {
        "profile": work.profile.profile, "run_name": work.run.name, "settings": work.settings
    }  # fmt: skip
    environment = {
        "SEMCODER_RUNS": str(work.run.path.parent.resolve()),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the environment's kernel, not a stray one in the home
        "SEMCODER_PROGRESS": "" if sys.stderr.isatty() else "off",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    again = "run the same command again to go on from here"
    try:
        with _surroundings(environment), tempfile.TemporaryDirectory(prefix="semcoder-") as sockets:
            papermill.execute_notebook(
                str(source), str(partial), parameters=parameters, kernel_name="python3",
                progress_bar=False, log_output=False, cwd=str(source.parent),
                config=_kernel_over_sockets(sockets),
            )  # fmt: skip
    except PapermillExecutionError as error:
        failed = out.with_suffix(".failed.ipynb")
        _with_page(partial, failed)
        cell = error.exec_count if error.exec_count is not None else error.cell_index
        first = (error.evalue.strip().splitlines() or ["no message"])[0][:300]
        kind = {"UserError": UserError, "UsageError": UsageError}.get(error.ename, SemcoderError)
        raise kind(
            f"notebook {name} stopped in cell [{cell}]: {error.ename}: {first}; executed copy: "
            f"{failed}; mend the cause and {again}"
        ) from None
    except (RuntimeError, OSError) as error:
        why = f"notebook {name}: the kernel failed ({reason(error)}); {again}"
        raise InfrastructureError(why) from None
    _with_page(partial, out)


def _kernel_over_sockets(folder: str) -> Any:
    """Kernels that talk over Unix sockets instead of TCP ports, in a folder that only this user can
    open, and that no other run uses. They log nothing: a busy one that is asked to end reports an
    error that is none."""
    from traitlets.config import Config

    return Config({
        "KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"},
        "NotebookClient": {"extra_arguments": ["--log-level=50"]},
    })  # fmt: skip


def _with_page(partial: Path, out: Path) -> None:
    """Give an executed copy its name, after its page: where it is, both are. The page has neither
    progress nor what only the instructor reads."""
    import nbformat
    from nbconvert import HTMLExporter

    try:
        book = nbformat.read(partial, as_version=4)
        book.cells = [c for c in book.cells if "instructor" not in c.metadata.get("tags", [])]
        for cell in (c for c in book.cells if c.cell_type == "code"):
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        body, _ = HTMLExporter(template_name="lab", embed_images=True).from_notebook_node(book)
    except Exception as error:  # a library's; what was executed stands in `partial`
        raise InfrastructureError(f"{partial}: no page can be made: {reason(error)}") from None
    workspace.write_text(out.with_suffix(".html"), REMOTE.sub("", str(body)))
    os.replace(partial, out)


@contextlib.contextmanager
def _surroundings(variables: dict[str, str]) -> Iterator[None]:
    """With these variables of the environment, and without papermill's warnings."""
    before = dict(os.environ)
    os.environ.update(variables)
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"
