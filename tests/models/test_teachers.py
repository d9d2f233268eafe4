"""Teachers: rejection sampling against a server that fails, over interruptions and a kill, and what
notebooks 01 to 03 make of the replies, which come from our own writers, some spoilt at first."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_server import PASSING, FaultServer, asked
from tiny_model import engine_of

from semcoder_lib import begin, faults, models, monologues, tracing
from semcoder_lib import corpus as pyx
from semcoder_lib.core import records, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.faults.rows import failed_test
from semcoder_lib.models import prompts, teachers
from semcoder_lib.models.teachers import Task, Teacher
from semcoder_lib.run import teaching
from semcoder_lib.run.notebook import Notebook
from semcoder_lib.sandbox import Sandbox


def tasks(count: int) -> list[Task]:
    return [Task(f"t{n}", ({"role": "user", "content": f"say {n}"},), n) for n in range(count)]


def echo(task: Task, text: str) -> tuple[bool, str]:
    """Accepts exactly the answer to this task's own question."""
    return text == f"say {task.data}", f"wrong text: {text[:20]}"


def teacher_at(server: FaultServer, **options: Any) -> Teacher:
    given = {"timeout": 0.5, "parallel": 6, **options}
    return Teacher(models.load("tiny", backend="openai", base_url=server.url, **given))


def test_neither_a_storm_of_faults_nor_an_interruption_loses_or_counts_a_reply_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "_ROUND", 7)
    chance, path = random.Random(3), tmp_path / "replies.jsonl"
    fates = {f"say {n}": [chance.choice(PASSING) for _ in range(n % 4)] for n in range(30)}

    def plan(body: dict[str, Any], number: int) -> str:
        fate = fates[asked(body)]
        return fate[number] if number < len(fate) else "slow"

    with FaultServer(plan) as server:
        stream = teacher_at(server, cache=path).ask(tasks(30), echo)
        first = [next(stream) for _ in range(9)]
        stream.close()  # type: ignore[attr-defined]
        assert sum(server.served.values()) == 14
        teacher = teacher_at(server, cache=path)
        out = list(teacher.ask(tasks(30), echo))
        assert list(server.served.values()) == [1] * 30
    assert out[:9] == first
    assert [(task.id, text) for task, text in out] == [(f"t{n}", f"say {n}") for n in range(30)]
    assert teacher.row() == {  # whoever asked
        "teacher": "tiny", "replies": 30, "prompt_tokens": 300, "completion_tokens": 150,
        "rejected_for": {},
    }  # fmt: skip


def test_rejected_replies_are_asked_for_again_up_to_the_limit() -> None:
    def answer(body: dict[str, Any]) -> str:
        return asked(body) if body["seed"] >= int(asked(body).split()[1]) else "nonsense"

    with FaultServer(answer=answer) as server:
        teacher = teacher_at(server)
        out = list(teacher.ask(tasks(5), echo, tries=3))
    assert [text for _, text in out] == ["say 0", "say 1", "say 2", None, None]
    assert teacher.replies == 12
    assert teacher.reasons == {"wrong text": 9}


def test_a_teacher_that_is_gone_stops_the_run_and_keeps_what_it_said(tmp_path: Path) -> None:
    def plan(body: dict[str, Any], number: int) -> str:
        return "500" if gone and sum(server.served.values()) >= 8 else "ok"

    gone, options = [True], {"retries": 1, "parallel": 4, "cache": tmp_path / "c.jsonl"}
    with FaultServer(plan) as server:
        with pytest.raises(InfrastructureError, match=r"no usable answer .*status 500"):
            list(teacher_at(server, **options).ask(tasks(120), echo))
        assert sum(server.seen.values()) < 40
        gone.clear()
        assert len(list(teacher_at(server, **options).ask(tasks(120), echo))) == 120
        assert sum(server.served.values()) == 120, "a reply was asked for twice"


