"""Jobs: sharing, duplicates, plug-ins, input, paths, determinism, calibration."""

from __future__ import annotations

import collections
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox, calibrate, flips
from semcoder_lib.sandbox.child.linux import filters, syscalls, view


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=1.0, wall_seconds=8.0), workers=2) as made:
        yield made


COUNTER = "seen = []\ndef f(x):\n    seen.append(x)\n    print(x)\n    return len(seen)"


def test_calls_share_nothing_unless_asked(box: Sandbox) -> None:
    calls = [("a",), ("b",), ("c",)]
    own, fresh, kept = box.map(
        [
            Job(COUNTER, "f", calls),
            Job(COUNTER, "f", calls, share=True),
            Job(COUNTER, "f", calls, share=True, reload=False),
        ]
    )
    assert [o.value for o in own] == [1, 1, 1]
    assert [o.value for o in fresh] == [1, 1, 1]
    assert [o.value for o in kept] == [1, 2, 3]
    for outcomes in (own, fresh, kept):
        assert [o.stdout for o in outcomes] == ["a\n", "b\n", "c\n"]


def test_a_shared_job_that_keeps_dying_is_given_up(box: Sandbox) -> None:
    source = "import os\ndef f(x):\n    if x: os._exit(1)\n    return x"
    job = Job(source, "f", [(i,) for i in range(6)], share=True, give_up=2)
    (outcomes,) = box.map([job])
    assert [o.status for o in outcomes] == [Status.OK] + [Status.EARLY_EXIT] * 5
    assert ["not run" in o.note for o in outcomes] == [False] * 3 + [True] * 3


def test_results_beyond_one_file_go_on_in_the_next_process(box: Sandbox) -> None:
    limits = Limits(result_bytes=5_000)
    job = Job("def f(x): return 'x' * 900", "f", [(i,) for i in range(20)], limits, share=True)
    (outcomes,) = box.map([job])
    assert [o.value for o in outcomes] == ["x" * 900] * 20


def test_equal_jobs_of_one_map_run_once_and_only_there(box: Sandbox) -> None:
    job = Job("import time\ndef f(): return time.monotonic()", "f")
    first, second = ([o.value for (o,) in box.map([job, job, job])] for _ in range(2))
    assert len(set(first)) == 1
    assert set(first) != set(second)
    with Sandbox(workers=1, dedupe=False) as other:
        assert len({o.value for (o,) in other.map([job, job, job])}) == 3


def test_arguments_arrive_exactly(box: Sandbox) -> None:
    arguments = (
        1 << 5000, -0.0, float("inf"), 2 - 3j, "\ud800", b"\0", bytearray(b"x"), None, (), [[]],
        {1: {2}}, frozenset({3}), range(9), collections.Counter("ab"), collections.deque([1], 2),
    )  # fmt: skip
    outcome = box.call("def f(*a): return a", "f", arguments)
    assert values.encode(outcome.value) == values.encode(arguments)
    with pytest.raises(values.Unserializable):
        box.call("def f(x): return x", "f", (object(),))


def test_input_main_and_methods(box: Sandbox) -> None:
    program = "name = input()\nif __name__ == '__main__':\n    print('hello', name)"
    ((run,), (method,)) = box.map(
        [
            Job(program, "", stdin="world\n"),
            Job("class S:\n    def go(self, x): return x + 1", "S.go", [(1,)]),
        ]
    )
    assert (run.status, run.value, run.stdout) == (Status.OK, None, "hello world\n")
    assert method.value == 2


PLUGIN = """
import time
def call(function, arguments, options, emit):
    emit("begun")
    result = function(*arguments)
    emit(options["say"] * 3)
    return [result]
"""


