"""`accelerate launch -m semcoder_lib.training --rows ROWS.jsonl --out FOLDER [--config FILE]`.

Rows are ours (`id`, `task`, `prompt`, `completion`) or the hub's (`training.hub`). Prints one JSON
line, from the first process only.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcoder_lib.core.errors import SemcoderError, UserError
from semcoder_lib.training import hub
from semcoder_lib.training.settings import Config
from semcoder_lib.training.train import train


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
        examples = [e for path in options.rows for e in hub.read(path)]
        result = train(
            examples, options.out, base=options.base, adapter=options.adapter, config=config
        )
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    from accelerate import PartialState

    state = PartialState()
    if state.is_main_process:
        print(json.dumps(result.summary()))
    state.destroy_process_group()  # a process that leaves before the others can abort them
    return 0


def read_config(path: Path | None, settings: Sequence[str] = ()) -> Config:
    """A configuration from a file and `FIELD=VALUE` settings. Raises UserError for a field that
    does not exist or a value of the wrong type."""
    import yaml
    from pydantic import TypeAdapter, ValidationError

    given: Any = {}
    if path is not None:
        try:
            given = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise UserError(f"{path}: cannot be read ({error})") from None
        if not isinstance(given, dict):
            raise UserError(f"{path}: expected fields and values")
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: expected FIELD=VALUE")
        given[name] = yaml.safe_load(text)
    fields = [field.name for field in dataclasses.fields(Config)]
    for name in given.keys() - fields:
        raise UserError(f"training has no field {name!r}: choose from {', '.join(fields)}")
    try:
        return TypeAdapter(Config).validate_python(given)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise UserError(f"training: {wrong['loc'][0]}={wrong['input']!r}: {wrong['msg']}") from None


if __name__ == "__main__":
    sys.exit(main())
