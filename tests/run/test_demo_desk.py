"""What the page does with friendly and hostile pastes, without a browser."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from semcoder_lib.core.records import Claim, Completion
from semcoder_lib.run import demo
from semcoder_lib.run.demo import examples, html
from semcoder_lib.run.demo.desk import Desk

SOURCE, CALL = examples.CALLS["Count words"]
BUGGY, TESTS = examples.TESTS["One step short"]
RETURNS = "returns &#123;&#x27;a&#x27;: 2, &#x27;b&#x27;: 1&#125;"


@pytest.fixture(scope="module")
def desk():
    made = Desk()
    yield made
    made.close()


def test_a_paste_becomes_a_checked_monologue(desk) -> None:
    outcome, derived, model, trace, text, _ = desk.examine(SOURCE, CALL)
    assert RETURNS in outcome
    assert "0 contradicted</span>" in derived
    assert "0 unverifiable</span>" in derived
    assert derived.count('<span class="supported"') >= 8
    assert model == ""
    assert 'sandbox="allow-scripts"' in trace
    assert "[L2] counts = {}." in text


def test_a_changed_monologue_is_contradicted_in_words(desk) -> None:
    text = desk.examine(SOURCE, CALL)[4]
    (right,) = desk.check(SOURCE, CALL, text)
    assert "0 contradicted</span>" in right
    (wrong,) = desk.check(SOURCE, CALL, text.replace("3 items", "4 items"))
    assert "1 contradicted</span>" in wrong
    assert "</code> trace: 3 items" in wrong


@pytest.mark.parametrize(
    ("call", "text", "line"),
    [
        (CALL, " ", "explain a call first"),
        (CALL, "x" * 20_001, "longer than 20,000"),
        ("count_words(1)", "[L2] counts = 1.", "only a call that ends with a value"),
    ],
)
def test_a_monologue_that_cannot_be_checked(desk, call: str, text: str, line: str) -> None:
    assert line in desk.check(SOURCE, call, text)[0]


def test_a_failing_test_is_explained_and_mended(desk) -> None:
    tests, rationale, fixed, _ = desk.debug(BUGGY, TESTS)
    assert "1 of 2 tests pass" in tests
    assert "✗ assert largest_gap([1, 2, 7]) == 5</span> gives 1" in tests
    assert "The cause is [L3]" in rationale
    assert 'class="contradicted"' not in rationale
    assert 'class="contradicted">-     for i in range(len(xs) - 2)' in fixed
    assert 'class="supported">+     for i in range(len(xs) - 1)' in fixed


def test_a_notebook_shows_both(desk) -> None:
    page = demo.examine(SOURCE, CALL, desk.box)._repr_html_()
    assert page.startswith("<style>")
    assert RETURNS in page
    assert "The trace</h3><iframe" in page
    page = demo.debug(BUGGY, TESTS, desk.box)._repr_html_()
    assert "A fix that passes every test" in page


def test_passing_tests_need_no_fix(desk) -> None:
    _, rationale, fixed, _ = desk.debug(SOURCE, "assert count_words('') == {}")
    assert "all tests pass" in rationale
    assert fixed == ""


def test_what_one_edit_does_not_mend_is_said(desk) -> None:
    source, tests = examples.TESTS["More than one edit away"]
    _, rationale, fixed, _ = desk.debug(source, tests)
    assert "no fix: none of up to" in rationale
    assert fixed == ""


@pytest.mark.parametrize("name", examples.CALLS)
def test_every_example_has_an_outcome(desk, name: str) -> None:
    outcome = desk.examine(*examples.CALLS[name])[0]
    assert "sem-outcome" in outcome
    assert "deleted" not in outcome
    if name == "Never ends":
        assert "was stopped: more than 2 s" in outcome


@pytest.mark.parametrize(
    ("source", "call", "line"),
    [
        ("", "f(1)", "paste a function first"),
        ("def f(:", "f(1)", "line 1: the code does not parse"),
        ("def f(x):\n    return x", "g(1)", "does not define &#x27;g&#x27;; it has f"),
        ("def f(x):\n    return x", "f(open('x'))", "literal arguments"),
        ("def f(x):\n    return x", "__import__('os')", "does not define"),
        ("def f(x):\n    return x", "f(x=1)", "by position"),
        ("x" * 9000, "f(1)", "longer than 8,000"),
    ],
)
def test_a_bad_paste_is_one_clear_line(desk, source: str, call: str, line: str) -> None:
    outcome, *rest = desk.examine(source, call)
    assert line in outcome
    assert not any(rest)


HOSTILE = {
    "fork bomb": "import os\ndef f(x):\n    while True:\n        os.fork()\n",
    "thread bomb": (
        "import threading, time\ndef f(x):\n    while True:\n"
        "        threading.Thread(target=time.sleep, args=(9,)).start()\n"
    ),
    "memory": "def f(x):\n    a = []\n    while True:\n        a.append(bytearray(10**7))\n",
    "hang": "def f(x):\n    while True:\n        pass\n",
    "hard exit": "import os\ndef f(x):\n    os._exit(0)\n",
    "delete": ("import shutil\ndef f(x):\n    shutil.rmtree('TARGET')\n    return 'deleted'\n"),
    "write": "def f(x):\n    open('TARGET/new', 'w').write('x')\n    return 'written'\n",
    "read": "def f(x):\n    return open('TARGET/kept').read()\n",
    "network": (
        "import socket\ndef f(x):\n    s = socket.create_connection(('127.0.0.1', x), 2)\n"
        "    return 'connected'\n"
    ),
    "kill": "import os, signal\ndef f(x):\n    os.kill(PID, signal.SIGKILL)\n    return 'killed'\n",
    "page": "def f(x):\n    return '<script>alert(1)</script>'\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_paste_harms_nothing(desk, tmp_path, name: str) -> None:
    import socket

    kept = tmp_path / "kept"
    kept.write_text("secret of the machine")
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        source = HOSTILE[name].replace("TARGET", str(tmp_path)).replace("PID", str(victim.pid))
        shown = desk.examine(source, f"f({listener.getsockname()[1]})")
        assert victim.poll() is None
        victim.kill()
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()
    assert kept.read_text() == "secret of the machine"
    assert os.listdir(tmp_path) == ["kept"]
    page = "".join(shown[:4])  # what follows is text, for a text box
    for word in ("deleted", "written", "connected", "killed", "secret of the machine", "<script>"):
        assert f"returns &#x27;{word}" not in page
    assert "<script>" not in page
    assert RETURNS in desk.examine(SOURCE, CALL)[0]  # still serving


def test_a_lying_model_is_shown_to_lie(desk) -> None:
    class Liar:
        name = "liar"

        def generate(self, requests):
            text = (
                "### Execution Simulation\n[L1] count_words is called with text = 'a b a'.\n"
                "[L2] counts = {'z': 9}.\n[/MONOLOGUE]\n[ANSWER]\n"
                "assert count_words('a b a') == {'z': 9}\n"
            )
            return [[Completion("demo", text)]]

    other = Desk(Liar())
    try:
        _, _, model, *_ = other.examine(SOURCE, CALL, True)
    finally:
        other.close()
    assert 'class="contradicted"' in model
    assert "not accepted" in model


def test_a_mistake_of_ours_is_one_line_too(desk, capsys) -> None:
    outcome, *rest = desk.examine(None, CALL)
    assert "this demo failed (AttributeError)" in outcome
    assert not any(rest)
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('\\ud800 <img src=x onerror=alert(1)>')",
        "print('</pre><script>alert(1)</script>')",
        "return '</iframe><script>alert(1)</script>'",
        "return '{{constructor}} ${alert(1)}'",
        "raise type('<b>Err', (Exception,), {})('x')",
    ],
)
def test_nothing_of_a_paste_becomes_markup(desk, body: str) -> None:
    page = "".join(desk.examine(f"def f(x):\n    {body}", "f(1)")[:4])
    page.encode("utf-8")
    for word in ("<script>alert", "<img", "<b>Err", "${", "{{", "</pre>"):
        assert word not in page.replace("srcdoc", "")


def test_marks_escape_and_prefer_the_worse_claim() -> None:
    claims = [
        Claim("value", place=(0, 5), status="supported"),
        Claim("value", place=(2, 3), status="contradicted", evidence='"<b>"'),
    ]
    page = html.marked("a<b>c d", claims)
    assert page == (
        '<span class="supported">a&lt;</span>'
        '<span class="contradicted" title="&quot;&lt;b&gt;&quot;">b</span>'
        '<span class="supported">&gt;c</span> d'
    )
