"""Which models a stage evaluates, and their engines, each loaded once and with its cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib import models as generation
from semcoder_lib.core.errors import UserError
from semcoder_lib.run.stages.session import Session


@dataclass(frozen=True)
class Model:
    """A model under evaluation: "base" is never tuned, "tuned" after `main`, "refined" after the
    fine-tuning on PyX-R that follows it, "traced" after the same with real traces in the prompts
    (table 4)."""

    label: str
    adapter: Path | None = None


def chosen(session: Session, *, refined: bool = False) -> list[Model]:
    """The models of this run: the base, and what was trained (or given by `adapter`)."""
    given = session.profile.adapter
    base = Model("base")
    if session.profile.server and given != "none":
        raise UserError("backend: the server holds the one model: add --set adapter=none")
    if given == "none":
        return [base]
    if given:
        path = Path(given)
        if not (path / "adapter_config.json").exists() and not (path / "config.json").exists():
            raise UserError(f"adapter={given}: not a folder with an adapter or a model")
        return [base, Model("tuned", path)]
    trained = session.upstream(4)
    models = [base, Model("tuned", trained / "main")]
    if refined and (trained / "refine").exists():
        models.append(Model("refined", trained / "refine"))
    if refined and (trained / "refine_traced").exists():
        models.append(Model("traced", trained / "refine_traced"))
    return models


@contextmanager
def engine(session: Session, model: Model) -> Iterator[generation.Engine]:
    """The model's engine, with the stage's generation cache."""
    p = session.profile
    where: dict[str, Any] = {"base_url": p.server} if p.server else {}
    made = generation.load(
        p.model,
        backend="openai" if p.server else p.backend,
        adapter=model.adapter,
        cache=session.path(f"cache_generations_{model.label}.jsonl"),
        **where,
    )
    try:
        yield made
    finally:
        made.close()
