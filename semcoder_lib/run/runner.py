"""Runs the notebooks in order through Papermill: prediction, progress, resume, honest failures.

Everything that can be wrong with the request is found before anything starts. A failed notebook
stops the run with its cell, its error and the path of the executed copy; running again goes on
from there, because finished stages are reused and unfinished ones find their items in their caches.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib import evaluation
from semcoder_lib.core import profile, workspace
from semcoder_lib.core.errors import InfrastructureError, SemcoderError, UserError
from semcoder_lib.run import doctor, stages
from semcoder_lib.run.stages.meter import Meter
from semcoder_lib.run.stages.session import Session

# The machine on which the profiles' expected seconds were recorded (doctor.speed).
REFERENCE = {"gflops": 150.0, "loop": 14.0}


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    profile: profile.Profile
    settings: str
    run: workspace.Run
    numbers: tuple[int, ...]
    expected: dict[int, float]


class NotebookFailed(SemcoderError):
    """A notebook's cell raised; the message names notebook, cell, error and executed copy."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.exit_status = status


def notebooks_folder() -> Path:
    """`notebooks/` of this checkout. Raises UserError when the package was installed without it."""
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    if not folder.is_dir():
        raise UserError("the notebooks are not beside the package; run from a checkout")
    return folder


def notebook_path(number: int) -> Path:
    """The notebook of a stage."""
    path = notebooks_folder() / f"{stages.STAGES[number].label}.ipynb"
    if not path.exists():
        raise UserError(f"{path} is missing; restore it with git, or run tests/build_notebooks.py")
    return path


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
    first = stages.number_of(start) if start else 0
    numbers = (stages.number_of(only),) if only else tuple(n for n in stages.STAGES if n >= first)
    run = workspace.Run(run_name or profile_name)
    trained = (run.path / stages.STAGES[4].label / "card.json").exists()
    if first > 4 and not trained and "adapter" not in overrides:
        print(f"run {run.name!r} has no trained adapter: evaluating the model alone "
              "(adapter=none)", file=sys.stderr)  # fmt: skip
        overrides["adapter"] = "none"
    effective = profile.load(profile_name, overrides)
    settings = shlex.join(f"{k}={v}" for k, v in overrides.items())
    for number in numbers:
        notebook_path(number)
    for name in effective.names("codegen_benchmarks"):
        evaluation.get(name)
    if effective.adapter not in ("", "none") and not Path(effective.adapter).is_dir():
        raise UserError(f"adapter={effective.adapter}: not a folder")
    expected = dict(zip(stages.STAGES, profile.expected(profile_name)[0], strict=False))
    return Plan(effective, settings, run, numbers, expected)


def predict(work: Plan) -> dict[str, float]:
    """Seconds and gigabytes expected on this machine, by its measured speed."""
    measured = doctor.speed()
    # decoding and training are half memory-bound, so the matrix rate counts at half power
    model = (REFERENCE["gflops"] / max(1.0, measured["gflops"])) ** 0.5
    python = REFERENCE["loop"] / max(0.1, measured["loop"])
    total = 0.0
    for number in work.numbers:
        factor = python if number in (0, 1, 2, 9) else model
        total += work.expected.get(number, 0.0) * factor
    return {"seconds": total, "memory_gb": profile.expected(work.profile.profile)[1], **measured}


def execute(work: Plan, *, force: bool = False) -> dict[str, Any]:
    """Run the plan's notebooks. Returns what the last line of `run` prints."""
    with _only_one(work.run):
        prediction = predict(work)
        _say(
            f"run {work.run.name!r}, profile {work.profile.profile}: "
            f"{len(work.numbers)} notebooks, predicted "
            f"{_minutes(prediction['seconds'])} and {prediction['memory_gb']:.1f} GB "
            f"(at {prediction['gflops']:.0f} GFLOP/s; +-50 %)"
        )
        _warn_about_memory(prediction["memory_gb"])
        meter = Meter(3.0).start()
        done: list[dict[str, Any]] = []
        try:
            for place, number in enumerate(work.numbers, 1):
                done.append(_one(work, number, place, force=force))
        finally:
            meter.stop()
        seconds, peak = meter.seconds, meter.peak_bytes / 1e9
        reused = sum(1 for d in done if d["reused"])
        _say(
            f"done in {_minutes(seconds)}, {peak:.1f} GB at the peak"
            + (f"; {reused} of {len(done)} reused" if reused else
               f"; predicted {_minutes(prediction['seconds'])}, {prediction['memory_gb']:.1f} GB")
        )  # fmt: skip
        report = work.run.path / stages.STAGES[9].label / "report.html"
        summary = {
            "run": work.run.name,
            "profile": work.profile.profile,
            "seconds": round(seconds, 1),
            "predicted_seconds": round(prediction["seconds"], 1),
            "peak_memory_gb": round(peak, 2),
            "predicted_memory_gb": prediction["memory_gb"],
            "notebooks": done,
            "report": str(report) if report.exists() else None,
        }
        workspace.write_json(work.run.path / "run.json", summary)
        if report.exists():
            _say(f"report: {report}")
        return summary


