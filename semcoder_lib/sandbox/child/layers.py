"""The layers of isolation, and the levels that they make up.

A layer is a function. It is called once, in the zygote, with the `Level`; what it returns, if
anything, is called in the zygote before every fork, with the limits, and gives the calls that the
child makes. Both may raise OSError.

The child makes calls from a list, most of them of C functions, because each Python function that
only a child runs costs it pages to copy.
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
from collections.abc import Callable
from typing import Any

from semcoder_lib.sandbox.child import kernel

# clone(2)'s flags: mount, uts, ipc, user, pid and network namespace
_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_ONCE = _NEWNS | _NEWUTS | _NEWIPC | _NEWNET | _NEWPID
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CAP_KILL, _CAP_SETGID, _CAP_SETUID, _CAP_SYS_ADMIN = 5, 6, 7, 21
_INSIDE_ID = 65534
_FIRST_ID = 1_900_000_000  # beyond what systems hand out, so that nothing else runs as it
_PAGE = resource.getpagesize()
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1  # Landlock's rights
_RULE_PATH, _VERSION = 1, 1
# of mount(2), mount_setattr(2) and umount2(2)
_RDONLY, _NOSUID, _NODEV, _BIND, _REC, _PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
_AT_RECURSIVE, _AT_FDCWD, _DETACH = 0x8000, -100, 2
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_FILES = ("/etc/ld.so.cache",)
_PACKAGES = ("site-packages", "dist-packages")
_unshare = kernel.libc("unshare", ctypes.c_int)
_setns = kernel.libc("setns", ctypes.c_int, ctypes.c_int)
_libc_mount = kernel.libc("mount", *[ctypes.c_char_p] * 3, ctypes.c_ulong, ctypes.c_char_p)
_umount2 = kernel.libc("umount2", ctypes.c_char_p, ctypes.c_int)
Limits = dict[str, Any]
Calls = list[kernel.Call]
Layer = Callable[["Level"], Callable[[Limits], Calls] | None]


class Readable:
    """What a program may read: `trees` without the folders `hidden` in them, and `files`. Packages
    that sit beside the interpreter are hidden: benchmarks come as packages, with their answers."""

    def __init__(self, interpreter: list[str]) -> None:
        self.trees: list[str] = []
        for path in sorted({os.path.realpath(p) for p in [*_SYSTEM, *interpreter]}):
            if os.path.isdir(path) and not any(path.startswith(f"{t}/") for t in self.trees):
                self.trees.append(path)
        self.ways = interpreter  # must lead there also through links
        self.files = [p for p in _FILES if os.path.exists(p)]
        self.hidden = [path for tree in self.trees for path in _package_folders(tree)]

    def pieces(self) -> tuple[list[str], list[str]]:
        """(what may be read whole, what may only be listed), for rules that can allow a folder
        but except nothing in it."""
        whole, listed = [*self.files], []
        left = list(self.trees)
        while left:
            path = left.pop()
            if not any(h.startswith(path + "/") for h in self.hidden):
                whole.append(path)
                continue
            listed.append(path)
            with os.scandir(path) as entries:  # a link's target has a rule of its own, or none
                inner = [e.path for e in entries if not e.is_symlink()]
            left += [p for p in inner if p not in self.hidden]
        return whole, listed


def _package_folders(tree: str) -> list[str]:
    with os.scandir(tree) as entries:
        folders = [tree, *(e.path for e in entries if e.is_dir(follow_symlinks=False))]
    packages = [f"{folder}/{name}" for folder in folders for name in _PACKAGES]
    return [p for p in packages if os.path.isdir(p) and not os.path.islink(p)]


def limits(level: Level) -> Callable[[Limits], Calls]:
    """Of memory, file size, descriptors and threads. They are set in the child, so that the zygote
    has none of them and no program finds those of the one before it."""
    level.names.append("limits")
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        statm = -1

    def calls(limits: Limits) -> Calls:
        # what the interpreter has is not the program's
        pages = int(os.pread(statm, 64, 0).split()[0]) if statm >= 0 else 1 << 14
        wanted = [
            (resource.RLIMIT_AS, pages * _PAGE + (limits["memory_mb"] << 20)),
            (resource.RLIMIT_FSIZE, max(limits["output_bytes"], limits["result_bytes"]) + 4096),
            (resource.RLIMIT_NOFILE, max(limits["open_files"], 16)),
            (resource.RLIMIT_CORE, 0),
        ]
        if level.own_user:  # else it would count processes of others
            wanted.append((resource.RLIMIT_NPROC, limits["threads"] + 2))
        return [(resource.setrlimit, (which, (value, value))) for which, value in wanted]

    return calls


def session(level: Level) -> Callable[[Limits], Calls]:
    """A session of its own, so that its process group can be killed."""
    level.names.append("own session")
    return lambda _: [(os.setsid, ())]


def namespaces(level: Level) -> Callable[[Limits], Calls]:
    """Entered once, and a PID namespace for every child, with which all of it ends."""
    nested = True
    with contextlib.suppress(OSError):  # root may be refused them, too
        nested = os.geteuid() != 0 or _unshare(_ONCE) != 0
    if nested:
        maps = {"setgroups": "deny", "uid_map": f"{_INSIDE_ID} {os.geteuid()} 1",
                "gid_map": f"{_INSIDE_ID} {os.getegid()} 1"}  # fmt: skip
        _unshare(_ONCE | _NEWUSER)
        for name, text in maps.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    level.own_user = level.own_processes = True
    _keep(level)
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    level.names += ["network namespace", "ipc namespace", "uts namespace"]
    level.names += ["pid namespace per program", *(["user namespace"] if nested else [])]

    def calls(_: Limits) -> Calls:  # the next fork begins a PID namespace, below ours
        _setns(own, _NEWPID)
        _unshare(_NEWPID)
        return []

    return calls


def _keep(level: Level) -> None:
    """Fork; return only in the new process. The old one stays as its keeper: it ends when the new
    one does, and ends it when the parent dies, even if others hold the parent's socket open."""
    # Within a new PID namespace getppid() is 0, so a pipe tells whether the keeper still lives.
    watch, alive = os.pipe()
    pid = os.fork()
    poller = select.poll()
    if pid == 0:
        os.close(alive)
        kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        poller.register(watch, select.POLLIN)
        if poller.poll(0):
            os._exit(0)
        os.close(watch)
        return
    try:
        os.close(level.channel_fd)
        os.close(watch)
        zygote = os.pidfd_open(pid)
        poller.register(zygote, select.POLLIN)
        with contextlib.suppress(OSError):
            poller.register(os.pidfd_open(level.config["parent"]), select.POLLIN)
        if all(fd != zygote for fd, _ in poller.poll()):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    finally:
        os._exit(0)


