"""A long training on a CPU in two processes, each with its share of every step's rows.

Small matrices share badly between threads: on two cores with AVX512-BF16 two threads train no
faster than one, two processes nearly twice as fast.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from semcoder_lib import scale, workspace
from semcoder_lib.errors import InfrastructureError, SemcoderError, UserError
from semcoder_lib.generation import hardware
from semcoder_lib.training.settings import Config, Example, TrainingStopped

_MOST = 2
_MEMORY = 7 * 2**30  # bytes a process; 5.2 GB were measured with 1,536 tokens at once
_WORTH = 200_000  # tokens: a second process costs seconds to start
_PROGRESS = ("training: step", "training: stopped")
_ERRORS = {e.exit_status: e for e in (UserError, TrainingStopped)}


def processes(config: Config, examples: Sequence[Example]) -> int:
    """How many processes this training is worth: what `config` says, else two on a CPU with two
    free cores and 16 GB where it is long enough. One inside `accelerate launch`, whose processes
    are there already, and one on a GPU."""
    if "WORLD_SIZE" in os.environ:
        return 1
    if config.processes == 1 or hardware.probe(dtype=config.dtype, threads=1).device != "cpu":
        return 1
    if config.processes:
        return config.processes
    characters = sum(len(e.prompt) + len(e.completion) for e in examples)
    tokens = config.steps * config.batch_tokens or config.epochs * characters / 3
    if tokens < _WORTH:
        return 1
    room = scale.memory() // _MEMORY
    return max(1, min(_MOST, room, config.threads or hardware.free_cores()))


def launch(
    examples: Sequence[Example],
    out: Path,
    *,
    base: str,
    adapter: Path | str | None,
    config: Config,
    held_out: Sequence[Example],
    count: int,
) -> None:
    """Run this training in `count` processes of `python -m semcoder_lib.training`, showing what
    the first says; it leaves its files in `out`. Raises what stopped it; if this process is killed,
    they end too."""
    with tempfile.TemporaryDirectory(prefix="semcoder-training-") as folder:
        place = Path(folder)
        command = [sys.executable, "-m", "semcoder_lib.training", "--out", str(out), "--base", base]
        for name, rows in (("--rows", examples), ("--held-out", held_out)):
            path = place / f"{name[2:]}.jsonl"
            workspace.write_jsonl(path, [dataclasses.asdict(e) for e in rows])
            command += [name, str(path)]
        workspace.write_json(place / "config.json", config.row())
        command += ["--config", str(place / "config.json")]
        if adapter is not None:
            command += ["--adapter", str(adapter)]
        threads = max(1, (config.threads or hardware.free_cores()) // count)
        _watch(command, count, threads)


def _watch(command: list[str], count: int, threads: int) -> None:
    port = _free_port()
    running: list[subprocess.Popen[str]] = []
    said: list[list[str]] = [[] for _ in range(count)]
    readers = []
    try:
        for rank in range(count):
            given = {
                "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count,
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": threads,
                "ACCELERATE_USE_CPU": "true", "SEMCODER_PARENT": os.getpid(),
            }  # fmt: skip
            if sys.platform == "linux":
                given["GLOO_SOCKET_IFNAME"] = "lo"  # a laptop may not resolve its own name
            started = subprocess.Popen(
                command,
                env={**os.environ, **{k: str(v) for k, v in given.items()}},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
            running.append(started)
            assert started.stderr is not None
            reader = threading.Thread(
                target=_relay, args=(started.stderr, said[rank], rank == 0), daemon=True
            )
            reader.start()
            readers.append(reader)
        failed = _first_failure(running)
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()
        for reader in readers:
            reader.join(timeout=10)
    if failed is not None:
        raise _error(running[failed].returncode, said[failed], failed)


def _first_failure(running: list[subprocess.Popen[str]]) -> int | None:
    """Waits until all have ended well (None) or one has not (its number): the others would wait
    for it for ever."""
    while True:
        states = [process.poll() for process in running]
        for rank, state in enumerate(states):
            if state:
                return rank
        if all(state == 0 for state in states):
            return None
        time.sleep(0.2)


def _relay(source: IO[str], said: list[str], shown: bool) -> None:
    """Pass on what a process says, so that a notebook shows it; keep its end."""
    for line in source:
        said.append(line.rstrip())
        del said[:-50]
        if shown and line.startswith(_PROGRESS):
            print(line, end="", file=sys.stderr)


def _error(status: int, said: list[str], rank: int) -> SemcoderError:
    lines = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    if lines:
        return _ERRORS.get(status, InfrastructureError)(lines[-1])
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    last = next((line for line in reversed(said) if line.strip()), "it said nothing")
    return InfrastructureError(f"training: process {rank} ended with {how}: {last}")


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


def leave(status: int) -> None:
    """In a process that `launch` started: end at once. The way out of Python waits for the other
    processes, and their end may change the status."""
    if "SEMCODER_PARENT" in os.environ:
        os._exit(status)


def end_with_parent() -> None:
    """In a process that `launch` started: end when the launching process is gone."""
    parent = os.environ.get("SEMCODER_PARENT", "")
    if not parent.isdigit():
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
