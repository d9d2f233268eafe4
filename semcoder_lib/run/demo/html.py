"""Traces and checked texts as HTML. Everything that comes from a program or a model is escaped."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Sequence
from importlib import resources

from semcoder_lib.core.records import Case, Claim, Program, Trace
from semcoder_lib.run.demo.debug import Debugged
from semcoder_lib.run.demo.examine import Examined
from semcoder_lib.run.demo.paste import Told
from semcoder_lib.tracing import viewer

LONGEST = 300
LISTED = 8
RANK = {"contradicted": 0, "unverifiable": 1, "supported": 2}
SIGNS = {"supported": "✓", "contradicted": "✗", "unverifiable": "?"}
_DIFF = {"-": "contradicted", "+": "supported", " ": ""}
# Gradio puts values through a template engine of its own
_TEMPLATES = str.maketrans({c: f"&#{ord(c)};" for c in "{}$`"})
_STARTS = {
    "explain": "Press Explain: the call runs in the sandbox, its trace is told in words, and every "
    "claim of the telling is checked against the trace.",
    "debug": "Press Debug: the tests run in the sandbox. For the first that fails, a fix one edit "
    "away is looked for, and what went wrong is told, every line checked.",
}


def escape(text: str) -> str:
    """Safe to put into the page; what UTF-8 cannot carry becomes a question mark."""
    sound = text.encode("utf-8", "replace").decode("utf-8")
    return html.escape(sound, quote=True).translate(_TEMPLATES)


def head(title: str, about: str, level: str) -> str:
    """The page's first lines: what it is, and, folded, what is in force."""
    safe = {"full": "isolated in full", "no-namespaces": "isolated, without namespaces"}
    return (
        f'<div class="sem-head"><h1>{escape(title)}</h1><details><summary>What you paste runs in '
        f"the sandbox only ({escape(safe.get(level, 'NOT isolated'))}), within limits</summary>"
        f"{escape(about)}</details></div>"
    )


def style() -> str:
    """The page's style sheet."""
    return resources.files("semcoder_lib.run.demo").joinpath("demo.css").read_text(encoding="utf-8")


def cell(*parts: str) -> str:
    """The parts as the output of a notebook's cell, with their style."""
    return f'<style>{style()}</style><div class="sem-page">{"".join(parts)}</div>'


def start(what: str) -> str:
    """What stands where results will be."""
    return f'<div class="sem-start">{escape(_STARTS[what])}</div>'


def marked(text: str, claims: Sequence[Claim]) -> str:
    """The text with each claim's words in a span of its status; claims without a place are left
    out, and of two that overlap the worse one shows."""
    paint = [("", "")] * len(text)
    for claim in sorted(claims, key=lambda c: -RANK.get(c.status, 2)):
        first, last = claim.place
        for i in range(max(first, 0), min(last, len(text))):
            paint[i] = (claim.status, claim.evidence)
    lines, begin = [], 0
    for line in text.split("\n"):
        words = "".join(_runs(line, paint[begin : begin + len(line)]))
        lines.append(_headed(words))
        begin += len(line) + 1
    return "\n".join(lines)


def _runs(line: str, paint: Sequence[tuple[str, str]]) -> Iterator[str]:
    i = 0
    while i < len(line):
        j = i
        while j < len(line) and paint[j] == paint[i]:
            j += 1
        yield _span(line[i:j], *paint[i])
        i = j


def _headed(words: str) -> str:
    return f"<b>{words[4:]}</b>" if words.startswith("### ") else words


def _span(words: str, status: str, why: str = "") -> str:
    if not status:
        return escape(words)
    title = f' title="{escape(why)}"' if why else ""
    return f'<span class="{escape(status)}"{title}>{escape(words)}</span>'


def by_line(text: str, claims: Sequence[Claim]) -> str:
    """For claims that quote the whole line they are in (rationales): each line in its status."""
    worst: dict[str, Claim] = {}
    for claim in claims:
        known = worst.get(claim.value)
        if known is None or RANK.get(claim.status, 2) < RANK.get(known.status, 2):
            worst[claim.value] = claim
    return "\n".join(
        _span(line, worst[line].status) if line in worst else _headed(escape(line))
        for line in text.splitlines()
    )


