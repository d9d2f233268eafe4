"""The viewer as HTML that needs nothing but itself."""

from __future__ import annotations

import hashlib
import json
from html import escape
from importlib import resources
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.tracing.viewer.loops import Loop, Node, grouped, loop_lines

_BUTTONS = (("Home", "|◀", "first"), ("ArrowLeft", "◀", "back"), ("ArrowRight", "▶", "on"),
            ("End", "▶|", "last"))  # fmt: skip


def html(program: Program, trace: Trace, case: Case | None = None) -> str:
    """A fragment of HTML with its own style and script, for an output cell or a slide. Text of the
    program reaches the page as data, never as markup."""
    call = _call(program, case)
    data = json.dumps(_data(program, trace), ensure_ascii=True).replace("<", "\\u003c")
    name = "sc-" + hashlib.sha256((call + data).encode()).hexdigest()[:12]
    buttons = [
        f'<button type="button" data-key="{key}" title="{word}" aria-label="{word}">{sign}</button>'
        for key, sign, word in _BUTTONS
    ]
    last = max(len(trace.steps) - 1, 0)
    kind = "sc-result sc-error" if trace.exception else "sc-result"
    return f"""\
<div class="sc-view" id="{name}" tabindex="0" role="group" aria-label="trace of {escape(call)}">
<style>{_asset("view.css")}</style>
<div class="sc-head"><span class="sc-call">{escape(call)}</span>
<span class="{kind}">{escape(_result(trace))}</span></div>
<div class="sc-bar">{"".join(buttons[:2])}
<input class="sc-slider" type="range" min="0" max="{last}" value="0" aria-label="step">
{"".join(buttons[2:])}<span class="sc-count"></span></div>
<div class="sc-say" aria-live="polite"></div>
<div class="sc-main"><div class="sc-source"></div><div class="sc-values"></div></div>
<div class="sc-steps"></div>
<div class="sc-keys">← → step · Page keys ten steps · Home End · n p next and previous visit of this
line · f fold and unfold iterations</div>
<script>{_asset("view.js").rstrip()}(document.getElementById("{name}"), {data});</script>
</div>"""


def page(program: Program, trace: Trace, case: Case | None = None) -> str:
    """A whole HTML document around `html`."""
    title = escape(_call(program, case))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>:root {{ color-scheme: light dark }}"
        "body { margin: 16px }</style></head>\n"
        f"<body>\n{html(program, trace, case)}\n</body></html>\n"
    )


def _call(program: Program, case: Case | None) -> str:
    if case is None:
        return f"{program.entry_point}(…)"
    try:
        return values.show_call(program.entry_point, case.arguments)
    except values.Unserializable:
        return f"{program.entry_point}(…)"


def _result(trace: Trace) -> str:
    if trace.exception:
        text = f"raises {trace.exception}"
    elif trace.result is not None:
        text = f"returns {trace.result}"
    else:
        text = trace.status.value
    return f"{text} (recording was cut: {trace.cut})" if trace.cut else text


def _data(program: Program, trace: Trace) -> dict[str, Any]:
    return {
        "source": program.source.rstrip("\n").split("\n"),
        "steps": [
            {
                "line": step.line,
                "event": step.event,
                "depth": step.depth,
                "frame": step.frame,
                "function": step.function,
                "value": step.value,
                "changes": [[c.name, c.text, c.exact] for c in step.changes],
            }
            for step in trace.steps
        ],
        "tree": [_node(node) for node in grouped(trace.steps, loop_lines(program.source))],
    }


def _node(node: Node) -> Any:
    if isinstance(node, Loop):
        return {
            "line": node.line,
            "iterations": [[_node(inner) for inner in turn] for turn in node.iterations],
        }
    return node


def _asset(name: str) -> str:
    return resources.files("semcoder_lib.tracing.viewer").joinpath(name).read_text(encoding="utf-8")
