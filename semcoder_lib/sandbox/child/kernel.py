"""The kernel: its system calls as a table, the filters built from it, and calls that Python does
not offer.

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


def _table(text: str) -> dict[str, tuple[int | None, int | None]]:
    rows = [cell.split() for line in text.strip().split("\n") for cell in line.split("|")]
    return {name: (_or_none(x86), _or_none(arm)) for name, x86, arm in rows}


def _or_none(number: str) -> int | None:
    return None if number == "-" else int(number)


# Name, number on x86-64 (`asm/unistd_64.h`), number on aarch64 (`asm-generic/unistd.h`); - where a
# machine lacks it. The numbers never change.
#
# What a program in the sandbox may ask of the kernel. No sockets, no changes to files by name, no
# programs started, no other process touched, no keys, no tracing, no mounts, no io_uring.
PROGRAM = _table("""
read 0 63 | write 1 64 | readv 19 65 | writev 20 66 | pread64 17 67 | pwrite64 18 68
preadv 295 69 | pwritev 296 70 | lseek 8 62 | close 3 57 | close_range 436 436 | fstat 5 80
stat 4 - | lstat 6 - | newfstatat 262 79 | statx 332 291 | access 21 - | faccessat 269 48
faccessat2 439 439 | open 2 - | openat 257 56 | readlink 89 - | readlinkat 267 78 | getcwd 79 17
chdir 80 49 | fchdir 81 50 | getdents 78 - | getdents64 217 61 | statfs 137 43 | fstatfs 138 44
flock 73 32 | dup 32 23 | dup2 33 - | dup3 292 24 | pipe 22 - | pipe2 293 59 | fsync 74 82
fdatasync 75 83 | ftruncate 77 46 | umask 95 166 | mmap 9 222 | munmap 11 215 | mprotect 10 226
mremap 25 216 | madvise 28 233 | brk 12 214 | msync 26 227 | mincore 27 232 | membarrier 324 283
rt_sigaction 13 134 | rt_sigprocmask 14 135 | rt_sigreturn 15 139 | rt_sigpending 127 136
rt_sigtimedwait 128 137 | rt_sigsuspend 130 133 | sigaltstack 131 132 | restart_syscall 219 128
pause 34 - | alarm 37 - | getitimer 36 102 | setitimer 38 103 | timer_create 222 107
timer_settime 223 110 | timer_gettime 224 108 | timer_getoverrun 225 109 | timer_delete 226 111
timerfd_create 283 85 | timerfd_settime 286 86 | timerfd_gettime 287 87 | eventfd 284 -
eventfd2 290 19 | futex 202 98 | set_robust_list 273 99 | get_robust_list 274 100 | rseq 334 293
set_tid_address 218 96 | arch_prctl 158 - | sched_yield 24 124 | sched_getaffinity 204 123
getcpu 309 168 | nanosleep 35 101 | clock_nanosleep 230 115 | clock_gettime 228 113
clock_getres 229 114 | gettimeofday 96 169 | time 201 - | times 100 153 | getrusage 98 165
getrlimit 97 163 | setrlimit 160 164 | getpid 39 172 | getppid 110 173 | gettid 186 178
getuid 102 174 | geteuid 107 175 | getgid 104 176 | getegid 108 177 | getresuid 118 148
getresgid 120 150 | getgroups 115 158 | getpgrp 111 - | getpgid 121 155 | getsid 124 156
getpriority 140 141 | uname 63 160 | sysinfo 99 179 | getrandom 318 278 | exit 60 93
exit_group 231 94 | poll 7 - | ppoll 271 73 | select 23 - | pselect6 270 72 | epoll_create 213 -
epoll_create1 291 20 | epoll_ctl 233 21 | epoll_wait 232 - | epoll_pwait 281 22 | capget 125 90
""")
# What the zygote needs besides. Every child denies itself these.
ZYGOTE = _table("""
wait4 61 260 | waitid 247 95 | pidfd_open 434 434 | pidfd_send_signal 424 424 | setns 308 268
unshare 272 97 | memfd_create 319 279 | sendto 44 206 | recvfrom 45 207 | sendmsg 46 211
recvmsg 47 212 | setresuid 117 147 | setresgid 119 149 | setgroups 116 159 | capset 126 91
prctl 157 167 | seccomp 317 277 | landlock_restrict_self 446 446 | setsid 112 157
""")
# Allowed under a condition (see the rules below), or made before the filter is entered.
_OTHER = _table("""
clone 56 220 | clone3 435 435 | kill 62 129 | tgkill 234 131 | tkill 200 130 | prlimit64 302 261
fcntl 72 25 | ioctl 16 29 | landlock_create_ruleset 444 444 | landlock_add_rule 445 445
mount_setattr 442 442 | pivot_root 155 41
""")
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
    function.errcheck = lambda result, *_: _checked(result, name)
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


def keeping_capabilities(*kept: int) -> Call:
    """The call that reduces the effective and permitted sets to `kept` and empties the others."""
    mask = sum(1 << capability for capability in kept)
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
            known = number(name, machine)
            if known is not None:
                code += [(_JEQ, 0, len(rule), known), *rule]
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
