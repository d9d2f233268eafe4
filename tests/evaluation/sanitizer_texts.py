"""What models write around a program, drawn from a seed, and what EvalPlus's sanitizer makes of it.

The golden file holds one digit a text: whether the program that EvalPlus 0.3.1 takes out of it is
right. The texts are those drawn here and the ones that the released SemCoder-S wrote for CRUXEval,
which repeat the program they are about. It was written by an interpreter that has EvalPlus (which
this project does not need):

    SEMCODER_DATA=... PYTHON_WITH_EVALPLUS tests/evaluation/sanitizer_texts.py
"""

from __future__ import annotations

import ast
import contextlib
import gzip
import io
import json
import os
import random
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

GOLDEN = Path(__file__).with_name("golden_sanitizer.json")
COUNT = 2_400


class Text(NamedTuple):
    """A completion of `prefix` (empty where the text is all), a test, and what it is made of."""

    text: str
    prefix: str
    entry_point: str
    test: str
    made_of: tuple[str, ...]


TABLES = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
PROGRAMS, AFTER, AROUND = (TABLES[name] for name in ("programs", "after", "around"))


def written(kind: str, name: str, parameters: str, body: str) -> str:
    """A module that defines the function, in its own way."""
    head, inside = f"def {name}({parameters}):\n", textwrap.indent(body, "    ")
    plain = f"{head}{inside}\n"
    parts = {
        "HIDDEN": plain.replace(f"def {name}(", f"def {name}_core("),
        "FORWARD": f"{head}    return {name}_core({parameters})\n",
        "NESTED": textwrap.indent(plain, "    "),
        "PLAIN": plain, "HEAD": head, "INSIDE": inside, "NAME": name,
    }  # fmt: skip
    text = PROGRAMS[kind]
    for word, part in parts.items():
        text = text.replace(word, part)
    return text


def drawn(seed: int) -> Text:
    """The text of a seed."""
    draw = random.Random(seed)
    name, parameters, says, right, wrong, *call = draw.choice(TABLES["problems"])
    arguments, expected = map(ast.literal_eval, call)
    kind, after, around = (draw.choice([*table]) for table in (PROGRAMS, AFTER, AROUND))
    bodies = [right, wrong] if draw.random() < 0.9 else [wrong, right]
    code = written(kind, name, parameters, bodies[0]) + AFTER[after]
    draft = written("plain", name, parameters, bodies[1])
    prefix = ""
    if around.startswith("continued"):
        prefix = f'import math\n\n\ndef {name}({parameters}):\n    """{says}"""\n'
        kind, after = "plain", "nothing"
    if not code.endswith("\n") and around not in ("not closed", "bare"):
        code += "\n"
    text = AROUND[around]
    for word, replacement in (
        ("CODE", code), ("INDENTED", textwrap.indent(code, "    ")), ("DRAFT", draft),
        ("BODY", textwrap.indent(bodies[0], "    ") + "\n"), ("NAME", name),
        ("*ARGS", ", ".join(map(repr, arguments))),
    ):  # fmt: skip
        text = text.replace(word, replacement)
    if around == "carriage returns":
        text = text.replace("\n", "\r\n")
    test = f"{name}({', '.join(map(repr, arguments))}) == {expected!r}"
    return Text(text, prefix, name, test, (kind, after, around))


MODES = ("output", "input")


def released(mode: str, folder: Path) -> Iterator[Text]:
    """The released texts about CRUXEval's programs, with the benchmark's own call and output."""
    with (folder / "cruxeval.jsonl").open() as lines:
        items = {row["id"]: row for row in map(json.loads, lines)}
    with gzip.open(folder / f"semcoder_s_1030_cruxeval_{mode}_monologues.jsonl.gz") as lines:
        for row in map(json.loads, lines):
            (name, *_) = re.findall(r"^assert (\w+)\(", row["text"], re.M)
            item = items[row["task_id"]]
            test = f"{name}({item['input']}) == {item['output']}"
            yield Text(row["text"], "", name, test, (mode,))


def right(code: str | None, text: Text) -> bool:
    """Whether the program passes the test. Only for programs that this file knows."""
    space: dict[str, Any] = {"__name__": "program"}
    limit = sys.getrecursionlimit()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code or "", "<text>", "exec"), space)
            return bool(eval(text.test, space))
    except BaseException:
        return False
    finally:
        sys.setrecursionlimit(limit)


def main() -> None:
    """Write the golden file."""
    from evalplus.sanitize import sanitize

    sys.stdin = io.StringIO()
    found = {"drawn": [drawn(seed) for seed in range(COUNT)]}
    for mode in MODES:
        found[mode] = list(released(mode, Path(os.environ["SEMCODER_DATA"])))
    golden = {
        name: "".join("01"[right(sanitize(t.prefix + t.text, t.entry_point), t)] for t in texts)
        for name, texts in found.items()
    }
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
