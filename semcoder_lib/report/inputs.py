"""What a run left behind, as the report reads it: cards, results, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError

FOLDERS = {
    0: "00_tour", 1: "01_pyx", 2: "02_monologues", 3: "03_pyx_r", 4: "04_sft", 5: "05_codegen",
    6: "06_reasoning", 7: "07_ablation", 8: "08_refinement",
}  # fmt: skip


class Card(BaseModel):
    """What the report reads of a notebook's card."""

    run: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    configuration: dict[str, Any]
    versions: dict[str, str]
    machine: dict[str, str | int | None]
    isolation: dict[str, str | list[str]]
    seed: int
    seconds: float
    peak_memory_bytes: int


class Absent(Exception):
    """The run lacks what a table or figure needs; the message says what."""


@dataclass(frozen=True)
class Inputs:
    """Results and cards by notebook number; one that did not run is absent. `warnings` names what
    is damaged, and therefore not used, and what does not belong together."""

    results: dict[int, dict[str, Any]]
    cards: dict[int, Card]
    warnings: list[str] = field(default_factory=list)

    def get(self, number: int, key: str, default: Any = None) -> Any:
        """One entry of a notebook's results."""
        return self.results.get(number, {}).get(key, default)

    def need(self, number: int, key: str) -> Any:
        """One entry of a notebook's results. Raises Absent where it is not there, or empty."""
        if value := self.get(number, key):
            return value
        raise Absent(self.why_missing(number))

    def why_missing(self, number: int) -> str:
        """The reason for a cell that the notebook would have filled."""
        if number not in self.cards:
            return f"notebook {FOLDERS[number][:2]} has not run"
        return "not part of this profile"


def read(run: Path) -> Inputs:
    """All finished notebooks of a run whose card and results are whole. Numbers of different
    configurations, and notebooks whose inputs have changed since, are named in `warnings`."""
    results, cards, damaged = {}, {}, []
    for number, name in FOLDERS.items():
        if not (run / name / "card.json").exists():
            continue
        try:
            cards[number], results[number] = _notebook(run / name)
        except UserError as why:
            damaged.append(f"{name} is not used: {why}")
    return Inputs(results, cards, [*damaged, *_conflicts(cards), *_stale(cards)])


def _notebook(folder: Path) -> tuple[Card, dict[str, Any]]:
    try:
        card = Card.model_validate(workspace.read_json(folder / "card.json"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(f"card.json: {place}: {first['msg'].lower()}") from None
    path = folder / "results.json"
    results = workspace.read_json(path)
    if card.outputs.get("results.json") != workspace.file_hash(path):
        raise UserError("results.json is not the file that its card names; run its notebook again")
    if not isinstance(results, dict):
        raise UserError("results.json: expected an object")
    return card, results


def _conflicts(cards: dict[int, Card]) -> list[str]:
    """Every setting and version in which two cards differ."""
    seen: dict[str, dict[str, list[str]]] = {}
    for number, card in cards.items():
        for key, value in (*card.configuration.items(), *card.versions.items()):
            seen.setdefault(key, {}).setdefault(str(value), []).append(FOLDERS[number][:2])
    return [
        f"{key}: " + "; ".join(f"{v!r} in {', '.join(s)}" for v, s in sorted(values.items()))
        for key, values in sorted(seen.items())
        if len(values) > 1
    ]


def _stale(cards: dict[int, Card]) -> list[str]:
    """Notebooks whose inputs have changed since they ran."""
    outputs = {
        f"{FOLDERS[number]}/{file}": digest
        for number, card in cards.items()
        for file, digest in card.outputs.items()
    }
    known = {FOLDERS[number] for number in cards}
    changed = {
        FOLDERS[number]: name
        for number, card in cards.items()
        for name, digest in card.inputs.items()
        if name.partition("/")[0] in known and outputs.get(name) != digest
    }
    return [f"{notebook} was made from another {name} than the present one"
            for notebook, name in changed.items()]  # fmt: skip
