"""Things die, run out or are forbidden: the right verdict or a clear error, nothing hangs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks.arena import at_level, marked, parents

from semcoder_lib import sandbox
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox
from semcoder_lib.sandbox.child import kernel

ROOT = Path(__file__).parents[2]
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=5.0)
SLOW = "import time\ndef f(x):\n    time.sleep(0.4)\n    return x"
LOOP = "def f(x):\n    while True: pass"
ECHO = "def f(x): return x"


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.fixture(params=["auto", "no-namespaces", "portable"])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with at_level(request.param, LIMITS, workers=1) as box:
        yield box


def lineage(box: Sandbox) -> list[int]:
    """The keeper (if any), the zygote, and the running child, from the top."""
    host = box._workers[0].host
    line = [host.process.pid]
    while children := [pid for pid, parent in parents() if parent == line[-1]]:
        line.append(children[0])
    return line


@pytest.mark.parametrize("who", ["first", "zygote"])
def test_a_killed_zygote_is_replaced_and_nothing_is_lost(box: Sandbox, who: str) -> None:
    line = lineage(box)
    victim = line[0] if who == "first" else line[-1]
    threading.Timer(0.2, os.kill, (victim, signal.SIGKILL)).start()
    jobs = [Job(SLOW, "f", [(i,)]) for i in range(4)]
    assert [o.value for (o,) in box.map(jobs)] == [0, 1, 2, 3]
    assert not Path(f"/proc/{victim}").exists() or victim not in lineage(box)


def test_a_killed_child_is_a_crash(box: Sandbox) -> None:
    depth = len(lineage(box))

    def kill_child() -> None:
        assert eventually(lambda: len(lineage(box)) > depth)
        os.kill(lineage(box)[-1], signal.SIGKILL)

    killer = threading.Thread(target=kill_child)
    killer.start()
    outcome = box.call(LOOP, "f", (1,))
    killer.join()
    assert (outcome.status, outcome.note) == (Status.CRASHED, "SIGKILL")
    assert box.call(ECHO, "f", (3,)).value == 3


def test_a_lock_on_what_is_everybodys_ends_with_its_program(box: Sandbox) -> None:
    lock = "import fcntl\ndef f(x): return fcntl.flock(2, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    expected = Status.OK if box.level == "portable" else Status.EXCEPTION
    assert box.call(lock, "f", (1,)).status is expected
    with open("/dev/null") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_program_that_always_ends_its_zygote_has_a_status_of_its_own() -> None:
    with Sandbox("portable", LIMITS, workers=1) as box:
        killer = "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    return x"
        jobs = [Job(ECHO, "f", [(1,)]), Job(killer, "f", [(1,)]),
                Job(ECHO, "f", [(2,)])]  # fmt: skip
        first, second, third = [o for (o,) in box.map(jobs)]
    assert (first.value, third.value) == (1, 2)
    assert second.status is Status.SANDBOX_LOST
    assert "lost" in second.note


def test_close_leaves_no_process() -> None:
    others = set(marked(os.getpid()))  # boxes that fixtures of other tests still hold open
    box = Sandbox(limits=LIMITS, workers=2)
    jobs = [Job(ECHO, "f", [(i,)]) for i in range(8)]
    assert len(list(box.map(jobs))) == 8
    assert set(marked(os.getpid())) - others
    box.close()
    assert eventually(lambda: not set(marked(os.getpid())) - others)


PARENT = """
import sys
from semcoder_lib.sandbox import Sandbox, Limits
box = Sandbox(sys.argv[1], Limits(cpu_seconds=100, wall_seconds=100), workers=1)
print(box.level, flush=True)
box.call("def f(x):\\n    while True: pass", "f", (1,))
"""


@pytest.mark.parametrize("level", ["auto", "no-namespaces", "portable"])
def test_a_killed_parent_leaves_no_process(level: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, level], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline()
    assert eventually(lambda: len(marked(parent.pid)) >= 1)
    time.sleep(0.2)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: not marked(parent.pid))


def test_a_jumping_clock_changes_nothing_and_a_full_disk_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time", iter(range(10**9, 0, -(10**6))).__next__)
    with Sandbox(limits=LIMITS, workers=1) as box:
        assert box.call(ECHO, "f", (1,)).value == 1
        assert box.call(LOOP, "f", (1,)).status is Status.TIMEOUT

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    for level in ("auto", "portable"):
        with (
            Sandbox(level, LIMITS, workers=1) as box,
            pytest.raises(InfrastructureError, match="No space left"),
        ):
            box.call(ECHO, "f", (1,))


@pytest.mark.slow
def test_a_zygote_that_stands_still_is_replaced() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.5, wall_seconds=1.0), workers=1) as box:
        assert box.call(ECHO, "f", (1,)).value == 1
        for pid in lineage(box):
            os.kill(pid, signal.SIGSTOP)
        assert box.call(ECHO, "f", (2,)).value == 2


def test_an_abandoned_map_does_not_disturb_the_next_call() -> None:
    with Sandbox(limits=LIMITS, workers=1) as box:
        stream = box.map(Job(ECHO, "f", [(i,)]) for i in range(100))
        assert next(stream)[0].value == 0
        assert box.call("def f(x): return -x", "f", (7,)).value == -7
        assert next(stream)[0].value == 1
        stream.close()
        assert box.call("def f(x): return -x", "f", (8,)).value == -8


def test_wrong_use_is_a_clear_error() -> None:
    with pytest.raises(UserError, match="isolation"):
        Sandbox("maximal")
    with Sandbox("portable", workers=1) as box, pytest.raises(UserError, match="plug-in"):
        next(box.map([Job("def f(): return 1", "f", plugin="no.such.module")]))


# Refuses what Docker's default filter refuses, then asks for a sandbox.
FILTERED = """
import json, os, sys
from semcoder_lib.sandbox.child import kernel
kernel.prctl(38, 1, 0, 0, 0)
rules = dict.fromkeys(sys.argv[1].split(","), kernel.EPERM)
filter = kernel.Filter(rules, kernel.ALLOW, kernel.machine())
filter.install[0](*filter.install[1])
from semcoder_lib import sandbox
from semcoder_lib.core.errors import InfrastructureError
report = sandbox.doctor_report()
try:
    with sandbox.Sandbox("full", workers=1) as box:
        report["named"] = box.level
