"""The layers of isolation, and the levels that they make up.

A layer is entered once by the zygote and may have a part in every child.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import struct
import sys
from typing import Any

from semcoder_lib.sandbox.child import kernel, seccomp, view

# clone(2)'s flags: mount, uts, ipc, user, pid and network namespace
_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_ONCE = _NEWNS | _NEWUTS | _NEWIPC | _NEWNET | _NEWPID
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SYS_ADMIN = 5, 6, 7, 21
_INSIDE_ID = 65534
_FIRST_ID = 1_900_000_000  # beyond what systems hand out, so that nothing else runs as it
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1  # Landlock's rights
_RULE_PATH, _VERSION = 1, 1
_unshare = kernel.libc("unshare", ctypes.c_int)
_setns = kernel.libc("setns", ctypes.c_int, ctypes.c_int)


class Setup:
    """What the layers know of one another. `config` is the parent's; `readable` what a program may
    read; `user` an id that no other zygote's programs run as; `names` and `missing` the layers in
    force and those that this level could have."""

    def __init__(self, config: dict[str, Any], channel_fd: int) -> None:
        self.config = config
        self.channel_fd = channel_fd
        self.readable = view.Readable(config["interpreter"], config["named"])
        self.user = _FIRST_ID + os.getpid()
        self.own_user = False  # of the programs: their threads can be counted by user
        self.own_processes = False  # they live in a PID namespace of their own
        self.nested = False  # in a user namespace
        self.names: list[str] = []
        self.missing: list[str] = []


class Layer:
    """`enter` puts it on the zygote and may raise OSError; the rest is done for every child."""

    def enter(self, setup: Setup) -> None:
        """Once, in the zygote."""

    def before_fork(self) -> None:
        """In the zygote."""

    def in_child(self, limits: dict[str, Any]) -> None:
        """In a child, before it loads a program."""


class Limits(Layer):
    """Of memory, file size, descriptors and threads; set in the child, so that the zygote has
    none of them and no program finds those of the one before it."""

    def enter(self, setup: Setup) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.own_user = setup.own_user
        try:
            self.size = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.size = -1
        setup.names.append("limits")

    def in_child(self, limits: dict[str, Any]) -> None:
        # what the interpreter has is not the program's
        pages = int(os.pread(self.size, 64, 0).split()[0]) if self.size >= 0 else 1 << 14
        space = pages * resource.getpagesize() + (limits["memory_mb"] << 20)
        size = max(limits["output_bytes"], limits["result_bytes"]) + 4096
        files = max(limits["open_files"], 16)
        set_limit = resource.setrlimit
        set_limit(resource.RLIMIT_AS, (space, space))
        set_limit(resource.RLIMIT_FSIZE, (size, size))
        set_limit(resource.RLIMIT_NOFILE, (files, files))
        if self.own_user:  # else it would count processes of others
            threads = limits["threads"] + 2
            set_limit(resource.RLIMIT_NPROC, (threads, threads))


class Session(Layer):
    """A session of its own, so that the process group can be killed."""

    def enter(self, setup: Setup) -> None:
        setup.names.append("own session")

    def in_child(self, limits: dict[str, Any]) -> None:
        os.setsid()


class Namespaces(Layer):
    """Entered once, and a PID namespace for every child, with which all of it ends."""

    def enter(self, setup: Setup) -> None:
        setup.nested = not self._as_root() and self._as_user()
        # by user, and in a user namespace for it alone
        setup.own_user = setup.own_processes = True
        keep(setup)
        self.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        setup.names += [
            "network namespace", "ipc namespace", "uts namespace", "pid namespace per program",
            *(["user namespace"] if setup.nested else []),
        ]  # fmt: skip

    def _as_root(self) -> bool:
        try:
            return os.geteuid() == 0 and _unshare(_ONCE) == 0
        except OSError:
            return False

    def _as_user(self) -> bool:
        uid, gid = os.geteuid(), os.getegid()
        _unshare(_ONCE | _NEWUSER)
        maps = {"setgroups": "deny", "uid_map": f"{_INSIDE_ID} {uid} 1",
                "gid_map": f"{_INSIDE_ID} {gid} 1"}  # fmt: skip
        for name, text in maps.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        return True

    def before_fork(self) -> None:
        """Have the next fork begin a PID namespace of its own, below ours."""
        _setns(self.pid_namespace, _NEWPID)
        _unshare(_NEWPID)


def keep(setup: Setup) -> None:
    """Fork; return only in the new process. The old one stays as its keeper: it ends when the new
    one does, and ends it when the parent dies, even if others hold the parent's socket open."""
    # Within a new PID namespace getppid() is 0, so a pipe tells whether the keeper still lives.
    watch, alive = os.pipe()
    pid = os.fork()
    poller = select.poll()
    if pid == 0:
        os.close(alive)
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        poller.register(watch, select.POLLIN)
        if poller.poll(0):
            os._exit(0)
        os.close(watch)
        return
    try:
        os.close(setup.channel_fd)
        os.close(watch)
        zygote = os.pidfd_open(pid)
        poller.register(zygote, select.POLLIN)
        try:
            poller.register(os.pidfd_open(setup.config["parent"]), select.POLLIN)
        except OSError:  # it is gone
            os.kill(pid, signal.SIGKILL)
        if all(fd != zygote for fd, _ in poller.poll()):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    finally:
        os._exit(0)


