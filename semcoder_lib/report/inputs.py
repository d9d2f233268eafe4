"""What a run left behind, as the report reads it: cards, results, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, workspace

FOLDERS = {
    0: "00_tour", 1: "01_pyx", 2: "02_monologues", 3: "03_pyx_r", 4: "04_sft", 5: "05_codegen",
    6: "06_reasoning", 7: "07_ablation", 8: "08_refinement",
}  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """Results and cards by stage number; a stage that did not run is absent."""

    folder: Path
    results: dict[int, dict[str, Any]]
    cards: dict[int, dict[str, Any]]
    conflicts: list[str] = field(default_factory=list)

    def get(self, stage: int, key: str, default: Any = None) -> Any:
        """One entry of a stage's results."""
        return self.results.get(stage, {}).get(key, default)

    def why_missing(self, stage: int) -> str:
        """The reason for a cell that stage `stage` would have filled."""
        if stage not in self.cards:
            return f"notebook {FOLDERS[stage][:2]} has not run"
        return "not part of this profile"


def read(run: Path) -> Inputs:
    """All finished stages of a run. Conflicts name every setting in which two cards differ, so
    that numbers of different configurations are never shown as one run's without saying so."""
    results, cards = {}, {}
    for number, name in FOLDERS.items():
        card = run / name / "card.json"
        if card.exists() and (run / name / "results.json").exists():
            cards[number] = dict(workspace.read_json(card))
            results[number] = dict(workspace.read_json(run / name / "results.json"))
    return Inputs(run, results, cards, _conflicts(cards))


def _conflicts(cards: dict[int, dict[str, Any]]) -> list[str]:
    seen: dict[str, dict[str, list[str]]] = {}
    for number, card in cards.items():
        # pairs that must agree: the whole effective configuration, and the versions
        for key, value in (*card["configuration"].items(), *card["versions"].items()):
            seen.setdefault(key, {}).setdefault(str(value), []).append(FOLDERS[number][:2])
    return [
        f"{key}: " + "; ".join(f"{v!r} in {', '.join(s)}" for v, s in sorted(values.items()))
        for key, values in sorted(seen.items())
        if len(values) > 1
    ]


def stale(cards: dict[int, dict[str, Any]]) -> list[str]:
    """Stages whose inputs have changed since they ran."""
    found = []
    for number, card in cards.items():
        for name, digest in card["inputs"].items():
            stage, _, file = name.partition("/")
            upstream = next((c for c in cards.values() if c["stage"] == stage), None)
            if upstream is not None and upstream["outputs"].get(file) != digest:
                found.append(f"{FOLDERS[number]} was made from another {name} than the present one")
                break
    return found


def entries(folder: Path, limit: int = 0) -> list[records.Entry]:
    """The first rows of the run's corpus."""
    rows = []
    for row in workspace.read_jsonl(folder / FOLDERS[1] / "pyx.jsonl"):
        rows.append(records.from_row(records.Entry, row))
        if limit and len(rows) >= limit:
            break
    return rows