def mount_view(level: Level) -> None:
    """A private, read-only file system with an interpreter in it and nothing else: no home, no
    `/proc`, no `/etc` (but the linker's cache), no `/tmp`; three devices."""
    readable = level.readable
    _mount("none", "/", None, _REC | _PRIVATE)
    base = next(p for p in ("/sys", "/mnt", "/media", "/proc") if os.path.isdir(p))
    _empty(base, "size=256k,nr_inodes=4096,mode=755")
    for path in _SYSTEM:
        if os.path.islink(path):
            _link(os.readlink(path), base + path)
    for path in readable.trees:
        _bind(path, base + path)
    for path in readable.hidden:
        _empty(base + path, "size=64k,nr_inodes=256,mode=755")
    for path in readable.hidden:
        _set_read_only(base + path, _NODEV)
    for path in readable.ways:  # a way that leads through links must exist too
        if os.path.realpath(path) != path and not os.path.lexists(base + path):
            _link(os.path.realpath(path), base + path)
    for path in (*readable.files, *DEVICES):
        if os.path.exists(path):
            _bind(path, base + path)
    os.makedirs(base + "/tmp", mode=0o755, exist_ok=True)
    os.chdir(base)
    kernel.syscall("pivot_root", ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    _umount2(b".", _DETACH)
    os.chdir("/")
    _set_read_only("/", _NODEV)
    level.names.append("mount view")


def _link(target: str, place: str) -> None:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    os.symlink(target, place)


def _bind(path: str, target: str) -> None:
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    _mount(path, target, None, _BIND | _REC)
    _set_read_only(target, 0 if path.startswith("/dev/") else _NODEV, _AT_RECURSIVE)


def _set_read_only(path: str, flags: int, how: int = 0) -> None:
    attributes = struct.pack("<QQQQ", _RDONLY | _NOSUID | flags, 0, 0, 0)
    name = ctypes.c_char_p(os.fsencode(path))
    kernel.syscall("mount_setattr", _AT_FDCWD, name, how, attributes, len(attributes))


def _empty(path: str, options: str) -> None:
    _mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV, options)


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    try:
        kinds = kind.encode() if kind else None
        _libc_mount(source.encode(), os.fsencode(target), kinds, flags, data.encode() or None)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"mount {target}") from None


