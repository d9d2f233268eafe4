"""The operators of faults, as one table: what each breaks, what it matches and what it makes of it.

A reader adds a fault here. An operator's line has its name, what it breaks, an example, and what
that becomes (`;;` is the end of a line). Below it stand its rows; the phrase of a row says what is
wrong with the *buggy* program, stands in rationales and is read back from them.

- `matches | makes | phrase | where`: patterns in Python, of which `patterns` says what the capital
  letters stand for. Of several patterns that `~` separates each becomes each. `where` names a
  predicate of `patterns.WHERE`; without one the row holds everywhere.
- `old:new … | phrase`: an operator, a method (`.upper`) or a function becomes another one. It is
  short for `W old B | W new B | phrase`, `A.old(...) | A.new(...) | phrase` and so on.
- `@name | phrase`: what no pattern can say, a generator of `patterns.SEARCHES`.
"""

from __future__ import annotations

import itertools
import keyword
from dataclasses import dataclass

_TABLE = """
aliasing | The same object is used where a copy is needed | y = x[:] | y = x
  list(P) ~ dict(P) ~ set(P) ~ copy(P) ~ deepcopy(P) ~ P.copy() ~ A.copy(P) ~ A.deepcopy(P) ~ P[:] | P | this is the same object, not a copy
early_return | The return after a loop stands inside it | for i in x:;;    x = i;;return x | for i in x:;;    x = i;;    return x;;return x
  for A in B: CC;;return D | for A in B:;; CC;; return D;;return D | the return stands inside the loop, which ends in its first round
  while A: CC;;return D | while A:;; CC;; return D;;return D | the return stands inside the loop, which ends in its first round
extra_branch | A case is singled out that should not be, or a block lost its condition | if x:;;    x = 1 | x = 1
  if A: BB | BB | the block runs always, also without its condition
  for X in A: BB;;else: EE | for X in A:;; if not X: continue;; BB;;else: EE | an extra check skips values that must be handled
  @extra_check | an extra check returns None where a result is needed
integer_division | Integer division for true division, or the other way round | x / 3 | x // 3
  A / B | A // B | the division drops the fraction
  A // B | A / B | the division gives a float
loop_bound | A range begins or ends one step off, or loses its step | range(x) | range(x - 1)
  range(A) | range(A + 1) | the range stops one step too late
  range(A, B) | range(A, B + 1) | the range stops one step too late
  range(A) | range(A - 1) | the range stops one step too early
  range(A, B) | range(A, B - 1) | the range stops one step too early
  range(A) | range(1, A) | the range starts one step too late
  range(A, B) | range(A + 1, B) | the range starts one step too late
  range(A, B) | range(A - 1, B) | the range starts one step too early
  range(A, B, C) | range(A, B + 1, C) ~ range(A, B - 1, C) | the range stops at the wrong number
  range(A, B, C) | range(A + 1, B, C) ~ range(A - 1, B, C) | the range starts at the wrong number
  range(A, B, C) | range(A, B) | the range has lost its step
missing_argument | An optional argument is forgotten | sorted(x, reverse=True) | sorted(x)
  @argument_lost | an argument is missing
missing_branch | A case is not handled | if x:;;    x = 1;;else:;;    x = 2 | if x:;;    x = 1
  if A: BB;;else: CC | if A: BB | the else branch is missing
  if A: BB;;else: CC | CC | a case is not handled
  if A: BB | nothing | a case is not handled | not_alone
missing_condition | One part of a condition is forgotten | x > 1 and y | y
  A and B ~ A or B | B ~ A | a part of the condition is missing
  A and B and C | B and C ~ A and C ~ A and B | a part of the condition is missing
  A or B or C | B or C ~ A or C ~ A or B | a part of the condition is missing
missing_conversion | A value is used unconverted | int(x) + 1 | x + 1
  F(A) | A | the value is not converted
missing_filter | The condition of a comprehension is forgotten | [i for i in x if i] | [i for i in x]
  [A for B in C if D] | [A for B in C] | the comprehension lacks a filter
  {A for B in C if D} | {A for B in C} | the comprehension lacks a filter
  {A: E for B in C if D} | {A: E for B in C} | the comprehension lacks a filter
  (A for B in C if D) | (A for B in C) | the comprehension lacks a filter
missing_return | A value is computed but not returned | return x + 1 | x + 1
  return V | V | the value is computed but not returned
missing_term | One operand of a sum, difference or product is forgotten | x + y | x
  A + B | A ~ B | a term is missing
  A - B | A | a term is missing
  A * B | A ~ B | a factor is missing
negated_condition | A condition is negated, or its `not` is lost | not x | x
  not A | A | a not is missing
  if T: BB;;else: EE | if not T: BB;;else: EE | the condition is the wrong way round
  while T: BB;;else: EE | while not T: BB;;else: EE | the condition is the wrong way round
  A if T else B | A if not T else B | the condition is the wrong way round
off_by_one | A whole number is one too large or one too small | x * 3 | x * 4
  N | N + 1 | the number is one too large | counted
  N | N - 1 | the number is one too small | counted
swallowed_exception | An error is passed over that should be raised or handled | raise ValueError | pass
  raise A ~ raise A from B ~ raise | pass | the error is passed over
  return A | return None | the handler returns None | in_handler
swapped_arguments | Two arguments of a call are exchanged | pow(x, y) | pow(y, x)
  @arguments_swapped | two arguments are exchanged
swapped_branches | The two values of a conditional expression are exchanged | x if y else 1 | 1 if y else x
  A if B else C | C if B else A | the two values are exchanged
wrong_boolean | `and` for `or`, or the other way round | x and y | x or y
  and:or | one part is enough here, but all are needed
  or:and | all parts are needed here, but one is enough
wrong_boundary | A comparison includes or leaves out the boundary | x < 3 | x <= 3
  <:<= >:>= | the comparison counts the case of equality
  <=:< >=:> | the comparison leaves out the case of equality
wrong_builtin | A built-in function is mistaken for a related one | max(x) | min(x)
  sorted(A) ~ sorted(A, key=B) ~ sorted(A, reverse=B) | list(A) | this calls the wrong function
  min:max max:min any:all all:any sum:len sum:max len:sum set:list reversed:list floor:ceil ceil:floor round:int chr:str zip:enumerate | this calls the wrong function
wrong_collection_method | A method of a collection is mistaken for a similar one | x.append(y) | x.extend(y)
  A.pop() | A.pop(0) | this takes the first element
  .append:.extend .extend:.append .add:.discard .keys:.values .values:.keys .union:.intersection .intersection:.union .difference:.symmetric_difference .appendleft:.append .popleft:.pop | this calls the wrong method
wrong_comparison | A comparison goes the wrong way | x == y | x != y
  <:> <=:>= >:< >=:<= ==:!= !=:== in:not_in not_in:in is:is_not is_not:is | the comparison goes the wrong way
wrong_indentation | The last statement of a loop stands after the loop | for i in x:;;    y = i;;    x = y | for i in x:;;    y = i;;x = y
  for A in B:;; CC;; S | for A in B: CC;;S | the last statement stands after the loop, not in it | last_goes_on
wrong_index | An element is read one place off, or from the wrong end | x[y] | x[y + 1]
  A[0] | A[-1] | this reads the wrong element
  A[N] | A[0] ~ A[N + 1] | this reads the wrong element
  A[I] | A[I + 1] | this reads the next element
  A[I] | A[I - 1] | this reads the element before
wrong_initial_value | A variable starts with the wrong value | y = 0 | y = 1
  AA = 0 | AA = 1 ~ AA = -1 | this is the wrong start
  AA = 1 ~ AA = -1 ~ AA = float(A) ~ AA = A[N] | AA = 0 | this is the wrong start
  AA = True | AA = False | this is the wrong start
  AA = False | AA = True | this is the wrong start
  AA = 0.0 | AA = 1.0 | this is the wrong start
  AA = R | AA = 0.0 | this is the wrong start
  AA = '' | AA = ' ' | this is the wrong start
  AA = Q | AA = '' | this is the wrong start
  AA = [] | AA = [0] | this is the wrong start
wrong_jump | `break` for `continue`, or the other way round | for i in x:;;    continue | for i in x:;;    break
  continue | break | the break ends the loop, which should go on
  break | continue | the loop goes on where it should end | in_for
wrong_operator | An arithmetic operator is replaced by another one | x + y | x - y
  +:- -:+ *:+ %:// **:* &:| |:& ^:| <<:>> >>:<< | this uses the wrong operator
wrong_return | The wrong truth value, or a pair in the wrong order, is returned | return (x, y) | return (y, x)
  return True | return False | this is the wrong answer
  return False | return True | this is the wrong answer
  return A, B | return B, A | the pair has the wrong order
wrong_slice | A slice begins or ends one place off, or loses its step | x[1:] | x[2:]
  A[B:] | A[B + 1:] ~ A[B - 1:] ~ A[:] | this is the wrong part
  A[B:C] | A[B + 1:C] ~ A[B - 1:C] ~ A[:C] ~ A[B:C + 1] ~ A[B:C - 1] | this is the wrong part
  A[:C] | A[1:C] ~ A[:C + 1] ~ A[:C - 1] | this is the wrong part
  A[::D] | A[:] | this is the wrong part
  A[B::D] | A[B + 1::D] ~ A[B - 1::D] ~ A[::D] ~ A[B:] | this is the wrong part
  A[:C:D] | A[:C + 1:D] ~ A[:C - 1:D] ~ A[:C] | this is the wrong part
  A[B:C:D] | A[B + 1:C:D] ~ A[B - 1:C:D] ~ A[:C:D] ~ A[B:C + 1:D] ~ A[B:C - 1:D] ~ A[B:C] | this is the wrong part
wrong_string_method | A string method is mistaken for a similar one | x.upper() | x.lower()
  .upper:.lower .lower:.upper .strip:.lstrip .strip:.rstrip .lstrip:.strip .lstrip:.rstrip .rstrip:.strip .rstrip:.lstrip .startswith:.endswith .endswith:.startswith .find:.rfind .rfind:.find .index:.rindex .isdigit:.isalpha .isalpha:.isalnum .isalnum:.isalpha .isupper:.islower .islower:.isupper .title:.capitalize .capitalize:.title .capitalize:.upper .swapcase:.upper .split:.rsplit .split:.partition .rsplit:.split .partition:.rpartition .rpartition:.partition .ljust:.rjust .rjust:.ljust | this calls the wrong method
wrong_target | Two names of an unpacking are exchanged | x, y = y, x | x = y;;y = x
  A, B = B, A | A = B;;B = A | the first line overwrites a value that the second one needs
  A, B = C | B, A = C | the names are exchanged
  for A, B in C: DD;;else: EE | for B, A in C: DD;;else: EE | the names are exchanged
wrong_text | A separator or other short text is lost or changed | x.split(',') | x.split(' ')
  @other_text | this is the wrong text
wrong_update | A running value is overwritten, or moved in the wrong direction | x += y | x -= y
  A += B ~ A -= B ~ A *= B ~ A |= B ~ A //= B | A = B | the value is overwritten | not_in_while
  A += B | A -= B | the value goes the wrong way | not_in_while
  A -= B | A += B | the value goes the wrong way | not_in_while
  A *= B | A += B | the value is added, not multiplied | not_in_while
wrong_variable | A variable is read where another one is meant | x + 1 | y + 1
  @other_name | this is the wrong variable
missing_statement | A statement is missing | x += 1;;y = 2 | y = 2
  S | nothing | a statement is missing | can_be_missed
wrong_order | Two statements that depend on each other are exchanged | for i in x:;;    a = i;;    y = a | for i in x:;;    y = a;;    a = i
  S;;Z | Z;;S | two statements stand in the wrong order | depends
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Operator:
    """A named way to break a program. `about` says in a few words what it breaks; `example` is a
    statement or expression and what may become of it, in a function of `x` and `y`."""

    name: str
    about: str
    example: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table without alternatives. `makes` is empty where `matches` names a search."""

    operator: str
    matches: str
    makes: str
    phrase: str
    where: str = ""