class OwnSignals(Layer):
    """In place of a PID namespace: the zygote is the reaper of what is left, and a child dies with
    it and can be traced by nobody."""

    def enter(self, setup: Setup) -> None:
        keep(setup)
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        kernel.prctl(_PR_SET_DUMPABLE, 0)
        self.zygote = os.getpid()
        setup.missing += ["namespaces", "mount view"]

    def in_child(self, limits: dict[str, Any]) -> None:
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.zygote:
            os._exit(71)


class MountView(Layer):
    """A read-only file system with an interpreter in it and nothing else, see `view`."""

    def enter(self, setup: Setup) -> None:
        view.enter(setup.readable)
        setup.names.append("mount view")


class Rights(Layer):
    """A child becomes a user that owns nothing, or gives up all capabilities. From here on nothing
    gains rights by starting a program."""

    def enter(self, setup: Setup) -> None:
        self.user = 0
        if os.geteuid() == 0:
            library = os.path.dirname(os.__file__)
            if setup.own_processes or _open_to_all(library):
                os.setgroups([])
                namespaces = [_CAP_SYS_ADMIN] if setup.own_processes else []
                kernel.keep_capabilities(_CAP_KILL, _CAP_SETGID, _CAP_SETUID, *namespaces)
                self.user = setup.user
                setup.own_user = True
            else:  # the interpreter sits where only root can go
                setup.missing.append("unprivileged user (it could not read the interpreter)")
        setup.names.append("unprivileged user" if self.user else "no capabilities")
        kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)

    def in_child(self, limits: dict[str, Any]) -> None:
        if self.user:  # from root: all capabilities go too
            os.setresgid(self.user, self.user, self.user)
            os.setresuid(self.user, self.user, self.user)
        else:
            kernel.keep_capabilities()


def _open_to_all(folder: str) -> bool:
    """Whether every user may read it."""
    way = [folder]
    while way[-1] != "/":
        way.append(os.path.dirname(way[-1]))
    return all(os.stat(path).st_mode & 0o005 == 0o005 for path in way)


