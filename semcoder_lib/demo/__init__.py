"""A small local page: paste a function and a call, get its trace and its monologue, checked.

The page itself needs the extra `demo` (`pip install "semcoder-lib[demo]"`); what it shows is made
by `examine` and `debug`, which need no more than the library.
"""

from semcoder_lib.demo.debug import Debugged, debug
from semcoder_lib.demo.examine import Examined, examine
from semcoder_lib.demo.paste import Bounds, Told

__all__ = ["Bounds", "Debugged", "Examined", "Told", "debug", "examine"]
