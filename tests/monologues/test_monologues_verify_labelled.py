"""The verifier on monologues that no writer of ours made, each claim labelled by hand.

`labelled/*.txt`: `=== name`, a program, then monologues, each after `--- arguments` (or `---
backward output`). A claim between « » is true, one between ‹ › is false. Those of
`labelled/readings` were once read wrongly, each in the way that its first line names.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues.verify import Trials, verify
from semcoder_lib.sandbox import Sandbox

FOLDER = Path(__file__).parent / "labelled"


@dataclass(frozen=True)
class Labelled:
    program: Program
    case: Case
    direction: str
    text: str
    spans: tuple[tuple[int, int, bool], ...]  # start, end, true


def read(folder: Path = FOLDER) -> list[Labelled]:
    found = []
    for path in sorted(folder.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
            head, *told = re.split(r"^--- ", block, flags=re.M)
            name, _, source = head.partition("\n")
            program = Program(source, name.strip())
            for one in told:
                first, _, marked = one.partition("\n")
                text, spans = plain(marked)
                if first.startswith("backward "):
                    case = Case((), ast.literal_eval(first.removeprefix("backward ")))
                    found.append(Labelled(program, case, "backward", text, spans))
                else:
                    found.append(
                        Labelled(program, Case(ast.literal_eval(first)), "forward", text, spans)
                    )
    return found


def plain(marked: str) -> tuple[str, tuple[tuple[int, int, bool], ...]]:
    text, spans = "", []
    for part in re.split("(«[^»]*»|‹[^›]*›)", marked):
        if part[:1] in ("«", "‹"):
            spans.append((len(text), len(text) + len(part) - 2, part[0] == "«"))
        text += part.strip("«»‹›")
    return text, tuple(spans)


def statuses(item: Labelled, box: Sandbox, trials: Trials) -> list[tuple[bool, str]]:
    """(label, what the verifier says) for each labelled claim."""
    report = verify(
        item.text, item.program, item.case, box, direction=item.direction, trials=trials
    )
    out = []
    for start, end, true in item.spans:
        inside = {
            c.status
            for c in report.claims
            if c.kind != "answer" and c.place[0] < end and c.place[1] > start
        }
        status = next((s for s in ("contradicted", "supported") if s in inside), "unverifiable")
        out.append((true, status))
    return out


def confusion(labelled: Iterable[tuple[bool, str]]) -> dict[str, float]:
    """The verifier against labels: pairs of (the claim is true, the status it was given).
    `precision` is the share of contradicted claims that are false, `recall` the share of decided
    false claims that are contradicted, `decided` the share of all that it decided."""
    table = Counter(labelled)
    caught, missed = table[False, "contradicted"], table[False, "supported"]
    alarms, right = table[True, "contradicted"], table[True, "supported"]
    return {
        "precision": caught / (caught + alarms),
        "recall": caught / (caught + missed),
        "decided": (caught + missed + alarms + right) / table.total(),
    }


@pytest.fixture(scope="module")
def decisions(box: Sandbox) -> list[tuple[Labelled, int, bool, str]]:
    found = []
    kept: dict[str, Trials] = {}
    for item in read():
        trials = kept.setdefault(item.program.source, Trials(item.program, box))
        for number, (true, status) in enumerate(statuses(item, box, trials)):
            found.append((item, number, true, status))
    assert len(found) >= 600
    return found


def test_precision_and_recall_against_the_labels(
    decisions: list[tuple[Labelled, int, bool, str]],
) -> None:
    figures = confusion((true, status) for _, _, true, status in decisions)
    wrong = [
        f"{item.program.entry_point}{item.case.arguments} {'TRUE' if true else 'FALSE'} {status}: "
        + item.text[item.spans[number][0] : item.spans[number][1]]
        for item, number, true, status in decisions
        if (true, status) in ((True, "contradicted"), (False, "supported"))
    ]
    assert figures["precision"] >= 0.985, wrong
    assert figures["recall"] >= 0.985, wrong
    assert figures["decided"] >= 0.92, figures


def test_sentences_that_were_once_read_wrongly(box: Sandbox) -> None:
    """No true one is contradicted, every false one near them is."""
    items, wrong = read(FOLDER / "readings"), []
    for item in items:
        for true, status in statuses(item, box, Trials(item.program, box)):
            if (status == "contradicted") is true:
                wrong.append((item.program.entry_point, item.text, true, status))
    assert wrong == []
    assert sum(not true for i in items for _, _, true in i.spans) >= 9
