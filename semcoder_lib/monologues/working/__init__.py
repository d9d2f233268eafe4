"""How a value comes about, in sub-steps that each follow from the text just before.

`Working(env).tell(node)` returns the sub-steps and the value: for `n % k == 0` with n = 14, k = 5,
`["14 = 5 * 2 + 4, so 14 % 5 = 4", "4 == 0 is False"]` and False. Indexing, slicing and counting are
spelled out position by position, since a language model sees tokens and not characters.
"""

from semcoder_lib.monologues.working import calls, operators, sequences
from semcoder_lib.monologues.working.core import SPELL_UP_TO, Working

__all__ = ["SPELL_UP_TO", "Working"]

Working.tellers.update({**operators.TELLERS, **sequences.TELLERS, **calls.TELLERS})
