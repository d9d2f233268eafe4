"""A small local page: paste a function and a call, get its trace and its monologue, checked.

The page itself needs the extra `demo` (`pip install "semcoder-lib[demo]"`); what it shows is made
by `examine`, `check` and `debug`, which need no more than the library and show themselves in a
notebook.
"""

from semcoder_lib.run.demo.debug import Debugged, debug
from semcoder_lib.run.demo.examine import Examined, check, examine
from semcoder_lib.run.demo.paste import Bounds, Told

__all__ = ["Bounds", "Debugged", "Examined", "Told", "check", "debug", "examine"]
