"""Landlock: which files, ports, sockets and processes may be reached, by a domain entered once.

See the kernel's `Documentation/userspace-api/landlock.rst`; rights by ABI version.
"""

from __future__ import annotations

import ctypes
import os
import struct

from semcoder_lib.sandbox.child.linux import syscalls

_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_RULE_PATH = 1
_VERSION = 1


def abi() -> int:
    """The kernel's Landlock version; 0 when it has none or it is switched off."""
    try:
        return syscalls.raw("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def _handled(version: int) -> int:
    bits = 13
    if version >= 2:
        bits = 14  # refer
    if version >= 3:
        bits = 15  # truncate
    if version >= 5:
        bits = 16  # ioctl on devices
    return (1 << bits) - 1


def enter(
    readable: list[str], writable: list[str], listed: list[str] | None = None
) -> tuple[int, list[str]]:
    """Enter a domain in which only `readable` trees can be read (of `listed` trees only the names
    in them), `writable` files written, no TCP port bound or reached, no abstract socket reached and
    no process outside signalled, as far as the kernel's version goes. Returns the version and what
    it could not cover. Raises OSError."""
    version = abi()
    if version < 1:
        raise OSError(95, "no Landlock in this kernel", "landlock")
    net = 0b11 if version >= 4 else 0
    scope = 0b11 if version >= 6 else 0
    data = struct.pack("<QQQ", _handled(version), net, scope)
    size = 8 if version < 4 else 16 if version < 6 else 24
    buffer = ctypes.create_string_buffer(data[:size], size)
    ruleset = syscalls.raw("landlock_create_ruleset", buffer, size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for path in listed or ():
            _allow(ruleset, path, _READ_DIR)
        for path in writable:
            _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
        syscalls.raw("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    lacking = [
        name
        for name, since in (("landlock network", 4), ("landlock signals and sockets", 6))
        if version < since
    ]
    return version, lacking


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, place), 12)
        syscalls.raw("landlock_add_rule", ruleset, _RULE_PATH, rule, 0)
    finally:
        os.close(place)
