"""The page, in Gradio. Listens on loopback only; what is pasted runs only in the sandbox."""

from __future__ import annotations

import os
import threading
from typing import Any

from semcoder_lib.demo import html
from semcoder_lib.demo.debug import debug
from semcoder_lib.demo.examine import examine
from semcoder_lib.demo.paste import DEFAULT, Bounds, Engine
from semcoder_lib.errors import InfrastructureError, UserError
from semcoder_lib.sandbox import Sandbox

SOURCE = """def count_words(text):
    counts = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts
"""
CALL = "count_words('a b a')"
BUGGY = """def largest_gap(xs):
    best = 0
    for i in range(len(xs) - 2):
        gap = xs[i + 1] - xs[i]
        if gap > best:
            best = gap
    return best
"""
TESTS = "assert largest_gap([1, 2, 7]) == 5\nassert largest_gap([3]) == 0\n"


class Desk:
    """The work behind the page: one sandbox, one request at a time."""

    def __init__(self, engine: Engine | None = None, bounds: Bounds = DEFAULT) -> None:
        self.engine = engine
        self.bounds = bounds
        self.box = Sandbox(limits=bounds.limits(), workers=1)
        self._lock = threading.Lock()  # a sandbox serves one thread at a time

    def examine(self, source: str, call: str, ask: bool = False) -> tuple[str, str, str, str]:
        """HTML of outcome, trace, derived monologue, the model's; a refusal is one line."""
        with self._lock:
            try:
                engine = self.engine if ask else None
                found = examine(source, call, self.box, engine=engine, bounds=self.bounds)
            except (UserError, InfrastructureError) as error:
                return html.error(str(error)), "", "", ""
        return html.examined(found)

    def debug(
        self, source: str, tests: str, problem: str = "", ask: bool = False
    ) -> tuple[str, str, str, str]:
        """HTML of the tests, the derived rationale; the fixed program; the model's rationale."""
        with self._lock:
            try:
                engine = self.engine if ask else None
                found = debug(
                    source, tests, self.box, problem=problem, engine=engine, bounds=self.bounds
                )
            except (UserError, InfrastructureError) as error:
                return html.error(str(error)), "", "", ""
        return html.debugged(found)

    def about(self) -> str:
        """What is in force, in words."""
        layers = ", ".join(self.box.layers)
        model = self.engine.name if self.engine else "none (start with --model)"
        return (
            f"What you paste runs in the sandbox ({self.box.level}: {layers}), one request at a "
            f"time. {self.bounds.say()} Model: {model}."
        )

    def close(self) -> None:
        """Ends the sandbox."""
        self.box.close()


def build(desk: Desk) -> Any:
    """The Gradio app. Raises UserError when Gradio is not installed."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing leaves the machine
    try:
        import gradio as gr
    except ImportError:
        raise UserError('the page needs Gradio: pip install "semcoder-lib[demo]"') from None
    with gr.Blocks(title="SemCoder: executions in words") as page:
        gr.HTML(f"<style>{html.STYLE}</style>")
        gr.Markdown("# Executions in words, checked\n" + desk.about())
        with gr.Tab("Explain a call"):
            source = gr.Code(SOURCE, language="python", label="Code", elem_id="source")
            call = gr.Textbox(CALL, label="Call", elem_id="call")
            ask = gr.Checkbox(False, label="ask the model too", interactive=desk.engine is not None)
            go = gr.Button("Explain", variant="primary", elem_id="explain")
            outcome = gr.HTML(elem_id="outcome")
            derived = gr.HTML(elem_id="derived")
            model = gr.HTML(elem_id="model")
            with gr.Accordion("Trace", open=False):
                trace = gr.HTML(elem_id="trace")
            go.click(desk.examine, [source, call, ask], [outcome, trace, derived, model])
        with gr.Tab("Debug a failing test"):
            buggy = gr.Code(BUGGY, language="python", label="Code", elem_id="buggy")
            tests = gr.Textbox(TESTS, lines=4, label="Tests", elem_id="tests")
            problem = gr.Textbox("", label="What it should do (for the model)")
            ask_fix = gr.Checkbox(
                False, label="ask the model too", interactive=desk.engine is not None
            )
            fix = gr.Button("Debug", variant="primary", elem_id="debug")
            listed = gr.HTML(elem_id="listed")
            rationale = gr.HTML(elem_id="rationale")
            fixed = gr.Code("", language="python", label="Fixed", elem_id="fixed")
            model_fix = gr.HTML(elem_id="model_fix")
            fix.click(
                desk.debug, [buggy, tests, problem, ask_fix], [listed, rationale, fixed, model_fix]
            )
    page.queue(default_concurrency_limit=1, max_size=16)
    return page


def serve(desk: Desk, *, port: int = 7860, block: bool = True) -> Any:
    """Starts the page on 127.0.0.1; no other address can be chosen, and no public link is made."""
    page = build(desk)
    page.launch(
        server_name="127.0.0.1",
        server_port=port,
        share=False,
        prevent_thread_lock=not block,
        quiet=True,
    )
    return page
