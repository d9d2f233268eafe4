"""The page in a real browser: from paste to checked monologue, and after hostile pastes.

Needs the extra `demo`, `playwright`, and a Chromium (`CHROMIUM`, else `chromium` on the path).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest

from semcoder_lib.run.demo import examples

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="the extra `demo` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
LONG = 120_000  # milliseconds: hostile pastes run into their limits first


class Page:
    """A tab of the browser, and what went wrong in it."""

    def __init__(self, context, address: str) -> None:
        self.tab = context.new_page()
        self.alarms: list[str] = []
        self.tab.on("dialog", lambda box: (self.alarms.append(box.message), box.dismiss()))
        self.tab.on("pageerror", lambda error: self.alarms.append(str(error)))
        self.tab.on("request", lambda r: self.foreign(r.url, address))
        self.tab.goto(address)
        self.tab.wait_for_selector("#explain")

    def foreign(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "about:")):
            self.alarms.append(f"fetched {url}")

    def paste(self, element: str, text: str) -> None:
        self.tab.locator(f"#{element} .cm-content").click()
        self.tab.keyboard.press("Control+A")
        self.tab.keyboard.insert_text(text)

    def explain(self, source: str, call: str) -> None:
        """Pastes and presses, without waiting."""
        self.paste("source", source)
        self.tab.locator("#call textarea, #call input").fill(call)
        self.tab.locator("#explain").click()

    def wait(self, element: str, words: str) -> str:
        """The text of the element, once it has the words."""
        place = self.tab.locator(f"#{element}", has_text=re.compile(words))
        place.wait_for(timeout=LONG)
        return place.inner_text()

    def answers(self, number: int) -> None:
        """The page still works, on a number that no earlier test has used."""
        self.explain("def g(x):\n    return x * 2", f"g({number})")
        self.wait("outcome", f"returns {2 * number}")


@pytest.fixture(scope="module")
def served():
    from semcoder_lib.run.demo.desk import Desk
    from semcoder_lib.run.demo.serve import Served, listen

    desk = Desk()
    page = Served(desk, listen(0)).start()
    yield page, desk
    page.close()
    desk.close()


@pytest.fixture(scope="module")
def browser(served):
    if CHROMIUM is None:
        pytest.skip("no Chromium found; set CHROMIUM")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def page(served, browser):
    return Page(browser.new_context(viewport={"width": 1280, "height": 900}), served[0].address)


def test_from_paste_to_checked_monologue(page) -> None:
    page.explain("def add(a, b):\n    total = a + b\n    return total", "add(2, 3)")
    page.wait("outcome", "returns 5")
    assert "0 contradicted" in page.tab.locator("#derived").inner_text()
    assert page.tab.locator("#derived .sem .supported").count() >= 3
    trace = page.tab.frame_locator("#trace iframe")
    trace.locator(".sc-count", has_text="step 1 of 4").wait_for(timeout=LONG)
    trace.locator("button[data-key=End]").click()
    assert "returns 5" in trace.locator(".sc-say").inner_text()
    assert page.alarms == []


def test_a_changed_word_is_contradicted(page) -> None:
    page.explain(*examples.CALLS["Count words"])
    page.wait("outcome", "returns {'a': 2, 'b': 1}")
    page.tab.locator("#own button").first.click()
    text = page.tab.locator("#text textarea")
    text.fill(text.input_value().replace("3 items", "4 items"))
    page.tab.locator("#check").click()
    assert "trace: 3 items" in page.wait("checked", "1 contradicted")
    assert page.tab.locator("#checked .sem .contradicted").count() == 1


def test_an_example_and_an_error_line(page) -> None:
    choice = page.tab.locator("#example_call input")
    choice.fill("An error")
    choice.press("Enter")
    call = page.tab.locator("#call textarea, #call input")
    playwright.expect(call).to_have_value("mean([])", timeout=LONG)
    page.tab.locator("#explain").click()
    page.wait("outcome", "raises ZeroDivisionError")
    assert "none: a monologue tells only a call that ends" in page.tab.inner_text("#derived")
    page.explain("def f(:", "f(1)")
    page.wait("outcome", "line 1: the code does not parse")


HOSTILE = {
    "fork bomb": ("import os\ndef f(x):\n    while True:\n        os.fork()", "raises"),
    "endless loop": ("def f(x):\n    while True:\n        pass", "was stopped"),
    "huge output": ("def f(x):\n    while True:\n        print('y' * 9999)", "printed more than"),
    "memory": (
        "def f(x):\n    a = [x]\n    while True:\n        a += a",
        "was stopped|MemoryError",
    ),
    "delete": (
        "import os, shutil\ndef f(x):\n    for folder in FOLDERS:\n"
        "        shutil.rmtree(folder, ignore_errors=True)\n"
        "        for root, dirs, files in os.walk(folder):\n"
        "            for name in files:\n                os.unlink(root + '/' + name)\n"
        "    return sum(map(os.path.exists, FOLDERS))",
        "returns|raises",
    ),
    "network": (
        "import socket\ndef f(x):\n    with socket.create_connection(('127.0.0.1', PORT)) as s:\n"
        "        s.sendall(b'hello')\n    return 'connected'",
        "raises",
    ),
    "shell": (
        "import os\ndef f(x):\n    return os.system('rm -rf ~/* /tmp/canary*')",
        "raises|returns",
    ),
    "kill": ("import os\ndef f(x):\n    os.kill(PARENT, 9)\n    return 'killed'", "raises"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_paste_harms_nothing(
    page, served, tmp_path, monkeypatch, request, name: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    here = Path(__file__).parent / f".canary-{os.getpid()}"
    temporary = Path("/tmp") / f"canary-{os.getpid()}"
    canaries = [home / "canary", tmp_path / "canary", here / "canary", temporary / "canary"]
    for folder in (here, temporary):
        folder.mkdir()
        request.addfinalizer(lambda folder=folder: shutil.rmtree(folder))
    for canary in canaries:
        canary.write_text("alive")
    source, words = HOSTILE[name]
    folders = [str(canary.parent) for canary in canaries]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        source = source.replace("FOLDERS", str(folders)).replace("PARENT", str(os.getpid()))
        page.explain(source.replace("PORT", str(listener.getsockname()[1])), "f(-1)")
        shown = page.wait("outcome", rf"f\(-1\) .*({words})")
        with pytest.raises(TimeoutError):
            listener.accept()
    assert "connected" not in shown
    assert "killed" not in shown
    for canary in canaries:
        assert canary.read_text() == "alive"
        assert os.listdir(canary.parent) != []
    page.answers(1000 + list(HOSTILE).index(name))
    if sys.platform == "linux":
        assert leftovers(served[1].box.processes()) == []
    assert page.alarms == []


def leftovers(zygotes: list[int]) -> list[str]:
    """Command lines of processes below the sandbox's own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) in zygotes and int(stat.parent.name) not in zygotes and words[0] != "Z":
            found.append(stat.parent.name)
    return found


