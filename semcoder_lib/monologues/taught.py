"""Monologues written by a teacher, accepted only when the verifier accepts them (section 4.2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Case, Monologue, Program
from semcoder_lib.models import teachers
from semcoder_lib.monologues.verify import Trials, verify
from semcoder_lib.monologues.verify.text import cut, read_answer

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox


def taught(
    pairs: Iterable[tuple[Program, Case]],
    teacher: teachers.Teacher,
    box: Sandbox,
    *,
    direction: str = "forward",
    shots: tuple[teachers.Shot, ...] = (),
    tries: int = 4,
    seed: int = 0,
    strict: bool = True,
    cache: workspace.ItemCache | None = None,
    usage: teachers.Usage | None = None,
) -> Iterator[tuple[teachers.Taught, Monologue | None]]:
    """For each (program, case), in order, what became of asking, and the accepted monologue.

    With `strict` a text needs the verifier's `accepted` (right answer, nothing contradicted, lines
    covered); without it the right answer alone, which is the paper's rejection sampling. A backward
    chat is told the case's output and never its arguments. Resumable through `cache`; see
    `teachers.ask` for counts."""

    def task(number: int, program: Program, case: Case) -> teachers.Task:
        if direction == "backward":
            output = values.encode(case.output)
            chat = teachers.backward_chat(program.source, program.entry_point, output, shots)
        else:
            call = values.show_call(program.entry_point, case.arguments)
            chat = teachers.forward_chat(program.source, call, shots)
        return teachers.Task(f"{program.id or program.entry_point}:{number}", chat, (program, case))

    @lru_cache(maxsize=1)  # tasks of one program come together
    def trials_of(source: str, entry_point: str) -> Trials:
        return Trials(Program(source, entry_point), box)

    def accept(task: teachers.Task, text: str) -> tuple[bool, str]:
        program, case = task.data
        trials = trials_of(program.source, program.entry_point)
        report = verify(_closed(text), program, case, box, direction=direction, trials=trials)
        return report.accepted if strict else report.answer_right, report.reason

    tasks = (task(number, *pair) for number, pair in enumerate(pairs))
    for found in teachers.ask(
        tasks, teacher, accept, tries=tries, seed=seed, cache=cache, usage=usage
    ):
        yield found, _monologue(found, direction, teacher) if found.status == "accepted" else None


def _closed(text: str) -> str:
    """The text with the end tag that stop strings cut off."""
    text = text.strip().removeprefix("[MONOLOGUE]").lstrip()
    if "[ANSWER]" in text and "[/ANS" not in text.rpartition("[ANSWER]")[2]:
        text = text.rstrip() + "\n[/ANSWER]"
    return text


def _monologue(found: teachers.Taught, direction: str, teacher: teachers.Teacher) -> Monologue:
    """The text with what it is about: of a backward one, the input that it arrived at."""
    program, case = found.task.data
    text = _closed(found.text)
    if direction == "backward":
        case = Case(read_answer(cut(text).answer).arguments or (), case.output, program.id)
    return Monologue(text, direction, case, program.id, writer=teacher.name)