def test_one_request_that_gets_no_answer_costs_no_other(tmp_path: Path) -> None:
    with FaultServer(lambda body, number: "500" if asked(body) == "say 3" else "ok") as server:
        teacher = teacher_at(server, retries=1, cache=tmp_path / "c.jsonl")
        texts = [text for _, text in teacher.ask(tasks(8), echo, tries=2)]
    assert [n for n, text in enumerate(texts) if text is None] == [3]
    assert teacher.reasons == {"no usable answer": 2}


def test_a_model_in_this_process_can_teach(tiny: Callable[[str], str]) -> None:
    with engine_of(tiny("qwen2")) as engine:
        teacher = Teacher(engine, temperature=1.0, max_new_tokens=4)
        assert {text for _, text in teacher.ask(tasks(6), tries=2)} == {None}
    assert teacher.row()["teacher"] == "qwen2"
    assert teacher.reasons == {"cut off by the token limit": 12}


PROGRAM = Program(
    "def total(nums):\n    s = 0\n    for n in nums:\n        s += n\n    return s\n",
    "total",
    id="t",
)


def test_of_a_teachers_monologues_only_what_the_verifier_accepts_comes_out(tmp_path: Path) -> None:
    """Wrong steps and missing answers are named and asked for again, faults or not."""
    pairs = [(PROGRAM, Case((nums,))) for nums in ([3, 4], [1], [2, 2, 2])]
    with Sandbox(workers=1) as box:
        traces = list(tracing.trace_many(pairs, box))
        right = {
            f"total({case.arguments[0]})": monologues.forward(PROGRAM, trace)
            for (_, case), trace in zip(pairs, traces, strict=True)
        }

        def answer(body: dict[str, Any]) -> str:
            call = next(c for c in right if f"assert {c} == ??" in asked(body))
            assert len(body["messages"]) == 4  # rules, one example, the question
            text = right[call].text
            if body["seed"] == 0 and call == "total([3, 4])":
                return text.replace("so s = 7", "so s = 8")  # a wrong step, a right answer
            if body["seed"] == 0 and call == "total([1])":
                return text.rpartition("[ANSWER]")[0]
            return text

        shots = (teachers.shot(PROGRAM, right["total([2, 2, 2])"]),)
        fails_once = FaultServer(lambda body, number: "500" if number == 0 else "ok", answer)
        with fails_once as server:
            teacher = teacher_at(server, timeout=30)
            out = list(monologues.taught(pairs, teacher, box, shots=shots, tries=2))
    assert [m.case for m in out if m is not None] == [case for _, case in pairs]
    assert teacher.replies == 5
    assert teacher.reasons == {"contradicted value": 1, "wrong answer": 1}


def test_a_backward_chat_never_sees_the_input() -> None:
    heard: list[str] = []

    def answer(body: dict[str, Any]) -> str:
        heard.append(asked(body))
        return (
            "### Reverse Deduction\n[L5] return s: total returns 7, so s must be 7.\n"
            "Choose nums = [7].\n### Conclusion\ntotal([7]) returns 7.\n[/MONOLOGUE]\n"
            "[ANSWER]\nassert total([7]) == 7\n[/ANSWER]"
        )

    with Sandbox(workers=1) as box, FaultServer(answer=answer) as server:
        pairs = [(PROGRAM, Case(([3, 4],), 7))]
        (monologue,) = monologues.taught(pairs, teacher_at(server), box, direction="backward")
    assert monologue is not None
    assert monologue.case.arguments == ([7],)
    assert "assert total(??) == 7" in heard[0]
    assert "[3, 4]" not in heard[0]


# --- what notebooks 01 to 03 make of a teacher's replies ---

ROOT = Path(__file__).resolve().parents[2]
SMALL = "pyx_real=0 pyx_synthesised=10 workers=1"


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[records.Entry]:
    """A small corpus."""
    with Sandbox(workers=1) as box:
        out = tmp_path_factory.mktemp("pyx")
        pyx.build(out, real=0, synthesised=24, cases=6, seed=31, box=box, benchmarks=False)
    return pyx.load(out)


