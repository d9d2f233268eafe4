from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"a": 1}\n{"a": ', ":2: the line is cut off"),
        (b'{"a": 1}\nnot json\n', ":2: the line is not valid JSON"),
        (b"[1]\n", ":1: expected a JSON object"),
        (b"\xff\xfe\x00\n", ":1: the line is not valid JSON"),
    ],
)
def test_a_broken_jsonl_is_named_with_its_line(tmp_path: Path, text: bytes, where: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(text)
    for foreign in {False, text != b"[1]\n"}:
        with pytest.raises(UserError, match=where):
            list(workspace.read_jsonl(path, foreign=foreign))


def test_an_odd_row_of_others_is_one_without_columns(tmp_path: Path) -> None:
    path, deep = tmp_path / "rows.jsonl", "[" * 90_000 + "]" * 90_000
    odd = ["[1]", "3", "null", deep, f'{{"a": {deep}}}', f'{{"a": {"9" * 5_000}}}']
    path.write_text("".join(f'{{"a": 1}}\n{line}\n' for line in odd))
    assert list(workspace.read_jsonl(path, foreign=True)) == [{"a": 1}, {}] * len(odd)


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    workspace.write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InfrastructureError, match="no space left on the disk"):
        workspace.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def cached(path: Path, count: int = 5) -> bytes:
    with workspace.ItemCache(path) as cache:
        for i in range(count):
            cache.put(f"k{i}", {"value": i})
    return path.read_bytes()


def test_the_item_cache_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    whole = cached(path)
    for cut in (1, 7, 40):
        path.write_bytes(whole[:-cut])  # the last line was being written
        with workspace.ItemCache(path) as cache:
            assert list(cache) == ["k0", "k1", "k2", "k3"]
            assert cache.get("k3") == {"value": 3}
            cache.put("k4", {"value": 4})
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b'"value": 2', b'"value": 7'),
        lambda line: line.replace(b'"k2"', b'"k9"'),
        lambda line: b"not json\n",
        lambda line: b"\xff\x00\n",
        lambda line: b"[" * 100_000 + b"\n",
        lambda line: b'[1]\n{"key": [], "row": 1, "sum": 2}\n{"key": "k2", "row": 2}\n',
    ],
)
def test_a_damaged_line_of_the_item_cache_costs_that_item_only(
    damage: Callable[[bytes], bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cache.jsonl"
    lines = cached(path).splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage(lines[2]), *lines[3:]]))
    with workspace.ItemCache(path) as cache:
        assert list(cache) == ["k0", "k1", "k3", "k4"]
        cache.put("k2", {"value": 2})
    assert "damaged" in capsys.readouterr().err
    with workspace.ItemCache(path) as cache:
        assert len(cache) == 5
        assert cache.get("k2") == {"value": 2}


def test_only_regular_files_are_written(tmp_path: Path) -> None:
    target = tmp_path / "target.txt"
    target.write_text("mine")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "dangling", "folder", "pipe", "/dev/full", "/dev/stdout"):
        path = tmp_path / name
        before = path.lstat()
        for write in (
            lambda path: workspace.write_text(path, "theirs"),
            workspace.ItemCache,
            lambda path: workspace.locked(path).__enter__(),
        ):
            with pytest.raises(UserError, match=r"only regular files are written"):
                write(path)
        assert path.lstat() == before
    assert target.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_lock_says_who_holds_it_and_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    path.write_text("content")
    with (
        workspace.locked(path),
        pytest.raises(InfrastructureError, match="another run"),
        workspace.locked(path, 0.0, "another run"),
    ):
        pass
    with workspace.locked(path, 0.0):
        assert path.read_text() == "content"


def test_what_cannot_be_written_is_said_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for write in (workspace.write_text, workspace.write_json):
        with pytest.raises(InfrastructureError, match="cannot be written"):
            write(tmp_path / "file" / "below", "x")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        workspace.Run("r", tmp_path / "file").folder("01_pyx")
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(InfrastructureError, match="set SEMCODER_HOME"):
        workspace.home()


@pytest.mark.parametrize("text", ["é", "\ud800", "é\udfff", "😀", ""])
def test_what_is_written_comes_back_as_it_was(text: str, tmp_path: Path) -> None:
    path, row = tmp_path / "deep" / "a.json", {"a": 1, text: [text, {"c": None}]}
    workspace.write_json(path, row)
    assert workspace.read_json(path) == row
    assert workspace.write_jsonl(path, [row, {}]) == 2
    assert list(workspace.read_jsonl(path)) == [row, {}]


def test_numbers_that_json_has_no_word_for_are_null(tmp_path: Path) -> None:
    workspace.write_json(tmp_path / "a.json", {"rate": float("nan"), "all": [1.5, -float("inf")]})
    assert workspace.read_json(tmp_path / "a.json") == {"rate": None, "all": [1.5, None]}
    assert workspace.dumps({"x": float("inf")}) == '{"x": null}'


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000, b"9" * 5_000])
def test_a_document_that_is_no_json_is_named(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(data)
    with pytest.raises(UserError, match=r"card.json: not valid JSON") as caught:
        workspace.read_json(tmp_path / "card.json")
    assert len(str(caught.value).splitlines()) == 1


def test_keys_depend_on_content_alone() -> None:
    key = workspace.content_key({"a": 1, "b": 2}, "x")
    assert key == workspace.content_key({"b": 2, "a": 1}, "x")
    assert key != workspace.content_key({"a": 1, "b": 2}, "y")
    assert workspace.content_key("ab", "c") != workspace.content_key("a", "bc")


@pytest.mark.parametrize("name", ["", "..", "a/b", "."])
def test_a_run_name_stays_inside_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run name"):
        workspace.Run(name, tmp_path)


def test_data_is_found_in_the_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.jsonl").write_text("{}")
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    assert workspace.find_data("x.jsonl") == tmp_path / "x.jsonl"
    assert workspace.find_data("y.jsonl") is None
