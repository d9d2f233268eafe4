"""The isolation levels, as seen from the zygote."""

from __future__ import annotations

import os
import resource
import signal
from typing import Any


class Portable:
    """Limits, an own session, and killing the process group. Not containment."""

    layers = ("limits", "own session")
    missing = ("namespaces", "read-only view", "seccomp", "landlock", "dropped rights")

    def before_fork(self) -> None:
        pass

    def in_child_before_close(self) -> None:
        pass

    def in_child(self, limits: dict[str, Any]) -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def kill(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def after_child(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def enter(config: dict[str, Any]) -> Any:
    if config["level"] != "portable":
        raise OSError("not available yet")
    return Portable()
