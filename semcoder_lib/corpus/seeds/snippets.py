"""Snippets of installed packages, for a teacher to be inspired by (paper section 3.1)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from semcoder_lib.core.records import Provenance
from semcoder_lib.corpus.seeds.packages import SOURCES, Source
from semcoder_lib.corpus.seeds.packages.sources import files
from semcoder_lib.corpus.seeds.subtrees import subtrees


@dataclass(frozen=True, slots=True)
class Seed:
    """A snippet that a teacher starts from, and where it stands."""

    id: str
    snippet: str
    provenance: Provenance = field(default_factory=Provenance)


def snippets(
    *, seed: int = 0, sources: tuple[Source, ...] = SOURCES, per_file: int = 2
) -> Iterator[Seed]:
    """Subtrees of the files that `packages` reads, up to `per_file` of each, lazily. The order
    depends on the seed and the installed versions only; every snippet parses."""
    for found in files(seed, sources):
        try:
            source = found.path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        chance = random.Random(f"{seed}:snippets:{found.package}:{found.name}")
        for number, text in enumerate(subtrees(source, chance, per_file)):
            provenance = Provenance(
                package=found.package, version=found.version, licence=found.licence,
                file=found.name, method="snippet",
            )  # fmt: skip
            yield Seed(f"{found.package}:{found.name}#{number}", text, provenance)
