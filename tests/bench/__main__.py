"""`./run_all.sh bench NAME [OPTIONS]`: one JSON line last on standard output."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence

from semcoder_lib.__main__ import Parser
from semcoder_lib.core.errors import SemcoderError, UsageError

NAMES = ("sandbox", "tracing", "generation", "training")


def main(argv: Sequence[str]) -> int:
    """Run one bench; returns the exit status."""
    try:
        name = argv[0] if argv else ""
        if name not in NAMES:
            raise UsageError(f"bench {name}: choose from {', '.join(NAMES)}")
        module = importlib.import_module(f"tests.bench.{name}")
        parser = Parser(prog=f"bench {name}", description=module.__doc__)
        module.arguments(parser)
        print(json.dumps({"bench": name, **module.run(parser.parse_args(argv[1:]))}), flush=True)
        return 0
    except SemcoderError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
