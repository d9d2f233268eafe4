"""The checks, in order, each with its time: lint, types, rooms, notebooks, unit tests, and then
the smoke profile end to end.

    ./run_all.sh test            everything CI runs
    ./run_all.sh test --slow     and the minutes-long tests that are run on demand
    ./run_all.sh test --unit     without the smoke run
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
BIN = Path(PYTHON).parent


def checks(slow: bool, smoke: bool) -> list[tuple[str, list[str]]]:
    """(name, command) in order."""
    pytest = [PYTHON, "-m", "pytest", "--durations=8"]
    found = [
        ("lint", [str(BIN / "ruff"), "check", "."]),
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("types", [PYTHON, "-m", "mypy"]),
        ("rooms", [str(BIN / "lint-imports")]),
        ("notebooks", [PYTHON, "notebooks/build.py", "--check"]),
        ("unit tests", [*pytest, "--ignore=tests/end_to_end", *(["--slow"] if slow else [])]),
    ]
    if smoke:
        found.append(("end to end", [*pytest, "tests/end_to_end"]))
    return found


def main(arguments: list[str]) -> int:
    """Run every check, say which failed, and return 0 only when none did."""
    unknown = set(arguments) - {"--slow", "--unit"}
    if unknown:
        print(f"tests/run.py: unknown option {sorted(unknown)[0]}", file=sys.stderr)
        return 2
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    failed = []
    with tempfile.TemporaryDirectory(prefix="semcoder-tests-") as runs:
        environment["SEMCODER_RUNS"] = runs
        for name, command in checks("--slow" in arguments, "--unit" not in arguments):
            print(f"--- {name}", flush=True)
            began = time.monotonic()
            status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
            print(f"    {name}: {'ok' if status == 0 else 'FAILED'}, "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
            if status:
                failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
