"""The verifier against planted errors: one fact of a correct monologue altered at a time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import monologue_mutations as mutations
import monologue_programs as programs
import pytest

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.monologues import forward
from semcoder_lib.monologues import style as styles
from semcoder_lib.monologues.verify import Trials, verify
from semcoder_lib.sandbox import Sandbox

STYLES = (styles.COMPACT, styles.TEACHER, styles.FAITHFUL)
LEAST_CAUGHT = 0.99
MOST_REJECTED = 0.005


@pytest.fixture(scope="module")
def told() -> list[tuple[Program, Case, Trace]]:
    """Every test program with every input, traced."""
    items = [(p, Case(inputs)) for p, cases in programs.load() for inputs in cases]
    with Sandbox() as box:
        traces = list(tracing.trace_many(items, box))
    return [(p, c, t) for (p, c), t in zip(items, traces, strict=True)]


def texts(
    told: list[tuple[Program, Case, Trace]], seeds: range
) -> Iterator[tuple[str, Program, Case, Trace]]:
    for program, case, trace in told:
        for style in STYLES:
            for seed in seeds:
                yield forward(program, trace, seed=seed, style=style).text, program, case, trace


def caught(told: list[tuple[Program, Case, Trace]], seeds: range, draws: int) -> list[str]:
    """The lines of the alterations that were not flagged; raises when too few were made."""
    total: Counter[str] = Counter()
    missed: list[str] = []
    for text, program, case, trace in texts(told, seeds):
        for draw in range(draws):
            chance = random.Random(f"{program.id}:{case.arguments}:{draw}")
            for kind, altered in mutations.alterations(text, chance):
                report = verify(altered, program, case, None, trace=trace)
                total[kind] += 1
                if not report.contradicted:
                    changed = set(altered.split("\n")) - set(text.split("\n"))
                    missed.append(f"{kind} {program.id}: {sorted(changed)}")
                else:
                    assert not report.accepted
                    assert report.reason
    assert set(total) == {"value", "branch", "next", "order", "iterations", "return", "answer"}
    assert len(missed) <= (1 - LEAST_CAUGHT) * sum(total.values()), missed
    return [f"{sum(total.values())} altered, {len(missed)} missed", *missed]


def test_unaltered_monologues_are_accepted(told: list[tuple[Program, Case, Trace]]) -> None:
    rejected = []
    count = 0
    for text, program, case, trace in texts(told[::2], range(1)):
        report = verify(text, program, case, None, trace=trace)
        count += 1
        if not report.accepted or report.line_coverage < 1 or report.share_supported < 0.95:
            rejected.append(f"{program.id}{case.arguments}: {report.reason}")
    assert count > 200
    assert len(rejected) <= MOST_REJECTED * count, rejected


def test_alterations_are_caught(told: list[tuple[Program, Case, Trace]]) -> None:
    caught(told[::8], range(1), 1)


@pytest.mark.slow
def test_at_least_two_thousand_alterations_are_caught(
    told: list[tuple[Program, Case, Trace]],
) -> None:
    summary = caught(told, range(2), 2)
    assert int(summary[0].split()[0]) >= 2_000


TRUE_BULLETS = (
    ("sum_multiples", "The result is always an int."),
    ("sum_multiples", "sum_multiples never changes its arguments."),
    ("backwards", "The result always has as many items as s."),
    ("backwards", "The result is always a str."),
    ("backwards", "The result always holds only items of s."),
    ("count_vowels", "The result is always at least 0."),
    ("bubble_sort", "The result is always sorted in ascending order."),
    ("bubble_sort", "The result is always a permutation of items."),
    ("bubble_sort", "Calling bubble_sort again on its result changes nothing."),
    ("bubble_sort", "The order of the items of items does not matter."),
    ("squares_of_even", "The result never has more items than nums."),
    ("unique", "The result never repeats an item."),
    ("unique", "Every item of the result is an int."),
    ("is_palindrome", "The result is always one of True, False."),
    ("parse_int", "The result is always an int."),
)
FALSE_BULLETS = (
    ("sum_multiples", "The result is always a str."),
    ("sum_multiples", "k does not change the result."),
    ("backwards", "The result always has more items than s."),
    ("backwards", "The result always equals s."),
    ("backwards", "The result never repeats an item."),
    ("backwards", "Calling backwards again on its result changes nothing."),
    ("count_vowels", "The result is always between 1 and 2."),
    ("count_vowels", "The result is always at least 1."),
    ("bubble_sort", "The result is always sorted in descending order."),
    ("bubble_sort", "The result is always a tuple."),
    ("squares_of_even", "The result always has as many items as nums."),
    ("unique", "The order of the items of items does not matter."),
    ("unique", "The result always equals items."),
    ("is_palindrome", "The result is always one of True."),
    ("collatz", "The result is always at most 3."),
)


def decided(box: Sandbox, name: str, bullet: str, kept: dict[str, Trials]) -> str:
    program, inputs = next((p, i) for p, i in programs.load() if p.id == name)
    trials = kept.setdefault(name, Trials(program, box, inputs))
    case = Case(inputs[0])
    trace = trials.trace(inputs[0])
    assert trace is not None
    text = forward(program, trace).text.replace(
        "### Execution", f"### Key Properties and Constraints\n- {bullet}\n### Execution", 1
    )
    report = verify(text, program, case, box, trace=trace, trials=trials)
    claims = [c for c in report.claims if c.kind == "property"]
    assert len(claims) == 1
    assert text[slice(*claims[0].place)].endswith(bullet)
    return claims[0].status


def test_property_bullets_are_decided_on_fresh_inputs() -> None:
    kept: dict[str, Trials] = {}
    with Sandbox() as box:
        good = {b: decided(box, n, b, kept) for n, b in TRUE_BULLETS}
        bad = {f"{n}: {b}": decided(box, n, b, kept) for n, b in FALSE_BULLETS}
    assert {b: s for b, s in good.items() if s != "supported"} == {}
    assert {b: s for b, s in bad.items() if s != "contradicted"} == {}
