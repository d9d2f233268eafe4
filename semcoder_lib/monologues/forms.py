"""The table of sentence forms: everything that a derived monologue can say.

Writers format these rows, the verifier reads them back, and decides each slot by evidence of its
own. To add a form, add a row here and its decider in `verify`; a test asks for both.

`LINES` are sentences about one step, after its label. `PIECES` are the parts of a working, which
`{w:work}` in a line stands for. `DEDUCTION`, `PROPERTIES`, `SUMMARY` and `CONCLUSION` are sentences
of the other sections. Within a group the first row that fits a text is the one that reads it.
"""

from __future__ import annotations

from semcoder_lib.monologues.template import Form

_LINES = """
call.with       | {f:name} is called with {b:binds}.                    | f is called with n = 4, k = 2.
call            | {f:name} is called.                                   | f is called.
calls           | calls {g:names}.                                      | calls g and h.
loop.head       | the loop: {r:rest}                                    | the loop: 3 items, #1 4, #2 7, #3 6.
back            | back in {f:name}: {r:rest}                            | back in f: y = 4.
ends            | {f:name} ends and returns {v:value}.                  | f ends and returns None.
returns.worked  | {w:work}, so {f:name} returns {v:value}.              | 4 + 1 = 5, so f returns 5.
returns         | {f:name} returns {v:value}.                           | f returns 5.
raises.out      | raises {k:kind}, so {f:name} raises {k2:kind}.        | raises KeyError, so f raises KeyError.
raises          | raises {k:kind}, so {to:next}.                        | raises KeyError, so [L5].
jump            | {j:jump}, so {to:next}.                               | break, so [L9].
pass            | pass.                                                 | pass.
handler.takes   | it matches, so {to:next}.                             | it matches, so [L6].
handler.leaves  | it does not match, so {to:next}.                      | it does not match, so [L8].
loop.none       | 0 items, so the body never runs, so {to:next}.        | 0 items, so the body never runs, so [L9].
loop.over       | no items are left after {n:int} iteration{s:plural}, so {to:next}. | no items are left after 3 iterations, so [L9].
loop.items      | {n:int} item{s:plural}, {l:listing}.                  | 3 items, #1 'a', #2 'b', #3 'z'.
loop.count      | {n:int} item{s:plural}.                               | 3 items.
loop.start      | the loop starts.                                      | the loop starts.
loop.turn       | iteration #{k:int}: {b:binds}.                        | iteration #2: i = 1, n = 7.
while.turn      | iteration #{k:int}: {r:rest}                          | iteration #2: 3 < 4 is True, so [L5].
while.end       | it is {t:truth} after {n:int} iteration{s:plural}, so {to:next}. | it is False after 2 iterations, so [L9].
while.over      | {w:work} after {n:int} iteration{s:plural}, so {to:next}. | 4 < 4 is False after 2 iterations, so [L9].
rows.one        | iteration #{a:int} repeats {ls:labels}: {r:rows}.     | iteration #9 repeats [L4], [L5]: #9 i = 8.
rows            | iterations #{a:int} to #{z:int} repeat {ls:labels}: {r:rows}. | iterations #9 to #10 repeat [L4], [L5]: #9 i = 8; #10 i = 9, total = 18.
elided.after    | iterations #{a:int} to #{z:int} go through {ls:labels}; after them {b:binds}. | iterations #21 to #40 go through [L4], [L5]; after them i = 39, total = 273.
elided          | iterations #{a:int} to #{z:int} go through {ls:labels}. | iterations #21 to #40 go through [L4].
calls.one.gave  | the call of {g:name} goes through {ls:labels}; returned: {v:value}. | the call of fib goes through [L2], [L3]; returned: 1.
calls.one       | the call of {g:name} goes through {ls:labels}. | the call of fib goes through [L2], [L3].
calls.same.gave | {n:int} calls of {g:names} go through {ls:labels}; returned: {vs:values}. | 2 calls of fib go through [L2], [L3]; returned: 1, 0.
calls.same      | {n:int} calls of {g:names} go through {ls:labels}. | 2 calls of fib go through [L2], [L3].
defined         | {f:name} is defined.                                  | inner is defined.
unchanged       | nothing changes.                                      | nothing changes.
branch.bare     | it is {t:truth}, so {to:next}.                        | it is True, so [L4].
set.onward      | {b:binds}, so {to:next}.                              | x = 1, so [L3].
branch          | {w:work}, so {to:next}.                               | 0 == 0 is True, so [L5].
onward          | so {to:next}.                                         | so [L3].
set.returns     | {b:binds}, {f:name} returns {v:value}.                | x = 1, f returns 1.
set.worked      | {w:work}, so {b:binds}.                               | 4 + 2 = 6, so total = 6.
set             | {b:binds}.                                            | total = 0.
"""

