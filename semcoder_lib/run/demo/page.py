"""The page's layout, in Gradio."""

from __future__ import annotations

import json
from typing import Any

from semcoder_lib.run.demo import examples, html
from semcoder_lib.run.demo.desk import Desk

TITLE = "Executions in words, checked"
ROWS = 8


def build(desk: Desk) -> Any:
    """The Gradio app."""
    import gradio as gr

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(html.head(TITLE, desk.about(), desk.box.level), elem_id="about")
        with gr.Tab("Explain a call"):
            _explain(gr, desk)
        with gr.Tab("Debug a test"):
            _debug(gr, desk)
    page.queue(default_concurrency_limit=1, max_size=16)
    return page


def dressed() -> dict[str, Any]:
    """Theme and style, for whoever mounts the page. Fonts are local: nothing is fetched."""
    import gradio as gr

    theme = gr.themes.Default(
        primary_hue="blue",
        text_size="lg",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return {"theme": theme, "css": html.style()}


def _explain(gr: Any, desk: Desk) -> None:
    code, call = next(iter(examples.CALLS.values()))
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            example = _choice(gr, examples.CALLS, "example_call")
            source = _code(gr, code, "Code", "source")
            call_box = gr.Textbox(call, label="Call", elem_id="call", max_lines=3)
            ask = _ask(gr, desk, "ask")
            go = gr.Button("Explain", variant="primary", elem_id="explain")
        with gr.Column(scale=3, min_width=320):
            outcome = gr.HTML(html.start("explain"), elem_id="outcome")
            derived = gr.HTML(elem_id="derived")
            model = gr.HTML(elem_id="model")
    trace = gr.HTML(elem_id="trace")
    with gr.Accordion("Change a word and check it again", open=False, elem_id="own"):
        text = gr.Textbox(
            label="A monologue: this one, changed, or one of your own", lines=8, max_lines=16,
            elem_id="text",
        )  # fmt: skip
        again = gr.Button("Check", elem_id="check")
        checked = gr.HTML(elem_id="checked")
    shown = [outcome, derived, model, trace, text, checked]
    _on(go.click, desk.examine, [source, call_box, ask], shown)
    _on(call_box.submit, desk.examine, [source, call_box, ask], shown)
    _on(again.click, desk.check, [source, call_box, text], [checked])
    _fill(example, examples.CALLS, [source, call_box])


def _debug(gr: Any, desk: Desk) -> None:
    code, tests = next(iter(examples.TESTS.values()))
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            example = _choice(gr, examples.TESTS, "example_tests")
            source = _code(gr, code, "Code", "buggy")
            box = gr.Textbox(
                tests.strip(), lines=3, max_lines=ROWS, label="Tests, one a line", elem_id="tests"
            )
            problem = gr.Textbox(
                "", label="What it should do (for the model)", visible=desk.engine is not None
            )
            ask = _ask(gr, desk, "ask_fix")
            go = gr.Button("Debug", variant="primary", elem_id="debug")
        with gr.Column(scale=3, min_width=320):
            listed = gr.HTML(html.start("debug"), elem_id="listed")
            rationale = gr.HTML(elem_id="rationale")
            fixed = gr.HTML(elem_id="fixed")
            model = gr.HTML(elem_id="model_fix")
    _on(go.click, desk.debug, [source, box, problem, ask], [listed, rationale, fixed, model])
    _fill(example, examples.TESTS, [source, box])


def _choice(gr: Any, choices: dict[str, Any], name: str) -> Any:
    return gr.Dropdown(list(choices), value=next(iter(choices)), label="Example", elem_id=name)


def _code(gr: Any, code: str, label: str, name: str) -> Any:
    return gr.Code(
        code, language="python", label=label, elem_id=name, lines=ROWS, max_lines=24,
        buttons=["copy"], autocomplete=False,
    )  # fmt: skip


def _ask(gr: Any, desk: Desk, name: str) -> Any:
    """Only where a model is loaded: a switch that cannot be used is a question to a teacher."""
    label = f"Ask the model too ({desk.engine.name})" if desk.engine else ""
    return gr.Checkbox(False, label=label, visible=desk.engine is not None, elem_id=name)


def _on(event: Any, work: Any, given: list[Any], shown: list[Any]) -> None:
    event(work, given, shown, api_visibility="private", show_progress_on=shown[:1])


def _fill(example: Any, choices: dict[str, tuple[str, str]], places: list[Any]) -> None:
    """In the browser alone: an example needs no turn in the queue."""
    pick = f"(name) => ({json.dumps(choices)})[name]"
    example.input(None, [example], places, js=pick, api_visibility="private")
