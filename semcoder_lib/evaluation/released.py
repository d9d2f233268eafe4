"""The texts that the released SemCoder-S wrote for CRUXEval: scored here, and their steps checked.

The column "released checkpoint" of table 1 and the paper's first limitation (appendix A) with
numbers. The files are found, never shipped; without them the report says so.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semcoder_lib import monologues
from semcoder_lib.evaluation import base, data
from semcoder_lib.evaluation.answers import sample_tasks
from semcoder_lib.evaluation.score import score_command
from semcoder_lib.sandbox import Sandbox

FILES = {
    "cruxeval-o": "semcoder_s_1030_cruxeval_output_monologues.jsonl.gz",
    "cruxeval-i": "semcoder_s_1030_cruxeval_input_monologues.jsonl.gz",
}
MODEL = "SemCoder-S 1030 (released)"


def texts(missing: dict[str, str]) -> dict[str, Path]:
    """The files that are at hand, by benchmark; why another is not used goes into `missing`."""
    found = {}
    for name, filename in FILES.items():
        path = data.find(filename)
        if path is None:
            why = f"{filename} was not found; `python -m semcoder_lib data` says how to get it"
        else:
            why = missing.get(name, "")  # the benchmark itself
        if why:
            missing[f"{name}, released texts"] = why
        elif path is not None:
            found[name] = path
    return found


def scores(files: Mapping[str, Path], benchmark: Path, *, box: Sandbox) -> list[dict[str, Any]]:
    """All texts under both scorers, as score rows. `benchmark` is CRUXEval's own file."""
    rows = []
    for name, path in files.items():
        mode = base.get(name).direction  # type: ignore[attr-defined]
        with contextlib.redirect_stderr(io.StringIO()):  # a line for every difference of scorers
            found = score_command(
                "cruxeval", path, scorer="official", mode=mode, data=benchmark, box=box
            )
        common = {"benchmark": name, "model": MODEL, "setting": "monologue", "n": found["n"]}
        low, high = found["interval"]
        rows.append(
            {**common, "scorer": "official", "value": found["pass@1"], "low": low, "high": high}
        )
        rows.append({**common, "scorer": "strict", "value": found["other_scorer"]["pass@1"]})
    return rows


def faithfulness(
    files: Mapping[str, Path], *, limit: int, seed: int, box: Sandbox
) -> list[dict[str, Any]]:
    """What the verifier says of the texts, `limit` of each direction (0 for all), in the same
    columns as of the run's own model."""
    rows = []
    for name, path in files.items():
        given = data.read_rows(path, ("task_id", "text"))
        found = monologues.study(sample_tasks(given, limit, seed), box)
        rows.append(
            {
                "benchmark": name,
                "model": MODEL,
                "n": found["checked"],
                "right": found["right"],
                "right_on_a_contradicted_step": found["right_with_contradiction"],
                "supported": found["supported"],
                "contradicted": found["contradicted"],
                "unverifiable": found["unverifiable"],
            }
        )
    return rows