def _one(work: Plan, number: int, place: int, *, force: bool) -> dict[str, Any]:
    stage = stages.STAGES[number]
    out = work.run.path / "notebooks" / f"{stage.label}.ipynb"
    head = f"[{place:2d}/{len(work.numbers)}] {stage.label:<14}"
    if force:
        stages.force(work.run, stage)
    if not force and out.exists() and _finished(work, number):
        _say(f"{head} reused")
        return {"notebook": stage.label, "seconds": 0.0, "reused": True}
    began = time.monotonic()
    expected = work.expected.get(number, 0.0)
    if sys.stderr.isatty():
        print(f"{head} ... (expected {expected:.0f} s)", end="\r", file=sys.stderr, flush=True)
    _papermill(work, number, out)
    seconds = time.monotonic() - began
    _say(f"{head} {seconds:6.0f} s (expected {expected:.0f} s)")
    return {"notebook": stage.label, "seconds": round(seconds, 1), "reused": False}


def _finished(work: Plan, number: int) -> bool:
    """Whether the stage's card still holds; only looks, changes nothing."""
    session = Session(stages.STAGES[number], work.profile, work.run)
    session.close()
    return session.reused


def _papermill(work: Plan, number: int, out: Path) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    out.parent.mkdir(parents=True, exist_ok=True)
    source = notebook_path(number)
    parameters = {
        "profile": work.profile.profile,
        "run_name": work.run.name,
        "settings": work.settings,
    }
    environment = {
        "SEMCODER_RUNS": str(work.run.path.parent.resolve()),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the environment's kernel, not a stray one in the home
        "SEMCODER_PROGRESS": "" if sys.stderr.isatty() else "off",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    partial = out.with_suffix(".partial.ipynb")
    try:
        with (
            _environment(environment),
            _quiet_logs(),
            tempfile.TemporaryDirectory(prefix="semcoder-") as sockets,
        ):
            papermill.execute_notebook(
                str(source), str(partial), parameters=parameters, kernel_name="python3",
                progress_bar=False, log_output=False, cwd=str(source.parent),
                config=_kernel_over_sockets(sockets),
            )  # fmt: skip
    except PapermillExecutionError as error:
        failed = out.with_suffix(".failed.ipynb")
        os.replace(partial, failed)
        _html(failed)
        cell = error.exec_count if error.exec_count is not None else error.cell_index
        status = {"UserError": 1, "UsageError": 2}.get(error.ename, 3)
        raise NotebookFailed(
            f"notebook {stages.STAGES[number].label} stopped in cell [{cell}]: {error.ename}: "
            f"{_first_line(error.evalue)}; executed copy: {failed}; mend the cause and run the "
            "same command again to go on from here",
            status,
        ) from None
    except (RuntimeError, OSError) as error:
        raise InfrastructureError(
            f"notebook {stages.STAGES[number].label}: the kernel failed "
            f"({_first_line(str(error))}); run the same command again to go on from here"
        ) from None
    os.replace(partial, out)
    _html(out)
    for old in out.parent.glob(f"{out.stem}.failed.*"):
        old.unlink()


def _kernel_over_sockets(folder: str) -> Any:
    """Kernels that talk over Unix sockets instead of TCP ports, in a folder that only this user can
    open, and that no other run uses."""
    from traitlets.config import Config

    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


def _html(path: Path) -> None:
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter(template_name="lab", embed_images=True).from_filename(str(path))
    workspace.write_text(path.with_suffix(".html"), body)


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:300] if lines else "no message"


def _only_one(run: workspace.Run) -> contextlib.AbstractContextManager[None]:
    busy = f"run {run.name!r} is already going on; wait for it, or use --run NAME"
    return workspace.locked(run.path / ".run.lock", 0.0, busy)


@contextlib.contextmanager
def _environment(extra: dict[str, str]) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in extra}
    os.environ.update(extra)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    import logging

    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _warn_about_memory(needed_gb: float) -> None:
    free = doctor.available_memory_bytes() / 1e9
    if free and free < needed_gb:
        _say(f"warning: {free:.1f} GB of memory are available, {needed_gb:.1f} GB are expected")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
