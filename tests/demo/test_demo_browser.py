"""The page in a real browser: from paste to checked monologue, and after a hostile paste.

Needs the extra `demo`, `playwright`, and a Chromium (`CHROMIUM`, else `chromium` on the path).
"""

from __future__ import annotations

import os
import shutil
import socket

import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("gradio", reason="the extra `demo` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def address():
    from semcoder_lib.demo.page import Desk, serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    desk = Desk()
    page = serve(desk, port=port, block=False)
    yield f"http://127.0.0.1:{port}"
    page.close()
    desk.close()


@pytest.fixture(scope="module")
def tab(address):
    if CHROMIUM is None:
        pytest.skip("no Chromium found; set CHROMIUM")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("#explain")
        yield page
        browser.close()


def fill(tab, element: str, text: str) -> None:
    editor = tab.locator(f"#{element} .cm-content")
    editor.click()
    tab.keyboard.press("Control+A")
    tab.keyboard.insert_text(text)


def test_from_paste_to_checked_monologue(tab) -> None:
    fill(tab, "source", "def add(a, b):\n    total = a + b\n    return total")
    tab.locator("#call textarea, #call input").fill("add(2, 3)")
    tab.locator("#explain").click()
    tab.wait_for_selector("#outcome:has-text('returns 5')", timeout=60_000)
    assert "0 contradicted" in tab.locator("#derived").inner_text()
    assert tab.locator("#derived .supported").count() >= 3


def test_a_fork_bomb_leaves_the_page_running(tab) -> None:
    fill(tab, "source", "import os\ndef f(x):\n    while True:\n        os.fork()")
    tab.locator("#call textarea, #call input").fill("f(1)")
    tab.locator("#explain").click()
    tab.wait_for_selector("#outcome:has-text('f(1)')", timeout=60_000)
    fill(tab, "source", "def g(x):\n    return x * 2")
    tab.locator("#call textarea, #call input").fill("g(21)")
    tab.locator("#explain").click()
    tab.wait_for_selector("#outcome:has-text('returns 42')", timeout=60_000)


def test_debugging_session(tab) -> None:
    tab.get_by_role("tab", name="Debug a failing test").click()
    tab.locator("#debug").click()
    tab.wait_for_selector("#rationale:has-text('The cause is [L3]')", timeout=60_000)
    assert "range(len(xs) - 1)" in tab.locator("#fixed").inner_text()


def test_it_listens_on_loopback_only(address) -> None:
    port = int(address.rpartition(":")[2])
    listening = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            pytest.skip("no table of sockets on this system")
        with open(table) as rows:
            for row in list(rows)[1:]:
                local, state = row.split()[1], row.split()[3]
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                    listening.append(local.rpartition(":")[0])
    assert listening == ["0100007F"]
