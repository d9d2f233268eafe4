"""A local page: paste a function and a call, see its execution told and every claim checked."""

from __future__ import annotations

import argparse
import sys

from semcoder_lib.core.errors import SemcoderError
from semcoder_lib.run.demo.desk import Desk
from semcoder_lib.run.demo.serve import Served, listen, need_gradio


def main() -> int:
    """Serves the page until it is interrupted. Returns 1 where Gradio is missing or the model's
    name is wrong, 3 where the port is taken or the machine cannot contain what is pasted."""
    parser = argparse.ArgumentParser(prog="python -m semcoder_lib.run.demo", description=__doc__)
    parser.add_argument("--model", default="", help="a model to ask, e.g. smollm2-135m")
    parser.add_argument("--adapter", default=None, help="folder of its adapter")
    parser.add_argument("--port", type=_port, default=7860, help="0 takes a free one")
    options = parser.parse_args()
    engine = desk = None
    try:
        need_gradio()
        listening = listen(options.port)
        if options.model:
            from semcoder_lib import models as generation

            engine = generation.load(options.model, adapter=options.adapter)
        desk = Desk(engine)
        print(desk.about(), file=sys.stderr)
        page = Served(desk, listening)
        print(f"{page.address}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
        page.run()
    except SemcoderError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 0
    finally:
        if desk is not None:
            desk.close()
    return 0


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
