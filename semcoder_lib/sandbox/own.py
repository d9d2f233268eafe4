"""A sandbox of this process's own, for work that is spread over processes."""

from __future__ import annotations

import atexit

from semcoder_lib.sandbox.box import Sandbox
from semcoder_lib.sandbox.model import Limits

_boxes: dict[tuple[str, int], Sandbox] = {}


def own(level: str, hash_seed: int = 0) -> Sandbox:
    """This process's sandbox at a level, with one zygote and these string hashes: started once,
    closed when the process ends."""
    key = (level, hash_seed)
    if key not in _boxes:
        _boxes[key] = Sandbox(level, Limits(), workers=1, hash_seed=hash_seed)
        atexit.register(_boxes[key].close)
    return _boxes[key]
