"""`python -m semcoder_lib.demo [--model NAME] [--adapter FOLDER] [--port N]`."""

from __future__ import annotations

import argparse
import sys

from semcoder_lib.demo.page import Desk, serve
from semcoder_lib.errors import InfrastructureError, UserError


def main() -> int:
    """Serves the page until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m semcoder_lib.demo", description=__doc__)
    parser.add_argument("--model", default="", help="a model to ask, e.g. smollm2-135m")
    parser.add_argument("--adapter", default=None, help="folder of its adapter")
    parser.add_argument("--port", type=int, default=7860)
    options = parser.parse_args()
    engine = None
    try:
        if options.model:
            from semcoder_lib import generation

            engine = generation.load(options.model, adapter=options.adapter)
        desk = Desk(engine)
        print(f"http://127.0.0.1:{options.port}  {desk.about()}", file=sys.stderr)
        serve(desk, port=options.port)
    except (UserError, InfrastructureError) as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, UserError) else 3
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
