"""The isolation levels, as seen from the zygote."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from typing import Any


class Portable:
    """Limits, an own session, and killing the process group. Not containment."""

    changes_refused = False
    own_user = False
    layers: tuple[str, ...] = ("limits", "own session")
    missing = ("namespaces", "read-only view", "seccomp", "landlock", "dropped rights")

    def before_fork(self) -> None:
        pass

    def in_child(self, limits: dict[str, Any]) -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def after_child(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


class ForkOnly(Portable):
    """Not even limits: what the layers are measured against. No `Sandbox` offers it."""

    layers = ()
    changes_refused = True  # skips setting limits in the child

    def in_child(self, limits: dict[str, Any]) -> None:
        pass

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def after_child(self, pid: int) -> None:
        pass


def enter(config: dict[str, Any], channel_fd: int) -> Any:
    """Set the level of `config` up in this process, or raise with the step that failed. May
    return in a new process (see `linux.namespaces.keep`)."""
    level = config["level"]
    if level == "portable":
        return Portable()
    if level == "fork-only":
        return ForkOnly()
    if not sys.platform.startswith("linux"):
        raise OSError(f"isolation on {sys.platform} is not supported")
    if level == "full":
        from semcoder_lib.sandbox.child.linux.namespaces import Full

        return Full(config, channel_fd)
    from semcoder_lib.sandbox.child.linux.bare import NoNamespaces

    return NoNamespaces(config, channel_fd)
