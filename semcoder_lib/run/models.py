"""Which models a run evaluates: the base, and what was trained or given by `adapter`; and a run's
adapter in a form to be shared: half the bytes, its card, and what it scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder_lib import report
from semcoder_lib.core import source, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.answers import Model
from semcoder_lib.models import assets
from semcoder_lib.report import paper, tables
from semcoder_lib.run import steps

if TYPE_CHECKING:
    from semcoder_lib.run.notebook import Notebook


def base_of(profile: Any) -> Model:
    """The model of the profile, never tuned."""
    return Model("base", profile.model, None, profile.backend, steps.weights(profile.model))


def check_adapter(profile: Any) -> None:
    """Raises UserError for an `adapter` that is none, or that a server could not use."""
    given, path = profile.adapter, Path(profile.adapter)
    if profile.server and given != "none":
        raise UserError("backend: the server holds the one model: add --set adapter=none")
    there = any((path / name).exists() for name in ("adapter_config.json", "config.json"))
    if given not in ("", "none") and not there:
        raise UserError(f"adapter={given}: not a folder with an adapter or a model")


def models_of(run: Notebook, *, refined: bool = False) -> list[Model]:
    """The base model first, then the tuned one; with `refined` also what was trained on PyX-R after
    it. Notebook 04 is run first where it has to be. Raises UserError as `check_adapter` does."""
    base, given = base_of(run.profile), run.profile.adapter
    check_adapter(run.profile)
    if given == "none":
        return [base]
    if given:
        return [base, replace(base, label="tuned", adapter=Path(given))]
    models = [base, replace(base, label="tuned", adapter=run.file("04_sft/main"))]
    trained = workspace.read_json(run.file("04_sft/results.json")) if refined else {}
    for label, phase in (("refined", "refine"), ("traced", "refine_traced")):
        if phase in trained:
            models.append(replace(base, label=label, adapter=run.file(f"04_sft/{phase}")))
    return models


def shipped(profile: Any) -> Model | None:
    """The profile's model with the adapter in `adapters/` that was trained for an evening; None for
    a model that has none."""
    folder = source.LIBRARY.parent / "adapters" / f"{profile.model}-evening"
    there = (folder / "adapter_model.safetensors").exists() and not profile.server
    return replace(base_of(profile), label="shipped", adapter=folder) if there else None


# --- an adapter to be shared ---------------------------------------------------------------------


def publish(run: str, out: Path | str, *, phase: str = "main") -> dict[str, Any]:
    """Copies the adapter of the run named `run` to the folder `out`: weights in bfloat16 (one
    safetensors file), PEFT's configuration, and the card with `weights | bfloat16` and what
    notebooks 05 and 06 of the run measured. Raises UserError when there is no such adapter."""
    import torch
    from safetensors.torch import load_file, save

    out = Path(out)
    trained = workspace.Run(run).path / "04_sft" / phase
    if not (trained / "adapter_model.safetensors").is_file():
        raise UserError(f"run {run!r} has no adapter in {trained}; run notebook 04 first")
    weights = load_file(trained / "adapter_model.safetensors")
    halved = save({n: t.to(torch.bfloat16) for n, t in weights.items()}, {"format": "pt"})
    card = (trained / "README.md").read_text(encoding="utf-8").rstrip("\n") + "\n"
    card += "| weights | bfloat16 |\n"
    if phase == "main":
        card += _scores(report.read(trained.parents[1]))
    out.mkdir(parents=True, exist_ok=True)
    workspace.write_bytes(out / "adapter_model.safetensors", halved)
    config = (trained / "adapter_config.json").read_bytes()
    workspace.write_bytes(out / "adapter_config.json", config)
    workspace.write_text(out / "README.md", card)
    return {"adapter": str(out), "bytes": len(halved), "hash": assets.weights_hash(str(out))}


def _scores(data: report.Inputs) -> str:
    """A run's scores as a table; empty where there are none, or where they are not of the adapter
    that the run holds now."""
    scores = tables.scores(data)
    given = any(card.configuration.get("adapter") for card in data.cards.values())
    if not scores or given or data.warnings:
        return ""
    rows = [
        f"| {paper.title(s['benchmark'])} | {s['model']} | {s['setting'].replace('_', ' ')} | "
        f"{s['scorer']} | {tables.measured(s)} |"
        for s in scores
    ]
    head = (
        "\n## Scores\n\npass@1 in % with 95 % intervals over items, measured before the weights "
        "were halved. The held-out programs are of families that were not trained on.\n\n"
        "| | model | form | scorer | pass@1 |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"
