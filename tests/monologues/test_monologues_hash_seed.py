"""The texts and the verdicts on them do not depend on the process's seed of string hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHILD = """
import hashlib
import monologue_programs
from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case
from semcoder_lib.sandbox import Sandbox

digest = hashlib.sha256()
with Sandbox(workers=1) as box:
    programs = monologue_programs.load("form_programs")
    pairs = [(program, Case(given)) for program, inputs in programs for given in inputs]
    for (program, case), trace in zip(pairs, tracing.trace_many(pairs, box, share=True)):
        if trace.result is None or trace.cut:
            continue
        for style in (monologues.STYLES["dense"], monologues.STYLES["brief"].but(iterations=2)):
            written = monologues.forward(program, trace, case=case, style=style)
            report = monologues.verify(
                written.text, program, case, None, direction="forward", trace=trace
            )
            assert report.accepted, written.text
            digest.update(f"{written.text}{report.row()}".encode())
print(digest.hexdigest())
"""


def test_texts_and_verdicts_are_the_same_for_every_hash_seed() -> None:
    digests = set()
    for seed in ("0", "3", "7"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        command = [sys.executable, "-c", CHILD]
        child = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert child.returncode == 0, child.stderr
        digests.add(child.stdout)
    assert len(digests) == 1
