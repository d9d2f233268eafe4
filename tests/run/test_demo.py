"""The demo: what becomes of friendly and hostile pastes, and the page that shows it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Claim, Completion
from semcoder_lib.run import demo
from semcoder_lib.run.demo.work import LIMITS
from semcoder_lib.sandbox import Sandbox

CALLS, TESTS = yaml.safe_load((Path(demo.__file__).parent / "examples.yaml").read_text()).values()
SOURCE, CALL = CALLS["Count words"]
BUGGY, ASSERTIONS = TESTS["One step short"]
COMMAND = [sys.executable, "-m", "semcoder_lib.run.demo"]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=LIMITS, workers=1) as made:
        yield made


def statuses(text: demo.Text) -> list[str]:
    return [claim.status for claim in text.claims]


# --- what is done with a paste -------------------------------------------------------------------


def test_a_paste_becomes_a_checked_monologue(box: Sandbox) -> None:
    seen = demo.explain(SOURCE, CALL, box)
    assert seen.outcome == "returns {'a': 2, 'b': 1}"
    assert set(statuses(seen.derived)) == {"supported"}
    assert len(seen.derived.claims) >= 8
    assert seen.derived.note == "accepted"
    assert "".join(text for text, _ in seen.derived.segments()) == seen.derived.text
    assert ("[L2] counts = {}.", "supported") in seen.derived.segments()
    assert seen.trace.steps


def test_a_changed_word_is_contradicted(box: Sandbox) -> None:
    text = demo.explain(SOURCE, CALL, box).derived.text
    assert "contradicted" not in statuses(demo.check(SOURCE, CALL, text, box))
    wrong = demo.check(SOURCE, CALL, text.replace("3 items", "4 items"), box)
    ((said, found),) = wrong.contradictions()
    assert said == "4"
    assert found == "3 items"
    assert [t for t, s in wrong.segments() if s == "contradicted"] == ["4"]


def test_a_failing_test_is_explained_and_mended(box: Sandbox) -> None:
    seen = demo.debug(BUGGY, ASSERTIONS, box)
    assert seen.tests == (
        ("assert largest_gap([1, 2, 7]) == 5", False, "gives 1"),
        ("assert largest_gap([3]) == 0", True, ""),
    )
    assert "The cause is [L3]" in seen.rationale.text
    assert set(statuses(seen.rationale)) == {"supported"}
    assert len([s for _, s in seen.rationale.segments() if s == "supported"]) >= 8
    assert "range(len(xs) - 2)" in seen.buggy
    assert seen.fixed == seen.buggy.replace("range(len(xs) - 2)", "range(len(xs) - 1)")


@pytest.mark.parametrize(
    ("source", "tests", "note"),
    [
        (SOURCE, "assert count_words('') == {}", "all tests pass"),
        (*TESTS["More than one edit away"], "single edits"),
        ("def f(x):\n    while x:\n        pass\n", "assert f(1) == 2", "no rationale: timeout"),
    ],
)
def test_where_there_is_no_fix_that_is_said(
    box: Sandbox, source: str, tests: str, note: str
) -> None:
    seen = demo.debug(source, tests, box)
    assert note in seen.rationale.note
    assert seen.fixed == ""


IDENTITY = "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("work", "given", "line"),
    [
        (demo.check, (SOURCE, CALL, " "), "explain a call first"),
        (demo.check, (SOURCE, CALL, "x" * 20_001), "longer than 20,000"),
        (demo.check, (SOURCE, "count_words(1)", "[L2] counts = 1."), "only a call that ends with"),
        (demo.debug, ("def f(:", "assert f(1) == 2"), "does not parse"),
        (demo.debug, (IDENTITY, "f(1)"), "write tests such as"),
        (demo.debug, ("x" * 9_000, "assert f(1) == 2"), "longer than 8,000"),
        (demo.explain, (IDENTITY, "f(open('x'))"), "literal arguments"),
        (demo.explain, (IDENTITY, "f(y=1)"), "'y'"),
        (demo.explain, ("x" * 9000, "f(1)"), "longer than 8,000"),
        (demo.explain, (SOURCE, f"f('{'x' * 1_000}')"), "longer than 1,000"),
    ],
)
def test_a_bad_paste_is_one_clear_line(
    box: Sandbox, work: Callable[..., Any], given: tuple[str, ...], line: str
) -> None:
    with pytest.raises(UserError, match=line) as caught:
        work(*given, box)
    assert "\n" not in str(caught.value)


FILE = (Path(__file__).parent / "pastes.txt").read_text(encoding="utf-8")
PASTES = re.sub(r"(?s)«(\d+) (.*?)»", lambda m: m[2] * int(m[1]), FILE).split("### ")[1:]
OUTCOMES = [
    (*title.split(" | "), source)
    for title, source in (p.split("\n", 1) for p in PASTES)
    if "|" in title
]
HOSTILE = [block for block in PASTES if "|" not in block.splitlines()[0]]
SHOWN = {
    "Recursion": "returns 6", "An error": "raises ZeroDivisionError: division by zero",
    "Never ends": "was stopped: more than 2 s", "Hostile: a fork bomb": "",
}  # fmt: skip
OUTCOMES += [(name, CALLS[name][1], outcome, CALLS[name][0]) for name, outcome in SHOWN.items()]


@pytest.mark.parametrize(("name", "call", "outcome", "source"), OUTCOMES)
def test_every_paste_has_an_outcome(
    box: Sandbox, name: str, call: str, outcome: str, source: str
) -> None:
    assert outcome in demo.explain(source, call, box).outcome
    with suppress(UserError):
        demo.debug(source, f"assert {call} == 1", box)


@pytest.mark.parametrize("block", HOSTILE)
def test_a_hostile_paste_harms_nothing(box: Sandbox, tmp_path: Path, block: str) -> None:
    (tmp_path / "kept").write_text("secret of the machine")
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        source = block.split("\n", 1)[1].replace("TARGET", str(tmp_path))
        source = source.replace("PID", str(victim.pid))
        seen = demo.explain(source, f"f({listener.getsockname()[1]})", box)
        assert victim.poll() is None
        victim.kill()
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "secret of the machine"
    assert not seen.outcome.startswith("returns")
    assert demo.explain(SOURCE, CALL, box).outcome.startswith("returns")  # still serving


class Liar:
    name = "liar"

    def generate(self, requests: list[Any]) -> list[list[Completion]]:
        text = (
            "### Execution Simulation\n[L1] count_words is called with text = 'a b a'.\n"
            "[L2] counts = {'z': 9}.\n[/MONOLOGUE]\n[ANSWER]\n"
            "assert count_words('a b a') == {'z': 9}\n"
        )
        return [[Completion("demo", text)]]


def test_a_lying_model_is_shown_to_lie(box: Sandbox) -> None:
    model = demo.explain(SOURCE, CALL, box, Liar()).model
    assert "contradicted" in statuses(model)
    assert "not accepted" in model.note


def test_of_claims_that_overlap_the_worse_one_shows() -> None:
    claims = (
        Claim("value", place=(0, 5), status="supported"),
        Claim("value", place=(2, 3), status="contradicted"),
        Claim("value", place=(4, 99), status="unverifiable"),
        Claim("line", value="two", status="supported"),
    )
    assert demo.Text("a<b>c d\ntwo", claims).segments() == [
        ("a<", "supported"), ("b", "contradicted"), (">", "supported"),
        ("c d\ntwo", "unverifiable"),
    ]  # fmt: skip
    assert demo.Text("one\ntwo", claims[3:]).segments() == [("one\n", None), ("two", "supported")]


# --- the page ------------------------------------------------------------------------------------


def test_without_gradio_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['gradio'] = None\n"
    code += "from semcoder_lib.run.demo.__main__ import main\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.argv = ['demo']; sys.exit(main())"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == 'the page needs Gradio: pip install "semcoder-lib[demo]"\n'


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--port", "70000"], "a port is a number from 0 to 65535"),
        (["--adapter", "x"], "--adapter needs the model that it belongs to: add --model NAME"),
    ],
)
def test_wrong_usage_is_said(words: list[str], line: str) -> None:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(line)


@contextmanager
def served(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the line that it says first."""
    pytest.importorskip("gradio", reason="the extra `demo` is not installed")
    wishes = {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SHARE": "True", "GRADIO_ALLOWED_PATHS": "/",
              "GRADIO_ANALYTICS_ENABLED": "True", "GRADIO_MCP_SERVER": "True"}  # fmt: skip
    command = [*COMMAND, "--port", str(port)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | wishes
    ) as page:
        try:
            assert page.stderr is not None
            yield page, page.stderr.readline()
        finally:
            page.kill()


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with served(port) as (page, line):
            assert line.startswith(f"port {port} of 127.0.0.1 is in use; choose another with --p")
            assert page.wait(timeout=30) == 3


