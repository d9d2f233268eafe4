"""End to end against a real OpenAI-compatible server: `transformers serve` with SmolLM2."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib import models
from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask, forward_chat

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """(base_url, model) of a server that runs while the tests do."""
    for needed in ("fastapi", "uvicorn", "torch"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"transformers serve needs {needed}")
    from semcoder_lib.models import assets

    try:
        folder = assets.locate("smollm2-135m")
    except (InfrastructureError, UserError, OSError) as error:
        pytest.skip(f"no model: {error}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = Path(sys.executable).with_name("transformers")
    with subprocess.Popen(
        [str(command), "serve", folder, "--host", "127.0.0.1", "--port", str(port),
         "--device", "cpu"],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1", folder
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"the server ended with status {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the server did not come up in five minutes")


def test_a_real_server_answers_and_is_counted(served: tuple[str, str], tmp_path: Path) -> None:
    url, model = served
    engine = models.load(model, backend="openai", base_url=url, parallel=2)
    teacher = Teacher(engine, temperature=0.1, max_new_tokens=12)
    sources = ["def f(a):\n    return a + 1\n", "def f(s):\n    return s[::-1]\n"]
    chats = [forward_chat(sources[0], "f(1)"), forward_chat(sources[1], "f('ab')")]
    tasks = [Task(str(n), chat) for n, chat in enumerate(chats)]
    usage = Usage()
    seen: list[str] = []

    def accept(task: Task, text: str) -> tuple[bool, str]:
        seen.append(text)
        return bool(text.strip()), "empty"

    with workspace.ItemCache(tmp_path / "replies.jsonl") as cache:
        out = list(ask(tasks, teacher, accept, tries=1, cache=cache, usage=usage))
        assert len(cache) == 2
    assert len(out) == 2
    assert all(t.status in ("accepted", "rejected") for t in out)
    assert usage.asked == 2
    assert usage.prompt_tokens > 200  # the rules and the program are in it
    assert 0 < usage.completion_tokens <= 24
    again = Usage()
    with workspace.ItemCache(tmp_path / "replies.jsonl") as cache:
        assert list(ask(tasks, teacher, accept, tries=1, cache=cache, usage=again)) == out
    assert (again.asked, again.cached) == (0, 2)
    assert again.prompt_tokens == usage.prompt_tokens
