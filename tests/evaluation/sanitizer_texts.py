"""What models write around a program, drawn from a seed, and what EvalPlus's sanitizer makes of it.

The golden file holds one digit a text: whether the program that EvalPlus 0.3.1 takes out of it is
right. The texts are those drawn here and the ones that the released SemCoder-S wrote for CRUXEval,
which repeat the program they are about. It was written by an interpreter that has EvalPlus (which
this project does not need):

    SEMCODER_DATA=... PYTHON_WITH_EVALPLUS tests/evaluation/sanitizer_texts.py
"""

from __future__ import annotations

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

GOLDEN = Path(__file__).with_name("golden_sanitizer.json")
COUNT = 2_400


class Text(NamedTuple):
    """A completion of `prefix` (empty where the text is all), a test, and what it is made of."""

    text: str
    prefix: str
    entry_point: str
    test: str
    made_of: tuple[str, ...]


# name, parameters, docstring, body (with HELP where a helper could stand), wrong body, call, value
PROBLEMS = (
    ("total", "xs", "Sum of xs.", "return sum(xs)", "return max(xs)", ([1, 2, 5],), 8),
    ("shout", "s", "s in upper case.", "return s.upper()", "return s", ("ab",), "AB"),
    ("add", "x, y", "x plus y.", "return x + y", "return x - y", (2, 3), 5),
    (
        "evens", "xs", "Even ones.",
        "out = []\nfor x in xs:\n    if x % 2 == 0:\n        out.append(x)\nreturn out",
        "out = []\nreturn out", ([1, 2, 4],), [2, 4],
    ),
    (
        "fact", "n", "n!", "if n < 2:\n    return 1\nreturn n * fact(n - 1)",
        "return n * n", (5,), 120,
    ),
    (
        "word_count", "text", "How often each word.",
        "found = {}\nfor word in text.split():\n    found[word] = found.get(word, 0) + 1\n"
        "return found",
        "return {}", ("a b a",), {"a": 2, "b": 1},
    ),
)  # fmt: skip


def programs(name: str, parameters: str, body: str) -> dict[str, str]:
    """Modules that define the function, each in its own way."""
    head = f"def {name}({parameters}):\n"
    inside = textwrap.indent(body, "    ")
    plain = f"{head}{inside}\n"
    hidden = plain.replace(f"def {name}(", f"def {name}_core(")
    forward = f"{head}    return {name}_core({parameters})\n"
    nested = textwrap.indent(plain, "    ")
    return {
        "plain": plain,
        "docstring": f'{head}    """Does it.\n\n    >>> 1\n    """\n{inside}\n',
        "fence in docstring": f'{head}    """\n    ```\n    x\n    ```\n    """\n{inside}\n',
        "helper before": f"{hidden}\n\n{forward}",
        "helper after": f"{forward}\n\n{hidden}",
        "import": f"import math\nfrom typing import List\n\n{plain}",
        "used import": f"import copy\n\n{head}    copy.copy(1)\n{inside}\n",
        "constant": f"LIMIT = 10\n\n{head}    assert LIMIT == 10\n{inside}\n",
        "table by a loop": "T = [0] * 3\nfor i in range(3):\n    T[i] = 1\n\n"
        f"{head}    assert T[2]\n{inside}\n",
        "table by a call": f"T = {{}}\nT.update(one=1)\n\n{head}    assert T['one']\n{inside}\n",
        "recursion limit": f"import sys\nsys.setrecursionlimit(4000)\n\n{plain}",
        "in try": f"try:\n    import none_such\nexcept ImportError:\n{nested}",
        "in if": f"import sys\nif sys.version_info > (2,):\n{nested}",
        "match": "V = 1\nmatch V:\n    case 1:\n        W = 2\n\n"
        f"{head}    assert W == 2\n{inside}\n",
        "alias": f"{hidden}\n{name} = {name}_core\n",
        "annotated alias": "from typing import Callable\n"
        f"{hidden}\n{name}: Callable = {name}_core\n",
        "lambda": f"{hidden}\n{name} = lambda *a: {name}_core(*a)\n",
        "class": f"class Solution:\n    @staticmethod\n{nested}\n{name} = Solution().{name}\n",
        "decorator": "import functools\n\ndef same(f):\n    @functools.wraps(f)\n"
        f"    def inner(*a):\n        return f(*a)\n    return inner\n\n@same\n{plain}",
        "attribute": f"{plain}\n{name}.calls = 0\n",
        "generator helper": f"def each(x):\n    yield x\n\n{head}    list(each(1))\n{inside}\n",
        "by name": f"{head}    globals()['aid']()\n{inside}\n\ndef aid():\n    return 1\n",
        "future": f"from __future__ import annotations\n\n{plain}",
        "comments": "# a note\n" * 40 + plain,
        "two in one line": f"import re; X = 1\n{plain}",
    }


