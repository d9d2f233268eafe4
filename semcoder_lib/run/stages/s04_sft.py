"""Stage 04: fine-tune on all tasks together (`main`), then shortly on PyX-R (`refine`), and in the
variant of table 4 (`refine_traced`)."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from semcoder_lib import training
from semcoder_lib.core import workspace
from semcoder_lib.models import assets, tokens
from semcoder_lib.run.stages import s03_pyx_r
from semcoder_lib.run.stages.session import Session, as_plain
from semcoder_lib.run.stages.training_rows import (
    held_out_examples,
    main_examples,
    refine_example,
    traced_examples,
)
from semcoder_lib.training import rows

_STOP_CHECK = 16  # held-out rows that are completed, to see whether the model ends by itself


def run(session: Session) -> dict[str, Any]:
    """Writes the adapters `main/`, `refine/` and `refine_traced/` and their loss curves, and
    returns what was trained."""
    p = session.profile
    examples, counts = main_examples(session)
    main = training.train(
        examples, session.path("main"), base=p.model, config=config_of(p, "main"),
        held_out=held_out_examples(session),
    )  # fmt: skip
    results: dict[str, Any] = {
        "model_name": assets.shown_name(p.model),
        "base": assets.described(p.model),
        "examples": counts,
        "main": {**summary_of(main, session.path("main")), **_shown(p, examples[0])},
    }
    faults = s03_pyx_r.load(session.upstream(3))
    phases = {}
    if p.refine_steps and faults:
        phases["refine"] = [refine_example(f, p.style) for f in faults]
        if "trace" in p.names("refine_sources"):
            phases["refine_traced"] = traced_examples(faults, session.box, p.style)
    for phase, fixes in phases.items():
        done = training.train(
            fixes, session.path(phase), base=p.model, adapter=session.path("main"),
            config=config_of(p, phase),
        )  # fmt: skip
        results[phase] = summary_of(done, session.path(phase))
        counts[phase] = len(fixes)
    return results


def summary_of(result: training.Result, folder: Path) -> dict[str, Any]:
    """What a training did, with its loss curve as [step, loss] pairs."""
    curve = [[r["step"], r["loss"]] for r in workspace.read_jsonl(folder / "loss.jsonl")]
    return {**as_plain(result.summary()), "losses": curve}


def _shown(p: Any, example: training.Example) -> dict[str, str]:
    """One row with the tokens that carry loss highlighted, as the trainer sees it."""
    tokenizer = tokens.load_tokenizer(assets.locate(p.model))
    row = rows.tokenise([example], tokenizer, config_of(p, "main")).rows[0]
    prompt, trained = (
        tokenizer.decode(row.ids[: row.prompt]),
        tokenizer.decode(row.ids[row.prompt :]),
    )
    page = (
        f"<pre style='white-space:pre-wrap'>{html.escape(prompt)}"
        f"<span style='background:#3ca95133'>{html.escape(trained)}</span></pre>"
    )
    return {"highlighted_html": page, "highlighted_text": f"{prompt}⟦{trained}⟧"}


def config_of(p: Any, phase: str) -> training.Config:
    """The training configuration of a phase of the profile."""
    return training.Config(
        method=p.train_method,
        steps=p.train_steps if phase == "main" else p.refine_steps,
        epochs=2.0,  # the paper's, where `train_steps` is 0
        learning_rate=p.learning_rate if phase == "main" else p.learning_rate / 5,
        min_learning_rate=p.learning_rate / 10,
        batch_tokens=p.batch_tokens,
        batch_rows=p.batch_rows,
        max_length=p.max_length,
        lora_rank=p.lora_rank,
        seed=p.seed,
        stop_check=min(_STOP_CHECK, p.train_held_out),
    )


def adapter(folder: Path, phase: str = "main") -> Path:
    """Where a phase's adapter is."""
    return folder / phase
