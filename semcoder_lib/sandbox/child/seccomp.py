"""Seccomp filters, assembled here: an allow-list that the zygote enters once and every child
inherits, and a short list that each child adds to deny what only the zygote may do.

Two filters, because installing a long one costs as much as a fork.
"""

from __future__ import annotations

import ctypes
import struct

from semcoder_lib.sandbox.child import kernel

Code = list[tuple[int, int, int, int]]
_LD, _JEQ, _JSET, _RET = 0x20, 0x15, 0x45, 0x06
ALLOW: Code = [(_RET, 0, 0, 0x7FFF0000)]
EPERM: Code = [(_RET, 0, 0, 0x00050000 | 1)]
_ENOSYS: Code = [(_RET, 0, 0, 0x00050000 | 38)]
_KILL: Code = [(_RET, 0, 0, 0x80000000)]
_CLONE_THREAD = 0x00010000
_OWN_PID = 0xFFFFFFFF  # stands for the child's process id until it is known
# fcntl: descriptors, flags, locks, pipe size; not the owner of signals
_FCNTL = (*range(8), 1030, 1032, 1034)
# ioctl: TCGETS, TIOCGWINSZ, FIONREAD, FIOCLEX, FIONCLEX, FIONBIO; not TIOCSTI and the devices
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5451, 0x5450, 0x5421)


def _argument(place: int, high: bool = False) -> Code:
    # seccomp_data: number at 0, arch at 4, arguments from 16, eight bytes each
    return [(_LD, 0, 0, 16 + 8 * place + 4 * high)]


def _if_equal(*values: int) -> Code:
    return [i for value in values for i in ((_JEQ, 0, 1, value), *ALLOW)]


# What the zygote and all below it may do: what is not named fails with EPERM.
_ZYGOTE_RULES: dict[str, Code] = {
    **dict.fromkeys((*kernel.PROGRAM, *kernel.ZYGOTE, "clone", "kill", "tgkill", "tkill"), ALLOW),
    "clone3": _ENOSYS,  # so that the C library falls back to clone, whose flags can be looked at
    "prlimit64": [*_argument(0), *_if_equal(0), *EPERM],
    "fcntl": [*_argument(1), *_if_equal(*_FCNTL), *EPERM],
    "ioctl": [*_argument(1), *_if_equal(*_IOCTL), *EPERM],
}
# What a child may do of that: what is not named is allowed.
_CHILD_RULES: dict[str, Code] = {
    "clone": [*_argument(0), (_JSET, 0, 1, _CLONE_THREAD), *ALLOW, *EPERM],
    # reading a limit is fine, changing one is not: the new limits must be a null pointer
    "prlimit64": [
        *_argument(2), (_JEQ, 0, 3, 0), *_argument(2, high=True), *_if_equal(0), *EPERM,
    ],
    **dict.fromkeys((*kernel.ZYGOTE, "setrlimit"), EPERM),
}  # fmt: skip
# Without a PID namespace: signals to itself alone. tkill names a thread of anybody.
_SIGNAL_RULES: dict[str, Code] = {
    **{name: [*_argument(0), *_if_equal(_OWN_PID), *EPERM] for name in ("kill", "tgkill")},
    "tkill": EPERM,
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


class Filter:
    """An assembled filter. `code` stays alive as long as the object does."""

    def __init__(self, rules: dict[str, Code], otherwise: Code, machine: str) -> None:
        code: Code = [(_LD, 0, 0, 4), (_JEQ, 1, 0, kernel.AUDIT[machine]), *_KILL, (_LD, 0, 0, 0)]
        for name, rule in rules.items():
            number = kernel.number(name, machine)
            if number is not None:
                code += [(_JEQ, 0, len(rule), number), *rule]
        code += otherwise
        self.size = len(code)
        self.own_pid = [8 * i + 4 for i, (_, _, _, k) in enumerate(code) if k == _OWN_PID]
        packed = b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
        self.code = ctypes.create_string_buffer(packed, len(packed))
        self.program = _Program(self.size, ctypes.cast(self.code, ctypes.c_void_p))
        self.address = ctypes.addressof(self.program)

    def bind(self, pid: int) -> None:
        """Name the process whose signals to itself are allowed."""
        for place in self.own_pid:
            struct.pack_into("<I", self.code, place, pid)

    def install(self) -> None:
        """Enter the filter, for good. Needs no_new_privs."""
        kernel.prctl(22, 2, self.address)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def zygote_filter(machine: str = "") -> Filter:
    """The allow-list for the zygote and all below it. Unknown machines raise KeyError."""
    return Filter(_ZYGOTE_RULES, EPERM, machine or kernel.machine())


def child_filter(own_signals_only: bool, machine: str = "") -> Filter:
    """What a child adds: threads but no processes, nothing that only the zygote may do, and with
    `own_signals_only` signals to itself alone."""
    signals = _SIGNAL_RULES if own_signals_only else {}
    return Filter({**_CHILD_RULES, **signals}, ALLOW, machine or kernel.machine())