def test_plugins_make_the_calls_and_emit(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandbox_test_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    source = "def f(x):\n    while x == 'loop': pass\n    return 1 // x"
    limits = Limits(cpu_seconds=0.2)
    job = Job(source, "f", [(1,), (0,), ("loop",)], limits, "sandbox_test_plugin", {"say": "ab"})
    fine, raised, looped = next(box.map([job]))
    assert (fine.value, fine.payload) == ([1], "ababab")
    assert (raised.status, raised.payload) == (Status.EXCEPTION, "begun")
    assert (looped.status, looped.payload) == (Status.TIMEOUT, "begun")
    assert box.call("def f(x): return x", "f", (5,)).value == 5


def test_paths_are_readable_and_importable_for_their_jobs_only(
    box: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "neighbour.py").write_text("ANSWER = 42")
    tmp_path.chmod(0o755)
    source = "def f():\n    import neighbour\n    return neighbour.ANSWER"
    ((there,), (absent,)) = box.map([Job(source, "f", paths=(str(tmp_path),)), Job(source, "f")])
    assert there.value == 42
    assert absent.exception is not None
    assert absent.exception.type == "ModuleNotFoundError"


@pytest.mark.parametrize("level", ["full", "no-namespaces"])
def test_installed_packages_are_hidden_unless_named(level: str) -> None:
    site = Path(os.__file__).parent / "site-packages"
    folder = next((p.parent for p in site.glob("*/__init__.py")), None)
    if folder is None:
        pytest.skip("nothing is installed beside the base interpreter")
    source = "def f(path): return len(open(path).read(9))"
    call = [(str(folder / "__init__.py"),)]
    try:
        with Sandbox(level, workers=1) as box:
            ((hidden,), (named,)) = box.map(
                [Job(source, "f", call), Job(source, "f", call, paths=(str(folder),))]
            )
    except InfrastructureError as error:
        pytest.skip(f"level {level} cannot be set up here: {error}")
    assert hidden.status is Status.EXCEPTION
    assert named.status is Status.OK


def test_what_may_be_read_leaves_out_packages(tmp_path: Path) -> None:
    tree = tmp_path / "lib"
    for name in ("python3/site-packages/data", "python3/json", "other/dist-packages", "etc"):
        (tree / name).mkdir(parents=True)
    (tree / "python3" / "link").symlink_to("/")
    mine = tree / "other" / "dist-packages"
    readable = view.Readable([str(tree)], [str(mine)])
    assert str(tree) in readable.trees
    hidden = str(tree / "python3" / "site-packages")
    assert [h for h in readable.hidden if h.startswith(str(tree))] == [hidden]
    whole, listed = readable.pieces()
    ours = {p.removeprefix(str(tree) + "/") for p in whole if p.startswith(str(tree) + "/")}
    assert ours == {"python3/json", "other", "other/dist-packages", "etc"}
    assert {str(tree), str(tree / "python3")} <= set(listed)


def test_children_are_alike_whatever_the_worker() -> None:
    source = """
import random
def f(x):
    return [hash("abc"), random.random(), list({"a", "b", None, 3.5}), __name__, x]
"""
    jobs = [Job(source, "f", [(i % 3,)]) for i in range(12)]
    seen = []
    for workers in (1, 2):
        with Sandbox(workers=workers, dedupe=False) as box:
            seen.append([o.value[:2] + o.value[3:] for (o,) in box.map(jobs)])
    assert seen[0] == seen[1]


def test_calibrated_limits_and_steady_verdicts(box: Sandbox) -> None:
    jobs = [
        Job("def f(n): return sum(range(n))", "f", [(10,)]),
        Job("def f(n): return sum(range(n))", "f", [(6_000_000,)]),
    ]
    quick, slow = calibrate(box, jobs, factor=10, floor=0.5)
    assert quick.cpu_seconds == 0.5
    assert slow.cpu_seconds > 0.5
    assert slow.wall_seconds >= 3 * slow.cpu_seconds
    steady = flips(box, jobs, runs=2)
    assert (steady.calls, steady.rate) == (2, 0.0)
    with pytest.raises(UserError, match="reference 0"):
        calibrate(box, [Job("import os; os._exit(1)", "f")])


def test_a_close_timeout_is_repeated_alone() -> None:
    source = """
import time
def f(seconds):
    while time.process_time() < seconds: pass
    return 'ended'
"""
    limits = Limits(cpu_seconds=0.4, wall_seconds=30.0, grace=1.0)
    with Sandbox(limits=limits, workers=1) as box:
        near = box.call(source, "f", (0.6,))
        far = box.call(source, "f", (5.0,))
    assert (near.status, near.flags) == (Status.TIMEOUT, ("repeated",))
    assert (far.status, far.flags) == (Status.TIMEOUT, ())


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filters_assemble_for_both_machines(machine: str) -> None:
    big = filters.zygote_filter(machine)
    small, places = filters.child_filter(own_signals_only=True, machine=machine)
    assert big.size < 4096
    assert small.size < 200
    assert len(places) == 2
    for name in ("read", "mmap", "futex", "exit_group", "clone", "landlock_restrict_self"):
        assert syscalls.number(name, machine) is not None
    assert "execve" not in filters.PROGRAM + filters.ZYGOTE


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filters_decide_as_meant(machine: str) -> None:
    """The filters' own machine code, interpreted here, asked about single calls."""
    small, places = filters.child_filter(own_signals_only=True, machine=machine)
    for place in places:
        small.set_word(place, 77)
    big = filters.zygote_filter(machine)

    def allowed(code: filters.Filter, name: str, *arguments: int) -> bool:
        number = syscalls.number(name, machine)
        assert number is not None
        return _decide(code, syscalls.AUDIT[machine], number, arguments) == 0x7FFF0000

    assert allowed(big, "read")
    assert allowed(big, "fcntl", 3, 1)
    assert not allowed(big, "fcntl", 3, 8)
    assert not allowed(big, "pivot_root")
    assert not allowed(big, "clone3")
    assert not allowed(big, "prlimit64", 5)
    assert allowed(small, "read")
    assert allowed(small, "clone", 0x3D0F00)
    assert not allowed(small, "clone", 17)
    assert allowed(small, "kill", 77, 9)
    assert not allowed(small, "kill", 76, 9)
    assert not allowed(small, "kill", 0xFFFFFFFF, 9)
    assert not allowed(small, "tkill", 77)
    assert allowed(small, "prlimit64", 0, 7, 0)
    assert not allowed(small, "prlimit64", 0, 7, 0x7F00)
    assert not allowed(small, "prlimit64", 0, 7, 0x7F0000000000)
    for name in ("unshare", "setns", "prctl", "sendto", "memfd_create", "setrlimit"):
        assert not allowed(small, name)
    assert _decide(big, 0xDEAD, 0, ()) == 0x80000000


def _decide(code: filters.Filter, arch: int, number: int, arguments: tuple[int, ...]) -> int:
    """A classic BPF interpreter for the four instructions used."""
    import struct

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
