"""The chats that ask for a monologue: the paper's rules (section 4.2) and few-shot examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcoder_lib.core import records, values
from semcoder_lib.models import prompts
from semcoder_lib.models.teachers.replies import Message

_COMMON = (
    "First say briefly what the function does, under '### Understanding the Function'. Then list "
    "properties and constraints that hold for every run, under '### Key Properties and "
    "Constraints'. "
)
_FORWARD = (
    "You explain how a Python program runs. " + _COMMON + "Then simulate the execution under "
    "'### Execution Simulation': follow the order of execution, name every line that has an effect "
    "by its [Lk] label, give the values that change, go through loops one iteration at a time, and "
    "say why each branch is taken. Long or noisy values may be summed up. Close with "
    "'### Conclusion', the line [/MONOLOGUE], and the completed assertion between [ANSWER] and "
    "[/ANSWER]. State nothing that you have not worked out."
)
_BACKWARD = (
    "You work out what input made a Python program give an output. " + _COMMON + "Then reason "
    "backwards from the output under '### Reverse Deduction': go from the return statement to the "
    "start, and where an earlier state is not determined (sorting, counting, filtering) state what "
    "must hold of it. Then choose one concrete input that meets all of it. Close with "
    "'### Conclusion', the line [/MONOLOGUE], and the completed assertion between [ANSWER] and "
    "[/ANSWER]. State nothing that you have not worked out."
)


@dataclass(frozen=True, slots=True)
class Shot:
    """An example: a prompt and the monologue that answers it."""

    prompt: str
    answer: str


def shot(program: records.Program, monologue: records.Monologue) -> Shot:
    """An example from one of our own monologues."""
    name, case = program.entry_point, monologue.case
    if monologue.direction == "backward":
        prompt = prompts.backward(program.source, name, values.encode(case.output))
    else:
        prompt = prompts.forward(program.source, values.show_call(name, case.arguments))
    return Shot(prompt.text, monologue.text)


def forward_chat(source: str, call: str, shots: Sequence[Shot] = ()) -> tuple[Message, ...]:
    """A chat that asks for a forward monologue. The description of the program is withheld, as in
    section 4.2.3 of the paper."""
    return _chat(_FORWARD, prompts.forward(source, call).text, shots)


def backward_chat(
    source: str, entry_point: str, output_text: str, shots: Sequence[Shot] = ()
) -> tuple[Message, ...]:
    """A chat that asks for a backward monologue; it is told the output and no input."""
    return _chat(_BACKWARD, prompts.backward(source, entry_point, output_text).text, shots)


def _chat(rules: str, prompt: str, shots: Sequence[Shot]) -> tuple[Message, ...]:
    messages: list[Message] = [{"role": "system", "content": rules}]
    for example in shots:
        messages.append({"role": "user", "content": example.prompt})
        messages.append({"role": "assistant", "content": example.answer})
    messages.append({"role": "user", "content": prompt})
    return tuple(messages)
