"""A local page: paste a function and a call, see its execution told and every claim checked."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import yaml
from markupsafe import Markup

from semcoder_lib.core.errors import SemcoderError
from semcoder_lib.report import display
from semcoder_lib.run import demo
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing.viewer import Viewer

HERE = Path(__file__).parent
EXAMPLES: dict[str, dict[str, list[str]]] = yaml.safe_load((HERE / "examples.yaml").read_text())
TEMPLATE = jinja2.Template((HERE / "page.html").read_text(), autoescape=True)
LOOPBACK = "127.0.0.1"
LARGEST = 200_000  # bytes of a request


class Handler(BaseHTTPRequestHandler):
    """Answers the page's own requests, with text shown as text. A name that was resolved to this
    machine, and a form of another site, are refused. One request works at a time, since a sandbox
    serves one thread at a time."""

    timeout = 30  # seconds without a byte
    box: Sandbox
    work = threading.Lock()

    def do_GET(self) -> None:
        given = parse_qs(urlsplit(self.path).query)  # a link runs nothing
        self._answer({name: given[name][0] for name in ("kind", "example") if name in given})

    def do_POST(self) -> None:
        length = self.headers["Content-Length"] or "0"
        if not length.isdecimal() or len(length) > 9 or int(length) > LARGEST:
            self.send_error(413)
            return
        text = self.rfile.read(int(length)).decode("utf-8", "replace")
        form = parse_qs(text, keep_blank_values=True)
        self._answer({name: texts[0].replace("\r\n", "\n") for name, texts in form.items()})

    def _answer(self, form: dict[str, str]) -> None:
        host = self.headers["Host"] or ""
        origin = urlsplit(self.headers["Origin"] or f"http://{host}").netloc
        if host.split(":")[0] not in (LOOPBACK, "localhost") or origin != host:
            self.send_error(403)
            return
        with self.work:
            body = page(form, self.box).encode("utf-8", "backslashreplace")
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: Any) -> None:
        """Nothing: the terminal is for what went wrong."""


def page(form: dict[str, str], box: Sandbox) -> str:
    """The page with what came of a form; with an example where there is none. Whatever is pasted,
    its first line says what is wrong with it."""
    kind = "tests" if "tests" in form or form.get("kind") == "tests" else "calls"
    examples = EXAMPLES[kind]
    code, more = examples.get(form.get("example", ""), next(iter(examples.values())))
    form = {"code": code, "call": more, "tests": more, "text": ""} | form
    try:
        shown = [(title, Markup(part._repr_html_())) for title, part in _work(form, box)]
    except SemcoderError as error:
        shown = [(str(error), Markup(""))]
    except Exception as error:  # a page on a wall must not go blank over our mistake
        traceback.print_exc()
        line = f"this demo failed ({type(error).__name__}); its terminal says where"
        shown = [(line, Markup(""))]
    return TEMPLATE.render(
        form=form, kind=kind, examples=examples, shown=shown, limits=demo.LIMITS, level=box.level
    )


def _work(form: dict[str, str], box: Sandbox) -> Iterator[tuple[str, display.Shown]]:
    """What a button asks for, with titles. The form's text becomes the derived monologue."""
    code, call = form["code"], form["call"]
    match form.get("do"):
        case "explain":
            seen = demo.explain(code, call, box)
            form["text"] = seen.derived.text
            yield "Outcome", display.code(seen.outcome)
            yield "Printed", display.code(seen.trace.stdout or "nothing")
            yield from _claims("The monologue, derived from the trace", seen.derived)
            if seen.trace.steps:
                frame = Viewer(seen.program, seen.trace, seen.case).frame()
                yield "Step by step", display.Shown(frame, "")
        case "check":
            yield from _claims("Checked", demo.check(code, call, form["text"], box))
        case "debug":
            debugged = demo.debug(code, form["tests"], box)
            ran = [f"{'✓' if ok else '✗'} {test}  {end}" for test, ok, end in debugged.tests]
            yield "Tests", display.code("\n".join(ran))
            yield from _claims("What went wrong", debugged.rationale)
            if debugged.fixed:
                yield "A fix that passes every test", display.diff(debugged.buggy, debugged.fixed)


def _claims(title: str, text: demo.Text) -> Iterator[tuple[str, display.Shown]]:
    """A text with its claims coloured; the verdict and what contradicts it, in words."""
    wrong = [f"✗ {part.strip()} — trace: {fact}" for part, fact in text.contradictions()]
    if text.text:
        yield title, display.marked(text.text, text.claims)
    if text.note or wrong:
        yield "Verdict", display.code("\n".join([text.note, *wrong]).strip())


def main() -> int:
    """Serves the page until it is interrupted. Returns 3 where the port is taken or the machine
    cannot contain what is pasted."""
    parser = argparse.ArgumentParser(prog="python -m semcoder_lib.run.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=7860, help="0 takes a free one")
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            Sandbox(limits=demo.LIMITS, workers=1) as Handler.box,
            ThreadingHTTPServer((LOOPBACK, port), Handler) as server,
        ):
            print(
                f"http://{LOOPBACK}:{server.server_port}/  (Ctrl-C ends it)",
                file=sys.stderr,
                flush=True,
            )
            server.serve_forever()
    except SemcoderError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except (OSError, OverflowError) as error:
        print(f"port {port} of {LOOPBACK}: {error}; choose another with --port", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
