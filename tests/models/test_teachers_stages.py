"""The teacher of a run: what notebooks 01 to 03 make of a loopback server's replies, faults and a
kill included. The server's texts come from our own writers, some of them spoilt at first."""

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
from fault_server import FaultServer

from semcoder_lib import begin, faults, monologues
from semcoder_lib import corpus as pyx
from semcoder_lib.core import records, values, workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.corpus import seeds
from semcoder_lib.faults.rows import failed_test
from semcoder_lib.models import prompts
from semcoder_lib.models.teachers import Task, ask
from semcoder_lib.run import teaching
from semcoder_lib.run.notebook import Notebook
from semcoder_lib.sandbox import Job, Sandbox

ROOT = Path(__file__).resolve().parents[2]
POOL = list(seeds.synthesise(60, 31))
SMALL = "pyx_real=0 pyx_synthesised=10 workers=1"


def drawn(text: str, count: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % count


@functools.cache
def working() -> dict[str, list[str]]:
    """Calls on which the pool's programs run, by source."""
    made = {}
    for program in POOL:
        rng = random.Random(program.source)
        made[program.source] = [pyx.generate(program.argument_types, rng) for _ in range(30)]
    with Sandbox(workers=1) as box:
        jobs = [Job(p.source, p.entry_point, made[p.source]) for p in POOL]
        return {
            p.source.strip(): [
                values.show_call(p.entry_point, call)
                for call, outcome in zip(made[p.source], outcomes, strict=True)
                if outcome.status is records.Status.OK
            ]
            for p, outcomes in zip(POOL, box.map(jobs), strict=True)
        }


def programmer(body: dict[str, Any]) -> str:
    """Writes one of the pool's programs for a snippet, every third one broken until its error comes
    back, and calls of it."""
    chat = [m["content"] for m in body["messages"]]
    if "Known calls" in chat[0]:
        source = chat[0].split("```python\n")[1].partition("```")[0].strip()
        return "\n".join([*working()[source][3:9], "that is all", "f(open('x'))"])
    program = POOL[drawn(chat[1], len(POOL))]
    shown = "\n".join(f"print({call})" for call in working()[program.source.strip()][:3])
    broken = "print(not_there)\n" if drawn(chat[1], 3) == 0 and len(chat) == 2 else ""
    return (
        f"[Problem] {program.description} [Solution] Plan: one step.\n"
        f"```python\n{broken}{program.source}\n\n{shown}\n```"
    )


def stormy(body: dict[str, Any], number: int) -> str:
    """Some requests fail once or twice before they are answered, the others are slow."""
    fate = drawn(body["messages"][-1]["content"], 5)
    return ("429", "half", "junk")[fate] if fate < 3 and number <= fate // 2 else "slow"


def command(url: str, run: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    settings = [f"teacher={url}", "teacher_model=t", "teacher_items=24", *SMALL.split(), *more]
    environment = {k: v for k, v in os.environ.items() if k != "SEMCODER_DATA"}
    return subprocess.Popen(
        [sys.executable, "notebooks/01_pyx.py", "--profile", "smoke", "--run", run,
         *(f"--set={setting}" for setting in settings)],
        cwd=ROOT, env={**environment, "SEMCODER_RUNS": str(folder), "SEMCODER_HOME": str(folder)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_a_corpus_from_a_teacher_survives_faults_and_a_kill(tmp_path: Path) -> None:
    assert min(map(len, working().values())) >= 9
    with FaultServer(stormy, programmer) as server:
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
    assert told["snippets"] == sum(told["fates"].values()) == 24
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


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[records.Entry]:
    """A small corpus."""
    with Sandbox(workers=1) as box:
        out = tmp_path_factory.mktemp("pyx")
        pyx.build(out, real=0, synthesised=12, cases=6, seed=31, box=box, benchmarks=False)
    return pyx.load(out)


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
        texts, _ = monologues.derive_many(entries, box, per_program=2)
    derived = {d: [m for m in texts if m.direction == d] for d in monologues.DIRECTIONS}
    answers: dict[str, str] = {}
    for m in texts:
        program, output = programs[m.program_id], values.encode(m.case.output)
        call = values.show_call(program.entry_point, m.case.arguments)
        asked = (
            prompts.forward(program.source, call)
            if m.direction == "forward"
            else prompts.backward(program.source, program.entry_point, output)
        )
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
        more = teaching.monologues_of_teacher(run, entries, derived, **known)
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
        before, _ = faults.build(entries, box, limit=6, seed=31)
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


def test_a_teacher_that_never_answers_is_an_error_however_few_were_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    who = {"teacher": "http://127.0.0.1:9/v1", "model": "t", "cache": tmp_path / "replies.jsonl"}

    def unheard() -> None:
        with teaching.teaching(**who) as asked:
            tasks = [Task(f"t{n}", ({"role": "user", "content": "x"},)) for n in range(2)]
            for taught in ask(tasks, asked.teacher, lambda *_: (True, ""), usage=asked.usage):
                assert taught.status == "failed"

    with pytest.raises(InfrastructureError, match=r"127\.0\.0\.1:9/v1 answered none of"):
        unheard()
