"""How the verifier reads single sentences of prose: what they state, of which moment, and what they
do not state. Each sentence was once read wrongly, in one of the ways that the tests name."""

from __future__ import annotations

import pytest

from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues.verify import verify
from semcoder_lib.sandbox import Sandbox

COUNTDOWN = (
    """def alternate(nums):
    out = []
    i = len(nums) - 1
    for _ in nums:
        if i % 2 == 0:
            out.append(nums[i])
        i -= 1
    return out
""",
    ([8, 5, 6],),
)
HALVE = (
    """def halvings(n):
    steps = 0
    left = n
    while left > 1:
        left = left // 2
        steps += 1
    return steps
""",
    (8,),
)
WORDS = (
    """def first_plain(text, mark):
    words = text.split(" ")
    for w in words:
        if not w.startswith(mark):
            return w
        mark = mark.lower()
    return ""
""",
    ("Xa Xb yc", "X"),
)
TAIL = (
    """def shout(text, stop):
    zeros = [0] * 3
    cut = text[: text.find(stop, 0) + 2]
    if len(cut) > 9:
        cut = cut.strip()
    return cut.upper()
""",
    ("ab-cd", "ab"),
)
PAIRS = (
    """def inverse(d):
    keys = list(d.keys())
    back = {d[k]: k for k in keys}
    size = len(back)
    return back
""",
    ({"p": 1, "q": 2},),
)


TRIM = (
    """def trimmed(s):
    for c in s:
        if c == "x":
            break
    while s.endswith("#"):
        s = s[:-1]
    return s
""",
    ("ax##",),
)


def contradicted(program: tuple[str, tuple[object, ...]], sentences: str) -> list[str]:
    """The words of the contradicted claims of a simulation that says just this."""
    source, arguments = program
    name = source[4 : source.index("(")]
    text = f"### Execution Simulation\n{sentences}\n"
    with Sandbox() as box:
        report = verify(text, Program(source, name), Case(arguments), box, line_offset=0)
    return [
        text[slice(*c.place)]
        for c in report.claims
        if c.kind != "answer" and c.status == "contradicted"
    ]


