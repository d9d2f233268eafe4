"""A small local page: paste a function and a call, see its execution in words, checked.

The page needs the extra `demo` (`pip install "semcoder-lib[demo]"`); `explain`, `check` and
`debug`, which do its work, need no more than the library.
"""

from semcoder_lib.run.demo.work import Debugged, Explained, Text, check, debug, explain

__all__ = ["Debugged", "Explained", "Text", "check", "debug", "explain"]
