# ruff: noqa: E501  (tables of code and English)
"""Steps of a function body. Each takes a pending value and leaves a new one."""

from __future__ import annotations

import re
from collections.abc import Callable

from semcoder_lib.seeds.synthesiser import iteration
from semcoder_lib.seeds.synthesiser.body import Body
from semcoder_lib.seeds.synthesiser.expressions import RESULTS, TABLES, Expr, Stuck, fits, variable
from semcoder_lib.seeds.synthesiser.usage import WEIGHTS

EMPTY = {"int": "0", "str": "''", "float": "0.0", "bool": "False"}


def empty(kind: str) -> str:
    """The literal that a value of this type starts from."""
    if kind in EMPTY:
        return EMPTY[kind]
    if kind.startswith("dict"):
        return "{}"
    return "set()" if kind.startswith("set") else "[]"


def assign(body: Body) -> None:
    """`words = text.split()`: an expression under a new name, or the same name again."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    made = value_about(body, main)
    if made.kind == main.kind and draw.chance(0.5) and main.code not in body.owned:
        body.line(f"{main.code} = {made.code}")
        body.say(f"replace {main.english} by {made.english}.")
        body.used(made)
        body.made(main.code, made.kind)
        return
    name = draw.local(made.kind)
    body.line(f"{name} = {made.code}")
    body.say(f"let `{name}` be {made.english}.")
    body.used(made)
    body.made(name, made.kind)


def value_about(body: Body, main: Expr) -> Expr:
    """A rule or a comprehension about a value."""
    draw = body.draw
    scope = body.others(main)
    if main.kind in iteration.ITERABLE and draw.chance(WEIGHTS.get("step:comprehension", 0.4)):
        return iteration.comprehension(draw, main, scope)
    kinds = [k for k in RESULTS.get(main.kind, ()) if k != "bool" or draw.chance(0.25)]
    if not kinds:
        raise Stuck
    return draw.about(main, draw.rng.choice(kinds) if draw.chance(0.5) else "", scope)


ACCUMULATORS = ("int", "int", "list", "list", "list", "str", "dict", "dict", "group", "set", "best",
                "seen")  # fmt: skip


def loop(body: Body) -> None:
    """A `for` loop that builds up a value from the elements of a pending one."""
    draw = body.draw
    over = [p for p in body.pending if p.kind in iteration.ITERABLE]
    over = over or [p for p in body.pending if p.kind == "int"]
    if not over:
        raise Stuck
    main = draw.rng.choice(over)
    kind = draw.rng.choices(
        ACCUMULATORS, [WEIGHTS.get(f"accumulator:{k}", 1.0) for k in ACCUMULATORS]
    )[0]
    it = iteration.over(draw, main, body.others(main), loop=True)
    inner = _Inner(body, it)
    getattr(inner, f"into_{kind}")()
    unread = [b.code for b in it.bound if b.code.isidentifier() and not inner.mentions(b.code)]
    if unread and ", " in it.target:
        raise Stuck  # a position or a part of a pair that nothing reads
    for at, text in inner.before:
        body.line(text, at)
    body.line(f"{it.header}:")
    for at, text in inner.lines:
        body.line(text, at + 1)
    body.say(f"{inner.opening}; then, for {it.english}: {'; '.join(inner.phrases)}.")
    body.pending = [p for p in body.pending if p.code not in (it.uses | inner.uses)]
    body.made(inner.name, inner.kind, owned=inner.kind[:4] in ("list", "dict"))


class _Inner:
    """The inside of a loop: an accumulator, an optional condition, the update."""

    def __init__(self, body: Body, it: iteration.Iteration) -> None:
        self.body = body
        self.draw = body.draw
        self.it = it
        self.bound = list(it.bound)
        self.scope = body.others()
        self.before: list[tuple[int, str]] = []
        self.lines: list[tuple[int, str]] = []
        self.phrases: list[str] = []
        self.uses: frozenset[str] = frozenset()
        self.name, self.kind, self.opening = "", "", ""

    def mentions(self, name: str) -> bool:
        """Whether the loop's inside reads a variable."""
        return any(re.search(rf"\b{name}\b", text) for _, text in self.lines)

    def start(self, kind: str, value: str = "") -> None:
        self.kind = kind
        self.name = self.draw.local(kind)
        text = value or empty(kind)
        self.before.append((0, f"{self.name} = {text}"))
        self.opening = f"start with `{self.name}` as {_spoken_empty(text)}"

    def value(self, kind: str) -> Expr:
        """An expression about the element, with a local name in between now and then."""
        draw = self.draw
        if draw.chance(0.12) and self.bound[0].kind in TABLES_FROM:
            through = draw.rng.choice(("int", "str"))
            if (through, kind) in TABLES and (self.bound[0].kind, through) in TABLES:
                first = draw.about(self.bound[0], through, self.scope, 0)
                if " if " in first.code:
                    raise Stuck
                value = draw.about(variable("?", through), kind, [], 0)
                name = draw.local(through)
                self.uses |= first.uses
                self.lines.append((0, f"{name} = {first.code}"))
                self.phrases.append(f"let `{name}` be {first.english}")
                return Expr(
                    value.code.replace("?", name), value.english.replace("`?`", f"`{name}`"),
                    kind, value.uses - {"?"} | {name}, value.atomic,
                )  # fmt: skip
        made = iteration.element_value(draw, tuple(self.bound), kind, self.scope)
        self.uses |= made.uses
        return made

    def test(self) -> Expr:
        subject = self.bound[-1] if self.draw.chance(0.3) else self.bound[0]
        rest = [b for b in self.bound if b.code != subject.code]
        made = self.draw.predicate(subject, rest + self.scope)
        self.uses |= made.uses
        return made

    def put(self, update: str, phrase: str, other: tuple[str, str] | None = None) -> None:
        """The update, perhaps under a condition; `other` is an update for the other case."""
        roll = self.draw.rng.random()
        plain = WEIGHTS.get("loop:plain", 0.35)
        if roll < plain:
            self.lines.append((0, update))
            self.phrases.append(phrase)
            return
        test = self.test()
        if other and roll > 0.72:
            self.lines += [(0, f"if {test.code}:"), (1, update), (0, "else:"), (1, other[0])]
            self.phrases.append(f"if {test.english}, {phrase}, else {other[1]}")
        elif roll < plain + 0.1:
            word, keyword = ("skip it", "continue") if self.draw.chance(0.8) else ("stop", "break")
            self.lines += [(0, f"if {test.code}:"), (1, keyword), (0, update)]
            self.phrases += [f"if {test.english}, {word}", phrase]
        else:
            self.lines += [(0, f"if {test.code}:"), (1, update)]
            self.phrases.append(f"if {test.english}, {phrase}")

    def into_int(self) -> None:
        self.start("int", self.draw.rng.choice(("0", "0", "0", "1")))
        name = self.name
        if self.draw.chance(0.35):
            test = self.test()
            self.lines += [(0, f"if {test.code}:"), (1, f"{name} += 1")]
            self.phrases.append(f"if {test.english}, add 1 to `{name}`")
            if self.draw.chance(0.3):
                less = self.draw.rng.choice((f"{name} -= 1", f"{name} = 0", f"{name} += 2"))
                words = {
                    "-": f"take 1 from `{name}`",
                    "=": f"set `{name}` to 0",
                    "+": f"add 2 to `{name}`",
                }
                self.lines += [(0, "else:"), (1, less)]
                self.phrases.append(f"otherwise {words[less[len(name) + 1]]}")
            return
        value = self.value("int")
        sign = self.draw.rng.choice("+++++-")
        word = (
            f"add {value.english} to `{name}`"
            if sign == "+"
            else f"subtract {value.english} from `{name}`"
        )
        self.put(f"{name} {sign}= {value.code}", word, (f"{name} += 1", f"add 1 to `{name}`"))

    def into_str(self) -> None:
        self.start("str")
        value = self.value("str")
        name = self.name
        code, word = f"{name} += {value.code}", f"append {value.english} to `{name}`"
        if self.draw.chance(0.15):
            code, word = (
                f"{name} = {value.operand} + {name}",
                f"put {value.english} before `{name}`",
            )
        mark = self.draw.literal("ch").code
        self.put(code, word, (f"{name} += {mark}", f"append {mark} to `{name}`"))

    def into_list(self) -> None:
        element = self.draw.rng.choice(("int", "str", "int", "str", "tuple[int, int]"))
        value = self.value(element)
        self.start(f"list[{element}]")
        name = self.name
        code, word = f"{name}.append({value.code})", f"append {value.english} to `{name}`"
        if self.draw.chance(0.08):
            code, word = (
                f"{name}.insert(0, {value.code})",
                f"insert {value.english} at the front of `{name}`",
            )
        elif value.kind == "str" and self.draw.chance(0.06):
            code, word = (
                f"{name}.extend({value.operand}.split())",
                f"append the words of {value.english} to `{name}`",
            )
        other = None
        if element in EMPTY:
            bare = [b for b in self.bound if fits(b, element) and b.code != value.code]
            if bare:
                other = (f"{name}.append({bare[0].code})", f"append {bare[0].english}")
            elif self.draw.chance(0.4):
                other = (f"{name}.append({empty(element)})", f"append {empty(element)}")
        self.put(code, word, other)

    def into_set(self) -> None:
        element = self.draw.rng.choice(("int", "str"))
        value = self.value(element)
        self.start(f"set[{element}]")
        self.put(f"{self.name}.add({value.code})", f"add {value.english} to `{self.name}`")

    def into_dict(self) -> None:
        """Counting, or a table from keys to values."""
        draw = self.draw
        key_kind = draw.rng.choice(("str", "str", "int"))
        key = (
            next((b for b in self.bound if b.kind == key_kind), None) if draw.chance(0.6) else None
        )
        key = key or self.value(key_kind)
        self.uses |= key.uses
        if draw.chance(0.6):
            self.start(f"dict[{key_kind}, int]")
            name = self.name
            words = f"count {key.english} in `{name}`"
            roll = draw.rng.random()
            if roll < 0.5:
                self.put(f"{name}[{key.code}] = {name}.get({key.code}, 0) + 1", words)
            elif roll < 0.8:
                self.lines += [(0, f"if {key.code} in {name}:"), (1, f"{name}[{key.code}] += 1"),
                               (0, "else:"), (1, f"{name}[{key.code}] = 1")]  # fmt: skip
                self.phrases.append(words)
            else:
                self.lines += [(0, f"if {key.code} not in {name}:"), (1, f"{name}[{key.code}] = 0"),
                               (0, f"{name}[{key.code}] += 1")]  # fmt: skip
                self.phrases.append(words)
            return
        value_kind = draw.rng.choice(("int", "int", "str"))
        if key_kind == "int" and value_kind == "str":
            value_kind = "int"
        value = self.value(value_kind)
        if value.code == key.code:
            raise Stuck
        self.start(f"dict[{key_kind}, {value_kind}]")
        self.put(f"{self.name}[{key.code}] = {value.code}",
                 f"map {key.english} to {value.english} in `{self.name}`")  # fmt: skip

    def into_group(self) -> None:
        """Lists of elements under a key."""
        element = self.bound[0]
        held_kind = "str" if element.kind == "char" else element.kind
        if held_kind not in ("int", "str") or not element.code.isidentifier():
            raise Stuck
        key_kind = "int" if held_kind == "str" or self.draw.chance(0.5) else "str"
        key = self.value(key_kind)
        if key.code == element.code or " if " in key.code:
            raise Stuck
        self.start(f"dict[{key_kind}, list[{held_kind}]]")
        name = self.name
        if self.draw.chance(0.5):
            self.lines.append((0, f"{name}.setdefault({key.code}, []).append({element.code})"))
        else:
            held = key.code
            if not key.code.isidentifier():
                held = self.draw.name(("key", "k", "group", "bucket"))
                self.lines.append((0, f"{held} = {key.code}"))
            self.lines += [(0, f"if {held} not in {name}:"), (1, f"{name}[{held}] = []"),
                           (0, f"{name}[{held}].append({element.code})")]  # fmt: skip
        self.phrases.append(f"append {element.english} to the list of `{name}` under {key.english}")
        self.uses |= element.uses

    def into_best(self) -> None:
        """The largest or smallest so far."""
        value = self.value("int")
        self.start("int", self.draw.rng.choice(("0", "0", "-1")))
        name = self.name
        if self.draw.chance(0.5):
            self.put(f"{name} = max({name}, {value.code})",
                     f"set `{name}` to {value.english} if that is larger")  # fmt: skip
            return
        self.lines += [(0, f"if {value.code} > {name}:"), (1, f"{name} = {value.code}")]
        self.phrases.append(f"if {value.english} is greater than `{name}`, set `{name}` to it")

    def into_seen(self) -> None:
        """Elements that were there before, or were not."""
        element = self.bound[0]
        if element.kind not in ("int", "str", "char") or not element.code.isidentifier():
            raise Stuck
        key = element
        if self.draw.chance(0.4):
            key = self.value(self.draw.rng.choice(("int", "str")))
            if " if " in key.code:
                raise Stuck
        seen = self.draw.name(("seen", "known", "visited"))
        self.before.append((0, f"{seen} = set()"))
        self.start(f"list[{'str' if element.kind == 'char' else element.kind}]")
        name = self.name
        self.uses |= element.uses
        if self.draw.chance(0.65):
            self.lines += [(0, f"if {key.code} not in {seen}:"), (1, f"{seen}.add({key.code})"),
                           (1, f"{name}.append({element.code})")]  # fmt: skip
            self.phrases.append(
                f"append {element.english} to `{name}` unless {key.english} came up before"
            )
        else:
            self.lines += [(0, f"if {key.code} in {seen}:"), (1, f"{name}.append({element.code})"),
                           (0, f"{seen}.add({key.code})")]  # fmt: skip
            self.phrases.append(
                f"append {element.english} to `{name}` if {key.english} came up before"
            )


