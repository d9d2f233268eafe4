"""The demo: what becomes of friendly and hostile pastes, and the page that shows it."""

from __future__ import annotations

import html
import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from semcoder_lib.core.errors import UserError
from semcoder_lib.run import demo
from semcoder_lib.sandbox import Sandbox

CALLS, TESTS = yaml.safe_load((Path(demo.__file__).parent / "examples.yaml").read_text()).values()
SOURCE, CALL = CALLS["Count words"]
BUGGY, ASSERTIONS = TESTS["One step short"]
COMMAND = [sys.executable, "-m", "semcoder_lib.run.demo"]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=demo.LIMITS, workers=1) as made:
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
    assert seen.trace.steps


def test_a_changed_word_is_contradicted(box: Sandbox) -> None:
    text = demo.explain(SOURCE, CALL, box).derived.text
    assert "contradicted" not in statuses(demo.check(SOURCE, CALL, text, box))
    wrong = demo.check(SOURCE, CALL, text.replace("3 items", "4 items"), box)
    ((said, found),) = wrong.contradictions()
    assert said == "4"
    assert found == "3 items"


def test_a_failing_test_is_explained_and_mended(box: Sandbox) -> None:
    seen = demo.debug(BUGGY, ASSERTIONS, box)
    assert seen.tests == (
        ("assert largest_gap([1, 2, 7]) == 5", False, "gives 1"),
        ("assert largest_gap([3]) == 0", True, ""),
    )
    assert "The cause is [L3]" in seen.rationale.text
    assert set(statuses(seen.rationale)) == {"supported"}
    assert "range(len(xs) - 2)" in seen.buggy
    assert seen.fixed == seen.buggy.replace("range(len(xs) - 2)", "range(len(xs) - 1)")


@pytest.mark.parametrize(
    ("source", "tests", "note"),
    [
        (SOURCE, "assert count_words('') == {}", "all tests pass"),
        (*TESTS["More than one edit away"], "single edits"),
        ("def f(x):\n    while x:\n        pass\n", "assert f(1) == 2", "no fix: timeout"),
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
    "Never ends": "ended as timeout", "Hostile: a fork bomb": "",
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


# --- the page ------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith(f"port {port} of 127.0.0.1: ")
    assert done.stderr.endswith("in use; choose another with --port\n")


def asked(
    port: str, form: dict[str, str] | None = None, path: str = "/", **headers: str
) -> tuple[int, str]:
    """The status and the page, with what a press of a button shows."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("POST" if form else "GET", path, urlencode(form or {}), headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_answers_on_loopback_and_ends_with_a_signal(number: int) -> None:
    with subprocess.Popen([*COMMAND, "--port", "0"], stderr=subprocess.PIPE, text=True) as served:
        assert served.stderr is not None
        found = re.match(r"http://127\.0\.0\.1:(\d+)/ ", served.stderr.readline())
        assert found
        port, explain = found[1], {"do": "explain", "code": SOURCE, "call": CALL}
        assert "count_words" in asked(port)[1]
        assert asked(port, Host="evil.example")[0] == 403
        link = urlencode({**explain, "kind": "calls"})
        assert "Outcome" not in asked(port, path=f"/?{link}")[1]  # of another page
        assert asked(port, explain, Origin="http://evil.example")[0] == 403
        assert asked(port, {**explain, "text": "x" * 200_000})[0] == 413
        body = "    print('<b>')\n    raise ValueError('\\ud800 <img src=x onerror=alert(1)>')"
        shown = asked(port, {**explain, "code": f"def f(x):\r\n{body}", "call": "f(1)"})[1]
        assert "raises ValueError: \\ud800 &lt;img src=x onerror=alert(1)&gt;</pre>" in shown
        assert "&lt;b&gt;\n</pre>" in shown
        assert '<iframe sandbox="allow-scripts"' in shown
        assert "<img" not in shown
        shown = asked(port, explain)[1]
        assert "title='supported: " in shown
        assert ">accepted</pre>" in shown
        told = html.unescape(shown.rpartition("<textarea")[2].partition("\n")[2])
        told = told.partition("</textarea>")[0].replace("3 items", "4 items")
        shown = asked(port, {**explain, "do": "check", "text": told})[1]
        assert "title='contradicted: 3 items'>4</span>" in shown
        assert "✗ 4 — trace: 3 items</pre>" in shown
        shown = asked(port, {**explain, "do": "check"})[1]
        assert "<h2>explain a call first" in shown
        shown = asked(port, {"do": "debug", "code": BUGGY, "tests": ASSERTIONS})[1]
        assert "✗ assert largest_gap([1, 2, 7]) == 5  gives 1\n✓ " in shown
        assert shown.count("title='supported: ") >= 8
        assert "range(len(xs) - 1)" in shown.rpartition("A fix that passes")[2]
        served.send_signal(number)
        assert served.wait(timeout=30) == 0
