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
from semcoder_lib.faults.divergence import Divergence, last_values
from semcoder_lib.faults.evidence import Evidence
from semcoder_lib.faults.forms import FORMS, LONGEST_VALUE, SECTIONS
from semcoder_lib.faults.mutate import altered
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import STYLES, Style
from semcoder_lib.monologues.syntax import Syntax, in_body, readable

STYLE = STYLES["brief"].but(iterations=12, calls=12)


class TooLong(ValueError):
    """The rationale does not fit (`reason` is `long_row`), has a value that cannot be written out
    (`long_values`), or is of a run with generators (`generator`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def write(evidence: Evidence, *, max_characters: int = 10_000, style: Style = STYLE) -> str:
    """The completion that follows a prompt of `prompts.refine`: sections, `[/MONOLOGUE]`,
    `[Refined]`, the fixed program. The run is told in full where there is room, else as the
    style's dials shorten it, at last without quotes and workings. Raises `TooLong`."""
    e, fixed = evidence, evidence.bug.fixed.rstrip("\n")
    syntax = readable(e.bug.buggy, e.bug.entry_point)
    call = values.show_call(e.bug.entry_point, e.case.arguments)
    wanted = _short(values.encode(e.case.output), 2 * LONGEST_VALUE)
    wrong = _ending(e.trace)
    first = _say("call.should", c=call, w=wanted)
    last = _say("call.raises" if "k" in wrong else "call.gives", c=call, **wrong)
    after = [
        SECTIONS[1], *_root_cause(e, syntax, wrong, wanted),
        SECTIONS[2], edit_in_words(e.bug.buggy, e.bug.fixed),
        "[/MONOLOGUE]\n[Refined]\n```python\n" + fixed + "\n```\n[/Refined]",
    ]  # fmt: skip
    around = "\n".join([SECTIONS[0], first, last, *after])
    room = max_characters - len(around) - 1
    style = style.but(max_chars=max(room, 0) + 150)
    for shorter in (style, style.but(quotes=False), style.but(quotes=False, detail=0)):
        try:
            steps = simulation(syntax, e.trace, shorter)
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


def _ending(trace: Trace) -> dict[str, str]:
    """How a run ended: its value, or the kind of its exception."""
    if trace.result is not None:
        return {"v": _short(trace.result, 2 * LONGEST_VALUE)}
    return {"k": (trace.exception or "").partition(":")[0]}


def _root_cause(e: Evidence, syntax: Syntax, wrong: dict[str, str], wanted: str) -> list[str]:
    sentences = [_parting(e, syntax)]
    if e.bug.cause:
        line, old, _ = altered(e.bug.buggy, e.bug.fixed)
        phrase, code, rest = e.bug.cause.partition("; `")
        wrong_code, _, right_code = rest.removesuffix("`").partition("` should be `")
        form = "cause.before" if not old else "cause.code" if code else "cause"
        at = f"[L{line}]"
        sentences.append(_say(form, at=at, p=phrase, a=wrong_code, b=right_code))
    sentences += _chain(e)
    sentences.append(_say("so.raises" if "k" in wrong else "so.gives", **wrong, w=wanted))
    return sentences


def _parting(e: Evidence, syntax: Syntax) -> str:
    d = e.divergence
    if d.index is None or d.fixed_index is None or d.line is None:
        raise TooLong("no_divergence")
    at = f"[L{d.line}]"
    if d.kind == "value":
        loop = syntax.loops.get(d.line)
        ends = d.got is None and loop is not None and loop.is_for and _leaves(e.trace, d, syntax)
        form = "part.loop" if ends else "part.stays" if d.got is None else "part.value"
        form = "part.changes" if d.wanted is None else form
    elif d.kind in ("extra", "missing"):
        form = f"part.{d.kind}"
    else:
        at = f"[L{e.trace.steps[d.index - 1].line if d.index else 1}]"
        a = _next(e.trace, d.index, None)
        return _say("part.path", at=at, a=a, b=_next(e.fixed_trace, d.fixed_index, e.bug.fixed))
    slots = {"at": at, "x": d.name, "v": d.got, "w": d.wanted}
    if d.kind == "missing":
        slots["q"] = e.bug.fixed.splitlines()[(d.fixed_line or 1) - 1].strip()
    needed = {name: _short(slots[name]) for name in FORMS[form].slots}
    return _say(form, **needed)


def _leaves(trace: Trace, d: Divergence, syntax: Syntax) -> bool:
    """Whether a loop's header goes on after the loop."""
    index = d.index or 0
    here = trace.steps[index]
    following = next((s for s in trace.steps[index + 1 :] if s.frame == here.frame), None)
    node = syntax.loops[here.line].node
    return following is None or not in_body(node, following.line)


def _next(trace: Trace, index: int, source: str | None) -> str:
    """What a run does at a step; a line by its label, or, of the program given, as it reads."""
    if index >= len(trace.steps):
        raise TooLong("no_divergence")
    step: Step = trace.steps[index]
    if step.event in ("return", "yield"):
        return _say(f"next.{step.event}s", v=_short(step.value), f=step.function)
    if step.event == "exception":
        return _say("next.raises", k=(step.value or "").partition(":")[0])
    if step.event == "call":
        return _say("next.calls", f=step.function)
    if source is None:
        return _say("next.line", at=f"[L{step.line}]")
    return _say("next.code", q=source.splitlines()[step.line - 1].strip())


def _chain(e: Evidence) -> list[str]:
    """The last values of a variable on the way to the result: one that the entry point's return
    reads where there is one, else the one that went wrong first."""
    got, wanted = last_values(e.trace), last_values(e.fixed_trace)
    differing = [
        name for name in got
        if name in wanted and got[name] != wanted[name]
        and max(len(got[name]), len(wanted[name])) <= LONGEST_VALUE
    ]  # fmt: skip
    last = e.trace.steps[-1]
    read = e.bug.buggy.splitlines()[last.line - 1] if last.event == "return" else ""
    returned = [name for name in differing if re.search(rf"\b{re.escape(name)}\b", read)]
    for name in (*returned, e.divergence.name):
        if name in differing:
            return [_say("so.ends", x=name, v=got[name], w=wanted[name])]
    return []


def edit_in_words(buggy: str, fixed: str) -> str:
    """The edit that makes `fixed` of `buggy`, as it can be applied."""
    line, old, new = altered(buggy, fixed)
    at, to = f"[L{line}]", f"[L{line + len(old) - 1}]"
    block = "\n".join(new)
    if not old:
        return _say("fix.insert", at=at, b=block)
    if not new:
        return _say("fix.removed" if len(old) > 1 else "fix.remove", at=at, to=to)
    if len(old) > 1 or len(new) > 1:
        return _say("fix.lines" if len(old) > 1 else "fix.more", at=at, to=to, b=block)
    depth = [len(text) - len(text.lstrip()) for text in (old[0], new[0])]
    form = "fix.line" if depth[0] == depth[1] else "fix.indented"
    return _say(form, at=at, a=old[0].strip(), b=new[0].strip(), d=str(depth[1]))
