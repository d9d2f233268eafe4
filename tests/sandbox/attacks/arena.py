"""Runs attacks against one level of the sandbox, with bait laid out and counted afterwards.

    python -m attacks.arena LEVEL [THREAT,THREAT [NAME…]]

prints a row of JSON for each attack of these threats (of all if none is given) but those named.
Run level portable only in a jail of its own (`unshare -Urpf --mount-proc`): it contains nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from attacks import Attack, catalogue
from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox

LIMITS = Limits(cpu_seconds=0.4, wall_seconds=3.0, memory_mb=256, output_bytes=200_000, grace=0.0)
# What one program may cost the parent: seconds of processor time, and megabytes.
PARENT_SECONDS, PARENT_MB = 2.0, 200
# At level portable these leave a zygote that lives but hangs, which is given up after a while.
SLOW = ("stop the parent and the whole group", "PTRACE_ATTACH the parent", "write /proc/<ppid>/mem")
CLEAN = """
import fcntl, os, random, resource, signal, sys
def f(x):
    print("clean")
    limits = [resource.getrlimit(getattr(resource, "RLIMIT_" + name))
              for name in ("CPU", "FSIZE", "NOFILE", "NPROC", "STACK", "CORE")]
    return [len(sys.path) > 0, sys.getrecursionlimit(), random.random(), len("abc"),
            sorted(os.environ), [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in range(3)], limits,
            os.getpriority(os.PRIO_PROCESS, 0), os.umask(0o22), signal.alarm(0),
            sys.stdin.read(), sys.flags.hash_randomization, hash("a")]
