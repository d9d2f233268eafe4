"""The texts that the released SemCoder-S wrote for CRUXEval: scored here, and their steps checked.

The column "released checkpoint" of table 1 and the paper's first limitation (appendix A) with
numbers. The files are found, never shipped; without them the report says so.
"""

from __future__ import annotations

from typing import Any

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import monologues
from semcoder_lib.core import workspace
from semcoder_lib.evaluation import score_command
from semcoder_lib.evaluation.data import read_rows
from semcoder_lib.run.stages import evaluation
from semcoder_lib.run.stages.session import Session

FILES = {
    "cruxeval-o": "semcoder_s_1030_cruxeval_output_monologues.jsonl.gz",
    "cruxeval-i": "semcoder_s_1030_cruxeval_input_monologues.jsonl.gz",
}
MODEL = "SemCoder-S 1030 (released)"


def scores(session: Session, missing: dict[str, str]) -> list[dict[str, Any]]:
    """All texts under both scorers, as score rows; what is not at hand goes into `missing`."""
    rows = []
    for name, filename in FILES.items():
        path = workspace.find_data(filename)
        if path is None:
            missing[f"{name}, released texts"] = (
                f"{filename} was not found; `python -m semcoder_lib data` says how to get it"
            )
            continue
        mode = benchmarks.get(name).direction  # type: ignore[attr-defined]
        try:
            said = score_command("cruxeval", path, scorer="official", mode=mode, box=session.box)
        except benchmarks.Missing as error:
            missing[f"{name}, released texts"] = str(error)
            continue
        common = {"benchmark": name, "model": MODEL, "setting": "monologue", "n": said["n"]}
        low, high = said["interval"]
        rows.append(
            {**common, "scorer": "official", "value": said["pass@1"], "low": low, "high": high}
        )
        rows.append({**common, "scorer": "strict", "value": said["other_scorer"]["pass@1"]})
    return rows


def faithfulness(session: Session, limit: int, seed: int) -> list[dict[str, Any]]:
    """What the verifier says of the texts, `limit` of each direction (0 for all), in the same
    columns as the run's own model."""
    rows = []
    for name, filename in FILES.items():
        path = workspace.find_data(filename)
        if path is None:
            continue
        texts = list(read_rows(path, ("task_id", "text")))
        found = monologues.study(evaluation.sample_tasks(texts, limit, seed), session.box)
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
