"""Writes the rationale of a fault in the paper's form (section 3.3), derived from its evidence.

The simulation of the failing call is monologues' own. After it come the place where the run parts
from the right one, the cause, the way to the wrong result, the edit, and the whole fixed program.
Nothing in it comes from anywhere but the two recorded runs and the edit; `check` reads it back.
"""

from __future__ import annotations

import re

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Step, Trace
from semcoder_lib.faults.evidence import Evidence, last_values
from semcoder_lib.faults.mutate import altered
from semcoder_lib.faults.rows import FORMS, SECTIONS
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import STYLES, Style
from semcoder_lib.monologues.syntax import readable

STYLE = STYLES["brief"].but(iterations=12, calls=12)
LONGEST_VALUE = 100  # characters of a value in a sentence


class TooLong(ValueError):
    """The rationale does not fit (`reason` is `long_row`), or a value in it cannot be written out
    (`long_values`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def write(evidence: Evidence, *, max_characters: int = 10_000, style: Style = STYLE) -> str:
    """The completion that follows a prompt of `prompts.refine`: sections, `[/MONOLOGUE]`,
    `[Refined]`, the fixed program. The run is told in full where there is room, else as the
    style's dials shorten it, at last without quotes and workings. Raises `TooLong`."""
    bug, trace = evidence.bug, evidence.trace
    call = values.show_call(bug.program.entry_point, evidence.case.arguments)
    wanted = _short(values.encode(evidence.case.output), 2 * LONGEST_VALUE)
    if trace.result is not None:
        end, wrong = "gives", {"v": _short(trace.result, 2 * LONGEST_VALUE)}
    else:
        end, wrong = "raises", {"k": (trace.exception or "").partition(":")[0]}
    first = _say("call.should", c=call, w=wanted)
    last = _say(f"call.{end}", c=call, **wrong)
    after = [
        SECTIONS[1], _parting(evidence), *_cause(evidence), *_chain(evidence),
        _say(f"so.{end}", **wrong, w=wanted),
        SECTIONS[2], edit_in_words(bug.buggy, bug.fixed),
        "[/MONOLOGUE]\n[Refined]\n```python\n" + bug.fixed.rstrip("\n") + "\n```\n[/Refined]",
    ]  # fmt: skip
    room = max_characters - len("\n".join([SECTIONS[0], first, last, *after])) - 1
    style = style.but(max_chars=max(room, 0) + 150)
    syntax = readable(bug.buggy, bug.program.entry_point)
    for shorter in (style, style.but(quotes=False), style.but(quotes=False, detail=0)):
        try:
            steps = simulation(syntax, trace, shorter)
        except UserError:
            raise TooLong("generator") from None
        text = "\n".join([SECTIONS[0], first, *steps, last, *after])
        if len(text) <= max_characters:
            return text
    raise TooLong("long_row")


def _say(form: str, **slots: str) -> str:
    return FORMS[form].say(**slots)


def _short(text: str | None, limit: int = LONGEST_VALUE) -> str:
    if text is None or len(text) > limit:
        raise TooLong("long_values")
    return text


def _parting(e: Evidence) -> str:
    d = e.divergence
    if d.kind == "value":
        form = "part.stays" if d.actual is None else "part.value"
        form = "part.changes" if d.wanted is None else form
    elif d.kind in ("extra", "missing"):
        form = f"part.{d.kind}"
    else:
        i, j = d.index or 0, d.fixed_index or 0
        at = f"[L{e.trace.steps[i - 1].line if i else 1}]"
        right = e.bug.fixed.splitlines()
        return _say("part.path", at=at, a=_next(e.trace, i), b=_next(e.fixed_trace, j, right))
    code = e.bug.fixed.splitlines()[(d.fixed_line or 1) - 1].strip()
    slots = {"at": f"[L{d.line}]", "x": d.name, "v": d.actual, "w": d.wanted, "q": code}
    return _say(form, **{name: _short(slots[name]) for name in FORMS[form].slots})


def _next(trace: Trace, index: int, lines: list[str] | None = None) -> str:
    """What a run does at a step; a line by its label, or, of the program given, as it reads."""
    if index >= len(trace.steps):
        raise TooLong("no_divergence")
    step: Step = trace.steps[index]
    if step.event == "yield":
        raise TooLong("generator")
    if step.event == "return":
        return _say("next.returns", v=_short(step.value), f=step.function)
    if step.event == "exception":
        return _say("next.raises", k=(step.value or "").partition(":")[0])
    if step.event == "call":
        return _say("next.calls", f=step.function)
    if lines is None:
        return _say("next.line", at=f"[L{step.line}]")
    return _say("next.code", q=lines[step.line - 1].strip())


def _cause(e: Evidence) -> list[str]:
    if not e.bug.cause:
        return []
    line, old, _ = altered(e.bug.buggy, e.bug.fixed)
    phrase, code, rest = e.bug.cause.partition("; `")
    wrong, _, right = rest.removesuffix("`").partition("` should be `")
    form = "cause.before" if not old else "cause.code" if code else "cause"
    return [_say(form, at=f"[L{line}]", p=phrase, a=wrong, b=right)]


def _chain(e: Evidence) -> list[str]:
    """The last values of a variable on the way to the result: one that the entry point's return
    reads where there is one, else the one that went wrong first."""
    actual, wanted = last_values(e.trace), last_values(e.fixed_trace)
    last = e.trace.steps[-1]
    line = e.bug.buggy.splitlines()[last.line - 1] if last.event == "return" else ""
    returned = [name for name in actual if re.search(rf"\b{re.escape(name)}\b", line)]
    for name in (*returned, e.divergence.name):
        v, w = actual.get(name), wanted.get(name)
        if v and w and v != w and max(len(v), len(w)) <= LONGEST_VALUE:
            return [_say("so.ends", x=name, v=v, w=w)]
    return []


def edit_in_words(buggy: str, fixed: str) -> str:
    """The edit that makes `fixed` of `buggy`, as it can be applied."""
    line, old, new = altered(buggy, fixed)
    at, to, block = f"[L{line}]", f"[L{line + len(old) - 1}]", "\n".join(new)
    if not old:
        return _say("fix.insert", at=at, b=block)
    if not new:
        return _say("fix.removed" if len(old) > 1 else "fix.remove", at=at, to=to)
    a, b = old[0].strip(), new[0].strip()
    if len(old) == len(new) == 1 and old[0].removesuffix(a) == new[0].removesuffix(b):
        return _say("fix.line", at=at, a=a, b=b)
    return _say("fix.lines" if len(old) > 1 else "fix.more", at=at, to=to, b=block)
