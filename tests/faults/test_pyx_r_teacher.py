"""Rationales from a model are taken only when the fix passes and nothing said is contradicted."""

from __future__ import annotations

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Completion
from semcoder_lib.sandbox import Sandbox


class Scripted:
    def __init__(self, texts: dict[str, list[str]]) -> None:
        self.texts = texts
        self.prompts: list[str] = []

    def generate(self, requests):
        self.prompts += [r.prompt for r in requests]
        return [[Completion(r.task_id, t) for t in self.texts[r.task_id]] for r in requests]


@pytest.fixture(scope="module")
def faults(entries, box):
    found, _ = pyx_r.build(entries[:10], box, limit=3, seed=4)
    return found


def test_the_first_good_sample_is_taken_and_every_bad_one_has_its_reason(
    faults, entries, box
) -> None:
    good = faults[0].rationale
    true = next(c for c in faults[0].claims if c.line)
    contradicted = good.replace(f"[L{true.line}]", "[L99]", 1)
    unfixed = good.replace(faults[0].fixed.rstrip(), faults[0].buggy.rstrip())
    # a teacher that does not state the edit in our words: the text says nothing false
    unfixed = unfixed.partition("### Bug Fixing\n")[0] + "### Bug Fixing\nI fixed it.\n" + (
        "[/MONOLOGUE]" + unfixed.partition("[/MONOLOGUE]")[2]
    )  # fmt: skip
    texts = {f.id: [f.rationale] for f in faults}
    texts[faults[0].id] = ["no sections", contradicted, unfixed, "Let me see.\n" + good, good]
    writer = Scripted(texts)
    kept, funnel = pyx_r.rewritten(faults, entries, writer, box)
    assert [f.id for f in kept] == [f.id for f in faults]
    assert kept[0].rationale == "Let me see.\n" + good
    assert funnel["incomplete"] == funnel["contradicted"] == funnel["fix_fails"] == 1
    assert funnel["samples"] == 7
    assert funnel["accepted"] == 3
    with Sandbox() as fresh:
        assert [p for _, p in pyx_r.validate(kept, entries, fresh) if p] == []


def test_the_teacher_is_shown_another_programs_rationale_first(faults, entries, box) -> None:
    writer = Scripted({f.id: [] for f in faults})
    pyx_r.rewritten(faults, entries, writer, box)
    for fault, prompt in zip(faults, writer.prompts, strict=True):
        assert fault.rationale not in prompt
        assert prompt.count("### Buggy Solution") == 2
        assert prompt.endswith("[MONOLOGUE]\n")
