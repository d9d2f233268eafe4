"""The operators of faults, as tables: what each breaks, what it matches and what it makes of it.

A reader adds a fault here. `_REWRITES` are patterns in Python: `patterns` says what the capital
letters in them stand for. `_SWAPS` exchange an operator, a method (`.upper`) or a function for
another. What no pattern can say is a generator in `searches`. The phrase says what is wrong with
the *buggy* program; it stands in rationales, and is read back from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# operator | what it breaks | an example, and what it becomes (`;;` is the end of a line)
_OPERATORS = """
aliasing | The same object is used where a copy is needed | y = x[:] | y = x
early_return | The return after a loop stands inside it | for i in x:;;    x = i;;return x | for i in x:;;    x = i;;    return x;;return x
extra_branch | A case is singled out that should not be, or a block lost its condition | if x:;;    x = 1 | x = 1
integer_division | Integer division for true division, or the other way round | x / 3 | x // 3
loop_bound | A range begins or ends one step off, or loses its step | range(x) | range(x - 1)
missing_argument | An optional argument is forgotten | sorted(x, reverse=True) | sorted(x)
missing_branch | A case is not handled | if x:;;    x = 1;;else:;;    x = 2 | if x:;;    x = 1
missing_condition | One part of a condition is forgotten | x > 1 and y | y
missing_conversion | A value is used unconverted | int(x) + 1 | x + 1
missing_filter | The condition of a comprehension is forgotten | [i for i in x if i] | [i for i in x]
missing_return | A value is computed but not returned | return x + 1 | x + 1
missing_statement | A statement is missing | x += 1;;y = 2 | y = 2
missing_term | One operand of a sum, difference or product is forgotten | x + y | x
mutated_default | A default is wrong, or is one list that all calls share | def g(a, b=0):;;    return b | def g(a, b=1):;;    return b
negated_condition | A condition is negated, or its `not` is lost | not x | x
off_by_one | A whole number is one too large or one too small | x * 3 | x * 4
swallowed_exception | An error is passed over that should be raised or handled | raise ValueError | pass
swapped_arguments | Two arguments of a call are exchanged | pow(x, y) | pow(y, x)
swapped_branches | The two values of a conditional expression are exchanged | x if y else 1 | 1 if y else x
wrong_boolean | `and` for `or`, or the other way round | x and y | x or y
wrong_boundary | A comparison includes or leaves out the boundary | x < 3 | x <= 3
wrong_builtin | A built-in function is mistaken for a related one | max(x) | min(x)
wrong_collection_method | A method of a collection is mistaken for a similar one | x.append(y) | x.extend(y)
wrong_comparison | A comparison goes the wrong way | x == y | x != y
wrong_indentation | The last statement of a loop stands after the loop | for i in x:;;    y = i;;    x = y | for i in x:;;    y = i;;x = y
wrong_index | An element is read one place off, or from the wrong end | x[y] | x[y + 1]
wrong_initial_value | A variable starts with the wrong value | y = 0 | y = 1
wrong_jump | `break` for `continue`, or the other way round | for i in x:;;    continue | for i in x:;;    break
wrong_key | A dictionary is asked for another key that the program uses | x['a'] + x['b'] | x['b'] + x['b']
wrong_operator | An arithmetic operator is replaced by another one | x + y | x - y
wrong_order | Two statements that depend on each other are exchanged | for i in x:;;    a = i;;    y = a | for i in x:;;    y = a;;    a = i
wrong_return | The wrong truth value, or a pair in the wrong order, is returned | return (x, y) | return (y, x)
wrong_slice | A slice begins or ends one place off, or loses its step | x[1:] | x[2:]
wrong_string_method | A string method is mistaken for a similar one | x.upper() | x.lower()
wrong_target | Two names of an unpacking are exchanged | x, y = y, x | x = y;;y = x
wrong_text | A separator or other short text is lost or changed | x.split(',') | x.split(' ')
wrong_update | A running value is overwritten, or moved in the wrong direction | x += y | x -= y
wrong_variable | A variable is read where another one is meant | x + 1 | y + 1
"""  # noqa: E501

# operator | matches | makes | phrase | where (a predicate of `patterns`; empty: everywhere).
# Of several patterns that `~` separates each becomes each.
_REWRITES = """
aliasing | list(P) ~ dict(P) ~ set(P) ~ copy(P) ~ deepcopy(P) ~ P.copy() ~ A.copy(P) ~ A.deepcopy(P) ~ P[:] | P | this is the same object, not a copy
early_return | for A in B: CC;;return D | for A in B:;; CC;; return D;;return D | the return stands inside the loop, which ends in its first round
early_return | while A: CC;;return D | while A:;; CC;; return D;;return D | the return stands inside the loop, which ends in its first round
extra_branch | if A: BB | BB | the block runs always, also without its condition
extra_branch | for X in A: BB;;else: EE | for X in A:;; if not X: continue;; BB;;else: EE | an extra check skips values that must be handled
integer_division | A / B | A // B | the division drops the fraction
integer_division | A // B | A / B | the division gives a float
loop_bound | range(A) | range(A + 1) | the range stops one step too late
loop_bound | range(A, B) | range(A, B + 1) | the range stops one step too late
loop_bound | range(A) | range(A - 1) | the range stops one step too early
loop_bound | range(A, B) | range(A, B - 1) | the range stops one step too early
loop_bound | range(A) | range(1, A) | the range starts one step too late
loop_bound | range(A, B) | range(A + 1, B) | the range starts one step too late
loop_bound | range(A, B) | range(A - 1, B) | the range starts one step too early
loop_bound | range(A, B, C) | range(A, B + 1, C) ~ range(A, B - 1, C) | the range stops at the wrong number
loop_bound | range(A, B, C) | range(A + 1, B, C) ~ range(A - 1, B, C) | the range starts at the wrong number
loop_bound | range(A, B, C) | range(A, B) | the range has lost its step
missing_branch | if A: BB;;else: CC | if A: BB | the else branch is missing
missing_branch | if A: BB;;else: CC | CC | a case is not handled
missing_branch | if A: BB | nothing | a case is not handled | not_alone
missing_conversion | F(A) | A | the value is not converted
missing_return | return V | V | the value is computed but not returned
missing_term | A + B | A ~ B | a term is missing
missing_term | A - B | A | a term is missing
missing_term | A * B | A ~ B | a factor is missing
negated_condition | not A | A | a not is missing
negated_condition | if T: BB;;else: EE | if not T: BB;;else: EE | the condition is the wrong way round
negated_condition | while T: BB;;else: EE | while not T: BB;;else: EE | the condition is the wrong way round
negated_condition | A if T else B | A if not T else B | the condition is the wrong way round
off_by_one | N | N + 1 | the number is one too large | counted
off_by_one | N | N - 1 | the number is one too small | counted
swallowed_exception | raise A ~ raise A from B ~ raise | pass | the error is passed over
swapped_branches | A if B else C | C if B else A | the two values are exchanged
wrong_collection_method | A.pop() | A.pop(0) | this takes the first element
wrong_indentation | for A in B:;; CC;; S | for A in B: CC;;S | the last statement stands after the loop, not in it | last_goes_on
wrong_index | A[0] | A[-1] | this reads the wrong element
wrong_index | A[N] | A[0] ~ A[N + 1] | this reads the wrong element
wrong_index | A[I] | A[I + 1] | this reads the next element
wrong_index | A[I] | A[I - 1] | this reads the element before
wrong_initial_value | AA = 0 | AA = 1 ~ AA = -1 | this is the wrong start
wrong_initial_value | AA = 1 ~ AA = -1 ~ AA = float(A) ~ AA = A[N] | AA = 0 | this is the wrong start
wrong_initial_value | AA = True | AA = False | this is the wrong start
wrong_initial_value | AA = False | AA = True | this is the wrong start
wrong_initial_value | AA = 0.0 | AA = 1.0 | this is the wrong start
wrong_initial_value | AA = R | AA = 0.0 | this is the wrong start
wrong_initial_value | AA = '' | AA = ' ' | this is the wrong start
wrong_initial_value | AA = Q | AA = '' | this is the wrong start
wrong_initial_value | AA = [] | AA = [0] | this is the wrong start
wrong_jump | continue | break | the break ends the loop, which should go on
wrong_jump | break | continue | the loop goes on where it should end | in_for
wrong_return | return True | return False | this is the wrong answer
wrong_return | return False | return True | this is the wrong answer
wrong_return | return A, B | return B, A | the pair has the wrong order
wrong_target | A, B = B, A | A = B;;B = A | the first line overwrites a value that the second one needs
wrong_target | A, B = C | B, A = C | the names are exchanged
wrong_target | for A, B in C: DD;;else: EE | for B, A in C: DD;;else: EE | the names are exchanged
wrong_update | A += B ~ A -= B ~ A *= B ~ A |= B ~ A //= B | A = B | the value is overwritten | not_in_while
wrong_update | A += B | A -= B | the value goes the wrong way | not_in_while
wrong_update | A -= B | A += B | the value goes the wrong way | not_in_while
wrong_update | A *= B | A += B | the value is added, not multiplied | not_in_while
"""  # noqa: E501

# operator | what becomes what | phrase
_SWAPS = """
wrong_boolean | and:or | one part is enough here, but all are needed
wrong_boolean | or:and | all parts are needed here, but one is enough
wrong_boundary | <:<= >:>= | the comparison counts the case of equality
wrong_boundary | <=:< >=:> | the comparison leaves out the case of equality
wrong_builtin | min:max max:min any:all all:any sum:len sum:max len:sum sorted:list set:list reversed:list floor:ceil ceil:floor round:int chr:str zip:enumerate | this calls the wrong function
wrong_collection_method | .append:.extend .extend:.append .add:.discard .keys:.values .values:.keys .union:.intersection .intersection:.union .difference:.symmetric_difference .appendleft:.append .popleft:.pop | this calls the wrong method
wrong_comparison | <:> <=:>= >:< >=:<= ==:!= !=:== in:not_in not_in:in is:is_not is_not:is | the comparison goes the wrong way
wrong_operator | +:- -:+ *:+ %:// **:* &:| |:& ^:| <<:>> >>:<< | this uses the wrong operator
wrong_string_method | .upper:.lower .lower:.upper .strip:.lstrip .strip:.rstrip .lstrip:.strip .lstrip:.rstrip .rstrip:.strip .rstrip:.lstrip .startswith:.endswith .endswith:.startswith .find:.rfind .rfind:.find .index:.rindex .isdigit:.isalpha .isalpha:.isalnum .isalnum:.isalpha .isupper:.islower .islower:.isupper .title:.capitalize .capitalize:.title .capitalize:.upper .swapcase:.upper .split:.rsplit .split:.partition .rsplit:.split .partition:.rpartition .rpartition:.partition .ljust:.rjust .rjust:.ljust | this calls the wrong method
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Operator:
    """A named way to break a program. `about` says in a few words what it breaks; `example` is a
    statement or expression and what may become of it, in a function of `x` and `y`."""

    name: str
    about: str
    example: tuple[str, str]


def _rows(table: str, width: int) -> Iterator[list[str]]:
    for line in table.strip().split("\n"):
        cells = [cell.strip() for cell in line.split(" | ")]
        yield [cell.replace(";;", "\n") for cell in cells] + [""] * (width - len(cells))


OPERATORS = {
    name: Operator(name, about, (before, after))
    for name, about, before, after in _rows(_OPERATORS, 4)
}
# (operator, matches, makes, phrase, where)
REWRITES = [
    (name, pattern, new, phrase, where)
    for name, matches, makes, phrase, where in _rows(_REWRITES, 5)
    for pattern in matches.split(" ~ ")
    for new in makes.split(" ~ ")
]
# (operator, old, new, phrase)
SWAPS = [
    (name, *pair.split(":"), phrase)
    for name, pairs, phrase in _rows(_SWAPS, 3)
    for pair in pairs.split()
]