"""


@dataclass
class Result:
    """`verdict` is the status, or passed/wrong after comparing; `effects` is what was found."""

    name: str
    threat: str
    verdict: str
    note: str = ""
    effects: list[str] = field(default_factory=list)


class Arena:
    """Bait, and a sandbox to test."""

    def __init__(self, level: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="arena-"))
        self.folder.chmod(0o755)
        self.outside, secret = self.folder / "outside", self.folder / "secret"
        os.environ["ARENA_SECRET"] = f"secret-{secrets.token_hex(8)}"
        secret.write_text(os.environ["ARENA_SECRET"])
        secret.chmod(0o644)
        self.tcp, self.abstract = (
            socket.create_server(("127.0.0.1", 0)),
            socket.socket(socket.AF_UNIX),
        )
        name = f"arena-{secrets.token_hex(8)}"
        self.abstract.bind(f"\0{name}")
        self.abstract.listen()
        for listener in (self.tcp, self.abstract):
            listener.setblocking(False)
        self.bait = {
            "@SECRET@": secret, "@OUTSIDE@": self.outside, "@VICTIM@": self.outside / "victim",
            "@PORT@": self.tcp.getsockname()[1], "@ABSTRACT@": name, "@ENV@": "ARENA_SECRET",
        }  # fmt: skip
        self.lay_out()
        # sandboxes that other tests of this process still hold open are not survivors of an attack
        self.before = set(marked(os.getpid()))
        self.box = Sandbox(level, LIMITS, workers=1, dedupe=False)
        self.baseline = self.box.call(CLEAN, "f", (0,)).value
        assert self.baseline is not None
        self.good = Job(CLEAN, "f", [(0,)])

    def lay_out(self) -> None:
        shutil.rmtree(self.outside, ignore_errors=True)
        self.outside.mkdir(exist_ok=True)
        self.outside.chmod(0o777)
        victim = self.outside / "victim"
        victim.write_text("precious")
        victim.chmod(0o666)
        self.state = self._outside_state()

    def _outside_state(self) -> list[tuple[Any, ...]]:
        # a change of the modification time counts, one of reading does not
        paths = sorted(self.outside.iterdir()) if self.outside.exists() else []
        return [
            (path.name, info.st_mode, info.st_uid, info.st_size, info.st_mtime_ns)
            for path, info in ((path, path.lstat()) for path in paths)
        ]

    def run(self, attack: Attack) -> Result:
        expected: Any = 4 if attack.threat == "timing" else [4, secrets.token_hex(8)]
        source = re.sub("@[A-Z]+@", lambda word: str(self.bait[word[0]]), attack.source)
        host = self.box._workers[0].host
        busy, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        jobs = [self.good, Job(source, "f", [(2,)]), *[self.good] * 4]
        before, outcome, *after = [outcomes[0] for outcomes in self.box.map(jobs)]
        busy = time.process_time() - busy
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) >> 10
        verdict = outcome.status.value
        if outcome.status is Status.OK:
            verdict = "passed" if values.equal(outcome.value, expected) else "wrong"
        said = f"{outcome.text} {outcome.stdout} {outcome.exception} {outcome.payload}"[:1_000_000]
        effects = self.effects(said)
        if busy > PARENT_SECONDS or memory > PARENT_MB:
            effects.append(f"parent: {busy:.1f} s, {memory} MB")
        if self.box._workers[0].host is not host:
            effects.append("runner killed")
        if any(o.value != self.baseline or o.stdout != "clean\n" for o in (before, *after)):
            effects.append("neighbour not clean")
        note = outcome.note or (outcome.exception.type if outcome.exception else "")
        return Result(attack.name, attack.threat, verdict, note, effects)

    def effects(self, said: str) -> list[str]:
        found = []
        if not self.folder.exists():
            subprocess.run(["umount", "/tmp"], check=True)
            found.append("mounted")
        if re.search("secret-[0-9a-f]{16}|leaked", said):
            found.append("leak")
        state = self._outside_state()
        if state != self.state:
            names = {row[0] for row in state}
            if "victim" not in names:
                found.append("deleted")
            elif names > {"victim"}:
                found.append("file outside")
            else:
                found.append("changed")
            self.lay_out()
        for listener in (self.tcp, self.abstract):
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                found.append("network")
        left = Path("/dev/shm/left-by-attack")
        if left.exists():
            left.unlink()
            found.append("shm left")
        survivors = self.survivors()
        patience = time.monotonic() + 2
        while survivors and time.monotonic() < patience:  # killed, but not yet given a turn to die
            time.sleep(0.02)
            survivors = self.survivors()
        if survivors:
            found.append("process left")
            for pid in survivors:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
        return found

    def survivors(self) -> list[int]:
        """Processes that carry the mark of this parent's sandboxes, or descend from its zygote,
        other than the keeper and the zygote."""
        host = self.box._workers[0].host
        known = set()
        if host is not None:
            known = {host.process.pid} | {
                p for p, parent in parents() if parent == host.process.pid
            }
        ours = set(marked(os.getpid())) | {pid for pid, parent in parents() if parent in known}
        return sorted(ours - known - self.before)

    def close(self) -> None:
        self.box.close()
        self.tcp.close()
        self.abstract.close()
        os.environ.pop("ARENA_SECRET", None)
        shutil.rmtree(self.folder, ignore_errors=True)


def at_level(level: str, limits: Limits | None = None, **options: Any) -> Sandbox:
    """A running sandbox; skips the test where the level cannot be set up."""
    import pytest

    box = Sandbox(level, limits, **options)
    try:
        assert box.layers
    except InfrastructureError as error:
        pytest.skip(f"level {level} cannot be set up here: {error}")
    return box


def marked(parent: int) -> list[int]:
    """Processes that a sandbox of `parent` started and that still run."""
    mark = f"SANDBOX_OF={parent}".encode()
    found = []
    for pid, _ in parents():
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/environ").read_bytes()
            if pid != os.getpid() and mark in text.split(b"\0"):
                found.append(pid)
    return found


def parents() -> list[tuple[int, int]]:
    """Running processes: (its id, its parent's)."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{name}/stat").read_text()
                state, parent = text.rpartition(")")[2].split()[:2]
                if state != "Z":
                    found.append((int(name), int(parent)))
    return found


def main(level: str, threats: str = "", *skipped: str) -> None:
    with contextlib.closing(Arena(level)) as arena:
        for attack in catalogue():
            wanted = not threats or attack.threat in threats.split(",")
            if wanted and attack.name not in skipped:
                print(json.dumps(asdict(arena.run(attack))), flush=True)
        assert arena.box.level == level


if __name__ == "__main__":
    main(*sys.argv[1:])
