"""Training in two processes: the curve of one, and failures that are told."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from training_tiny import curve, examples

from semcoder_lib import scale
from semcoder_lib.errors import InfrastructureError, UserError
from semcoder_lib.generation import hardware
from semcoder_lib.training import Config, Example, TrainingStopped, parallel, train

CONFIG = Config(
    steps=6,
    batch_tokens=256,
    micro_tokens=128,
    max_length=128,
    learning_rate=1e-2,
    min_learning_rate=1e-3,
    threads=2,
    lora_rank=4,
    stop_check=0,
    dtype="float32",
)
TWO = dataclasses.replace(CONFIG, processes=2)


def test_two_processes_have_the_curve_of_one(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = dataclasses.replace(CONFIG, processes=1, micro_tokens=0, max_length=64, batch_tokens=128)
    two = dataclasses.replace(one, processes=2)
    micro = dataclasses.replace(one, micro_tokens=64)  # the pieces that two processes take
    train(examples(), tmp_path / "one", base=tiny, config=micro)
    capsys.readouterr()
    result = train(examples(), tmp_path / "two", base=tiny, config=two, held_out=examples(4))
    shown = capsys.readouterr().err
    assert "tokens are trained" in shown
    assert "training: step 6/6" in shown
    assert (result.hardware["processes"], result.hardware["threads"]) == (2, 1)
    assert result.steps == 6
    assert result.held_out_loss is not None
    assert result.held_out_loss < result.loss_first
    assert curve(tmp_path / "two") == pytest.approx(curve(tmp_path / "one"), abs=1e-3)
    assert (tmp_path / "two" / "adapter_model.safetensors").exists()
    assert train(examples(), tmp_path / "two", base=tiny, config=two) == result


def test_what_stops_a_process_stops_the_training_with_its_line(tiny: str, tmp_path: Path) -> None:
    wild = dataclasses.replace(TWO, learning_rate=3e2, steps=30)
    with pytest.raises(TrainingStopped, match=r"guessing evenly|loss is nan|gradient norm|zero"):
        train(examples(), tmp_path / "wild", base=tiny, config=wild)


DYING = """
import os, signal, sys, time
if os.environ["RANK"] == "1":
    print("about to go", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(60)
"""


def test_a_killed_process_is_told_and_takes_the_other_with_it(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(InfrastructureError, match="process 1 ended with SIGKILL: about to go"):
        parallel._watch([sys.executable, "-c", DYING, str(tmp_path / "pid")], 2, 1)
    assert time.monotonic() - started < 30
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_an_error_keeps_its_kind() -> None:
    script = "import sys; print('error: rows: no', file=sys.stderr); sys.exit(1)"
    with pytest.raises(UserError, match=r"^rows: no$"):
        parallel._watch([sys.executable, "-c", script], 2, 1)


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-c", "from semcoder_lib.training import parallel as p; import time;"
     "p.end_with_parent(); print('up', flush=True); time.sleep(120)"],
    env={**os.environ, "SEMCODER_PARENT": str(os.getpid())}, stdout=subprocess.PIPE,
)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(120)
"""


def test_processes_end_when_the_one_that_started_them_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and running(child):
        time.sleep(0.1)
    assert not running(child)


def running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_only_a_long_training_on_a_free_cpu_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "free_cores", lambda *_: 8)
    monkeypatch.setattr(scale, "memory", lambda: 32 * 2**30)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    long = Config(steps=1000, batch_tokens=2048)
    if hardware.probe(threads=1).device != "cpu":
        pytest.skip("a GPU is there")
    assert parallel.processes(long, []) == 2
    assert parallel.processes(dataclasses.replace(long, threads=1), []) == 1
    assert parallel.processes(dataclasses.replace(long, processes=1), []) == 1
    assert parallel.processes(Config(steps=10), []) == 1
    rows = [Example("a", "forward", "x" * 1000, "y" * 1000)]
    assert parallel.processes(Config(), rows) == 1
    assert parallel.processes(Config(), rows * 400) == 2
    monkeypatch.setattr(scale, "memory", lambda: 8 * 2**30)
    assert parallel.processes(long, []) == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert parallel.processes(dataclasses.replace(long, processes=2), []) == 1


@pytest.mark.slow
def test_killed_in_two_processes_and_resumed_has_the_undisturbed_curve(
    tiny: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(TWO, steps=400, save_steps=20, warmup_share=0.0)
    train(examples(), tmp_path / "whole", base=tiny, config=config)
    script = "import sys, test_training_parallel as t; t.run(sys.argv[1], sys.argv[2])"
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", script, tiny, str(killed)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if (killed / "loss.jsonl").exists() and len(curve(killed)) >= 30:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(3)  # its processes notice within a second
    assert 30 <= len(curve(killed)) < 400
    assert run(tiny, str(killed)).resumed_at >= 20
    whole = curve(tmp_path / "whole")
    assert len(whole) == 400
    assert curve(killed) == pytest.approx(whole, abs=1e-3)


def run(tiny: str, out: str):  # type: ignore[no-untyped-def]
    config = dataclasses.replace(TWO, steps=400, save_steps=20, warmup_share=0.0)
    return train(examples(), out, base=tiny, config=config)