def answer(address: str, function: int, *values: str) -> list[Any]:
    """What a press of a button shows, through the page's own queue."""
    body = {"data": values, "fn_index": function, "session_hash": f"s{function}"}
    request = urllib.request.Request(
        f"{address}gradio_api/queue/join",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()
    lines = urllib.request.urlopen(
        f"{address}gradio_api/queue/data?session_hash=s{function}", timeout=120
    )
    for line in lines:
        message = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else {}
        if message.get("msg") == "process_completed":
            assert message["success"], message
            return list(message["output"]["data"])
    raise AssertionError("no answer")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_answers_on_loopback_and_ends_with_a_signal(number: int) -> None:
    with served() as (page, line):
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/) ", line)
        assert found, line
        address = found[1]
        config = json.loads(urllib.request.urlopen(f"{address}config", timeout=60).read())
        assert config["analytics_enabled"] is False
        # two choices of an example, Explain by button and by Enter, Check, Debug
        assert [d["id"] for d in config["dependencies"]] == [0, 1, 2, 3, 4, 5]
        with pytest.raises(urllib.error.HTTPError, match="40"):
            urllib.request.urlopen(f"{address}gradio_api/file=/etc/passwd", timeout=60)
        body = "    print('<b>')\n    raise ValueError('\\ud800 <img src=x onerror=alert(1)>')"
        outcome, printed, *_, frame, _, _, _ = answer(address, 1, f"def f(x):\n{body}", "f(1)")
        assert outcome == "raises ValueError: \\ud800 <img src=x onerror=alert(1)>"
        assert printed == "<b>\n"
        assert frame.startswith('<iframe sandbox="allow-scripts"')
        assert "<img" not in frame
        _, _, derived, verdict, *_ = answer(address, 1, SOURCE, CALL)
        assert verdict == "accepted"
        assert {part["class_or_confidence"] for part in derived} == {"supported", None}
        assert answer(address, 3, SOURCE, CALL, "")[0].startswith("explain a call first")
        tests, rationale, _, fixed = answer(address, 5, BUGGY, ASSERTIONS)
        assert tests.startswith("✗ assert largest_gap([1, 2, 7]) == 5  gives 1\n✓ ")
        assert "supported" in {part["class_or_confidence"] for part in rationale}
        assert {part["class_or_confidence"] for part in fixed} == {"gone", "new", None}
        page.send_signal(number)
        assert page.wait(timeout=30) == 0
