"""Rows that a tiny model can learn, and what it made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.training import Example

PROMPTS = {  # stand in for the authors'
    "NL2CODE_PROMPT": "{instruction}\n{response}",
    "EXEC_O_PROMPT": "Simulate:\n{instruction}\n{response}",
    "EXEC_I_PROMPT": "Deduce:\n{instruction}\n{response}",
    "REFINE_PROMPT": "Debug:\n{instruction}\n{response}",
}


def examples(count: int = 40) -> list[Example]:
    """A condition repeated up to three times, and the number that it holds, modulo 5."""
    return [
        Example(f"e{i}", "forward", f"if {i} in x:\n" * (1 + i % 3), f"return {i % 5} [/ANSWER]")
        for i in range(count)
    ]


def rows(folder: Path) -> list[dict[str, Any]]:
    """What the log says of the steps."""
    return list(workspace.read_jsonl(folder / "logs" / "loss.jsonl"))


def curve(folder: Path) -> list[float]:
    """The losses of the steps."""
    return [row["loss"] for row in rows(folder)]
