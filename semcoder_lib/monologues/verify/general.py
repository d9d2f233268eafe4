"""Claims that are not about one moment: properties of every run, and the deduction of a backward
monologue (what must have been, other inputs that fit, the choice, the check)."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

from semcoder_lib import values
from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import (
    Cannot,
    Given,
    Raises,
    equals,
    evaluate,
    literal,
    names_of,
    parse,
)
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.lockstep.reader import LINE, read_line
from semcoder_lib.monologues.verify.properties_of import TYPES, Reader, Run, Test
from semcoder_lib.monologues.verify.prose.reader import read_line as read_prose
from semcoder_lib.monologues.verify.prose.reading import Reading
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.sections import Line
from semcoder_lib.monologues.verify.stated import same_text
from semcoder_lib.monologues.verify.trials import Trials, neighbours

_BOLD = re.compile(r"^\*\*([^*]+)\*\*")
_TURN = re.compile(r"(?P<l>.+?) must be (?P<v>.+) in turn$", re.S)
_HERE = re.compile(r"(?P<l>.+?) must be (?P<v>True|False) here$", re.S)
_ADD_UP = re.compile(r"what is added to (?P<n>\w+) must add up to (?P<v>.+)$", re.S)
_TIMES = re.compile(r"this must run (?P<v>\d+) times?$")
_END_AS = re.compile(r"(?:(?P<n>\w+) (?:gets|grows|collects) .*)?must end as (?P<v>.+)$", re.S)
_BULLET = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)])\s+)*")
_RAISES = re.compile(
    r"(?:`?\w+`?|the function|it) (?:always )?raises (?:an? )?`?(\w+)`?(?: error)? (?:when|if|whenever) (.+)$",
    re.I,
)
_WHEN_RETURNS = re.compile(
    r"(?:if|when|whenever) (?P<c>.+?), (?:then )?(?:the function|it|`?\w+`?|the (?:result|output)) (?:will |always |simply |immediately |also )*(?:returns?|is|be|return)(?: also| an?| the)? (?P<v>.+)$",
    re.I,
)
_RETURNS_WHEN = re.compile(
    r"(?:the function|it|`?\w+`?) (?:will |always |simply |immediately )*(?:returns?)(?: an?| the)? (?P<v>.+?) (?:if|when|whenever) (?P<c>.+)$",
    re.I,
)
_PERMUTE = re.compile(
    r"(?:the )?order of (?:the )?(?:items|elements|characters|entries)? ?(?:of|in) `?(\w+)`? (?:does not|doesn't|never) matters?",
    re.I,
)
_AGAIN = re.compile(
    r"(?:calling|applying|running) `?(\w+)`? (?:again|twice|a second time) (?:on|to) (?:its|the) (?:own )?(?:result|output) (?:changes nothing|gives the same|makes no difference|has no effect)",
    re.I,
)
_UNUSED = re.compile(
    r"`?(\w+)`? (?:does not change|never changes|has no effect on|does not affect|does not influence|never affects) the (?:result|output)|the (?:result|output) does not depend on `?(\w+)`?",
    re.I,
)
_PURE = re.compile(
    r"(?:`?\w+`?|the function|it) (?:never changes|does not (?:change|modify|alter|mutate)|never modifies|leaves) (?:its|the) (?:arguments?|inputs?|original \w+|input \w+)(?: unchanged| alone)?",
    re.I,
)
_IMPURE = re.compile(
    r"(?:the function|it) (?:modifies|changes|mutates) (?:its|the) (?:arguments?|inputs?|original \w+|input \w+)(?: in[- ]place)?",
    re.I,
)
_EMPTY_WORDS = {"an empty string": "''", "empty string": "''", "an empty list": "[]", "empty list": "[]",
                "an empty dictionary": "{}", "empty dictionary": "{}", "an empty dict": "{}",
                "empty dict": "{}", "an empty tuple": "()", "empty tuple": "()"}  # fmt: skip
_CALLS_RETURN = re.compile(
    r"(?P<calls>\w+\(.*\))(?:,)? (?:both |all |each )?returns? (?P<v>.+)$", re.S
)
_MUST = re.compile(
    r"(?P<l>.+?) (?:must(?: have)?(?: also)?|has to|have to|needs? to|should) (?:be|been|equal|start out as) (?P<r>.+?)(?: (?P<w>before|after) \[L(?P<n>\d+)\])?$",
    re.S,
)
_HOLD = re.compile(r"(?P<l>\S+) must (?:hold|contain|include) (?P<r>.+)$", re.S)
_ONLY_WHEN = re.compile(r"\[L(\d+)\] runs only when (?P<c>.+)$", re.S)
_RETURNED = re.compile(r"(?:so )?(?P<f>\w+) returns (?P<v>.+)$", re.S)
_CHOOSE = re.compile(
    r"(?:so |let us |we )?(?:choose|pick|take|try|set|say|use)\s+(?P<b>.+)$", re.I | re.S
)
_CHECK = re.compile(
    r"(?:check|test|verify|to check|checking)\s*:?\s*(?P<c>\w+\(.*\)) (?:returns?|gives) (?P<v>.+)$",
    re.I | re.S,
)


class General:
    """Reads property bullets and deductions; decides them by runs of the program."""

    def __init__(
        self,
        walk: Cursor,
        trials: Trials,
        entry_point: str,
        arguments: tuple[Any, ...] | None,
        expected: tuple[object] | None,
    ) -> None:
        self.walk = walk
        self.ledger: Ledger = walk.ledger
        self.trials = trials
        self.entry_point = entry_point
        self.arguments = arguments
        self.expected = expected
        layout = walk.history.layout
        function = layout.functions.get(entry_point) if layout else None
        self.parameters = tuple(a.arg for a in function.args.args) if function else ()
        self.reader = Reader(self.parameters, entry_point)

    # --- properties -------------------------------------------------------------------------

    def bullet(self, text: str) -> None:
        """One line of the properties section: each of its sentences is a claim."""
        body = _unmarked(text)
        if not body.strip() or (body.rstrip().endswith(":") and len(body) < 60):
            return
        for sentence in re.split(r"(?<=[.;])\s+(?=[A-Z`])", body.strip()):
            self.property(sentence.strip())

    def property(self, sentence: str) -> None:
        """Decide one statement about every run."""
        text = re.sub(r"\s*\(held on [\d,]+ inputs?\)", "", sentence).rstrip(".").strip()
        if not text:
            return
        for decide in (self._conditional, self._invariance, self._argument):
            found = decide(text)
            if found is not None:
                verdict, evidence = found
                self.ledger.add("property", text[:120], "", verdict, evidence)
                return
        read = self.reader.read(text)
        if read is None:
            self.ledger.add("property", text[:120], "", None, "not understood")
            return
        verdict, evidence = self._always(read[2])
        self.ledger.add("property", read[0], read[1], verdict, evidence)

    def _runs(self) -> list[Run]:
        return [self._named(*run) for run in self.trials.fresh()]

    def _named(self, arguments: tuple[Any, ...], status: str, value: Any) -> Run:
        return dict(zip(self.parameters, arguments, strict=False)), status, value

    def _own_run(self) -> list[Run]:
        if self.arguments is None or self.expected is None:
            return []
        return [self._named(self.arguments, "ok", self.expected[0])]

    def _always(self, test: Test) -> tuple[bool | None, str]:
        held = 0
        for run in (*self._own_run(), *self._runs()):
            outcome = test(run)
            if outcome is False:
                return False, f"not for {_shown(run)}"
            held += outcome is True
        if held == 0:
            return None, "no run to test it on"
        return True, f"held on {held} inputs"

    def _condition(self, words: str) -> str | None:
        """A condition in words, as code over the parameters."""
        text = words.strip().rstrip(".").replace("`", "").strip()
        text = re.sub(
            r"^(?:the )?(?:input |argument |parameter |list |string |dictionary )(?=\w+ (?:is|has))",
            "",
            text,
        )
        if (
            re.match(
                r"(?:the )?(?:input|argument)(?: \w+)? is empty$", words.strip().replace("`", "")
            )
            and len(self.parameters) == 1
        ):
            text = f"{self.parameters[0]} is empty"
        for pattern, code in (
            (r"(\w+) is empty", "len({0}) == 0"),
            (r"(\w+) is not empty", "len({0}) > 0"),
            (r"(\w+) is (?:zero)", "{0} == 0"),
            (r"(\w+) is negative", "{0} < 0"),
            (r"(\w+) is positive", "{0} > 0"),
            (r"(\w+) is even", "{0} % 2 == 0"),
            (r"(\w+) is odd", "{0} % 2 == 1"),
            (r"(\w+) is an empty (?:string|list|dict|dictionary|tuple|set)", "len({0}) == 0"),
            (r"(\w+) is (?:not found|not present|not) in (\w+)", "{0} not in {1}"),
            (r"(\w+) is (?:found |present )?in (\w+)", "{0} in {1}"),
            (r"(\w+) (?:is less than|is smaller than) (-?\w+)", "{0} < {1}"),
            (r"(\w+) (?:is greater than|is larger than) (-?\w+)", "{0} > {1}"),
            (
                r"(\w+) (?:is|equals|is equal to) (-?\d+|None|True|False|'[^']*'|\"[^\"]*\")",
                "{0} == {1}",
            ),
            (r"(\w+) has (?:only )?(?:one|1|a single) (?:item|element|character)", "len({0}) == 1"),
        ):
            match = re.fullmatch(pattern, text)
            if match and match.group(1) in self.parameters:
                return code.format(*match.groups())
        node = parse(text)
        if (
            node is not None
            and isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp)
            and names_of(text) <= set(self.parameters)
        ):
            return text
        return None

    def _conditional(self, text: str) -> tuple[bool | None, str] | None:
        match = _RAISES.match(text)
        if match:
            code = self._condition(match.group(2))
            return (
                (None, "condition not understood")
                if code is None
                else self._when(code, "exception", match.group(1))
            )
        match = _WHEN_RETURNS.match(text) or _RETURNS_WHEN.match(text)
        if not match:
            return None
        code = self._condition(match.group("c"))
        words = match.group("v").strip().rstrip(".").strip("` ")
        if words.lower() in _EMPTY_WORDS:
            words = _EMPTY_WORDS[words.lower()]
        words = re.sub(
            r"^(?:an? |the )?(?:empty )?(?:list|string|dictionary|dict|tuple|value) `?(?=[\[\"'({\d])",
            "",
            words,
        )
        if code is None:
            return None, "condition not understood"
        if literal(words) is not None:
            return self._when(code, "ok", literal(words)[0])  # type: ignore[index]
        if words in self.parameters:
            return self._when(code, "ok", words, by_name=True)
        return None, "value not understood"

    def _when(
        self, code: str, status: str, value: Any, *, by_name: bool = False
    ) -> tuple[bool | None, str]:
        met = 0
        for arguments, got, result in (*self.trials.fresh(), *self.trials.edges()):
            run = self._named(arguments, got, result)
            try:
                if not evaluate(code, Given(run[0])):
                    continue
            except (Cannot, Raises):
                continue
            met += 1
            wanted = run[0][value] if by_name else value
            if got != status or not equals(wanted, result):
                return False, f"not for {_shown(run)}"
        return (True, f"held on {met} inputs") if met else (None, "no run met the condition")

    def _invariance(self, text: str) -> tuple[bool | None, str] | None:
        match = _PERMUTE.match(text)
        if match and match.group(1) in self.parameters:
            return self._permuted(self.parameters.index(match.group(1)))
        match = _AGAIN.match(text)
        if match:
            return self._idempotent()
        match = _UNUSED.search(text)
        name = (match.group(1) or match.group(2)) if match else None
        if name in self.parameters:
            return self._irrelevant(self.parameters.index(name))
        return None

    def _pairs(
        self, changed: list[tuple[tuple[Any, ...], tuple[Any, ...]]]
    ) -> tuple[bool | None, str]:
        """Whether both calls of each pair end the same way."""
        flat = [arguments for pair in changed for arguments in pair]
        outcomes = self.trials.run(flat)
        held = 0
        for number, (first, second) in enumerate(changed):
            a, b = outcomes[2 * number], outcomes[2 * number + 1]
            if "unknown" in (a[0], b[0]):
                continue
            if a[0] != b[0] or not equals(a[1], b[1]):
                return (
                    False,
                    f"differs for {values.encode(first)[:80]} and {values.encode(second)[:80]}",
                )
            held += 1
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")

    def _permuted(self, place: int) -> tuple[bool | None, str]:
        pairs = []
        for arguments, status, _ in self.trials.fresh():
            value = arguments[place] if place < len(arguments) else None
            if status == "ok" and isinstance(value, list | tuple | str) and len(value) > 1:
                for turned in (value[::-1], _rotated(value)):
                    pairs.append((arguments, (*arguments[:place], turned, *arguments[place + 1 :])))
        return self._pairs(pairs[:24])

    def _irrelevant(self, place: int) -> tuple[bool | None, str]:
        known = [a for a, status, _ in self.trials.fresh() if status == "ok" and place < len(a)]
        pairs = []
        for number, arguments in enumerate(known[:12]):
            other = known[(number + 1) % len(known)][place]
            for varied in neighbours([(arguments[place],), (other,)], 3)[1:]:
                pairs.append((arguments, (*arguments[:place], varied[0], *arguments[place + 1 :])))
        return self._pairs(pairs[:24])

    def _idempotent(self) -> tuple[bool | None, str]:
        runs = [(a, v) for a, status, v in self.trials.fresh() if status == "ok" and a]
        outcomes = self.trials.run([(v, *a[1:]) for a, v in runs])
        held = 0
        for (arguments, value), (status, again) in zip(runs, outcomes, strict=True):
            if status == "unknown":
                continue
            if status != "ok" or not equals(value, again):
                return False, f"not for {values.encode(arguments)[:100]}"
            held += 1
        return (True, f"held on {held} inputs") if held else (None, "no run to test it on")

    def _argument(self, text: str) -> tuple[bool | None, str] | None:
        pure = _PURE.match(text)
        if pure or _IMPURE.match(text):
            changed = self._changed_arguments()
            if changed is None:
                return None, "no trace"
            return (not changed) if pure else (True if changed else None), ", ".join(changed)
        kinds = "|".join(TYPES)
        match = re.match(
            rf"(?:the )?(?:function (?:expects|takes|requires|assumes)(?: that)? )?(?:the )?(?:input |parameter |argument )?(?:`(?P<n>\w+)`|(?P<i>input|argument))? ?(?:(?:is|are|must be|should be|to be|has to be|can be|is expected to be|is assumed to be|parameter must be) )?(?:an? )?(?:non-empty |valid )?(?P<t>{kinds})(?: of (?P<o>{kinds}))?(?: \([^)]*\))?(?: (?:as (?:an )?input|input))?$",
            text,
            re.I,
        )
        if not match:
            return None
        name = match.group("n") or (self.parameters[0] if len(self.parameters) == 1 else None)
        if name not in self.parameters or self.arguments is None:
            return None
        runs = [r for r in (*self._own_run(), *self._runs()) if r[1] == "ok"]
        allowed = (
            TYPES[match.group("t")]
            if match.group("t") in TYPES
            else TYPES[match.group("t").lower()]
        )
        inner = TYPES.get(match.group("o") or "")
        for run in runs:
            value = run[0].get(name)
            if not isinstance(value, allowed) or (
                isinstance(value, bool) and bool not in allowed and int in allowed
            ):
                return False, f"{name} is a {type(value).__name__}"
            if inner and not all(isinstance(x, inner) for x in list(value)):  # type: ignore[call-overload]
                return False, f"items of {name} differ"
        return (True, f"held on {len(runs)} inputs") if runs else (None, "no run")

    def _changed_arguments(self) -> list[str] | None:
        """Parameters whose object the traced run changed (a new object under the name is none)."""
        history = self.walk.history
        entry = history.entry
        layout = history.layout
        if entry is None or layout is None:
            return None
        changed = []
        rebound: dict[str, int] = {}
        for index in entry.steps:
            step = history.steps[index]
            if step.event == "call":
                continue
            statement = layout.statements.get(history.line(index))
            stored = (
                {
                    n.id
                    for n in ast.walk(statement)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
                if statement
                else set()
            )
            for change in step.changes:
                if change.name in stored and not isinstance(statement, ast.AugAssign):
                    rebound.setdefault(change.name, index)
                elif (
                    change.name in self.parameters
                    and change.name not in rebound
                    and not isinstance(statement, ast.AugAssign)
                ):
                    changed.append(change.name)
        return changed

    # --- deduction --------------------------------------------------------------------------

    def deduction(self, lines: Sequence[Line], reading: Reading) -> None:
        """The lines of a backward section; what its own patterns do not read goes to `prose`."""
        checking = False
        reading.begin("deduction")
        for line in lines:
            self.ledger.place = (line.start, line.start + len(line.text))
            bare = _unmarked(line.text).replace("`", "").strip()
            match = LINE.match(bare)
            if checking and match:
                read_line(self.walk, int(match.group(1)), match.group(2), self.ledger.place)
                continue
            if match and re.match(r"\[L\d+\] runs only when", match.group(2)):
                self._only_when(match.group(2))
                continue
            body = match.group(2) if match else bare
            if body.rstrip().lower().rstrip(":") in ("check", "checking"):
                checking = True
                continue
            known = self._sentence(body, int(match.group(1)) if match else None)
            if _CHECK.match(body):
                checking = True
            if not known:
                read_prose(reading, line.text, line.start)

    def _sentence(self, text: str, label: int | None) -> bool:
        body = text.strip()
        if body.endswith("."):
            body = body[:-1]
        match = _CHECK.match(body)
        if match:
            self._run_fact(match.group("c"), match.group("v"))
            return True
        choose = _CHOOSE.match(body)
        if choose and self._choice(choose.group("b")):
            return True
        _, _, rest = body.partition(": ")
        for part in (body, rest):
            match = _CALLS_RETURN.match(part)
            if match and self._run_facts(match.group("calls"), match.group("v")):
                return True
        match = _ONLY_WHEN.search(body)
        if match:
            return self._only_when(match.group(0))
        if label is not None and self._at_line(rest or body, self.walk.resolve(label)):
            return True
        handled = False
        for part in pieces.split(rest or body, ", so ", "; ", ", and so "):
            part = re.sub(r"^(?:so|then|thus) ", "", part)
            returned = _RETURNED.match(part)
            must = _MUST.match(part)
            hold = _HOLD.match(part)
            if returned and returned.group("f") == self.entry_point:
                verdict = (
                    None
                    if self.expected is None
                    else same_text(returned.group("v"), _encoded(self.expected[0]))
                )
                self.ledger.add(
                    "return", self.entry_point, returned.group("v"), verdict, line=self._line(label)
                )
                handled = True
            elif must:
                handled |= self._must(must, label)
            elif hold:
                handled |= self._must_hold(hold, label)
        return handled

    def _at_line(self, text: str, line: int) -> bool:
        """What a deduction says about all visits of its line: what is added there, how often it
        runs, a condition's outcome, the values that pass through in turn."""
        history = self.walk.history
        visits = history.visits.get(line, [])
        statement = history.layout.statements.get(line) if history.layout else None
        for part in (text, text.rpartition(", so ")[2], text.rpartition(", and ")[2]):
            match = _ADD_UP.search(part)
            if match:
                name = match.group("n")
                grown = [self._grown(name, v) for v in visits]
                known = None if None in grown else sum(g for g in grown if g is not None)
                return self._enter(name, match.group("v"), known, line)
            match = _TIMES.search(part)
            if match:
                return self._enter(f"[L{line}] runs", match.group("v"), len(visits), line)
            match = _HERE.match(part)
            if match and parse(match.group("l")) is not None:
                found = [self._value(match.group("l"), history.before(v)) for v in visits]
                wanted = match.group("v") == "True"
                verdict = (
                    None
                    if not found or None in found
                    else any(bool(f[0]) is wanted for f in found if f)
                )
                self.ledger.add(
                    "constraint", match.group("l"), match.group("v"), verdict, line=line
                )
                return True
            match = _TURN.match(part)
            if match and parse(match.group("l")) is not None:
                found = [self._value(match.group("l"), history.before(v)) for v in visits]
                listed = literal(f"[{match.group('v')}]")
                verdict = None
                if listed is not None and None not in found:
                    verdict = equals(listed[0], [f[0] for f in found if f is not None])
                self.ledger.add(
                    "constraint", match.group("l"), match.group("v"), verdict, line=line
                )
                return True
            match = _END_AS.search(part)
            if match:
                match = _END_AS.search(text) or match
                name = match.group("n") or _target(statement)
                frame = history.entry
                texts = frame.changes.get(name or "", ([], []))[1] if frame else []
                verdict = same_text(match.group("v"), texts[-1]) if texts else None
                shown = (texts[-1] or "")[:200] if texts else ""
                self.ledger.add(
                    "constraint", name or "", match.group("v"), verdict, shown, line=line
                )
                return True
        return False

    def _enter(self, subject: str, value: str, actual: Any, line: int) -> bool:
        said = literal(value)
        verdict = None if said is None or actual is None else equals(said[0], actual, value)
        self.ledger.add("constraint", subject, value, verdict, repr(actual), line=line)
        return True

    def _grown(self, name: str, visit: int) -> Any:
        history = self.walk.history
        before = self._value(name, history.before(visit))
        after = self._value(name, history.state(history.settled(visit)))
        if before is None or after is None:
            return None
        try:
            return after[0] - before[0]
        except TypeError:
            return None

    def _value(self, code: str, state: Any) -> tuple[Any] | None:
        try:
            return (evaluate(code, state),)
        except (Cannot, Raises):
            return None

    def _line(self, label: int | None) -> int | None:
        return None if label is None else self.walk.resolve(label)

    def _run_facts(self, calls: str, value: str) -> bool:
        found = [c for c in pieces.split(calls, ", ", " and ") if re.match(r"\w+\(", c)]
        if not found:
            return False
        for call in found:
            self._run_fact(call, value)
        return True

    def _run_fact(self, call: str, value: str) -> None:
        """`f([4], 2) returns 10`: run it."""
        try:
            name, arguments, named = values.parse_call(call)
        except values.NotALiteral:
            self.ledger.add("constraint", call[:100], value, None, "not a call with literals")
            return
        if name != self.entry_point or named:
            self.ledger.add("constraint", call[:100], value, None, "another function")
            return
        status, result = self.trials.run([arguments])[0]
        value = value.rstrip(".")
        raised = re.match(r"(?:raises |an? )?(\w+Error|\w+Exception)", value)
        if status == "unknown":
            self.ledger.add("constraint", call[:100], value, None, "could not be run")
        elif status == "exception":
            ok = bool(raised) and raised.group(1) == result  # type: ignore[union-attr]
            self.ledger.add("constraint", call[:100], value, ok, f"raises {result}")
        else:
            stated = literal(value)
            verdict = (
                same_text(value, _encoded(result))
                if stated is None
                else equals(stated[0], result, value)
            )
            self.ledger.add("constraint", call[:100], value, verdict, _encoded(result)[:200])

    def _choice(self, text: str) -> bool:
        """`Choose nums = [10], k = 2`: the arguments of the answer."""
        if self.arguments is None:
            return False
        given = dict(zip(self.parameters, self.arguments, strict=False))
        handled = False
        for part in pieces.split(text, ", ", " and "):
            cut = pieces.find(part, " = ")
            name = part[:cut].strip() if cut > 0 else ""
            if name in given:
                verdict = same_text(part[cut + 3 :].strip(), _encoded(given[name]))
                self.ledger.add(
                    "value", name, part[cut + 3 :].strip(), verdict, _encoded(given[name])[:200]
                )
                handled = True
        return handled

    def _must(self, match: re.Match[str], label: int | None) -> bool:
        """`total must be 10 [after [L5]]`: holds when the chosen input runs."""
        left, right = match.group("l").strip(), match.group("r").strip()
        left = re.sub(r"^(?:the (?:input|argument|value of|parameter) )", "", left)
        if parse(left) is None or literal(right) is None:
            verdict = None
            if parse(left) is not None and names_of(left):
                code = self._bound_words(left, right)
                if code is not None:
                    verdict, evidence = self._somewhere(code, None, match)
                    self.ledger.add(
                        "constraint", left, right, verdict, evidence, line=self._line(label)
                    )
                    return True
            return False
        verdict, evidence = self._somewhere(left, right, match, label)
        self.ledger.add("constraint", left, right, verdict, evidence, line=self._line(label))
        return True

    def _bound_words(self, left: str, right: str) -> str | None:
        for pattern, sign in (
            (r"(?:at least|greater than or equal to|no less than) (.+)", ">="),
            (r"(?:at most|less than or equal to|no more than) (.+)", "<="),
            (r"(?:greater|larger|more|bigger) than (.+)", ">"),
            (r"(?:less|smaller|fewer) than (.+)", "<"),
            (r"equal to (.+)", "=="),
            (r"in (.+)", "in"),
            (r"one of (.+)", "in"),
        ):
            found = re.fullmatch(pattern, right)
            if found and parse(found.group(1)) is not None:
                return f"({left}) {sign} ({found.group(1)})"
        named = {"empty": f"len({left}) == 0", "even": f"({left}) % 2 == 0", "odd": f"({left}) % 2 == 1",
                 "positive": f"({left}) > 0", "negative": f"({left}) < 0", "sorted": f"sorted({left}) == list({left})"}  # fmt: skip
        return named.get(right)

    def _must_hold(self, match: re.Match[str], label: int | None) -> bool:
        left = match.group("l")
        parts = [literal(p) for p in pieces.split(match.group("r"), ", ", " and ")]
        if parse(left) is None or any(p is None for p in parts):
            return False
        code = " and ".join(f"({p[0]!r}) in ({left})" for p in parts if p is not None)
        verdict, evidence = self._somewhere(code, None, match)
        self.ledger.add(
            "constraint", left, match.group("r"), verdict, evidence, line=self._line(label)
        )
        return True

    def _somewhere(
        self, code: str, value: str | None, match: re.Match[str], label: int | None = None
    ) -> tuple[bool | None, str]:
        """Whether `code` is true (or has the value) at the place that is named, in the run of the
        chosen input: at a label's last visit, else in the arguments, else anywhere."""
        history = self.walk.history
        if not history.steps:
            return None, "no run of the chosen input"
        groups = match.groupdict()
        stated = literal(value) if value is not None else (True,)
        assert stated is not None
        states = []
        if groups.get("n"):
            line = self.walk.resolve(int(groups["n"]))
            for visit in history.visits.get(line, ()):
                states.append(
                    history.before(visit)
                    if groups["w"] == "before"
                    else history.state(history.settled(visit))
                )
        elif label is not None and history.visits.get(self._line(label) or 0):
            for visit in history.visits[self._line(label) or 0]:
                states += [history.before(visit), history.state(history.settled(visit))]
        wide = not states
        if names_of(code) <= set(self.parameters) and wide and history.entry is not None:
            states = [history.state(history.entry.steps[0])]
            wide = False
        if wide:
            states = [history.state(i) for i in range(len(history.steps))][:400]
        last = ""
        for state in states:
            try:
                actual = evaluate(code, state)
            except (Cannot, Raises):
                continue
            if equals(stated[0], actual, value or "") if value is not None else bool(actual):
                return True, _encoded(actual)[:200]
            last = _encoded(actual)[:200]
        return (False, last) if last else (None, "cannot be evaluated")

    def _only_when(self, text: str) -> bool:
        """`[L5] runs only when COND`: at every visit of that line the condition held just before
        its branch was taken."""
        match = _ONLY_WHEN.search(text)
        if not match:
            return False
        code = match.group("c").rstrip(".").strip()
        history = self.walk.history
        line = self.walk.resolve(int(match.group(1)))
        if parse(code) is None or history.layout is None:
            self.ledger.add("constraint", text[:100], "", None, "not a condition")
            return True
        verdict: bool | None = None
        evidence = f"[L{match.group(1)}] does not run"
        for visit in history.visits.get(line, ()):
            try:
                held = bool(evaluate(code, history.before(visit)))
            except (Cannot, Raises):
                continue
            verdict = held if verdict is None else verdict and held
            evidence = ""
        if verdict is None:
            verdict = self._guards(code, line)
        self.ledger.add(
            "constraint", f"[L{match.group(1)}] only when", code, verdict, evidence, line=line
        )
        return True

    def _guards(self, code: str, line: int) -> bool | None:
        """Whether the program's own text guards the line by this very condition."""
        layout = self.walk.history.layout
        wanted = parse(code)
        if layout is None or wanted is None:
            return None
        for statement in layout.statements.values():
            if isinstance(statement, ast.If | ast.While) and ast.dump(statement.test) == ast.dump(
                wanted
            ):
                last = statement.body[-1].end_lineno or 0
                if statement.body[0].lineno <= line <= last:
                    return True
        return None


def _rotated(value: Any) -> Any:
    return value[1:] + value[:1]


def _target(statement: ast.stmt | None) -> str | None:
    """The variable whose value a statement stores into."""
    node: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        node = statement.targets[0]
    elif isinstance(statement, ast.AugAssign):
        node = statement.target
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _unmarked(text: str) -> str:
    """A line without its bullet and the bold words that it starts with."""
    bullet = _BULLET.match(text)
    return _BOLD.sub(r"\1", text[bullet.end() :] if bullet else text)


def _encoded(value: Any) -> str:
    try:
        return values.encode(value)
    except values.Unserializable:
        return repr(value)


def _shown(run: Run) -> str:
    given = ", ".join(f"{k} = {_encoded(v)[:60]}" for k, v in run[0].items())
    return f"{given}: {_encoded(run[2])[:60] if run[1] == 'ok' else f'raises {run[2]}'}"
