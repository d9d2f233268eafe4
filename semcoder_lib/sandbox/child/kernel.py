"""The kernel: the filters built from the table of its system calls, `syscalls.txt`, and calls that
Python does not offer.

Two seccomp filters are assembled here: an allow-list that the zygote enters once and every child
inherits, and a short list that each child adds to deny what only the zygote may do. Two, because
installing a long one costs as much as a fork.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from typing import Any

Numbers = dict[str, tuple[int | None, int | None]]  # on x86-64, on aarch64


def _tables() -> list[Numbers]:
    """The sections of `syscalls.txt`, in order."""
    tables: list[Numbers] = []
    with open(os.path.join(os.path.dirname(__file__), "syscalls.txt")) as file:
        for line in file:
            if line.startswith("["):
                tables.append({})
            elif line[0] not in "#\n":
                for name, *numbers in map(str.split, line.split("|")):
                    x86, arm = (None if n == "-" else int(n) for n in numbers)
                    tables[-1][name] = x86, arm
    return tables


PROGRAM, ZYGOTE, _OTHER = _tables()
_NUMBERS = {**PROGRAM, **ZYGOTE, **_OTHER}
# AUDIT_ARCH_* of <linux/audit.h>, which a filter must check before it believes a number
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def machine() -> str:
    """The name of this machine's kind, as in `AUDIT`."""
    return os.uname().machine


def number(name: str, on: str = "") -> int | None:
    """The number of a system call here, or on the machine `on`; None if there is none."""
    column = list(AUDIT).index(on or machine()) if (on or machine()) in AUDIT else None
    return None if column is None else _NUMBERS[name][column]


def syscall(name: str, *arguments: Any) -> int:
    """Make the call; raises OSError with the call's name as its file name."""
    which = number(name)
    if which is None:
        raise OSError(38, "no such system call on this machine", name)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(which), *wide)), name)


def libc(name: str, *types: Any) -> Any:
    """A function of the C library that returns an int. Raises OSError with `name` as its file name
    when it is called in vain, also where there is no such function."""
    function = getattr(_libc, name, None)
    if function is None:
        return lambda *_: _checked(-1, name)
    function.argtypes, function.restype = types, ctypes.c_int
    function.errcheck = lambda result, *_: _checked(result, name) if result else 0
    return function


def _checked(result: int, name: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)
    return result


# A call as data: (function, arguments), for a child to make; it gives None or 0, or raises.
Call = tuple[Callable[..., Any], tuple[Any, ...]]
prctl = libc("prctl", *[ctypes.c_ulong] * 5)
_capset = libc("capset", ctypes.c_void_p, ctypes.c_void_p)
_CAP_HEADER = ctypes.create_string_buffer((0x20080522).to_bytes(4, "little") + bytes(4), 8)


def keeping_capabilities(*capabilities: int) -> Call:
    """The call that reduces the effective and permitted sets to these and empties the others."""
    mask = sum(1 << capability for capability in capabilities)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = struct.pack("<6I", low, low, 0, high, high, 0)
    return _capset, (_CAP_HEADER, ctypes.create_string_buffer(data, 24))


Code = list[tuple[int, int, int, int]]
_LD, _JEQ, _JSET, _RET = 0x20, 0x15, 0x45, 0x06
ALLOW: Code = [(_RET, 0, 0, 0x7FFF0000)]
EPERM: Code = [(_RET, 0, 0, 0x00050000 | 1)]
_ENOSYS: Code = [(_RET, 0, 0, 0x00050000 | 38)]
_KILL: Code = [(_RET, 0, 0, 0x80000000)]
_CLONE_THREAD = 0x00010000
_OWN_PID = 0xFFFFFFFF  # stands for the child's process id until it is known
# fcntl: descriptors, flags, pipe size; not the owner of signals, and no locks: a file may be
# everybody's, as /dev/null is
_FCNTL = (*range(5), 1030, 1032, 1034)
# ioctl: TCGETS, TIOCGWINSZ, FIONREAD, FIOCLEX, FIONCLEX, FIONBIO; not TIOCSTI and the devices
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5451, 0x5450, 0x5421)


def _argument(place: int, high: bool = False) -> Code:
    # seccomp_data: number at 0, arch at 4, arguments from 16, eight bytes each
    return [(_LD, 0, 0, 16 + 8 * place + 4 * high)]


def _if_equal(*values: int) -> Code:
    return [i for value in values for i in ((_JEQ, 0, 1, value), *ALLOW)]


# What the zygote and all below it may do: what is not named fails with EPERM.
_ZYGOTE_RULES: dict[str, Code] = {
    **dict.fromkeys((*PROGRAM, *ZYGOTE, "clone", "kill", "tgkill", "tkill"), ALLOW),
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
    **dict.fromkeys((*ZYGOTE, "setrlimit"), EPERM),
}  # fmt: skip
# Without a PID namespace: signals to itself alone. tkill names a thread of anybody.
_SIGNAL_RULES: dict[str, Code] = {
    **{name: [*_argument(0), *_if_equal(_OWN_PID), *EPERM] for name in ("kill", "tgkill")},
    "tkill": EPERM,
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


class Filter:
    """An assembled filter, and the call that enters it: `install`."""

    def __init__(self, rules: dict[str, Code], otherwise: Code, machine: str) -> None:
        code: Code = [(_LD, 0, 0, 4), (_JEQ, 1, 0, AUDIT[machine]), *_KILL, (_LD, 0, 0, 0)]
        for name, rule in rules.items():
            call = number(name, machine)
            if call is not None:
                code += [(_JEQ, 0, len(rule), call), *rule]
        code += otherwise
        self.size = len(code)
        self.own_pid = [8 * i + 4 for i, (_, _, _, k) in enumerate(code) if k == _OWN_PID]
        packed = b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
        self.code = ctypes.create_string_buffer(packed, len(packed))
        self.program = _Program(self.size, ctypes.cast(self.code, ctypes.c_void_p))
        # PR_SET_SECCOMP, SECCOMP_MODE_FILTER: for good, needs no_new_privs
        self.install: Call = prctl, (22, 2, ctypes.addressof(self.program), 0, 0)

    def bind(self, pid: int = 0) -> None:
        """Name the process whose signals to itself are allowed, by default this one."""
        for place in self.own_pid:
            struct.pack_into("<I", self.code, place, pid or os.getpid())


def zygote_filter(on: str = "") -> Filter:
    """The allow-list for the zygote and all below it. Unknown machines raise KeyError."""
    return Filter(_ZYGOTE_RULES, EPERM, on or machine())


def child_filter(own_signals_only: bool, on: str = "") -> Filter:
    """What a child adds: threads but no processes, nothing that only the zygote may do, and with
    `own_signals_only` signals to itself alone."""
    signals = _SIGNAL_RULES if own_signals_only else {}
    return Filter({**_CHILD_RULES, **signals}, ALLOW, on or machine())
