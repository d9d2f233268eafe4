"""A trace to look at: the source on the left, the values on the right, one step at a time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing.formats import rows
from semcoder_lib.tracing.formats.clean import printable
from semcoder_lib.tracing.tracer import trace as traced

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport"
content="width=device-width, initial-scale=1"><title>$title</title>
<style>:root { color-scheme: light dark } body { margin: 16px }</style></head>
<body>
$body
</body></html>
"""


def show(program: Program, arguments: tuple[Any, ...], box: Sandbox) -> Viewer:
    """Traces a call of `program` in the sandbox and shows it, step by step."""
    case = Case(arguments)
    return Viewer(program, traced(program, case, box), case)


@dataclass(frozen=True)
class Viewer:
    """A trace that a notebook shows as HTML; elsewhere, `page()` gives a document to save."""

    program: Program
    trace: Trace
    case: Case

    def __repr__(self) -> str:
        return f"<Viewer of {self.program.entry_point}: {len(self.trace.steps)} steps>"

    def page(self) -> str:
        """A whole HTML document."""
        return Template(_PAGE).substitute(title=escape(self._call()), body=self._repr_html_())

    def frame(self) -> str:
        """The document in a frame without an origin, so that its script reaches nothing of the page
        around it. It has none of the characters that template engines look for."""
        page = escape(self.page(), quote=True)
        page = page.translate({ord(c): f"&#{ord(c)};" for c in "{}$`"})
        lines, steps = self.program.source.count("\n"), min(len(self.trace.steps), 11)
        height = min(680, 230 + 21 * lines + 22 * steps)
        return (
            f'<iframe sandbox="allow-scripts" style="width: 100%; border: 0; height: {height}px" '
            f'title="the trace, step by step" srcdoc="{page}"></iframe>'
        )

    def _repr_html_(self) -> str:
        """A fragment with its own style and script. Text of the program reaches the page as data,
        never as markup."""
        call = self._call()
        source = self.program.source.rstrip("\n").split("\n")
        shown = {"source": source, "steps": rows(self.trace)["steps"]}
        data = json.dumps(shown, ensure_ascii=True).replace("<", "\\u003c")
        return Template(_asset("view.html").rstrip()).substitute(
            name="sc-" + hashlib.sha256((call + data).encode()).hexdigest()[:12],
            call=escape(call),
            kind="sc-result sc-error" if self.trace.exception else "sc-result",
            result=escape(self._result()),
            last=max(len(self.trace.steps) - 1, 0),
            css=_asset("view.css"),
            script=_asset("view.js").rstrip(),
            data=data,
        )

    def _call(self) -> str:
        try:
            return values.show_call(self.program.entry_point, self.case.arguments)
        except values.Unserializable:  # too long
            return f"{self.program.entry_point}(…)"

    def _result(self) -> str:
        trace = self.trace
        text = trace.status.value if trace.result is None else f"returns {trace.result}"
        if trace.exception:
            text = f"raises {printable(trace.exception)}"
        return f"{text} (recording was cut: {trace.cut})" if trace.cut else text


def _asset(name: str) -> str:
    return resources.files("semcoder_lib.tracing.viewer").joinpath(name).read_text(encoding="utf-8")