except InfrastructureError as error:
    report["named"] = str(error)
if report["ok"]:
    with sandbox.Sandbox(workers=1) as box:
        report["value"] = box.call("def f(x): return x + 1", "f", (1,)).value
print(json.dumps(report))
"""


@pytest.mark.skipif(kernel.machine() not in kernel.AUDIT, reason="no filter for this machine")
@pytest.mark.parametrize(
    ("names", "level", "refused", "remedy"),
    [
        ("unshare,setns,pivot_root,mount_setattr", "no-namespaces", "unshare", "user namespaces"),
        ("pivot_root", "no-namespaces", "pivot_root", "user namespaces"),  # a later step counts too
        ("unshare,landlock_create_ruleset", "", "Landlock", "portable"),
    ],
)
def test_where_a_step_is_refused_the_next_level_is_taken_and_said(
    names: str, level: str, refused: str, remedy: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILTERED, names],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["ok"], report["level"]) == (bool(level), level)
    assert report.get("value") == (2 if level else None)
    assert refused in str(report["refused"])
    assert remedy in str(report["remedy"])
    assert "full: " in str(report["named"])  # a named level fails closed


def test_the_doctor_names_the_level() -> None:
    report = sandbox.doctor_report()
    with Sandbox(workers=1) as box:
        assert report["ok"] is True
        assert (report["level"], report["layers"]) == (box.level, list(box.layers))
    # as the tool `unshare` finds, not our code
    command = ["unshare", "-Urpfnmi", "--mount-proc", "true"]
    if shutil.which("unshare") and not subprocess.run(command, capture_output=True).returncode:
        assert report["level"] == "full"
