"""A run's adapter in a form to be shared: half the bytes, its card, and what it scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import assets
from semcoder_lib.report import paper

LARGEST = 15 << 20  # bytes of the weights, for repositories that take no larger files
_SCORES = "\n## Scores\n\n"


def publish(run: str, out: Path | str, *, phase: str = "main", scores: str = "") -> dict[str, Any]:
    """Copies the adapter of the run named `run` to the folder `out`: weights in bfloat16 (one
    safetensors file), PEFT's configuration, and the card with `weights | bfloat16` added.

    `scores` names a run that evaluated the published folder (`--set adapter=OUT`, notebook 06, and
    05 where it did too): its table goes into the card, with n, intervals, seed and machine. Raises
    UserError when there is no such adapter, when its weights would exceed 15 MiB, or when `scores`
    evaluated other bytes or has another corpus, whose held-out programs may be among the adapter's;
    then nothing is written.
    """
    out = Path(out)
    source = workspace.Run(run).path / "04_sft" / phase
    if not (source / "adapter_model.safetensors").is_file():
        raise UserError(f"run {run!r} has no adapter in {source}; run notebook 04 first")
    weights = _halved(source / "adapter_model.safetensors")
    card = (source / "README.md").read_text(encoding="utf-8").rstrip("\n") + "\n"
    card += "| weights | bfloat16 |\n"
    if scores:
        there = out / "adapter_model.safetensors"
        if not there.is_file() or there.read_bytes() != weights:
            raise UserError(
                f"{out}: does not hold this adapter yet; publish without --scores first"
            )
        card += _SCORES + _scores(workspace.Run(scores).path, out, _card(source.parent))
    out.mkdir(parents=True, exist_ok=True)
    workspace.write_bytes(out / "adapter_model.safetensors", weights)
    config = (source / "adapter_config.json").read_bytes()
    workspace.write_bytes(out / "adapter_config.json", config)
    workspace.write_text(out / "README.md", card)
    return {"adapter": str(out), "bytes": len(weights), "hash": assets.weights_hash(str(out))}


def _halved(source: Path) -> bytes:
    import torch
    from safetensors.torch import load_file, save

    weights = {name: tensor.to(torch.bfloat16) for name, tensor in load_file(source).items()}
    data: bytes = save(weights, {"format": "pt"})
    if len(data) > LARGEST:
        raise UserError(
            f"{source}: {len(data) >> 20} MiB in bfloat16, more than {LARGEST >> 20}; train with a "
            "smaller lora_rank"
        )
    return data


def _card(folder: Path) -> dict[str, Any]:
    path = folder / "card.json"
    return dict(workspace.read_json(path)) if path.exists() else {"inputs": {}}


def _scores(run: Path, adapter: Path, trained: dict[str, Any]) -> str:
    folder = run / "06_reasoning"
    card = _card(folder)
    if not _evaluated(card, adapter):
        raise UserError(
            f"{folder}: not an evaluation of {adapter}; make one with `python -m semcoder_lib "
            f"stage 06 --run NAME --set adapter={adapter}`"
        )
    corpus = "01_pyx/pyx.jsonl"
    if card["inputs"].get(corpus) != trained["inputs"].get(corpus):
        raise UserError(f"{folder}: its corpus is not the one that {adapter} was trained on")
    rows = list(workspace.read_json(folder / "results.json")["scores"])
    code = run / "05_codegen"
    if _evaluated(_card(code), adapter):  # else it is of another adapter, or there is none
        rows += workspace.read_json(code / "results.json")["scores"]
    machine = card["machine"]
    told = f"{machine['cores']} cores, {machine['architecture']}"
    scorers = " and ".join(sorted({str(row["scorer"]) for row in rows}))
    lines = [
        f"Scorer: {scorers}; pass@1 in %, 95 % intervals over items; seed {card['seed']}; {told}. "
        "The held-out programs are of families that were not trained on.\n",
        "| | model | form | n | pass@1 |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {paper.TITLES[row['benchmark']]} | {row['model']} | "
            f"{row['setting'].replace('_', ' ')} | {row['n']} | {100 * row['value']:.1f} "
            f"[{100 * row['low']:.1f}, {100 * row['high']:.1f}] |"
        )
    return "\n".join(lines) + "\n"


def _evaluated(card: dict[str, Any], adapter: Path) -> bool:
    """Whether a card is of an evaluation of this folder: the setting, with the hash beside it."""
    used = card.get("used", {}).get("adapter")
    return isinstance(used, list) and used[1] == assets.weights_hash(str(adapter))
