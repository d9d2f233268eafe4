"""Which models a run evaluates: the base, and what was trained or given by `adapter`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import source, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.answers import Model
from semcoder_lib.run.steps import weights

if TYPE_CHECKING:
    from semcoder_lib.run.notebook import Notebook


def base_of(profile: Any) -> Model:
    """The model of the profile, never tuned."""
    return Model("base", profile.model, None, profile.backend, weights(profile.model))


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
    found = (folder / "adapter_model.safetensors").exists() and not profile.server
    return replace(base_of(profile), label="shipped", adapter=folder) if found else None
