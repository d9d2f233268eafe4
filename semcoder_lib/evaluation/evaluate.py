"""One line for somebody's own model: any function from prompt to text, scored with intervals."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Completion, Score, Verdict
from semcoder_lib.evaluation import base
from semcoder_lib.evaluation.command import summary
from semcoder_lib.models.stops import cut
from semcoder_lib.sandbox import Sandbox


@dataclass(frozen=True)
class Evaluation:
    """The score with its interval, and the completion and verdict of every task."""

    score: Score
    completions: list[Completion]
    verdicts: list[Verdict]

    def __str__(self) -> str:
        s = self.score
        statuses = ", ".join(f"{count} {name}" for name, count in s.statuses.items())
        interval = f"{s.value:.1%} [{s.low:.1%}, {s.high:.1%}]"
        return f"{s.benchmark}, {s.scorer} scorer: {interval} of {s.n} tasks ({statuses})"


def evaluate(
    benchmark: str,
    function: Callable[[str], str],
    *,
    limit: int = 0,
    style: str = "clean",
    reasoning: str = "direct",
    shots: int = 0,
    scorer: str = "strict",
    data: Path | str | None = None,
    box: Sandbox | None = None,
) -> Evaluation:
    """Ask `function` about every task (or the first `limit`) of a benchmark and score its answers:

        print(evaluate("cruxeval-o", my_function, shots=2))

    `function` gets the prompt and returns what follows it, with or without a stop string at its
    end; what it raises ends the evaluation. `style`, `reasoning` and `shots` are those of
    `Benchmark.prompt`; a model that was never tuned on this project's prompts does better with
    `shots=2`. Known solutions are judged first, as before every score. Raises UserError for an
    unknown benchmark, `Missing` where its data are not there, PreflightFailed.
    """
    found = base.get(benchmark)
    tasks = found.load(data)[: limit or None]
    completions = []
    for task in tasks:
        prompt = found.prompt(task, style=style, reasoning=reasoning, shots=shots)
        text = function(prompt.text)
        if not isinstance(text, str):
            returned = type(text).__name__
            raise UserError(f"{task.task_id}: the function returned {returned}, not text")
        # an answer that the prompt began is read with its beginning; a program is put together
        # with the code of its prompt by the extraction
        begun = "" if found.code else prompt.prefill
        whole = begun + cut(text, prompt.stop)[0]
        completions.append(Completion(task.task_id, whole, prompt=prompt.text))
    with contextlib.ExitStack() as stack:
        sandbox = box or stack.enter_context(Sandbox())
        found.check(tasks, scorer=scorer, box=sandbox).require()
        verdicts = found.score(tasks, completions, scorer=scorer, box=sandbox)
    numbers = summary(verdicts)
    low, high = numbers["interval"]
    score = Score(
        benchmark, "pass@1", numbers["pass@1"], low, high, numbers["tasks"], scorer,
        statuses=numbers["statuses"],
    )  # fmt: skip
    return Evaluation(score, completions, verdicts)