class Landlock(Layer):
    """A domain in which only what is named can be read, `/dev/null` and the like written, no TCP
    port bound or reached, no abstract socket reached and no process outside signalled, as far as
    the kernel's version goes. See its `Documentation/userspace-api/landlock.rst`."""

    def enter(self, setup: Setup) -> None:
        try:
            version = kernel.syscall("landlock_create_ruleset", 0, 0, _VERSION)
        except OSError as error:
            if setup.own_processes:  # the mount view does most of this
                setup.missing.append(f"landlock ({error.strerror})")
                return
            raise OSError(95, "no Landlock in this kernel", "landlock") from None
        whole, listed = (["/"], []) if setup.own_processes else setup.readable.pieces()
        handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1  # rights it knows
        network, scope = 0b11 * (version >= 4), 0b11 * (version >= 6)
        size = 8 if version < 4 else 16 if version < 6 else 24
        rules = struct.pack("<QQQ", handled, network, scope)[:size]
        ruleset = kernel.syscall("landlock_create_ruleset", rules, size, 0)
        try:
            for paths, rights in (
                (whole, _READ_FILE | _READ_DIR),
                (listed, _READ_DIR),
                (view.DEVICES, _READ_FILE | _WRITE_FILE),
            ):
                for path in paths:
                    self._allow(ruleset, path, rights)
            kernel.syscall("landlock_restrict_self", ruleset, 0)
        finally:
            os.close(ruleset)
        setup.names.append(f"landlock (ABI {version})")
        since = {"landlock network": 4, "landlock signals and sockets": 6}
        setup.missing += [name for name, first in since.items() if version < first]

    def _allow(self, ruleset: int, path: str, rights: int) -> None:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            if not os.path.isdir(path):
                rights &= ~_READ_DIR
            rule = struct.pack("<Qi", rights, place)
            kernel.syscall("landlock_add_rule", ruleset, _RULE_PATH, rule, 0)
        finally:
            os.close(place)


class Seccomp(Layer):
    """The last layer, since it refuses what the others need."""

    def enter(self, setup: Setup) -> None:
        seccomp.zygote_filter().install()
        self.filter = seccomp.child_filter(own_signals_only=not setup.own_processes)
        setup.names.append("seccomp")

    def in_child(self, limits: dict[str, Any]) -> None:
        self.filter.bind(os.getpid())
        self.filter.install()


# Entered in this order. No `Sandbox` offers `fork-only`: the layers are measured against it.
LEVELS: dict[str, tuple[type[Layer], ...]] = {
    "full": (Namespaces, Limits, MountView, Rights, Landlock, Seccomp),
    "no-namespaces": (Session, Rights, OwnSignals, Limits, Landlock, Seccomp),
    "portable": (Session, Limits),
    "fork-only": (),
}


class Level:
    """A level in force in this process, which may be a new one: see `keep`. `names` and `missing`
    as in `Setup`. Raises OSError with the step that failed."""

    def __init__(self, config: dict[str, Any], channel_fd: int) -> None:
        name = config["level"]
        contains = name in ("full", "no-namespaces")
        if contains and not sys.platform.startswith("linux"):
            raise OSError(f"isolation on {sys.platform} is not supported")
        setup = Setup(config, channel_fd)
        layers = [kind() for kind in LEVELS[name]]
        for layer in layers:
            layer.enter(setup)
        if not contains:
            setup.missing += ["namespaces", "mount view", "rights", "landlock", "seccomp"]
        self.names, self.missing = setup.names, setup.missing
        self.counts_threads = setup.own_user  # by itself; else the zygote has to
        self._before_fork = [x for x in layers if type(x).before_fork is not Layer.before_fork]
        self._in_child = [x for x in layers if type(x).in_child is not Layer.in_child]
        self._leaves_processes = name == "portable"
        self._reaps = not setup.own_processes

    def before_fork(self) -> None:
        """In the zygote. Raises OSError."""
        for layer in self._before_fork:
            layer.before_fork()

    def in_child(self, limits: dict[str, Any]) -> None:
        """In a child, before it loads a program."""
        for layer in self._in_child:
            layer.in_child(limits)

    def kill(self, pid: int) -> None:
        """End a child: with a PID namespace, all below it too."""
        if self._leaves_processes:
            self._kill_group(pid)
        os.kill(pid, signal.SIGKILL)

    def after_child(self, pid: int) -> None:
        """Once a child has been waited for: end and reap what it left, if it could."""
        if self._leaves_processes:
            self._kill_group(pid)
        with contextlib.suppress(ChildProcessError):
            while self._reaps and os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _kill_group(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
