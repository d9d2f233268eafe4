"""`accelerate launch -m semcoder_lib.training --rows ROWS.jsonl --out FOLDER [--config FILE]`.

Rows are ours (`id`, `task`, `prompt`, `completion`) or those of the official PyX and PyX-R. Prints
one JSON line, from the first process only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import SemcoderError, UserError
from semcoder_lib.core.profile import parse_set
from semcoder_lib.models import prompts
from semcoder_lib.training.rows import Config, Example
from semcoder_lib.training.train import train

_TEMPLATES = {
    "nl": ("nl_to_code", "NL2CODE_PROMPT"),
    "fwd_mnl": ("forward", "EXEC_O_PROMPT"),
    "bwd_mnl": ("backward", "EXEC_I_PROMPT"),
    "fault": ("refine", "REFINE_PROMPT"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m semcoder_lib.training")
    parser.add_argument("--rows", required=True, type=Path, nargs="+")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--config", type=Path, help="JSON or YAML with fields of training.Config")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    options = parser.parse_args(argv)
    try:
        config = read_config(options.config, options.set)
        examples = [e for path in options.rows for e in read_rows(path)]
        result = train(
            examples, options.out, base=options.base, adapter=options.adapter, config=config
        )
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    from accelerate import PartialState

    state = PartialState()
    if state.is_main_process:
        print(json.dumps(dataclasses.asdict(dataclasses.replace(result, losses=[]))))
    state.destroy_process_group()  # a process that leaves before the others can abort them
    return 0


def read_config(path: Path | None, settings: Sequence[str] = ()) -> Config:
    """A configuration from a file and `FIELD=VALUE` settings. Raises UserError for a field that
    does not exist or a value of the wrong type."""
    data: Any = {}
    if path is not None:
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise UserError(f"{path}: cannot be read ({error})") from None
        if not isinstance(data, dict):
            raise UserError(f"{path}: expected fields and values")
    data |= {name: yaml.safe_load(text) for name, text in parse_set(settings).items()}
    try:
        return Config(**data)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(f"training: {wrong['loc'][0]}={wrong['input']!r}: {wrong['msg']}") from None


def read_rows(path: Path | str) -> Iterator[Example]:
    """The examples of a JSONL file, of either form. Raises UserError with file and line for a row
    of neither, or with a prompt or completion that is no text."""
    for number, row in enumerate(workspace.read_jsonl(path), 1):
        where = f"{path}:{number}"
        if not {"prompt", "completion"} <= row.keys():
            yield hub_example(row, where)
            continue
        texts = [row["prompt"], row["completion"]]
        if not all(isinstance(text, str) for text in texts):
            raise UserError(f"{where}: prompt and completion must be texts")
        yield Example(str(row.get("id", number)), str(row.get("task", "")), *texts)


def hub_example(row: dict[str, Any], where: str) -> Example:
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


if __name__ == "__main__":
    sys.exit(main())
