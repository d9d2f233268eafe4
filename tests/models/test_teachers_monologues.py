"""Monologues from a teacher: only what the verifier accepts comes out, faults or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fault_server import FaultServer

from semcoder_lib import models, tracing
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Case, Program
from semcoder_lib.models.teachers import Teacher, Usage, shot
from semcoder_lib.monologues import forward
from semcoder_lib.monologues.derive import taught
from semcoder_lib.sandbox import Sandbox

SOURCE = """def total(nums):
    s = 0
    for n in nums:
        s += n
    return s
"""
PROGRAM = Program(SOURCE, "total", id="total")
INPUTS = ([3, 4], [1], [2, 2, 2], [])


def test_a_teacher_that_errs_is_asked_again_and_its_errors_are_named(tmp_path: Path) -> None:
    pairs = [(PROGRAM, Case((nums,))) for nums in INPUTS]
    usage = Usage()
    with Sandbox() as box:
        traces = list(tracing.trace_many(pairs, box))
        right = {
            f"total({nums})": forward(PROGRAM, t) for nums, t in zip(INPUTS, traces, strict=True)
        }

        def answer(body: dict[str, Any]) -> str:
            asked = body["messages"][-1]["content"]
            call = next(c for c in right if f"assert {c} == ??" in asked)
            text = right[call].text
            assert len(body["messages"]) == 4  # rules, one example, the question
            if body["seed"] == 0 and call == "total([3, 4])":
                return text.replace("so s = 7", "so s = 8")  # a wrong step, a right answer
            if body["seed"] == 0 and call == "total([1])":
                return text.rpartition("[ANSWER]")[0]
            return text

        example = shot(PROGRAM, right["total([2, 2, 2])"])
        with (
            FaultServer(lambda body, number: "500" if number == 0 else "ok", answer) as server,
            workspace.ItemCache(tmp_path / "c.jsonl") as cache,
        ):
            teacher = Teacher(models.load("t", backend="openai", base_url=server.url))
            out = list(
                taught(pairs, teacher, box, shots=(example,), tries=2, cache=cache, usage=usage)
            )
            assert all(count == 1 for count in server.served.values())
    assert [t.status for t, _ in out] == ["accepted"] * 4
    assert [t.tries for t, _ in out] == [2, 2, 1, 1]
    assert out[0][0].reasons[0].startswith("contradicted value")
    assert out[1][0].reasons[0].startswith("wrong answer")
    monologues = [m for _, m in out if m is not None]
    assert [m.case.arguments for m in monologues] == [(nums,) for nums in INPUTS]
    assert all(m.writer == "t" for m in monologues)
    assert usage.asked == 6


def test_a_backward_chat_never_sees_the_input(tmp_path: Path) -> None:
    heard: list[str] = []

    def answer(body: dict[str, Any]) -> str:
        heard.append(body["messages"][-1]["content"])
        return (
            "### Reverse Deduction\n[L5] return s: total returns 7, so s must be 7.\n"
            "Choose nums = [7].\n### Conclusion\ntotal([7]) returns 7.\n[/MONOLOGUE]\n"
            "[ANSWER]\nassert total([7]) == 7\n[/ANSWER]"
        )

    with Sandbox() as box, FaultServer(answer=answer) as server:
        teacher = Teacher(models.load("t", backend="openai", base_url=server.url))
        case = Case(([3, 4],), 7)
        ((found, monologue),) = taught([(PROGRAM, case)], teacher, box, direction="backward")
    assert found.status == "accepted"
    assert monologue is not None
    assert (monologue.case.arguments, monologue.case.output) == (([7],), 7)
    assert "assert total(??) == 7" in heard[0]
    assert "[3, 4]" not in heard[0]
