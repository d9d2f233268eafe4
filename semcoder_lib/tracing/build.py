"""`python -m semcoder_lib.tracing.build`: compiles the tracer's inner loop, where that can be done.

Optional: without a C compiler or Python's headers the tracer stays Python, and one line says so.
With `--quiet` nothing is said where there is nothing to do.
"""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile

from semcoder_lib.tracing import compiled

_SECONDS = 120


def build() -> str:
    """Builds it unless it is there; the empty string, or why it is not there."""
    try:
        return _build(compiled.path())
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"


def _build(place: str) -> str:
    if os.path.exists(place):
        return ""
    folder = os.path.dirname(place)
    include = sysconfig.get_path("include")
    if not os.path.exists(os.path.join(include, "internal", "pycore_frame.h")):
        return "Python's headers are not installed"
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        command = ["cc"]
    if shutil.which(command[0]) is None:
        return "there is no C compiler"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as scratch:
        made = os.path.join(scratch, "made.so")
        command += ["-O2", "-fPIC", "-shared", f"-I{include}", f"-I{include}/internal"]
        command += [os.path.join(folder, "_native.c"), "-o", made]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode:
            return f"the compiler failed: {_first_error(done.stderr)}"
        refused = _refused(made)
        if refused:
            return f"the build does not load: {refused}"
        _remove_stale(place)
        os.replace(made, place)
    return ""


def _first_error(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line]
    return (lines or text.splitlines() or ["it says nothing"])[0][:200]


def _refused(made: str) -> str:
    """Load it once in a process of its own."""
    code = (
        "import sys; from importlib import machinery, util\n"
        "loader = machinery.ExtensionFileLoader('_native', sys.argv[1])\n"
        "util.module_from_spec(util.spec_from_loader('_native', loader))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, made], capture_output=True, text=True, timeout=_SECONDS
    )
    return (done.stderr.splitlines() or ["it ended"])[-1] if done.returncode else ""


def _remove_stale(place: str) -> None:
    """Earlier builds for this very interpreter."""
    for stale in glob.glob(glob.escape(place.rpartition("-")[0]) + "-*.so"):
        os.remove(stale)


if __name__ == "__main__":
    quiet = "--quiet" in sys.argv[1:] and os.path.exists(compiled.path())
    reason = build()
    if not quiet:
        print(f"tracer: Python ({reason})" if reason else "tracer: compiled")