TRUE = {
    "a value in a heading is that at the iteration's start": (
        COUNTDOWN,
        "- **First Iteration (i = 2)**:\n  - `i` becomes `1`.\n"
        "- **Second Iteration (i = 1)**:\n  - `i` becomes `0`.",
    ),
    "a heading without any code moves the place": (
        HALVE,
        "1. **First Iteration (left = 8)**:\n   - `left` becomes `4`.\n"
        "2. **Second Iteration**:\n   - `left` becomes `2` and `steps` becomes `2`.",
    ),
    "the test that ends a loop may be told as one more iteration": (
        HALVE,
        "- **Fourth Iteration (left = 1)**:\n  - The condition `left > 1` is "
        "`False`, so the loop ends.",
    ),
    "setting the variable of a while's test does not enter the loop": (
        HALVE,
        "- `left = 8`\n- `steps = 0`",
    ),
    "a line is named to say what is not so there": (
        WORDS,
        "- [L4]: `w.startswith(mark)` returns `True`.\n- [L6]: `mark` becomes `'x'`.\n"
        "- [L4]: `w.startswith(mark)` returns `False` (it does not start so).",
    ),
    "items told by their place": (
        WORDS,
        "- First word: `'Xa'`\n  - `w.startswith(mark)` returns `True`.\n  - "
        "`mark` becomes `'x'`.\n"
        "- Second word: `'Xb'`\n  - `w.startswith(mark)` returns `False`.",
    ),
    "the condition may be the whole one of which a part was named": (
        WORDS,
        "- [L4]: The condition checks if the word does not start so.\n"
        "- The `w.startswith(mark)` method checks if it does. Since it "
        "does, this condition"
        " evaluates to `False`.",
    ),
    "a line that is named to say that nothing is done there": (
        TAIL,
        "- [L4]: `len(cut)` is `2`.\n- [L5]: Since the condition is false, `cut` "
        "remains unchanged.",
    ),
    "a slice's end is not the slice": (
        TAIL,
        "- [L3]: `cut` is the substring from index `0` to `0 + 2`, which is `'ab'`.",
    ),
    "a number of items is not the value": (
        TAIL,
        "- [L2]: `zeros` is initialized as a list of 3 zeros.",
    ),
    "what is not returned": (
        WORDS,
        "The loop does not end without returning `''` here. The conditions for "
        "returning `''` are not met.",
    ),
    "what a method gives is not what the function returns": (
        WORDS,
        "- [L2]: The `split` method is called on the text. It returns the list "
        "`['Xa', 'Xb', 'yc']`.",
    ),
    "one part of what is returned": (
        PAIRS,
        "The first key of the returned dictionary is `1`.",
    ),
    "the amount of a change": (HALVE, "- [L6]: `steps` is incremented by `1`."),
    "how often something is in a variable": (
        PAIRS,
        "- [L4]: The number of occurrences of `1` in `back`, which is `1`, does not matter.",
    ),
    "a check is not a statement": (
        HALVE,
        "- [L4]: The loop checks if `left` is `1`.\n- The loop checks whether `steps` is not `0`.",
    ),
    "a range is no value": (TAIL, "- [L2]: `zeros` is filled with the range from `0` to `3`."),
    "a sequence from one to another": (
        TAIL,
        "- [L2]: The `range` function generates the numbers from `0` to `3`.",
    ),
    "an amount that is put in": (
        TAIL,
        "- [L2]: If it were in `text`, it is replaced with `2` spaces.",
    ),
    "what comes of two": (HALVE, "- [L5]: Dividing 8 by `n` (which is 8) gives `1`."),
    "a method that leaves things as they are": (
        PAIRS,
        "- [L2]: `list(d.keys())` is called, and since nothing is taken, it remains `{'p': 1}`.",
    ),
    "a condition is met, said of what its `not` denies": (
        WORDS,
        "- **First Iteration**:\n  - [L4]: The word starts so.\n  - So the condition is met.",
    ),
    "the condition, after a comparison of values in brackets": (
        HALVE,
        "- **First Iteration**:\n  - The condition evaluates to `True` (`8 != 1`).\n"
        "- Since the condition is met, the body runs.\n- (`8 == 1` is `False`.)\n"
        "- Since the condition is met, it goes on.",
    ),
    "a value of an earlier line that is taken up": (
        TAIL,
        "- [L3]: `text.find(stop, 0)` is `0`.\n- [L4]: Since the place is `0`, it goes on.",
    ),
    "neither of two": (TAIL, "Neither `'x'` nor `'y'` is present in `text`."),
    "some characters of a text": (TAIL, "None of the characters of `stop` are in `zeros`."),
    "a view is told as a list": (PAIRS, "- [L2]: `d.keys()` returns the keys: `['p', 'q']`."),
    "a name for what is returned": (
        TAIL,
        "The function returns the modified `text`, which is `'AB'`.",
    ),
    "a value stored under a name": (PAIRS, "- [L3]: The value `d['p']` is assigned to `'p'`."),
    "the start of a range that is given by an expression": (
        HALVE,
        "- [L4]: The loop starts with `k` ranging from `0` to `n // 2`, which is `0` to `4`.",
    ),
    "two ends of a range of iterations": (
        COUNTDOWN,
        "- **First Iteration (i = 2)**:\n  - `i` becomes `1`.\n"
        "- For `i = 1` to `i = 0`:\n  - the loop goes on.",
    ),
    "what comes of a conversion is not what was converted": (
        PAIRS,
        "- [L3]: `keys` is joined into a text, which is `'pq'`.",
    ),
    "what a key is paired with": (
        ("def sevens(names):\n    return dict.fromkeys(names, 7)\n", (["a", "b"],)),
        "- [L2]: It makes a pair where the key is the element and the value is `7`.",
    ),
    "a check with two parts": (
        TAIL,
        "- [L4]: The condition checks if `cut` is truthy and not longer than `9`.",
    ),
    "a list that is abbreviated": (TAIL, "- [L2]: `zeros = [0, ..., 0]`."),
    "what a check returns is not what the function returns": (
        WORDS,
        "All these values will also return `True` for the check in line [L4].",
    ),
    "the next item of a comprehension": (
        PAIRS,
        "- [L3]: For the first, `k` is `'p'`. For the second, `k` is `'q'`.",
    ),
    "code that stands after the loop the text has not left": (
        TRIM,
        "- **First Iteration (c = 'a')**:\n  - nothing happens.\n"
        "- `s` becomes `s[:-1]` which is `'ax#'`.\n- `s` becomes `s[:-1]` which is `'ax'`.",
    ),
    "what is so now, of code that the line quotes": (
        HALVE,
        "- **First Iteration**:\n  - `left` is halved. The size of `left // 2` is now `2`.",
    ),
}
FALSE = {
    "value at the start": (
        COUNTDOWN,
        "- **Second Iteration (i = 2)**:\n  - `out` stays as it is.",
        "i = 2",
    ),
    "heading without code": (
        HALVE,
        "1. **First Iteration**:\n   - `left` becomes `4`.\n"
        "2. **Second Iteration**:\n   - `left` becomes `4`.",
        "`left` becomes `4`",
    ),
    "two more iterations": (HALVE, "- **Fifth Iteration (left = 1)**:\n  - nothing.", "Fifth"),
    "one more, but not at the end": (HALVE, "- **Fourth Iteration (left = 2)**:", "left = 2"),
    "a line that does not run": (
        TAIL,
        "- [L4]: `len(cut)` is `2`.\n- [L5]: `cut` is stripped.",
        "[L5]",
    ),
    "what is returned": (WORDS, "The function returns `'Xa'`.", "'Xa'"),
    "a view": (PAIRS, "- [L2]: `d.keys()` returns the keys: `['q', 'p']`.", "['q', 'p']"),
    "what a conversion leaves": (
        WORDS,
        "- [L2]: `words` becomes `['Xa', 'Xb']`, and it is joined later.",
        "['Xa', 'Xb']",
    ),
    "a change": (
        HALVE,
        "- [L2]: `steps` is set to `1`.\n- [L6]: `steps` is incremented to `5`.",
        "5",
    ),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_sentences_are_not_contradicted(name: str) -> None:
    assert contradicted(*TRUE[name]) == []


@pytest.mark.parametrize("name", FALSE)
def test_false_sentences_near_them_are(name: str) -> None:
    program, sentences, words = FALSE[name]
    found = contradicted(program, sentences)
    assert any(words in one for one in found), found


def test_a_deduction_by_cases_refutes_no_case() -> None:
    source = "def pad(a, b):\n    if b.startswith(a):\n        return b\n    return a + b\n"
    text = (
        "### Reverse Deduction\n"
        "- If we assume that `b` does not start with `a`, then `a` must be `'x'` "
        "and `b` must be `'yz'`.\n"
        "- The second character of the returned string is `'y'`.\n"
        "- These keys do not exist in `b`, so they return `None`.\n"
        "- With `b = 'yz'`, the function will return `'yz'` instead of `'xyz'`.\n"
        "[ANSWER]\nassert pad('', 'xyz') == 'xyz'\n[/ANSWER]"
    )
    with Sandbox() as box:
        good = verify(text, Program(source, "pad"), Case((), "xyz"), box)
        firm = text.replace("If we assume that `b` does not start with `a`, then", "So")
        bad = verify(firm, Program(source, "pad"), Case((), "xyz"), box)
    assert (good.answer_right, good.contradicted) == (True, 0)
    assert bad.contradicted >= 1


@pytest.mark.parametrize(
    ("sentence", "unread"),
    [
        ("- `left` becomes `4` because the moon is full.", ["because the moon is full."]),
        ("- The moon is full. `left` becomes `4`.", ["The moon is full."]),
        ("- `left` becomes `4`, and then `steps` becomes `1`.", []),
        ("- Nobody knows what `left` does with `7`.", ["Nobody knows what `left` does with `7`."]),
    ],
)
def test_what_gives_no_claim_is_unread_text_with_its_place(
    sentence: str, unread: list[str]
) -> None:
    text = f"### Execution Simulation\n- **First Iteration**:\n{sentence}\n"
    with Sandbox() as box:
        report = verify(text, Program(HALVE[0], "halvings"), Case(HALVE[1]), box, line_offset=0)
    claims = [c for c in report.claims if c.kind == "text"]
    assert [text[slice(*c.place)] for c in claims] == unread
    assert all(c.status == "unverifiable" for c in claims)