# A word like `total` stands for a variable, `V` for a value. `{t:table}` lists a sequence by place:
# `0:h 1:e` of 'he', densely `0h1e`; `{a:spelled}` spells it: `h e`.
_PIECES = """
division        | {a:value} = {q:expr}, so {e:expr} = {v:value}         | 14 = 5 * 2 + 4, so 14 % 5 = 4
sum             | {c:sums}, so {e:expr} = {v:value}                     | 1 + 2 = 3, 3 + 4 = 7, so sum(nums) = 7
places          | {t:table}; {p:value} at {n:places}, so {e:expr} = {v:value} | 0a1'-'2b; '-' at 1, so s.find('-') = 1
nowhere         | {t:table}; no {p:value}, so {e:expr} = {v:value}      | 0a1b; no '-', so s.find('-') = -1
table           | {t:table}, so {e:expr} = {v:value}                    | 0:h 1:e, so s[1] = 'e'
table.bare      | {t:table}                                             | 0:h 1:e 2:l
backwards       | {a:spelled} backwards is {b:spelled}, so {e:expr} = {v:value} | h e backwards is e h, so s[::-1] + t = 'eh'
backwards.bare  | {a:spelled} backwards is {b:spelled}                  | h e backwards is e h
becomes         | {a:spelled} becomes {b:spelled}, so {e:expr} = {v:value} | h e becomes H E, so s.upper() = 'HE'
becomes.bare    | {a:spelled} becomes {b:spelled}                       | h e becomes H E
pads            | {n:int} character{s:plural} and {k:int} more, so {e:expr} = {v:value} | 2 characters and 3 more, so s.zfill(5) = '000ab'
trims           | {n:int} off the left and {k:int} off the right, so {e:expr} = {v:value} | 1 off the left and 0 off the right, so s.strip() = 'ab'
all.are         | each of {a:spelled} is, so {e:expr} is {b:truth}      | each of 1 2 is, so s.isdigit() is True
not.all         | {x:value} at {n:int} is not, so {e:expr} is {b:truth} | 'a' at 1 is not, so s.isdigit() is False
cased           | {a:spelled} in that case is {b:spelled}, so {e:expr} is {v:truth} | h E in that case is H E, so s.isupper() is False
ends.with       | there stands {x:value}, so {e:expr} is {b:truth}      | there stands 'he', so s.startswith('he') is True
cut.there       | there stands {x:value}, so {e:expr} = {v:value}       | there stands 'he', so s.removeprefix('he') = 'llo'
joined          | {q:expr} makes it, so {e:expr} = {v:value}            | 'a' + '-' + 'b' makes it, so '-'.join(parts) = 'a-b'
keyed           | keys {k:values} of {a:values}, so {e:expr} = {v:value} | keys 2, 1 of 'bb', 'a', so sorted(words, key=len) = ['a', 'bb']
counted.at      | {e:expr} = {n:int}, at {p:places}                     | s.count('a') = 2, at 0, 3
has.none        | {x:expr} has keys none                                | seen has keys none
has.keys        | {x:expr} has keys {ks:values}                         | seen has keys 2, 7
has.items       | {x:expr} has items {ks:values}                        | counts has items ('a', 1), ('b', 2)
has.last        | the last of {x:expr} is {v:value}                     | the last of xs is 7
last            | {e:expr} = {v:value}, the last                        | xs[-1] = 7, the last
was             | {e:expr} was {v:value}                                | xs[0] was 3
each            | {b:binds}: {p:parts}                                  | n = 1: 1 % 2 = 1, 1 == 0 is False, skipped
so              | so {v:value}                                          | so [2, 4]
counts          | {v:value} counts as {b:truth}                         | [1] counts as True
truth           | {e:expr} is {b:truth}                                 | 0 == 0 is True
equal           | {e:expr} = {v:value}                                  | 4 + 2 = 6
"""