TABLES_FROM = frozenset(source for source, _ in TABLES)


def _spoken_empty(text: str) -> str:
    return {"''": "an empty string", "[]": "an empty list", "{}": "an empty dictionary",
            "set()": "an empty set"}.get(text, text)  # fmt: skip


def branch(body: Body) -> None:
    """`if … : x = … else: x = …`, or a change under a condition."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    test = draw.predicate(main, body.others(main))
    if draw.chance(0.4) and (main.kind, main.kind) in TABLES:
        made = draw.about(main, main.kind, body.others(main))
        if made.code == main.code:
            raise Stuck
        body.line(f"if {test.code}:")
        body.line(f"{main.code} = {made.code}", 1)
        body.say(f"if {test.english}, replace {main.english} by {made.english}.")
        body.used(test, made)
        body.made(main.code, main.kind)
        return
    kind = draw.rng.choice([k for k in RESULTS.get(main.kind, ()) if k != "bool"] or ["int"])
    outcomes = [draw.about(main, kind, body.others(main)) for _ in range(2)]
    tests = [test]
    if draw.chance(0.3):
        second = draw.predicate(main, body.others(main), 0)
        if second.code == test.code:
            raise Stuck
        tests.append(second)
        outcomes.append(draw.about(main, kind, body.others(main)))
    if len({o.code for o in outcomes}) < len(outcomes):
        raise Stuck
    name = draw.local(kind)
    words = []
    for place, outcome in enumerate(outcomes):
        if place < len(tests):
            body.line(f"{'if' if place == 0 else 'elif'} {tests[place].code}:")
            words.append(f"{outcome.english} if {tests[place].english}")
        else:
            body.line("else:")
            words.append(f"otherwise {outcome.english}")
        body.line(f"{name} = {outcome.code}", 1)
    body.say(f"let `{name}` be {', '.join(words)}.")
    body.used(*tests, *outcomes)
    body.made(name, kind)


def change(body: Body) -> None:
    """A method that changes a list, dictionary or set in place."""
    draw = body.draw
    fitting = [p for p in body.pending if p.kind[:4] in ("list", "dict", "set[")]
    if not fitting:
        raise Stuck
    main = draw.rng.choice(fitting)
    if main.kind.startswith("list["):
        lines, words, used = _change_list(body, main)
    elif main.kind.startswith("dict[str"):
        lines, words, used = _change_dict(body, main)
    elif main.kind.startswith("set["):
        lines, words, used = _change_set(body, main)
    else:
        raise Stuck
    for at, text in lines:
        body.line(text, at)
    body.say(f"{words}.")
    body.used(*used)
    body.made(main.code, main.kind, owned=True)


_Change = tuple[list[tuple[int, str]], str, tuple[Expr, ...]]


def _change_list(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    element = main.kind[5:-1]
    plain = element in ("int", "str", "float")
    way = draw.rng.choice(("append", "append", "insert", "extend", "reverse", "sort", "pop", "remove",
                           "pop0", "set", "clear_if", "del"))  # fmt: skip
    if way in ("append", "insert", "remove", "set") and not plain:
        way = "reverse"
    if way == "reverse":
        return [(0, f"{name}.reverse()")], f"reverse {english} in place", ()
    if way == "sort":
        if not plain:
            raise Stuck
        extra, word = draw.rng.choice((("", "ascending"), ("reverse=True", "descending")))
        return [(0, f"{name}.sort({extra})")], f"sort {english} in place, {word}", ()
    if way in ("pop", "pop0", "del"):
        code = {"pop": f"{name}.pop()", "pop0": f"{name}.pop(0)", "del": f"del {name}[0]"}[way]
        word = "last" if way == "pop" else "first"
        return (
            [(0, f"if {name}:"), (1, code)],
            f"if {english} is not empty, remove its {word} element",
            (),
        )
    if way == "clear_if":
        test = draw.predicate(main, body.others(main), 0)
        return [(0, f"if {test.code}:"), (1, f"{name}.pop()")], \
            f"if {test.english}, remove the last element of {english}", (test,)  # fmt: skip
    if way == "extend":
        others = [e for e in body.others(main) if e.kind == main.kind]
        if not others:
            raise Stuck
        other = draw.rng.choice(others)
        return (
            [(0, f"{name}.extend({other.code})")],
            f"extend {english} by {other.english}",
            (other,),
        )
    value = draw.operand(element, body.others(main), main, 1)
    if way == "append":
        return (
            [(0, f"{name}.append({value.code})")],
            f"append {value.english} to {english}",
            (value,),
        )
    if way == "insert":
        place = draw.rng.choice((0, 0, 1, 2))
        return [(0, f"{name}.insert({place}, {value.code})")], \
            f"insert {value.english} at position {place} of {english}", (value,)  # fmt: skip
    if way == "remove":
        return [(0, f"if {value.code} in {name}:"), (1, f"{name}.remove({value.code})")], \
            f"remove the first {value.english} from {english} if it is there", (value,)  # fmt: skip
    return [(0, f"if {name}:"), (1, f"{name}[0] = {value.code}")], \
        f"if {english} is not empty, set its first element to {value.english}", (value,)  # fmt: skip


def _change_dict(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    held = main.kind.removeprefix("dict[str, ")[:-1]
    key = draw.operand("str", body.others(main), main, 1)
    way = draw.rng.choice(("set", "pop", "setdefault", "update", "add", "del"))
    if held not in ("int", "str") and way != "pop":
        way = "pop"
    if way == "pop":
        return [(0, f"{name}.pop({key.code}, None)")], \
            f"remove the key {key.english} from {english} if it is there", (key,)  # fmt: skip
    if way == "del":
        return [(0, f"if {key.code} in {name}:"), (1, f"del {name}[{key.code}]")], \
            f"remove the key {key.english} from {english} if it is there", (key,)  # fmt: skip
    value = draw.operand(held, body.others(main, key), key, 1)
    if way == "update":
        return [(0, f"{name}.update({{{key.code}: {value.code}}})")], \
            f"set {key.english} to {value.english} in {english}", (key, value)  # fmt: skip
    if way == "setdefault":
        return [(0, f"{name}.setdefault({key.code}, {value.code})")], \
            f"set {key.english} to {value.english} in {english} unless it is there", (key, value)  # fmt: skip
    if way == "add" and held == "int":
        return [(0, f"{name}[{key.code}] = {name}.get({key.code}, 0) + {value.operand}")], \
            f"add {value.english} to the value of {key.english} in {english}", (key, value)  # fmt: skip
    return [(0, f"{name}[{key.code}] = {value.code}")], \
        f"set {key.english} to {value.english} in {english}", (key, value)  # fmt: skip


def _change_set(body: Body, main: Expr) -> _Change:
    draw, name, english = body.draw, main.code, main.english
    value = draw.operand(main.kind[4:-1], body.others(main), main, 1)
    way, word = draw.rng.choice(
        (("add", "add {} to {}"), ("discard", "remove {} from {} if it is there"))
    )
    return [(0, f"{name}.{way}({value.code})")], word.format(value.english, english), (value,)


def unpack(body: Body) -> None:
    """Takes a value apart into names."""
    draw = body.draw
    main = draw.rng.choice(body.pending)
    if main.kind == "tuple[int, int]":
        first, second = draw.rng.choice(
            (("a", "b"), ("x", "y"), ("low", "high"), ("left", "right"))
        )
        parts: tuple[tuple[str, str], ...] = ((first, "int"), (second, "int"))
        code, words = main.code, f"take {main.english} apart into `{first}` and `{second}`"
    elif main.kind == "tuple[str, int]":
        parts = (("name", "str"), ("number", "int"))
        code, words = main.code, f"take {main.english} apart into `name` and `number`"
    elif main.kind == "int":
        number = draw.literal("m").code
        parts = (("quotient", "int"), ("remainder", "int"))
        code = f"divmod({main.code}, {number})"
        words = f"divide {main.english} by {number} into `quotient` and `remainder`"
    elif main.kind == "str" and draw.chance(0.5):
        separator = draw.literal("sep").code
        parts = (("head", "str"), ("_", ""), ("tail", "str"))
        code = f"{main.code}.partition({separator})"
        words = f"split {main.english} at the first {separator} into `head` and `tail`"
    else:
        raise Stuck
    if any(name in draw.taken for name, _ in parts):
        raise Stuck
    draw.taken.update(name for name, _ in parts)
    body.line(f"{', '.join(name for name, _ in parts)} = {code}")
    body.say(f"{words}.")
    body.used(main)
    for name, kind in parts:
        if kind:
            body.made(name, kind)


def attempt(body: Body) -> None:
    """`try: n = int(text) except ValueError: …`"""
    draw = body.draw
    texts = [p for p in body.pending if p.kind == "str"]
    if not texts:
        raise Stuck
    main = draw.rng.choice(texts)
    name = draw.local("int")
    if draw.chance(0.6):
        doing, error, words = f"int({main.code})", "ValueError", f"{main.english} as a number"
    else:
        letter = draw.literal("ch").code
        doing, error = f"{main.code}.index({letter})", "ValueError"
        words = f"the position of {letter} in {main.english}"
    fallback = draw.rng.choice((f"len({main.code})", "-1", "0"))
    for at, text in (
        (0, "try:"),
        (1, f"{name} = {doing}"),
        (0, f"except {error}:"),
        (1, f"{name} = {fallback}"),
    ):
        body.line(text, at)
    spoken = f"the length of {main.english}" if fallback.startswith("len") else fallback
    body.say(f"let `{name}` be {words}, or {spoken} if that fails.")
    body.used(main)
    body.made(name, "int")


STEPS: dict[str, Callable[[Body], None]] = {
    "assign": assign,
    "loop": loop,
    "branch": branch,
    "change": change,
    "unpack": unpack,
    "attempt": attempt,
}
