"""The paper's configuration on two CPU processes, and its sharding; both on a tiny random model."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_model import save_tiny
from training_tiny import PROMPTS

from semcoder_lib import training
from semcoder_lib.core import workspace
from semcoder_lib.training.__main__ import read_config, read_rows

CONFIGS = Path(training.__file__).parent / "configs"


def free_port() -> str:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return str(made.getsockname()[1])


def hub_rows(count: int) -> list[dict[str, str]]:
    """Rows in the official data's format, exactly one of the three columns filled."""
    rows = []
    for i in range(count):
        row = {"id": f"r{i}", "nl": "", "fwd_mnl": "", "bwd_mnl": "", "response": f"return {i % 9}"}
        row[("nl", "fwd_mnl", "bwd_mnl")[i % 3]] = f"if {i}"
        rows.append(row)
    return rows


@pytest.mark.slow
def test_paper_configuration_runs_two_steps_on_two_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = save_tiny(tmp_path / "tiny")
    rows, out = tmp_path / "pyx.jsonl", tmp_path / "out"
    workspace.write_jsonl(rows, hub_rows(600))
    workspace.write_json(tmp_path / "data" / "authors_prompts.json", {"prompts": PROMPTS})
    command = [sys.executable, "-m", "accelerate.commands.launch"]
    command += ["--config_file", str(CONFIGS / "accelerate_cpu2.yaml")]
    command += ["--main_process_port", free_port(), "-m", "semcoder_lib.training"]
    command += ["--rows", str(rows), "--out", str(out), "--base", str(tiny)]
    command += ["--config", str(CONFIGS / "paper.yaml"), "--set", "steps=2", "--set", "threads=1"]
    done = subprocess.run(
        command,
        env={**os.environ, "SEMCODER_DATA": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    summary = json.loads(done.stdout.strip().splitlines()[-1])
    assert summary["hardware"]["processes"] == 2
    assert summary["steps"] == 2
    curve = list(workspace.read_jsonl(out / "logs" / "loss.jsonl"))
    assert [row["step"] for row in curve] == [1, 2]
    assert curve[0]["learning_rate"] <= 5e-5
    # one process sees the same 512 rows a step, so the first loss is the same
    monkeypatch.setattr("semcoder_lib.models.prompts.authors_prompts", lambda: PROMPTS)
    config = read_config(CONFIGS / "paper.yaml", ["steps=2", "threads=1"])
    alone = training.train(list(read_rows(rows)), tmp_path / "alone", base=str(tiny), config=config)
    assert alone.loss_first == pytest.approx(curve[0]["loss"], abs=1e-3)


def shard_worker(rank: int, port: str, folder: str, out: str) -> None:
    import torch.distributed as dist
    from torch.distributed.fsdp import fully_shard
    from transformers import AutoModelForCausalLM

    from semcoder_lib.training.cpu import accelerate

    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    mesh = dist.device_mesh.init_device_mesh("cpu", (2,))
    torch.manual_seed(0)
    ids = torch.randint(3, 90, (4, 16))
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for made in (plain, model):
        accelerate(made)
    for part in (*model.model.layers, model):
        fully_shard(part, mesh=mesh)
    shares = [p.to_local().numel() / p.numel() for p in model.parameters()]
    losses = []
    for made in (plain, model):
        optimiser = torch.optim.AdamW(made.parameters(), lr=1e-3)
        for _ in range(2):
            loss = made(input_ids=ids, labels=ids, labelled_loss=True) / ids.numel()
            losses.append(float(loss.detach()))
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
    result = {"shares": [min(shares), max(shares)], "losses": losses}
    Path(out, f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


@pytest.mark.slow
def test_fully_shard_halves_every_parameter_and_keeps_the_loss(tmp_path: Path) -> None:
    tiny = save_tiny(tmp_path / "tiny")
    torch.multiprocessing.spawn(
        shard_worker, (free_port(), str(tiny), str(tmp_path)), nprocs=2, join=True
    )
    for rank in range(2):
        seen = json.loads((tmp_path / f"{rank}.json").read_text())
        assert 0.45 < seen["shares"][0] <= seen["shares"][1] < 0.55
        first, second = seen["losses"][:2], seen["losses"][2:]
        assert second == pytest.approx(first, abs=1e-4)
        assert first[1] < first[0]


@pytest.mark.parametrize("name", ["fsdp2", "zero3", "cpu2"])
def test_accelerate_configurations_are_valid(name: str) -> None:
    from accelerate.commands.config.config_args import ClusterConfig
    from accelerate.utils import DistributedType

    path = CONFIGS / f"accelerate_{name}.yaml"
    config = ClusterConfig.from_yaml_file(str(path))
    kinds = {"fsdp2": "FSDP", "zero3": "DEEPSPEED", "cpu2": "MULTI_GPU"}
    assert config.distributed_type == DistributedType(kinds[name])
    assert ("NOT RUN HERE" in path.read_text()) == (name != "cpu2")


def test_paper_configuration_is_the_papers() -> None:
    config = read_config(CONFIGS / "paper.yaml")
    assert (config.lora_rank, config.epochs, config.batch_rows) == (0, 2.0, 512)
    assert (config.learning_rate, config.min_learning_rate) == (5e-5, 5e-6)
    assert (config.max_length, config.overlong) == (2048, "cut")
