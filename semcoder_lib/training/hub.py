"""Rows to train on, from files: ours, or those of the official PyX and PyX-R."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.models import prompts
from semcoder_lib.training.settings import Example

_TEMPLATES = {
    "nl": ("nl_to_code", "NL2CODE_PROMPT"),
    "fwd_mnl": ("forward", "EXEC_O_PROMPT"),
    "bwd_mnl": ("backward", "EXEC_I_PROMPT"),
    "fault": ("refine", "REFINE_PROMPT"),
}


def read(path: Path | str) -> Iterator[Example]:
    """The examples of a JSONL file, of either form. Raises UserError with file and line for a row
    of neither, or with a prompt or completion that is no text."""
    for number, row in enumerate(workspace.read_jsonl(path), 1):
        where = f"{path}:{number}"
        if not {"prompt", "completion"} <= row.keys():
            yield example(row, where=where)
            continue
        texts = [row["prompt"], row["completion"]]
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f"{where}: prompt and completion must be texts")
        yield Example(str(row.get("id", number)), str(row.get("task", "")), *texts)


def example(row: dict[str, Any], *, where: str = "row") -> Example:
    """A row of the hub's PyX (`nl`, `fwd_mnl`, `bwd_mnl`, exactly one of them filled, and
    `response`) or PyX-R (`fault`, `response`), rendered with the authors' prompt for its task.
    Needs `authors_prompts.json`, see `prompts`."""
    filled = [name for name in _TEMPLATES if row.get(name)]
    if len(filled) != 1 or not isinstance(row.get("response"), str) or not row["response"]:
        raise UserError(
            f"{where}: expected exactly one of {', '.join(_TEMPLATES)} and a response, found "
            f"{', '.join(filled) or 'none'}"
        )
    task, template = _TEMPLATES[filled[0]]
    prompt = prompts.authors(template, instruction=str(row[filled[0]]), response="")
    return Example(str(row.get("id", where)), task, prompt, row["response"])
