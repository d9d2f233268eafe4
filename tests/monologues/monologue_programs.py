"""Programs with inputs, for the tests of the monologue room: small ones of many kinds, those whose
monologues together hold every row of the table of forms (`form_programs`), and those of unusual
shape that are written (`shapes`) or not (`refused`), whose function is `f`. In the files a line
`# name | input | input` stands before each."""

from __future__ import annotations

import ast
from pathlib import Path

from semcoder_lib.core.records import Program


def load(file: str = "monologue_programs") -> list[tuple[Program, list[tuple[object, ...]]]]:
    """Every program with its inputs."""
    programs = []
    text = (Path(__file__).parent / f"{file}.txt").read_text(encoding="utf-8")
    for block in f"\n{text}".split("\n# ")[1:]:
        head, _, source = block.partition("\n")
        name, *inputs = [part.strip() for part in head.split("|")]
        entry_point = "f" if file in ("shapes", "refused") else name
        program = Program(source.strip() + "\n", entry_point, id=name)
        programs.append((program, [ast.literal_eval(text or "()") for text in inputs]))
    return programs


def named(name: str) -> Program:
    """One program of these."""
    return next(p for p, _ in load() if p.id == name)
