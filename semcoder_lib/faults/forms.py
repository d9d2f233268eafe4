"""The sentence forms of a rationale around its simulation, in the language of
`monologues.template`. The steps of the simulation are monologues' own forms.

To add a form, add a row here and what is true of its slots to `check.Reader.truths`.
"""

from __future__ import annotations

from semcoder_lib.monologues.template import Form

_SIMULATION = """
call.should    | {c:calls} should give {w:value}.                       | f(2) should give 4.
call.gives     | {c:calls} gives {v:value}, which is wrong.             | f(2) gives 5, which is wrong.
call.raises    | {c:calls} raises {k:kind}, which is wrong.             | f(2) raises KeyError, which is wrong.
"""  # noqa: E501

# Where the buggy run first does something else than the right one, and what comes of it.
_CAUSE = """
part.stays     | The runs part at {at:label}: {x:name} stays as it is, it should become {w:value}. | The runs part at [L3]: n stays as it is, it should become 4.
part.changes   | The runs part at {at:label}: {x:name} becomes {v:value}, it should stay as it is. | The runs part at [L3]: n becomes 5, it should stay as it is.
part.extra     | The runs part at {at:label}: {x:name} becomes {v:value}, it should stay {w:value}. | The runs part at [L3]: n becomes 5, it should stay 4.
part.value     | The runs part at {at:label}: {x:name} becomes {v:value}, it should become {w:value}. | The runs part at [L3]: n becomes 5, it should become 4.
part.missing   | The runs part before {at:label}: {x:name} is still {v:value}, but `{q:expr}` should make it {w:value}. | The runs part before [L3]: n is still 5, but `n -= 1` should make it 4.
part.path      | The runs part after {at:label}: this one {a:clauses}, the right one {b:clauses}. | The runs part after [L3]: this one goes to [L5], the right one goes to `n += 1`.
so.ends        | In the end {x:name} is {v:value} instead of {w:value}. | In the end n is 5 instead of 4.
cause.code     | The cause is {at:label}: {p:clauses}; `{a:expr}` should be `{b:expr}`. | The cause is [L3]: this uses the wrong operator; `a - b` should be `a + b`.
cause.before   | The cause is before {at:label}: {p:clauses}.           | The cause is before [L3]: a statement is missing.
cause          | The cause is {at:label}: {p:clauses}.                  | The cause is [L3]: a statement is missing.
so.raises      | So the call raises {k:kind} instead of giving {w:value}. | So the call raises KeyError instead of giving 4.
so.gives       | So the call gives {v:value} instead of {w:value}.      | So the call gives 5 instead of 4.
"""  # noqa: E501

# What a run does next: the clauses of `part.path`.
_NEXT = """
next.returns   | returns {v:value} from {f:name}                        | returns 5 from f
next.raises    | raises {k:kind}                                        | raises KeyError
next.calls     | calls {f:name}                                         | calls f
next.line      | goes to {at:label}                                     | goes to [L5]
next.code      | goes to `{q:expr}`                                     | goes to `n += 1`
"""

# The edit. A block of code stands between fences.
_FIX = """
fix.line       | Replace {at:label} `{a:expr}` by `{b:expr}`.           | Replace [L3] `n -= 1` by `n += 1`.
fix.lines      | Replace {at:label} to {to:label} by:\\n```python\\n{b:rest}\\n```  | Replace [L3] to [L4] by:\\n```python\\n    n += 1\\n```
fix.more       | Replace {at:label} by:\\n```python\\n{b:rest}\\n```     | Replace [L3] by:\\n```python\\n    n += 1\\n    k = 0\\n```
fix.insert     | Insert before {at:label}:\\n```python\\n{b:rest}\\n```  | Insert before [L3]:\\n```python\\n    n += 1\\n```
fix.removed    | Remove {at:label} to {to:label}.                       | Remove [L3] to [L4].
fix.remove     | Remove {at:label}.                                     | Remove [L3].
"""  # noqa: E501

SECTIONS = ("### Execution Simulation", "### Root Cause Analysis", "### Bug Fixing")


def _table(rows: str) -> dict[str, Form]:
    parts = [[cell.strip() for cell in row.split(" | ")] for row in rows.strip().split("\n")]
    return {
        name: Form(name, *(cell.replace("\\n", "\n") for cell in cells)) for name, *cells in parts
    }


SIMULATION, CAUSE, NEXT, FIX = map(_table, (_SIMULATION, _CAUSE, _NEXT, _FIX))
FORMS = {**SIMULATION, **CAUSE, **NEXT, **FIX}
