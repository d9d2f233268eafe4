"""A private, read-only file system with an interpreter in it and nothing else.

No home, no `/proc`, no `/etc` (but the linker's cache), no `/tmp`; three devices.
"""

from __future__ import annotations

import ctypes
import os
import struct

from semcoder_lib.sandbox.child.linux import syscalls

_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC = 1, 2, 4, 32, 4096, 16384
_PRIVATE = 1 << 18
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_DETACH = 2
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_FILES = ("/etc/ld.so.cache",)
_mount = syscalls.libc_function(
    "mount", ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p
)
_umount2 = syscalls.libc_function("umount2", ctypes.c_char_p, ctypes.c_int)


def readable(extra: list[str]) -> list[str]:
    """The trees and files that a program may read."""
    return [p for p in (*_SYSTEM, *_FILES, *_DEVICES, *extra) if os.path.exists(p)]


def enter(extra: list[str]) -> None:
    """Replace the root of this mount namespace by the view; `extra` are further folders that can
    be read. Raises OSError naming the step. The caller has its own mount namespace."""
    _do_mount("none", "/", None, _REC | _PRIVATE)
    base = next(p for p in ("/sys", "/mnt", "/media", "/proc") if os.path.isdir(p))
    _do_mount("tmpfs", base, "tmpfs", _NOSUID | _NODEV, "size=256k,nr_inodes=4096,mode=755")
    for path in _SYSTEM:
        if os.path.islink(path):
            os.makedirs(os.path.dirname(base + path), exist_ok=True)
            os.symlink(os.readlink(path), base + path)
    covered: list[str] = []
    trees = [p for p in (*_SYSTEM, *extra) if os.path.isdir(p) and not os.path.islink(p)]
    for path in sorted({os.path.realpath(p) for p in trees}):
        if not any(path == c or path.startswith(c + "/") for c in covered):
            _bind(path, base + path)
            covered.append(path)
    for path in extra:  # a way that leads through links must exist too
        if os.path.realpath(path) != path and not os.path.lexists(base + path):
            os.makedirs(os.path.dirname(base + path), exist_ok=True)
            os.symlink(os.path.realpath(path), base + path)
    for path in (*_FILES, *_DEVICES):
        if os.path.exists(path):
            _bind(path, base + path)
    os.makedirs(base + "/tmp", mode=0o755, exist_ok=True)
    os.chdir(base)
    syscalls.raw("pivot_root", ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    if _umount2(b".", _DETACH):  # type: ignore[operator]
        raise OSError(ctypes.get_errno(), "cannot leave the old root", "umount")
    os.chdir("/")
    _set_read_only("/", recursive=False, flags=_NODEV)


def _bind(path: str, target: str) -> None:
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))
    _do_mount(path, target, None, _BIND | _REC)
    flags = 0 if path.startswith("/dev/") else _NODEV
    try:
        _set_read_only(target, recursive=True, flags=flags)
    except OSError:  # mount_setattr came with Linux 5.12
        kept = os.statvfs(target).f_flag & 0x1C0F  # what a nested namespace may not take away
        old = _BIND | _REMOUNT | _RDONLY | _NOSUID | flags
        _do_mount("none", target, None, old | kept)


def _set_read_only(path: str, *, recursive: bool, flags: int) -> None:
    attributes = struct.pack("<QQQQ", _RDONLY | _NOSUID | flags, 0, 0, 0)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    how = _AT_RECURSIVE if recursive else 0
    name = ctypes.c_char_p(os.fsencode(path))
    syscalls.raw("mount_setattr", _AT_FDCWD, name, how, buffer, len(attributes))


def _do_mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    result = _mount(  # type: ignore[operator]
        source.encode(), os.fsencode(target), kind and kind.encode(), flags, data.encode() or None
    )
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), f"mount {target}")
