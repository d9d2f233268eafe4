"""How long it takes to keep benchmark items out of the corpus by their texts, beside the paper's
scorer, which compares every pair (`thefuzz.fuzz.partial_token_sort_ratio`, here through rapidfuzz,
called as thefuzz calls it). Also, how many of the pairs that it calls similar ours find."""

from __future__ import annotations

import ast
import random
import re
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from rapidfuzz import fuzz, utils

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Program
from semcoder_lib.corpus.guard import Index, load
from semcoder_lib.corpus.seeds import synthesise

SIMILAR = 90  # the paper's threshold


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--programs", type=int, default=2_000, help="synthesised ones")
    parser.add_argument(
        "--pairs", type=int, default=20_000, help="that the paper's scorer compares"
    )


def run(options: Namespace) -> dict[str, Any]:
    """Processor seconds for 32,000 programs against all items at hand."""
    items, report = load()
    if not items:
        raise UserError("no benchmark is at hand; python -m semcoder_lib data says how to get one")
    rng = random.Random(0)
    programs = list(synthesise(options.programs, 0))
    start = time.process_time()
    index = Index(items)
    built = time.process_time() - start
    start = time.process_time()
    for program in programs:
        index.repeated(program)
    ours = (time.process_time() - start) / len(programs)
    texts = [utils.default_process(item.source) for item in items]
    pairs = [(rng.choice(programs).source, rng.choice(texts)) for _ in range(options.pairs)]
    start = time.process_time()
    for source, text in pairs:
        round(fuzz.partial_token_sort_ratio(utils.default_process(source), text))
    theirs = (time.process_time() - start) / len(pairs) * len(items)
    some = items[:: len(items) // 200 + 1]
    changed = [(_renamed(item.source, rng), item.source) for item in some]
    similar = [
        source
        for source, text in changed
        if fuzz.partial_token_sort_ratio(source, text, processor=utils.default_process) >= SIMILAR
    ]
    found = sum(bool(index.repeated(Program(source, "f"))) for source in similar)
    return {
        "items": len(items), "items_from": report, "seconds_to_index": round(built, 2),
        "seconds_ours": round(32_000 * ours, 1), "seconds_paper": round(32_000 * theirs, 1),
        "paper_over_ours": round(theirs / ours, 1), "similar": len(similar),
        "of_these_found": found,
    }  # fmt: skip


def _renamed(source: str, rng: random.Random) -> str:
    """An item with one of its variables renamed."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    name = rng.choice(sorted(node.id for node in nodes))
    return re.sub(rf"\b{name}\b", f"{name}_too", source)
