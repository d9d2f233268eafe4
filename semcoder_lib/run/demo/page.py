"""The page, of Gradio's own parts. They show texts as texts; the one piece of HTML is the trace's
viewer, in a frame without an origin."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import yaml

from semcoder_lib.core.errors import SemcoderError
from semcoder_lib.run.demo import work
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing.viewer import Viewer

EXAMPLES = yaml.safe_load(Path(__file__).with_name("examples.yaml").read_text(encoding="utf-8"))
TITLE = "Executions in words, checked"
_COLORS = {"supported": "#2f9e44", "contradicted": "#e03131", "unverifiable": "#868e96"}
_EDITS = {"gone": "#e03131", "new": "#2f9e44"}


def build(box: Sandbox, engine: Any = None) -> gr.Blocks:
    """The page. One request runs at a time, since a sandbox serves one thread at a time."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        limits = work.LIMITS
        gr.Markdown(
            f"# {TITLE}\n\nWhat you paste runs in the sandbox only (level {box.level}), within "
            f"{limits.cpu_seconds:g} s of processor time and {limits.memory_mb} MB."
        )
        with gr.Tab("Explain a call"):
            _explain(box, engine)
        with gr.Tab("Debug a test"):
            _debug(box)
    page.queue(default_concurrency_limit=1, max_size=16)
    return page


def _explain(box: Sandbox, engine: Any) -> None:
    with gr.Row():
        with gr.Column():
            source, call = _paste("calls", "Call", 1)
            go = gr.Button("Explain", variant="primary")
            outcome = _words("Outcome")
            printed = _words("Printed")
        with gr.Column():
            derived, verdict = _claims("The monologue, derived from the trace")
            own, owns = _claims("The model's own monologue", visible=engine is not None)
    trace = gr.HTML()
    with gr.Accordion("Change a word and check it again", open=False):
        text = gr.Textbox(label="A monologue: this one, changed, or your own", lines=8)
        again = gr.Button("Check")
        checked, wrong = _claims("Checked")

    def explain(source: str, call: str) -> tuple[Any, ...]:
        seen = work.explain(source, call, box, engine)
        frame = Viewer(seen.program, seen.trace, seen.case).frame() if seen.trace.steps else ""
        texts = (*_shown(seen.derived), *_shown(seen.model or work.Text("")))
        return seen.outcome, seen.trace.stdout, *texts, frame, seen.derived.text, [], ""

    def check(source: str, call: str, text: str) -> tuple[Any, ...]:
        return _shown(work.check(source, call, text, box))[::-1]

    results = [outcome, printed, derived, verdict, own, owns, trace, text, checked, wrong]
    _on(go.click, explain, [source, call], results)
    _on(call.submit, explain, [source, call], results)
    _on(again.click, check, [source, call, text], [wrong, checked])


def _debug(box: Sandbox) -> None:
    with gr.Row():
        with gr.Column():
            source, tests = _paste("tests", "Tests, one a line", 4)
            go = gr.Button("Debug", variant="primary")
        with gr.Column():
            listed = _words("Tests")
            rationale, verdict = _claims("What went wrong")
            fixed = gr.HighlightedText(
                label="A fix that passes every test", color_map=_EDITS, show_inline_category=False
            )

    def debug(source: str, tests: str) -> tuple[Any, ...]:
        seen = work.debug(source, tests, box)
        lines = [f"{'✓' if ok else '✗'} {test}  {end}".rstrip() for test, ok, end in seen.tests]
        return "\n".join(lines), *_shown(seen.rationale), _diff(seen.buggy, seen.fixed)

    _on(go.click, debug, [source, tests], [listed, rationale, verdict, fixed])


def _paste(kind: str, label: str, lines: int) -> tuple[Any, Any]:
    """Code and what is done with it, with examples to begin from."""
    examples: dict[str, list[str]] = EXAMPLES[kind]
    name, (code, more) = next(iter(examples.items()))
    choice = gr.Dropdown(list(examples), value=name, label="Example")
    source = gr.Code(code, language="python", label="Code", lines=8, max_lines=24)
    text = gr.Textbox(more, label=label, lines=lines, max_lines=8)
    _on(choice.input, lambda name: (*examples.get(name, ("", "")),)[::-1], [choice], [text, source])
    return source, text


def _words(label: str) -> gr.Textbox:
    return gr.Textbox(label=label, interactive=False, lines=1, max_lines=8)


def _claims(label: str, visible: bool = True) -> tuple[gr.HighlightedText, gr.Textbox]:
    """A text with its claims coloured; the verdict and what contradicts it, in words."""
    marked = gr.HighlightedText(
        label=label, color_map=_COLORS, show_legend=True, show_inline_category=False,
        visible=visible,
    )  # fmt: skip
    return marked, gr.Textbox(label="Verdict", interactive=False, max_lines=8, visible=visible)


def _shown(text: work.Text) -> tuple[Any, str]:
    lines = [f"✗ {part.strip()} — trace: {fact}" for part, fact in text.contradictions()]
    return text.segments(), "\n".join([text.note, *lines]).strip()


def _diff(before: str, after: str) -> list[tuple[str, str | None]]:
    signs = {"-": "gone", "+": "new", " ": None}
    lines = difflib.ndiff(before.splitlines(), after.splitlines()) if after else []
    return [(line + "\n", signs[line[0]]) for line in lines if line[0] in signs]


def _on(
    event: Any, work: Callable[..., tuple[Any, ...]], given: list[Any], shown: list[Any]
) -> None:
    """Whatever is pasted, the first place says what is wrong with it, and the others are empty."""

    def answered(*values: Any) -> tuple[Any, ...]:
        try:
            return tuple(map(_sound, work(*values)))
        except SemcoderError as error:
            line = str(error)
        except Exception as error:  # a page on a wall must not go blank over our mistake
            traceback.print_exc()
            line = f"this demo failed ({type(error).__name__}); its terminal says where"
        return line, *[None] * (len(shown) - 1)

    event(answered, given, shown, concurrency_id="sandbox", api_visibility="private")


def _sound(value: Any) -> Any:
    """Without lone surrogates, which no answer can carry."""
    if isinstance(value, list):
        return [(_sound(text), label) for text, label in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