INJECTIONS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</iframe></div></body><svg onload=alert(1)>",
    '"><b class=planted>',
    "{{planted}} ${alert(1)} `${alert(2)}`",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_pasted_becomes_part_of_the_page(page, text: str) -> None:
    count = "document.querySelectorAll('script, img, svg, iframe, .planted').length"
    page.answers(7)
    elements = page.tab.evaluate(count)
    n = INJECTIONS.index(text)
    page.explain(f"def f(x):\n    s = {text!r}\n    print(s)\n    return s, {n}", f"f({text!r})")
    shown = page.wait("outcome", rf"returns .*, {n}\)")
    assert text.replace("'", "") in shown.replace("'", "")  # in full, as text
    trace = page.tab.frame_locator("#trace iframe")
    trace.locator(".sc-count", has_text="step 1 of").wait_for(timeout=LONG)
    assert trace.locator("img, .planted").count() == 0
    assert page.tab.evaluate(count) == elements
    page.explain(f"def f(x):\n    raise ValueError({text!r}, {n})", "f(2)")
    page.wait("outcome", rf"raises ValueError.*, {n}\)")
    page.explain(f"def f(x):\n    return x\n{text}", "f(1)")
    page.wait("outcome", "does not parse")
    assert page.tab.locator(".planted").count() == 0
    assert page.alarms == []


def test_two_tabs_at_once(page, served, browser) -> None:
    other = Page(browser.new_context(), served[0].address)
    page.explain("def f(x):\n    while True:\n        pass", "f(3)")
    other.explain("def h(x):\n    return x - 1", "h(55)")
    other.wait("outcome", "returns 54")
    page.wait("outcome", r"f\(3\) was stopped")
    assert "f(3)" not in other.tab.inner_text("#outcome")
    other.tab.close()
    page.answers(8)


def test_another_sites_page_cannot_drive_it(page, served, browser) -> None:
    """A page of another origin, whose script asks the demo to work for it."""
    tab = browser.new_context().new_page()
    tab.route("http://other.example/", lambda route: route.fulfill(body="<p>other</p>"))
    tab.goto("http://other.example/")
    ask = """async (url) => {
        try { return (await fetch(url + '/config')).status } catch (error) { return 'refused' }
    }"""
    assert tab.evaluate(ask, served[0].address) == "refused"
    tab.evaluate("(url) => { document.body.innerHTML = `<iframe src='${url}'></iframe>` }",
                 served[0].address)  # fmt: skip
    tab.wait_for_timeout(1000)
    assert all(frame.query_selector("#explain") is None for frame in tab.frames[1:])
    tab.close()


def test_debugging_session(page) -> None:
    page.tab.get_by_role("tab", name="Debug a test").click()
    page.tab.locator("#debug").click()
    page.wait("rationale", r"The cause is \[L3\]")
    assert "1 of 2 tests pass" in page.tab.inner_text("#listed")
    assert "+     for i in range(len(xs) - 1)" in page.tab.inner_text("#fixed")
    page.paste("buggy", "def f(n):\n    while n:\n        n -= 2\n    return n")
    page.tab.locator("#tests textarea").fill("assert f(4) == 0\nassert f(3) == 1")
    page.tab.locator("#debug").click()
    assert "was stopped" in page.wait("listed", r"f\(3\)")
    assert page.alarms == []
    page.tab.get_by_role("tab", name="Explain a call").click()
    page.answers(9)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(served, browser, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    phone = Page(context, served[0].address)
    phone.answers(10)
    assert phone.tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.tab.get_by_role("tab", name="Debug a test").is_visible()
    assert phone.alarms == []