KINDS = [*programs("f", "x", "return x")]
AFTER = {
    "nothing": "",
    "print": "\nprint(NAME(*ARGS))\n",
    "assertion": "\nassert NAME(*ARGS) == 'never'\n",
    "input": "\nn = int(input())\nprint(n)\n",
    "main": "\nif __name__ == '__main__':\n    print(NAME(input()))\n",
    "loop of examples": "\nfor case in [1, 2]:\n    print(NAME(case))\n",
    "example with a result": "\nresult = NAME(*ARGS)\nprint(result.none_such)\n",
    "another function": "\ndef unused(a):\n    return a\n",
    "broken function": "\ndef broken(a:\n    oops\n",
    "cut off": "\ndef cut(a):\n    b = [1,",
    "a wrong second try": "\ndef NAME(*a):\n    return None\n",
    "exit": "\nimport sys\nsys.exit(0)\n",
    "tests": "\nimport unittest\n\nclass Test(unittest.TestCase):\n    def test(self):\n"
    "        self.assertEqual(1, 2)\n\nunittest.main()\n",
    "missing package": "\nimport none_such\nnone_such.show(1)\n",
}
AROUND = {
    "bare": "CODE",
    "fence": "Here it is:\n\n```python\nCODE```\nIt works.\n",
    "fence without language": "```\nCODE```\n",
    "fence at once": "```python\nCODE```",
    "fence of four": "````python\nCODE````\n",
    "tildes": "~~~python\nCODE~~~\n",
    "version": "```python3.11\nCODE```\n",
    "attributes": '```{.python title="x"}\nCODE```\n',
    "upper case": "```Python\nCODE```\n",
    "carriage returns": "Sure:\n```python\nCODE```\n",
    "byte order mark": "\ufeff```python\nCODE```\n",
    "not closed": "```python\nCODE",
    "prose": "Here is the function:\n\nCODE\nIt returns the answer (see above).\n",
    "list item": "1. First:\n\n    ```python\nINDENTED    ```\n",
    "thought": "<think>\nMaybe\n```python\nDRAFT```\nno.\n</think>\n```python\nCODE```\n",
    "thought without code": "<think>Let me see.</think>\nCODE",
    "end token": "CODE<|endoftext|>",
    "end token in a fence": "```python\nCODE```<|im_end|>\n",
    "stub first": "```python\ndef NAME(*a):\n    pass\n```\nand so\n```python\nCODE```\n",
    "call after": "```python\nCODE```\nTry:\n```python\nprint(NAME(*ARGS))\n```\n",
    "output after": "```python\nCODE```\nOutput:\n```\n3\n```\n",
    "shell before": "```bash\npip install x\n```\n```python\nCODE```\n",
    "wrong first": "```python\nDRAFT```\nBetter:\n```python\nCODE```\n",
    "wrong after": "```python\nCODE```\nNot:\n```python\nDRAFT```\n",
    "continued": "BODY",
    "continued to a fence": "BODY```\nThat is all.\n",
    "continued, then examples": "BODY\nprint(NAME(*ARGS))\n",
}  # fmt: skip


def drawn(seed: int) -> Text:
    """The text of a seed."""
    draw = random.Random(seed)
    name, parameters, says, right, wrong, arguments, expected = draw.choice(PROBLEMS)
    kind, after, around = draw.choice(KINDS), draw.choice([*AFTER]), draw.choice([*AROUND])
    bodies = [right, wrong] if draw.random() < 0.9 else [wrong, right]
    code = programs(name, parameters, bodies[0])[kind] + AFTER[after]
    draft = programs(name, parameters, bodies[1])["plain"]
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
