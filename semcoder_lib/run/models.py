"""Which models a run evaluates: the base, and what was trained or given by `adapter`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.evaluation.answers import Model
from semcoder_lib.models import assets

if TYPE_CHECKING:
    from semcoder_lib.run.notebook import Notebook


def models_of(run: Notebook, *, refined: bool = False) -> list[Model]:
    """The base model first, then the tuned one; with `refined` also what was trained on PyX-R after
    it. Notebook 04 is run first where it has to be. Raises UserError for an `adapter` that is none,
    or that a server could not use."""
    p, given = run.profile, run.profile.adapter
    own = Path(p.model)
    weights = ""
    if own.is_file():
        weights = workspace.file_hash(own)
    elif own.is_dir():
        weights = assets.weights_hash(p.model)

    def model(label: str, adapter: Path | None = None) -> Model:
        return Model(label, p.model, adapter, p.backend, weights)

    if p.server and given != "none":
        raise UserError("backend: the server holds the one model: add --set adapter=none")
    if given == "none":
        return [model("base")]
    if given:
        path = Path(given)
        if not (path / "adapter_config.json").exists() and not (path / "config.json").exists():
            raise UserError(f"adapter={given}: not a folder with an adapter or a model")
        return [model("base"), model("tuned", path)]
    models = [model("base"), model("tuned", run.file("04_sft/main"))]
    for label, phase in (("refined", "refine"), ("traced", "refine_traced")):
        if refined and (run.run.path / "04_sft" / phase).is_dir():
            models.append(model(label, run.file(f"04_sft/{phase}")))
    return models
