"""Every prompt, in one place, so that training and evaluation render the same bytes.

Two styles. `clean` is ours and needs no file. `faithful` renders the authors' strings, byte for
byte, read from `authors_prompts.json` (looked for in `SEMCODER_DATA`, then in the home folder; its
public home is ARiSE-Lab/SemCoder at edc4ad3, MIT licence), because the released checkpoints expect
exactly those, quirks included (sections 4.3, 5 and appendix H of the paper).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.core.values import encode, show_call
from semcoder_lib.core.workspace import find_data

FORMATS = ("monologue", "direct", "scratchpad", "next", "concise")
STYLES = ("clean", "faithful")
STOP = ("[/ANSWER]",)
_OPENING = {"monologue": "[MONOLOGUE]\n", "direct": "[ANSWER]\n"}
_TRACE_OPENING = "[TRACE]\n"
_TASKS = {
    "forward": "Simulate the execution", "backward": "Deduce an input that gives the output"
}  # fmt: skip

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": …}


@dataclass(frozen=True, slots=True)
class Prompt:
    """`text` is what the model reads (it ends with `prefill`, the opening of the response that is
    not generated); generation ends at a string of `stop`, which is cut off."""

    text: str
    stop: tuple[str, ...] = ()
    prefill: str = ""


def label_lines(source: str, offset: int = 0) -> str:
    """The source with `  # [Lk]` after each non-blank line; k counts lines from 1, plus `offset`
    (the authors' labels carry +4)."""
    gap = " " if offset else "  "
    return "\n".join(
        f"{line}{gap}# [L{number + offset}]" if line.strip() else line
        for number, line in enumerate(source.rstrip("\n").split("\n"), 1)
    )


def nl_to_code(description: str, *, style: str = "clean") -> Prompt:
    """A description in, a fenced Python solution out."""
    if style == "faithful":
        text = authors("NL2CODE_PROMPT", instruction=description, response="")
        return Prompt(text, ())
    _check(style, "monologue")
    return Prompt(
        f"Write the Python code that is described.\n{description.strip()}\n```python\n",
        ("\n```",),
        "```python\n",
    )


def execution(
    direction: str,
    source: str,
    entry_point: str,
    call: str,
    output: str,
    *,
    format: str = "monologue",
    style: str,
) -> Prompt:
    """The prompt of one execution: `forward` gives the call, `backward` the output, and the other
    of the two is not looked at. Rows to train on and benchmarks both come here, and the style has
    no default, so that neither can leave it out."""
    _check(style, format)
    opening, forward = _OPENING.get(format, _TRACE_OPENING), direction == "forward"
    if style == "clean":
        asked = f"{call} == ??" if forward else f"{entry_point}(??) == {output}"
        block = f"[PYTHON]\n{label_lines(source)}\nassert {asked}\n[/PYTHON]\n"
        text = f"{_TASKS[direction]} and complete the assertion.\n{block}{opening}"
        return Prompt(text, STOP, opening)
    if format in _OPENING:
        opening = opening.rstrip()  # the authors' openings end without a newline
    if forward:
        code = label_lines(_doubled(source), 4)
        block = f"[PYTHON]\n{code}\nassert {_doubled(call)} == ??\n[/PYTHON]"
    else:
        code = _doubled(source).rstrip("\n")
        asked = f"{entry_point}(??) == {_doubled(output)}"
        # the authors' template lacks the opening bracket of its first tag
        block = f"PYTHON]\n{code}\nassert {asked}\n[/PYTHON]\n"
    name = "EXEC_O_PROMPT" if forward else "EXEC_I_PROMPT"
    return Prompt(authors(name, instruction=block, response=opening), STOP, opening)


def of_case(
    direction: str, program: Program, case: Case, *, format: str = "monologue", style: str = "clean"
) -> Prompt:
    """`execution` for the call of a case, or for its output."""
    call, output = show_call(program.entry_point, case.arguments), encode(case.output)
    texts = program.source, program.entry_point, call, output
    return execution(direction, *texts, format=format, style=style)


def forward(source: str, call: str, *, format: str = "monologue", style: str = "clean") -> Prompt:
    """A program and a call in; a simulation of the call and the completed assertion out."""
    return execution("forward", source, "", call, "", format=format, style=style)


def _doubled(text: str) -> str:
    """With double quotes only, as the authors rewrite whatever they show."""
    return text.replace("'", '"')


def refine(
    problem: str, buggy: str, failed_test: str, *, trace: str = "", style: str = "clean"
) -> Prompt:
    """A problem, a wrong solution and a failing test in; a rationale and a fix out. With `trace`
    the simulation is given (table 4's variant) and the model goes on at the root cause."""
    if style == "faithful":
        name = "REFINE_PROMPT_TEMPLATE_BASELINE" if trace else "REFINE_PROMPT_TEMPLATE"
        body = authors(name, problem=problem, code=buggy, error=failed_test, trace=trace)
        text = authors("REFINE_PROMPT", instruction=body, response="" if trace else "[MONOLOGUE]")
        return Prompt(text, ("[/Refined]",))
    _check(style, "monologue")
    opening = "[MONOLOGUE]\n"
    if trace:
        opening += f"### Execution Simulation\n{trace.rstrip()}\n### Root Cause Analysis\n"
    return Prompt(
        "Simulate the failing test, find the root cause, and fix the code.\n"
        f"### Problem\n{problem.strip()}\n### Buggy Solution\n```python\n"
        f"{label_lines(buggy)}\n```\n### Failed Test\n```python\n{failed_test.strip()}\n```\n"
        f"{opening}",
        ("[/Refined]",),
        opening,
    )


def in_chat(prompt: Prompt, tokenizer: Any) -> Prompt:
    """The same prompt in the model's own chat form: what is asked is the user's message, the
    response is begun as before. Raises UserError for a tokenizer without a chat template."""
    if not getattr(tokenizer, "chat_template", None):
        raise UserError("the model has no chat template; ask it in another form")
    asked = prompt.text.removesuffix(prompt.prefill).rstrip()
    text = chat(tokenizer, [{"role": "user", "content": asked}])
    return Prompt(text + prompt.prefill, prompt.stop, prompt.prefill)


def chat(tokenizer: Any, messages: Sequence[Message]) -> str:
    """A chat as one text in the tokenizer's own template, without a tokenizer or a template as
    plain paragraphs; the answer is to follow it."""
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join(message["content"] for message in messages) + "\n"
    return str(
        tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
    )


def authors(name: str, **fields: str) -> str:
    """One of the authors' strings with its fields filled in. Raises UserError without the file."""
    strings = authors_prompts()
    if strings is None:
        raise UserError(
            "the faithful style needs authors_prompts.json: `python -m semcoder_lib data` says "
            "how to get it; or use the clean style"
        )
    # one pass, and not str.format: programs are full of braces
    pattern = "|".join(re.escape("{" + field + "}") for field in fields)
    return re.sub(pattern, lambda m: fields[m.group()[1:-1]], strings[name])


@functools.cache
def authors_prompts() -> dict[str, str] | None:
    """The authors' strings by name, or None when their file is not there. Raises UserError when it
    is another file."""
    path = find_data("authors_prompts.json")
    if path is None:
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {str(k): str(v) for k, v in data["prompts"].items()}
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: not the file of the authors' prompts ({error})") from None


def _check(style: str, format: str) -> None:
    if style not in STYLES:
        raise UserError(f"prompt style {style!r}: choose from {', '.join(STYLES)}")
    if format not in FORMATS:
        raise UserError(f"format {format!r}: choose from {', '.join(FORMATS)}")
