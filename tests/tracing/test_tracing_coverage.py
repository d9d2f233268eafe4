from __future__ import annotations

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program
from semcoder_lib.sandbox import Sandbox

SOURCE = """\
def f(x):
    if x > 0:
        y = 1
    else:
        y = helper(
            x,
        )
    return y


def helper(x):
    for i in range(x):
        x += i
    return x
"""


def test_lines_and_branches_of_cases(tracing_box: Sandbox) -> None:
    program = Program(SOURCE, "f")
    one = tracing.coverage(program, [Case((1,))], tracing_box)
    assert one.lines == {2, 3, 8}
    assert one.missed == (5, 12, 13, 14)
    assert one.branch_fraction == 1 / 4
    both = tracing.coverage(program, [Case((1,)), Case((-1,))], tracing_box)
    assert both.lines == {2, 3, 5, 8, 12, 14}
    assert both.of_case == (frozenset({2, 3, 8}), frozenset({2, 5, 8, 12, 14}))
    assert both.branch_fraction == 3 / 4
    assert (5, 8) in both.arcs


def test_a_case_that_raises_counts_up_to_there(tracing_box: Sandbox) -> None:
    found = tracing.coverage(Program(SOURCE, "f"), [Case(("a",))], tracing_box)
    assert found.lines == {2}
