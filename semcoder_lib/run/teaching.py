"""The teacher of a run, an OpenAI-compatible server or an engine in this process, and what it is
asked for: programs in notebook 01, monologues in 02, rationales in 03."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semcoder_lib import corpus, faults, models, monologues
from semcoder_lib.core import records, values
from semcoder_lib.corpus.prospect import Prospect, Signature
from semcoder_lib.models import teachers
from semcoder_lib.models.teachers import Teacher
from semcoder_lib.run.notebook import Notebook
from semcoder_lib.sandbox import Sandbox

TEMPERATURE = 0.7
TOKENS = 1024  # of the longest reply
TRIES = 4  # at one monologue, and at one rationale
SHOTS = 2  # examples in a chat about a monologue


# --- what the notebooks call ----------------------------------------------------------------


def programs_of_teacher(run: Notebook) -> tuple[list[Prospect], dict[str, Any]]:
    """What the teacher makes of `teacher_items` snippets (paper, section 3.1): candidates for the
    corpus, and the counts. `teacher.jsonl` keeps the fate of every snippet."""
    rows, counts = _step(run, "teacher.jsonl", _programs)
    return [_prospect(row) for row in rows if "program" in row], counts


def monologues_of_teacher(
    run: Notebook,
    training: Sequence[records.Entry],
    derived: Mapping[str, Sequence[records.Monologue]],
    *,
    cases: int,
    longest: int,
) -> tuple[dict[str, list[records.Monologue]], dict[str, Any]]:
    """The monologues of each direction, with those of the teacher in the place of the derived ones
    about the first `teacher_items` programs where the verifier accepts them, and the counts
    (paper, section 4.2.3). Texts of more than `longest` characters are not taken."""
    how = {"cases": cases, "longest": longest, "strict": run.profile.style == "clean"}
    texts, counts = _step(run, "taught.jsonl", _monologues, training, derived, **how)
    return {d: [m for m in texts if m.direction == d] for d in derived}, counts


def faults_of_teacher(
    run: Notebook, mutated: Sequence[records.Fault], entries: Sequence[records.Entry]
) -> tuple[list[records.Fault], dict[str, Any]]:
    """The faults, the first `teacher_items` with the teacher's rationale and fix where those are
    accepted, and the counts (paper, section 3.3). `entries` hold the cases of their programs."""
    return _step(run, "taught.jsonl", _rationales, mutated, entries)


def monologues_kept(run: Notebook) -> dict[str, list[records.Monologue]]:
    """What notebook 02 accepted, by direction, the teacher's texts included."""
    if run.profile.teacher:
        texts = run.kept("02_monologues/taught.jsonl")[0]
        return {d: [m for m in texts if m.direction == d] for d in monologues.DIRECTIONS}
    return {d: run.kept(f"02_monologues/{d}.jsonl")[0] for d in monologues.DIRECTIONS}


def _step(run: Notebook, file: str, function: Any, *inputs: Any, **settings: Any) -> Any:
    """A step that asks the teacher, and keeps the replies that it already has."""
    p = run.profile
    return run.step(
        file, function, *inputs, items=p.teacher_items, seed=p.seed, box=run.box,
        teacher=p.teacher, model=p.teacher_model, backend="auto" if p.server else p.backend,
        cache=run.path("cache_teacher.jsonl"), **settings,
    )  # fmt: skip


# --- the steps ------------------------------------------------------------------------------


def _programs(
    *, items: int, seed: int, box: Sandbox, **who: Any
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with teaching(**who) as asked:
        snippets, counts = corpus.taught(items, asked, box, seed=seed)
        counts = {**asked.row(), **counts}
    rows = [{"id": name, "fate": fate, **_row(prospect)} for name, fate, prospect in snippets]
    return rows, counts


def _row(prospect: Prospect | None) -> dict[str, Any]:
    """A program with what its text and its teacher say of its arguments, as JSON data."""
    if prospect is None or (signature := prospect.signature) is None:
        return {}
    return {
        "program": records.to_row(prospect.program),
        "signature": records.to_row(dataclasses.replace(signature, examples=())),
        "examples": values.encode(signature.examples),
    }


def _prospect(row: Mapping[str, Any]) -> Prospect:
    """What `_row` wrote, as a prospect of the corpus."""
    signature = records.from_row(Signature, row["signature"])
    examples = values.decode(row["examples"])
    program = records.from_row(records.Program, row["program"])
    return Prospect(program, dataclasses.replace(signature, examples=examples))


def _monologues(
    training: Sequence[records.Entry],
    derived: Mapping[str, Sequence[records.Monologue]],
    *,
    items: int,
    cases: int,
    longest: int,
    seed: int,
    strict: bool,
    box: Sandbox,
    **who: Any,
) -> tuple[list[records.Monologue], dict[str, Any]]:
    """Examples in the chats are derived monologues of programs that are not asked about."""
    chosen = training[:items]
    others = {e.program.id: e.program for e in training[items:]}
    pairs = [(e.program, c) for e in chosen for c in monologues.chosen_cases(e, cases, seed)]
    texts = {_about(m): m for group in derived.values() for m in group}
    directions: dict[str, dict[str, int]] = {}
    with teaching(**who) as asked:
        for direction, group in derived.items():
            shown = [m for m in group if m.program_id in others][:SHOTS]
            shots = tuple(teachers.shot(others[m.program_id], m) for m in shown)
            fates: collections.Counter[str] = collections.Counter()
            for monologue in monologues.taught(
                pairs, asked, box, direction=direction, shots=shots, tries=TRIES, seed=seed,
                strict=strict,
            ):  # fmt: skip
                if monologue is None:
                    fate = "rejected"
                elif len(monologue.text) > longest:
                    fate = "longer than max_chars"
                else:
                    fate, texts[_about(monologue)] = "accepted", monologue
                fates[fate] += 1
            directions[direction] = dict(sorted(fates.items()))
        counts = {"programs": len(chosen), "directions": directions, **asked.row()}
    return list(texts.values()), counts


def _about(monologue: records.Monologue) -> tuple[str, str, str]:
    """What a monologue tells."""
    case = monologue.case
    given = case.arguments if monologue.direction == "forward" else case.output
    return monologue.direction, monologue.program_id, values.encode(given)


def _rationales(
    mutated: Sequence[records.Fault],
    entries: Sequence[records.Entry],
    *,
    items: int,
    seed: int,
    box: Sandbox,
    **who: Any,
) -> tuple[list[records.Fault], dict[str, Any]]:
    with teaching(**who) as asked:
        written, funnel = faults.rewritten(
            mutated[:items], entries, asked, box, attempts=TRIES, seed=seed
        )
        counts = {**asked.row(), "funnel": funnel}
    by_id = {fault.id: fault for fault in written}
    return [by_id.get(fault.id, fault) for fault in mutated], counts


# --- the teacher ----------------------------------------------------------------------------


@contextmanager
def teaching(*, teacher: str, model: str, cache: Path, backend: str = "auto") -> Iterator[Teacher]:
    """The teacher, "local" or at an address, with its replies kept in the file `cache`. Raises
    UserError for an address that is none."""
    where = {} if teacher == "local" else {"base_url": teacher}
    with models.load(model, backend="openai" if where else backend, cache=cache, **where) as engine:
        yield Teacher(engine, temperature=TEMPERATURE, max_new_tokens=TOKENS)
