"""Faults from a model's own failures: its wrong programs, each with a fix that passes."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from semcoder_lib.pyx_r import evidence as runs
from semcoder_lib.pyx_r.build import LONGEST, Funnel, _right, accept
from semcoder_lib.pyx_r.evidence import Dropped, Pair
from semcoder_lib.pyx_r.mutate import mutate, normal_form
from semcoder_lib.records import Completion, Entry, Fault, Program
from semcoder_lib.sandbox import Sandbox

REPAIRS = 60


def code_of(text: str, entry_point: str) -> str | None:
    """The longest beginning of a completion's program that parses and defines the entry point.

    The program is the first fenced block, or the whole text up to a closing fence where the fence
    was opened by the prompt. A model that ran into its length limit leaves half a line behind, so
    lines are taken off the end until the rest parses.
    """
    found = re.search(r"```(?:python|py)?\n(.*?)(?:```|\Z)", text, re.DOTALL)
    body = found[1] if found else text.partition("```")[0]
    lines = body.rstrip().splitlines()
    for count in range(len(lines), 0, -1):
        source = "\n".join(lines[:count]) + "\n"
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        functions = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
        return _program_part(tree) if entry_point in functions else None
    return None


def _program_part(tree: ast.Module) -> str:
    """Definitions, imports and constants, without the examples that models add after them."""
    kept: list[ast.stmt] = [
        node
        for node in tree.body
        if isinstance(
            node,
            ast.FunctionDef
            | ast.ClassDef
            | ast.Import
            | ast.ImportFrom
            | ast.Assign
            | ast.AnnAssign,
        )
    ]
    return ast.unparse(ast.Module(kept, [])) + "\n"


def from_completions(
    entries: Iterable[Entry],
    completions: Iterable[Completion],
    box: Sandbox,
    *,
    seed: int = 0,
    max_characters: int = LONGEST,
    repairs: int = REPAIRS,
) -> tuple[list[Fault], Funnel]:
    """Faults from completions of the entries' problems (`Completion.task_id` is the program's id).

    Kept are programs that run to an end on every case and fail at least one. The fix is the
    nearest that can be shown right: one edit of the model's own program, searched with the
    mutation operators (at most `repairs` tried), and else the reference program. Returns the
    faults and the funnel (`completions`, `no_program`, `passed`, the reasons of `build`,
    `repaired`, `accepted`).
    """
    known = {e.program.id: e for e in entries}
    funnel: collections.Counter[str] = collections.Counter()
    pairs: list[Pair] = []
    seen: set[str] = set()
    right = dict(zip(known, _right(list(known.values()), box), strict=True))
    for completion in completions:
        funnel["completions"] += 1
        entry = known.get(completion.task_id)
        reference = right.get(completion.task_id)
        if entry is None or reference is None:
            funnel["no_entry"] += 1
            continue
        source = code_of(completion.text, entry.program.entry_point)
        try:
            buggy = normal_form(source) if source else None
        except (SyntaxError, ValueError, RecursionError):
            buggy = None
        if buggy is None:
            funnel["no_program"] += 1
        elif (buggy, completion.task_id) in seen:
            funnel["duplicate"] += 1
        else:
            seen.add((buggy, completion.task_id))  # type: ignore[arg-type]
            pairs.append(
                Pair(entry.program.id, entry.program.entry_point, buggy, reference, entry.cases)
            )
    failing: list[runs.Failing] = []
    for item in runs.failing(pairs, box):
        if isinstance(item, Dropped):
            funnel["passed" if item.reason == "equivalent" else item.reason] += 1
        else:
            failing.append(item)
    mended = _repaired(failing, box, seed, repairs)
    funnel["repaired"] = sum(
        a.pair.fixed != b.pair.fixed for a, b in zip(mended, failing, strict=True)
    )
    programs = {k: e.program for k, e in known.items()}
    faults, drops = accept(runs.shrunk(mended, box), box, programs, "model", max_characters)
    funnel.update(drops)
    funnel["accepted"] = len(faults)
    return faults, dict(sorted(funnel.items()))


def _repaired(
    failing: Sequence[runs.Failing], box: Sandbox, seed: int, repairs: int
) -> list[runs.Failing]:
    """Each failure with a fix that is one edit away from the buggy program, where one passes."""
    offers: list[list[str]] = []
    jobs = []
    for failure in failing:
        pair = failure.pair
        program = Program(pair.buggy, pair.entry_point, id=pair.program_id)
        offers.append([m.buggy for m in mutate(program, seed=seed, limit=repairs)])
        # the failing case first: most edits do not mend it, and then the rest need not be read
        jobs += [
            runs.job(source, pair.entry_point, [c.arguments for c in pair.cases])
            for source in offers[-1]
        ]
    results = box.map(iter(jobs))
    mended = []
    for failure, sources in zip(failing, offers, strict=True):
        fix = None
        for source in sources:
            outcomes = next(results)
            if fix is None and runs.passes(outcomes, failure.pair.cases):
                fix = source
        if fix is None:
            mended.append(failure)
        else:
            mended.append(replace(failure, pair=replace(failure.pair, fixed=fix)))
    return mended