def told(what: Told, heading: str = "", *, lines: bool = False) -> str:
    """A checked text under its counts, and what contradicts it in words."""
    title = _title(heading) if heading else ""
    if not what.text:
        return f"{title}{_note(what.note)}" if what.note else ""
    chips = "".join(
        f'<span class="sem-chip {status if n else "sem-none"}">{SIGNS[status]} {n} {status}</span>'
        for status, n in what.counts.items()
        if status in SIGNS
    )
    verdict = f'<span class="sem-verdict">{escape(what.note)}</span>' if what.note else ""
    body = by_line(what.text, what.claims) if lines else marked(what.text, what.claims)
    return (
        f'{title}<div class="sem-counts">{chips}{verdict}</div>{_wrong(what)}'
        f'<div class="sem">{body}</div>'
    )


def _wrong(what: Told) -> str:
    """Contradictions spelled out: a tooltip is out of reach on a wall and on a phone."""
    found = [c for c in what.claims if c.status == "contradicted" and c.evidence]
    rows = [
        f"<li><code>{escape(_short(_words(what.text, claim)))}</code> trace: "
        f"{escape(_short(claim.evidence))}</li>"
        for claim in found[:LISTED]
    ]
    if len(found) > LISTED:
        rows.append(f"<li>… and {len(found) - LISTED} more</li>")
    return f'<ul class="sem-wrong">{"".join(rows)}</ul>' if rows else ""


def _words(text: str, claim: Claim) -> str:
    first, last = claim.place
    return text[first:last] or claim.value


def _title(text: str) -> str:
    return f'<h3 class="sem-title">{escape(text)}</h3>'


def _note(text: str) -> str:
    return f'<div class="sem-note">{escape(text)}</div>'


def error(text: str) -> str:
    """One clear line."""
    line = " ".join(text.split())
    return f'<div class="sem-error" role="alert">{escape(_short(line))}</div>'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def stepper(program: Program, case: Case, run: Trace) -> str:
    """The trace, to step through. The viewer's script runs in a frame that has no origin, so it
    reaches neither this page nor its address."""
    if not run.steps:
        return ""
    page = escape(viewer.page(program, run, case))
    lines = program.source.count("\n") + 1
    height = min(680, 230 + 21 * lines + 22 * min(len(run.steps), 11))
    return (
        f'{_title("The trace")}<iframe class="sem-trace" sandbox="allow-scripts" '
        f'style="height: {height}px" title="the trace, step by step" srcdoc="{page}"></iframe>'
    )


def examined(what: Examined, *, loaded: bool) -> tuple[str, ...]:
    """Outcome, derived monologue, the model's, trace; the derived monologue as text."""
    outcome = (
        f'<div class="sem-outcome"><code>{escape(_short(what.call))}</code> '
        f"{escape(_short(what.outcome))}</div>"
    )
    if what.trace.stdout:
        outcome += f'<div class="sem"><b>printed</b>\n{escape(_short(what.trace.stdout))}</div>'
    derived = told(what.derived, "The monologue, derived from the trace")
    model = ""
    if what.model is not None:
        model = told(what.model, "The model's own monologue")
    elif loaded and what.derived.text:
        model = _note("the model was not asked")
    return outcome, derived, model, stepper(what.program, what.case, what.trace), what.derived.text


def debugged(what: Debugged, *, loaded: bool) -> tuple[str, ...]:
    """Tests, derived rationale, fixed program, the model's rationale."""
    rows = "".join(_test(*row) for row in what.tests)
    passed = sum(ok for _, ok, _ in what.tests)
    tests = _title(f"{passed} of {len(what.tests)} tests pass") + f'<div class="sem">{rows}</div>'
    if passed == len(what.tests):
        return tests, _note("all tests pass: there is nothing to mend"), "", ""
    derived = told(what.derived, "What went wrong", lines=True) if what.derived else ""
    model = ""
    if what.model is not None:
        model = told(what.model, "The model's own rationale", lines=True)
        passes = what.model_passes
        model += _note(
            "it offers no program"
            if passes is None
            else f"its program passes {passes} of {len(what.tests)} tests"
        )
    elif loaded:
        model = _note("the model was not asked")
    return tests, derived, _diff(what.buggy, what.fixed), model


def _test(test: str, ok: bool, got: str) -> str:
    status = "supported" if ok else "contradicted"
    return f"<div>{_span(f'{SIGNS[status]} {test}', status)} {escape(_short(got))}</div>"


def _diff(before: str, after: str) -> str:
    """The mended program, what went and what came marked."""
    if not after:
        return ""
    lines = [
        _span(line, _DIFF[line[0]])
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line[0] in _DIFF
    ]
    body = "\n".join(lines)
    return _title("A fix that passes every test") + f'<div class="sem sem-diff">{body}</div>'
