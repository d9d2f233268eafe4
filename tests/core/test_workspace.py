from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError


def test_jsonl_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "é\ud800"}, {"a": [1, {"c": None}]}]
    path = tmp_path / "deep" / "rows.jsonl"
    assert workspace.write_jsonl(path, rows) == 2
    assert list(workspace.read_jsonl(path)) == rows


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
    with pytest.raises(UserError, match=where):
        list(workspace.read_jsonl(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        list(workspace.read_jsonl(tmp_path / "absent.jsonl"))


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    workspace.write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InfrastructureError, match="no space left"):
        workspace.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_the_item_cache_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    with workspace.ItemCache(path) as cache:
        for i in range(5):
            cache.put(f"k{i}", {"value": i})
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])  # the last line was being written
    with workspace.ItemCache(path) as cache:
        assert len(cache) == 4
        assert cache.get("k3") == {"value": 3}
        assert "k4" not in cache
        cache.put("k4", {"value": 4})
    assert path.read_bytes() == whole


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
