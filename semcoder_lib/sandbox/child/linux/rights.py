"""What a child gives up before it runs a program: its user, its groups, its capabilities."""

from __future__ import annotations

import ctypes
import os

from semcoder_lib.sandbox.child.linux import syscalls

_VERSION_3 = 0x20080522
_SETUID, _SETGID, _KILL, _SYS_ADMIN, _SETPCAP = 7, 6, 5, 21, 8
_FIRST_ID = 1_900_000_000  # beyond what systems hand out, so that nothing else runs as it
_header = ctypes.create_string_buffer(
    _VERSION_3.to_bytes(4, "little") + bytes(4),
    8,
)
_capset = syscalls.libc_function("capset", ctypes.c_void_p, ctypes.c_void_p)


class Drop:
    """How to give rights up. `layer` is its name; `drop` does it, in a child."""

    def __init__(self, layer: str, user: int | None, capabilities: bool) -> None:
        self.layer = layer
        self.user = user
        self.capabilities = capabilities

    def drop(self) -> None:
        if self.user is not None:
            os.setresgid(self.user, self.user, self.user)
            os.setresuid(self.user, self.user, self.user)  # from root: all capabilities go too
        elif self.capabilities:
            set_capabilities(0)


def in_user_namespace() -> Drop:
    """The zygote has all capabilities in its own user namespace; a child has none."""
    return Drop("no capabilities", None, True)


def as_root() -> Drop:
    """A child becomes a user that owns nothing; the zygote keeps what it needs for that."""
    os.setgroups([])
    mask = 1 << _SETUID | 1 << _SETGID | 1 << _KILL | 1 << _SYS_ADMIN
    set_capabilities(mask)
    return Drop("unprivileged user", _FIRST_ID + os.getppid() % 1_000_000, True)


def set_capabilities(mask: int) -> None:
    """Reduce the effective and permitted sets to `mask`; the inheritable set becomes empty."""
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = b"".join(word.to_bytes(4, "little") for word in (low, low, 0, high, high, 0))
    if _capset(_header, ctypes.create_string_buffer(data, 24)):  # type: ignore[operator]
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "capset")


def other_user_can_read(paths: list[str]) -> bool:
    """Whether a user that owns nothing can read all of `paths`, found by trying in a child."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(_FIRST_ID, _FIRST_ID, _FIRST_ID)
            os.setresuid(_FIRST_ID, _FIRST_ID, _FIRST_ID)
            for path in paths:
                if os.path.isdir(path):
                    os.listdir(path)
                else:
                    os.close(os.open(path, os.O_RDONLY))
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
