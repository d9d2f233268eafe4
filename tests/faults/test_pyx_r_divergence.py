"""Where two runs part: hand-made traces, then mutants whose altered lines are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Change, Program, Step, Trace
from semcoder_lib.tracing import trace_many


def steps(*rows: tuple) -> Trace:
    made = []
    for line, event, changes, *rest in rows:
        changed = tuple(Change(k, v) for k, v in changes.items())
        depth = rest[1] if len(rest) > 1 else 0
        made.append(
            Step(line, event, changed, depth=depth, frame=depth, value=rest[0] if rest else None)
        )
    return Trace(tuple(made), result=made[-1].value)


CALL = (1, "call", {"x": "1"})
PARTED = yaml.safe_load(Path(__file__).with_name("parted.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PARTED)
def test_runs_part_where_they_first_differ(name: str) -> None:
    row = PARTED[name]
    wrong, right = (steps(CALL, *row[run]) for run in ("wrong", "right"))
    d = pyx_r.divergence(wrong, right, lines=row.get("lines"))
    assert {key: getattr(d, key) for key in row["expected"]} == row["expected"]


def test_line_map_pairs_lines_around_and_inside_the_altered_block() -> None:
    fixed = "def f(x):\n    if x:\n        y = 1\n        z = 2\n    return y\n"
    buggy = "def f(x):\n    y = 1\n    z = 2\n    return y\n"
    assert pyx_r.line_map(buggy, fixed) == {1: 1, 2: 3, 3: 4, 4: 5}


# --- mutants whose altered lines are known -----------------------------------------------------


def judge(m: pyx_r.Bug, wrong: Trace, right: Trace, d: pyx_r.Divergence) -> str:
    """What is wrong with a divergence, by the mutation alone (no line matching): both runs, with
    the steps inside the altered block left out, must agree before it, and the altered block must
    have been reached by then. Empty when it is right."""
    line, old, new = pyx_r.altered(m.buggy, m.fixed)
    hunk, fixed_hunk = range(line, line + len(old)), range(line, line + len(new))
    shift = len(new) - len(old)
    in_place = len(old) == len(new) == 1

    def known(step: Step, ours: bool) -> tuple | None:
        block = hunk if ours else fixed_hunk
        if step.line in block and not in_place:
            return None
        at = step.line + shift if ours and step.line >= hunk.stop else step.line
        return at, step.event, step.depth, step.function, step.value

    def closed(trace: Trace, end: int) -> list[tuple | None]:
        """The steps before `end`; changes count where their line was over by then."""
        out = []
        for i, step in enumerate(trace.steps[:end]):
            key = known(step, trace is wrong)
            over = any(s.depth <= step.depth for s in trace.steps[i + 1 : end + 1])
            if key is not None:
                out.append((key, set(step.changes) if over else None))
        return out

    if d.index is None or d.fixed_index is None:
        return "no divergence found"
    before, before_right = closed(wrong, d.index), closed(right, d.fixed_index)
    pairs = zip(before, before_right, strict=False)
    same = len(before) == len(before_right) and all(
        x == y or (x and y and x[0] == y[0] and None in (x[1], y[1])) for x, y in pairs
    )  # a line that makes a call in one run only is over in the other
    if not same:
        return f"an earlier step differs: {before} {before_right}"
    reached = any(s.line in hunk for s in wrong.steps[: d.index + 1]) or any(
        s.line in fixed_hunk for s in right.steps[: d.fixed_index + 1]
    )
    if not reached:
        return "the altered lines were not reached yet"
    if d.index < len(wrong.steps) and d.fixed_index < len(right.steps):
        x, y = wrong.steps[d.index], right.steps[d.fixed_index]
        if (
            known(x, True) == known(y, False)
            and set(x.changes) == set(y.changes)
            and known(x, True)
        ):
            return "the two steps are the same"
    return ""


def parted(entries, box, per_program: int, seed: int) -> tuple[int, list[str], set[str]]:
    mutants = [m for e in entries for m in pyx_r.mutate(e, seed=seed, limit=per_program)]
    failing, _ = pyx_r.failing(mutants, box)
    pairs = [
        (Program(source, f.bug.program.entry_point), f.case)
        for f in failing
        for source in (f.bug.buggy, f.bug.fixed)
    ]
    traces = trace_many(pairs, box)
    wrong, checked, operators = [], 0, set()
    for m in (f.bug for f in failing):
        ours, right = next(traces), next(traces)
        if ours.cut or right.cut:
            continue
        d = pyx_r.divergence(ours, right, lines=pyx_r.line_map(m.buggy, m.fixed))
        checked += 1
        operators.add(m.operator)
        problem = judge(m, ours, right, d)
        if problem:
            wrong.append(f"{m.program.id} {m.operator} {d}: {problem}\n{m.buggy}")
    return checked, wrong, operators


@pytest.mark.parametrize(
    ("per_program", "seed", "least"),
    [(4, 11, 80), pytest.param(60, 5, 500, marks=pytest.mark.slow)],
)
def test_the_divergence_of_known_mutants_is_right(entries, box, per_program, seed, least) -> None:
    checked, wrong, operators = parted(entries, box, per_program, seed)
    assert wrong == []
    assert checked >= least
    assert len(operators) >= 20
