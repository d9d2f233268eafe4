"""Seccomp filters, assembled here: an allow-list that the zygote enters once and every child
inherits, and a short deny-list that each child adds for what only the zygote may do.

Two filters, because installing a long one costs as much as a fork.
"""

from __future__ import annotations

import ctypes
import struct

from semcoder_lib.sandbox.child.linux import syscalls

EPERM, ENOSYS = 1, 38
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
_LD, _JEQ, _JSET, _RET = 0x20, 0x15, 0x45, 0x06
_CLONE_THREAD = 0x00010000
_INSTRUCTION = struct.Struct("<HBBI")


def names(text: str) -> list[str]:
    return text.split()


# What a program in the sandbox may ask of the kernel. No sockets, no changes to files by name, no
# programs started, no other process touched, no keys, no tracing, no mounts, no io_uring.
PROGRAM = names("""
read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range fstat stat lstat
newfstatat statx access faccessat faccessat2 open openat readlink readlinkat getcwd chdir fchdir
getdents getdents64 statfs fstatfs flock dup dup2 dup3 pipe pipe2 fsync fdatasync ftruncate
umask mmap munmap mprotect mremap madvise brk msync mincore membarrier rt_sigaction
rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack
restart_syscall pause alarm getitimer setitimer timer_create timer_settime timer_gettime
timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime eventfd eventfd2
futex set_robust_list get_robust_list rseq set_tid_address arch_prctl sched_yield
sched_getaffinity getcpu nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time
times getrusage getrlimit setrlimit getpid getppid gettid getuid geteuid getgid getegid
getresuid getresgid getgroups getpgrp getpgid getsid getpriority uname sysinfo getrandom exit
exit_group poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait
epoll_pwait capget
""")
# What the zygote needs besides. Every child denies itself these.
ZYGOTE = names("""
wait4 waitid pidfd_open pidfd_send_signal setns unshare memfd_create sendto recvfrom sendmsg
recvmsg setresuid setresgid setgroups capset prctl seccomp landlock_restrict_self setsid
""")
# Allowed to both under a condition, see `_zygote_filter` and `_child_filter`.
CONDITIONAL = ["clone", "clone3", "kill", "tgkill", "tkill", "prlimit64", "fcntl", "ioctl"]
# fcntl: descriptors, flags, locks, pipe size; not the owner of signals
_FCNTL = [*range(8), 1030, 1032, 1034]
# ioctl: TCGETS, TIOCGWINSZ, FIONREAD, FIOCLEX, FIONCLEX, FIONBIO; not TIOCSTI and the devices
_IOCTL = [0x5401, 0x5413, 0x541B, 0x5451, 0x5450, 0x5421]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


class Filter:
    """An assembled filter. `code` stays alive as long as the object does."""

    def __init__(self, instructions: list[tuple[int, int, int, int]]) -> None:
        self.size = len(instructions)
        packed = b"".join(_INSTRUCTION.pack(*i) for i in instructions)
        self.code = ctypes.create_string_buffer(packed, len(packed))
        self.program = _Program(self.size, ctypes.cast(self.code, ctypes.c_void_p))
        self.address = ctypes.addressof(self.program)

    def install(self) -> None:
        """Enter the filter, for good. Needs no_new_privs or a capability."""
        syscalls.prctl(22, 2, self.address)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER

    def set_word(self, position: int, value: int) -> None:
        """Change the constant of one instruction before installing."""
        struct.pack_into("<I", self.code, position * _INSTRUCTION.size + 4, value)


def _start(machine: str) -> list[tuple[int, int, int, int]]:
    # seccomp_data: number at 0, arch at 4, arguments from 16, eight bytes each
    return [
        (_LD, 0, 0, 4),
        (_JEQ, 1, 0, syscalls.AUDIT[machine]),
        (_RET, 0, 0, _KILL),
        (_LD, 0, 0, 0),
    ]


def _only(number: int, argument: int, allowed: list[int]) -> list[tuple[int, int, int, int]]:
    """The call `number` only with one of these values of an argument's low word, else EPERM."""
    body = [(_LD, 0, 0, 16 + 8 * argument)]
    for value in allowed:
        body += [(_JEQ, 0, 1, value), (_RET, 0, 0, _ALLOW)]
    body.append((_RET, 0, 0, _ERRNO | EPERM))
    return [(_JEQ, 0, len(body), number), *body]


def zygote_filter(machine: str | None = None) -> Filter:
    """The allow-list for the zygote and all below it. Everything else fails with EPERM; unknown
    machines raise KeyError."""
    machine = machine or syscalls.machine()
    code = _start(machine)

    def number(name: str) -> int | None:
        return syscalls.number(name, machine)

    for name in [*PROGRAM, *ZYGOTE, "clone", "kill", "tgkill", "tkill"]:
        found = number(name)
        if found is not None:
            code += [(_JEQ, 0, 1, found), (_RET, 0, 0, _ALLOW)]
    for name, argument, allowed in (
        ("prlimit64", 0, [0]),
        ("fcntl", 1, _FCNTL),
        ("ioctl", 1, _IOCTL),
    ):
        found = number(name)
        if found is not None:
            code += _only(found, argument, allowed)
    code += [(_JEQ, 0, 1, number("clone3") or 435), (_RET, 0, 0, _ERRNO | ENOSYS)]
    code.append((_RET, 0, 0, _ERRNO | EPERM))
    return Filter(code)


def child_filter(own_signals_only: bool, machine: str | None = None) -> tuple[Filter, list[int]]:
    """What a child adds: threads but no processes, nothing that only the zygote may do, and with
    `own_signals_only` (no PID namespace) signals to itself alone. Returns the filter and the
    places of the words that must be set to the child's process id."""
    machine = machine or syscalls.machine()
    code = _start(machine)
    places: list[int] = []
    deny = (_RET, 0, 0, _ERRNO | EPERM)
    clone = syscalls.number("clone", machine)
    assert clone is not None
    code += [
        (_JEQ, 0, 4, clone),
        (_LD, 0, 0, 16),
        (_JSET, 0, 1, _CLONE_THREAD),
        (_RET, 0, 0, _ALLOW),
        deny,
    ]
    signals = ["tkill", "kill", "tgkill"] if own_signals_only else []
    for name in signals:
        found = syscalls.number(name, machine)
        if found is None:
            continue
        if name == "tkill":  # by thread number: nobody needs it, tgkill names the process
            code += [(_JEQ, 0, 1, found), deny]
            continue
        code += [(_JEQ, 0, 4, found), (_LD, 0, 0, 16), (_JEQ, 0, 1, 0), (_RET, 0, 0, _ALLOW), deny]
        places.append(len(code) - 3)
    limit = syscalls.number("prlimit64", machine)
    assert limit is not None  # reading a limit is fine, changing one is not
    code += [
        (_JEQ, 0, 6, limit),
        (_LD, 0, 0, 16 + 16),
        (_JEQ, 0, 3, 0),
        (_LD, 0, 0, 16 + 20),
        (_JEQ, 0, 1, 0),
        (_RET, 0, 0, _ALLOW),
        deny,
    ]
    for name in [*ZYGOTE, "setrlimit"]:
        found = syscalls.number(name, machine)
        if found is not None:
            code += [(_JEQ, 0, 1, found), deny]
    code.append((_RET, 0, 0, _ALLOW))
    return Filter(code), places
