"""What isolation this machine gives, found by trying, with a remedy for what it does not."""

from __future__ import annotations

from typing import Any

from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.sandbox.box import Sandbox

_REMEDIES = {
    "full": (
        "allow user namespaces: in Docker run with --security-opt seccomp=unconfined or "
        "--cap-add SYS_ADMIN; on Ubuntu 24.04 sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    ),
    "no-namespaces": "use Linux 5.13 or newer on x86-64 or aarch64 with seccomp and Landlock on",
}


def doctor_report() -> dict[str, Any]:
    """`ok` (a level that contains programs is available), `level`, `layers`, `missing`, `refused`
    (the reason for each stronger level that could not be set up) and `remedy` (empty when there
    is nothing to remedy). Starts and ends a zygote for each level tried."""
    refused: dict[str, str] = {}
    for level in ("full", "no-namespaces"):
        try:
            with Sandbox(level, workers=1) as box:
                layers, missing = list(box.layers), list(box.missing)
        except InfrastructureError as error:
            refused[level] = str(error)
            continue
        remedy = _REMEDIES["full"] if refused else ""
        return {
            "ok": True,
            "level": level,
            "layers": layers,
            "missing": missing,
            "refused": refused,
            "remedy": remedy,
        }
    remedy = (
        f"{_REMEDIES['no-namespaces']}; until then only isolation='portable' runs, which contains "
        "nothing: use it for programs that you trust"
    )
    return {
        "ok": False,
        "level": "",
        "layers": [],
        "missing": ["every layer"],
        "refused": refused,
        "remedy": remedy,
    }
