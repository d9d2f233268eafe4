"""The shared half of CRUXEval, LiveCodeBench execution and held-out PyX: one program, one call, one
output, asked about in one direction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation import perturb, published, shots
from semcoder_lib.evaluation.assertions import clean_answer, faithful_answer
from semcoder_lib.evaluation.base import Answer, Benchmark, Probe, Sample, Task, check_scorer
from semcoder_lib.evaluation.calls import Ledger
from semcoder_lib.evaluation.execution import Item, judge_inputs, judge_output, literal_call
from semcoder_lib.models import prompts
from semcoder_lib.models.prompts import Prompt


@dataclass(slots=True)
class ExecutionReasoning(Benchmark):
    """Predict an output (`direction="output"`) or an input that gives it (`"input"`)."""

    direction: str = "output"

    @abstractmethod
    def item(self, task: Task) -> Item:
        """The program, call and output of a task."""

    @abstractmethod
    def with_program(self, task: Task, source: str, entry_point: str) -> Task:
        """The task with another program of the same meaning."""

    def perturb(self, task: Task, name: str, *, seed: int = 0) -> Task:
        """See `Benchmark.perturb`."""
        item = self.item(task)
        source, entry_point = perturb.apply(name, item.source, item.entry_point, seed)
        return self.with_program(task, source, entry_point)

    def prompt(
        self, task: Task, *, style: str = "clean", reasoning: str = "direct", shots: int = 0
    ) -> Prompt:
        """See `Benchmark.prompt`. `reasoning`: `direct`, `monologue`, a trace format of `prompts`,
        or `cot` (free chain of thought, two shots of ours)."""
        if style in self.prompts:
            return self.prompts[style](task)
        item = self.item(task)
        if shots or reasoning == "cot":
            return _few_shot(item, self.direction, reasoning, shots)
        way = "forward" if self.direction == "output" else "backward"
        return prompts.execution(
            way,
            item.source,
            item.entry_point,
            item.call,
            item.output,
            format=reasoning,
            style=style,
        )

    def extract(self, task: Task, text: str, *, style: str = "clean") -> Answer:
        """See `assertions`."""
        if style == "faithful":
            return faithful_answer(text, self.direction)
        return clean_answer(text, self.direction)

    def judge(
        self,
        tasks: Sequence[Task],
        samples: Sequence[Sample],
        *,
        scorer: str,
        box: Any,
        ledger: Ledger | None = None,
    ) -> list[Verdict]:
        """Strict: `execution`. Official: CRUXEval's published scorer, see `published`."""
        check_scorer(scorer)
        by_id = {task.task_id: self.item(task) for task in tasks}
        ledger = ledger or Ledger()
        items = [by_id[sample.task_id] for sample in samples]
        if scorer == "official":
            return published.judge(items, samples, self.direction, box, ledger)
        if self.direction == "output":
            return [judge_output(i, s) for i, s in zip(items, samples, strict=True)]
        return judge_inputs(items, samples, box, ledger)

    def probes(self, tasks: Sequence[Task]) -> list[Probe]:
        """References, empty answers, planted cheats, and constants."""
        found = []
        for task in tasks:
            item = self.item(task)
            output = self.direction == "output"
            known = [
                ("reference", "reference", item.output if output else item.call),
                ("empty", "empty", ""),
            ]
            cheats = _OUTPUT_CHEATS if output else _INPUT_CHEATS
            known += [
                ("cheat", name, text.format(f=item.entry_point, call=item.call, output=item.output))
                for name, text in cheats
            ]
            constants = _OUTPUT_CONSTANTS if output else _INPUT_CONSTANTS
            known += [
                (
                    "constant",
                    text,
                    text.replace("f(", f"{item.entry_point}(", 1) if not output else text,
                )
                for text in constants
            ]
            for kind, name, text in known:
                answer = Answer(text) if text else Answer(None, Status.NO_ANSWER)
                found.append(Probe(kind, name, Sample(task.task_id, 0, answer)))
        return found

    @property
    def code(self) -> bool:
        """Samples are answers."""
        return False

    def errata(self, tasks: Sequence[Task], scorer: str) -> dict[str, str]:
        """Strict inputs: tasks whose own input is an expression, not a literal."""
        if scorer == "official" or self.direction == "output":
            return {}
        return {
            task.task_id: "the benchmark's own input is an expression, not a literal"
            for task in tasks
            if not literal_call(self.item(task).call)
        }


_OUTPUT_CHEATS = (
    ("or True", "0 or True"),
    ("the call itself", "{call}"),
    ("spaced call", "{f} ({output})"),
    ("always equal", "type('E', (), {{'__eq__': lambda s, o: True}})()"),
    ("second statement", "None if False else None or 1; pass"),
    ("comparison chain", "{output} == {output}"),
)
_INPUT_CHEATS = (
    ("or True", "{f}() or True"),
    ("call in a comment", "{output} # {f}("),
    ("conditional", "{output} if True else {f}()"),
    ("redefinition", "(lambda: {output})() or {f}()"),
)
_OUTPUT_CONSTANTS = ("False", "True", "[]", "''", "0", "1", "-1", "{}", "None")
_INPUT_CONSTANTS = ("f('')", "f([])")


def _few_shot(item: Item, direction: str, reasoning: str, count: int) -> Prompt:
    if reasoning not in ("direct", "cot"):
        raise UserError(f"reasoning {reasoning!r} has no few-shot prompt; use direct or cot")
    return shots.prompt(
        item.source,
        item.entry_point,
        item.call,
        item.output,
        direction=direction,
        reasoning=reasoning,
        count=count or 2,
    )
