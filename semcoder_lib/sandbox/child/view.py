"""A private, read-only file system with an interpreter in it and nothing else.

No home, no `/proc`, no `/etc` (but the linker's cache), no `/tmp`; three devices. Packages that sit
beside the interpreter are not in it either: benchmarks come as packages, with their answers.
"""

from __future__ import annotations

import ctypes
import os
import struct

from semcoder_lib.sandbox.child import kernel

_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC = 1, 2, 4, 32, 4096, 16384
_PRIVATE = 1 << 18
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_DETACH = 2
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_FILES = ("/etc/ld.so.cache",)
_PACKAGES = ("site-packages", "dist-packages")
_libc_mount = kernel.libc("mount", *[ctypes.c_char_p] * 3, ctypes.c_ulong, ctypes.c_char_p)
_umount2 = kernel.libc("umount2", ctypes.c_char_p, ctypes.c_int)


class Readable:
    """What a program may read: `trees` without the folders `hidden` in them, `files`, and the
    folders `named` by the caller, wherever they are."""

    def __init__(self, interpreter: list[str], named: list[str]) -> None:
        self.trees = _outermost([*_SYSTEM, *interpreter])
        self.ways = [*interpreter, *named]  # must lead there also through links
        self.files = [p for p in _FILES if os.path.exists(p)]
        self.named = _outermost(named)
        self.hidden = [
            path
            for tree in self.trees
            for path in _package_folders(tree)
            if not _within(path, self.named)
        ]

    def pieces(self) -> tuple[list[str], list[str]]:
        """(what may be read whole, what may only be listed), for rules that can allow a folder
        but except nothing in it."""
        whole, listed = [*self.files, *self.named], []
        left = list(self.trees)
        while left:
            path = left.pop()
            if not any(h.startswith(path + "/") for h in self.hidden):
                whole.append(path)
                continue
            listed.append(path)
            with os.scandir(path) as entries:  # a link's target has a rule of its own, or none
                found = [e.path for e in entries if not e.is_symlink()]
            left += [p for p in found if p not in self.hidden]
        return whole, listed


def _outermost(paths: list[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted({os.path.realpath(p) for p in paths if os.path.isdir(p)}):
        if not _within(path, kept):
            kept.append(path)
    return kept


def _within(path: str, trees: list[str]) -> bool:
    return any(path == tree or path.startswith(tree + "/") for tree in trees)


def _package_folders(tree: str) -> list[str]:
    with os.scandir(tree) as entries:
        folders = [tree, *(e.path for e in entries if e.is_dir(follow_symlinks=False))]
    found = [f"{folder}/{name}" for folder in folders for name in _PACKAGES]
    return [p for p in found if os.path.isdir(p) and not os.path.islink(p)]


def enter(readable: Readable) -> None:
    """Replace the root of this mount namespace by the view. Raises OSError naming the step. The
    caller has its own mount namespace."""
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
    for path in readable.named:
        if _within(path, readable.hidden) or not _within(path, readable.trees):
            _bind(path, base + path)
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
    flags = 0 if path.startswith("/dev/") else _NODEV
    try:
        _set_read_only(target, flags, _AT_RECURSIVE)
    except OSError:  # mount_setattr came with Linux 5.12
        kept = os.statvfs(target).f_flag & 0x1C0F  # what a nested namespace may not take away
        _mount("none", target, None, _BIND | _REMOUNT | _RDONLY | _NOSUID | flags | kept)


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