_DEDUCTION = """
goal.reach      | {f:name} returns {v:value}, so {to:label} must be reached. | f returns 1, so [L4] must be reached.
goal.bound      | {f:name} returns {v:value}, so {c:bounds}; {b:rest}   | f returns [1, 2], so sorted(xs) must be [1, 2]; xs can be [1, 2].
goal            | {f:name} returns {v:value}, so {b:rest}               | f returns 10, so total must be 10.
test            | {e:expr} must be {t:truth} here.                      | n % k == 0 must be True here.
bound           | so {c:bounds}; {b:rest}                               | so s.upper() must be 'AB'; s can be 'ab'.
must            | so {b:rest}                                           | so n must be 4.
choose          | Choose {b:binds}.                                     | Choose n = 4, k = 2.
choose.none     | Choose no argument.                                   | Choose no argument.
check           | Check: {c:calls} returns {v:value}.                   | Check: f(4) returns 10.
checking        | Check:                                                | Check:
"""

# What is asked where the earlier state is not determined.
_BOUNDS = """
bound.value     | {x:expr} must be {v:value}                            | a + b must be 5
"""

_PROPERTIES = """
identity        | The result always equals {x:name}.                    | The result always equals nums.
permutation     | The result is always a permutation of {x:name}.       | The result is always a permutation of nums.
sorted          | The result is always sorted in {o:order} order.       | The result is always sorted in ascending order.
distinct        | The result never repeats an item.                     | The result never repeats an item.
length.same     | The result always has as many items as {x:name}.      | The result always has as many items as nums.
length.most     | The result never has more items than {x:name}.        | The result never has more items than nums.
length.least    | The result always has at least as many items as {x:name}. | The result always has at least as many items as nums.
subset          | The result always holds only items of {x:name}.       | The result always holds only items of nums.
range.of        | The result is always one of {vs:values}.              | The result is always one of 0, 1.
range.least     | The result is always at least {v:value}.              | The result is always at least 0.
type            | The result is always {t:types}.                       | The result is always a list or None.
items           | Every item of the result is {t:types}.                | Every item of the result is an int.
"""

_SUMMARY = """
takes.none.does | {f:name} takes nothing. It {c:clauses}.               | f takes nothing. It returns 1.
takes.does      | {f:name} takes {p:values}. It {c:clauses}.            | f takes n and k. It goes over nums and returns total.
takes.none      | {f:name} takes nothing.                               | f takes nothing.
takes           | {f:name} takes {p:values}.                            | f takes n and k.
"""
_CLAUSES = """
over            | goes over {e:expr}                                    | goes over nums
loop            | runs a loop                                           | runs a loop
while           | repeats while {e:expr}                                | repeats while n != 1
repeat          | repeats a loop                                        | repeats a loop
early           | leaves early if {e:expr}                              | leaves early if n < 2
result          | returns the result                                    | returns the result
gives           | returns {e:expr}                                      | returns total
"""
_CONCLUSION = """
concludes.call  | {c:calls} returns {v:value}.                          | f(4) returns 10.
concludes       | {f:name} returns {v:value}.                           | f returns 10.
"""


# Titles of sections, by what stands under them. Another title is text that says nothing checkable.
HEADINGS = {
    "function": "Understanding the Function",
    "properties": "Key Properties and Constraints",
    "simulation": "Execution Simulation",
    "deduction": "Reverse Deduction",
    "conclusion": "Conclusion",
}


def heading(kind: str) -> str:
    """The line that opens a section."""
    return f"### {HEADINGS[kind]}\n"


def _table(rows: str) -> dict[str, Form]:
    parts = [[cell.strip() for cell in row.split(" | ")] for row in rows.strip().split("\n")]
    return {name: Form(name, template, example) for name, template, example in parts}


LINES = _table(_LINES)
PIECES = _table(_PIECES)
DEDUCTION = _table(_DEDUCTION)
BOUNDS = _table(_BOUNDS)
PROPERTIES = _table(_PROPERTIES)
SUMMARY = _table(_SUMMARY)
CLAUSES = _table(_CLAUSES)
CONCLUSION = _table(_CONCLUSION)

GROUPS = {
    "lines": LINES,
    "pieces": PIECES,
    "deduction": DEDUCTION,
    "bounds": BOUNDS,
    "properties": PROPERTIES,
    "summary": SUMMARY,
    "clauses": CLAUSES,
    "conclusion": CONCLUSION,
}


def say(name: str, **values: str) -> str:
    """A sentence of the form `name` of lines, pieces or deductions."""
    form = LINES.get(name) or PIECES.get(name) or DEDUCTION.get(name) or BOUNDS[name]
    return form.say(**values)