def rights(level: Level) -> Callable[[Limits], Calls]:
    """A child becomes a user that owns nothing, or gives up all capabilities. From here on nothing
    gains rights by starting a program."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    may_change = os.geteuid() == 0
    if may_change and (level.own_processes or _open_to_all(os.path.dirname(os.__file__))):
        os.setgroups([])
        needed = [_CAP_KILL, _CAP_SETGID, _CAP_SETUID]
        needed += [_CAP_SYS_ADMIN] if level.own_processes else []
        capset, arguments = kernel.keeping_capabilities(*needed)
        capset(*arguments)
        level.own_user = True
        level.names.append("unprivileged user")
        user = (level.user, level.user, level.user)
        become: Calls = [(os.setresgid, user), (os.setresuid, user)]  # all capabilities go too
        return lambda _: become
    if may_change:  # the interpreter sits where only root can go
        level.missing.append("unprivileged user (it could not read the interpreter)")
    level.names.append("no capabilities")
    none = kernel.keeping_capabilities()
    return lambda _: [none]


def _open_to_all(path: str) -> bool:
    """Whether every user may read a folder."""
    open_here = os.stat(path).st_mode & 0o005 == 0o005
    return open_here and (path == "/" or _open_to_all(os.path.dirname(path)))


def own_signals(level: Level) -> Callable[[Limits], Calls]:
    """In place of a PID namespace: the zygote is the reaper of what is left; a child dies with it
    and cannot be traced. After `rights`, since a change of user undoes it."""
    _keep(level)
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    kernel.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    level.missing += ["namespaces", "mount view"]
    dies_with_us: kernel.Call = kernel.prctl, (_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    orphan: kernel.Call = (lambda parent: os.getppid() != parent), (os.getpid(),)
    return lambda _: [dies_with_us, orphan]


def landlock(level: Level) -> None:
    """A domain in which only what is named can be read, `/dev/null` and the like written, no TCP
    port bound or reached, no abstract socket reached and no process outside signalled, as far as
    the kernel's version goes. See its `Documentation/userspace-api/landlock.rst`."""
    try:
        version = kernel.syscall("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError as error:
        if not level.own_processes:  # there is no mount view, which does most of this
            raise OSError(95, "no Landlock in this kernel", "landlock") from None
        level.missing.append(f"landlock ({error.strerror})")
        return
    whole, listed = (["/"], []) if level.own_processes else level.readable.pieces()
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1  # the rights it knows
    network, scope = 0b11 * (version >= 4), 0b11 * (version >= 6)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = struct.pack("<QQQ", handled, network, scope)[:size]
    ruleset = kernel.syscall("landlock_create_ruleset", rules, size, 0)
    try:
        for path in whole:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for path in listed:
            _allow(ruleset, path, _READ_DIR)
        for path in DEVICES:
            _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
        kernel.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    level.names.append(f"landlock (ABI {version})")
    since = {"landlock network": 4, "landlock signals and sockets": 6}
    level.missing += [name for name, first in since.items() if version < first]


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rights &= ~0 if os.path.isdir(path) else ~_READ_DIR
        rule = struct.pack("<Qi", rights, place)
        kernel.syscall("landlock_add_rule", ruleset, _RULE_PATH, rule, 0)
    finally:
        os.close(place)


def seccomp(level: Level) -> Callable[[Limits], Calls]:
    """The last layer, since it refuses what the others need."""
    install, arguments = kernel.zygote_filter().install
    install(*arguments)
    child = kernel.child_filter(own_signals_only=not level.own_processes)
    level.names.append("seccomp")
    return lambda _: [(child.bind, ()), child.install] if child.own_pid else [child.install]


# Entered in this order.
LEVELS: dict[str, tuple[Layer, ...]] = {
    "full": (namespaces, limits, mount_view, rights, landlock, seccomp),
    "no-namespaces": (session, rights, own_signals, limits, landlock, seccomp),
    "portable": (session, limits),
}


class Level:
    """A level in force in this process, which may be a new one: see `_keep`. Raises OSError with
    the step that failed. `names` and `missing` are the layers in force and those that this level
    could have."""

    def __init__(self, config: dict[str, Any], channel_fd: int) -> None:
        name = config["level"]
        contains = name != "portable"
        if contains and not sys.platform.startswith("linux"):
            raise OSError(f"isolation on {sys.platform} is not supported")
        self.config = config
        self.channel_fd = channel_fd
        self.readable = Readable(config["interpreter"])
        self.user = _FIRST_ID + os.getpid()  # no other zygote's programs run as it
        self.own_user = False  # programs run as a user of their own, which counts their threads
        self.own_processes = False  # each lives in a PID namespace of its own
        self.names: list[str] = []
        self.missing: list[str] = []
        if not contains:
            self.missing += ["namespaces", "mount view", "rights", "landlock", "seccomp"]
        entered = [layer(self) for layer in LEVELS[name]]
        self._layers = [layer for layer in entered if layer is not None]
        self._leaves_processes = not contains

    def before_fork(self, limits: Limits) -> Calls:
        """Make ready for a child with these limits, in the zygote; gives the calls that the child
        makes before it loads a program. Raises OSError."""
        return [call for layer in self._layers for call in layer(limits)]

    def kill(self, pid: int) -> None:
        """End a child: with a PID namespace, all below it too."""
        if self._leaves_processes:
            self._kill_group(pid)
        os.kill(pid, signal.SIGKILL)

    def after_child(self, pid: int) -> None:
        """Once a child has been waited for: end and reap what it left, if it could."""
        if self.own_processes:  # ended with it
            return
        if self._leaves_processes:
            self._kill_group(pid)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _kill_group(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
