# ruff: noqa: E501  (a table of code and English)
"""The grammar.

Each line is `result | operands | code | English`. The first operand is the value an expression is
about; the others are variables of that type where there are some, else literals. Literal kinds:
`k` 0-10, `p` 1-5, `m` 2-7, `ch` a letter, `sep` a separator, `w` a word, `chs` a few letters, `fl` a
float. A type with `!` must be a variable. `E` stands for one element type.
"""

TABLE = """
str | str | {0}.lower() | {0} in lower case
str | str | {0}.upper() | {0} in upper case
str | str | {0}.strip() | {0} without surrounding whitespace
str | str | {0}.title() | {0} in title case
str | str | {0}.capitalize() | {0} capitalized
str | str | {0}.swapcase() | {0} with upper and lower case swapped
str | str | {0}[::-1] | {0} reversed
str | str, p | {0}[:{1}] | the first {1} characters of {0}
str | str, p | {0}[{1}:] | {0} without its first {1} characters
str | str, p | {0}[-{1}:] | the last {1} characters of {0}
str | str, p | {0}[:-{1}] | {0} without its last {1} characters
str | str, m | {0}[::{1}] | every {1}th character of {0}
str | str | {0}[1:-1] | {0} without its first and last character
str | str, int | {0}[:{1}] | the part of {0} before position {1}
str | str, int | {0}[{1}:] | the part of {0} from position {1} on
str | str, m | {0} * {1} | {0} repeated {1} times
str | str, str | {0} + {1} | {0} followed by {1}
str | str, str | {1} + {0} | {1} followed by {0}
str | str, sep | {0} + {1} | {0} followed by {1}
str | str, ch, ch | {0}.replace({1}, {2}) | {0} with every {1} replaced by {2}
str | str, ch | {0}.replace({1}, '') | {0} with every {1} removed
str | str, sep | {0}.replace(' ', {1}) | {0} with spaces replaced by {1}
str | str, str, str | {0}.replace({1}, {2}) | {0} with {1} replaced by {2}
str | str, sep | {0}.strip({1}) | {0} with {1} stripped from both ends
str | str, chs | {0}.lstrip({1}) | {0} with leading characters of {1} stripped
str | str, chs | {0}.rstrip({1}) | {0} with trailing characters of {1} stripped
str | str | {0}.lstrip() | {0} without leading whitespace
str | str | {0}.rstrip() | {0} without trailing whitespace
str | str, ch | {0}.removeprefix({1}) | {0} without the prefix {1}
str | str, ch | {0}.removesuffix({1}) | {0} without the suffix {1}
str | str, sep | {0}.split({1})[0] | the part of {0} before the first {1}
str | str, sep | {0}.split({1})[-1] | the part of {0} after the last {1}
str | str, sep | {0}.partition({1})[0] | the part of {0} before the first {1}
str | str, sep | {0}.partition({1})[2] | the part of {0} after the first {1}
str | str, sep | {0}.rpartition({1})[2] | the part of {0} after the last {1}
str | str, width, fillch | {0}.center({1}, {2}) | {0} centred in {1} characters filled with {2}
str | str, width, fillch | {0}.ljust({1}, {2}) | {0} padded on the right to {1} characters with {2}
str | str, width, fillch | {0}.rjust({1}, {2}) | {0} padded on the left to {1} characters with {2}
str | str, width | {0}.zfill({1}) | {0} padded with zeros to {1} characters
str | str | ''.join(sorted({0})) | the characters of {0} in sorted order
str | str | ''.join(sorted(set({0}))) | the distinct characters of {0} in sorted order
str | str | ''.join(reversed({0})) | {0} reversed
str | str | ' '.join({0}.split()) | {0} with runs of whitespace made single spaces
str | str, sep | {1}.join({0}) | the characters of {0} joined by {1}
str | str, sep | {1}.join({0}.split()) | the words of {0} joined by {1}
str | str | ' '.join({0}.split()[::-1]) | the words of {0} in reverse order
str | str | {0}[0].upper() + {0}[1:] if {0} else {0} | {0} with its first letter in upper case
str | str | {0}[-1] + {0}[:-1] if {0} else {0} | {0} rotated right by one
str | str, p | {0}[{1}:] + {0}[:{1}] | {0} rotated left by {1}
str | str, p | {0} if len({0}) > {1} else {0}[::-1] | {0}, reversed unless it is longer than {1}
str | str, width | {0} if len({0}) <= {1} else {0}[:{1}] | {0} cut to at most {1} characters
str | str, str | f'{{{0}}}-{{{1}}}' | {0} and {1} joined by a hyphen
str | str, int | f'{{{0}}}:{{{1}}}' | {0}, a colon and {1}
str | str | f'<{{{0}}}>' | {0} in angle brackets
str | str | f'{{{0}}}!' | {0} with an exclamation mark
str | str, sep | '%s' % {0} + {1} | {0} followed by {1}
str | str | '({{}})'.format({0}) | {0} in parentheses
str | str, chs | ''.join(c for c in {0} if c not in {1}) | {0} without the characters {1}
str | str, chs | ''.join(c for c in {0} if c in {1}) | the characters of {0} that are among {1}
str | str | ''.join(c for c in {0} if c.isalpha()) | the letters of {0}
str | str | ''.join(c for c in {0} if not c.isdigit()) | {0} without its digits
str | str | ''.join(c for c in {0} if c.isalnum()) | the letters and digits of {0}
str | str | ''.join(c.upper() if i % 2 == 0 else c.lower() for i, c in enumerate({0})) | {0} with alternating case, upper case first
str | str | ''.join(c * 2 for c in {0}) | {0} with every character doubled
str | str | ''.join(dict.fromkeys({0})) | the distinct characters of {0} in order of appearance
str | int | str({0}) | {0} as a string
str | int | bin({0})[2:] | {0} in binary
str | int | hex({0}) | {0} in hexadecimal
str | int | f'{{{0}:03d}}' | {0} with three digits
str | int | str({0})[::-1] | the digits of {0} reversed
str | int, ch | {1} * {0} | {1} repeated {0} times
str | int | 'even' if {0} % 2 == 0 else 'odd' | 'even' or 'odd' after the parity of {0}
str | int, w, w | {1} if {0} > 0 else {2} | {1} if {0} is positive, else {2}
str | int, k, w, w | {2} if {0} > {1} else {3} | {2} if {0} is greater than {1}, else {3}
str | int | chr({0} % 26 + 97) | the letter at position {0} modulo 26
str | float | f'{{{0}:.2f}}' | {0} with two decimals
str | bool, w, w | {1} if {0} else {2} | {1} if {0}, else {2}
int | str | len({0}) | the length of {0}
int | str, ch | {0}.count({1}) | the number of times {1} occurs in {0}
int | str, str | {0}.count({1}) | the number of times {1} occurs in {0}
int | str, ch | {0}.find({1}) | the position of {1} in {0}, or -1
int | str, ch | {0}.rfind({1}) | the last position of {1} in {0}, or -1
int | str, str | {0}.find({1}) | the position of {1} in {0}, or -1
int | str, ch | {0}.index({1}) if {1} in {0} else len({0}) | the position of {1} in {0}, or its length
int | str | len(set({0})) | the number of distinct characters of {0}
int | str | len({0}.split()) | the number of words of {0}
int | str | sum(1 for c in {0} if c in 'aeiou') | the number of vowels of {0}
int | str | sum(c.isupper() for c in {0}) | the number of upper-case letters of {0}
int | str | sum(1 for c in {0} if c.isdigit()) | the number of digits of {0}
int | str | sum(int(c) for c in {0} if c.isdigit()) | the sum of the digits in {0}
int | str | sum(ord(c) for c in {0}) | the sum of the character codes of {0}
int | str | ord({0}[0]) if {0} else 0 | the code of the first character of {0}, or 0
int | str | int({0}) if {0}.isdigit() else 0 | {0} as a number if it is all digits, else 0
int | str | int({0}) if {0}.isdigit() else len({0}) | {0} as a number if it is all digits, else its length
int | str | max(len(part) for part in {0}.split(' ')) | the length of the longest word of {0}
int | int, k | {0} + {1} | {0} plus {1}
int | int, p | {0} - {1} | {0} minus {1}
int | int, m | {0} * {1} | {0} times {1}
int | int, m | {0} // {1} | {0} divided by {1}, rounded down
int | int, m | {0} % {1} | {0} modulo {1}
int | int, int | {0} + {1} | {0} plus {1}
int | int, int | {0} - {1} | {0} minus {1}
int | int, int | {0} * {1} | {0} times {1}
int | int, int | {0} // {1} if {1} else 0 | {0} divided by {1} rounded down, or 0 if {1} is 0
int | int, int | {0} % {1} if {1} else {0} | {0} modulo {1}, or {0} itself if {1} is 0
int | int, int | max({0}, {1}) | the larger of {0} and {1}
int | int, int | min({0}, {1}) | the smaller of {0} and {1}
int | int, k | max({0}, {1}) | {0}, but at least {1}
int | int, k | min({0}, {1}) | {0}, but at most {1}
int | int, int | abs({0} - {1}) | the distance between {0} and {1}
int | int | abs({0}) | the absolute value of {0}
int | int | {0} ** 2 | {0} squared
int | int | -{0} | the negative of {0}
int | int | {0} + 1 | {0} plus one
int | int | {0} - 1 | {0} minus one
int | int | {0} * 2 if {0} % 2 == 0 else {0} + 1 | twice {0} if it is even, else {0} plus one
int | int | {0} // 2 if {0} % 2 == 0 else 3 * {0} + 1 | half of {0} if it is even, else three times {0} plus one
int | int | len(str(abs({0}))) | the number of digits of {0}
int | int | sum(int(d) for d in str(abs({0}))) | the sum of the digits of {0}
int | int | bin({0}).count('1') | the number of one bits of {0}
int | int, m | {0} ^ {1} | {0} xor {1}
int | int, m | {0} & {1} | {0} bitwise and {1}
int | int, p | {0} << {1} | {0} shifted left by {1} bits
int | int, p | {0} >> {1} | {0} shifted right by {1} bits
int | int, m | divmod({0}, {1})[0] | the quotient of {0} by {1}
int | int, m | sum(i for i in range({0}) if i % {1} == 0) | the sum of the multiples of {1} below {0}
int | int | sum(range({0} + 1)) | the sum of the numbers from 0 to {0}
int | int | len([i for i in range(1, {0} + 1) if {0} % i == 0]) | the number of divisors of {0}
int | float | int({0}) | {0} without its fraction
int | float | round({0}) | {0} rounded to a whole number
int | bool | int({0}) | 1 if {0} else 0
float | int, m | {0} / {1} | {0} divided by {1}
float | int, fl | {0} * {1} | {0} times {1}
float | int | float({0}) | {0} as a float
float | float, float | {0} + {1} | {0} plus {1}
float | float, fl | {0} * {1} | {0} times {1}
float | float, fl | {0} - {1} | {0} minus {1}
float | float, int | {0} * {1} | {0} times {1}
float | float, int | {0} + {1} | {0} plus {1}
float | float | round({0}, 1) | {0} rounded to one decimal
float | float | round({0}, 2) | {0} rounded to two decimals
float | float | abs({0}) | the absolute value of {0}
float | float | {0} / 2 | half of {0}
float | float, fl | max({0}, {1}) | {0}, but at least {1}
float | float, fl | min({0}, {1}) | {0}, but at most {1}
float | list[float] | sum({0}) | the sum of {0}
float | list[float] | max({0}, default=0.0) | the largest of {0}, or 0.0
float | list[float] | min({0}, default=0.0) | the smallest of {0}, or 0.0
float | list[float] | round(sum({0}) / len({0}), 2) if {0} else 0.0 | the mean of {0} rounded to two decimals, or 0.0
float | list[int] | sum({0}) / len({0}) if {0} else 0.0 | the mean of {0}, or 0.0
float | list[int] | round(sum({0}) / max(len({0}), 1), 2) | the mean of {0} rounded to two decimals
bool | str | {0}.isalpha() | {0} has only letters
bool | str | {0}.isdigit() | {0} has only digits
bool | str | {0}.isupper() | {0} is in upper case
bool | str | {0}.islower() | {0} is in lower case
bool | str | {0}.isalnum() | {0} has only letters and digits
bool | str, ch | {0}.startswith({1}) | {0} starts with {1}
bool | str, ch | {0}.endswith({1}) | {0} ends with {1}
bool | str, str | {0}.startswith({1}) | {0} starts with {1}
bool | str, str | {0}.endswith({1}) | {0} ends with {1}
bool | str, ch | {1} in {0} | {1} occurs in {0}
bool | str, ch | {1} not in {0} | {1} does not occur in {0}
bool | str, str | {1} in {0} | {1} occurs in {0}
bool | str, str | {0} != {1} | {0} differs from {1}
bool | str, str | {0} < {1} | {0} comes before {1}
bool | str, str | {0} == {1} | {0} equals {1}
bool | str | {0} == {0}[::-1] | {0} reads the same backwards
bool | str, p | len({0}) > {1} | {0} is longer than {1}
bool | str, p | len({0}) < {1} | {0} is shorter than {1}
bool | str, p | len({0}) >= {1} | {0} has at least {1} characters
bool | str | len({0}) % 2 == 0 | the length of {0} is even
bool | str, chs | {0}[:1] in {1} | the first character of {0} is among {1}
bool | str | {0}[:1].isupper() | {0} starts with an upper-case letter
bool | str | len(set({0})) == len({0}) | the characters of {0} are all different
bool | str | any(c.isdigit() for c in {0}) | {0} has a digit
bool | str, int | len({0}) > {1} | {0} is longer than {1}
bool | int | {0} % 2 == 0 | {0} is even
bool | int | {0} % 2 == 1 | {0} is odd
bool | int, m | {0} % {1} == 0 | {0} is divisible by {1}
bool | int, k | {0} > {1} | {0} is greater than {1}
bool | int, k | {0} < {1} | {0} is less than {1}
bool | int, k | {0} >= {1} | {0} is at least {1}
bool | int, k | {0} <= {1} | {0} is at most {1}
bool | int, k | {0} == {1} | {0} is {1}
bool | int, k | {0} != {1} | {0} is not {1}
bool | int, int | {0} > {1} | {0} is greater than {1}
bool | int, int | {0} < {1} | {0} is less than {1}
bool | int, int | {0} == {1} | {0} equals {1}
bool | int, int | {0} >= {1} | {0} is at least {1}
bool | int | {0} < 0 | {0} is negative
bool | int | 0 < {0} < 10 | {0} is between 1 and 9
bool | int | 1 <= {0} <= 5 | {0} is between 1 and 5
bool | int | {0} > 10 | {0} is greater than 10
bool | int | {0} > 0 | {0} is positive
bool | float, fl | {0} > {1} | {0} is greater than {1}
bool | float, fl | {0} < {1} | {0} is less than {1}
bool | float, float | {0} >= {1} | {0} is at least {1}
bool | list[int] | {0} == sorted({0}) | {0} is in ascending order
bool | list[E], p | len({0}) > {1} | {0} has more than {1} elements
bool | list[E] | len({0}) % 2 == 0 | {0} has an even number of elements
bool | list[int], int | {1} in {0} | {1} is in {0}
bool | list[str], str | {1} in {0} | {1} is in {0}
bool | list[E] | len(set({0})) == len({0}) | the elements of {0} are all different
bool | dict[str, E], str | {1} in {0} | {1} is a key of {0}
bool | list[int], k | any(v > {1} for v in {0}) | some element of {0} is greater than {1}
bool | list[int], k | all(v > {1} for v in {0}) | all elements of {0} are greater than {1}
int | list[E] | len({0}) | the number of elements of {0}
int | list[int] | sum({0}) | the sum of {0}
int | list[int] | max({0}) if {0} else 0 | the largest of {0}, or 0
int | list[int] | min({0}) if {0} else 0 | the smallest of {0}, or 0
int | list[int] | max({0}, default=0) | the largest of {0}, or 0
int | list[int] | max({0}) - min({0}) if {0} else 0 | the range of {0}, or 0
int | list[int], int | {0}.count({1}) | how often {1} occurs in {0}
int | list[str], str | {0}.count({1}) | how often {1} occurs in {0}
int | list[int] | {0}[0] if {0} else 0 | the first element of {0}, or 0
int | list[int] | {0}[-1] if {0} else -1 | the last element of {0}, or -1
int | list[int] | len(set({0})) | the number of distinct elements of {0}
int | list[int], int | {0}.index({1}) if {1} in {0} else -1 | the position of {1} in {0}, or -1
int | list[str], str | {0}.index({1}) if {1} in {0} else -1 | the position of {1} in {0}, or -1
int | list[str] | len(''.join({0})) | the total length of the strings in {0}
int | list[str] | sum(len(w) for w in {0}) | the total length of the strings in {0}
int | list[str] | max((len(w) for w in {0}), default=0) | the length of the longest string in {0}, or 0
int | list[list[int]] | sum(len(row) for row in {0}) | the number of numbers in {0}
int | list[list[int]] | sum(sum(row) for row in {0}) | the sum of all numbers in {0}
int | list[list[int]] | max((sum(row) for row in {0}), default=0) | the largest row sum of {0}, or 0
int | set[E] | len({0}) | the number of elements of {0}
int | set[int] | sum({0}) | the sum of {0}
int | set[int] | max({0}, default=0) | the largest of {0}, or 0
int | dict[str, int] | sum({0}.values()) | the sum of the values of {0}
int | dict[str, int] | max({0}.values(), default=0) | the largest value of {0}, or 0
int | dict[str, E] | len({0}) | the number of entries of {0}
int | dict[str, int], str | {0}.get({1}, 0) | the value of {1} in {0}, or 0
int | dict[str, int], str | {0}.get({1}, -1) | the value of {1} in {0}, or -1
int | dict[str, list[int]] | sum(len(v) for v in {0}.values()) | the number of all listed values in {0}
int | tuple[int, int] | {0}[0] + {0}[1] | the sum of the two numbers of {0}
int | tuple[int, int] | {0}[0] * {0}[1] | the product of the two numbers of {0}
int | tuple[int, int] | max({0}) | the larger number of {0}
str | list[str], sep | {1}.join({0}) | the strings of {0} joined by {1}
str | list[str], str | {1}.join({0}) | the strings of {0} joined by {1}
str | list[str] | ''.join({0}) | the strings of {0} joined together
str | list[str] | ' '.join({0}) | the strings of {0} joined by spaces
str | list[str] | max({0}, key=len, default='') | the longest string of {0}, or ''
str | list[str] | min({0}, key=len, default='') | the shortest string of {0}, or ''
str | list[str] | {0}[0] if {0} else '' | the first string of {0}, or ''
str | list[str] | {0}[-1] if {0} else '' | the last string of {0}, or ''
str | list[str] | ''.join(w[0] for w in {0} if w) | the first letters of the strings of {0}
str | list[str] | ''.join(w[:1].upper() for w in {0}) | the first letters of the strings of {0} in upper case
str | list[int], sep | {1}.join(str(v) for v in {0}) | the numbers of {0} joined by {1}
str | list[int], sep | {1}.join(map(str, {0})) | the numbers of {0} joined by {1}
str | dict[str, int] | max({0}, key={0}.get, default='') | the key of {0} with the largest value, or ''
str | dict[str, int] | min({0}, key={0}.get) if {0} else '' | the key of {0} with the smallest value, or ''
str | dict[str, int], sep | {1}.join(sorted({0})) | the sorted keys of {0} joined by {1}
str | dict[str, int] | ', '.join(f'{{k}}={{v}}' for k, v in {0}.items()) | the entries of {0} as key=value joined by commas
str | dict[str, str], str | {0}.get({1}, '') | the value of {1} in {0}, or ''
str | dict[str, str], str | {0}.get({1}, {1}) | the value of {1} in {0}, or {1} itself
list[str] | str | {0}.split() | the words of {0}
list[str] | str, sep | {0}.split({1}) | the parts of {0} between {1}
list[str] | str, str | {0}.split({1}) if {1} else [{0}] | the parts of {0} between {1}
list[str] | str, sep, p | {0}.split({1}, {2}) | the parts of {0} between the first {2} occurrences of {1}
list[str] | str, sep, p | {0}.rsplit({1}, {2}) | the parts of {0} between the last {2} occurrences of {1}
list[str] | str | list({0}) | the characters of {0}
list[str] | str | sorted({0}) | the characters of {0} sorted
list[str] | str | {0}.splitlines() | the lines of {0}
list[str] | str | sorted(set({0})) | the distinct characters of {0} sorted
list[str] | str, m | [{0}[i:i + {1}] for i in range(0, len({0}), {1})] | {0} cut into pieces of {1} characters
list[str] | str | [{0}[:i] for i in range(1, len({0}) + 1)] | all prefixes of {0} from short to long
list[str] | str | re.findall('[a-z]+', {0}) | the runs of lower-case letters in {0}
list[str] | list[E] | [str(v) for v in {0}] | the elements of {0} as strings
list[str] | list[str] | sorted({0}) | {0} sorted
list[str] | list[str] | sorted({0}, key=len) | {0} sorted by length
list[str] | list[str] | sorted({0}, key=len, reverse=True) | {0} sorted from long to short
list[str] | list[str] | sorted({0}, key=lambda w: (len(w), w)) | {0} sorted by length, then alphabetically
list[str] | list[str] | sorted({0}, key=lambda w: w[-1:]) | {0} sorted by last character
list[str] | list[str] | sorted({0}, key=str.lower) | {0} sorted without regard to case
list[str] | list[str], sep | [w for part in {0} for w in part.split({1})] | the pieces of the strings of {0} split at {1}
list[str] | list[str], str | [{1} + w for w in {0}] | the strings of {0} with {1} before each
list[E] | list[E] | {0}[::-1] | {0} in reverse order
list[E] | list[E] | list(reversed({0})) | {0} in reverse order
list[E] | list[E], p | {0}[:{1}] | the first {1} elements of {0}
list[E] | list[E], p | {0}[{1}:] | {0} without its first {1} elements
list[E] | list[E], p | {0}[-{1}:] | the last {1} elements of {0}
list[E] | list[E], m | {0}[::{1}] | every {1}th element of {0}
list[E] | list[E], int | {0}[:{1}] | the elements of {0} before position {1}
list[E] | list[E], int | {0}[{1}:] | the elements of {0} from position {1} on
list[E] | list[E] | {0}[1:] + {0}[:1] | {0} rotated left by one
list[E] | list[E], list[E] | {0} + {1} | {0} followed by {1}
list[E] | list[E], E | {0} + [{1}] | {0} with {1} added at the end
list[E] | list[E], E | [{1}] + {0} | {0} with {1} added at the front
list[E] | list[E] | list(dict.fromkeys({0})) | the distinct elements of {0} in order of appearance
list[E] | list[E] | sorted(set({0})) | the distinct elements of {0} sorted
list[E] | list[E] | list({0}) | a copy of {0}
list[E] | list[E] | {0} * 2 | {0} twice over
list[int] | list[int] | sorted({0}) | {0} in ascending order
list[int] | list[int] | sorted({0}, reverse=True) | {0} in descending order
list[int] | list[int] | sorted({0}, key=abs) | {0} sorted by absolute value
list[int] | list[int], m | sorted({0}, key=lambda v: (v % {1}, v)) | {0} sorted by remainder modulo {1}, then by size
list[int] | list[int] | sorted({0}, key=lambda v: -v) | {0} in descending order
list[int] | list[int] | [a - b for a, b in zip({0}[1:], {0})] | the differences of neighbours in {0}
list[int] | list[int], list[int] | [a + b for a, b in zip({0}, {1})] | the sums of {0} and {1} place by place
list[int] | list[int], list[int] | [a * b for a, b in zip({0}, {1})] | the products of {0} and {1} place by place
list[int] | list[int], list[int] | [v for v in {0} if v not in {1}] | the elements of {0} that are not in {1}
list[int] | list[int], list[int] | [v for v in {0} if v in {1}] | the elements of {0} that are also in {1}
list[int] | list[int] | [v * i for i, v in enumerate({0})] | each element of {0} times its position
list[int] | list[int] | [sum({0}[:i + 1]) for i in range(len({0}))] | the running sums of {0}
list[int] | list[int] | [i for i, v in enumerate({0}) if v > 0] | the positions of positive elements of {0}
list[int] | list[int] | list(map(abs, {0})) | the absolute values of {0}
list[int] | list[int], k | list(filter(lambda v: v > {1}, {0})) | the elements of {0} greater than {1}
list[int] | list[int], m | list(map(lambda v: v * {1}, {0})) | the elements of {0} times {1}
list[int] | list[str] | [len(w) for w in {0}] | the lengths of the strings of {0}
list[int] | list[str] | list(map(len, {0})) | the lengths of the strings of {0}
list[int] | list[str] | [int(w) for w in {0} if w.isdigit()] | the numbers among the strings of {0}
list[int] | str | [ord(c) for c in {0}] | the character codes of {0}
list[int] | str | [int(c) for c in {0} if c.isdigit()] | the digits of {0}
list[int] | str, ch | [i for i, c in enumerate({0}) if c == {1}] | the positions of {1} in {0}
list[int] | int | list(range({0})) | the numbers from 0 up to but without {0}
list[int] | int, m | list(range(0, {0}, {1})) | every {1}th number from 0 up to but without {0}
list[int] | int | [int(d) for d in str(abs({0}))] | the digits of {0}
list[int] | int | [i for i in range(1, {0} + 1) if {0} % i == 0] | the divisors of {0}
list[int] | int | list(range({0}, 0, -1)) | the numbers from {0} down to 1
list[int] | list[list[int]] | [sum(row) for row in {0}] | the sums of the rows of {0}
list[int] | list[list[int]] | [v for row in {0} for v in row] | the numbers of all rows of {0} in one list
list[int] | list[list[int]] | [max(row) for row in {0} if row] | the largest numbers of the rows of {0}
list[int] | list[list[int]] | [len(row) for row in {0}] | the lengths of the rows of {0}
list[int] | list[list[int]] | [row[0] for row in {0} if row] | the first numbers of the rows of {0}
list[int] | list[list[int]] | max({0}, key=sum, default=[]) | the row of {0} with the largest sum
list[int] | set[int] | sorted({0}) | the elements of {0} in ascending order
list[str] | set[str] | sorted({0}) | the elements of {0} in alphabetical order
list[int] | dict[str, int] | list({0}.values()) | the values of {0}
list[int] | dict[str, int] | sorted({0}.values()) | the values of {0} in ascending order
list[str] | dict[str, E] | list({0}) | the keys of {0}
list[str] | dict[str, E] | list({0}.keys()) | the keys of {0}
list[str] | dict[str, E] | sorted({0}) | the keys of {0} sorted
list[str] | dict[str, E] | sorted({0}.keys()) | the keys of {0} sorted
list[str] | dict[str, int] | sorted({0}, key={0}.get) | the keys of {0} sorted by value
list[str] | dict[str, int] | sorted({0}, key=lambda k: (-{0}[k], k)) | the keys of {0} from the largest value down
list[str] | dict[str, int], k | [k for k, v in {0}.items() if v > {1}] | the keys of {0} whose value is greater than {1}
list[str] | dict[str, str] | sorted({0}.values()) | the values of {0} sorted
list[str] | dict[str, int] | [f'{{k}}{{v}}' for k, v in {0}.items()] | each key of {0} followed by its value
list[str] | dict[str, list[int]] | [k for k, v in {0}.items() if len(v) > 1] | the keys of {0} with more than one value
list[int] | dict[str, list[int]] | [v for values in {0}.values() for v in values] | all values listed in {0}
list[tuple[str, int]] | dict[str, int] | list({0}.items()) | the (key, value) pairs of {0}
list[tuple[str, int]] | dict[str, int] | sorted({0}.items()) | the (key, value) pairs of {0} sorted by key
list[tuple[str, int]] | dict[str, int] | sorted({0}.items(), key=lambda kv: kv[1]) | the (key, value) pairs of {0} sorted by value
list[tuple[str, int]] | dict[str, int] | sorted({0}.items(), key=lambda kv: (-kv[1], kv[0])) | the (key, value) pairs of {0}, largest value first
list[tuple[str, int]] | list[str] | [(w, len(w)) for w in {0}] | each string of {0} with its length
list[tuple[str, int]] | str | [(c, {0}.count(c)) for c in sorted(set({0}))] | each distinct character of {0} with its count
list[tuple[str, int]] | list[str], list[int] | list(zip({0}, {1})) | the pairs of {0} and {1}
list[tuple[int, int]] | list[int] | list(enumerate({0})) | each element of {0} after its position
list[tuple[int, int]] | list[int] | list(zip({0}, {0}[1:])) | the pairs of neighbours in {0}
list[tuple[int, int]] | list[int], list[int] | list(zip({0}, {1})) | the pairs of {0} and {1} place by place
list[int] | list[tuple[int, int]] | [a + b for a, b in {0}] | the sums of the pairs of {0}
list[int] | list[tuple[int, int]] | [a * b for a, b in {0}] | the products of the pairs of {0}
list[tuple[int, int]] | list[tuple[int, int]] | sorted({0}) | {0} sorted
list[tuple[int, int]] | list[tuple[int, int]] | sorted({0}, key=lambda p: p[1]) | {0} sorted by second number
list[tuple[int, int]] | list[tuple[int, int]] | [(b, a) for a, b in {0}] | the pairs of {0} swapped
int | list[tuple[int, int]] | sum(a * b for a, b in {0}) | the sum of the products of the pairs of {0}
list[str] | list[tuple[str, int]] | [name for name, _ in {0}] | the names in {0}
list[str] | list[tuple[str, int]], k | [name for name, n in {0} if n > {1}] | the names in {0} whose number is greater than {1}
list[int] | list[tuple[str, int]] | [n for _, n in {0}] | the numbers in {0}
dict[str, int] | list[tuple[str, int]] | dict({0}) | {0} as a dictionary
dict[str, int] | list[tuple[str, int]] | {{name: n for name, n in {0}}} | {0} as a dictionary
list[tuple[str, int]] | list[tuple[str, int]] | sorted({0}, key=lambda p: p[1]) | {0} sorted by number
list[tuple[str, int]] | list[tuple[str, int]] | sorted({0}, key=lambda p: (-p[1], p[0])) | {0} sorted by number from large to small, then by name
dict[str, int] | list[str] | {{w: len(w) for w in {0}}} | a dictionary from each string of {0} to its length
dict[str, int] | list[str] | {{w: {0}.count(w) for w in {0}}} | a dictionary from each string of {0} to how often it occurs
dict[str, int] | list[str] | {{w: i for i, w in enumerate({0})}} | a dictionary from each string of {0} to its last position
dict[str, int] | str | {{c: {0}.count(c) for c in {0}}} | a dictionary from each character of {0} to its count
dict[str, int] | str | dict(Counter({0})) | a dictionary from each character of {0} to its count
dict[str, int] | list[str], list[int] | dict(zip({0}, {1})) | a dictionary from the strings of {0} to the numbers of {1}
dict[str, int] | dict[str, int], k | {{k: v for k, v in {0}.items() if v > {1}}} | the entries of {0} whose value is greater than {1}
dict[str, int] | dict[str, int], m | {{k: v * {1} for k, v in {0}.items()}} | {0} with its values times {1}
dict[str, int] | dict[str, int] | {{k.upper(): v for k, v in {0}.items()}} | {0} with its keys in upper case
dict[str, int] | dict[str, int] | dict(sorted({0}.items())) | {0} ordered by key
dict[str, int] | dict[str, int] | dict(sorted({0}.items(), key=lambda kv: kv[1])) | {0} ordered by value
dict[str, int] | dict[str, int], dict[str, int] | {{**{0}, **{1}}} | {0} updated with {1}
dict[str, int] | dict[str, list[int]] | {{k: sum(v) for k, v in {0}.items()}} | a dictionary from each key of {0} to the sum of its values
dict[str, int] | dict[str, list[int]] | {{k: len(v) for k, v in {0}.items()}} | a dictionary from each key of {0} to the number of its values
dict[str, str] | dict[str, str] | {{v: k for k, v in {0}.items()}} | {0} with keys and values exchanged
dict[str, str] | list[str] | {{w: w[::-1] for w in {0}}} | a dictionary from each string of {0} to its reverse
dict[str, str] | dict[str, str] | {{k: v.upper() for k, v in {0}.items()}} | {0} with its values in upper case
list[str] | dict[str, str] | [f'{{k}}={{v}}' for k, v in sorted({0}.items())] | the sorted entries of {0} as key=value
dict[int, str] | list[str] | {{i: w for i, w in enumerate({0})}} | a dictionary from each position to the string of {0} there
dict[int, str] | list[str] | dict(enumerate({0}, 1)) | a dictionary from each position, counted from 1, to the string of {0} there
dict[int, str] | dict[str, int] | {{v: k for k, v in {0}.items()}} | {0} with keys and values exchanged
list[str] | dict[int, str] | [{0}[k] for k in sorted({0})] | the values of {0} in the order of their keys
dict[int, int] | list[int] | {{v: {0}.count(v) for v in {0}}} | a dictionary from each number of {0} to how often it occurs
dict[int, int] | list[int] | {{v: v ** 2 for v in {0}}} | a dictionary from each number of {0} to its square
list[int] | dict[int, int] | sorted({0}, key=lambda k: (-{0}[k], k)) | the keys of {0} from the largest value down
int | dict[int, int], int | {0}.get({1}, 0) | the value of {1} in {0}, or 0
int | dict[int, int] | sum(k * v for k, v in {0}.items()) | the sum of key times value over {0}
set[int] | list[int] | set({0}) | the set of the elements of {0}
set[str] | list[str] | set({0}) | the set of the strings of {0}
set[str] | str | set({0}) | the set of the characters of {0}
set[int] | set[int], set[int] | {0} & {1} | the elements common to {0} and {1}
set[int] | set[int], set[int] | {0} | {1} | the elements of {0} and {1} together
set[int] | set[int], set[int] | {0} - {1} | the elements of {0} that are not in {1}
set[int] | set[int], set[int] | {0}.union({1}) | the elements of {0} and {1} together
set[int] | set[int], set[int] | {0}.intersection({1}) | the elements common to {0} and {1}
set[int] | set[int], set[int] | {0} ^ {1} | the elements in exactly one of {0} and {1}
set[int] | set[int], list[int] | {0}.difference({1}) | the elements of {0} that are not in {1}
set[str] | set[str], set[str] | {0} & {1} | the elements common to {0} and {1}
set[str] | set[str], set[str] | {0} - {1} | the elements of {0} that are not in {1}
set[int] | set[int], m | {{v % {1} for v in {0}}} | the remainders of {0} modulo {1}
set[int] | set[int], k | {{v for v in {0} if v > {1}}} | the elements of {0} greater than {1}
set[str] | set[str] | {{w.lower() for w in {0}}} | the elements of {0} in lower case
bool | set[int], set[int] | {0}.issubset({1}) | {0} is contained in {1}
bool | set[int], set[int] | {0} <= {1} | {0} is contained in {1}
bool | set[int], set[int] | {0}.isdisjoint({1}) | {0} and {1} have nothing in common
bool | set[int], int | {1} in {0} | {1} is in {0}
list[list[int]] | list[int], m | [{0}[i:i + {1}] for i in range(0, len({0}), {1})] | {0} cut into pieces of {1} elements
list[list[int]] | list[list[int]] | [row[::-1] for row in {0}] | {0} with each row reversed
list[list[int]] | list[list[int]] | [sorted(row) for row in {0}] | {0} with each row sorted
list[list[int]] | list[list[int]] | [list(col) for col in zip(*{0})] | the columns of {0}
list[list[int]] | list[list[int]] | sorted({0}, key=len) | the rows of {0} sorted by length
list[list[int]] | list[list[int]] | sorted({0}, key=sum) | the rows of {0} sorted by sum
list[list[int]] | list[list[int]], m | [[v * {1} for v in row] for row in {0}] | {0} with every number times {1}
list[list[int]] | list[list[int]], k | [[v for v in row if v > {1}] for row in {0}] | {0} with only the numbers greater than {1}
list[list[int]] | list[list[int]] | [row for row in {0} if row] | the rows of {0} that are not empty
list[list[int]] | list[list[int]] | {0}[::-1] | {0} with its rows in reverse order
tuple[int, int] | int, m | divmod({0}, {1}) | the quotient and remainder of {0} by {1}
tuple[int, int] | list[int] | (min({0}), max({0})) if {0} else (0, 0) | the smallest and largest of {0}, or (0, 0)
tuple[int, int] | list[int] | (len({0}), sum({0})) | the number of elements of {0} and their sum
tuple[int, int] | tuple[int, int] | ({0}[1], {0}[0]) | {0} with its numbers exchanged
tuple[int, int] | int, int | ({0}, {1}) | the pair of {0} and {1}
tuple[str, int] | str | ({0}, len({0})) | {0} together with its length
tuple[str, int] | str, int | ({0}, {1}) | the pair of {0} and {1}
tuple[str, str] | str, str | ({0}, {1}) | the pair of {0} and {1}
tuple[str, str] | str, p | ({0}[:{1}], {0}[{1}:]) | {0} split in two at position {1}
str | tuple[str, int] | {0}[0] * {0}[1] | the string of {0} repeated as often as its number says
str | char | {0}.upper() | {0} in upper case
str | char | {0}.lower() | {0} in lower case
str | char | {0}.swapcase() | {0} with its case swapped
str | char, m | {0} * {1} | {0} repeated {1} times
str | char | {0} * 2 | {0} twice
str | char, sep | {0} + {1} | {0} followed by {1}
str | char, sep | {1} + {0} | {1} followed by {0}
str | char, sep | {0} if {0}.isalpha() else {1} | {0} if it is a letter, else {1}
str | char, chs, sep | {2} if {0} in {1} else {0} | {2} if {0} is among {1}, else {0}
str | char, ch, ch | {2} if {0} == {1} else {0} | {2} if {0} is {1}, else {0}
str | char | {0}.upper() if {0}.islower() else {0}.lower() | {0} with its case swapped
str | char | chr((ord({0}) - 97 + 1) % 26 + 97) if {0}.islower() else {0} | the next letter after {0} if it is lower case, else {0}
str | char, k | chr(ord({0}) + {1}) | the character {1} places after {0}
int | char | ord({0}) | the code of {0}
int | char | ord({0}) - 97 | the code of {0} minus 97
int | char, m | ord({0}) % {1} | the code of {0} modulo {1}
int | char | int({0}) if {0}.isdigit() else 0 | {0} as a number if it is a digit, else 0
int | char, p | {1} if {0}.isupper() else 1 | {1} if {0} is an upper-case letter, else 1
int | char, p | {1} if {0} in 'aeiou' else 0 | {1} if {0} is a vowel, else 0
int | char, str! | {1}.count({0}) | how often {0} occurs in {1}
int | char, str! | {1}.find({0}) | the position of {0} in {1}, or -1
bool | char | {0}.isalpha() | {0} is a letter
bool | char | {0}.isdigit() | {0} is a digit
bool | char | {0}.isupper() | {0} is an upper-case letter
bool | char | {0}.islower() | {0} is a lower-case letter
bool | char | {0}.isalnum() | {0} is a letter or a digit
bool | char | {0}.isspace() | {0} is whitespace
bool | char | not {0}.isalnum() | {0} is neither a letter nor a digit
bool | char | {0} in 'aeiou' | {0} is a vowel
bool | char, chs | {0} in {1} | {0} is among {1}
bool | char, chs | {0} not in {1} | {0} is not among {1}
bool | char, ch | {0} == {1} | {0} is {1}
bool | char, ch | {0} != {1} | {0} is not {1}
bool | char, ch | {0} > {1} | {0} comes after {1}
bool | char, ch | {0} <= {1} | {0} is {1} or comes before it
bool | char, str! | {0} in {1} | {0} occurs in {1}
bool | char, str! | {0} not in {1} | {0} does not occur in {1}
bool | char, list[str]! | {0} in {1} | {0} is in {1}
bool | char, set[str]! | {0} in {1} | {0} is in {1}
list[float] | list[float] | sorted({0}) | {0} in ascending order
list[float] | list[float] | [round(v, 1) for v in {0}] | {0} rounded to one decimal
list[float] | list[float], fl | [v * {1} for v in {0}] | {0} times {1}
list[float] | list[float], fl | [v for v in {0} if v > {1}] | the elements of {0} greater than {1}
list[float] | list[int], m | [v / {1} for v in {0}] | the elements of {0} divided by {1}
int | list[float] | len({0}) | the number of elements of {0}
int | list[float], fl | sum(1 for v in {0} if v > {1}) | how many elements of {0} are greater than {1}
"""
