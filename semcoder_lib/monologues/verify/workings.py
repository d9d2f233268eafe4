"""Decides the workings of one step: identities such as `n % 5 = 4`, `5 > 0 is True`,
`so total = 4`, and spelled-out sequences such as `0:h 1:e 2:l`."""

from __future__ import annotations

import ast
import re
from typing import Any

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import (
    NO_NAMES,
    Cannot,
    Raises,
    equals,
    evaluate_node,
    literal,
    names_of,
    parse,
)
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.scene import MISSING, Scene, comprehension_values, value_of
from semcoder_lib.monologues.verify.source import expression_of, stored_base, stored_names
from semcoder_lib.monologues.verify.stated import same_text

_TRUTH = re.compile(r"(.*\S) (?:is|evaluates to|counts as) (True|False)$", re.S)
_TABLE = re.compile(r"0:\S")
_ENTRY = re.compile(r"(?:^| )(\d+):")
_WORD = re.compile(r"[A-Za-z_]\w*$")
_STILL = re.compile(r"(.+?) (?:is still|stays|remains|is now|becomes|is) (.+)$", re.S)
_LOOKING = ("index", "rindex", "find", "rfind", "count")  # methods that go through their own items
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Workings:
    """Reads the pieces of one step and enters a claim for each identity."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def read(self, text: str, scene: Scene, *, final_after: bool) -> None:
        """Decide every piece of `text`. With `final_after`, a last `N = V` about a variable that
        the step changes speaks of the moment after the step."""
        parts = pieces.split(text, ", ", "; ", ": ")
        table: str | None = None
        last_value: Any = MISSING
        store = stored_base(scene.statement)
        stores = [
            n
            for n, part in enumerate(parts)
            if store and part.removeprefix("so ").startswith(store)
        ]
        tail = len(parts)
        told: set[str] = set()
        # `x = [1], so x = []`: the first is what x was
        while tail and (name := _changed_name(parts[tail - 1], scene)) and name not in told:
            told.add(name)
            tail -= 1
        for number, part in enumerate(parts):
            result = final_after and number >= tail
            if part.startswith("so "):
                part, result = part[3:], True
            if part.startswith("and "):
                part = part[4:]
            if _TABLE.match(part) and literal(part) is None:
                table = part
                continue
            last = number == len(parts) - 1
            if table is not None:
                self._table(table, part, scene)
                table = None
            after = result or (last and final_after) or (bool(stores) and number == stores[-1])
            last_value = self._piece(part, scene, after, last_value)
        if table is not None:
            self._table(table, "", scene)

    def _piece(self, part: str, scene: Scene, after: bool, last_value: Any) -> Any:
        truth = _TRUTH.match(part)
        if truth and truth.group(1) == "that" and last_value is not MISSING:
            said = truth.group(2) == "True"
            self.ledger.add(
                "branch",
                repr(last_value)[:60],
                str(said),
                bool(last_value) is said,
                "",
                line=scene.line,
                visit=scene.visit,
            )
            return said
        if truth and parse(truth.group(1)) is not None:
            return self._truth(truth.group(1), truth.group(2) == "True", scene)
        cut = pieces.find(part, " = ", last=True)
        if cut > 0:
            return self._identity(part[:cut].strip(), part[cut + 3 :].strip(), scene, after)
        found = literal(part)
        if found is not None:
            if after and part not in ("", "."):
                self._result(part, found[0], scene)
            return found[0]
        if part.startswith("at ") and part[3:].isdigit():
            return MISSING
        match = _STILL.match(part)
        if match and (parse(match.group(1)) is not None) and literal(match.group(2)) is not None:
            return self._identity(match.group(1), match.group(2), scene, True)
        if part in ("nothing changes", "it changes nothing"):
            self.ledger.add(
                "value",
                "nothing changes",
                "",
                not scene.changed,
                "changed: " + ", ".join(sorted(scene.changed)),
                line=scene.line,
                visit=scene.visit,
            )
        return MISSING

    def _result(self, part: str, value: Any, scene: Scene) -> None:
        """`so [2, 4]`: what the expression of the statement gives."""
        node = expression_of(scene.statement)
        if node is None:
            return
        parts = [node, *(n for n in ast.walk(node) if isinstance(n, _COMPREHENSIONS))]
        known = []
        for one in parts:
            try:
                known.append(evaluate_node(one, scene.before))
            except (Cannot, Raises):
                return
        verdict = any(equals(value, actual, part) for actual in known)
        self.ledger.add(
            "value",
            ast.unparse(node),
            part,
            verdict,
            repr(known[-1])[:200],
            line=scene.line,
            visit=scene.visit,
        )

    def _truth(self, code: str, stated: bool, scene: Scene) -> Any:
        actual = self._value(code, scene.before, scene)
        verdict = None
        if actual is not MISSING and not isinstance(actual, Raises):
            verdict = bool(actual) is stated
        self.ledger.add(
            "branch", code, str(stated), verdict, _shown(actual), line=scene.line, visit=scene.visit
        )
        return stated

    def _value(self, code: str, state: State, scene: Scene) -> Any:
        if scene.bound and names_of(code) & scene.bound.keys():
            state = State(state.history, state.frame, state.index, scene.bound)
        return value_of(code, state)

    def _identity(self, left: str, right: str, scene: Scene, after: bool) -> Any:
        if pieces.find(left, " = ") > 0:  # a = b = c: each neighbour
            cut = pieces.find(left, " = ", last=True)
            middle = left[cut + 3 :].strip()
            self._identity(left[:cut].strip(), middle, scene, after)
            left = middle
        if _WORD.match(left):
            return self._variable(left, right, scene, after)
        if right.endswith(("...", "…")):
            return MISSING
        state = scene.before
        stated = value_of(right, NO_NAMES) if literal(right) is not None else self._value(
            right, state, scene
        )  # fmt: skip
        stores = after and stored_base(scene.statement)
        if stores and left.startswith(stores):
            state = scene.after
        actual = self._value(left, state, scene)
        verdict: bool | None = None
        if stated is not MISSING and actual is not MISSING:
            verdict = self._agree(stated, actual, right)
        if verdict is not True and scene.changed & names_of(left) and after:
            later = self._value(left, scene.after, scene)
            if stated is not MISSING and later is not MISSING:
                verdict = self._agree(stated, later, right)
                actual = later
        self.ledger.add(
            "value", left, right, verdict, _shown(actual), line=scene.line, visit=scene.visit
        )
        return stated

    def _agree(self, stated: Any, actual: Any, text: str) -> bool | None:
        if isinstance(actual, Raises) or isinstance(stated, Raises):
            return False
        return equals(stated, actual, text)

    def _variable(self, name: str, right: str, scene: Scene, after: bool) -> Any:
        state = scene.after if after else scene.before
        recorded = state.text(name)
        if recorded is None and not after:
            recorded = scene.after.text(name) if name in scene.changed else None
        if recorded is None:
            return self._bound(name, right, scene)
        verdict = same_text(right, recorded)
        if verdict is None and literal(right) is None:
            stated = self._value(right, scene.before, scene)
            actual = literal(recorded)
            if stated is not MISSING and actual is not None:
                verdict = self._agree(stated, actual[0], right)
        self.ledger.add(
            "value", name, right, verdict, recorded[:200], line=scene.line, visit=scene.visit
        )
        found = literal(right)
        return found[0] if found else MISSING

    def _bound(self, name: str, right: str, scene: Scene) -> Any:
        """A comprehension's variable: one of the values that it goes through."""
        found = literal(right)
        domain = comprehension_values(name, scene)
        if found is None or domain is None:
            self.ledger.add(
                "value", name, right, None, "no such variable", line=scene.line, visit=scene.visit
            )
            return MISSING
        verdict = any(equals(found[0], v) for v in domain)
        self.ledger.add(
            "value", name, right, verdict, repr(domain)[:200], line=scene.line, visit=scene.visit
        )
        scene.bound[name] = found[0]
        return found[0]

    def _table(self, table: str, following: str, scene: Scene) -> None:
        """`0:h 1:e`: places and items of the sequence that the next piece reads."""
        sequence = self._sequence(following, scene)
        marks = list(_ENTRY.finditer(table))
        verdict: bool | None = None
        evidence = ""
        if sequence is not None:
            verdict = True
            for mark, follow in zip(marks, [*marks[1:], None], strict=True):
                item = table[mark.end() : follow.start() if follow else len(table)]
                place = int(mark.group(1))
                if place >= len(sequence) or item not in (
                    str(sequence[place]),
                    repr(sequence[place]),
                ):
                    if item in ("...", "…"):
                        continue
                    verdict, evidence = False, f"item {place}"
                    break
        self.ledger.add(
            "value", "items", table[:80], verdict, evidence, line=scene.line, visit=scene.visit
        )

    def _sequence(self, following: str, scene: Scene) -> Any:
        code = following.removeprefix("so ")
        cut = pieces.find(code, " = ", last=True)
        node = parse(code[:cut].strip()) if cut > 0 else None
        if isinstance(node, ast.Subscript):
            base: ast.expr | None = node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _LOOKING:
            base = node.func.value  # type: ignore[attr-defined]
        elif isinstance(node, ast.Call) and node.args:
            base = node.args[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            base = node.func.value
        else:
            base = None
        if base is None:
            return None
        value = self._value(ast.unparse(base), scene.before, scene)
        return value if isinstance(value, str | list | tuple) else None


def _changed_name(part: str, scene: Scene) -> str:
    """The variable that the step changes and the part gives a value to, or nothing."""
    name, sign, _ = part.partition(" = ")
    name = name.removeprefix("so ").removeprefix("and ")
    changed = bool(sign) and (name in scene.changed or name in stored_names(scene.statement))
    return name if changed else ""


def _shown(value: Any) -> str:
    if value is MISSING:
        return ""
    if isinstance(value, Raises):
        return f"raises {value.args[0]}"
    return repr(value)[:200]
