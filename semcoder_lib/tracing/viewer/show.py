"""The viewer in a notebook: with a program that can be edited and run again where widgets work."""

from __future__ import annotations

from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import SemcoderError
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace as traced
from semcoder_lib.tracing.viewer.page import html, page


class Viewer:
    """A trace that a notebook shows as HTML; elsewhere, `page()` gives a document to save."""

    def __init__(self, program: Program, trace: Trace, case: Case | None = None) -> None:
        self.program = program
        self.trace = trace
        self.case = case

    def _repr_html_(self) -> str:
        return html(self.program, self.trace, self.case)

    def __repr__(self) -> str:
        return f"<Viewer of {self.program.entry_point}: {len(self.trace.steps)} steps>"

    def page(self) -> str:
        return page(self.program, self.trace, self.case)


def show(
    program: Program,
    arguments: tuple[Any, ...] | Case | Trace,
    box: Sandbox | None = None,
    *,
    editor: bool | None = None,
) -> Viewer:
    """Traces a call of `program` in the sandbox and shows it, step by step.

    With a running kernel and ipywidgets (or `editor=True`), an editor stands below the viewer: the
    source and the call can be changed and run again, still in the sandbox. The viewer itself is
    plain HTML either way, so an executed notebook shows it without a kernel. A `Trace` in place of
    the arguments is shown as it is. Starts a sandbox if none is given.
    """
    if isinstance(arguments, Trace):
        return Viewer(program, arguments)
    case = arguments if isinstance(arguments, Case) else Case(tuple(arguments))
    viewer = Viewer(program, _trace(program, case, box), case)
    if editor if editor is not None else has_widgets():
        _show_editor(viewer, box)
    return viewer


def has_widgets() -> bool:
    """Whether this is a notebook's kernel and ipywidgets can be imported."""
    try:
        import ipywidgets  # noqa: F401
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def run_again(source: str, call: str, box: Sandbox | None = None) -> Viewer:
    """The viewer of an edited program and call. Raises `UserError` as `tracing.cli_render` does."""
    from semcoder_lib.tracing.command import program_and_case

    program, case = program_and_case(source, call)
    return Viewer(program, _trace(program, case, box), case)


def _trace(program: Program, case: Case, box: Sandbox | None) -> Trace:
    if box is not None:
        return traced(program, case, box)
    with Sandbox(workers=1) as own:
        return traced(program, case, own)


def _show_editor(viewer: Viewer, box: Sandbox | None) -> None:
    import ipywidgets as widgets
    from IPython.display import HTML, display

    assert viewer.case is not None
    lines = viewer.program.source.count("\n") + 2
    source = widgets.Textarea(
        value=viewer.program.source,
        layout=widgets.Layout(width="100%", height=f"{min(24, lines) * 1.5:.0f}em"),
    )
    call = widgets.Text(
        value=values.show_call(viewer.program.entry_point, viewer.case.arguments),
        description="call",
        layout=widgets.Layout(width="70%"),
    )
    button = widgets.Button(description="Run again", button_style="primary")
    out = widgets.Output()

    def on_click(_: Any) -> None:
        out.clear_output(wait=True)
        with out:
            try:
                display(HTML(run_again(source.value, call.value, box)._repr_html_()))
            except SemcoderError as error:
                print(error)

    button.on_click(on_click)
    title = widgets.HTML("<b>Edit and run again</b>")
    display(widgets.VBox([title, source, widgets.HBox([call, button]), out]))
