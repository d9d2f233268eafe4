"""Makes the synthesiser's weights follow real code: measured on functions of installed packages,
never on a benchmark. Run as a module, it writes `usage.json` (the
measurement) and `weights.json` (what came out of it) beside this file."""

from __future__ import annotations

import ast
import collections
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from semcoder_lib.corpus.seeds.synthesiser import expressions, usage
from semcoder_lib.corpus.seeds.synthesiser.rules import RULES, features_of

STEP_FEATURES: dict[str, tuple[str, ...]] = {
    "step:loop": ("For",),
    "step:while": ("While",),
    "step:branch": ("If",),
    "step:attempt": ("Try",),
    "step:comprehension": ("ListComp", "GeneratorExp"),
    "comprehension:list": ("ListComp",),
    "comprehension:filter": ("ListComp",),
    "comprehension:dict": ("DictComp",),
    "comprehension:dictfilter": ("DictComp",),
    "comprehension:set": ("SetComp",),
    "comprehension:any": ("any()",),
    "comprehension:all": ("all()",),
    "comprehension:sum": ("sum()",),
    "comprehension:count": ("sum()",),
    "comprehension:join": (".join",),
    "comprehension:sorted": ("sorted()", "Lambda"),
    "comprehension:max": ("max()", "min()"),
    "comprehension:next": ("next()",),
    "accumulator:list": (".append",),
    "accumulator:set": (".add",),
    "accumulator:seen": (".add",),
    "accumulator:group": (".setdefault", ".append"),
}
_BASE = {"step:comprehension": 0.4}
_ROUNDS = 6


def shares(sources: Iterable[str]) -> dict[str, float]:
    """The share of functions that contain each construct, call of a builtin, or method."""
    counts: collections.Counter[str] = collections.Counter()
    total = 0
    for source in sources:
        counts.update(set(features_of(ast.parse(source))))
        total += 1
    return {name: n / max(1, total) for name, n in counts.items()}


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Total variation between two tables of shares, over the features that both could have (the
    keys of `one`), each table scaled to sum 1: 0 is the same mixture, 1 nothing in common."""
    a, b = sum(one.values()) or 1.0, sum(other.get(k, 0.0) for k in one) or 1.0
    return 0.5 * sum(abs(one[k] / a - other.get(k, 0.0) / b) for k in one)


def producible() -> frozenset[str]:
    """The features that some production has."""
    found = {f for rule in RULES for f in rule.features}
    found |= {f for features in STEP_FEATURES.values() for f in features}
    return frozenset(
        found
        | {
            "AugAssign",
            "IfExp",
            "Break",
            "Continue",
            ".get",
            ".pop",
            ".insert",
            ".extend",
            ".sort",
            ".reverse",
            ".remove",
            ".update",
            "divmod()",
        }
    )


def adjusted(
    weights: dict[str, float], target: Mapping[str, float], actual: Mapping[str, float]
) -> dict[str, float]:
    """One round: each production's weight times a damped ratio of wanted to actual shares."""
    keys = {rule.key: rule.features for rule in RULES} | STEP_FEATURES
    out = {}
    for key, features in keys.items():
        known = [f for f in features if f in target]
        ratio = 1.0
        if known:
            logs = [math.log((target[f] + 0.002) / (actual.get(f, 0.0) + 0.002)) for f in known]
            ratio = math.exp(0.45 * sum(logs) / len(logs))
        old = weights.get(key, _BASE.get(key, 1.0))
        low, high = (0.15, 0.65) if key == "step:comprehension" else (0.12, 8.0)
        out[key] = round(min(high, max(low, old * ratio)), 4)
    return out


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Measures the installed packages, then fits. Takes some minutes."""
    from semcoder_lib.corpus.seeds import packages
    from semcoder_lib.corpus.seeds.synthesiser import synthesise

    own = producible()
    measured = shares(c.program.source for c in packages(seed=0))
    target = {k: round(v, 5) for k, v in measured.items() if k in own}
    weights: dict[str, float] = {}
    history = []
    for number in range(_ROUNDS):
        actual = shares(p.source for p in synthesise(1500, seed=1000 + number))
        history.append(round(distance(target, actual), 4))
        print(f"round {number}: distance {history[-1]}", file=sys.stderr)
        weights = adjusted(weights, target, actual)
        usage.WEIGHTS.clear()
        usage.WEIGHTS.update(weights)
        expressions.TABLES.clear()
        expressions.TABLES.update(expressions.tables())
    folder = Path(__file__).parent
    for name, data in (("usage.json", target), ("weights.json", weights)):
        text = json.dumps(data, indent=0, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return {"first": history[0], "last": history[-1]}


if __name__ == "__main__":
    print(json.dumps(main()))
