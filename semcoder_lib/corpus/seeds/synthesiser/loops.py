"""Loops that build up a value: the accumulators and what happens to them inside."""

from __future__ import annotations

import re

from semcoder_lib.corpus.seeds.synthesiser import iteration
from semcoder_lib.corpus.seeds.synthesiser.body import Body
from semcoder_lib.corpus.seeds.synthesiser.expressions import TABLES, Expr, Stuck, fits, variable
from semcoder_lib.corpus.seeds.synthesiser.usage import WEIGHTS

EMPTY = {"int": "0", "str": "''", "float": "0.0", "bool": "False"}


def empty(kind: str) -> str:
    """The literal that a value of this type starts from."""
    if kind in EMPTY:
        return EMPTY[kind]
    if kind.startswith("dict"):
        return "{}"
    return "set()" if kind.startswith("set") else "[]"


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
