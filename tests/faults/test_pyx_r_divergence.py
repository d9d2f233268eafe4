"""Where two runs part: hand-made traces, then mutants whose altered lines are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Change, Step, Trace


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


def judge(e: pyx_r.Evidence) -> str:
    """What is wrong with a divergence, by the mutation alone (no line matching): both runs, with
    the steps inside the altered block left out, must agree before it, and the altered block must
    have been reached by then. Empty when it is right."""
    wrong, right, d = e.trace, e.fixed_trace, e.divergence
    line, old, new = pyx_r.altered(e.bug.buggy, e.bug.fixed)
    hunk, fixed_hunk = range(line, line + len(old)), range(line, line + len(new))
    shift = len(new) - len(old)
    in_place = len(old) == len(new) == 1

    def known(step: Step, ours: bool) -> tuple | None:
        block = hunk if ours else fixed_hunk
        if step.line in block and not in_place:
            return None
        at = step.line + shift if ours and step.line >= hunk.stop else step.line
        return at, step.event, step.depth, step.function, step.value

    def closed(trace: Trace, end: int) -> list[tuple]:
        """The steps before `end`; changes count where their line was over by then."""
        out = []
        for i, step in enumerate(trace.steps[:end]):
            if (key := known(step, trace is wrong)) is not None:
                over = any(s.depth <= step.depth for s in trace.steps[i + 1 : end + 1])
                out.append((key, set(step.changes) if over else None))
        return out

    before, before_right = closed(wrong, d.index), closed(right, d.fixed_index)
    pairs = zip(before, before_right, strict=False)
    same = len(before) == len(before_right) and all(
        x == y or (x[0] == y[0] and None in (x[1], y[1])) for x, y in pairs
    )  # a line that makes a call in one run only is over in the other
    if not same:
        return f"an earlier step differs: {before} {before_right}"
    reached = [s.line in hunk for s in wrong.steps[: d.index + 1]]
    reached += [s.line in fixed_hunk for s in right.steps[: d.fixed_index + 1]]
    if not any(reached):
        return "the altered lines were not reached yet"
    if d.index < len(wrong.steps) and d.fixed_index < len(right.steps):
        x, y = wrong.steps[d.index], right.steps[d.fixed_index]
        key = known(x, True)
        if key and key == known(y, False) and set(x.changes) == set(y.changes):
            return "the two steps are the same"
    return ""


@pytest.mark.parametrize(
    ("per_program", "seed", "least"),
    [(4, 11, 80), pytest.param(60, 5, 500, marks=pytest.mark.slow)],
)
def test_the_divergence_of_known_mutants_is_right(entries, box, per_program, seed, least) -> None:
    mutants = [m for e in entries for m in pyx_r.mutate(e, seed=seed, limit=per_program)]
    gathered, drops = pyx_r.gather(pyx_r.failing(mutants, box)[0], box)
    assert not {"no_divergence", "unstable"} & set(drops)
    assert [(e.bug, e.divergence, why) for e in gathered if (why := judge(e))] == []
    assert len(gathered) >= least
    assert len({e.bug.operator for e in gathered}) >= 20
