"""Keeps benchmark items out of the corpus, by text and by behaviour."""

from semcoder_lib.corpus.decontaminate.behaviour import (
    References,
    kinds_of,
    matches,
    openings,
    references,
    request,
    suspects,
)
from semcoder_lib.corpus.decontaminate.items import Item, load
from semcoder_lib.corpus.decontaminate.text import Index

__all__ = [
    "Index",
    "Item",
    "References",
    "kinds_of",
    "load",
    "matches",
    "openings",
    "references",
    "request",
    "suspects",
]
