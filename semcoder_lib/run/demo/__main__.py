"""A local page: paste a function and a call, see its execution told and every claim checked."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Any

from semcoder_lib.core.errors import SemcoderError, UserError
from semcoder_lib.run.demo.work import LIMITS
from semcoder_lib.sandbox import Sandbox

LOOPBACK = "127.0.0.1"


def main() -> int:
    """Serves the page until it is interrupted. Returns 1 where Gradio is missing or the model's
    name is wrong, 3 where the port is taken or the machine cannot contain what is pasted."""
    parser = argparse.ArgumentParser(prog="python -m semcoder_lib.run.demo", description=__doc__)
    parser.add_argument("--model", default="", help="a model to ask, e.g. smollm2-135m")
    parser.add_argument("--adapter", default=None, help="folder of its adapter")
    parser.add_argument("--port", type=_port, default=7860, help="0 takes a free one")
    options = parser.parse_args()
    if options.adapter and not options.model:
        parser.error("--adapter needs the model that it belongs to: add --model NAME")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build = _builder()
        engine = None
        if options.model:
            from semcoder_lib import models

            engine = models.load(options.model, adapter=options.adapter)
        with Sandbox(limits=LIMITS, workers=1) as box:
            return _serve(build(box, engine), options.port)
    except SemcoderError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 0


def _builder() -> Any:
    """`page.build`. No variable of the environment may open the page to others, or send anything
    from it."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import gradio  # noqa: F401
    except ImportError:
        raise UserError('the page needs Gradio: pip install "semcoder-lib[demo]"') from None
    from semcoder_lib.run.demo.page import build

    return build


def _serve(page: Any, port: int) -> int:
    try:
        _, address, _ = page.launch(
            server_name=LOOPBACK, server_port=port or None, share=False, quiet=True,
            prevent_thread_lock=True, footer_links=[], run_history=False, ssr_mode=False,
            enable_monitoring=False, pwa=False, mcp_server=False,
        )  # fmt: skip
    except OSError:
        print(f"port {port} of {LOOPBACK} is in use; choose another with --port", file=sys.stderr)
        return 3
    print(f"{address}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
    try:
        signal.pause()
    finally:
        page.close(verbose=False)
    return 0


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
