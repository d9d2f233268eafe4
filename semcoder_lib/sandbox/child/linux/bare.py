"""Level B: isolation without namespaces, for containers and for systems that restrict them."""

from __future__ import annotations

import os
import resource
import signal
from typing import Any

from semcoder_lib.sandbox.child.linux import filters, landlock, rights, syscalls, view
from semcoder_lib.sandbox.child.linux.namespaces import keep


class NoNamespaces:
    """Seccomp, Landlock, dropped rights, limits. Programs cannot start processes, so killing the
    child kills all of it."""

    changes_refused = True  # of limits, by a child

    def __init__(self, config: dict[str, Any], channel_fd: int) -> None:
        readable = view.Readable(config["interpreter"], config["named"])
        keep(channel_fd, config["parent"])
        syscalls.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER, should anything slip through
        syscalls.prctl(4, 0)  # PR_SET_DUMPABLE
        layers, missing = ["limits", "own session"], ["namespaces", "mount view"]
        self.own_user = False
        if os.geteuid() != 0:
            self.rights = rights.Drop("no capabilities", None, True)
        elif rights.other_user_can_read([os.__file__, os.path.dirname(os.__file__)]):
            self.rights = rights.as_root()
            self.own_user = True
        else:  # the interpreter sits where only root can go
            self.rights = rights.Drop("no capabilities", None, True)
            missing.append("unprivileged user (it could not read the interpreter)")
        layers.append(self.rights.layer)
        syscalls.prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
        whole, listed = readable.pieces()
        version, lacking = landlock.enter(whole, list(view.DEVICES), listed)
        layers.append(f"landlock (ABI {version})")
        missing += lacking
        filters.zygote_filter().install()
        self.filter, self.places = filters.child_filter(own_signals_only=True)
        layers.append("seccomp")
        self.layers, self.missing = tuple(layers), tuple(missing)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.zygote = os.getpid()

    def before_fork(self) -> None:
        pass

    def in_child(self, limits: dict[str, Any]) -> None:
        os.setsid()
        self.rights.drop()
        syscalls.prctl(1, signal.SIGKILL)  # after dropping, which would clear it
        if os.getppid() != self.zygote:
            os._exit(71)
        pid = os.getpid()
        for place in self.places:
            self.filter.set_word(place, pid)
        self.filter.install()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def after_child(self, pid: int) -> None:
        """Reap whatever became ours. Nothing should: a child cannot fork."""
        while True:
            try:
                found, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if found == 0:
                return
