"""What isolation this machine gives, found by trying, with a remedy for what it does not."""

from __future__ import annotations

from typing import Any

from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.sandbox.box import Sandbox

_REMEDIES = {
    "full": "",
    "no-namespaces": (
        "allow user namespaces: in Docker run with --security-opt seccomp=unconfined or "
        "--cap-add SYS_ADMIN; on Ubuntu 24.04 sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    ),
    "": (
        "use Linux 5.13 or newer on x86-64 or aarch64 with seccomp and Landlock; until then only "
        "isolation='portable' runs, which contains nothing: use it for programs that you trust"
    ),
}


def doctor_report() -> dict[str, Any]:
    """`ok` (a level that contains programs is available), `level`, `layers`, `missing`, `refused`
    (the reason for each stronger level that could not be set up) and `remedy` (empty when there
    is nothing to remedy). Starts and ends a zygote for each level tried."""
    refused: dict[str, str] = {}
    level, layers, missing = "", [], ["every layer"]
    for tried in ("full", "no-namespaces"):
        try:
            with Sandbox(tried, workers=1) as box:
                level, layers, missing = tried, list(box.layers), list(box.missing)
            break
        except InfrastructureError as error:
            refused[tried] = str(error)
    return {
        "ok": bool(level),
        "level": level,
        "layers": layers,
        "missing": missing,
        "refused": refused,
        "remedy": _REMEDIES[level],
    }
