"""Progress without a screen: a line every so often, with rate and time left."""

from __future__ import annotations

import pytest

from semcoder_lib.core import progress


def test_lines_every_so_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setenv("SEMCODER_PROGRESS", "off")
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    progress.say("it said \x1b[2J\nerror: \u202eß")
    with progress.bar("texts", 200, "completions") as bar:
        bar.set_postfix_str("loss 1.2", refresh=False)
        for now[0], count in ((10.0, 10), (31.0, 21), (40.0, 9), (62.0, 22)):
            bar.update(count)
    assert capsys.readouterr().err.splitlines() == [
        "it said \\x1b[2J\\nerror: \\u202eß",
        "texts: 31 of 200 completions,  1.00 completions/s, 02:49 left, loss 1.2",
        "texts: 62 of 200 completions,  1.00 completions/s, 02:18 left, loss 1.2",
    ]


def test_who_starts_kernels_is_none() -> None:
    import ipykernel.kernelapp  # noqa: F401  (its lines belong on standard error)

    assert not progress.in_jupyter()


def test_a_screen_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_PROGRESS", "")
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with progress.bar("texts", 3) as bar:
        bar.update(3)
        assert bar.n == 3  # type: ignore[attr-defined]