def _sample(word: str) -> str:
    """A pattern of expressions with this operator, or of calls of this method or function."""
    if word.startswith("."):
        return f"A{word}(...)"
    words = word.split("_")
    if word.isidentifier() and not keyword.iskeyword(words[0]):
        return f"{word}(...)"
    return f"{'AA' if word in ('and', 'or') else 'W'} {' '.join(words)} B"


def _rows(operator: str, cells: list[str]) -> list[Row]:
    if len(cells) > 2:
        return [Row(operator, *way) for way in itertools.product(*(c.split(" ~ ") for c in cells))]
    first, phrase = cells
    if first.startswith("@"):
        return [Row(operator, first, "", phrase)]
    pairs = (pair.split(":") for pair in first.split())
    return [Row(operator, _sample(old), _sample(new), phrase) for old, new in pairs]


OPERATORS: dict[str, Operator] = {}
ROWS: list[Row] = []
_name = ""
for _line in _TABLE.strip().split("\n"):
    _cells = [cell.strip().replace(";;", "\n") for cell in _line.split(" | ")]
    if _line.startswith(" "):
        ROWS += _rows(_name, _cells)
    else:
        _name, _about, *_example = _cells
        OPERATORS[_name] = Operator(_name, _about, (_example[0], _example[1]))
