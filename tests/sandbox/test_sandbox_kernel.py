"""The seccomp filters, read as the kernel reads them, and what the mount view leaves out."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from semcoder_lib.sandbox.child import kernel, layers

ALLOWED, KILLED = 0x7FFF0000, 0x80000000


def decide(code: kernel.Filter, arch: int, number: int, arguments: tuple[int, ...]) -> int:
    """A classic BPF interpreter for the four instructions used."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *(arguments + (0,) * 6)[:6])
    program = [struct.unpack_from("<HBBI", code.code, i * 8) for i in range(code.size)]
    place = accumulator = 0
    while True:
        what, yes, no, constant = program[place]
        place += 1
        if what == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif what == 0x15:
            place += yes if accumulator == constant else no
        elif what == 0x45:
            place += yes if accumulator & constant else no
        else:
            assert what == 0x06
            return int(constant)


# (call, arguments): allowed to the zygote, to a child, to a child without a PID namespace
CONDITIONS = [
    ("fcntl", (3, 1), True, True, True),
    ("fcntl", (3, 6), False, True, True),
    ("fcntl", (3, 8), False, True, True),
    ("ioctl", (1, 0x5412), False, True, True),
    ("pivot_root", (), False, True, True),
    ("clone3", (), False, True, True),
    ("prlimit64", (5,), False, True, True),
    ("prlimit64", (0, 7, 0), True, True, True),
    ("prlimit64", (0, 7, 0x7F00), True, False, False),
    ("prlimit64", (0, 7, 0x7F0000000000), True, False, False),
    ("clone", (0x3D0F00,), True, True, True),
    ("clone", (17,), True, False, False),
    ("kill", (77, 9), True, True, True),
    ("kill", (76, 9), True, True, False),
    ("tgkill", (76, 76, 9), True, True, False),
    ("kill", (0xFFFFFFFF, 9), True, True, False),
    ("tkill", (77,), True, True, False),
]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filters_decide_as_meant(machine: str) -> None:
    filters = [
        kernel.zygote_filter(machine),
        kernel.child_filter(own_signals_only=False, on=machine),
        kernel.child_filter(own_signals_only=True, on=machine),
    ]
    filters[2].bind(77)

    def allowed(name: str, *arguments: int) -> list[bool] | None:
        number, arch = kernel.number(name, machine), kernel.AUDIT[machine]
        if number is None:
            return None
        return [decide(code, arch, number, arguments) == ALLOWED for code in filters]

    for name, arguments, *expected in CONDITIONS:
        assert allowed(name, *arguments) == expected, (name, arguments)
    for name in kernel.PROGRAM:
        limited = name == "setrlimit"
        assert allowed(name) in (None, [True, not limited, not limited]), name
    for name in kernel.ZYGOTE:
        assert allowed(name) == [True, False, False], name
    assert all(decide(code, 0xDEAD, 0, ()) == KILLED for code in filters)
    assert decide(filters[0], kernel.AUDIT[machine], 999, ()) != ALLOWED
    assert "execve" not in {**kernel.PROGRAM, **kernel.ZYGOTE}
    assert filters[0].size < 4096
    assert max(code.size for code in filters[1:]) < 200


def test_what_may_be_read_leaves_out_packages(tmp_path: Path) -> None:
    tree = tmp_path / "lib"
    for name in ("python3/site-packages/data", "python3/json", "other", "etc"):
        (tree / name).mkdir(parents=True)
    (tree / "python3" / "link").symlink_to("/")
    readable = layers.Readable([str(tree)])
    assert str(tree) in readable.trees
    hidden = str(tree / "python3" / "site-packages")
    assert [h for h in readable.hidden if h.startswith(str(tree))] == [hidden]
    whole, listed = readable.pieces()
    ours = {p.removeprefix(str(tree) + "/") for p in whole if p.startswith(str(tree) + "/")}
    assert ours == {"python3/json", "other", "etc"}
    assert {str(tree), str(tree / "python3")} <= set(listed)