def drawn(text: str, count: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % count


def programmer(entries: list[records.Entry], body: dict[str, Any]) -> str:
    """Writes a program of a corpus for a snippet, every third one broken until its error comes
    back, and calls of it."""
    chat = [m["content"] for m in body["messages"]]
    calls = {
        e.program: [values.show_call(e.program.entry_point, c.arguments) for c in e.cases]
        for e in entries
    }
    if "Known calls" in chat[0]:
        program = next(p for p in calls if p.source.strip() in chat[0])
        return "\n".join([*calls[program][3:], "that is all", "f(open('x'))"])
    program = entries[drawn(chat[1], len(entries))].program
    shown = "\n".join(f"print({call})" for call in calls[program][:3])
    broken = "print(not_there)\n" if drawn(chat[1], 3) == 0 and len(chat) == 2 else ""
    return (
        f"[Problem] {program.description} [Solution] Plan: one step.\n"
        f"```python\n{broken}{program.source}\n\n{shown}\n```"
    )


def stormy(body: dict[str, Any], number: int) -> str:
    """Some requests fail once or twice before they are answered, the others are slow."""
    fate = drawn(body["messages"][-1]["content"], 5)
    return ("429", "half", "503")[fate] if fate < 3 and number <= fate // 2 else "slow"


def command(url: str, run: str, folder: Path) -> subprocess.Popen[str]:
    settings = [f"teacher={url}", "teacher_model=t", "teacher_items=24", *SMALL.split()]
    environment = {k: v for k, v in os.environ.items() if k != "SEMCODER_DATA"}
    return subprocess.Popen(
        [sys.executable, "notebooks/01_pyx.py", "--profile", "smoke", "--run", run,
         *(f"--set={setting}" for setting in settings)],
        cwd=ROOT, env={**environment, "SEMCODER_RUNS": str(folder), "SEMCODER_HOME": str(folder)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_a_corpus_from_a_teacher_survives_faults_and_a_kill(
    entries: list[records.Entry], tmp_path: Path
) -> None:
    with FaultServer(stormy, functools.partial(programmer, entries)) as server:
        process = command(server.url, "killed", tmp_path)
        deadline = time.monotonic() + 240
        while sum(server.served.values()) < 12 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        paid = sum(server.served.values())
        for run in ("killed", "quiet"):
            _, err = command(server.url, run, tmp_path).communicate(timeout=240)
            assert (tmp_path / run / "01_pyx" / "card.json").exists(), err
    folders = [tmp_path / run / "01_pyx" for run in ("killed", "quiet")]
    assert 12 <= paid < 24 + 24
    for name in ("pyx.jsonl", "dropped.jsonl", "teacher.jsonl", "results.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name

    results = workspace.read_json(folders[1] / "results.json")
    told = results["teacher"]
    assert told["fates"] == {"kept": 24}
    repaired = told["first_errors"]["NameError"]
    assert told["ran_after_repairs"] == {"0": 24 - repaired, "1": repaired}
    assert 0 < repaired < 24
    # first ones and repairs; then inputs
    assert told["replies"] == 24 + repaired + 24
    assert results["description"]["errors"] == {"NameError": repaired}
    funnel = results["funnel"]["teacher"]
    assert funnel["candidates"] == 24
    mine = [e for e in pyx.load(folders[1] / "pyx.jsonl") if e.program.origin == "teacher"]
    assert len(mine) == funnel["kept"] >= 8
    assert all(len(e.cases) == 6 and e.program.provenance.licence for e in mine)
    assert any(c.source == "teacher" for e in mine for c in e.cases)
    assert set(results["description"]["categories"]) == {"teacher", "synthesised", "method-seeded"}


@pytest.fixture
def notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, FaultServer, int], Notebook]]:
    """Begins a notebook with a server as its teacher, who is asked about so many items."""
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    with contextlib.ExitStack() as stack:

        def started(name: str, server: FaultServer, items: int) -> Notebook:
            settings = f"teacher={server.url} teacher_model=t teacher_items={items} workers=1"
            run = begin(name, "smoke", "t", settings)
            stack.callback(run.close)
            return run

        yield started


def test_monologues_of_a_teacher_replace_derived_ones_where_they_hold(
    entries: list[records.Entry], notebook: Callable[[str, FaultServer, int], Notebook]
) -> None:
    programs = {e.program.id: e.program for e in entries}
    with Sandbox(workers=1) as box:
        texts, _ = monologues.derive_many(entries[:12], box, per_program=2)
    derived = {d: [m for m in texts if m.direction == d] for d in monologues.DIRECTIONS}
    answers: dict[str, str] = {}
    for m in texts:
        asked = prompts.of_case(m.direction, programs[m.program_id], m.case)
        answers[asked.text] = m.text
    heading = "### Execution Simulation"

    def answer(body: dict[str, Any]) -> str:
        text = answers.get(body["messages"][-1]["content"], "I do not know.")
        if drawn(text, 3) == 0:  # never right
            return text.rpartition("[ANSWER]")[0] + "[ANSWER]\nassert nothing(1) == 2\n[/ANSWER]"
        return text.replace(heading, f"Let us see.\n\n{heading}")

    with FaultServer(answer=answer) as server:
        run = notebook("02_monologues", server, 6)
        known = {"cases": 2, "longest": 4_000}
        kept, told = teaching.monologues_of_teacher(run, entries[:11], derived, **known)
        asked_for = sum(server.served.values())
        again = teaching.monologues_of_teacher(run, entries[:11], derived, **known)
        more = teaching.monologues_of_teacher(run, entries[:12], derived, **known)
        assert sum(server.served.values()) == asked_for, "a known reply was asked for again"
    assert again == more == (kept, told)
    assert told["programs"] == 6
    assert told["directions"]["forward"]["accepted"] > 0
    assert told["directions"]["forward"]["rejected"] > 0
    assert sum(told["directions"]["forward"].values()) == 2 * 6
    assert told["replies"] == asked_for
    assert told["rejected_for"]["wrong answer"] >= 2
    before, after = derived["forward"], kept["forward"]
    places = [[(m.program_id, m.case.arguments) for m in some] for some in (before, after)]
    assert places[0] == places[1]
    taught = [m for m in after if m.writer == "t"]
    assert len(taught) == told["directions"]["forward"]["accepted"]
    assert all("Let us see." in m.text for m in taught)
    assert [m for m in after if m.writer != "t"] == [m for m in before if m in after]


def test_rationales_of_a_teacher_need_a_fix_that_passes(
    entries: list[records.Entry], notebook: Callable[[str, FaultServer, int], Notebook]
) -> None:
    with Sandbox(workers=1) as box:
        before, _ = faults.build(entries[:12], box, limit=6, seed=31)
    answers = {
        prompts.refine(f.description, f.buggy, failed_test(f)).text: f.rationale for f in before
    }
    wrong = before[0]

    def answer(body: dict[str, Any]) -> str:
        text = next(a for q, a in answers.items() if body["messages"][-1]["content"].endswith(q))
        if text == wrong.rationale:  # the bug put forward as its own fix
            head = text.rpartition("[Refined]")[0]
            return f"{head}[Refined]\n```python\n{wrong.buggy}\n```\n[/Refined]"
        return text

    with FaultServer(answer=answer) as server:
        run = notebook("03_pyx_r", server, 4)
        after, told = teaching.faults_of_teacher(run, before, entries)
        assert teaching.faults_of_teacher(run, before, entries) == (after, told)
        assert sum(server.served.values()) == 16
    assert told["replies"] == told["funnel"]["samples"] == 16
    assert told["funnel"]["accepted"] == 3
    assert told["funnel"]["fix_fails"] == 4  # no sample is read whose program is wrong
    assert [f.id for f in after] == [f.id for f in before]
    assert after[0] == before[0]
