"""Level A: namespaces entered once by the zygote, and a PID namespace for every child.

The process that the parent started stays outside as a keeper; the zygote is the first process of
its own PID namespace, so that its death, however it comes, ends everything below it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
from typing import Any

from semcoder_lib.sandbox.child.linux import filters, landlock, rights, syscalls, view

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_ONCE = _NEWNS | _NEWUTS | _NEWIPC | _NEWNET | _NEWPID
_INSIDE_ID = 65534
_unshare = syscalls.libc_function("unshare", ctypes.c_int)
_setns = syscalls.libc_function("setns", ctypes.c_int, ctypes.c_int)


class Full:
    """Namespaces, view, Landlock, seccomp, dropped rights, limits."""

    changes_refused = True  # of limits, by a child
    own_user = True  # processes are counted by user, and in a user namespace for it alone

    def __init__(self, config: dict[str, Any], channel_fd: int) -> None:
        readable = view.Readable(config["interpreter"], config["named"])
        user_namespace = _enter_once()
        keep(channel_fd, config["parent"])
        self.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        view.enter(readable)
        missing = []
        layers = [
            "mount view", "network namespace", "ipc namespace", "uts namespace",
            "pid namespace per program", "limits",
        ]  # fmt: skip
        self.rights = rights.in_user_namespace() if user_namespace else rights.as_root()
        layers += ["user namespace"] if user_namespace else []
        layers.append(self.rights.layer)
        syscalls.prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
        try:
            version, lacking = landlock.enter(["/"], ["/dev/null"])
            layers.append(f"landlock (ABI {version})")
            missing += lacking
        except OSError as error:
            missing.append(f"landlock ({error.strerror})")
        filters.zygote_filter().install()
        self.filter, _ = filters.child_filter(own_signals_only=False)
        layers.append("seccomp")
        self.layers, self.missing = tuple(layers), tuple(missing)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def before_fork(self) -> None:
        """Have the next fork begin a PID namespace of its own, below ours."""
        if _setns(self.pid_namespace, _NEWPID) or _unshare(_NEWPID):  # type: ignore[operator]
            raise OSError(ctypes.get_errno(), "no new PID namespace")

    def in_child(self, limits: dict[str, Any]) -> None:
        self.rights.drop()
        self.filter.install()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)  # the first process of its namespace: all others go with it

    def after_child(self, pid: int) -> None:
        pass


def _enter_once() -> bool:
    """Unshare; True when a user namespace was needed for it."""
    if os.geteuid() == 0 and _unshare(_ONCE) == 0:  # type: ignore[operator]
        return False
    uid, gid = os.geteuid(), os.getegid()
    if _unshare(_ONCE | _NEWUSER):  # type: ignore[operator]
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{_INSIDE_ID} {uid} 1")
    _write("/proc/self/gid_map", f"{_INSIDE_ID} {gid} 1")
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def keep(channel_fd: int, parent: int) -> None:
    """Fork; return only in the new process. The old one stays as its keeper: it ends when the new
    one does, and ends it when the parent dies, even if others hold the parent's socket open."""
    keeper = os.getpid()
    # Within the new PID namespace getppid() is 0, so a pipe tells whether the keeper still lives.
    watch, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        syscalls.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        poller = select.poll()
        poller.register(watch, select.POLLIN)
        if poller.poll(0):
            os._exit(0)
        os.close(watch)
        return
    try:
        os.close(channel_fd)
        os.close(watch)
        handles = [os.pidfd_open(pid)]
        with contextlib.suppress(OSError):
            handles.append(os.pidfd_open(parent))
        poller = select.poll()
        for handle in handles:
            poller.register(handle, select.POLLIN)
        if keeper and all(fd != handles[0] for fd, _ in poller.poll()):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    finally:
        os._exit(0)
