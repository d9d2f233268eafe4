"""The viewer: its HTML, and what a real browser makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from examples import record

from semcoder_lib.core.records import Case, Program
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import viewer

SOURCE = """\
def mean(xs):
    total = 0
    for x in xs:
        total += x
    return total / len(xs)


def f(rows):
    best = {}
    for name, marks in rows:
        best[name] = mean(marks)
    return best
"""
ARGUMENTS = ([("ann", [3, 4]), ("<b>&</script>", [5])],)


def made() -> viewer.Viewer:
    trace = record(SOURCE, *ARGUMENTS)
    return viewer.Viewer(Program(SOURCE, "f"), trace, Case(ARGUMENTS))


class Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_of_the_program_is_never_markup() -> None:
    page = made().page()
    checker = Checker()
    checker.feed(page)
    assert "b" not in checker.tags
    assert checker.tags.count("script") == 1
    assert "<b>&</script>" in checker.text
    assert "http" not in page  # self-contained
    assert page == made().page()


def test_a_frame_holds_the_page_as_text() -> None:
    odd = "def f(s):\n    raise ValueError(s)\n"
    given = "\ud800</iframe><script>alert(1)</script> {{x}} ${alert(1)} `"
    viewers = [made(), viewer.Viewer(Program(odd, "f"), record(odd, given), Case((given,)))]
    for shown in viewers:
        frame = shown.frame()
        frame.encode("utf-8")
        checker = Checker()
        checker.feed(frame)
        assert checker.tags == ["iframe"]
        assert checker.text == ""
        assert 'sandbox="allow-scripts"' in frame
        assert not set("{}$`") & set(frame)


def test_show_runs_in_the_sandbox(box: Sandbox) -> None:
    program = Program(SOURCE, "f")
    assert viewer.show(program, ARGUMENTS, box).trace.steps == made().trace.steps


# --- in a browser ------------------------------------------------------------------------------


def run(page: str, folder: Path) -> str:
    """What a browser's page holds in the end."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def with_keys(page: str, *keys: str) -> str:
    """The page after these keys were pressed."""
    presses = "".join(
        f"view.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}));"
        for key in keys
    )
    return page.replace(
        "</body>",
        f"<script>const view = document.querySelector('.sc-view');{presses}</script></body>",
    )


def shown_text(dom: str, kind: str) -> str:
    found = re.search(rf'class="{kind}[^"]*"[^>]*>(.*?)</div>', dom, re.S)
    assert found, f"no {kind} in the page"
    return re.sub(r"<[^>]*>", "", found[1])


def test_keys_walk_through_the_trace(tmp_path: Path) -> None:
    shown = made()
    dom = run(with_keys(shown.page(), *["ArrowRight"] * 7), tmp_path)
    assert f"step 8 of {len(shown.trace.steps)}" in dom
    assert shown_text(dom, "sc-say") == "line 4: total = 3"
    assert re.search(r'sc-row sc-now"><span class="sc-number">4<', dom)
    changed = re.findall(r'<tr class="sc-changed"><td[^>]*>(\w+)</td><td[^>]*>(.*?)</td>', dom)
    assert changed == [("total", "3")]
    assert dom.count('<div class="sc-frame">') == 2  # mean, called by f
    dom = run(with_keys(shown.page(), "End"), tmp_path)
    assert shown_text(dom, "sc-say").startswith("line 12 returns {'ann': 3.5")


def test_what_is_beyond_variables_is_shown(tmp_path: Path) -> None:
    source = "total = 0\n\ndef f(x):\n    global total\n    total += x\n    return x\n"
    page = viewer.Viewer(Program(source, "f"), record(source, 3), Case((3,))).page()
    dom = run(with_keys(page, "ArrowRight"), tmp_path)
    assert shown_text(dom, "sc-say") == "line 5: global total = 3"
