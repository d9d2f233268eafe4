"""Splits by program family, so that near variants never straddle train and held-out."""

from __future__ import annotations

import hashlib


def split_of(family: str, *, seed: int, held_out: float) -> str:
    """ "held_out" for about the share `held_out` of all families, else "train". Depends on the
    family and the seed alone, so it is the same in a corpus of any size."""
    digest = hashlib.blake2b(f"{seed}:split:{family}".encode(), digest_size=8).digest()
    return "held_out" if int.from_bytes(digest, "big") < held_out * 2**64 else "train"
